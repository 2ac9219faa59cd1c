// What every git operation has at hand: the runner, the repository's places, the object reader. Finds the git directory of a worktree.

import { lstatSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { GitError } from '../../world.ts';
import type { FenceLost } from '../../world.ts';
import { isMissing } from '../errno.ts';
import type { GitOutput, GitRunner, Place } from './exec.ts';
import type { Objects } from './objects.ts';
import type { Memory, PackedMemory, QuickMemory } from './memory.ts';
import type { SettingsReader } from './settings.ts';
import type { Standing } from './standing.ts';
import type { TreeMemory } from './tree-memory.ts';

/** Who commits are by. */
export interface Identity {
  readonly author: string;
  readonly committer: string;
}

/** That this choo, and no other, may change refs: the value `refs/choo/fence` has as long as that holds. */
export interface FenceKey {
  readonly id: string;
  /** The error that says who may now. */
  readonly lost: () => FenceLost;
}

/** One repository, opened. All paths absolute. */
export interface Repository {
  readonly git: GitRunner;
  /** For commands that talk to a remote. */
  readonly remote: GitRunner;
  readonly objects: Objects;
  /** The git directory that all worktrees share. */
  readonly commonDir: string;
  /** The main worktree's top; undefined in a bare repository. */
  readonly mainRoot: string | undefined;
  /** Worktrees beside the main one whose changes a snapshot tells. */
  readonly watch: readonly string[];
  /** Runs `work` alone among those that change registrations of worktrees. */
  readonly registering: <T>(work: () => Promise<T>) => Promise<T>;
  /** Worktree path → git directory, as last found. */
  readonly gitDirs: Map<string, string>;
  /** Trees as last read or written. */
  readonly trees: TreeMemory;
  /** What the last merge without a process knows for the next. */
  readonly quick: QuickMemory;
  /** What a commit or tree is named → the tree it has; neither ever changes. */
  readonly treesOf: Map<string, string>;
  /** Commit → its parents, as last read. */
  readonly parents: Map<string, readonly string[]>;
  /** True when the user's configuration asks for signed commits; read once. */
  readonly signing: () => Promise<boolean>;
  /** `name <address>` of author and committer, as git knows them; read once. */
  readonly identity: () => Promise<Identity>;
  /** An `update-ref --stdin` that stays. */
  readonly updates: Standing;
  /** Runs `work` alone among those that change refs. */
  readonly changingRefs: <T>(work: () => Promise<T>) => Promise<T>;
  /** Empty for who only looks. */
  readonly fence: { key: FenceKey | undefined };
  readonly settings: SettingsReader;
  /** What looks at a worktree (by its git directory) need not read twice. */
  readonly looks: Map<string, Memory>;
  readonly packed: PackedMemory;
}

/** What a command without a worktree is given to run on. */
export interface Ask {
  readonly args: readonly string[];
  readonly input?: string | Buffer;
  readonly accept?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command that needs no worktree. */
export function ask(repo: Repository, call: Ask): Promise<GitOutput> {
  return repo.git.run({ at: { cwd: repo.commonDir, gitDir: repo.commonDir }, ...call });
}

/** Runs a command in a worktree of this repository. */
export async function askIn(repo: Repository, worktree: string, call: Ask): Promise<GitOutput> {
  return repo.git.run({ at: await placeOf(repo, worktree), ...call });
}

/** One call at a time, in the order asked. */
export function mutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/**
 * Where commands for a worktree run. Its git directory comes from the registration, never from the `.git` in the folder:
 * an agent may have removed that (git would then find a repository further up) or made it point elsewhere.
 * Throws GitError when the folder is missing or no worktree of this repository.
 */
export async function placeOf(repo: Repository, worktree: string): Promise<Place> {
  const path = await realOf(worktree);
  if (path === undefined) throw new GitError(`git -C ${worktree}`, `the worktree ${worktree} is missing`);
  const gitDir = await gitDirOf(repo, path);
  if (gitDir === undefined) throw new GitError(`git -C ${worktree}`, `${worktree} is not a worktree of ${repo.commonDir}`);
  return { cwd: path, gitDir, workTree: path };
}

/** The git directory of the worktree registered at `path` (its folder may be missing), or undefined. */
export async function gitDirOf(repo: Repository, path: string): Promise<string | undefined> {
  if (repo.mainRoot === path) return repo.commonDir;
  // git names it after the folder unless that is taken, so the first guess spares reading all of them.
  const guess = repo.gitDirs.get(path) ?? join(repo.commonDir, 'worktrees', basename(path));
  if ((await registeredAt(guess)) === path) return guess;
  repo.gitDirs.delete(path);
  for (const gitDir of await linkedGitDirs(repo)) {
    if ((await registeredAt(gitDir)) !== path) continue;
    repo.gitDirs.set(path, gitDir);
    return gitDir;
  }
  return undefined;
}

/** The git directories of all linked worktrees. */
export async function linkedGitDirs(repo: Repository): Promise<readonly string[]> {
  const all = join(repo.commonDir, 'worktrees');
  return (await namesIn(all)).map((name) => join(all, name));
}

/** The worktree's top that a linked git directory belongs to, or undefined when it says none. */
export async function registeredAt(gitDir: string): Promise<string | undefined> {
  const text = await textOf(join(gitDir, 'gitdir'));
  if (text === undefined) return undefined;
  const file = text.replace(/\n$/, '');
  return dirname(isAbsolute(file) ? file : resolve(gitDir, file));
}

// These ask the system directly: a few microseconds each, where a turn of the thread pool costs twenty times that, many times a task.

/** Names in a folder, none when it is missing. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return unlessMissing(() => readdirSync(folder)) ?? [];
}

/** Text of a small file, or undefined when it is missing. */
export async function textOf(path: string): Promise<string | undefined> {
  return unlessMissing(() => readFileSync(path, 'utf8'));
}

/** True when something is at the path, a link that leads nowhere too. */
export async function exists(path: string): Promise<boolean> {
  return unlessMissing(() => lstatSync(path)) !== undefined;
}

function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The path without symbolic links in its parents, as git registers it; its last part may be missing. Undefined when its parent is missing. */
export async function registrationPath(path: string): Promise<string | undefined> {
  const parent = await realOf(dirname(path));
  return parent === undefined ? undefined : join(parent, basename(path));
}

async function realOf(path: string): Promise<string | undefined> {
  return unlessMissing(() => realpathSync.native(path));
}
