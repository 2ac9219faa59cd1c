// Registers, lists and removes worktrees. Never forces and never touches a worktree it was not asked about.

import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GitError, PathTaken } from '../../world.ts';
import { failpoint } from '../../failpoint.ts';
import { errnoOf, isMissing } from '../errno.ts';
import { isHalfMade } from './half-made.ts';
import { checkId, checkRef, isRef, pathText, splitNul } from './names.ts';
import { bringFolder } from './pooled-folder.ts';
import { moveRef } from './refs.ts';
import { dropRegistration, isLocked, makeRegistration } from './register.ts';
import type { Filled } from './register.ts';
import { ask, askIn, exists, gitDirOf, isBare, namesIn, registrationPath } from './repository.ts';
import type { Repository } from './repository.ts';

/** A worktree as git lists it. */
export interface ListedWorktree {
  readonly path: string;
  /** Undefined for a bare entry and before the first commit. */
  readonly head: string | undefined;
  /** Full ref that HEAD points to in the end. */
  readonly branch: string | undefined;
  readonly bare: boolean;
  /** Its folder is gone and it is not locked. */
  readonly prunable: boolean;
}

/** All worktrees, the main one first. */
export async function listWorktrees(repo: Repository): Promise<readonly ListedWorktree[]> {
  const { stdout } = await ask(repo, { args: ['worktree', 'list', '--porcelain', '-z'] });
  return parseWorktrees(stdout);
}

/** Reads `git worktree list --porcelain -z`: fields end in NUL, an empty field ends a worktree. */
export function parseWorktrees(output: Buffer): readonly ListedWorktree[] {
  const groups: string[][] = [[]];
  for (const field of splitNul(output).map(pathText)) {
    if (field === '') groups.push([]);
    else groups.at(-1)?.push(field);
  }
  return groups.filter((fields) => fields.length > 0).map((fields) => {
    const value = (key: string): string | undefined => fields.find((f) => f.startsWith(`${key} `))?.slice(key.length + 1);
    const has = (key: string): boolean => fields.includes(key) || value(key) !== undefined;
    const head = value('HEAD');
    return {
      path: value('worktree') ?? '',
      head: head === undefined || /^0+$/.test(head) ? undefined : head,
      branch: value('branch'),
      bare: has('bare'),
      prunable: has('prunable'),
    };
  });
}

/**
 * Makes a worktree at a commit. Registrations are made one at a time (git trips over its own feet otherwise); files are checked out beside each other.
 * With `filled` it is made of a folder that has the files of `from`; its place is empty when it worked.
 */
export async function addWorktree(repo: Repository, o: { readonly path: string; readonly commit: string; readonly branch?: string; readonly filled?: Filled & { readonly from: string } }): Promise<void> {
  const commit = checkId(o.commit);
  const branch = o.branch === undefined ? undefined : checkRef(o.branch);
  if (o.filled !== undefined) await bringFolder(repo, { ...o.filled, commit });
  await repo.registering(() => register(repo, { path: o.path, commit, branch, filled: o.filled }));
  if (o.filled !== undefined) {
    failpoint('folder-taken');
    return;
  }
  failpoint('worktree-registered');
  await askIn(repo, o.path, { args: ['read-tree', '--reset', '-u', '--no-recurse-submodules', '--end-of-options', commit] });
  failpoint('worktree-filled');
}

interface Registration { readonly path: string; readonly commit: string; readonly branch: string | undefined; readonly filled: Filled | undefined }

async function register(repo: Repository, o: Registration): Promise<void> {
  const { path, commit, branch } = o;
  const command = `git worktree add ${path}`;
  if (await exists(path)) throw new PathTaken(command, path);
  if (branch !== undefined && !branch.startsWith('refs/heads/')) throw new GitError(command, `${branch} is not a branch`);
  // The branch is made first and by us, in a transaction with the proof that the fence is still ours.
  if (branch !== undefined && !(await moveRef(repo, { ref: branch, to: commit, from: undefined, reason: 'choo: prepare' }))) throw new GitError(command, `${branch} exists already`);
  const what = branch === undefined ? ['--detach', '--', path, commit] : ['--', path, branch.slice('refs/heads/'.length)];
  try {
    if (await registerQuickly(repo, o)) return;
    if (o.filled !== undefined) throw new GitError(command, `it cannot be made of the folder ${o.filled.folder}`);
    await ask(repo, { args: ['worktree', 'add', '-q', '--no-checkout', ...what] });
  } catch (error) {
    // Left behind, it would stand in the way of the next try.
    if (branch !== undefined) await moveRef(repo, { ref: branch, to: undefined, from: commit, reason: 'choo: undo' });
    const real = await registrationPath(path);
    if (real !== undefined && (await gitDirOf(repo, real)) !== undefined) throw new PathTaken(command, path);
    throw error;
  }
}

/** Without a process; false, with nothing changed, when git has to do it or say why not. */
async function registerQuickly(repo: Repository, o: Registration): Promise<boolean> {
  if (!(await repo.settings.read()).ordinary || !(await repo.objects.info(`${o.commit}^{commit}`))) return false;
  const path = await madeParent(o.path);
  // git knows what a registration without its folder means, and what may be a name.
  if (path === undefined || !/^[\w.+@=-]+$/.test(basename(path)) || !isRef(`refs/heads/${basename(path)}`)) return false;
  const before = await gitDirOf(repo, path);
  if (before !== undefined && !(await isHalfMade(before))) return false;
  if (before !== undefined) dropRegistration(before);
  try {
    repo.gitDirs.set(path, makeRegistration({ commonDir: repo.commonDir, path, head: o.branch === undefined ? o.commit : `ref: ${o.branch}`, filled: o.filled }));
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

/** Makes the folders above a path; gives the path as git registers it, or undefined when that cannot be. */
async function madeParent(path: string): Promise<string | undefined> {
  try {
    // Asked before: through a link folders would be made elsewhere.
    await registrationPath(path);
    await mkdir(dirname(path), { recursive: true });
    return await registrationPath(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Removes a worktree: out of the way first, then its registration (only its own), then the files.
 * What an earlier, cut removal left is swept up. A locked worktree and a folder that is no worktree of this repository are left alone with a GitError.
 */
export async function removeWorktree(repo: Repository, path: string): Promise<void> {
  const real = await registrationPath(path);
  if (real === undefined) return;
  const aside = join(dirname(real), `${removedPrefix(real)}${randomBytes(6).toString('hex')}`);
  const moved = await moveAside(real, aside);
  if (moved) failpoint('worktree-aside');
  try {
    await repo.registering(() => unregister(repo, { path: real, folder: moved ? aside : undefined }));
  } catch (error) {
    if (moved) await rename(aside, real);
    throw error;
  }
  if (moved) failpoint('worktree-unregistered');
  for (const name of await namesIn(dirname(real))) {
    if (name.startsWith(removedPrefix(real))) await removeTree(repo, join(dirname(real), name));
  }
}

/** Moves whatever stands at a worktree's place beside it and takes out its registration; gives back the new place. For what git cannot read, or does not know. */
export async function setWorktreeAside(repo: Repository, path: string): Promise<string> {
  const real = await registrationPath(path);
  if (real === undefined) throw new GitError(`git worktree move ${path}`, 'it is missing');
  let aside = `${real}.broken-1`;
  for (let n = 2; await exists(aside); n += 1) aside = `${real}.broken-${n}`;
  await repo.registering(async () => {
    const registered = (await gitDirOf(repo, real)) !== undefined;
    await rename(real, aside);
    if (registered) await unregister(repo, { path: real, folder: aside });
  });
  return aside;
}

/** Takes out the registration of a worktree whose folder was moved. Throws GitError, with nothing changed, for one that is locked or none of this repository. */
export async function unregister(repo: Repository, o: { readonly path: string; /** Where its folder is now; undefined when there was none. */ readonly folder: string | undefined }): Promise<void> {
  if (o.path === repo.mainRoot) throw new GitError(`git worktree remove ${o.path}`, 'it is the main worktree');
  const gitDir = await gitDirOf(repo, o.path);
  const nothing = o.folder === undefined || (await isBare(o.folder));
  if (gitDir === undefined) {
    if (nothing) return;
    throw new GitError(`git worktree remove ${o.path}`, `it is not a worktree of ${repo.commonDir}`);
  }
  // git refuses while it believes that the worktree is still being made.
  const mayGo = isLocked(gitDir) ? nothing && (await isHalfMade(gitDir)) : (await repo.settings.read()).ordinary;
  if (mayGo) dropRegistration(gitDir);
  else await ask(repo, { args: ['worktree', 'remove', '--', o.path] });
  repo.gitDirs.delete(o.path);
  repo.looks.delete(gitDir);
}

function removedPrefix(path: string): string {
  return `.${basename(path)}.removed-`;
}

async function moveAside(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Deletes a tree, also one with folders made read-only (module caches are). */
async function removeTree(repo: Repository, path: string): Promise<void> {
  // One `rm` costs less than thousands of turns of our own loop.
  if (await repo.git.removeTree(path)) return;
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** Lets the owner into a folder and every one below it, so that it can be removed; follows no link. */
export async function makeWritable(folder: string): Promise<void> {
  if (!(await lstat(folder)).isDirectory()) return;
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}
