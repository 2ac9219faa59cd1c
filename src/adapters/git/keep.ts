// Saves what a worktree holds as commits under a ref, through an index of its own. The worktree's HEAD, index and files stay as they are.

import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitError } from '../../world.ts';
import { ownIndex } from './exec.ts';
import { clearFlags } from './flags.ts';
import { checkId, checkRef, isZero, joinPaths, pathBytes, pathText } from './names.ts';
import { makeCommit, moveRef } from './refs.ts';
import { treeOf } from './history.ts';
import { mergeHead } from './merge.ts';
import { isMissing } from '../errno.ts';
import { askIn, placeOf } from './repository.ts';
import type { Repository } from './repository.ts';
import { status } from './status.ts';
import type { DetailedStatus } from './memory.ts';

interface Saving {
  readonly repo: Repository;
  readonly worktree: string;
  /** The temporary index. */
  readonly env: ReturnType<typeof ownIndex>;
}

/**
 * Makes a commit of all files (untracked ones too, ignored ones not) with parents HEAD, the index as a commit when it differs from both,
 * and the commit being merged in, and makes `ref` point to it. Throws GitError when `ref` exists: kept work is never overwritten.
 */
export async function keep(repo: Repository, o: { readonly worktree: string; readonly ref: string; readonly message: string }): Promise<string> {
  const before = await status(repo, o.worktree);
  const { gitDir = '' } = await placeOf(repo, o.worktree);
  const folder = await mkdtemp(join(tmpdir(), 'choo-keep-'));
  try {
    const saving: Saving = { repo, worktree: o.worktree, env: ownIndex(join(folder, 'index')) };
    await copyIndex(join(gitDir, 'index'), saving.env.GIT_INDEX_FILE);
    await clearFlags(repo, saving);
    // An index with conflicts cannot be a tree; its parts are in HEAD and in the commit being merged in.
    const writable = before.entries.some((e) => e.staged) && !before.entries.some((e) => e.kind === 'unmerged');
    const staged = writable ? await writeTree(saving) : undefined;
    await addEverything(saving, before);
    const commit = await commitAll({ repo, before, staged, files: await writeTree(saving), merging: await mergeHead(repo, o.worktree), message: o.message });
    const made = await moveRef(repo, { ref: checkRef(o.ref), to: commit, from: undefined, reason: 'choo: keep' });
    if (!made) throw new GitError(`git update-ref ${o.ref}`, 'the ref exists already');
    return commit;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function commitAll(o: { readonly repo: Repository; readonly before: DetailedStatus; readonly staged: string | undefined; readonly files: string; readonly merging: string | undefined; readonly message: string }): Promise<string> {
  const head = isZero(o.before.head) ? [] : [o.before.head];
  const headTree = head[0] === undefined ? undefined : await treeOf(o.repo, head[0]);
  const indexOnly = o.staged !== undefined && o.staged !== headTree && o.staged !== o.files;
  const index = indexOnly ? [await makeCommit(o.repo, { tree: o.staged, parents: head, message: `${o.message} (index)`, sign: false })] : [];
  const merging = o.merging === undefined ? [] : [o.merging];
  return makeCommit(o.repo, { tree: o.files, parents: [...new Set([...head, ...index, ...merging])], message: o.message, sign: false });
}

async function addEverything(saving: Saving, before: DetailedStatus): Promise<void> {
  const { repo, worktree, env } = saving;
  const embedded = before.entries.filter((e) => e.kind === 'untracked' && e.path.endsWith('/')).map((e) => e.path.slice(0, -1));
  if (embedded.length === 0) {
    await askIn(repo, worktree, { args: ['add', '--all', '--no-warn-embedded-repo', '--', '.'], env });
    return;
  }
  // git would save an embedded repository as a mere link to a commit that only it holds; its files are what must not be lost.
  const all = ['.', ...embedded.map((path) => `:(exclude,top,literal)${path}`)];
  await askIn(repo, worktree, { args: ['add', '--all', '--pathspec-from-file=-', '--pathspec-file-nul'], input: joinPaths(all), env: { ...env, GIT_LITERAL_PATHSPECS: '0' } });
  const files = (await Promise.all(embedded.map((path) => filesBelow(worktree, path)))).flat();
  if (files.length > 0) await askIn(repo, worktree, { args: ['update-index', '--add', '-z', '--stdin'], input: joinPaths(files), env });
}

async function filesBelow(worktree: string, path: string): Promise<string[]> {
  const folder = Buffer.concat([Buffer.from(worktree), Buffer.from('/'), pathBytes(path)]);
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  const lists = await Promise.all(entries.map(async (entry) => {
    const name = pathText(entry.name);
    if (name.toLowerCase() === '.git') return [];
    if (entry.isDirectory()) return filesBelow(worktree, `${path}/${name}`);
    return entry.isFile() || entry.isSymbolicLink() ? [`${path}/${name}`] : [];
  }));
  return lists.flat();
}

async function writeTree(saving: Saving): Promise<string> {
  const { stdout } = await askIn(saving.repo, saving.worktree, { args: ['write-tree'], env: saving.env });
  return checkId(stdout.toString('latin1').trim());
}

async function copyIndex(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    // A worktree without anything staged ever has no index.
    if (!isMissing(error)) throw error;
  }
}
