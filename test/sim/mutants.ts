// Deliberate defects of the engine. Each is a small change of production source that compiles, passes the unit tests and must be
// caught by a checker of the simulation. Only a list; bundle.ts lays one into a bundle, main.ts plays it.

/** One defect. `find` occurs exactly once in `file`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The checkers that may catch it. */
  readonly caughtBy: readonly string[];
}

/** All of them. */
export const MUTANTS: readonly Mutant[] = [
];
