// Moves tracked paths within a worktree. Overwrites nothing and writes through no link.

import { lstat, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GitError } from '../../world.ts';
import { isMissing } from '../errno.ts';
import { checkPath } from './names.ts';
import { checkoutOf, exists } from './repository.ts';
import type { Repository } from './repository.ts';

/** `git mv`, with the folders above the target made. Throws GitError when something is at the target or a link is on the way to it. */
export async function movePath(repo: Repository, o: { readonly worktree: string; readonly from: string; readonly to: string }): Promise<void> {
  const [from, to] = [checkPath('git mv', o.from), checkPath('git mv', o.to)];
  // With a folder at its target, git would move into it.
  if (await exists(join(o.worktree, to))) throw new GitError(`git mv ${from} ${to}`, `${to} exists already`);
  await makeFolders(o.worktree, dirname(to).split('/'));
  await repo.git.run({ at: await checkoutOf(repo, o.worktree), args: ['mv', '--', from, to] });
}

async function makeFolders(top: string, parts: readonly string[]): Promise<void> {
  let folder = top;
  for (const part of parts) {
    folder = join(folder, part);
    const facts = await lstat(folder).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (facts === undefined) await mkdir(folder);
    else if (!facts.isDirectory()) throw new GitError('git mv', `${folder} is no folder`);
  }
}
