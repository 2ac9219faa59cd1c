// What a run works on: the checked graph of units. Data only; `graph.ts` orders it, `discovery/` makes it from texts.

import type { Recogniser } from './recognise.ts';

/** A command that proves something; exit 0 is a pass. */
export interface Check {
  /** Shown to people, used in the commit subject of a fix. */
  readonly name: string;
  /** Run as `sh -c <command>` in a worktree's top folder. */
  readonly command: string;
  /** Glob; the check runs only when a path changed by the unit matches. */
  readonly pattern?: string;
  /** How often it is run again when it failed; absent: `limits.checkRetries`. */
  readonly retries?: number;
  /** Which test runner's output tells the failing tests by name; absent: only its exit code is looked at. */
  readonly recogniser?: Recogniser;
  /** The task whose backpressure it is; absent: a baseline check. */
  readonly task?: number;
}

/** A setup or teardown command of a worktree; `if` is a repository path that must exist there for it to run. */
export interface SetupCommand {
  readonly command: string;
  readonly if?: string;
  /** When what it makes need not be made again. */
  readonly reuse?: Reuse;
}

/** Paths in the worktree, all relative: what a command makes (`makes`) is the same as long as the files it goes by (`by`) are. */
export interface Reuse {
  readonly by: readonly string[];
  readonly makes: readonly string[];
}

/** One markdown file of work. */
export interface Task {
  /** 1, 2, 3 … without gaps within the unit. */
  readonly number: number;
  readonly title: string;
  /** Repository path of its file, `/`-separated. */
  readonly path: string;
  /** The shell command that proves it done ("backpressure"). */
  readonly check: string;
  /** The line of its file that names it, from 1; absent in runs of older versions. */
  readonly line?: number;
  /** Task numbers of the same unit that must be complete first. */
  readonly dependsOn: readonly number[];
  /** True when its file says `status: complete` at the pinned commit. */
  readonly complete: boolean;
  /** Repository path of the design spec its file names, when it names one that exists. */
  readonly specPath?: string;
}

/** A folder of tasks with its plan; the thing that is dispatched and landed as a whole. */
export interface Unit {
  readonly id: string;
  /** Repository path of its folder. */
  readonly dir: string;
  /** Repository path of its IMPLEMENTATION_PLAN.md. */
  readonly planPath: string;
  /** Repository path of its design spec, when there is one. */
  readonly specPath?: string;
  /** Ids of units that must have landed first; satisfied and complete ones are left out. */
  readonly dependsOn: readonly string[];
  /** In number order; at least one. */
  readonly tasks: readonly Task[];
  /** The unit's own baseline checks (plan front matter or fence), beside the configured ones. */
  readonly checks: readonly Check[];
  /** Agent asked for by the plan's front matter. */
  readonly provider?: string;
  /** Globs of paths that the unit means to change. */
  readonly touches: readonly string[];
}

/** The units still to execute, in code-unit order of id, and the ids already complete. */
export interface Plan {
  readonly units: readonly Unit[];
  readonly complete: readonly string[];
}

/** Compares two strings by UTF-16 code unit, the order the contract names; never by locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
