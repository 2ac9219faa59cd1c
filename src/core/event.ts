// The closed set of events: everything that can happen in a run, once each, in order. A run is the list of these.
// Those in `BEGINS` announce a step that is then performed and answered by exactly one event; docs/events.md lists all.

import type { Ending, Failure, TroubleKind } from './failure.ts';
import type { Limits } from './limits.ts';
import type { Check, Plan } from './plan.ts';
import type { Budget, Currency, Usage } from './usage.ts';

/** Something worth reading over coffee that stopped nothing. `paths` are repository paths. */
export interface Note {
  readonly kind:
    | 'dirty-when-fresh' | 'setup-changed' | 'setup-left' | 'copied' | 'spec-restored' | 'passes-before'
    | 'check-left' | 'check-changed' | 'leftover-processes' | 'agent-exit' | 'kept' | 'teardown-failed' | 'baseline-red';
  readonly text: string;
  readonly paths?: readonly string[];
}

/** What an attempt is for: a task, or mending what a later proof found. */
export type ReworkReason = 'baseline' | 'conflict' | 'proof';

/** What a unit that cannot go on waits for. */
export type WaitingFor = 'quota' | 'budget' | 'person';

/** Why nothing new is started: too many failures, a trial or a recovery that did not work. */
export type PauseReason = 'failures-in-a-row' | 'environment' | 'recovery';

/** Settings pinned for the whole run. */
export interface Pinned {
  /** Commit the target pointed to; plan, specs, checks and configuration are read from it. */
  readonly base: string;
  /** Full ref of the target, `refs/heads/…`. */
  readonly targetRef: string;
  readonly tasksDir: string;
  /** Ids asked for with `--unit`; empty means all. */
  readonly selection: readonly string[];
  readonly mode: 'local';
  readonly branchPrefix: string;
  readonly plan: Plan;
  /** Configured baseline checks, for every unit. */
  readonly checks: readonly Check[];
  /** SHA-256 of plan and checks, hex. */
  readonly digest: string;
}

/** How one agent is used; by the agent's name in `Settings.rules`. */
export interface AgentRules {
  /** The model of all its attempts; undefined: the agent's own default. */
  readonly model?: string;
  /** The agent that takes over while this one cannot work. */
  readonly fallback?: string;
  /** What each attempt of a task gets, the last one for all further ones; an empty one gets what the first had. */
  readonly attempts?: readonly { readonly agent?: string; readonly model?: string }[];
}

/** Settings read again by every `resume`. */
export interface Settings {
  readonly parallelism: number;
  readonly limits: Limits;
  readonly conflictRetries: number;
  /** Agent by unit id; `*` is the agent of all others. */
  readonly agents: Readonly<Record<string, string>>;
  /** How agents are used, by name; one without rules has none to itself. */
  readonly rules?: Readonly<Record<string, AgentRules>>;
  /** Absent: nothing is capped. */
  readonly budget?: Budget;
}

/** How the plan of an open run changed. */
export interface PlanChanges {
  readonly added: readonly string[];
  /** Units that are no longer to be done: gone from the specs, or complete on the target. */
  readonly removed: readonly string[];
  /** Units whose texts or settings changed; `tasks` are those to be done (again). */
  readonly changed: readonly { readonly unit: string; readonly tasks: readonly number[] }[];
}

/** How one finished or stopped run stands. Times in ms. */
export interface Result {
  readonly totalUnits: number;
  readonly completedUnits: number;
  readonly failedUnits: number;
  readonly blockedUnits: number;
  readonly waitingUnits: number;
  readonly cancelledUnits: number;
  readonly durationMs: number;
  /** Why not everything is complete, one sentence; absent when all is well. */
  readonly error?: string;
}

/** A node of the graph as observers get it. */
export interface GraphUnit {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly tasks: readonly { readonly number: number; readonly title: string; readonly complete: boolean }[];
}

/** One baseline check as the trial worktree saw it. */
export interface TrialCheck {
  readonly name: string;
  readonly command: string;
  readonly ending: Ending;
}

interface OfUnit { readonly unit: string }
interface OfTask extends OfUnit { readonly task: number }
interface Attempt { readonly attempt: number; /** The log's path within the run's folder. */ readonly log: string }
/** Who makes an attempt, and what is set aside for it. `agent` is a name of the configuration. */
interface Terms { readonly agent: string; readonly model?: string; readonly cap?: { readonly in: Currency; readonly amount: number } }
/** What an attempt was seen to use, where its agent tells. */
interface Used { readonly usage?: Usage }
interface Failed { readonly failure: Failure }
interface Noted { readonly notes: readonly Note[] }

/** An event before it is stamped with `seq`, `time` and `run`. */
export type EventBody =
  // the run
  | { readonly type: 'run.pinned'; readonly pinned: Pinned; readonly settings: Settings }
  | { readonly type: 'run.replanned'; readonly pinned: Pinned; readonly changes: PlanChanges }
  | { readonly type: 'orch.started'; readonly version: 1; readonly graph: readonly GraphUnit[]; readonly target: string; readonly base: string; readonly mode: 'local'; readonly parallelism: number }
  | { readonly type: 'orch.resumed'; readonly settings: Settings }
  | { readonly type: 'orch.stopping'; readonly by: string; readonly now: boolean; /** On the steady clock, ms; only for this session. */ readonly at: number }
  | { readonly type: 'orch.killing' }
  | { readonly type: 'orch.paused'; readonly reason: PauseReason; readonly text: string }
  | { readonly type: 'orch.completed'; readonly result: Result }
  | { readonly type: 'orch.failed'; readonly result: Result }
  | { readonly type: 'orch.stopped'; readonly result: Result }
  | { readonly type: 'run.closed'; readonly by: 'new' }
  // what a session that ended in the middle of things left
  | { readonly type: 'run.recovering' }
  | { readonly type: 'run.recovered' } & Noted
  | { readonly type: 'run.recover.failed' } & Failed
  // the trial worktree
  | { readonly type: 'trial.started' }
  | { readonly type: 'trial.ok'; readonly checks: readonly TrialCheck[] } & Noted
  | { readonly type: 'trial.failed' } & Failed
  // a landing ref of the run's own, when the target cannot move
  | { readonly type: 'run.advancing' }
  | { readonly type: 'run.joined'; readonly commit: string; readonly onto: string; readonly own: string }
  | { readonly type: 'run.advanced'; readonly commit: string }
  | { readonly type: 'run.not-advanced'; readonly text: string; /** The landing ref still contains the target: a fast-forward will do. */ readonly fastForward: boolean }
  // a unit
  | { readonly type: 'unit.queued' } & OfUnit
  | { readonly type: 'unit.started' } & OfUnit
  | { readonly type: 'unit.prepared'; readonly worktree: string; readonly branch: string; readonly base: string } & OfUnit & Noted
  | { readonly type: 'unit.prepare.failed' } & OfUnit & Failed
  | { readonly type: 'unit.failed'; readonly worktree?: string; readonly branch?: string } & OfUnit & Failed
  | { readonly type: 'unit.blocked'; readonly by: string } & OfUnit
  | { readonly type: 'unit.retried' } & OfUnit
  | { readonly type: 'unit.unblocked' } & OfUnit
  | { readonly type: 'unit.waiting'; readonly for: WaitingFor; readonly agent?: string; readonly text: string } & OfUnit
  | { readonly type: 'unit.discarded'; /** Refs that hold what it had; none when it had not begun. */ readonly backups: readonly string[] } & OfUnit
  // an agent that cannot work for now, whatever the work
  | { readonly type: 'agent.held'; readonly agent: string; readonly reason: TroubleKind; readonly text: string; /** Troubles in a row. */ readonly tries: number; /** ISO 8601; absent: until a person says so. */ readonly until?: string }
  | { readonly type: 'agent.released'; readonly agent: string }
  // a task
  | { readonly type: 'task.started' } & OfTask & Attempt & Terms
  | { readonly type: 'task.retry'; readonly because: Failure } & OfTask & Attempt & Terms
  | { readonly type: 'task.attempted'; readonly attempt: number; readonly ending: Ending; readonly passedBefore: boolean } & OfTask & Noted & Used
  | { readonly type: 'task.attempt.failed'; readonly attempt: number } & OfTask & Failed & Noted & Used
  | { readonly type: 'task.backpressure'; readonly command: string } & OfTask & Attempt
  | { readonly type: 'task.validation.ok'; readonly attempt: number; readonly commit: string; readonly parent: string; readonly unchanged: boolean } & OfTask & Noted
  | { readonly type: 'task.validation.fail'; readonly attempt: number } & OfTask & Failed & Noted
  | { readonly type: 'task.committing'; readonly commit: string } & OfTask
  | { readonly type: 'task.committed'; readonly commit: string } & OfTask
  | { readonly type: 'task.commit.failed' } & OfTask & Failed
  | { readonly type: 'task.completed'; readonly attempts: number; readonly unchanged: boolean } & OfTask
  | { readonly type: 'task.failed' } & OfTask & Failed
  // mending by the agent after the tasks
  | { readonly type: 'rework.started'; readonly reason: ReworkReason; readonly because: Failure; readonly also?: Failure } & OfUnit & Attempt & Terms
  | { readonly type: 'rework.attempted'; readonly reason: ReworkReason; readonly attempt: number; readonly ending: Ending } & OfUnit & Noted & Used
  | { readonly type: 'rework.attempt.failed'; readonly reason: ReworkReason; readonly attempt: number } & OfUnit & Failed & Noted & Used
  // the unit's own worktree: baseline checks, fixes by checks, merges of the target
  | { readonly type: 'unit.verifying'; readonly scope: 'baseline' | 'proof' | 'merge' } & OfUnit
  | { readonly type: 'unit.verified'; readonly commit: string; readonly parent: string; readonly merged: boolean } & OfUnit & Noted
  | { readonly type: 'unit.verify.failed' } & OfUnit & Failed & Noted
  | { readonly type: 'unit.refreshing' } & OfUnit
  | { readonly type: 'unit.refreshed'; readonly commit: string; readonly parent: string; readonly onto: string; readonly conflicts: readonly string[] } & OfUnit
  | { readonly type: 'unit.refresh.failed' } & OfUnit & Failed
  // the unit's branch takes a commit that was verified or brings in the target
  | { readonly type: 'unit.committing'; readonly commit: string } & OfUnit
  | { readonly type: 'unit.committed'; readonly commit: string } & OfUnit
  | { readonly type: 'unit.commit.failed' } & OfUnit & Failed
  // landing
  | { readonly type: 'unit.merging' } & OfUnit
  | { readonly type: 'unit.candidate'; readonly commit: string; readonly onto: string; readonly head: string; readonly target: string } & OfUnit
  | { readonly type: 'unit.merge.failed' } & OfUnit & Failed
  | { readonly type: 'unit.proving'; readonly commit: string } & OfUnit
  | { readonly type: 'unit.proved'; readonly commit: string } & OfUnit & Noted
  | { readonly type: 'unit.proof.failed'; readonly commit: string } & OfUnit & Failed
  | { readonly type: 'unit.landing'; readonly commit: string } & OfUnit
  | { readonly type: 'unit.merged'; readonly commit: string; readonly head: string; readonly ref: string; readonly diverted?: string } & OfUnit
  | { readonly type: 'unit.land.moved'; readonly at: string } & OfUnit
  | { readonly type: 'unit.land.failed' } & OfUnit & Failed
  | { readonly type: 'unit.finishing' } & OfUnit
  | { readonly type: 'unit.completed' } & OfUnit & Noted;

/** What the journal adds to every event. */
export interface Stamp {
  /** 1, 2, 3 … without gaps within the run. */
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  /** The run's number in this repository. */
  readonly run: number;
}

/** An event as journal, library, `--json` and screens have it. */
export type Event = Stamp & EventBody;

/** Names of all events. */
export type EventType = EventBody['type'];

/** One event of the given name. */
export type EventOf<T extends EventType> = Extract<Event, { readonly type: T }>;

/** Events that begin a step. Recorded before the step is performed; each is answered exactly once. */
export const BEGINS = [
  'run.recovering', 'trial.started', 'run.advancing', 'unit.started', 'task.started', 'task.retry', 'task.backpressure', 'task.committing',
  'rework.started', 'unit.verifying', 'unit.refreshing', 'unit.committing', 'unit.merging', 'unit.proving', 'unit.landing', 'unit.finishing',
] as const satisfies readonly EventType[];

/** An event that begins a step. */
export type Begun = EventOf<(typeof BEGINS)[number]>;

const begins: ReadonlySet<string> = new Set(BEGINS);

/** True for an event that begins a step. */
export function isBegun(event: Event): event is Begun {
  return begins.has(event.type);
}

/** Events kept to the journal: bookkeeping outside the public promise. */
export const INTERNAL: ReadonlySet<EventType> = new Set<EventType>([
  'run.pinned', 'run.replanned', 'run.recovering', 'run.advancing', 'run.joined', 'task.committing', 'task.commit.failed', 'unit.committing', 'unit.committed', 'unit.commit.failed',
  'unit.finishing', 'unit.land.moved',
]);
