// Where a run stands: the shape of State and how it begins. `evolve.ts` changes it, `decide.ts` reads it.

import type { LandRules, Merge, Note, PauseReason, Pinned, ProtectedChange, ReworkReason, Settings, WaitingFor } from './event.ts';
import { DEFAULT_LAND } from './event.ts';
import type { Untold } from './told.ts';
import type { Failure, Red, TroubleKind } from './failure.ts';
import { buildGraph } from './graph.ts';
import type { Graph } from './graph.ts';
import { ReadyHeap } from './heap.ts';
import { overlapsOf } from './overlap.ts';
import type { Suspect } from './outside.ts';
import type { Overlaps } from './overlap.ts';
import type { Unit } from './plan.ts';
import { byCodeUnit } from './plan.ts';
import type { ForgeHold, PullDo, PullState } from './pull-state.ts';
import { Queue } from './queue.ts';
import { newSave } from './save-state.ts';
import type { SaveState } from './save-state.ts';
import { NOTHING_SPENT } from './usage.ts';
import type { Currency, Spent } from './usage.ts';

/** The states of a unit that users see. */
export type Phase = 'pending' | 'running' | 'proving' | 'landing' | 'waiting' | 'landed' | 'failed' | 'blocked' | 'cancelled';

/** The step a unit needs next. It stays until the step's answer replaces it, so a step that was cut is simply done again. */
export type Next =
  | { readonly step: 'prepare' }
  | { readonly step: 'attempt'; readonly task: number }
  | { readonly step: 'check'; readonly task: number; readonly attempt: number }
  | { readonly step: 'commit'; readonly task: number; readonly commit: string; readonly parent: string }
  | { readonly step: 'verify'; readonly scope: 'baseline' | 'proof' | 'merge' }
  | { readonly step: 'refresh'; /** What follows: mending, the checks, or the tasks that are left. */ readonly then: ReworkReason | 'verify' | 'work' }
  | { readonly step: 'rework'; readonly reason: ReworkReason }
  | { readonly step: 'review' }
  /** The branch takes a commit made by choo; `merged`: a merge in progress in the worktree ends with it. Then `then`. */
  | { readonly step: 'adopt'; readonly commit: string; readonly parent: string; readonly merged: boolean; readonly then: Next }
  /** Something about its pull request; `any`: it takes the branch as people left it, as one of them asked for. */
  | { readonly step: 'pull'; readonly do: PullDo; readonly any?: true }
  /** In the landing queue or in a batch. */
  | { readonly step: 'land' } | { readonly step: 'finish' };

/** What is remembered of one task. */
export interface TaskState {
  done: boolean;
  /** True when this run completed it; its check then belongs to the unit's proof. */
  ours: boolean;
  unchanged: boolean;
  /** Attempts begun; the number of the last one. */
  used: number;
  /** Attempts that failed and count against `limits.attempts`. */
  failed: number;
  /** Attempts cut by a stop or crash. */
  cuts: number;
  /** The agent was told once that nothing changed while the check passes. */
  toldUnchanged: boolean;
  /** How its check ended before the first attempt; absent: that is not known. */
  before?: 'passed' | 'failed';
  /** Why the last attempt failed; the next one is told. */
  last?: Failure;
  commit?: string;
  spent: Spent;
}

/** What is remembered of one unit. */
export interface UnitState {
  readonly index: number;
  readonly unit: Unit;
  phase: Phase;
  next: Next;
  /** `seq` of the event that began the step in flight. */
  inFlight?: number;
  /** Direct dependencies that have not landed. */
  missing: number;
  /** Direct dependencies that failed or are blocked. */
  bad: number;
  holdsSlot: boolean;
  /** The step in flight was lost with its session; its worktree has not been looked at since. */
  interrupted: boolean;
  worktree?: string;
  branch?: string;
  /** Commit the worktree began from. */
  base?: string;
  /** Last commit of the unit's branch that choo recorded. */
  head?: string;
  /** The commit whose specs it was done by, when the run has taken others since it landed. */
  textsAt?: string;
  readonly tasks: TaskState[];
  /** Attempts at mending, by reason: begun in all, and failed or spent since the last success. */
  readonly rework: { used: number; baseline: number; conflict: number; proof: number; review: number; feedback: number; cuts: number };
  /** Reviews: whether what its agent wrote last is to be reviewed, how many were begun, how many in a row failed, and how often findings went back. */
  readonly review: { due: boolean; used: number; failed: number; rounds: number };
  /** What the next rework attempt is to mend. */
  reworkFor?: Failure;
  /** Why the rework attempt before failed, when that is something else. */
  reworkLast?: Failure;
  /** The commit whose merge is in progress in the worktree, from its conflict until it is verified. */
  merging?: string;
  /** When it came to the landing queue, ms since 1970. */
  arrived: number;
  /** How long its own last checks took, ms; and when they began. */
  verify: { since: number; took: number };
  /** The batch it is in. */
  batch?: number;
  /** It conflicts with what batches up to this one bring. */
  after?: number;
  /** How many units had landed when its branch last took in the landing ref. */
  knows: number;
  /** The commit on its way to the landing ref. */
  candidate?: { readonly commit: string; readonly onto: string; readonly head: string; readonly target: string };
  /** The last candidate on which the proof passed, and the head that it contains. */
  proved?: { readonly commit: string; readonly head: string; /** The commit that its batch was proved on. */ readonly top: string; readonly batch: number };
  /** What it changes of what is protected, as it was last verified; `approved`: a person has seen exactly this. */
  protected?: ProtectedChange & { readonly approved: boolean };
  /** What a person approved last. */
  approval?: ProtectedChange;
  /** The dependency on whose open pull request it began; it may have landed since. */
  stackedOn?: string;
  /** Its pull request; absent: it has none yet, or lands locally. */
  pull?: PullState;
  /** The commit by which it provably landed, and the head that this one contains. */
  landed?: string;
  landedHead?: string;
  failure?: Failure;
  /** It went out of the plan with specs that were taken, and comes back with others that have it again. */
  leftPlan?: true;
  readonly notes: Note[];
  /** The agent of its last attempt. */
  agent?: string;
  /** Its last attempt, for people: who makes it, where its log is in the run's folder, since when (ISO). */
  attempt?: { readonly agent: string; readonly model?: string; readonly log: string; readonly since: string };
  /** What its attempts were charged. */
  spent: Spent;
  /** What is set aside for the attempt in flight. */
  reserved?: { readonly in: Currency; readonly amount: number };
  /** Time the unit was first begun and ended, ISO; for people. */
  startedAt?: string;
  endedAt?: string;
}

/** Units on their way to the landing ref together, one upon the other. */
export interface Batch {
  readonly id: number;
  next: 'merge' | 'prove' | 'land';
  /** `seq` of the event that began the step in flight. */
  inFlight?: number;
  /** Indices of its units that have not landed, in their order. */
  units: readonly number[];
  /** A commit for each of them; empty until they are merged. */
  merges: readonly Merge[];
  /** Where the landing ref has to be when it moves. */
  target: string;
  /** How many of the units are proved next, or are proved now that it may land. */
  probe: number;
  /** The fewest of its first units with which the proof fails, and how. */
  red?: { readonly count: number; readonly failure: Failure };
  /** What its last proof found worth a note. */
  notes?: readonly Note[];
  /** Number of the landing worktree of the proof in flight. */
  place?: number;
  /** Where the remote target was, when its new commits are in it. */
  remote?: string;
}

/** What is known of the remote target. */
export interface PushState {
  /** `behind`: it has commits that the target lacks. `later`: it could not be reached, and is tried once more at the end. `stopped`: this session pushes no more. */
  state: 'idle' | 'behind' | 'later' | 'stopped';
  /** The step in flight. */
  step?: 'pushing' | 'catching-up';
  /** What is being pushed. */
  commit?: string;
  /** That step is begun because nothing else can move. */
  last?: boolean;
  /** The last landing that it provably has. */
  pushed?: string;
  /** Pushes in a row that came too late since something landed. */
  tries: number;
  /** Why it was refused. */
  text?: string;
  /** A proved commit that contains `onto`, the target, and what the remote target had. */
  joined?: { readonly commit: string; readonly onto: string };
  /** A value of the remote target with which the proof of a batch failed. */
  unfit?: string;
}

/** A fact that `decide` still has to announce about a unit. */
export type Pending =
  | { readonly what: 'merged'; readonly merge: Merge; readonly ref: string; readonly diverted?: string }
  | { readonly what: 'dropped'; readonly batch: number }
  | { readonly what: 'queued'; readonly unit: number }
  | { readonly what: 'blocked'; readonly unit: number; readonly by: string }
  | { readonly what: 'unblocked'; readonly unit: number }
  | { readonly what: 'completed'; readonly unit: number; readonly task: number }
  | { readonly what: 'approval'; readonly unit: number }
  | { readonly what: 'reviewing'; readonly unit: number }
  | { readonly what: 'wake'; readonly unit: number }
  | { readonly what: 'forge'; readonly failure: Extract<Failure, { kind: 'forge' }> }
  | { readonly what: 'held'; readonly failure: Extract<Failure, { kind: 'agent-trouble' }> }
  | { readonly what: 'gave-up'; readonly unit: number; readonly task?: number; readonly failure: Failure }
  | { readonly what: 'paused'; readonly reason: PauseReason; readonly text: string };

/** An agent that met trouble. */
export interface Hold {
  /** Nothing of it is begun. */
  active: boolean;
  reason: TroubleKind;
  text: string;
  /** ms since 1970 of the next try; undefined: only a person can tell. */
  until?: number;
  /** Troubles in a row. */
  tries: number;
  /** Units that wait for it. */
  readonly waiting: Set<number>;
}

/** A unit whose turn came while it could not begin. */
export interface Parked {
  readonly for: WaitingFor;
  /** The agent that is expected back first; undefined: it waits for the budget. */
  readonly agent?: string;
  /** Why, for people. */
  readonly text: string;
  /** Any of these will do: the agent it is to have, and that one's fallback. */
  readonly agents: readonly string[];
  /** It had been begun before. */
  readonly begun: boolean;
}

/** The whole of a run. Changed in place by `evolve` alone; the cost of a change does not grow with the graph. */
export interface State {
  readonly run: number;
  readonly pinned: Pinned;
  readonly graph: Graph;
  readonly units: readonly UnitState[];
  settings: Settings;
  /** Sequence number of the last event. */
  seq: number;
  /** Time of the last event, ms since 1970. */
  now: number;
  /** When this session (start or resume) began, ms since 1970. */
  sessionStart: number;
  /** Whether what the session before left has been reconciled with the journal. */
  recovery: 'no' | 'needed' | 'running';
  trial: 'needed' | 'running' | 'ok' | 'failed';
  trialFailure?: Failure;
  /** The session before ended without saying so. */
  crashed: boolean;
  /** What the last recovery mended or kept. */
  recoveryNotes: readonly Note[];
  /** Baseline checks that are known to fail, by command: on the base, and on what has landed since. */
  readonly red: { readonly base: Map<string, Red>; readonly landing: Map<string, Red> };
  /** Units that wait for a person's approval before they may land. */
  readonly awaiting: Set<number>;
  /** What the trial found worth reading. */
  trialNotes: readonly Note[];
  /** Seq of the begun run-level step (trial, advance). */
  runStep?: number;
  /** The ref that units land on and new worktrees begin from. */
  landing: { ref: string; diverted?: string };
  /** A proved commit that contains `own`, the run's own landing ref, and `onto`, the target. */
  joined?: { readonly commit: string; readonly onto: string; readonly own: string };
  /** The commit of the last landing, or the one by which the target took in what the remote had since. */
  landed?: string;
  /** The batch of the last landing; 0: none yet. */
  landedBatch: number;
  push: PushState;
  save: SaveState;
  advance: 'no' | 'needed' | 'running' | 'done' | 'refused';
  advanceText?: string;
  /** The target has commits that the landing ref cannot take in by itself. */
  needsMerge: boolean;
  /** Units whose dependencies have landed, best first; without those that overlap one at work, unless that is ignored. */
  readonly ready: ReadyHeap<number>;
  readonly overlaps: Overlaps;
  /** Units that come back from the landing lane and want a slot before new ones. */
  readonly returning: Queue<number>;
  /** Units holding a slot with no step in flight. */
  readonly todo: Set<number>;
  /** Units that wait to land, first in first out. */
  readonly lane: Queue<number>;
  /** Of those, the ones that conflict with batches under way. */
  readonly postponed: Set<number>;
  /** On their way to the landing ref, each upon the one before; only the first one lands. */
  batches: Batch[];
  /** Number of the last batch. */
  batchCount: number;
  /** Batches that were given up while a step of theirs was in flight, with its landing worktree. */
  readonly dropped: Map<number, number | undefined>;
  /** Units whose own checks are at work, which may soon come to the landing queue. */
  readonly verifying: Set<number>;
  /** Indices of the units that landed, in their order. */
  readonly landedOrder: number[];
  /** Units with a step about their pull request that can begin. */
  readonly pulls: Set<number>;
  /** Steps in flight that only wait for people and checks. */
  following: number;
  /** Landing worktrees, by number, in which heads of pull requests are proved: unit → worktree. */
  readonly provingAt: Map<number, number>;
  /** The unit that the forge is just merging. */
  merging?: number;
  /** Units that wait for people, since when (ms since 1970), the longest first; without those whose lateness was told. */
  readonly reviewing: Map<number, number>;
  /** The forge, when it met trouble. */
  forge?: ForgeHold;
  /** Keys of checks that passed in a landing worktree. */
  readonly passed: Set<string>;
  /** What proofs found worth reading. */
  readonly proofNotes: Note[];
  /** What changed outside the fence, and in which attempts. */
  readonly outside: Map<string, readonly Suspect[]>;
  /** Landed units whose worktree is still there. */
  readonly finishing: Set<number>;
  readonly announce: Queue<Pending>;
  /** Agents that met trouble, by name. */
  readonly held: Map<string, Hold>;
  /** Units whose turn came while they could not begin, oldest first: index → why. */
  readonly parked: Map<number, Parked>;
  /** Those of them that wait for room in the run's budget, oldest first. */
  readonly forRoom: Queue<number>;
  /** What all attempts were charged. */
  spent: Spent;
  /** What is set aside for the attempts in flight, in the budget's currency. */
  reserved: number;
  slots: number;
  /** Steps begun and not answered. */
  inFlight: number;
  readonly count: Record<Phase, number>;
  failuresInARow: number;
  paused?: { readonly reason: PauseReason; readonly text: string };
  /** First unit that failed for each environment cause (command → seq), so that a person is told once. */
  readonly environment: Map<string, number>;
  /** What nobody was told yet in places that are configured, by the event's number. */
  readonly untold: Map<number, Untold>;
  /** `since`: on the steady clock of the session, ms. */
  stopping?: { readonly by: string; readonly since: number; now: boolean };
  killing: boolean;
  /** The final event of this session has been recorded. */
  ended: boolean;
  closed: boolean;
}

function newTask(done: boolean): TaskState {
  return { done, ours: false, unchanged: false, used: 0, failed: 0, cuts: 0, toldUnchanged: false, spent: NOTHING_SPENT };
}

function newUnit(unit: Unit, index: number, missing: number): UnitState {
  return {
    index, unit, phase: 'pending', next: { step: 'prepare' }, missing, bad: 0, holdsSlot: false, interrupted: false,
    tasks: unit.tasks.map((t) => newTask(t.complete)),
    rework: { used: 0, baseline: 0, conflict: 0, proof: 0, review: 0, feedback: 0, cuts: 0 }, review: { due: true, used: 0, failed: 0, rounds: 0 },
    notes: [], spent: NOTHING_SPENT, arrived: 0, verify: { since: 0, took: 0 }, knows: 0,
  };
}

/** The state before the first step. Units without unlanded dependencies wait to be announced as queued. Throws a Bug for a cyclic plan. */
export function initialState(run: number, pinned: Pinned, settings: Settings): State {
  const graph = buildGraph(pinned.plan.units);
  const units = graph.units.map((u, i) => newUnit(u, i, graph.deps[i]?.length ?? 0));
  const better = (a: number, b: number): number =>
    (graph.chain[b] ?? 0) - (graph.chain[a] ?? 0) || byCodeUnit(graph.units[a]?.id ?? '', graph.units[b]?.id ?? '');
  const state: State = {
    run, pinned, graph, units, settings, seq: 0, now: 0, sessionStart: 0,
    recovery: 'no', crashed: false, recoveryNotes: [], trial: 'needed', trialNotes: [], red: { base: new Map(), landing: new Map() }, awaiting: new Set(), landing: { ref: pinned.targetRef }, push: { state: 'idle', tries: 0 }, save: newSave(), advance: 'no', needsMerge: false,
    ready: new ReadyHeap<number>(better), overlaps: overlapsOf(pinned.overlaps ?? [], { index: graph.index, better }), returning: new Queue(), todo: new Set(), lane: new Queue(), postponed: new Set(), batches: [], batchCount: 0, landedBatch: 0, dropped: new Map(), verifying: new Set(), landedOrder: [], pulls: new Set(), following: 0, provingAt: new Map(), reviewing: new Map(), passed: new Set(), proofNotes: [], outside: new Map(), finishing: new Set(), announce: new Queue(),
    held: new Map(), parked: new Map(), forRoom: new Queue(), spent: NOTHING_SPENT, reserved: 0,
    slots: 0, inFlight: 0,
    count: { pending: units.length, running: 0, proving: 0, landing: 0, waiting: 0, landed: 0, failed: 0, blocked: 0, cancelled: 0 },
    failuresInARow: 0, environment: new Map(), untold: new Map(), killing: false, ended: false, closed: false,
  };
  for (const u of units) if (u.missing === 0) state.announce.push({ what: 'queued', unit: u.index });
  return state;
}

/** True for a unit with which this run has nothing more to do: it landed, or a person discarded it. */
export function isOver(u: Pick<UnitState, 'phase'>): boolean {
  return u.phase === 'landed' || u.phase === 'cancelled';
}

/** How units land, as the settings say or by default. */
export function landRules(state: Pick<State, 'settings'>): LandRules {
  return state.settings.land ?? DEFAULT_LAND;
}

/** The agent that works on a unit: the settings name it by unit, `*` for all others; undefined when none is configured. */
export function agentOf(state: Pick<State, 'settings'>, unit: string): string | undefined {
  const { agents } = state.settings;
  // A unit may be called `constructor`.
  return Object.hasOwn(agents, unit) ? agents[unit] : agents['*'];
}

/** The next task of a unit that is not done and whose dependencies are, in number order; undefined when all are done. */
export function nextTask(u: UnitState): number | undefined {
  for (const [i, t] of u.unit.tasks.entries()) {
    if (u.tasks[i]?.done === true) continue;
    if (t.dependsOn.every((d) => u.tasks[d - 1]?.done === true)) return t.number;
  }
  return undefined;
}
