// The shape of a deliberate defect.

/** One defect. `find` occurs exactly once in `file`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The checkers that may catch it. */
  readonly caughtBy: readonly string[];
  /** Where the search begins: the seed that caught it last, for one that shows seldom; default 1. */
  readonly from?: number;
}
