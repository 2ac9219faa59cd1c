// Flags in an index under which git believes a file without looking: assume-unchanged and skip-worktree. An agent can set them, and
// what it changes then would be neither committed nor kept. Taken off here; what a sparse checkout of the user's leaves out stays so.

import { join } from 'node:path';
import { isPlain } from './index-copy.ts';
import { kindOf } from './index-files.ts';
import { joinPaths, pathText, splitNul } from './names.ts';
import { askIn, exists, placeOf } from './repository.ts';
import type { Repository } from './repository.ts';

/** Takes both flags off in the worktree's index, or in one that `env` names; true when there was one. */
export async function clearFlags(repo: Repository, o: { readonly worktree: string; readonly env?: { readonly GIT_INDEX_FILE: string } }): Promise<boolean> {
  const { worktree, env = {} } = o;
  const { gitDir = '' } = await placeOf(repo, worktree);
  const index = o.env?.GIT_INDEX_FILE ?? join(gitDir, 'index');
  if (!(await exists(index)) || isPlain(index, (await repo.settings.read()).idBytes)) return false;
  const { stdout } = await askIn(repo, worktree, { args: ['ls-files', '-v', '-z'], env });
  // `h path`: assume-unchanged; `S path`: skip-worktree; `s path`: both.
  const records = splitNul(stdout).map((record) => ({ tag: String.fromCharCode(record[0] ?? 0), path: pathText(record.subarray(2)) }));
  const assumed = records.filter(({ tag }) => /[a-z]/.test(tag)).map(({ path }) => path);
  const skipped = records.filter(({ tag }) => tag.toUpperCase() === 'S').map(({ path }) => path);
  const left = skipped.length > 0 && (await isSparse(repo, worktree)) ? await thatAreThere(worktree, skipped) : skipped;
  if (assumed.length > 0) await askIn(repo, worktree, { args: ['update-index', '--no-assume-unchanged', '-z', '--stdin'], input: joinPaths(assumed), env });
  if (left.length > 0) await askIn(repo, worktree, { args: ['update-index', '--no-skip-worktree', '-z', '--stdin'], input: joinPaths(left), env });
  return assumed.length + left.length > 0;
}

async function isSparse(repo: Repository, worktree: string): Promise<boolean> {
  const { stdout } = await askIn(repo, worktree, { args: ['config', '--type=bool', '--get', 'core.sparseCheckout'], accept: [0, 1] });
  return stdout.toString('utf8').trim() === 'true';
}

/** A file that is there was not left out. Behind a link is none, and so it is with one that was replaced by a folder. */
async function thatAreThere(worktree: string, paths: readonly string[]): Promise<string[]> {
  const kinds = await Promise.all(paths.map((path) => kindOf(worktree, path)));
  return paths.filter((_, n) => kinds[n] !== 'missing');
}
