// Folders that worktrees are made from: they hold a commit's files and belong to no worktree, so nothing of git's is in them that could
// be stale. What their files are is known from an index of choo's own, which lies where no agent has to write.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { GitError } from '../../world.ts';
import { configVariables } from './exec.ts';
import { strayLink } from '../stray.ts';
import { changedPaths } from './history.ts';
import { isPlain } from './index-copy.ts';
import { checkId, pathText, splitNul } from './names.ts';
import type { Repository } from './repository.ts';

/** Settings under which git looks at every file for itself. */
const STRICT: readonly (readonly [string, string])[] = [
  ['core.trustctime', 'true'], ['core.checkStat', 'default'], ['core.ignoreStat', 'false'], ['core.sparseCheckout', 'false'], ['core.splitIndex', 'false'], ['core.untrackedCache', 'false'], ['index.sparse', 'false'],
];

/** A folder and the index, out of agents' reach, that says what was checked out there. */
interface Folder { readonly folder: string; readonly index: string }

function inFolder(repo: Repository, o: Folder): (...args: readonly string[]) => Promise<Buffer> {
  refuseLinks(o.folder);
  const at = { cwd: o.folder, gitDir: repo.commonDir, workTree: o.folder };
  return async (...args) => (await repo.git.run({ at, args, env: { GIT_INDEX_FILE: o.index, ...configVariables(STRICT) } })).stdout;
}

/** An agent may have put a link in the place of a folder, to somebody's checkout. Throws GitError. */
function refuseLinks(folder: string): void {
  const away = strayLink(folder);
  if (away !== undefined) throw new GitError(`git -C ${folder}`, `a symbolic link leads from there to ${away}`);
}

/**
 * Makes a folder hold the files of a commit and nothing else, but for ignored files that match `keep` (patterns as in `.gitignore`).
 * `index` says what is there now and afterwards has what was made; without `from` the folder is new. Nothing is believed of files whose
 * times are not those of the index. False when the folder cannot be proved to hold nothing else: then it is of no use.
 */
export async function renewFolder(repo: Repository, o: Folder & { readonly from?: string; readonly commit: string; readonly keep: readonly string[] }): Promise<boolean> {
  const { from, keep } = o;
  const commit = checkId(o.commit);
  if (from !== undefined && (await changedFor(repo, { from, to: commit })) === undefined) return false;
  refuseLinks(o.folder);
  mkdirSync(o.folder, { recursive: true });
  mkdirSync(dirname(o.index), { recursive: true });
  const git = inFolder(repo, o);
  await git('read-tree', '--reset', '-u', '--no-recurse-submodules', '--end-of-options', commit);
  const { idBytes } = await repo.settings.read();
  if (from === undefined) return isPlain(o.index, idBytes);
  if (keep.length > 0) await git('clean', '-q', '-ffd');
  await git('clean', '-q', '-ffdx', ...keep.flatMap((pattern) => ['-e', pattern]));
  const left = await git('ls-files', '--others', '--directory', '--no-empty-directory', '-z', ...(keep.length > 0 ? ['--exclude-standard'] : []));
  // git looks past a repository inside a folder of its own files.
  return left.length === 0 && isPlain(o.index, idBytes) && (await repo.git.holdsNo(o.folder, '.git'));
}

/** Paths that differ; undefined when among them are the rules by which files are written: what is checked out once stays as it is. */
async function changedFor(repo: Repository, o: { readonly from: string; readonly to: string }): Promise<ReadonlySet<string> | undefined> {
  const changed = o.from === o.to ? [] : await changedPaths(repo, o);
  return changed.some((path) => /(?:^|\/)\.gitattributes$/.test(path)) ? undefined : new Set(changed);
}

/**
 * Brings a folder from the commit that it was renewed for to another, for the price of the difference. Throws GitError when afterwards its index is
 * not that commit or a file is not as the index says.
 */
export async function bringFolder(repo: Repository, o: Folder & { readonly from: string; readonly commit: string }): Promise<void> {
  const commit = checkId(o.commit);
  const changed = await changedFor(repo, { from: checkId(o.from), to: commit });
  if (changed === undefined) throw new GitError(`git read-tree ${commit}`, 'files are to be written by other rules than those in the folder');
  const git = inFolder(repo, o);
  // Side by side: what does not change is compared while the rest is written.
  const [unlike] = await Promise.all([
    git('diff-files', '--name-only', '--ignore-submodules=none', '-z'),
    changed.size === 0 ? undefined : git('read-tree', '-m', '-u', '--no-recurse-submodules', '--end-of-options', o.from, commit),
  ]);
  const wrong = splitNul(unlike).map(pathText).find((path) => !changed.has(path));
  if (wrong !== undefined) throw new GitError('git diff-files', `${wrong} in the folder is not what was checked out`);
  await git('diff-index', '--cached', '--quiet', '--end-of-options', commit);
}
