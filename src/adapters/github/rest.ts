// Lists of the REST API, read to their end or not at all; and texts as GitHub takes them.

import { BOUNDS } from '../../core/limits.ts';
import { unreadable } from './client.ts';
import { GitHubError } from './errors.ts';

/** Characters that GitHub takes as a body, and as a title. */
const [BODY, TITLE] = [65_536, 256];

/** All entries of a list. `get` gets the number of a page, from 1. */
export async function pagesOf<T>(get: (page: number) => Promise<{ readonly data: readonly T[]; readonly headers: { readonly link?: string | undefined } }>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let page = 1; page <= BOUNDS.forgePages; page += 1) {
    const { data, headers }: { readonly data: readonly T[] | undefined; readonly headers: { readonly link?: string | undefined } } = await get(page);
    if (data?.[Symbol.iterator] === undefined) throw unreadable();
    all.push(...data);
    if (!/;\s*rel="next"/.test(headers.link ?? '')) return all;
  }
  throw new GitHubError({ reason: 'refused', status: 200, message: `GitHub lists more than choo reads (${BOUNDS.forgePages} pages)` });
}

/** A body that GitHub does not refuse for its length. */
export function bodyFor(text: string): string {
  return cut(text, BODY);
}

/** A title that GitHub does not refuse for its length. */
export function titleFor(text: string): string {
  return cut(text.replace(/\s+/g, ' ').trim(), TITLE);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
