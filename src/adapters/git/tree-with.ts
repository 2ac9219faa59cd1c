// A tree with some of its paths as another commit has them or with texts of their own, through an index of its own. Touches no checkout.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownIndex } from './exec.ts';
import { checkId, checkPath, pathBytes, pathText, splitNul } from './names.ts';
import { ask } from './repository.ts';
import type { Repository } from './repository.ts';

/** Writes the tree and gives its id. GitError when tree or commit are missing. */
export async function treeWith(repo: Repository, o: { readonly tree: string; readonly commit: string; readonly paths: readonly string[]; readonly texts?: ReadonlyMap<string, string> }): Promise<string> {
  const paths = o.paths.map((path) => checkPath('git update-index', path));
  if (paths.length === 0 && (o.texts ?? new Map()).size === 0) return checkId(o.tree);
  const folder = await mkdtemp(join(tmpdir(), 'choo-tree-'));
  try {
    const env = ownIndex(join(folder, 'index'));
    await ask(repo, { args: ['read-tree', '--end-of-options', checkId(o.tree)], env });
    // By bytes: not every name can be an argument.
    const { stdout } = await ask(repo, { args: ['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', checkId(o.commit)] });
    const there = splitNul(stdout).filter((record) => isBelow(pathText(record.subarray(record.indexOf(9) + 1)), paths));
    const none = '0'.repeat(o.tree.length);
    const texts = await Promise.all([...o.texts ?? []].map(async ([path, text]) => {
      const { stdout: id } = await ask(repo, { args: ['hash-object', '-w', '--stdin'], input: Buffer.from(text) });
      return Buffer.concat([Buffer.from(`100644 blob ${checkId(id.toString('latin1').trim())}\t`), pathBytes(checkPath('git update-index', path))]);
    }));
    const lines = [...paths.map((path) => Buffer.concat([Buffer.from(`0 ${none}\t`), pathBytes(path)])), ...there, ...texts];
    await ask(repo, { args: ['update-index', '-z', '--replace', '--index-info'], input: Buffer.concat(lines.flatMap((line) => [line, Buffer.of(0)])), env });
    const made = await ask(repo, { args: ['write-tree'], env });
    return checkId(made.stdout.toString('latin1').trim());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function isBelow(path: string, paths: readonly string[]): boolean {
  return paths.some((p) => path === p || path.startsWith(`${p}/`));
}
