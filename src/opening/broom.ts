// What every part of a cleanup has at hand: the repository as found, the report as it grows, and the few ways in which something
// may be removed. Decides nothing; in a dry run it changes nothing.

import { existsSync } from 'node:fs';
import { folderSize, removeFolder } from '../adapters/folders.ts';
import type { OpenGit } from '../adapters/git/index.ts';
import type { ListedWorktree } from '../adapters/git/worktrees.ts';
import { errnoOf } from '../adapters/errno.ts';
import type { Backup, CleanupReport, Discarded, Leftover } from '../core/cleanup.ts';
import { GitError } from '../world.ts';

/** What is to go, and what it is called in the report. */
export type Thing = Omit<Leftover, 'bytes'>;

/** One cleanup. */
export class Broom {
  readonly git: OpenGit;
  readonly dryRun: boolean;
  /** Full ref → id, kept up to date with what the cleanup itself does. */
  readonly refs: Map<string, string>;
  readonly worktrees: readonly ListedWorktree[];
  readonly #removed: Leftover[] = [];
  readonly #kept: Leftover[] = [];
  readonly #failed: Leftover[] = [];
  readonly #backups: Backup[] = [];
  readonly #discarded: Discarded[] = [];

  constructor(o: { readonly git: OpenGit; readonly dryRun: boolean; readonly refs: ReadonlyMap<string, string>; readonly worktrees: readonly ListedWorktree[] }) {
    this.git = o.git;
    this.dryRun = o.dryRun;
    this.refs = new Map(o.refs);
    this.worktrees = o.worktrees;
  }

  /** The report so far. */
  get report(): CleanupReport {
    const saved = [...this.refs.keys()].filter((ref) => /^refs\/choo\/(?:kept|backup)\//.test(ref)).length;
    return { dryRun: this.dryRun, removed: this.#removed, kept: this.#kept, failed: this.#failed, backups: this.#backups, discarded: this.#discarded, saved };
  }

  /** Notes that a thing stays. */
  keep(thing: Thing): void {
    this.#kept.push(thing);
  }

  /** Notes that a unit of an open run was given up. */
  discarded(what: Discarded): void {
    this.#discarded.push(what);
  }

  /** The worktree registered at a path. */
  registered(path: string): ListedWorktree | undefined {
    return this.worktrees.find((w) => w.path === path);
  }

  /** Makes a new ref under refs/choo/backup/ by `make`, which is not called in a dry run; gives back its name. */
  async backUp(o: { readonly run: number; readonly unit: string }, make: (ref: string) => Promise<string>): Promise<string> {
    const folder = `refs/choo/backup/${o.run}/${o.unit}/`;
    let n = 1;
    while (this.refs.has(`${folder}${n}`)) n++;
    const ref = `${folder}${n}`;
    this.refs.set(ref, this.dryRun ? '' : await make(ref));
    this.#backups.push({ ref, ...o });
    return ref;
  }

  /** Removes a worktree with its registration. False when it would not go. */
  removeWorktree(thing: Thing): Promise<boolean> {
    return this.#remove({ thing, bytes: () => folderSize(thing.what), act: () => this.git.removeWorktree(thing.what) });
  }

  /** Removes a folder that is no worktree, if it is there. False when it would not go. */
  async removeFolder(thing: Thing): Promise<boolean> {
    return !existsSync(thing.what) || this.#remove({ thing, bytes: () => folderSize(thing.what), act: () => removeFolder(thing.what) });
  }

  /** Deletes a ref that stands where it was found; never one that somebody has checked out. False when it stays. */
  async removeRef(thing: Thing): Promise<boolean> {
    const from = this.refs.get(thing.what);
    if (from === undefined) return true;
    const gone = new Set(this.#removed.map((r) => r.what));
    const user = this.worktrees.find((w) => w.branch === thing.what && !gone.has(w.path));
    if (user !== undefined) {
      this.keep({ ...thing, because: `it is checked out in ${user.path}` });
      return false;
    }
    const removed = await this.#remove({
      thing,
      act: async () => {
        if (!(await this.git.moveRef({ ref: thing.what, to: undefined, from, reason: 'choo: cleanup' }))) throw new GitError(`git update-ref -d ${thing.what}`, 'it moved just now');
      },
    });
    if (removed) this.refs.delete(thing.what);
    return removed;
  }

  async #remove(o: { readonly thing: Thing; readonly bytes?: () => Promise<number>; readonly act: () => Promise<void> }): Promise<boolean> {
    try {
      const bytes = await o.bytes?.();
      if (!this.dryRun) await o.act();
      this.#removed.push({ ...o.thing, ...(bytes === undefined ? {} : { bytes }) });
      return true;
    } catch (error) {
      this.fail(o.thing, error);
      return false;
    }
  }

  /** Notes what stood in the way of removing a thing. Throws on what is neither git nor the system. */
  fail(thing: Thing, error: unknown): void {
    if (!(error instanceof GitError) && errnoOf(error) === undefined) throw error;
    const because = error instanceof GitError ? error.detail : String((error as Error).message);
    this.#failed.push({ ...thing, because });
  }
}
