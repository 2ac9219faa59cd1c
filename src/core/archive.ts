// What `choo archive` moved, as data for every face. Moves nothing itself.

/** One folder or file that went to specs/completed/. Repository paths. */
export interface Moved {
  /** The unit it belongs to. */
  readonly unit: string;
  readonly from: string;
  readonly to: string;
}

/** A complete unit, or a design spec of one, that stays. */
export interface Stayed {
  readonly unit: string;
  /** Repository path. */
  readonly path: string;
  readonly because: string;
}

/** All of it. With `dryRun` nothing was changed and `moved` is what would be. */
export interface ArchiveReport {
  readonly dryRun: boolean;
  /** Absolute path of the checkout. */
  readonly top: string;
  readonly moved: readonly Moved[];
  readonly kept: readonly Stayed[];
  /** What could go but would not; `because` is what stood in the way. */
  readonly failed: readonly Stayed[];
}
