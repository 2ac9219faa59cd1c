// Every way work can fail, as a closed union, and the one table that says what follows from each.

import { unreachable } from './bug.ts';
import { joinLines, shellWord } from './clean.ts';
import type { Feedback } from './pull-facts.ts';
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

/** A check's failure that was there before. */
export interface Red {
  /** Not 0. */
  readonly code: number;
  /** The tests that fail; absent: nobody asked for their names. */
  readonly failing?: readonly string[];
}

/** How a check's failure differs from the one that the base has already. */
export interface Beyond {
  /** The exit code on the base. */
  readonly was: number;
  /** Failing tests that do not fail on the base. */
  readonly fresh?: readonly string[];
  /** Why it cannot be told which tests are new. */
  readonly unclear?: string;
}

/**
 * Why an agent cannot work, whatever the work: `quota`: used up until a moment; `overload`: its service is busy or broken; `login`:
 * nobody is logged in, or no longer; `setup`: it refuses to start as it is installed or configured here.
 */
export type TroubleKind = 'quota' | 'overload' | 'login' | 'setup';

/** Why a forge cannot be used for now: nobody reaches it; it refuses the login or its rights; it asks to be left alone; it says no to this one thing. */
export type ForgeTrouble = 'unreachable' | 'login' | 'rate' | 'refused';

/** Units with which one passes alone and not together; absent: it was alone. */
interface Clash { readonly with?: readonly string[]; /** The unit whose check it is, when it ran for a whole batch. */ readonly of?: string }

/** What a reviewer found. `must`: it has to be mended; `advice`: the rest. All texts are the reviewer's, one line each. */
export interface Finding {
  readonly severity: 'must' | 'advice';
  readonly text: string;
  /** Repository path. */
  readonly path?: string;
  readonly line?: number;
}

/** What went wrong with a step, with what a person or an agent needs to act on it. */
export type Failure =
  | { readonly kind: 'agent-failed'; readonly agent: string; readonly ending: Ending; readonly output: Output; /** In the agent's own words. */ readonly text?: string }
  | { readonly kind: 'agent-idle'; readonly agent: string; readonly afterMs: number; readonly output: Output }
  | { readonly kind: 'agent-timeout'; readonly agent: string; readonly afterMs: number; readonly output: Output }
  | { readonly kind: 'agent-trouble'; readonly agent: string; readonly trouble: TroubleKind; readonly text: string; /** When to try again, ms since 1970. */ readonly until?: number; readonly output: Output }
  | { readonly kind: 'over-budget'; readonly agent: string; readonly in: Currency; readonly cap: number; readonly used: number; readonly output: Output }
  | { readonly kind: 'check-failed'; readonly check: string; readonly command: string; readonly ending: Ending; readonly output: Output; /** Set when it fails on the base, too. */ readonly beyond?: Beyond } & Clash
  | { readonly kind: 'unstable-check'; readonly check: string; readonly command: string; readonly paths: readonly string[] }
  | { readonly kind: 'nothing-changed'; readonly check: string; /** How the check ended before any attempt, where that is known. */ readonly before?: 'passed' | 'failed' }
  | { readonly kind: 'protected-paths'; readonly paths: readonly string[]; /** The commit whose state of them holds. */ readonly base: string }
  | { readonly kind: 'history-rewritten'; readonly detail: string; readonly kept: string }
  | { readonly kind: 'refused-commit'; readonly reason: 'choo-trailer' | 'setup-file'; readonly commit: string; readonly detail: string; readonly kept: string }
  | { readonly kind: 'review'; readonly agent: string; readonly findings: readonly Finding[] }
  | { readonly kind: 'no-review'; readonly agent: string; readonly detail: string; readonly output: Output }
  | { readonly kind: 'feedback'; readonly url: string; readonly feedback: readonly Feedback[]; /** Why it is not sent to the agent once more. */ readonly enough?: 'rounds' | 'same' }
  | { readonly kind: 'forge'; readonly reason: ForgeTrouble; readonly text: string; /** When to try again, ms since 1970. */ readonly until?: number }
  | { readonly kind: 'yielded'; readonly url: string; /** Name of the branch, and where it is now; absent: it is gone. */ readonly branch: string; readonly at?: string }
  | { readonly kind: 'not-merged'; readonly url: string; readonly text: string }
  | { readonly kind: 'nested-repository'; readonly paths: readonly string[] }
  | { readonly kind: 'odd-path'; readonly path: string; readonly detail: string }
  | { readonly kind: 'outside-the-fence'; readonly changes: readonly string[] }
  | { readonly kind: 'setup-failed'; readonly command: string; readonly ending: Ending; readonly output: Output } & Clash
  | { readonly kind: 'environment'; readonly command: string; readonly code: number; readonly output: Output }
  | { readonly kind: 'base-not-intact'; readonly paths: readonly string[] }
  | { readonly kind: 'conflict'; readonly conflict: 'textual' | 'foreign-change'; readonly paths: readonly string[]; readonly onto: string }
  | { readonly kind: 'path-taken'; readonly path: string }
  | { readonly kind: 'no-space'; readonly path: string; readonly free: number; readonly floor: number }
  | { readonly kind: 'not-writable'; readonly path: string; readonly detail: string }
  | { readonly kind: 'git'; readonly command: string; readonly detail: string }
  | { readonly kind: 'target-gone'; readonly ref: string }
  | { readonly kind: 'landed-gone'; readonly ref: string; readonly units: readonly string[]; readonly landed: string }
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
  'protected-paths': 'rework',
  'history-rewritten': 'rework',
  'refused-commit': 'rework',
  review: 'rework',
  'no-review': 'rework',
  feedback: 'rework',
  forge: 'wait',
  yielded: 'give-up',
  'not-merged': 'give-up',
  'nested-repository': 'rework',
  'odd-path': 'rework',
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
  'landed-gone': 'give-up',
  cut: 'again',
  bug: 'give-up',
};

/** How loudly a person is told. `blocking`: only a person can go on; `critical`: work was lost or money burned; `warning`: read it over coffee. */
export type Severity = 'info' | 'warning' | 'critical' | 'blocking';

/** The severity of a unit that failed for good: conflicts block, everything else is critical. */
export function severityOf(failure: Failure): Severity {
  return failure.kind === 'conflict' || failure.kind === 'yielded' || failure.kind === 'not-merged' || failure.kind === 'feedback' ? 'blocking' : 'critical';
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
    case 'check-failed': return `the check \`${joinLines(f.command)}\`${f.of === undefined ? '' : ` of ${f.of}`} ${describeEnding(f.ending)}${clash(f)}${describeBeyond(f.beyond)}`;
    case 'unstable-check': return `the check \`${joinLines(f.command)}\` changes tracked files every time it runs: ${list(f.paths)}`;
    case 'protected-paths': return `the unit changes paths that land.protected protects: ${list(f.paths)}`;
    case 'nothing-changed': return `the agent changed nothing${UNCHANGED[f.before ?? 'unknown']}`;
    case 'history-rewritten': return `the agent left the unit's branch in another state than a continuation of it (${f.detail}); what it left is kept at ${f.kept}`;
    case 'refused-commit': return f.reason === 'choo-trailer'
      ? `the agent made a commit with choo's own trailers (${f.commit.slice(0, 10)}: ${f.detail}); it is kept at ${f.kept}`
      : `the agent committed files that setup made and that are never committed (${f.commit.slice(0, 10)}: ${f.detail}); the commit is kept at ${f.kept}`;
    case 'review': return `the review by ${f.agent} found what must be mended: ${list(f.findings.map(describeFinding))}`;
    case 'no-review': return `the reviewing agent (${f.agent}) left no review that can be read: ${f.detail}`;
    case 'feedback': return `${ENOUGH[f.enough ?? 'none']} on ${f.url}: ${list(f.feedback.map(describeFeedback))}`;
    case 'forge': return `the forge ${FORGE_TROUBLE[f.reason]}: ${f.text}`;
    case 'yielded': return f.at === undefined ? `somebody removed the branch ${f.branch} of ${f.url}` : `somebody rewrote the branch ${f.branch} of ${f.url} (it is at ${f.at.slice(0, 10)} now), and choo leaves it to them`;
    case 'not-merged': return `${f.url} does not land: ${f.text}`;
    case 'odd-path': return `${f.path} in the worktree cannot be read, written or replaced: ${f.detail}`;
    case 'nested-repository': return `the agent made a git repository inside the worktree: ${list(f.paths)}`;
    case 'outside-the-fence': return `something outside the unit's worktree and branch changed while the agent ran: ${list(f.changes)}`;
    case 'setup-failed': return `the setup command \`${joinLines(f.command)}\` ${describeEnding(f.ending)}${clash(f)}`;
    case 'environment': return `\`${joinLines(f.command)}\` ended ${f.code}: a program it needs is missing or cannot be executed here`;
    case 'base-not-intact': return `the fresh worktree is not the pinned commit: ${list(f.paths)}`;
    case 'conflict': return f.conflict === 'textual'
      ? `merging onto ${f.onto.slice(0, 10)} conflicts in ${list(f.paths)}`
      : `merging onto ${f.onto.slice(0, 10)} would change paths that the unit's own commits did not: ${list(f.paths)}`;
    case 'path-taken': return `the worktree's path is taken: ${f.path}`;
    case 'no-space': return f.floor === 0 ? `no space is left for ${f.path}` : `only ${mib(f.free)} are free at ${f.path}, less than limits.free_disk (${mib(f.floor)})`;
    case 'not-writable': return `${f.path} cannot be written: ${f.detail}`;
    case 'git': return `git could not do what choo asked (${f.command}): ${f.detail}`;
    case 'target-gone': return `the target branch ${f.ref} no longer exists`;
    case 'landed-gone': return `${f.ref} no longer has what this run landed there (${list(f.units)}); to put it back: git merge ${f.landed.slice(0, 10)} on that branch`;
    case 'cut': return f.by === 'stop' ? 'the step was cut by a stop' : 'the step was cut by a crash';
    case 'bug': return `this is a defect in choo: ${f.message}`;
    default: return unreachable(f);
  }
}

/** What each trouble with a forge is, as the middle of a sentence. */
export const FORGE_TROUBLE: { readonly [K in ForgeTrouble]: string } = {
  unreachable: 'cannot be reached',
  login: 'refuses the login or what it may do',
  rate: 'wants to be left alone for a while',
  refused: 'refuses what choo asked for',
};

const UNCHANGED = {
  passed: ', and the check passes as it did before',
  failed: ' that git would commit, and yet the check passes, which failed before: what it made is ignored by git or untracked by choice',
  unknown: ', and the check passes',
} as const;

const ENOUGH = { none: 'people or checks want something changed', rounds: 'people or checks still want something changed after as many rounds as `review.max_rounds` allows', same: 'the same is said again after it was mended' } as const;

/** One piece of feedback in one line: place, who, and the first line of what was said. */
function describeFeedback({ who, path, line, text }: Feedback): string {
  const first = (text.split('\n').find((one) => one.trim() !== '') ?? '').trim().slice(0, 200);
  return `${path === undefined ? '' : `${path}${line === undefined ? '' : `:${line}`}: `}${who}: ${first}`;
}

/** One finding in one line: place and text. */
export function describeFinding({ path, line, text }: Finding): string {
  return path === undefined ? text : `${path}${line === undefined ? '' : `:${line}`}: ${text}`;
}

function clash(f: Clash): string {
  return f.with === undefined ? '' : ` on the merge with ${list(f.with)}`;
}

/** The output a failure carries, if its kind has one. */
export function outputOf(f: Failure): Output | undefined {
  return 'output' in f ? f.output : undefined;
}

/** The command by which a person begins to resolve a conflict in the unit's worktree; undefined for every other failure. */
export function mergeByHand(f: Failure, worktree: string | undefined): string | undefined {
  return f.kind === 'conflict' && worktree !== undefined ? `cd ${shellWord(worktree)} && git merge ${f.onto}` : undefined;
}

/** What a person does after that command. */
export const BY_HAND = 'where git says that a merge is in progress already, go on with that one; edit, git add, git commit';

/** How a program ended, as the end of a sentence. */
export function describeEnding(e: Ending): string {
  if (e.limit === 'idle') return 'was ended for printing nothing';
  if (e.limit === 'total') return 'was ended at its time limit';
  if (e.signal !== undefined) return `was killed by ${e.signal}`;
  return `failed with exit code ${e.code ?? 'unknown'}`;
}

function describeBeyond(beyond: Beyond | undefined): string {
  if (beyond === undefined) return '';
  const { was, fresh, unclear } = beyond;
  if (fresh !== undefined) return `; these fail here and not on the base: ${list(fresh)}`;
  return unclear === undefined ? `; on the base it fails, too, but with exit code ${was}` : `; it fails on the base, too, but which failures are new cannot be told: ${unclear}`;
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
