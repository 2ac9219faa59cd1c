// Writes blobs and trees through standing commands. Moves no ref and touches no index.

import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitError } from '../../world.ts';
import { objectId } from './index-format.ts';
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

/** Writes trees, each after those that it names, and gives their ids; undefined when an object is missing or git would not have one otherwise. */
export async function makeTrees(repo: Repository, trees: readonly (readonly TreeItem[])[], o: { /** What they name is there. */ readonly known: boolean }): Promise<readonly string[] | undefined> {
  const question = trees.map((items) => `${items.map((item) => `${item.mode.toString(8).padStart(6, '0')} ${item.mode === FOLDER ? 'tree' : 'blob'} ${item.id}\t${item.name}\0`).join('')}\0`);
  const ids = await idsOf(o.known ? repo.standing.knownTrees : repo.standing.trees, { question: question.join(''), count: trees.length });
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

const FOLDER = 0o40000;

/** The id that a tree with these items has. Source: git's tree objects, sorted as if a folder's name ended in a slash. */
export function treeId(items: readonly TreeItem[], idBytes: number): string {
  const key = ({ name, mode }: TreeItem): Buffer => Buffer.from(mode === FOLDER ? `${name}/` : name);
  const sorted = items.map((item) => ({ item, key: key(item) })).toSorted((a, b) => a.key.compare(b.key));
  const content = Buffer.concat(sorted.flatMap(({ item }) => [Buffer.from(`${item.mode.toString(8)} ${item.name}\0`), Buffer.from(item.id, 'hex')]));
  return objectId({ type: 'tree', content, idBytes });
}

async function idOf(command: Standing, question: string): Promise<string | undefined> {
  const [id] = await idsOf(command, { question, count: 1 });
  return id;
}

/** So many lines, each an id; a refusal makes all of them undefined. */
async function idsOf(command: Standing, o: { readonly question: string; readonly count: number }): Promise<readonly (string | undefined)[]> {
  try {
    const printed = await command.ask(o.question, (said) => {
      let end = -1;
      for (let n = 0; n < o.count; n++) {
        end = said.indexOf(10, end + 1);
        if (end === -1) return undefined;
      }
      return end + 1;
    });
    return printed.toString('latin1').trim().split('\n').map((id) => (isId(id) ? id : undefined));
  } catch (error) {
    if (error instanceof GitError) return [undefined];
    throw error;
  }
}
