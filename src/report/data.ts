// The shape of a run report: what schema/report.schema.json describes. Times are ISO 8601, durations ms.

import type { FailureKind } from '../core/failure.ts';
import type { Usage, Spent } from '../core/usage.ts';
import type { Counts, PullView, RunView, UnitView } from '../core/view.ts';
import type { WaitingFor } from '../core/event.ts';

/** The forms a report has. */
export const REPORT_FORMATS = ['html', 'json'] as const;

/** One of `REPORT_FORMATS`. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** What a moment of a unit was spent on. `rest`: no session worked on the run. */
export const DOINGS = ['agent', 'checks', 'landing', 'other', 'waiting', 'rest'] as const;

/** One of `DOINGS`. */
export type Doing = (typeof DOINGS)[number];

/** Time by what it was spent on; together they are the whole of it. */
export type Durations = Readonly<Record<Doing, number>>;

/** A stretch of time. */
export interface Stretch {
  readonly from: string;
  readonly to: string;
}

/** What went wrong, with the end of what was printed. */
export interface ReportFailure {
  readonly kind: FailureKind;
  /** One sentence. */
  readonly message: string;
  /** The last lines that the command printed. */
  readonly tail?: readonly string[];
  readonly log?: string;
}

/** A check that was run. */
export interface ReportCheck extends Stretch {
  /** What it proves: a task, a unit's own checks, a merge, what lands, the machine before any work. */
  readonly kind: 'task' | 'baseline' | 'merge' | 'proof' | 'trial';
  readonly unit?: string;
  readonly task?: number;
  readonly batch?: number;
  readonly result: 'passed' | 'failed' | 'cut' | 'running';
  /** It failed, and passed when it was run again. */
  readonly flaky?: true;
}

/** One start of an agent. */
export interface ReportAttempt extends Stretch {
  /** Numbered within its task, or within what the unit was mended or reviewed for. */
  readonly number: number;
  readonly purpose: string;
  readonly agent: string;
  readonly model?: string;
  readonly result: 'passed' | 'failed' | 'cut' | 'running';
  readonly usage?: Usage;
  readonly failure?: ReportFailure;
}

/** One task. */
export interface ReportTask {
  readonly number: number;
  readonly title: string;
  readonly state: 'pending' | 'running' | 'complete' | 'failed';
  readonly commit?: string;
  readonly spent?: Spent;
  readonly attempts: readonly ReportAttempt[];
}

/** One unit. */
export interface ReportUnit extends Partial<Stretch> {
  readonly id: string;
  readonly state: UnitView['state'];
  readonly dependsOn: readonly string[];
  readonly tasks: readonly ReportTask[];
  /** Attempts at the whole unit: mending and reviews. */
  readonly attempts: readonly ReportAttempt[];
  readonly durations: Durations;
  /** The same, in order. */
  readonly timeline: readonly (Stretch & { readonly doing: Doing })[];
  readonly critical: boolean;
  readonly spent?: Spent;
  readonly landed?: { readonly commit: string; readonly at: string; readonly ref: string };
  readonly failure?: ReportFailure;
  readonly pull?: Pick<PullView, 'number' | 'url'>;
  readonly worktree?: string;
  readonly branch?: string;
}

/** One step of the critical path: the unit, the time it held everything up, and why it could not begin before. */
export interface CriticalStep extends Stretch {
  readonly unit: string;
  /** `start`: nothing before it; `dependency`: the one before had to land; `slot`: the one before had to leave its place among those at work. */
  readonly because: 'start' | 'dependency' | 'slot';
}

/** Units that landed together, or were to. */
export interface ReportBatch extends Stretch {
  readonly batch: number;
  readonly units: readonly string[];
  readonly proofs: number;
  readonly result: 'landed' | 'not-landed' | 'running';
  readonly ref?: string;
}

/** Something that a person has to do. */
export interface ForPeople {
  readonly unit?: string;
  readonly for: WaitingFor | 'failure' | 'agent' | 'pause';
  readonly text: string;
  /** What to type or to do. */
  readonly command?: string;
}

/** One run. */
export interface Report {
  readonly version: 1;
  readonly run: number;
  readonly at: 'live' | 'elsewhere' | 'rest';
  /** Full ref. */
  readonly target: string;
  readonly base: string;
  readonly mode: 'local' | 'forge';
  readonly startedAt: string;
  /** Up to when this is told: now while it is live, else the last event. */
  readonly asOf: string;
  readonly closed: boolean;
  readonly sessions: readonly (Stretch & { readonly kind: 'run' | 'resume'; readonly ended: 'complete' | 'failed' | 'stopped' | 'crash' | 'running' })[];
  readonly counts: Counts;
  readonly spent?: Spent;
  readonly budget?: NonNullable<RunView['budget']>;
  /** All units' time together; several of them run at the same time. */
  readonly durations: Durations;
  readonly wall: number;
  readonly units: readonly ReportUnit[];
  readonly checks: readonly ReportCheck[];
  readonly batches: readonly ReportBatch[];
  readonly criticalPath: readonly CriticalStep[];
  readonly flaky: readonly { readonly unit?: string; readonly command?: string; readonly text: string }[];
  readonly failures: readonly (ReportFailure & { readonly unit?: string })[];
  readonly people: readonly ForPeople[];
}
