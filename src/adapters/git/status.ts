// One `git status` and what it says. Takes no lock and changes nothing.

import type { StatusEntry, WorktreeStatus } from '../../world.ts';
import { pathText, splitNul } from './names.ts';
import { askIn } from './repository.ts';
import type { Repository } from './repository.ts';

/** A status entry with git's own words about it (state letters, modes, ids), which change when the index does. */
export interface DetailedEntry extends StatusEntry {
  readonly code: string;
}

/** What `git status` tells, with details. */
export interface DetailedStatus extends WorktreeStatus {
  readonly entries: readonly DetailedEntry[];
}

const ARGS = ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=all', '--ignored=no', '--ignore-submodules=none', '--no-renames', '--no-ahead-behind'];

/** HEAD (all zeros before the first commit), branch and every path that differs or is untracked. */
export async function status(repo: Repository, worktree: string): Promise<DetailedStatus> {
  const { stdout } = await askIn(repo, worktree, { args: ARGS });
  return parseStatus(stdout);
}

/** Reads `git status --porcelain=v2 --branch -z --no-renames`. */
function parseStatus(output: Buffer): DetailedStatus {
  let head = '';
  let branch: string | undefined;
  const entries: DetailedEntry[] = [];
  for (const bytes of splitNul(output)) {
    const record = pathText(bytes);
    if (record.startsWith('# branch.oid ')) head = record.slice(13);
    else if (record.startsWith('# branch.head ')) branch = fullBranch(record.slice(14));
    else if (!record.startsWith('#')) entries.push(entryOf(record));
  }
  // Before the first commit git says `(initial)` instead of an id; its length is then not known.
  return { head: head.startsWith('(') ? '0'.repeat(40) : head, branch, entries };
}

function fullBranch(shown: string): string | undefined {
  if (shown === '(detached)') return undefined;
  return shown.startsWith('refs/') ? shown : `refs/heads/${shown}`;
}

function entryOf(record: string): DetailedEntry {
  if (record.startsWith('? ')) return { path: record.slice(2), kind: 'untracked', staged: false, unstaged: true, newLink: false, code: '?' };
  // `1 XY sub mH mI mW hH hI path` and `u XY sub m1 m2 m3 mW h1 h2 h3 path`
  const unmerged = record.startsWith('u ');
  const at = nthSpace(record, unmerged ? 10 : 8);
  const code = record.slice(0, at);
  return { path: record.slice(at + 1), kind: unmerged ? 'unmerged' : 'tracked', staged: unmerged || code[2] !== '.', unstaged: unmerged || code[3] !== '.', newLink: !unmerged && / (?!160000)\d{6} (160000 \d{6}|\d{6} 160000) /.test(code), code };
}

function nthSpace(text: string, n: number): number {
  let at = -1;
  for (let left = n; left > 0; left -= 1) at = text.indexOf(' ', at + 1);
  return at;
}
