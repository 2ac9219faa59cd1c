// The status of a worktree: by a look of our own, or one `git status` and what it says. Takes no lock and changes nothing.

import { GitError } from '../../world.ts';
import type { Place } from './exec.ts';
import type { DetailedEntry, DetailedStatus } from './memory.ts';
import { pathText, splitNul } from './names.ts';
import { look, memoryOf } from './look.ts';
import { exists, isBare, placeOf } from './repository.ts';
import type { Repository } from './repository.ts';

const ARGS = ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=all', '--ignore-submodules=none', '--no-renames', '--no-ahead-behind'];

/** HEAD (all zeros before the first commit), branch and every path that differs or is untracked; by a look of our own where that can tell. */
export async function status(repo: Repository, worktree: string): Promise<DetailedStatus> {
  try {
    return await statusAt(repo, await placeOf(repo, worktree));
  } catch (error) {
    // One that was cut in the making has no commit yet, and nothing in it.
    if (error instanceof GitError && (await exists(worktree)) && (await isBare(worktree))) return { head: '0'.repeat(40), branch: undefined, entries: [] };
    throw error;
  }
}

/** The same of any checkout. */
export async function statusAt(repo: Repository, at: Place): Promise<DetailedStatus> {
  const memory = memoryOf(repo, at);
  const looked = await look(repo, { at, memory, settings: await repo.settings.read() });
  if ('status' in looked) return looked.status;
  // With the ignored ones by name the next look knows them.
  const { stdout } = await repo.git.run({ at, args: [...ARGS, `--ignored=${looked.rules === undefined ? 'no' : 'matching'}`] });
  const records = splitNul(stdout).map(pathText);
  if (looked.rules !== undefined) memory.ignored = { rules: looked.rules, paths: new Set(records.filter((r) => r.startsWith('! ')).map((r) => r.slice(2))) };
  return parseStatus(records);
}

/** Reads `git status --porcelain=v2 --branch -z --no-renames`. */
function parseStatus(records: readonly string[]): DetailedStatus {
  let head = '';
  let branch: string | undefined;
  const entries: DetailedEntry[] = [];
  for (const record of records) {
    if (record.startsWith('# branch.oid ')) head = record.slice(13);
    else if (record.startsWith('# branch.head ')) branch = fullBranch(record.slice(14));
    else if (!record.startsWith('#') && !record.startsWith('! ')) entries.push(entryOf(record));
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
