// Reads the tree of a commit, files by id, and where a working tree differs from a commit. Changes nothing.

import { GitError } from '../../world.ts';
import { checkId, checkPath, pathText, splitNul, splitPaths } from './names.ts';
import { ask, checkoutOf } from './repository.ts';
import type { Repository } from './repository.ts';

/** One file, link or submodule of a tree. */
export interface TreeEntry {
  readonly path: string;
  /** As git writes it: `100644`, `100755`, `120000` (link), `160000` (submodule). */
  readonly mode: string;
  /** Bytes; 0 for a submodule. */
  readonly size: number;
  readonly id: string;
}

/** Everything at or below `prefix` (a repository path; empty: everything) at a commit, in git's order. */
export async function readTree(repo: Repository, o: { readonly commit: string; readonly prefix: string }): Promise<readonly TreeEntry[]> {
  const { stdout } = await ask(repo, { args: ['ls-tree', '-r', '-z', '-l', '--full-tree', '--end-of-options', checkId(o.commit), ...below('git ls-tree', o.prefix)] });
  return splitNul(stdout).map((record) => {
    const tab = record.indexOf(9);
    const [mode = '', , id = '', size = ''] = record.toString('latin1', 0, tab).split(/ +/);
    return { path: pathText(record.subarray(tab + 1)), mode, size: size === '-' ? 0 : Number(size), id };
  });
}

/** Contents of blobs by id, in the order asked; GitError when one is missing. */
export async function readFiles(repo: Repository, ids: readonly string[]): Promise<readonly Buffer[]> {
  return Promise.all(ids.map(async (id) => {
    const content = (await repo.objects.contents(checkId(id)))?.content;
    if (content === undefined) throw new GitError(`git cat-file ${id}`, 'the object is missing');
    return content;
  }));
}

/** Paths at or below `prefix` where files, index or untracked files of a checkout are unlike the commit; ignored files are left out. */
export async function workingTreeDiff(repo: Repository, o: { readonly worktree: string; readonly commit: string; readonly prefix: string }): Promise<readonly string[]> {
  const flags = ['--name-only', '-z', '--no-renames', '--no-ext-diff', '--no-relative', '--ignore-submodules=none'];
  const paths = below('git diff', o.prefix);
  const at = await checkoutOf(repo, o.worktree);
  const outputs = await Promise.all([
    repo.git.run({ at, args: ['diff', ...flags, checkId(o.commit), '--', ...paths] }),
    repo.git.run({ at, args: ['diff', '--cached', ...flags, o.commit, '--', ...paths] }),
    repo.git.run({ at, args: ['ls-files', '-o', '-z', '--exclude-standard', '--', ...paths] }),
  ]);
  return [...new Set(outputs.flatMap(({ stdout }) => splitPaths(stdout)))].sort((a, b) => (a < b ? -1 : 1));
}

/** The differences between two commits in the given paths, as a unified diff without colours; binary files are only named. */
export async function diffText(repo: Repository, o: { readonly from: string; readonly to: string; readonly paths: readonly string[] }): Promise<string> {
  const flags = ['--no-color', '--no-ext-diff', '--no-textconv', '--no-relative', '--find-renames'];
  const { stdout } = await ask(repo, { args: ['diff', ...flags, checkId(o.from), checkId(o.to), '--', ...o.paths.map((p) => checkPath('git diff', p))] });
  return stdout.toString('utf8');
}

function below(command: string, prefix: string): string[] {
  const path = prefix.replace(/\/+$/, '');
  return path === '' ? [] : [checkPath(command, path)];
}
