// Writes blobs and trees through standing commands. Moves no ref and touches no index.

import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitError } from '../../world.ts';
import { isId } from './names.ts';
import type { Repository } from './repository.ts';
import type { Standing } from './standing.ts';

/** One line of a tree. */
export interface TreeItem {
  readonly name: string;
  /** 0o40000 for a folder. */
  readonly mode: number;
  readonly id: string;
}

/** Writes a blob and gives its id; undefined when git would not have it. */
export async function writeBlob(repo: Repository, content: Buffer): Promise<string | undefined> {
  const file = join(tmpdir(), `choo-object-${randomUUID()}`);
  try {
    writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
    return await idOf(repo.standing.blobs, `${file}\n`);
  } finally {
    rmSync(file, { force: true });
  }
}

/** Writes a tree and gives its id; undefined when an object it names is missing or git would not have it otherwise. */
export function makeTree(repo: Repository, items: readonly TreeItem[]): Promise<string | undefined> {
  const lines = items.map((item) => `${item.mode.toString(8).padStart(6, '0')} ${item.mode === 0o40000 ? 'tree' : 'blob'} ${item.id}\t${item.name}\0`);
  return idOf(repo.standing.trees, `${lines.join('')}\0`);
}

async function idOf(command: Standing, question: string): Promise<string | undefined> {
  try {
    const printed = await command.ask(question, (said) => {
      const end = said.indexOf(10);
      return end === -1 ? undefined : end + 1;
    });
    const id = printed.toString('latin1').trim();
    return isId(id) ? id : undefined;
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}
