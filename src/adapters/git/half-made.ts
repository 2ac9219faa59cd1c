// Worktrees whose registration was cut in the making, by a machine that stopped: git itself can then neither list nor remove them.
// Only what git had made by itself is ever removed here; a folder with anything else in it is left alone.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn, textOf } from './repository.ts';

/** What `git worktree add` writes into `locked` while it works, and removes at its end. */
const INITIALIZING = 'initializing';
/** All that it makes before that. */
const MADE = new Set(['locked', 'gitdir', 'HEAD', 'commondir', 'refs', 'ORIG_HEAD', 'logs', 'config.worktree']);

/** True for a linked git directory that `git worktree add` began and did not finish. Only when none is at work there. */
export async function isHalfMade(gitDir: string): Promise<boolean> {
  return (await textOf(join(gitDir, 'locked')))?.trim() === INITIALIZING && (await namesIn(gitDir)).every((name) => MADE.has(name));
}

/** Removes registrations for which every git command here fails: begun, and not far enough to say where the repository is. True when there was one. */
export async function removeUnreadable(commonDir: string): Promise<boolean> {
  let found = false;
  const all = join(commonDir, 'worktrees');
  for (const name of await namesIn(all)) {
    const gitDir = join(all, name);
    if (((await textOf(join(gitDir, 'commondir'))) ?? '').trim() !== '' || !(await isHalfMade(gitDir))) continue;
    await rm(gitDir, { recursive: true, force: true });
    found = true;
  }
  return found;
}
