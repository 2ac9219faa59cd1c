// What the engine may ask of the outside: interfaces only. The real one is built in `adapters/`, a simulated one in tests.

import type { Activity } from './core/activity.ts';
import type { Reuse } from './core/plan.ts';
import type { Event, EventBody } from './core/event.ts';
import type { Escalation } from './core/told.ts';
import type { Ending } from './core/failure.ts';
import type { Forge } from './forge.ts';
import type { CommandOutput } from './core/recognise.ts';

/** Everything outside the engine. */
export interface World {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly git: Git;
  readonly processes: Processes;
  readonly files: Files;
  /** A new random UUID. */
  uuid(): string;
  /** A short digest of a text, the same on every machine. */
  digest(text: string): string;
  /** A digest of what the results of shell commands depend on besides the tree they run in: this machine, the programs they name, the values of variables, the content of files (absolute). */
  fingerprint(o: { readonly commands: readonly string[]; readonly env: readonly string[]; readonly files: readonly string[] }): Promise<string>;
  readonly setupResults: SetupResults;
  /** A text without the secrets that are known here; absent: nothing is one. */
  readonly redact?: (text: string) => string;
  /** Where units land as pull requests; absent: they land locally. */
  readonly forge?: Forge;
  /** Gets what agents are seen doing; must return at once. */
  readonly activity?: (seen: Seen) => void;
}

/** Time. The only source of it in the engine; a simulated one makes hours pass at once. */
export interface Clock {
  /** Milliseconds since 1970, as the machine believes. */
  now(): number;
  /** Milliseconds that only go forward: `now` of the moment the clock was made plus the time it has measured since. Neither a clock that is set nor a suspended machine moves it, so what waits by it is not all due at once. */
  steady(): number;
  /** Resolves after `ms` of monotonic time, or at once (without error) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The durable list of events of one run; one writer. */
export interface Journal {
  /** Absolute path, for messages. */
  readonly path: string;
  /** Stamps the bodies with `seq`, `time` and `run`, writes them in one piece and flushes to disk before it resolves. Rejects when the disk refuses, and with FenceLost when the repository is no longer ours; then nothing more may happen. */
  append(bodies: readonly EventBody[], now: number): Promise<readonly Event[]>;
  close(): Promise<void>;
}

/**
 * This choo no longer has the repository: another one took over, or somebody gave the lock away. Thrown by whatever would have
 * written. Neither a failure of the work nor a defect: it ends the session, and nothing more is recorded or moved.
 */
export class FenceLost extends Error {
  override name = 'FenceLost';
}

// ---------------------------------------------------------------- git

/** A full object id in hex. Never a moving name. */
export type CommitId = string;
/** A full tree id in hex. */
export type TreeId = string;

/** One path that differs from HEAD, index or both, or is untracked. Ignored files never appear. */
export interface StatusEntry {
  /** Path from the worktree's top, `/`-separated; an untracked embedded repository ends in `/`. */
  readonly path: string;
  readonly kind: 'tracked' | 'untracked' | 'unmerged';
  /** The index differs from HEAD here. */
  readonly staged: boolean;
  /** The file differs from the index here (true for untracked ones). */
  readonly unstaged: boolean;
  /** The index or the files have a link to another repository here that HEAD does not have. */
  readonly newLink: boolean;
}

/** What one `git status` tells about a worktree. */
export interface WorktreeStatus {
  readonly head: CommitId;
  /** Full ref that HEAD points to (`refs/heads/…`), or undefined when detached. */
  readonly branch: string | undefined;
  readonly entries: readonly StatusEntry[];
}

/** Outcome of a three-way merge made without a checkout. */
export type MergeOutcome =
  | {
    readonly kind: 'clean';
    readonly tree: TreeId;
    /** Where the histories part, when the second is a straight line from there: what the merge changes is what that line changed. Absent: nobody looked. */
    readonly since?: CommitId;
  }
  | { readonly kind: 'conflict'; readonly paths: readonly string[] };

/** Outcome of advancing the target. */
export type AdvanceOutcome =
  | { readonly kind: 'advanced' }
  /** The target is not at `from` any more. */
  | { readonly kind: 'moved'; readonly at: CommitId | undefined }
  /** The target stands still, but the checkout that has it refuses. */
  | { readonly kind: 'refused'; readonly reason: 'local-changes' | 'busy' | 'several-worktrees' | 'git'; readonly worktree: string; readonly detail: string };

/** A talk with a remote about one of its branches (full ref). */
export interface RemoteCall {
  readonly name: string;
  readonly ref: string;
  /** It is ended after this long, ms. */
  readonly limitMs: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** Outcome of a push. Whether somebody else was first, only the remote itself can tell. */
export type PushOutcome = { readonly kind: 'pushed' } | { readonly kind: 'refused'; readonly detail: string };

/** A git command that did not do what it was asked. Thrown by `Git`; a failure of the work, not a defect. */
export class GitError extends Error {
  override name = 'GitError';
  /** The command line for people, without secrets. */
  readonly command: string;
  /** What git printed, at most a few lines. */
  readonly detail: string;
  constructor(command: string, detail: string) {
    super(`${command}: ${detail}`);
    this.command = command;
    this.detail = detail;
  }
}

/** The path for a worktree exists already. */
export class PathTaken extends GitError {
  override name = 'PathTaken';
}

/** Facts about and changes to one repository. Every commit is passed as an id; every method throws GitError when git refuses (and for a worktree of choo's own at whose path something else stands), and those that change a ref throw FenceLost when the repository is no longer ours. Safe to call concurrently. */
export interface Git {
  /** The commit a full ref name or id points to, or undefined. Read freshly each time. */
  resolve(ref: string): Promise<CommitId | undefined>;
  /** True when `ancestor` is reachable from `commit` (or the same). */
  isAncestor(ancestor: CommitId, commit: CommitId): Promise<boolean>;
  /** Content of a file at a commit or in a tree, or undefined when it is not there. */
  readFile(at: CommitId, path: string): Promise<string | undefined>;
  /** Id of the tree of a commit. */
  treeOf(commit: CommitId): Promise<TreeId>;
  /** Ids from `from` (exclusive) to `to` along first parents, oldest first, with their full messages. */
  firstParents(from: CommitId, to: CommitId): Promise<readonly { readonly id: CommitId; readonly message: string }[]>;
  /** Every commit reachable from `to` and not from `from`, with full messages, newest first. */
  commitsBetween(from: CommitId, to: CommitId): Promise<readonly { readonly id: CommitId; readonly message: string }[]>;
  /** Paths that differ between two commits or trees, without rename detection. */
  changedPaths(from: string, to: string): Promise<readonly string[]>;
  /** Paths that the first-parent commits in `from..to` changed themselves; of a merge commit only those that differ from all its parents. */
  ownPaths(from: CommitId, to: CommitId): Promise<ReadonlySet<string>>;
  /** Paths that are a link to another repository (a submodule's entry) in `to` and were none in `from`, but for those its .gitmodules names. */
  newLinks(from: CommitId, to: CommitId): Promise<readonly string[]>;
  /** Renames between two commits: new path → old path. */
  renames(from: CommitId, to: CommitId): Promise<ReadonlyMap<string, string>>;
  mergeBase(a: CommitId, b: CommitId): Promise<CommitId | undefined>;

  /**
   * Makes a worktree at `commit`, on a new branch (full ref) or detached; with `filled` out of a folder that `renewFolder` made for `from`, which is gone from
   * its place then, and only when every tracked file is proved to be the commit's. Throws PathTaken when something is there already, GitError otherwise; never
   * forces, never falls back.
   */
  addWorktree(o: { readonly path: string; readonly commit: CommitId; readonly branch?: string; readonly filled?: { readonly folder: string; readonly index: string; readonly from: CommitId } }): Promise<void>;
  /** Copies the index of a worktree that was just made to a file where no agent works. False when the worktree's folder is of no use for `renewFolder`: fewer than `least` paths, or what cannot be proved clean. */
  keepIndex(worktree: string, o: { readonly to: string; readonly least: number }): Promise<boolean>;
  /** Makes a plain folder of a worktree: its registration goes, its folder moves to `to`, where nothing is. The caller has made sure nothing is lost. */
  retireWorktree(worktree: string, o: { readonly to: string }): Promise<void>;
  /**
   * Makes a folder that is no worktree hold the files of `commit` and nothing else, but for ignored ones that match `keep` (patterns as in `.gitignore`).
   * `index` (from `keepIndex` or an earlier call) tells what was checked out there at `from`; without `from` the folder is new. False: it is of no use.
   */
  renewFolder(o: { readonly folder: string; readonly index: string; readonly from?: CommitId; readonly commit: CommitId; readonly keep: readonly string[] }): Promise<boolean>;
  /** Removes a worktree and its registration, whatever it contains; the caller has made sure nothing is lost. A missing folder is fine. */
  removeWorktree(path: string): Promise<void>;
  /** What stands at the path of a worktree of choo's own: that worktree, nothing, or something else (a link, a file, a folder that git does not know): then it is to be set aside before anything is done there. */
  whatStands(worktree: string): Promise<'worktree' | 'nothing' | 'other'>;
  /** True when the files by which git knows the worktree are damaged: then no git command works there, and none will by waiting. */
  isBroken(worktree: string): Promise<boolean>;
  /** Takes a worktree that git cannot work with, or what stands in its place, out of use: it is moved beside its place (gives back where), its registration removed. Nothing in it is lost, no link is followed. */
  setAside(path: string): Promise<string>;
  /** HEAD, branch and changed paths of a worktree, every untracked file by name. */
  status(worktree: string): Promise<WorktreeStatus>;
  /** Sets the given paths, in index and files, to what `commit` has (removing those it lacks). */
  restorePaths(worktree: string, o: { readonly commit: CommitId; readonly paths: readonly string[] }): Promise<void>;
  /** Takes the given paths out of the index as `commit` has them, leaving the files alone. */
  unstagePaths(worktree: string, o: { readonly commit: CommitId; readonly paths: readonly string[] }): Promise<void>;
  /** Stages exactly the given paths as they are in the files (added, changed, deleted) and writes the index as a tree. */
  stage(worktree: string, paths: readonly string[]): Promise<TreeId>;
  /** Writes a tree with the given paths as `commit` has them (without those it lacks), and plain files with these texts. */
  treeWith(tree: TreeId, o: { readonly commit: CommitId; readonly paths: readonly string[]; readonly texts?: ReadonlyMap<string, string> }): Promise<TreeId>;
  /** Makes a commit object; moves nothing. Signed when the user's configuration asks for it. */
  commitTree(o: { readonly tree: TreeId; readonly parents: readonly CommitId[]; readonly message: string; /** The commit whose author it keeps; absent: the user. */ readonly authorOf?: CommitId }): Promise<CommitId>;
  /** Moves a ref by compare-and-swap (`from` undefined: must not exist; `to` undefined: delete). False when it was not at `from`, unless it is a ref that existed and is at `to` already. */
  moveRef(o: { readonly ref: string; readonly to: CommitId | undefined; readonly from: CommitId | undefined; readonly reason: string }): Promise<boolean>;
  /** Makes HEAD of the worktree point to `branch` (a full ref that exists), index and tracked files be `commit`; keeps untracked files. */
  resetWorktree(worktree: string, o: { readonly branch: string | undefined; readonly commit: CommitId }): Promise<void>;
  /** Points HEAD at `branch` and the index at `commit` without touching any file. */
  repointWorktree(worktree: string, o: { readonly branch: string; readonly commit: CommitId }): Promise<void>;
  /** Puts back the `.git` file of a worktree when it is gone or points elsewhere; what stood there is moved beside the worktree (`aside`). Undefined when it was intact. */
  repairLink(worktree: string): Promise<{ readonly aside: string | undefined } | undefined>;
  /** Notes, so that it outlives this session, what in the worktree's own git folder steers git (pointers, configuration). */
  rememberOwnFolder(worktree: string): Promise<void>;
  /** Puts that back as it was noted, once; what stood there instead is moved beside the worktree (`aside`). To be called before any other command there. */
  mendOwnFolder(worktree: string): Promise<readonly { readonly file: string; readonly aside: string | undefined }[]>;
  /** Takes off the flags under which git believes a file of the worktree to be unchanged without looking (what a sparse checkout of the user's leaves out keeps its own); true when there was one. */
  clearFlags(worktree: string): Promise<boolean>;
  /** Removes lock files that a killed git left in a worktree and on its branch. Only when no process is at work there. */
  releaseLocks(worktree: string, branch: string): Promise<void>;
  /** Removes lock files that a killed git left on these branches and in the checkouts that have them, people's too, once it is certain that nobody holds them; gives back their paths. */
  releaseLeftLocks(refs: readonly string[]): Promise<readonly string[]>;
  /** Removes every untracked and ignored file of a worktree of choo's own. */
  cleanWorktree(worktree: string): Promise<void>;
  /** Saves HEAD, index and files (untracked ones too) of a worktree as commits under `ref` without changing any of them; gives back the commit. */
  keep(worktree: string, o: { readonly ref: string; readonly message: string }): Promise<CommitId>;

  /** Merges two commits without any checkout. */
  mergeTrees(ours: CommitId, theirs: CommitId): Promise<MergeOutcome>;
  /** Starts `git merge --no-commit --no-ff <commit>` in a worktree; gives back the paths left in conflict. */
  beginMerge(worktree: string, commit: CommitId): Promise<readonly string[]>;
  /** The commit a merge in progress in the worktree is merging in, or undefined. */
  mergeHead(worktree: string): Promise<CommitId | undefined>;
  /** Tracked paths that still hold conflict markers compared with `commit`. */
  conflictMarkers(worktree: string, commit: CommitId): Promise<readonly string[]>;
  /** Moves the target branch (full ref) to `to`, a descendant of `from`, the way its checkout needs. */
  advance(o: { readonly ref: string; readonly from: CommitId; readonly to: CommitId }): Promise<AdvanceOutcome>;

  /** Where a branch of a remote is now, with all its commits fetched; undefined when the remote has none of that name. Changes no ref. GitError: it cannot be reached. */
  remoteTip(o: RemoteCall): Promise<CommitId | undefined>;
  /** Gives a commit to a branch of a remote, plainly: only forward, never forced. GitError: git could not be run to its end. */
  push(o: RemoteCall & { readonly commit: CommitId }): Promise<PushOutcome>;
  /** Removes a branch of a remote that is at `at`; one that is elsewhere, or gone, is left. GitError: git could not be run to its end. */
  removeRemote(o: RemoteCall & { readonly at: CommitId }): Promise<void>;

  /** A commit with the files of `parent` (absent: none), and `text` (empty: nothing more) as one that comes after them: its lines from number `first` on. `keeps` are further parents, kept by it. Moves nothing, signs nothing. */
  makeSave(o: { readonly parent?: CommitId; readonly first: number; readonly text: string; readonly keeps: readonly CommitId[]; readonly message: string }): Promise<CommitId>;
  /** The texts of such a commit, one after the other. */
  readSave(commit: CommitId): Promise<string>;
  /** Refs of this repository below a prefix that ends in `/`: full name → commit. */
  refsBelow(prefix: string): Promise<ReadonlyMap<string, CommitId>>;
  /** Gives refs of choo's own to a remote, all or none, only forward, without the user's hooks. GitError: it cannot be reached. */
  pushAll(o: Omit<RemoteCall, 'ref'> & { readonly refs: ReadonlyMap<string, CommitId> }): Promise<PushOutcome>;

  /** All branches and tags with their values, and the state of the user's main checkout, as an opaque snapshot. */
  snapshot(): Promise<FenceSnapshot>;
}

/** Refs and main-checkout facts at one moment; two of them are compared to see what an agent did outside. */
export interface FenceSnapshot {
  /** Full ref → id, heads and tags and choo's own refs; remote-tracking refs are left out (editors fetch on their own). */
  readonly refs: ReadonlyMap<string, string>;
  /** Where the main checkout's HEAD points: a full ref or an id. */
  readonly head: string;
  /** Changed or untracked path of the main checkout → a stamp that changes with its content. */
  readonly dirty: ReadonlyMap<string, string>;
  /** The entries of the stash, which all worktrees share: commit → the full ref that was checked out where it was made, undefined for none. */
  readonly stash: ReadonlyMap<string, string | undefined>;
}

// ---------------------------------------------------------------- processes

/** One program to run, contained, until it and everything it started has ended. */
export interface Command {
  /** Program and arguments; nothing is spliced into a shell. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Added to the user's environment, from which `GIT_*`, forge tokens and messenger secrets are removed. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of the file that gets the output; appended to, bounded by `outputLimit` (head and tail kept). */
  readonly log: string;
  readonly outputLimit: number;
  /** Ended after this long, ms. */
  readonly totalMs: number;
  /** Ended after this long without output, ms; 0 or absent: never. */
  readonly idleMs?: number;
  /** Two-way conversation; without it stdin is closed at once. */
  readonly dialogue?: Dialogue;
  /** Its output is wanted, as far as it is kept. */
  readonly wantOutput?: true;
}

/** Two-way talk with a program over stdin and stdout. */
export interface Dialogue {
  /** Written at the start. */
  readonly first: string;
  /** Called with each line of stdout; what it gives back is written to stdin. `close` closes stdin. */
  readonly receive?: (line: string) => { readonly send?: string; readonly close?: boolean; /** Ends the program: `stop` at once, `done` after a while in which it may end by itself. */ readonly end?: 'done' | 'stop'; /** The line is no sign of progress: the idle limit goes on. */ readonly quiet?: boolean };
  /** True: stdin is closed after `first`. */
  readonly oneShot: boolean;
  /** What to write to ask it to stop; undefined: it has no such word. */
  readonly interrupt?: () => string | undefined;
}

/** How to end a command early. `interrupt` asks (its protocol, then SIGTERM to its group) and leaves it time; `kill` ends everything at once. */
export interface Control {
  readonly interrupt: AbortSignal;
  readonly kill: AbortSignal;
}

/** What came of a command; only given once no process of it remains. */
export interface CommandResult extends Ending {
  /** Last bytes of its output, cleaned for people, at most `BOUNDS.failureTail`. */
  readonly tail: string;
  /** Its output as kept in the log, cleaned for people; `whole`: nothing was left out. Only when it was wanted and could be kept. */
  readonly output?: CommandOutput;
  /** What ended it, when that was its dialogue. */
  readonly ended?: 'done' | 'stop';
  /** True when it was ended by `Control`. */
  readonly cut: boolean;
  /** True when it left processes behind that were ended. */
  readonly leftovers: boolean;
}

/** Runs programs and leaves none behind. */
export interface Processes {
  /** Never rejects for what the program does; a program that cannot be started ends 127 (missing) or 126. */
  run(command: Command, control: Control): Promise<CommandResult>;
}

// ---------------------------------------------------------------- files

/** The few file operations a worker needs beside git. All paths absolute. */
export interface Files {
  /** Text of a file; undefined when nothing is there, something that is no file (a link, or a pipe, which would never end), or more than `atMost` bytes (default 64 MiB). */
  readText(path: string, atMost?: number): Promise<string | undefined>;
  /** Writes a file whole (temporary name, then rename), keeping its mode; parents are made. */
  writeText(path: string, text: string): Promise<void>;
  /** The same at a path from the folder `top`, reached through real folders only (made where missing). False, with nothing written, when a link or something else stands in the way: an agent may have put it there, and it may lead anywhere. */
  writeBelow(top: string, path: string, text: string): Promise<boolean>;
  exists(path: string): Promise<boolean>;
  /** Bytes free for us on the file system that holds `path` or its nearest existing parent. */
  freeSpace(path: string): Promise<number>;
  /** Removes a file, or a folder with everything in it; follows no link, also none in the path. What is missing is fine. */
  remove(path: string): Promise<void>;
  /** Copies files of the main checkout that git ignores and that match the globs into a worktree; gives back their paths. */
  copyIgnored(o: { readonly globs: readonly string[]; readonly from: string; readonly to: string }): Promise<readonly string[]>;
  /** True when an executable of that name is on PATH or, with a `/`, at that path seen from `cwd`. */
  canExecute(program: string, cwd: string): Promise<boolean>;
}

/** What setup commands made, kept from worktrees in which no agent had been. */
export interface SetupResults {
  /** Another one when anything changes on which the results depend: the command, the content of the files it goes by, this machine, its programs. */
  key(o: Reuse & { readonly worktree: string; readonly command: string }): Promise<string>;
  /** Copies what is kept under a key to its paths in a worktree. False, with nothing changed, when nothing is kept, something stands at one of the paths, or it cannot be copied. */
  take(key: string, o: { readonly worktree: string; readonly paths: readonly string[] }): Promise<boolean>;
  /** Keeps a copy of these paths. Gives why it could not, in words; the worktree is as it was. */
  keep(key: string, o: { readonly worktree: string; readonly paths: readonly string[] }): Promise<string | undefined>;
}

// ---------------------------------------------------------------- people

/** What an agent is doing at this moment. Chatter, not fact: nobody may rely on getting all of it. */
export interface Seen {
  readonly unit: string;
  /** The task's number, or what is being mended. */
  readonly subject: string;
  readonly attempt: number;
  readonly activity: Activity;
}

/** What became of telling one somewhere else than in the terminal. */
export interface Delivery {
  readonly to: string;
  readonly tries: number;
  /** Why nobody was told; absent: it was delivered. */
  readonly trouble?: string;
}

/** Tells a person. Never delays the loop: the caller does not wait, and a throw is reported, not fatal. Gives what is to be recorded. */
export interface Escalator {
  /** `only`: where it has not been told yet; absent: it is new. `signal`: there is no more time. */
  escalate(e: Escalation, o?: { readonly only?: ReadonlySet<string>; readonly signal?: AbortSignal }): void | Promise<void | readonly Delivery[]>;
}
