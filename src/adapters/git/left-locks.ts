// Lock files that a killed git left where people work, too: on the target and in the checkout that has it. Removed only when it is
// certain that nobody holds them any more.

import { readFileSync, readlinkSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../errno.ts';
import { environmentOf, listProcesses, readProcess } from '../process-table.ts';
import { checkRef } from './names.ts';
import { checkoutOf } from './repository.ts';
import type { Repository } from './repository.ts';
import { ownerVariable } from './stragglers.ts';
import { listWorktrees } from './worktrees.ts';

/** A lock younger than this may be of a program that is no `git` and holds it for a moment, ms. */
const SETTLED = 1000;
const OF_A_CHECKOUT = ['index.lock', 'HEAD.lock', 'ORIG_HEAD.lock'];

/** Removes what is left on these branches (full refs) and in the checkouts that have them; gives back the paths. Does nothing while a git of anybody is at work there, and where processes cannot be seen (outside Linux). */
export async function releaseLeftLocks(repo: Repository, refs: readonly string[]): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const users = (await listWorktrees(repo)).filter((w) => w.branch !== undefined && refs.includes(w.branch) && !w.bare && !w.prunable);
  const gitDirs = await Promise.all(users.map(async (w) => (await checkoutOf(repo, w.path)).gitDir ?? repo.commonDir));
  const locks = [...refs.map((ref) => join(repo.commonDir, `${checkRef(ref)}.lock`)), ...gitDirs.flatMap((dir) => OF_A_CHECKOUT.map((name) => join(dir, name)))];
  const removed: string[] = [];
  for (const lock of locks) {
    if (!(await isSettled(repo, lock)) || (await isGitAtWork([repo.commonDir, ...gitDirs, ...users.map((w) => w.path)]))) continue;
    await rm(lock, { force: true });
    removed.push(lock);
  }
  return removed;
}

/** True for a lock that stands there unchanged for a while. */
async function isSettled(repo: Repository, lock: string): Promise<boolean> {
  const first = await made(lock);
  if (first === undefined) return false;
  const left = SETTLED - (Date.now() - first);
  if (left > 0) await repo.git.sleep(Math.min(left, SETTLED));
  return (await made(lock)) === first;
}

async function made(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a git that is not one of our own helpers works in one of the folders, or cannot be looked at. */
async function isGitAtWork(folders: readonly string[]): Promise<boolean> {
  const ours = Object.values(ownerVariable())[0];
  const within = (path: string): boolean => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  for (const { pid, zombie } of await listProcesses()) {
    if (zombie || !nameOf(pid).startsWith('git')) continue;
    const cwd = folderOf(pid);
    if (cwd !== undefined && !within(cwd)) continue;
    const owner = environmentOf(pid, 'CHOO_GIT');
    if (owner !== 'unreadable' && owner.value === ours) continue;
    // One that ended while it was looked at is at work nowhere.
    const still = readProcess(pid);
    if (still !== undefined && !still.zombie) return true;
  }
  return false;
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}

function folderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Ended, or somebody else's: the caller takes that for the worst.
    return undefined;
  }
}
