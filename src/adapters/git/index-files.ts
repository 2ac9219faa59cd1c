// Index and files of one worktree: stage, restore, unstage, reset, repoint, clean. Makes no commit and moves no branch.

import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkId, checkPath, checkRef, joinPaths, pathBytes, splitPaths } from './names.ts';
import { holdsOnlyTracked } from './look.ts';
import { quickStage } from './quick-stage.ts';
import { errnoOf, isMissing } from '../errno.ts';
import { removeBelow } from '../folders.ts';
import { ask, askIn, namesIn, placeOf } from './repository.ts';
import type { Repository } from './repository.ts';
import { itemsOf } from './tree-items.ts';

const FROM_STDIN = ['--pathspec-from-file=-', '--pathspec-file-nul'];

interface At { readonly worktree: string; readonly commit: string }
interface PathsAt extends At { readonly paths: readonly string[] }

/** Stages exactly the given paths as the files are and gives back the whole index as a tree. */
export async function stage(repo: Repository, o: { readonly worktree: string; readonly paths: readonly string[] }): Promise<string> {
  const quick = await quickStage(repo, o);
  if (quick !== undefined) return quick;
  const kinds = await Promise.all(o.paths.map(async (path) => ({ path, kind: await kindOf(o.worktree, checkPath('git update-index', path)) })));
  const odd = kinds.find((k) => k.kind === 'odd')?.path;
  // git has no word for a pipe or a socket.
  if (odd !== undefined) throw Object.assign(new Error(`${odd} is neither a file nor a folder nor a link`), { code: 'ENXIO', path: `${o.worktree}/${odd}` });
  const of = (...wanted: readonly Kind[]): string[] => kinds.filter((k) => wanted.includes(k.kind)).map((k) => k.path);
  // A plain folder where something else was: what was there goes, its files are paths of their own. A submodule is a folder too.
  const folders = await Promise.all(of('folder').map(async (path) => ({ path, isModule: (await lookAt(o.worktree, `${path}/.git`)) !== 'missing' })));
  const beyond = [...of('beyond-link'), ...folders.filter((f) => !f.isModule).map((f) => f.path)];
  if (beyond.length > 0) await askIn(repo, o.worktree, { args: ['update-index', '--force-remove', '-z', '--stdin'], input: joinPaths(beyond) });
  // What is gone goes first, so that a file may take the place of a folder and the other way round.
  const rest = [...of('missing'), ...folders.filter((f) => f.isModule).map((f) => f.path), ...of('file')];
  if (rest.length > 0) await askIn(repo, o.worktree, { args: ['update-index', '--add', '--remove', '--replace', '-z', '--stdin'], input: joinPaths(rest) });
  const { stdout } = await askIn(repo, o.worktree, { args: ['write-tree'] });
  return checkId(stdout.toString('latin1').trim());
}

/** Sets paths in index and files to what the commit has; what it lacks is removed, an untracked embedded repository (`path/`) too. */
export async function restorePaths(repo: Repository, o: PathsAt): Promise<void> {
  const paths = [...new Set(o.paths.map((path) => path.replace(/\/$/, '')))];
  const known = await Promise.all(paths.map((path) => isInCommit(repo, { commit: checkId(o.commit), path: checkPath('git restore', path) })));
  const gone = paths.filter((_, n) => known[n] === false);
  const there = paths.filter((_, n) => known[n] === true);
  if (gone.length > 0) {
    await askIn(repo, o.worktree, { args: ['update-index', '--force-remove', '-z', '--stdin'], input: joinPaths(gone) });
    for (const path of gone) {
      const kind = await kindOf(o.worktree, path);
      // Beyond a link the path means somebody else's file.
      if (kind === 'file' || kind === 'odd' || (kind === 'folder' && !(await holdsKnown(repo, { ...o, path })))) await removePath(o.worktree, path);
    }
  }
  if (there.length > 0) await askIn(repo, o.worktree, { args: ['restore', `--source=${o.commit}`, '--staged', '--worktree', ...FROM_STDIN], input: joinPaths(there) });
}

/** True for a submodule too, whose commit is an object of another repository: the tree above names it. */
async function isInCommit(repo: Repository, o: { readonly commit: string; readonly path: string }): Promise<boolean> {
  if ((await repo.objects.info(`${o.commit}:${o.path}`)) !== undefined) return true;
  const slash = o.path.lastIndexOf('/');
  const above = await repo.objects.info(`${o.commit}:${slash === -1 ? '' : o.path.slice(0, slash)}`);
  if (above?.type !== 'tree') return false;
  const name = o.path.slice(slash + 1);
  const items = await itemsOf(repo, above.id);
  if (items !== undefined) return items.has(pathBytes(name).toString('latin1'));
  return splitPaths((await ask(repo, { args: ['ls-tree', '-z', '--name-only', '--end-of-options', above.id] })).stdout).includes(name);
}

/** Removes what no link leads to; read-only folders (as module caches are) do not keep it. */
async function removePath(worktree: string, path: string): Promise<void> {
  try {
    await rm(fileOf(worktree, path), { recursive: true, force: true });
  } catch (error) {
    // A name that is no text is not one that Node can be asked about by text.
    if ((errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') || !Buffer.from(path).equals(pathBytes(path))) throw error;
    await removeBelow(worktree, path);
  }
}

/** Sets paths in the index to what the commit has and leaves the files alone. */
export async function unstagePaths(repo: Repository, o: PathsAt): Promise<void> {
  if (o.paths.length === 0) return;
  const paths = o.paths.map((path) => checkPath('git reset', path.replace(/\/$/, '')));
  await askIn(repo, o.worktree, { args: ['reset', '-q', ...FROM_STDIN, checkId(o.commit)], input: joinPaths(paths) });
}

/**
 * Ends whatever operation is in progress, sets index and tracked files to the commit, then points HEAD at the branch (undefined: detached).
 * HEAD is detached meanwhile, so that no branch can move along.
 */
export async function resetWorktree(repo: Repository, o: At & { readonly branch: string | undefined }): Promise<void> {
  await endOperations(repo, o.worktree);
  if (o.branch === undefined) {
    await askIn(repo, o.worktree, { args: ['checkout', '-q', '-f', '--detach', '--no-recurse-submodules', checkId(o.commit)] });
    return;
  }
  await askIn(repo, o.worktree, { args: ['update-ref', '--no-deref', '-m', 'choo: reset', '--end-of-options', 'HEAD', checkId(o.commit)] });
  await askIn(repo, o.worktree, { args: ['reset', '-q', '--hard', '--no-recurse-submodules', o.commit] });
  await pointHead(repo, { worktree: o.worktree, branch: o.branch });
}

/** Points HEAD at the branch and sets the index to the commit; no file is touched. */
export async function repointWorktree(repo: Repository, o: At & { readonly branch: string }): Promise<void> {
  await endOperations(repo, o.worktree);
  await pointHead(repo, o);
  await askIn(repo, o.worktree, { args: ['read-tree', '--reset', '--no-recurse-submodules', '--end-of-options', checkId(o.commit)] });
}

/** Removes the lock files of a worktree's index and HEAD and of its branch. Only when no process is at work there. */
export async function releaseLocks(repo: Repository, o: { readonly worktree: string; readonly branch: string }): Promise<void> {
  const { gitDir = '' } = await placeOf(repo, o.worktree);
  const locks = [join(gitDir, 'index.lock'), join(gitDir, 'HEAD.lock'), join(repo.commonDir, `${checkRef(o.branch)}.lock`)];
  await Promise.all(locks.map((path) => rm(path, { force: true })));
}

/** Removes every untracked and ignored file, embedded repositories too. */
export async function cleanWorktree(repo: Repository, worktree: string): Promise<void> {
  if (await holdsOnlyTracked(repo, await placeOf(repo, worktree))) return;
  await askIn(repo, worktree, { args: ['clean', '-q', '-ffdx'] });
}

async function pointHead(repo: Repository, o: { readonly worktree: string; readonly branch: string }): Promise<void> {
  await askIn(repo, o.worktree, { args: ['symbolic-ref', '-m', 'choo: point HEAD at the unit', '--end-of-options', 'HEAD', checkRef(o.branch)] });
}

/** Forgets a merge, rebase, cherry-pick, revert, `am` or bisect in progress. Files and index stay; a rebase's autostash goes to the stash list. */
async function endOperations(repo: Repository, worktree: string): Promise<void> {
  const { gitDir = '' } = await placeOf(repo, worktree);
  const names = new Set(await namesIn(gitDir));
  if (names.has('rebase-merge') || names.has('rebase-apply')) {
    const am = (await namesIn(join(gitDir, 'rebase-apply'))).includes('applying');
    await askIn(repo, worktree, { args: [am ? 'am' : 'rebase', '--quit'] });
  }
  if (names.has('BISECT_START')) await askIn(repo, worktree, { args: ['bisect', 'reset', 'HEAD'] });
  if (names.has('MERGE_HEAD')) await askIn(repo, worktree, { args: ['merge', '--quit'] });
  if (names.has('CHERRY_PICK_HEAD') || names.has('sequencer')) await askIn(repo, worktree, { args: ['cherry-pick', '--quit'] });
  if (names.has('REVERT_HEAD')) await askIn(repo, worktree, { args: ['revert', '--quit'] });
}

/** What stands at a repository path. */
type Kind = 'file' | 'folder' | 'missing' | 'beyond-link' | 'odd';

/** What stands at a repository path; never looks through a symbolic link. */
export async function kindOf(worktree: string, path: string): Promise<Kind> {
  const parts = path.split('/');
  for (let n = 1; n < parts.length; n += 1) {
    const parent = await lookAt(worktree, parts.slice(0, n).join('/'));
    if (parent === 'link') return 'beyond-link';
    if (parent !== 'folder') return 'missing';
  }
  const kind = await lookAt(worktree, path);
  return kind === 'link' ? 'file' : kind;
}

async function lookAt(worktree: string, path: string): Promise<'file' | 'folder' | 'missing' | 'link' | 'odd'> {
  try {
    const stat = await lstat(fileOf(worktree, path));
    return stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'odd';
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}

/** True when a folder that took a file's place holds tracked files, which must stay. */
async function holdsKnown(repo: Repository, o: PathsAt & { readonly path: string }): Promise<boolean> {
  const { stdout } = await askIn(repo, o.worktree, { args: ['ls-files', '-z', '--', o.path] });
  return stdout.length > 0;
}

function fileOf(worktree: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(worktree), Buffer.from('/'), pathBytes(path)]);
}
