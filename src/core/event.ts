// The closed set of events: everything that can happen in a run, once each, in order. A run is the list of these.
// Those in `BEGINS` announce a step that is then performed and answered by exactly one event; docs/events.md lists all.

import type { Ending, Failure, Finding, ForgeTrouble, Severity, TroubleKind } from './failure.ts';
import type { Limits } from './limits.ts';
import type { Overlap, OverlapMode } from './overlap.ts';
import type { Check, Plan } from './plan.ts';
import type { PullFacts } from './pull-facts.ts';
import type { ForgeTarget, PullRules } from './pull-rules.ts';
import type { SaveTarget, SaveTrouble } from './save-state.ts';
import type { Budget, Currency, Usage } from './usage.ts';

/** Something worth reading over coffee that stopped nothing. `paths` are repository paths. */
export interface Note {
  readonly kind:
    | 'dirty-when-fresh' | 'setup-changed' | 'setup-left' | 'setup-reused' | 'setup-not-kept' | 'copied' | 'spec-restored' | 'spec-changed' | 'passes-before'
    | 'check-left' | 'check-changed' | 'leftover-processes' | 'agent-exit' | 'kept' | 'teardown-failed' | 'baseline-red' | 'unproved'
    | 'flaky-check' | 'known-failure' | 'mended' | 'review' | 'not-reviewed' | 'forge';
  readonly text: string;
  readonly paths?: readonly string[];
  /** The check it is about. */
  readonly command?: string;
  /** Of a known failure: the tests that still fail. */
  readonly failing?: readonly string[];
}

/** Protected paths that a unit changes, as they are at `head` compared with `base`, the newest commit of the target in it. */
export interface ProtectedChange {
  readonly base: string;
  readonly head: string;
  readonly paths: readonly string[];
}

/** What a run does about failures that were there before, and about changes of protected paths. */
export interface Guard {
  /** `record`: a baseline check that fails on the base is judged by difference. */
  readonly base: 'record' | 'ignore';
  readonly protect: 'report' | 'approve' | 'refuse';
  /** Globs. */
  readonly protected: readonly string[];
}

/** What an attempt is for: a task, or mending what a later proof found. */
export type ReworkReason = 'baseline' | 'conflict' | 'proof' | 'review' | 'feedback';

/** What a unit that cannot go on waits for. */
export type WaitingFor = 'quota' | 'budget' | 'person' | 'overlap' | 'approval' | 'review';

/** Why nothing new is started: too many failures, a trial or a recovery that did not work, or (nothing new lands, either) proofs that this machine cannot run. */
export type PauseReason = 'failures-in-a-row' | 'environment' | 'recovery' | 'landing';

/** Settings pinned for the whole run. */
export interface Pinned {
  /** Commit the target pointed to; plan, specs, checks and configuration are read from it. */
  readonly base: string;
  /** Full ref of the target, `refs/heads/…`; in mode `forge` the ref in which choo keeps where the remote target is. */
  readonly targetRef: string;
  readonly tasksDir: string;
  /** Ids asked for with `--unit`; empty means all. */
  readonly selection: readonly string[];
  readonly mode: 'local' | 'forge';
  /** Where units land as pull requests; present in mode `forge`. */
  readonly forge?: ForgeTarget;
  readonly branchPrefix: string;
  readonly plan: Plan;
  /** Configured baseline checks, for every unit. */
  readonly checks: readonly Check[];
  /** Units predicted to change the same files; absent: none. */
  readonly overlaps?: readonly Overlap[];
  /** Absent (runs of older versions): nothing is known or protected. */
  readonly guard?: Guard;
  /** SHA-256 of plan, checks and guard, hex. */
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

/** How finished units come onto the landing ref. */
export interface LandRules {
  /** `never`: units land unproved, as the user asked for. */
  readonly checks: 'proof' | 'never';
  /** `each`: every merge is proved by itself, so no batch is longer than one unit. */
  readonly history: 'batch' | 'each';
  /** What a landed unit looks like in the history. */
  readonly strategy: 'merge' | 'squash' | 'rebase';
  /** Units that are proved together at most. */
  readonly batch: number;
  /** Batches that are under way at the same time at most, each in a landing worktree of its own. */
  readonly speculate: number;
  /** Names of variables on whose values a check's result depends. */
  readonly env: readonly string[];
  /** False: a check is run although it passed on the same inputs before. */
  readonly reuse: boolean;
  /** When what landed is pushed, if at all. */
  readonly push: 'never' | 'after-each' | 'at-end';
}

/** How another agent reviews a unit. */
export interface ReviewRules {
  readonly agent: string;
  readonly model?: string;
  /** `blocking`: a unit with findings that must be mended does not land. */
  readonly mode: 'advisory' | 'blocking';
  /** How often such findings go back to the agent that wrote it. */
  readonly rounds: number;
  /** What is only advice is told, too. */
  readonly verbose: boolean;
}

/** What holds where nothing is said. */
export const DEFAULT_LAND: LandRules = { checks: 'proof', history: 'batch', strategy: 'merge', batch: 32, speculate: 2, env: [], reuse: true, push: 'never' };

/** The branch that the target is pushed to. */
export interface RemoteTarget {
  /** The remote by its name or address, as the user's git configuration has it. */
  readonly name: string;
  /** Full ref there, `refs/heads/…`. */
  readonly ref: string;
}

/**
 * Why the remote target does not get what landed: it, or a hook, refused; it cannot be reached; it has what conflicts with the target, or
 * does not pass together with it; the target cannot take it in; it moves all the time; the step was cut.
 */
export type PushTrouble = 'refused' | 'unreachable' | 'conflict' | 'proof' | 'target' | 'moving' | 'cut';

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
  /** Absent: `DEFAULT_LAND`. */
  readonly land?: LandRules;
  /** What is done about predicted overlaps; absent: `order`. */
  readonly overlap?: OverlapMode;
  /** Present when what lands is pushed. */
  readonly remote?: RemoteTarget;
  /** Present when the run is saved at a remote. */
  readonly ci?: SaveTarget;
  /** Present when another agent reviews each unit before it lands. */
  readonly review?: ReviewRules;
  /** How pull requests are made and followed; absent: as `DEFAULT_PULL` says. */
  readonly pull?: PullRules;
  /** False: the session ends when only people can move it. */
  readonly wait?: boolean;
  /** Where else than in the terminal people are told, by severity; absent: nowhere. */
  readonly tell?: Readonly<Record<Severity, readonly string[]>>;
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
  /** The tests that fail, where a recogniser tells. */
  readonly failing?: readonly string[];
  /** Why other failures cannot be compared with this one: it is not known, but red. */
  readonly unclear?: string;
}

/** One unit on its way to the landing ref: the commit that brings it in, on top of those before it, and the unit's head that this commit contains. */
export interface Merge { readonly unit: string; readonly commit: string; readonly head: string; /** Absent: none. */ readonly notes?: readonly Note[] }

interface OfUnit { readonly unit: string }
interface OfBatch { /** 1, 2, 3 … within the run. */ readonly batch: number }
interface OfTask extends OfUnit { readonly task: number }
interface Attempt { readonly attempt: number; /** The log's path within the run's folder. */ readonly log: string }
/** Who makes an attempt, and what is set aside for it. `agent` is a name of the configuration. */
interface Terms { readonly agent: string; readonly model?: string; readonly cap?: { readonly in: Currency; readonly amount: number } }
/** What an attempt was seen to use, where its agent tells. */
interface Used { readonly usage?: Usage }
interface Failed { readonly failure: Failure }
interface Noted { readonly notes: readonly Note[] }
/** What the unit's commits change of what is protected; `approved`: a person has seen exactly this. */
interface Guarded { readonly protected?: ProtectedChange & { readonly approved: boolean } }

/** An event before it is stamped with `seq`, `time` and `run`. */
export type EventBody =
  // the run
  | { readonly type: 'run.pinned'; readonly pinned: Pinned; readonly settings: Settings }
  | { readonly type: 'run.replanned'; readonly pinned: Pinned; readonly changes: PlanChanges }
  | { readonly type: 'orch.started'; readonly version: 1; readonly graph: readonly GraphUnit[]; readonly target: string; readonly base: string; readonly mode: 'local' | 'forge'; readonly parallelism: number }
  | { readonly type: 'orch.resumed'; readonly settings: Settings }
  | { readonly type: 'orch.stopping'; readonly by: string; readonly now: boolean; /** On the steady clock, ms; only for this session. */ readonly at: number }
  | { readonly type: 'orch.killing' }
  | { readonly type: 'orch.paused'; readonly reason: PauseReason; readonly text: string }
  | { readonly type: 'orch.completed'; readonly result: Result }
  | { readonly type: 'orch.failed'; readonly result: Result }
  | { readonly type: 'orch.stopped'; readonly result: Result }
  | { readonly type: 'run.closed'; readonly by: 'new' }
  // what a person was told, and where
  | { readonly type: 'escalation.delivered'; /** The event it is about. */ readonly of: number; readonly to: string; readonly tries: number }
  | { readonly type: 'escalation.failed'; readonly of: number; readonly to: string; readonly tries: number; readonly text: string }
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
  // the remote target
  | { readonly type: 'run.pushing'; readonly commit: string; /** Nothing else can move. */ readonly last: boolean }
  | { readonly type: 'run.pushed'; readonly commit: string }
  | { readonly type: 'run.push.behind'; /** Where the remote target was found. */ readonly at: string }
  | { readonly type: 'run.push.refused'; readonly reason: PushTrouble; readonly text: string }
  | { readonly type: 'run.catching-up' }
  | { readonly type: 'run.remote-joined'; readonly commit: string; /** Where the target has to be when it moves. */ readonly onto: string; readonly remote: string }
  | { readonly type: 'run.caught-up'; readonly commit: string }
  // what is saved of the run, for another clone
  | { readonly type: 'run.saving'; /** Nothing else can move. */ readonly last: boolean }
  | { readonly type: 'run.saved'; readonly commit: string; /** Number of the last event in it. */ readonly upTo: number }
  | { readonly type: 'run.save.refused'; readonly reason: SaveTrouble; readonly text: string }
  | { readonly type: 'run.restored'; /** What it was restored from, claimed for this session. */ readonly commit: string; readonly upTo: number; /** Told apart from every other that restores the same. */ readonly session: string; /** Folder of the run's worktrees from now on. */ readonly worktrees: string }
  // a unit
  | { readonly type: 'unit.queued' } & OfUnit
  | { readonly type: 'unit.started' } & OfUnit
  | { readonly type: 'unit.prepared'; readonly worktree: string; readonly branch: string; readonly base: string } & OfUnit & Noted
  | { readonly type: 'unit.prepare.failed' } & OfUnit & Failed
  | { readonly type: 'unit.failed'; readonly worktree?: string; readonly branch?: string } & OfUnit & Failed
  | { readonly type: 'unit.blocked'; readonly by: string } & OfUnit
  | { readonly type: 'unit.retried' } & OfUnit
  | { readonly type: 'unit.unblocked' } & OfUnit
  | { readonly type: 'unit.waiting'; readonly for: WaitingFor; readonly agent?: string; /** The unit that an overlap is with. */ readonly other?: string; readonly text: string; /** What is to be approved. */ readonly change?: ProtectedChange } & OfUnit
  | { readonly type: 'unit.approved'; readonly change: ProtectedChange } & OfUnit
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
  // another agent looks at the finished unit
  | { readonly type: 'review.started' } & OfUnit & Attempt & Terms
  | { readonly type: 'review.ended'; readonly attempt: number; readonly findings: readonly Finding[] } & OfUnit & Noted & Used
  | { readonly type: 'review.attempt.failed'; readonly attempt: number } & OfUnit & Failed & Noted & Used
  // the unit's own worktree: baseline checks, fixes by checks, merges of the target
  | { readonly type: 'unit.verifying'; readonly scope: 'baseline' | 'proof' | 'merge' } & OfUnit
  | { readonly type: 'unit.verified'; readonly commit: string; readonly parent: string; readonly merged: boolean } & OfUnit & Noted & Guarded
  | { readonly type: 'unit.verify.failed' } & OfUnit & Failed & Noted
  | { readonly type: 'unit.refreshing' } & OfUnit
  | { readonly type: 'unit.refreshed'; readonly commit: string; readonly parent: string; readonly onto: string; readonly conflicts: readonly string[] } & OfUnit & Guarded
  | { readonly type: 'unit.refresh.failed' } & OfUnit & Failed
  // the unit's branch takes a commit that was verified or brings in the target
  | { readonly type: 'unit.committing'; readonly commit: string } & OfUnit
  | { readonly type: 'unit.committed'; readonly commit: string } & OfUnit
  | { readonly type: 'unit.commit.failed' } & OfUnit & Failed
  // landing: units that wait together are merged one upon the other, proved together, and the landing ref moves once
  | { readonly type: 'batch.merging'; readonly units: readonly string[]; /** The top of the batch before, which has not landed yet; absent: the landing ref. */ readonly onto?: string } & OfBatch
  | { readonly type: 'batch.candidate'; readonly onto: string; /** Where the landing ref has to be when it moves. */ readonly target: string; readonly merges: readonly Merge[]; /** In the landing ref already, proved. */ readonly landed: readonly Merge[]; readonly failed: readonly (OfUnit & Failed)[]; /** Conflict with others of the batches under way. */ readonly postponed: readonly string[]; /** Where the remote target was, when its new commits are in it. */ readonly remote?: string } & OfBatch
  | { readonly type: 'batch.merge.failed' } & OfBatch & Failed
  | { readonly type: 'batch.proving'; readonly commit: string; /** The first units of the batch. */ readonly units: readonly string[]; /** Number of the landing worktree. */ readonly place: number } & OfBatch
  | { readonly type: 'batch.proved'; readonly commit: string; /** Keys of checks that passed, for not running them again. */ readonly passed: readonly string[]; /** Checks that had passed on the same inputs before. */ readonly reused: number } & OfBatch & Noted
  | { readonly type: 'batch.proof.failed'; readonly commit: string } & OfBatch & Failed & Noted
  | { readonly type: 'batch.landing'; readonly commit: string; readonly units: readonly string[] } & OfBatch
  | { readonly type: 'batch.landed'; readonly commit: string; readonly ref: string; readonly diverted?: string } & OfBatch
  | { readonly type: 'batch.moved'; readonly at: string } & OfBatch
  | { readonly type: 'batch.land.failed' } & OfBatch & Failed
  | { readonly type: 'batch.dropped' } & OfBatch
  // pull requests: each unit's branch is pushed, proved, followed until it may be merged, and merged
  | { readonly type: 'forge.held'; readonly reason: ForgeTrouble; readonly text: string; /** Troubles in a row. */ readonly tries: number; /** ISO 8601; absent: until a person says so. */ readonly until?: string }
  | { readonly type: 'forge.released' }
  | { readonly type: 'pr.publishing'; readonly commit: string; /** It may be reviewed: no draft. */ readonly ready: boolean } & OfUnit
  | { readonly type: 'pr.published'; readonly commit: string; readonly number: number; readonly url: string; readonly ready: boolean; readonly created: boolean; /** Name of the branch that it is to be merged into. */ readonly base: string; /** The feedback that was answered, by id. */ readonly answered: readonly string[] } & OfUnit & Noted
  | { readonly type: 'pr.behind'; /** Somebody pushed to its branch. */ readonly at: string } & OfUnit
  | { readonly type: 'pr.proving'; readonly commit: string; /** Number of the landing worktree. */ readonly place: number } & OfUnit
  | { readonly type: 'pr.proved'; readonly commit: string; /** Where the remote target was; the commit contains it. */ readonly onto: string; readonly passed: readonly string[]; readonly reused: number } & OfUnit & Noted
  | { readonly type: 'pr.proof.failed'; readonly commit: string } & OfUnit & Failed & Noted
  | { readonly type: 'pr.outdated'; readonly onto: string } & OfUnit
  | { readonly type: 'pr.following' } & OfUnit
  | { readonly type: 'pr.seen'; readonly facts: PullFacts } & OfUnit
  | { readonly type: 'pr.late' } & OfUnit
  | { readonly type: 'pr.waking' } & OfUnit
  | { readonly type: 'pr.taking'; /** Also what does not contain the unit's own commits, as a person asked for. */ readonly any: boolean } & OfUnit
  | { readonly type: 'pr.taken'; readonly commit: string } & OfUnit & Noted
  | { readonly type: 'pr.merging'; readonly commit: string } & OfUnit
  | { readonly type: 'pr.queued' } & OfUnit
  | { readonly type: 'pr.refused'; readonly text: string } & OfUnit
  | { readonly type: 'pr.merged'; readonly number: number; /** Why the proof fails on the commit by which it landed. */ readonly red?: Failure } & Omit<Merge, 'notes'> & Noted
  | { readonly type: 'pr.step.failed' } & OfUnit & Failed
  | { readonly type: 'unit.merged'; readonly ref: string; readonly diverted?: string } & Merge
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
  'run.recovering', 'trial.started', 'run.advancing', 'run.pushing', 'run.catching-up', 'run.saving', 'unit.started', 'task.started', 'task.retry', 'task.backpressure', 'task.committing',
  'rework.started', 'review.started', 'unit.verifying', 'unit.refreshing', 'unit.committing', 'batch.merging', 'batch.proving', 'batch.landing', 'unit.finishing',
  'pr.publishing', 'pr.proving', 'pr.following', 'pr.taking', 'pr.merging',
] as const satisfies readonly EventType[];

/** An event that begins a step. */
export type Begun = EventOf<(typeof BEGINS)[number]>;

/** An event that begins a session of an agent. */
export type AttemptBegun = EventOf<'task.started' | 'task.retry' | 'rework.started' | 'review.started'>;

/** True for an event that begins a session of an agent. */
export function isAttempt(e: Event): e is AttemptBegun {
  return e.type === 'task.started' || e.type === 'task.retry' || e.type === 'rework.started' || e.type === 'review.started';
}

const begins: ReadonlySet<string> = new Set(BEGINS);

/** True for an event that begins a step. */
export function isBegun(event: Event): event is Begun {
  return begins.has(event.type);
}

/** Events kept to the journal: bookkeeping outside the public promise. */
export const INTERNAL: ReadonlySet<EventType> = new Set<EventType>([
  'run.pinned', 'run.replanned', 'run.recovering', 'run.advancing', 'run.joined', 'run.catching-up', 'run.remote-joined', 'task.committing', 'task.commit.failed', 'unit.committing', 'unit.committed', 'unit.commit.failed',
  'unit.finishing', 'batch.merging', 'batch.candidate', 'batch.moved', 'batch.dropped', 'pr.publishing', 'pr.following', 'pr.taking', 'pr.taken', 'pr.behind', 'pr.waking', 'pr.step.failed',
]);
