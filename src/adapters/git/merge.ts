// Merges: of two commits without a checkout, and begun in a worktree for an agent to finish. Moves no branch.

import { constants, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitError } from '../../world.ts';
import type { MergeOutcome } from '../../world.ts';
import { checkId, isId, pathBytes, pathText, splitNul, splitPaths } from './names.ts';
import { quickMerge } from './quick-merge.ts';
import { errnoOf, isMissing } from '../errno.ts';
import { askIn, placeOf, textOf } from './repository.ts';
import type { Repository } from './repository.ts';

/** Merges `theirs` into `ours`. Unrelated histories and whatever else git refuses is a GitError, never a conflict. */
export async function mergeTrees(repo: Repository, o: { readonly ours: string; readonly theirs: string }): Promise<MergeOutcome> {
  checkId(o.theirs);
  const quick = await quickMerge(repo, { ours: checkId(o.ours), theirs: o.theirs });
  if (quick !== undefined) return { kind: 'clean', ...quick };
  const rules = await attributesOf(repo, o.ours);
  try {
    const { code, stdout } = await repo.git.run({
      at: { cwd: rules?.folder ?? repo.commonDir, gitDir: repo.commonDir, ...(rules === undefined ? {} : { workTree: rules.folder }) },
      // The user's index must not lend its attributes.
      env: { GIT_INDEX_FILE: join(repo.commonDir, 'choo', 'no-index') },
      args: ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', '--end-of-options', o.ours, o.theirs],
      accept: [0, 1],
    });
    const [tree, ...paths] = splitNul(stdout).map(pathText);
    if (tree === undefined || !isId(tree)) throw new GitError('git merge-tree', 'it printed no tree');
    if (code === 0) return { kind: 'clean', tree };
    if (paths.length === 0) throw new GitError('git merge-tree', 'it named no path in conflict');
    return { kind: 'conflict', paths: unique(paths.map((path) => asInWorktree(path, o.ours))) };
  } finally {
    if (rules !== undefined) await rm(rules.folder, { recursive: true, force: true });
  }
}

/** Starts a merge in a worktree and leaves it uncommitted; gives back the paths in conflict. GitError when git did not start one. */
export async function beginMerge(repo: Repository, o: { readonly worktree: string; readonly commit: string }): Promise<readonly string[]> {
  const args = ['merge', '-q', '--no-commit', '--no-ff', '--no-squash', '--no-verify', '--no-gpg-sign', '--no-log', '--no-stat', '--no-autostash', '--strategy=ort', '--end-of-options', checkId(o.commit)];
  const { code, stderr } = await askIn(repo, o.worktree, { args, accept: [0, 1] });
  if (code === 0) return [];
  const { stdout } = await askIn(repo, o.worktree, { args: ['diff', '--name-only', '-z', '--diff-filter=U', '--no-ext-diff', '--no-relative', '--ignore-submodules=none'] });
  const paths = unique(splitPaths(stdout));
  if (paths.length === 0 || (await mergeHead(repo, o.worktree)) !== o.commit) throw new GitError(`git merge ${o.commit}`, stderr.trim() === '' ? 'it ended 1 without a conflict' : stderr.trim());
  return paths;
}

/** The commit being merged in, or undefined when no merge is in progress. */
export async function mergeHead(repo: Repository, worktree: string): Promise<string | undefined> {
  const { gitDir = '' } = await placeOf(repo, worktree);
  const id = (await textOf(join(gitDir, 'MERGE_HEAD')))?.split('\n')[0]?.trim();
  return id !== undefined && isId(id) ? id : undefined;
}

/** Paths unlike `commit` with more lines that open and close a conflict than it has there. */
export async function conflictMarkers(repo: Repository, o: { readonly worktree: string; readonly commit: string }): Promise<readonly string[]> {
  const { stdout } = await askIn(repo, o.worktree, { args: ['diff-index', '-z', '--name-only', '--no-renames', '--end-of-options', checkId(o.commit), '--'] });
  const paths = unique(splitPaths(stdout));
  const marked = await Promise.all(paths.map(async (path) => {
    const now = countMarkers(await fileText(o.worktree, path));
    if (now.opening === 0 || now.closing === 0) return false;
    const was = countMarkers((await repo.objects.contents(`${o.commit}:${path}`))?.content?.toString('latin1') ?? '');
    return now.opening > was.opening && now.closing > was.closing;
  }));
  return paths.filter((_, n) => marked[n]);
}

/** A folder that holds the `.gitattributes` of a commit's top, for `merge-tree` to find as a merge in a checkout would; undefined when it has none. */
async function attributesOf(repo: Repository, commit: string): Promise<{ readonly folder: string } | undefined> {
  const file = await repo.objects.contents(`${commit}:.gitattributes`);
  if (file?.type !== 'blob' || file.content === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'choo-merge-'));
  await writeFile(join(folder, '.gitattributes'), file.content);
  return { folder };
}

/** `merge-tree` marks a file moved out of a folder's way with the commit's id, a merge in a worktree with `HEAD`; the latter is told. */
function asInWorktree(path: string, ours: string): string {
  return path.endsWith(`~${ours}`) ? `${path.slice(0, -ours.length)}HEAD` : path;
}

async function fileText(worktree: string, path: string): Promise<string> {
  const file = Buffer.concat([Buffer.from(`${worktree}/`), pathBytes(path)]);
  try {
    // Through no link, and without waiting for the other end of a pipe.
    const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return (await opened.stat()).isFile() ? await opened.readFile('latin1') : '';
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (isMissing(error) || ['ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) return '';
    throw error;
  }
}

function countMarkers(text: string): { readonly opening: number; readonly closing: number } {
  return { opening: text.match(/^<{7,}(?: |\r?$)/gm)?.length ?? 0, closing: text.match(/^>{7,}(?: |\r?$)/gm)?.length ?? 0 };
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)];
}
