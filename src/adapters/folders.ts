// Sizes and removal of whole folders. Follows no link.

import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from './errno.ts';
import { makeWritable } from './git/worktrees.ts';
import { strayLink } from './stray.ts';

/** Bytes that a folder (or file) takes on disk, as far as it can be read; 0 when it is missing. */
export async function folderSize(path: string): Promise<number> {
  let bytes = 0;
  const queue = [path];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const facts = await unlessGone(lstat(at));
    bytes += (facts?.blocks ?? 0) * 512;
    if (facts?.isDirectory() !== true) continue;
    for (const name of await unlessGone(readdir(at)) ?? []) queue.push(join(at, name));
  }
  return bytes;
}

/** Removes a folder with all in it, read-only folders too; a link goes, what it leads to stays, also where one stands in the path. */
export async function removeFolder(path: string): Promise<void> {
  if (strayLink(dirname(path)) !== undefined) return;
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** The same for a path below `top`, also where folders on the way there are read-only; that none of them is a link the caller has made sure of. */
export async function removeBelow(top: string, path: string): Promise<void> {
  const parents = path.split('/').slice(0, -1);
  for (const [n] of parents.entries()) await chmod(join(top, ...parents.slice(0, n + 1)), 0o700);
  await removeFolder(join(top, path));
}

/** What cannot be looked at is not counted. */
async function unlessGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
