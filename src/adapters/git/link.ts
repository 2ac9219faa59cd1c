// The `.git` file by which a worktree finds its repository. An agent can remove it or point it elsewhere; choo's own commands
// do not follow it, but those of agents and checks do.

import { lstat, realpath, rename, writeFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { GitError } from '../../world.ts';
import { isMissing } from '../errno.ts';
import { smallFile } from '../small-file.ts';
import { placeOf } from './repository.ts';
import type { Repository } from './repository.ts';

/** A larger one is not git's, bytes. */
const LARGEST = 8192;

/** Puts back the `.git` file of a worktree when it is not what git made. What stood there is moved beside the worktree. Undefined when it was intact; else where the old one is, or that there was none. */
export async function repairLink(repo: Repository, worktree: string): Promise<{ readonly aside: string | undefined } | undefined> {
  const { gitDir = '' } = await placeOf(repo, worktree);
  if (gitDir === repo.commonDir) throw new GitError(`git -C ${worktree}`, 'it is the main worktree, whose .git is the repository');
  const path = join(worktree, '.git');
  const found = await whereTo(path, worktree);
  if (found !== 'nothing' && found === await realpath(gitDir)) return undefined;
  let aside: string | undefined;
  if (found !== 'nothing') {
    for (let n = 1; aside === undefined; n += 1) {
      const free = `${worktree}.git-left-${n}`;
      if (await lstat(free).then(() => false, isMissing)) aside = free;
    }
    await rename(path, aside);
  }
  await writeFile(path, `gitdir: ${gitDir}\n`, { flag: 'wx' });
  return { aside };
}

/** The real path a `.git` file names; '' for anything that is no such file. */
async function whereTo(path: string, worktree: string): Promise<string> {
  const file = smallFile(path, { most: LARGEST, links: 'odd' });
  if (file === 'missing') return 'nothing';
  const [, named] = file === 'odd' ? [] : /^gitdir: (.+)\n?$/.exec(file.content.toString('utf8')) ?? [];
  if (named === undefined) return '';
  return realpath(isAbsolute(named) ? named : resolve(worktree, named)).catch(() => '');
}
