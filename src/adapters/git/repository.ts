// What every git operation has at hand: the runner, the repository's places, the object reader. Finds the git directory of a worktree.

import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { GitError } from '../../world.ts';
import type { FenceLost } from '../../world.ts';
import { isMissing } from '../errno.ts';
import { smallFile } from '../small-file.ts';
import { strayLink } from '../stray.ts';
import type { GitOutput, GitRunner, Place } from './exec.ts';
import type { Objects } from './objects.ts';
import type { CutMemory, Memory, PackedMemory, QuickMemory } from './memory.ts';
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
  /** Where a shallow clone ends. */
  readonly cuts: CutMemory;
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

/** Runs a command in a worktree of choo's own. */
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
 * Where commands for a worktree of choo's own run. Its git directory comes from the registration, never from the `.git` in the folder:
 * an agent may have removed that (git would then find a repository further up) or made it point elsewhere. No link is followed, which
 * may lead to somebody's checkout. Throws GitError when a folder is not there, or is no worktree of this repository, or the main one.
 */
export async function placeOf(repo: Repository, worktree: string): Promise<Place> {
  const stands = await whatStands(repo, worktree);
  const path = await registrationPath(worktree);
  const gitDir = stands === 'worktree' && path !== undefined ? await gitDirOf(repo, path) : undefined;
  if (path !== undefined && gitDir !== undefined) return { cwd: path, gitDir, workTree: path };
  throw new GitError(`git -C ${worktree}`, stands === 'nothing' ? `the worktree ${worktree} is missing` : `${worktree} is no worktree of choo's own in ${repo.commonDir}`);
}

/** Where commands for a checkout of the user's run, the main one or another, whatever links lead there. Throws GitError as `placeOf`. */
export async function checkoutOf(repo: Repository, path: string): Promise<Place> {
  const real = unlessMissing(() => realpathSync.native(path));
  if (real === undefined) throw new GitError(`git -C ${path}`, `the worktree ${path} is missing`);
  const gitDir = await gitDirOf(repo, real);
  if (gitDir === undefined) throw new GitError(`git -C ${path}`, `${path} is not a worktree of ${repo.commonDir}`);
  return { cwd: real, gitDir, workTree: real };
}

/** What stands where a worktree of choo's own is to be: that worktree, nothing (or what a cut `git worktree add` left), or something else: a link, a file, a folder that git does not know. */
export async function whatStands(repo: Repository, worktree: string): Promise<'worktree' | 'nothing' | 'other'> {
  const path = await registrationPath(worktree);
  const facts = path === undefined ? undefined : unlessMissing(() => lstatSync(path));
  if (path === undefined || facts === undefined) return 'nothing';
  if (!facts.isDirectory() || path === repo.mainRoot) return 'other';
  if ((await gitDirOf(repo, path)) !== undefined) return 'worktree';
  return (await isBare(path)) ? 'nothing' : 'other';
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
  // A link may lead to what an agent has made.
  const text = unlessMissing(() => lstatSync(gitDir))?.isDirectory() === true ? await textOf(join(gitDir, 'gitdir')) : undefined;
  if (text === undefined) return undefined;
  const file = text.replace(/\n$/, '');
  return dirname(isAbsolute(file) ? file : resolve(gitDir, file));
}

// These ask the system directly: a few microseconds each, where a turn of the thread pool costs twenty times that, many times a task.

/** Names in a folder, none when it is missing. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return unlessMissing(() => readdirSync(folder)) ?? [];
}

/** A larger file is none of those by which git says where it is and what it is doing, bytes. */
const LARGEST_TEXT = 1024 * 1024;

/** Text of one of git's small files, or undefined when it is missing or something in its place that git never wrote: a pipe, a folder, an endless file. */
export async function textOf(path: string): Promise<string | undefined> {
  const file = smallFile(path, { most: LARGEST_TEXT });
  return typeof file === 'string' ? undefined : file.content.toString('utf8');
}

/** True when something is at the path, a link that leads nowhere too. */
export async function exists(path: string): Promise<boolean> {
  return unlessMissing(() => lstatSync(path)) !== undefined;
}

/** True for a worktree's folder that is not there, is empty or holds nothing but its `.git` file; a link is none. */
export async function isBare(folder: string): Promise<boolean> {
  const facts = unlessMissing(() => lstatSync(folder));
  if (facts?.isDirectory() === false) return false;
  return (unlessMissing(() => readdirSync(folder, { withFileTypes: true })) ?? []).every((entry) => entry.name === '.git' && entry.isFile());
}

function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * The path of a worktree of choo's own as git registers it; its last part may be missing. Undefined when its parent is missing. Throws
 * GitError when a link leads from there to another place: choo's paths have none when they are made.
 */
export async function registrationPath(path: string): Promise<string | undefined> {
  const real = resolve(path);
  const away = strayLink(dirname(real));
  if (away !== undefined) throw new GitError(`git -C ${path}`, `a symbolic link leads from ${dirname(real)} to ${away}; it is not followed (remove it, and try again)`);
  return (await exists(dirname(real))) ? real : undefined;
}
