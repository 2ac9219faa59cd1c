// Opens a repository as the engine's `Git`. Only puts the operations together; each lives in the file named after it.

import type { Clock, FenceLost, Git, RemoteCall } from '../../world.ts';
import { advance } from './advance.ts';
import { gitRunner } from './exec.ts';
import { clearFlags } from './flags.ts';
import { dropFence, removeFence, takeFence } from './fence.ts';
import * as history from './history.ts';
import { cleanWorktree, releaseLocks, repointWorktree, resetWorktree, restorePaths, stage, unstagePaths } from './index-files.ts';
import { isBroken } from './broken.ts';
import { keep } from './keep.ts';
import { releaseLeftLocks } from './left-locks.ts';
import { repairLink } from './link.ts';
import { listRefs } from './list.ts';
import { beginMerge, conflictMarkers, mergeHead, mergeTrees } from './merge.ts';
import { movePath } from './move.ts';
import { openObjects } from './objects.ts';
import { mendOwnFolder, rememberOwnFolder } from './own-folder.ts';
import { recentChanges } from './recent.ts';
import { keepIndex, retireWorktree } from './pooled.ts';
import { renewFolder } from './pooled-folder.ts';
import { commitTree, moveRef } from './refs.ts';
import { findRemote, push, removeRemote, remoteRunner, remoteTip } from './remote.ts';
import type { FoundRemote } from './remote.ts';
import { mutex, whatStands } from './repository.ts';
import type { Identity, Repository } from './repository.ts';
import { makeSave, pushAll, readSave, refsBelow, remoteRefs } from './saved.ts';
import { settingsReader } from './settings.ts';
import { snapshot } from './snapshot.ts';
import { personText } from './names.ts';
import { openStanding } from './standing.ts';
import { TreeMemory } from './tree-memory.ts';
import { status } from './status.ts';
import { diffText, readFiles, readTree, workingTreeDiff } from './tree.ts';
import { treeWith } from './tree-with.ts';
import type { TreeEntry } from './tree.ts';
import { addWorktree, listWorktrees, removeWorktree, setWorktreeAside } from './worktrees.ts';
import type { ListedWorktree } from './worktrees.ts';

/** What the commands need of git beside the engine's part. */
export interface OpenGit extends Git {
  /** Everything at or below `prefix` (empty: everything) at a commit. */
  readTree(commit: string, prefix: string): Promise<readonly TreeEntry[]>;
  /** Contents of blobs by id, in the order asked. */
  readFiles(ids: readonly string[]): Promise<readonly Buffer[]>;
  /** Paths at or below `prefix` where a worktree (files, index, untracked files) is unlike the commit. */
  workingTreeDiff(worktree: string, o: { readonly commit: string; readonly prefix: string }): Promise<readonly string[]>;
  /** The differences between two commits in the given paths, as a unified diff. */
  diffText(from: string, to: string, paths: readonly string[]): Promise<string>;
  /**
   * Makes `refs/choo/fence` say `nonce`; from then on every change of a ref verifies that it still does, in the same transaction, or throws
   * what `lost` gives. For who holds the repository's lock.
   */
  takeFence(o: { readonly nonce: string; readonly lost: () => FenceLost }): Promise<void>;
  /** Gives the fence back; does nothing when it is not ours. */
  dropFence(): Promise<void>;
  /**
   * Takes the fence away from whoever has it, who can then change no ref any more. Throws GitError while that one is just moving one.
   * `afterDead`: that one is certainly gone, and what it left locked is released.
   */
  removeFence(o: { readonly afterDead: boolean }): Promise<void>;
  /** Moves a tracked file or folder within a worktree, in files and index, as `git mv` does. The target must not exist. */
  movePath(worktree: string, o: { readonly from: string; readonly to: string }): Promise<void>;
  /** The paths that each of the newest commits reachable from `commit` changed, newest first, merges left out. */
  recentChanges(commit: string, most: number): Promise<readonly (readonly string[])[]>;
  /** Every ref that points to something by itself: full name → id. */
  listRefs(): Promise<ReadonlyMap<string, string>>;
  /** Where people push a branch (full ref) to, by git's configuration; undefined: nowhere. */
  findRemote(ref: string): Promise<FoundRemote | undefined>;
  /** Refs of a remote that match a pattern of `git ls-remote`: full name → id. GitError: it cannot be reached. */
  remoteRefs(o: Omit<RemoteCall, 'ref'> & { readonly pattern: string }): Promise<ReadonlyMap<string, string>>;
  /** All worktrees, the main one first. */
  listWorktrees(): Promise<readonly ListedWorktree[]>;
  /** Ends the process that answers questions; the repository may not be used after it. */
  close(): Promise<void>;
}

/** Which repository to open; the places as `inspectRepository` gives them, all absolute. */
export interface OpenOptions {
  readonly commonDir: string;
  /** The main worktree's top; left out for a bare repository. */
  readonly mainRoot?: string | undefined;
  /** Other worktrees of the user's that a snapshot shall tell about. */
  readonly watch?: readonly string[];
  /** The environment choo was started with. */
  readonly env: NodeJS.ProcessEnv;
  readonly sleep: Clock['sleep'];
}

/** Opens a repository. Starts no process yet; needs `close`. */
export function openGit(o: OpenOptions): OpenGit {
  const git = gitRunner({ ...o, many: true });
  const { commonDir } = o;
  const objects = openObjects(git, { cwd: commonDir, gitDir: commonDir });
  const updates = openStanding(git, { at: { cwd: commonDir, gitDir: commonDir }, args: ['update-ref', '--no-deref', '-m', 'choo', '--stdin'] });
  const repo: Repository = {
    git, remote: remoteRunner(o), objects, commonDir, mainRoot: o.mainRoot, watch: o.watch ?? [], registering: mutex(), gitDirs: new Map(), trees: new TreeMemory(), quick: {}, treesOf: new Map(), parents: new Map(), cuts: {}, updates, changingRefs: mutex(), fence: { key: undefined },
    settings: settingsReader({ git, commonDir }), looks: new Map(), packed: { packed: undefined },
    identity: untilItFails(() => readIdentity(repo)),
    signing: untilItFails(() => wantsSigning(repo)),
  };
  return {
    ...factsOf(repo),
    ...changesOf(repo),
    readTree: (commit, prefix) => readTree(repo, { commit, prefix }),
    readFiles: (ids) => readFiles(repo, ids),
    diffText: (from, to, paths) => diffText(repo, { from, to, paths }),
    movePath: (worktree, o) => movePath(repo, { worktree, ...o }),
    recentChanges: (commit, most) => recentChanges(repo, { commit, most }),
    listRefs: () => listRefs(repo),
    findRemote: (ref) => findRemote(repo, ref),
    remoteRefs: (about) => remoteRefs(repo, about),
    listWorktrees: () => listWorktrees(repo),
    workingTreeDiff: (worktree, at) => workingTreeDiff(repo, { worktree, ...at }),
    takeFence: (with_) => takeFence(repo, with_),
    dropFence: () => dropFence(repo),
    removeFence: (with_) => removeFence(repo, with_),
    close: async () => {
      git.close();
      await updates.close();
      await objects.close();
    },
  };
}

/** Asks once; again after a failure, as a config.lock is one that passes. */
function untilItFails<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return async () => {
    answer ??= ask();
    const mine = answer;
    try {
      return await mine;
    } catch (error) {
      // Another may have asked anew meanwhile.
      if (answer === mine) answer = undefined;
      throw error;
    }
  };
}

type Facts = Pick<Git, 'resolve' | 'isAncestor' | 'readFile' | 'treeOf' | 'firstParents' | 'commitsBetween' | 'changedPaths' | 'ownPaths' | 'newLinks' | 'renames' | 'mergeBase' | 'status' | 'mergeHead' | 'conflictMarkers' | 'snapshot'>;

function factsOf(repo: Repository): Facts {
  return {
    resolve: (ref) => history.resolve(repo, ref),
    isAncestor: (ancestor, commit) => history.isAncestor(repo, { ancestor, commit }),
    readFile: (commit, path) => history.readFile(repo, { commit, path }),
    treeOf: (commit) => history.treeOf(repo, commit),
    firstParents: (from, to) => history.firstParents(repo, { from, to }),
    commitsBetween: (from, to) => history.commitsBetween(repo, { from, to }),
    changedPaths: (from, to) => history.changedPaths(repo, { from, to }),
    ownPaths: (from, to) => history.ownPaths(repo, { from, to }),
    newLinks: (from, to) => history.newLinks(repo, { from, to }),
    renames: (from, to) => history.renames(repo, { from, to }),
    mergeBase: (a, b) => history.mergeBase(repo, { a, b }),
    status: (worktree) => status(repo, worktree),
    mergeHead: (worktree) => mergeHead(repo, worktree),
    conflictMarkers: (worktree, commit) => conflictMarkers(repo, { worktree, commit }),
    snapshot: () => snapshot(repo),
  };
}

function changesOf(repo: Repository): Omit<Git, keyof Facts> {
  return {
    addWorktree: (o) => addWorktree(repo, o),
    whatStands: (worktree) => whatStands(repo, worktree),
    isBroken: (worktree) => isBroken(repo, worktree),
    setAside: (path) => setWorktreeAside(repo, path),
    removeWorktree: (path) => removeWorktree(repo, path),
    keepIndex: (worktree, o) => keepIndex(repo, { worktree, ...o }),
    retireWorktree: (worktree, o) => retireWorktree(repo, { worktree, ...o }),
    renewFolder: (o) => renewFolder(repo, o),
    restorePaths: (worktree, o) => restorePaths(repo, { worktree, ...o }),
    unstagePaths: (worktree, o) => unstagePaths(repo, { worktree, ...o }),
    stage: (worktree, paths) => stage(repo, { worktree, paths }),
    treeWith: (tree, o) => treeWith(repo, { tree, ...o }),
    commitTree: (o) => commitTree(repo, o),
    moveRef: (o) => moveRef(repo, o),
    resetWorktree: (worktree, o) => resetWorktree(repo, { worktree, ...o }),
    repointWorktree: (worktree, o) => repointWorktree(repo, { worktree, ...o }),
    repairLink: (worktree) => repairLink(repo, worktree),
    rememberOwnFolder: (worktree) => rememberOwnFolder(repo, worktree),
    mendOwnFolder: (worktree) => mendOwnFolder(repo, worktree),
    releaseLocks: (worktree, branch) => releaseLocks(repo, { worktree, branch }),
    releaseLeftLocks: (refs) => releaseLeftLocks(repo, refs),
    clearFlags: (worktree) => clearFlags(repo, { worktree }),
    cleanWorktree: (worktree) => cleanWorktree(repo, worktree),
    keep: (worktree, o) => keep(repo, { worktree, ...o }),
    mergeTrees: (ours, theirs) => mergeTrees(repo, { ours, theirs }),
    beginMerge: (worktree, commit) => beginMerge(repo, { worktree, commit }),
    advance: (o) => advance(repo, o),
    remoteTip: (o) => remoteTip(repo, o),
    push: (o) => push(repo, o),
    removeRemote: (o) => removeRemote(repo, o),
    makeSave: (o) => makeSave(repo, o),
    refsBelow: (prefix) => refsBelow(repo, prefix),
    readSave: (commit) => readSave(repo, commit),
    pushAll: (o) => pushAll(repo, o),
  };
}

async function wantsSigning(repo: Repository): Promise<boolean> {
  const { stdout } = await repo.git.run({ at: { cwd: repo.commonDir, gitDir: repo.commonDir }, args: ['config', '--type=bool', '--get', 'commit.gpgsign'], accept: [0, 1] });
  return stdout.toString('utf8').trim() === 'true';
}

async function readIdentity(repo: Repository): Promise<Identity> {
  const of = async (name: string): Promise<string> => {
    const { stdout } = await repo.git.run({ at: { cwd: repo.commonDir, gitDir: repo.commonDir }, args: ['var', name] });
    // `name <address> seconds zone`
    return personText(stdout).trim().replace(/ \d+ [+-]\d+$/, '');
  };
  return { author: await of('GIT_AUTHOR_IDENT'), committer: await of('GIT_COMMITTER_IDENT') };
}
