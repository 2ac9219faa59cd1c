// How a worktree becomes a folder of the pool: its index was copied before anybody worked in it, its registration goes, its files stay.

import { mkdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failpoint } from '../../failpoint.ts';
import { GitError } from '../../world.ts';
import { copyIndex, countOf, isPlain } from './index-copy.ts';
import { placeOf, registrationPath, whatStands } from './repository.ts';
import type { Repository } from './repository.ts';
import { unregister } from './worktrees.ts';

/**
 * Copies the index of a worktree, which choo has just checked out, out of an agent's reach. False, with nothing copied, when it has
 * fewer than `least` paths or something that a folder without a worktree could not be proved clean of (submodules, flags, a split or sparse index).
 */
export async function keepIndex(repo: Repository, o: { readonly worktree: string; readonly to: string; readonly least: number }): Promise<boolean> {
  const settings = await repo.settings.read();
  if (!settings.ordinary) return false;
  const { gitDir = '' } = await placeOf(repo, o.worktree);
  const index = join(gitDir, 'index');
  if (countOf(index) < Math.max(1, o.least) || !isPlain(index, settings.idBytes)) return false;
  mkdirSync(dirname(o.to), { recursive: true });
  copyIndex(index, o.to);
  return true;
}

/** Takes a worktree's registration away and moves its folder, which then is one like any other; gives everything back when that cannot be. Nothing may stand at `to`. */
export async function retireWorktree(repo: Repository, o: { readonly worktree: string; readonly to: string }): Promise<void> {
  const real = await registrationPath(o.worktree);
  if (real === undefined || (await whatStands(repo, real)) !== 'worktree') throw new GitError(`git worktree remove ${o.worktree}`, 'it is missing');
  await registrationPath(o.to);
  mkdirSync(dirname(o.to), { recursive: true });
  await rename(real, o.to);
  try {
    await repo.registering(() => unregister(repo, { path: real, folder: o.to }));
  } catch (error) {
    await rename(o.to, real);
    throw error;
  }
  failpoint('folder-pooled');
  // An agent may have made a folder of it.
  await rm(join(o.to, '.git'), { recursive: true, force: true });
}
