// Reads a pull request with all its lists to the end. A list that is too long is an error: half of what was said must not look like all of it.

import { BOUNDS } from '../../core/limits.ts';
import { unreadable, type Client } from './client.ts';
import { GitHubError } from './errors.ts';
import {
  CHECKS_PAGE, listQuery, PULL, THREAD_PAGE,
  type ChecksAnswer, type ListAnswer, type Page, type PullAnswer, type RawCheck, type RawComment, type RawLists, type RawPull, type RawReaction, type RawReview, type RawThread, type ThreadAnswer,
} from './queries.ts';

/** A conversation with all its comments. */
export type WholeThread = Omit<RawThread, 'comments'> & { readonly comments: readonly RawComment[] };

/** Everything that GitHub tells of a pull request. */
export interface Raw {
  readonly pull: RawPull;
  /** When the newest commit was made; undefined: that commit is not known yet. */
  readonly committedAt: string | undefined;
  /** What GitHub says of all checks together; undefined: there are none. */
  readonly rollup: string | undefined;
  readonly checks: readonly RawCheck[];
  readonly reviews: readonly RawReview[];
  readonly threads: readonly WholeThread[];
  readonly comments: readonly RawComment[];
  readonly reactions: readonly RawReaction[];
}

/** Who asks for which pull request. */
export interface Reading { readonly client: Client; readonly number: number; readonly signal: AbortSignal | undefined }

/** What is said when there is no pull request of that number. */
export function missing(number: number): GitHubError {
  return new GitHubError({ reason: 'refused', status: 404, message: `GitHub has no pull request ${number} here` });
}

/** Reads it all. Begins again when the pull request gets another head meanwhile. */
export async function readRaw(reading: Reading): Promise<Raw> {
  for (let tried = 1; ; tried += 1) {
    const raw = await readOnce(reading);
    if (raw !== undefined) return raw;
    if (tried >= 5) throw new GitHubError({ reason: 'unreachable', status: 200, message: `pull request ${reading.number} changes faster than it can be read` });
  }
}

/** All conversations of a pull request, and nothing else. */
export async function readThreads(reading: Reading): Promise<readonly WholeThread[]> {
  const first = await listPage(reading, 'reviewThreads', null);
  return wholeThreads(reading, await rest(first.page, { name: 'reviewThreads', next: async (after) => (await listPage(reading, 'reviewThreads', after)).page }));
}

async function readOnce(reading: Reading): Promise<Raw | undefined> {
  const { client, number, signal } = reading;
  const answer = await client.query<PullAnswer>({ signal }, { text: PULL, variables: variables(reading) });
  const pull = answer.repository?.pullRequest;
  if (pull === undefined || pull === null) throw missing(number);
  const heads = new Set([pull.headRefOid]);
  const whole = <L extends keyof RawLists>(name: L): Promise<readonly RawLists[L][]> => rest(pull[name] as Page<RawLists[L]>, {
    name,
    next: async (after) => {
      const { head, page } = await listPage(reading, name, after);
      heads.add(head);
      return page;
    },
  });
  const commit = present(pull.commits.nodes).at(-1)?.commit;
  const reviews = await whole('reviews');
  const threads = await wholeThreads(reading, await whole('reviewThreads'));
  const comments = await whole('comments');
  const reactions = await whole('reactions');
  const rollup = commit?.statusCheckRollup;
  const checks = rollup === undefined || rollup === null ? [] : await rest(rollup.contexts, { name: 'checks', next: async (after) => {
    const { oid, page } = await checksPage(reading, after);
    if (oid !== commit?.oid) heads.add(oid);
    return page;
  } });
  if (heads.size > 1) return undefined;
  const { commits: _, reviews: _r, reviewThreads: _t, comments: _c, reactions: _e, ...itself } = pull;
  const known = commit?.oid === pull.headRefOid;
  return {
    pull: itself, reviews, threads, comments, reactions,
    // GitHub knows the head a moment before the commit: until then nothing is known of its checks.
    committedAt: known ? commit.committedDate : undefined,
    rollup: known ? rollup?.state : 'PENDING',
    checks: known ? checks : [],
  };
}

async function wholeThreads(reading: Reading, threads: readonly RawThread[]): Promise<readonly WholeThread[]> {
  const whole: WholeThread[] = [];
  for (const thread of threads) {
    const comments = await rest(thread.comments, { name: 'comments of a thread', next: async (after) => {
      const answer = await reading.client.query<ThreadAnswer>({ signal: reading.signal }, { text: THREAD_PAGE, variables: { id: thread.id, after } });
      return answer.node?.comments ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
    } });
    whole.push({ ...thread, comments });
  }
  return whole;
}

async function listPage<L extends keyof RawLists>(reading: Reading, name: L, after: string | null): Promise<{ readonly head: string; readonly page: Page<RawLists[L]> }> {
  const answer = await reading.client.query<ListAnswer<L>>({ signal: reading.signal }, { text: listQuery(name), variables: { ...variables(reading), after } });
  const pull = answer.repository?.pullRequest;
  if (pull === undefined || pull === null) throw missing(reading.number);
  return { head: pull.headRefOid, page: pull[name] as Page<RawLists[L]> };
}

async function checksPage(reading: Reading, after: string): Promise<{ readonly oid: string; readonly page: Page<RawCheck> }> {
  const answer = await reading.client.query<ChecksAnswer>({ signal: reading.signal }, { text: CHECKS_PAGE, variables: { ...variables(reading), after } });
  const commit = present(answer.repository?.pullRequest?.commits.nodes ?? []).at(-1)?.commit;
  if (commit === undefined) throw missing(reading.number);
  return { oid: commit.oid, page: commit.statusCheckRollup?.contexts ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } };
}

function variables({ client, number }: Reading): Readonly<Record<string, unknown>> {
  return { owner: client.place.owner, name: client.place.repo, number };
}

async function rest<T>(first: Page<T>, o: { readonly name: string; readonly next: (after: string) => Promise<Page<T>> }): Promise<readonly T[]> {
  const all = [...present(first.nodes)];
  let page = first;
  for (let pages = 1; page.pageInfo.hasNextPage; pages += 1) {
    if (pages >= BOUNDS.forgePages) throw new GitHubError({ reason: 'refused', status: 200, message: `the pull request has more ${o.name} than choo reads (${BOUNDS.forgePages} pages)` });
    const { endCursor } = page.pageInfo;
    if (endCursor === null) throw unreadable();
    page = await o.next(endCursor);
    all.push(...present(page.nodes));
  }
  return all;
}

function present<T>(nodes: readonly (T | null)[] | null): readonly T[] {
  return (nodes ?? []).filter((node) => node !== null);
}
