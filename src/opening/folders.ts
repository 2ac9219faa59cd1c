// Makes the folder for worktrees before anything needs it, or says why it cannot be made.

import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { refuse } from './refusal.ts';

/** Makes the folder. Throws a Refusal when it cannot be. */
export async function canMake(folder: string): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw refuse('not-writable', `the worktrees' folder ${folder} cannot be made: ${error.message}`, 'set worktree.base_path in .choo.yaml (or CHOO_WORKTREE_BASE) to a folder you can write');
    throw error;
  }
}

/** Folder by folder: Node's own `recursive` never returns where a file system has folders that cannot be made, such as /proc. */
async function makeFolders(folder: string): Promise<void> {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  await makeFolders(dirname(folder));
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    // Another choo has made it meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST' && statSync(folder).isDirectory())) throw error;
  }
}
