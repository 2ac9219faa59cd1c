// What one session knows of its pool: the folders that are free, who waits for one, and what is made in the background. Makes none itself.

import { Bug } from '../core/bug.ts';
import { BOUNDS } from '../core/limits.ts';
import { FenceLost, GitError } from '../world.ts';
import type { CommitId } from '../world.ts';

/** What the configuration says of it. */
export interface PoolSettings {
  /** `auto`: where a checkout has so many files that it pays. */
  readonly mode: 'auto' | 'always' | 'never';
  /** Patterns of ignored files that stay when a folder goes to another unit. */
  readonly keep: readonly string[];
}

/** What is checked out where, and the index that tells. */
interface Made { readonly index: string; readonly commit: CommitId }
/** A folder that is free, and what is in it. */
export interface Entry extends Made { readonly folder: string }

/** One session's pool. */
export class Pool {
  readonly settings: PoolSettings;
  readonly #free: Entry[] = [];
  /** Preparations that wait for a folder in the making, first come first served. */
  readonly #waiting: ((entry: Entry | undefined) => void)[] = [];
  /** Worktrees of this session that can become folders again. */
  readonly #made = new Map<string, Made>();
  readonly #background = new Set<Promise<void>>();
  #making = 0;
  #names = 0;
  #closed = false;
  #defect: unknown;
  /** Folders filled ahead so far. Those that units need after these come from units that have landed. */
  ahead = 0;
  /** Preparations under way; while there are any, nothing is made ahead. */
  preparing = 0;

  constructor(settings: PoolSettings) {
    this.settings = settings;
  }

  /** Paths that a checkout must have for its folder to be used again. */
  get least(): number {
    return this.settings.mode === 'always' ? 1 : BOUNDS.pooledPaths;
  }

  /** Whether this session has made a worktree that is worth pooling. */
  get pays(): boolean {
    return this.#made.size > 0 && !this.#closed;
  }

  /** Folders there are or will be and nobody waits for. */
  get size(): number {
    return this.#free.length + this.#making - this.#waiting.length;
  }

  /** A name that no other folder or index of this session has. */
  name(): string {
    this.#names += 1;
    return String(this.#names);
  }

  /** Remembers what was checked out into a worktree; undefined: it is of no use any more. Gives back what was remembered. */
  note(worktree: string, made: Made | undefined): Made | undefined {
    const before = this.#made.get(worktree);
    if (made === undefined) this.#made.delete(worktree);
    else this.#made.set(worktree, made);
    return before;
  }

  /** Takes a folder out; waits for one in the making that nobody else waits for. Undefined when there is none. */
  take(): Promise<Entry | undefined> {
    const entry = this.#free.pop();
    if (entry !== undefined || this.#making <= this.#waiting.length) return Promise.resolve(entry);
    return new Promise((resolve) => { this.#waiting.push(resolve); });
  }

  /** Makes a folder behind everybody's back; what git or the disk has against it only means that there is none. */
  make(work: () => Promise<Entry | undefined>): void {
    this.#making += 1;
    this.later(async () => {
      let entry: Entry | undefined;
      try {
        entry = await work();
      } finally {
        this.#making -= 1;
        const next = this.#waiting.shift();
        if (next !== undefined) next(entry);
        else if (entry !== undefined) this.#free.push(entry);
      }
    });
  }

  /** Does something in the background; the session does not end before it. */
  later(work: () => Promise<void>): void {
    const task = work().catch((error: unknown) => {
      if (!isOutside(error)) this.#defect ??= error;
    });
    this.#background.add(task);
    void task.finally(() => this.#background.delete(task));
  }

  /** Begins nothing more and waits for what was begun. Throws what was a defect of choo in it. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#background.size > 0) await Promise.all(this.#background);
    if (this.#defect !== undefined) throw this.#defect instanceof Error ? this.#defect : new Bug('something that is no error was thrown while the pool was filled');
  }
}

/** Trouble with git or the disk, or a lost repository. */
function isOutside(error: unknown): boolean {
  return error instanceof GitError || error instanceof FenceLost || (error instanceof Error && 'code' in error);
}
