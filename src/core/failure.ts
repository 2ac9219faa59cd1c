// Every way work can fail, as a closed union, and the one table that says what follows from each.

import { unreachable } from './bug.ts';
import { describeAmount } from './usage.ts';
import type { Currency } from './usage.ts';

/** How a program ended. `signal` is set when it was killed, `limit` when choo ended it for a time limit. */
export interface Ending {
  readonly code: number | null;
  readonly signal?: string;
  readonly limit?: 'idle' | 'total';
}

/** Last lines of a command's output and the file that holds all of it that was kept. */
export interface Output {
  /** At most `BOUNDS.failureTail` bytes, valid UTF-8, control characters removed. */
  readonly tail: string;
  /** Absolute path of the log. */
  readonly log: string;
  /** The last thing an agent was seen doing, one line. */
  readonly activity?: string;
}

/**
 * Why an agent cannot work, whatever the work: `quota`: used up until a moment; `overload`: its service is busy or broken; `login`:
 * nobody is logged in, or no longer; `setup`: it refuses to start as it is installed or configured here.
 */
export type TroubleKind = 'quota' | 'overload' | 'login' | 'setup';

/** What went wrong with a step, with what a person or an agent needs to act on it. */
export type Failure =
  | { readonly kind: 'agent-failed'; readonly agent: string; readonly ending: Ending; readonly output: Output; /** In the agent's own words. */ readonly text?: string }
  | { readonly kind: 'agent-idle'; readonly agent: string; readonly afterMs: number; readonly output: Output }
  | { readonly kind: 'agent-timeout'; readonly agent: string; readonly afterMs: number; readonly output: Output }
  | { readonly kind: 'agent-trouble'; readonly agent: string; readonly trouble: TroubleKind; readonly text: string; /** When to try again, ms since 1970. */ readonly until?: number; readonly output: Output }
  | { readonly kind: 'over-budget'; readonly agent: string; readonly in: Currency; readonly cap: number; readonly used: number; readonly output: Output }
  | { readonly kind: 'check-failed'; readonly check: string; readonly command: string; readonly ending: Ending; readonly output: Output }
  | { readonly kind: 'unstable-check'; readonly check: string; readonly command: string; readonly paths: readonly string[] }
  | { readonly kind: 'nothing-changed'; readonly check: string }
  | { readonly kind: 'history-rewritten'; readonly detail: string; readonly kept: string }
  | { readonly kind: 'refused-commit'; readonly reason: 'choo-trailer' | 'setup-file'; readonly commit: string; readonly detail: string; readonly kept: string }
  | { readonly kind: 'nested-repository'; readonly paths: readonly string[] }
  | { readonly kind: 'outside-the-fence'; readonly changes: readonly string[] }
  | { readonly kind: 'setup-failed'; readonly command: string; readonly ending: Ending; readonly output: Output }
  | { readonly kind: 'environment'; readonly command: string; readonly code: number; readonly output: Output }
  | { readonly kind: 'base-not-intact'; readonly paths: readonly string[] }
  | { readonly kind: 'conflict'; readonly conflict: 'textual' | 'foreign-change'; readonly paths: readonly string[]; readonly onto: string }
  | { readonly kind: 'path-taken'; readonly path: string }
  | { readonly kind: 'no-space'; readonly path: string; readonly free: number; readonly floor: number }
  | { readonly kind: 'not-writable'; readonly path: string; readonly detail: string }
  | { readonly kind: 'git'; readonly command: string; readonly detail: string }
  | { readonly kind: 'target-gone'; readonly ref: string }
  | { readonly kind: 'cut'; readonly by: 'stop' | 'crash' }
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string };

/** Names of all failures. */
export type FailureKind = Failure['kind'];

/** What follows from a failure: the same step once more, a new attempt told what failed, a pause for somebody else, or the end of the unit. */
export type Verdict = 'again' | 'rework' | 'wait' | 'give-up';

/** The table. `again` is only for what is expected to pass by itself; `cut` resumes without counting against the limit. */
export const VERDICTS: { readonly [K in FailureKind]: Verdict } = {
  'agent-failed': 'rework',
  'agent-idle': 'rework',
  'agent-timeout': 'rework',
  'agent-trouble': 'wait',
  'over-budget': 'rework',
  'check-failed': 'rework',
  'unstable-check': 'give-up',
  'nothing-changed': 'rework',
  'history-rewritten': 'rework',
  'refused-commit': 'rework',
  'nested-repository': 'rework',
  'outside-the-fence': 'rework',
  'setup-failed': 'give-up',
  environment: 'give-up',
  'base-not-intact': 'give-up',
  conflict: 'rework',
  'path-taken': 'give-up',
  'no-space': 'give-up',
  'not-writable': 'give-up',
  git: 'give-up',
  'target-gone': 'give-up',
  cut: 'again',
  bug: 'give-up',
};

/** How loudly a person is told. `blocking`: only a person can go on; `critical`: work was lost or money burned; `warning`: read it over coffee. */
export type Severity = 'info' | 'warning' | 'critical' | 'blocking';

/** The severity of a unit that failed for good: conflicts block, everything else is critical. */
export function severityOf(failure: Failure): Severity {
  return failure.kind === 'conflict' ? 'blocking' : 'critical';
}

/** What each trouble is, as the middle of a sentence. */
export const TROUBLE: { readonly [K in TroubleKind]: string } = {
  quota: 'has used up its quota',
  overload: 'is refused by its service for now',
  login: 'is not logged in',
  setup: 'cannot work as it is set up here',
};

/** One sentence for people: what happened, without the output. */
export function describeFailure(f: Failure): string {
  switch (f.kind) {
    case 'agent-failed': return f.text === undefined ? `the agent (${f.agent}) ${describeEnding(f.ending)}` : `the agent (${f.agent}) failed: ${f.text}`;
    case 'agent-idle': return `the agent (${f.agent}) printed nothing for ${seconds(f.afterMs)} and was ended`;
    case 'agent-timeout': return `the agent (${f.agent}) ran longer than ${seconds(f.afterMs)} and was ended`;
    case 'agent-trouble': return `the agent (${f.agent}) ${TROUBLE[f.trouble]}: ${f.text}`;
    case 'over-budget': return `the attempt was ended at its cap: the agent (${f.agent}) had used ${describeAmount(f.used, f.in)} of ${describeAmount(f.cap, f.in)}`;
    case 'check-failed': return `the check \`${f.command}\` ${describeEnding(f.ending)}`;
    case 'unstable-check': return `the check \`${f.command}\` changes tracked files every time it runs: ${list(f.paths)}`;
    case 'nothing-changed': return `the agent changed nothing, and the check passes as it did before`;
    case 'history-rewritten': return `the agent left the unit's branch in another state than a continuation of it (${f.detail}); what it left is kept at ${f.kept}`;
    case 'refused-commit': return f.reason === 'choo-trailer'
      ? `the agent made a commit with choo's own trailers (${f.commit.slice(0, 10)}: ${f.detail}); it is kept at ${f.kept}`
      : `the agent committed files that setup made and that are never committed (${f.commit.slice(0, 10)}: ${f.detail}); the commit is kept at ${f.kept}`;
    case 'nested-repository': return `the agent made a git repository inside the worktree: ${list(f.paths)}`;
    case 'outside-the-fence': return `something outside the unit's worktree and branch changed while the agent ran: ${list(f.changes)}`;
    case 'setup-failed': return `the setup command \`${f.command}\` ${describeEnding(f.ending)}`;
    case 'environment': return `\`${f.command}\` ended ${f.code}: a program it needs is missing or cannot be executed here`;
    case 'base-not-intact': return `the fresh worktree is not the pinned commit: ${list(f.paths)}`;
    case 'conflict': return f.conflict === 'textual'
      ? `merging onto ${f.onto.slice(0, 10)} conflicts in ${list(f.paths)}`
      : `merging onto ${f.onto.slice(0, 10)} would change paths that the unit's own commits did not: ${list(f.paths)}`;
    case 'path-taken': return `the worktree's path is taken: ${f.path}`;
    case 'no-space': return `only ${mib(f.free)} are free at ${f.path}, less than limits.free_disk (${mib(f.floor)})`;
    case 'not-writable': return `${f.path} cannot be written: ${f.detail}`;
    case 'git': return `git could not do what choo asked (${f.command}): ${f.detail}`;
    case 'target-gone': return `the target branch ${f.ref} no longer exists`;
    case 'cut': return f.by === 'stop' ? 'the step was cut by a stop' : 'the step was cut by a crash';
    case 'bug': return `this is a defect in choo: ${f.message}`;
    default: return unreachable(f);
  }
}

/** The output a failure carries, if its kind has one. */
export function outputOf(f: Failure): Output | undefined {
  return 'output' in f ? f.output : undefined;
}

/** How a program ended, as the end of a sentence. */
export function describeEnding(e: Ending): string {
  if (e.limit === 'idle') return 'was ended for printing nothing';
  if (e.limit === 'total') return 'was ended at its time limit';
  if (e.signal !== undefined) return `was killed by ${e.signal}`;
  return `failed with exit code ${e.code ?? 'unknown'}`;
}

function seconds(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.round(ms / 100) / 10}s`;
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MiB`;
}

function list(paths: readonly string[]): string {
  const shown = paths.slice(0, 5).join(', ');
  return paths.length > 5 ? `${shown} and ${paths.length - 5} more` : shown;
}
