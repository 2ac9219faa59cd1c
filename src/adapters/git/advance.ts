// Moves the target branch the way its checkout needs: by compare-and-swap, or by a fast-forward in the one worktree that has it.
// Refuses, with a reason, whatever could lose somebody's work.

import { join } from 'node:path';
import { GitError } from '../../world.ts';
import type { AdvanceOutcome, Git } from '../../world.ts';
import { failpoint } from '../../failpoint.ts';
import { configVariables } from './exec.ts';
import { behindFence } from './fence.ts';
import { resolve } from './history.ts';
import { checkId, checkRef } from './names.ts';
import { moveRef } from './refs.ts';
import { ask, checkoutOf, exists, linkedGitDirs, namesIn, registeredAt, textOf } from './repository.ts';
import type { Repository } from './repository.ts';
import { listWorktrees } from './worktrees.ts';
import type { ListedWorktree } from './worktrees.ts';

type Move = Parameters<Git['advance']>[0];

/** Files and folders in a git directory that mean: an operation is in progress here. */
const IN_PROGRESS: readonly (readonly [string, string])[] = [
  ['rebase-merge', 'a rebase is in progress'],
  ['rebase-apply', 'a rebase or `git am` is in progress'],
  ['BISECT_LOG', 'a bisect is in progress'],
  ['MERGE_HEAD', 'a merge is in progress'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick is in progress'],
  ['REVERT_HEAD', 'a revert is in progress'],
  ['sequencer', 'a cherry-pick or revert of several commits is in progress'],
];

/** Moves `ref` from `from` to its descendant `to`. Does nothing and says so when it is at `to` already. */
export async function advance(repo: Repository, move: Move): Promise<AdvanceOutcome> {
  checkRef(move.ref);
  checkId(move.to);
  const at = await resolve(repo, move.ref);
  if (at !== checkId(move.from)) return standing(move, at);
  const worktrees = await listWorktrees(repo);
  const users = worktrees.filter((w) => w.branch === move.ref && !w.bare && !w.prunable);
  const [only, second] = users;
  if (second !== undefined) {
    return refused('several-worktrees', second.path, `${move.ref} is checked out in ${users.map((w) => w.path).join(' and ')}`);
  }
  const busy = await branchInOperation(repo, { ref: move.ref, worktrees });
  if (busy !== undefined) return refused('busy', busy.worktree, busy.detail);
  return only === undefined ? swap(repo, { move, worktrees }) : fastForward(repo, { move, worktree: only });
}

/** What is in progress in a git directory, as a sentence; undefined when nothing is. */
export async function operationIn(gitDir: string): Promise<string | undefined> {
  const names = new Set(await namesIn(gitDir));
  return IN_PROGRESS.find(([name]) => names.has(name))?.[1];
}

async function swap(repo: Repository, o: { readonly move: Move; readonly worktrees: readonly ListedWorktree[] }): Promise<AdvanceOutcome> {
  const { ref, from, to } = o.move;
  // Behind a symbolic ref stands another branch, which may be checked out; moving that is not what was asked.
  const { stdout } = await ask(repo, { args: ['symbolic-ref', '-q', '--end-of-options', ref], accept: [0, 1] });
  const real = stdout.toString('utf8').trim();
  if (real !== '') return refused('git', o.worktrees[0]?.path ?? repo.commonDir, `${ref} is a symbolic ref to ${real}; use that branch as the target`);
  if (await moveRef(repo, { ref, to, from, reason: 'choo: land' })) return { kind: 'advanced' };
  return standing(o.move, await resolve(repo, ref));
}

async function fastForward(repo: Repository, o: { readonly move: Move; readonly worktree: ListedWorktree }): Promise<AdvanceOutcome> {
  const { move, worktree } = o;
  // git lists a locked worktree as whole even when its folder is on a disk that is not there.
  if (!(await exists(worktree.path))) return refused('busy', worktree.path, 'its folder is out of reach and the worktree is locked');
  if (worktree.head !== move.from) return standing(move, worktree.head);
  const { gitDir = '' } = await checkoutOf(repo, worktree.path);
  const operation = await operationIn(gitDir);
  if (operation !== undefined) return refused('busy', worktree.path, operation);
  const merged = await behindFence(repo, () => tryMerge(repo, o));
  failpoint('checkout-advanced');
  const at = await resolve(repo, move.ref);
  if (at !== move.from) return standing(move, at);
  return refused(merged.localChanges ? 'local-changes' : 'git', worktree.path, merged.detail);
}

/** `git merge --ff-only`, which git itself makes both the swap and the update of the files. */
async function tryMerge(repo: Repository, o: { readonly move: Move; readonly worktree: ListedWorktree }): Promise<{ readonly localChanges: boolean; readonly detail: string }> {
  const short = o.move.ref.replace(/^refs\/heads\//, '');
  try {
    // The branch may carry options for every merge (`--squash` and such), which would come first.
    const env = configVariables([[`branch.${short}.mergeOptions`, '']]);
    const args = ['merge', '-q', '--ff-only', '--no-squash', '--commit', '--no-autostash', '--no-stat', '--end-of-options', o.move.to];
    // 1 is git's answer when files stand in the way; it has then changed nothing.
    const { code, stderr } = await repo.git.run({ at: await checkoutOf(repo, o.worktree.path), args, env, accept: [0, 1] });
    return { localChanges: code === 1, detail: stderr.trim() === '' ? 'git merge --ff-only did not move the branch' : stderr.trim() };
  } catch (error) {
    if (error instanceof GitError) return { localChanges: false, detail: error.detail };
    throw error;
  }
}

/** A rebase or bisect takes its branch off HEAD, but will put it back: the branch is in use without being listed. */
async function branchInOperation(repo: Repository, o: { readonly ref: string; readonly worktrees: readonly ListedWorktree[] }): Promise<{ readonly worktree: string; readonly detail: string } | undefined> {
  const gone = new Set(o.worktrees.filter((w) => w.prunable).map((w) => w.path));
  for (const gitDir of [repo.commonDir, ...(await linkedGitDirs(repo))]) {
    const detail = await operationOn(gitDir, { names: await namesIn(gitDir), ref: o.ref });
    if (detail === undefined) continue;
    const worktree = (gitDir === repo.commonDir ? repo.mainRoot : await registeredAt(gitDir)) ?? gitDir;
    if (!gone.has(worktree)) return { worktree, detail };
  }
  return undefined;
}

async function operationOn(gitDir: string, o: { readonly names: readonly string[]; readonly ref: string }): Promise<string | undefined> {
  for (const folder of ['rebase-merge', 'rebase-apply']) {
    if (o.names.includes(folder) && (await textOf(join(gitDir, folder, 'head-name')))?.trim() === o.ref) return `a rebase of ${o.ref} is in progress`;
  }
  if (o.names.includes('rebase-merge') && (await textOf(join(gitDir, 'rebase-merge', 'update-refs')))?.split('\n').includes(o.ref) === true) {
    return `a rebase that will update ${o.ref} is in progress`;
  }
  if (!o.names.includes('BISECT_START')) return undefined;
  const start = (await textOf(join(gitDir, 'BISECT_START')))?.trim();
  return start === o.ref || `refs/heads/${start}` === o.ref ? `a bisect that began on ${o.ref} is in progress` : undefined;
}

function standing(move: Move, at: string | undefined): AdvanceOutcome {
  return at === move.to ? { kind: 'advanced' } : { kind: 'moved', at };
}

function refused(reason: Extract<AdvanceOutcome, { kind: 'refused' }>['reason'], worktree: string, detail: string): AdvanceOutcome {
  return { kind: 'refused', reason, worktree, detail };
}
