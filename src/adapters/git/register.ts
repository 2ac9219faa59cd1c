// Registers a worktree and takes it out again by the files that make a registration (gitrepository-layout(5)), in the order in which
// git writes them. For repositories without extensions only; moves no ref and touches no file of a checkout.

import { lstatSync, mkdirSync, renameSync, rmSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf, isMissing } from '../errno.ts';
import { copyIndex } from './index-copy.ts';

/** A registration to make. `head` is what the file HEAD shall hold: an id, or `ref: <branch>`. */
export interface NewRegistration {
  readonly commonDir: string;
  /** Where the worktree shall be; its parent exists and has no symbolic link in it. */
  readonly path: string;
  readonly head: string;
  /** What it is made of, when that is there already. */
  readonly filled?: Filled | undefined;
}

/** A folder with a commit's files, on the same file system as the worktree is to be, and the index that says so. */
export interface Filled {
  readonly folder: string;
  readonly index: string;
}

/** While this file is there git neither prunes nor removes a worktree. */
const LOCK = 'locked';
/** What git, too, writes into it until a worktree is made. */
const MAKING = 'initializing';
const MOST_NAMES = 1000;

/** Makes the registration, then the folder with its `.git` file; gives back the git directory. Throws, with everything undone, when the disk refuses or the folder is there. */
export function makeRegistration(o: NewRegistration): string {
  if (o.filled !== undefined) return registerFilled(o, o.filled);
  const gitDir = claimName(o);
  let folder = false;
  try {
    writeFileSync(join(gitDir, LOCK), MAKING, { flag: 'wx' });
    writeFileSync(join(gitDir, 'commondir'), '../..\n');
    writeFileSync(join(gitDir, 'HEAD'), `${o.head}\n`);
    // From here on it counts, and is whole.
    writeFileSync(join(gitDir, 'gitdir'), `${o.path}/.git\n`);
    mkdirSync(o.path);
    folder = true;
    writeFileSync(join(o.path, '.git'), `gitdir: ${gitDir}\n`, { flag: 'wx' });
    unlinkSync(join(gitDir, LOCK));
    return gitDir;
  } catch (error) {
    rmSync(gitDir, { recursive: true, force: true });
    if (folder) rmSync(o.path, { recursive: true, force: true });
    throw error;
  }
}

/** The same for a folder that is there, and moved into its place last: cut before that it is registered nowhere, cut after that it is complete. */
function registerFilled(o: NewRegistration, { folder, index }: Filled): string {
  const gitDir = claimName(o);
  try {
    writeFileSync(join(gitDir, LOCK), MAKING, { flag: 'wx' });
    writeFileSync(join(gitDir, 'commondir'), '../..\n');
    writeFileSync(join(gitDir, 'HEAD'), `${o.head}\n`);
    copyIndex(index, join(gitDir, 'index'));
    writeFileSync(join(folder, '.git'), `gitdir: ${gitDir}\n`, { flag: 'wx' });
    writeFileSync(join(gitDir, 'gitdir'), `${o.path}/.git\n`);
    unlinkSync(join(gitDir, LOCK));
    // An empty folder that stands there would be replaced.
    if (lstatSync(o.path, { throwIfNoEntry: false }) !== undefined) throw Object.assign(new Error(`${o.path} exists`), { code: 'EEXIST' });
    renameSync(folder, o.path);
    return gitDir;
  } catch (error) {
    rmSync(gitDir, { recursive: true, force: true });
    rmSync(join(folder, '.git'), { force: true });
    throw error;
  }
}

/** Takes a name below `worktrees/` for itself: that of the folder, or the first free one with a number. */
function claimName(o: NewRegistration): string {
  const all = join(o.commonDir, 'worktrees');
  const name = basename(o.path);
  for (let n = 0; ; n += 1) {
    const gitDir = join(all, n === 0 ? name : `${name}${n}`);
    try {
      // Again with every try: git removes the folder when its last worktree goes.
      mkdirSync(all, { recursive: true });
      mkdirSync(gitDir);
      return gitDir;
    } catch (error) {
      if (n === MOST_NAMES || (errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'ENOENT')) throw error;
    }
  }
}

/** Takes a registration out, whatever it is; the caller has made sure that it may go. */
export function dropRegistration(gitDir: string): void {
  rmSync(gitDir, { recursive: true, force: true });
  try {
    rmdirSync(dirname(gitDir));
  } catch (error) {
    // Others are still in it.
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST' && !isMissing(error)) throw error;
  }
}

/** True while a worktree is locked: by a person, or because it was never finished. */
export function isLocked(gitDir: string): boolean {
  return lstatSync(join(gitDir, LOCK), { throwIfNoEntry: false }) !== undefined;
}
