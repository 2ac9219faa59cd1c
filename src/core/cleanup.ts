// What `choo cleanup` found and did, as data for every face. Finds and removes nothing itself.

/** One thing of choo's that was found. */
export interface Leftover {
  readonly kind: 'worktree' | 'branch' | 'ref' | 'folder' | 'journal';
  /** Absolute path, or full ref. */
  readonly what: string;
  readonly run?: number;
  readonly unit?: string;
  /** Why it can go, or why it stays. */
  readonly because: string;
  /** Bytes on disk; known for what is removed and has a folder. */
  readonly bytes?: number;
}

/** A ref that holds what was removed. In a dry run the one that would be made. */
export interface Backup {
  readonly ref: string;
  readonly run: number;
  readonly unit: string;
}

/** A unit of an open run that was given up. */
export interface Discarded {
  readonly run: number;
  readonly unit: string;
  /** Units that cannot start in this run any more. */
  readonly blocks: readonly string[];
}

/** All of it. With `dryRun` nothing was changed, and `removed`, `backups` and `discarded` are what would be. */
export interface CleanupReport {
  readonly dryRun: boolean;
  readonly removed: readonly Leftover[];
  readonly kept: readonly Leftover[];
  /** What could go but would not; `because` is what stood in the way. */
  readonly failed: readonly Leftover[];
  readonly backups: readonly Backup[];
  readonly discarded: readonly Discarded[];
  /** Refs under refs/choo/kept and refs/choo/backup, all of them; none is ever removed. */
  readonly saved: number;
}
