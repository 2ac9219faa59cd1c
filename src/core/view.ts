// A run as plain data for every face: text, JSON, screens. Computes nothing that State does not say; knows no layout.

import { unreachable } from './bug.ts';
import { keptBackBy } from './crowd.ts';
import type { Note, ProtectedChange, WaitingFor } from './event.ts';
import { describeFailure, mergeByHand, outputOf } from './failure.ts';
import type { Failure, FailureKind, TroubleKind } from './failure.ts';
import { outsideView } from './outside.ts';
import type { OutsideView } from './outside.ts';
import { describeOverlap } from './overlap.ts';
import { isOpen } from './open.ts';
import type { Unit } from './plan.ts';
import type { Ignored, PullFacts } from './pull-facts.ts';
import { byCodeUnit } from './plan.ts';
import { isPushing, isUnpushed, remoteName } from './push.ts';
import { landRules } from './state.ts';
import type { Next, Phase, State, TaskState, UnitState } from './state.ts';
import type { Budget, Spent } from './usage.ts';

/** A failure as people and programs get it. */
export interface FailureView {
  readonly kind: FailureKind;
  /** One sentence. */
  readonly message: string;
  /** The last thing the agent was seen doing. */
  readonly activity?: string;
  /** Absolute path of the log, where there is one. */
  readonly log?: string;
  /** The command by which a person begins to mend it, where an agent could not. */
  readonly byHand?: string;
}

/** One task. */
export interface TaskView {
  readonly number: number;
  readonly title: string;
  readonly state: 'pending' | 'running' | 'complete' | 'failed';
  /** Attempts begun in this run. */
  readonly attempts: number;
  /** Complete although no file changed. */
  readonly unchanged: boolean;
  /** It is unchanged, but its check failed before any work: what the agent made is nothing that git commits. */
  readonly uncommitted?: true;
  readonly commit?: string;
  /** What its attempts were charged; absent: nothing. */
  readonly spent?: Spent;
}

/** What a unit that cannot go on waits for. */
export interface WaitingView {
  readonly for: WaitingFor;
  /** The agent; absent: the budget, an overlap, or a person's approval. */
  readonly agent?: string;
  /** The unit at work that it overlaps with. */
  readonly other?: string;
  readonly text: string;
  /** ISO 8601, when it is tried again by itself; absent: a person must do something. */
  readonly until?: string;
}

/** The attempt that an agent is making. */
export interface AttemptView {
  readonly agent: string;
  readonly model?: string;
  /** Path of the log within the run's folder. */
  readonly log: string;
  /** ISO 8601. */
  readonly since: string;
}

/** An agent that cannot work for now. */
export interface HeldView {
  readonly agent: string;
  readonly reason: TroubleKind;
  readonly text: string;
  /** ISO 8601 of the next try; absent: a person must do something. */
  readonly until?: string;
  /** Troubles in a row. */
  readonly tries: number;
}

/** A pull request. */
export interface PullView {
  readonly number: number;
  readonly url: string;
  readonly draft: boolean;
  readonly checks?: PullFacts['checks'];
  readonly approvedBy: readonly string[];
  readonly refusedBy: readonly string[];
  /** Said by people who may not steer an agent, and so passed over. */
  readonly ignored: readonly Ignored[];
}

/** One unit. Paths absolute. */
export interface UnitView {
  readonly id: string;
  /** `complete`: it was so before this run and has no part in it. */
  readonly state: Phase | 'complete';
  /** What it is doing or needs next, for people; absent when there is nothing left to do. */
  readonly step?: string;
  readonly dependsOn: readonly string[];
  readonly tasks: readonly TaskView[];
  readonly failure?: FailureView;
  readonly waiting?: WaitingView;
  /** While an agent works on it. */
  readonly attempt?: AttemptView;
  /** What its attempts were charged; absent: nothing. */
  readonly spent?: Spent;
  /** Where its work is, while that is there. */
  readonly worktree?: string;
  readonly branch?: string;
  /** Its pull request. */
  readonly pull?: PullView;
  /** The commit by which it landed. */
  readonly landed?: string;
  /** What it changes of what is protected. */
  readonly protected?: ProtectedChange & { /** A person has seen exactly this. */ readonly approved: boolean };
  readonly notes: readonly Note[];
  /** ISO 8601. */
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** A unit on its way to the landing ref. */
export interface QueuedView {
  readonly unit: string;
  /** Number of its batch, which is merged and proved together; absent: it is in none yet. */
  readonly batch?: number;
  /** What is done with it right now. */
  readonly doing: 'merging' | 'proving' | 'landing' | 'waiting';
}

/** Units by state. */
export type Counts = Readonly<Record<UnitView['state'], number>>;

/** One run, or what a run would work on when there was none. */
export interface RunView {
  /** Its number; absent when there was no run yet. */
  readonly run?: number;
  /** Full ref of the target; absent before the first run. */
  readonly target?: string;
  /** The ref units land on and, when it is not the target, why. */
  readonly landing?: { readonly ref: string; readonly because?: string; /** The target cannot simply be fast-forwarded to it. */ readonly needsMerge?: true };
  /** Where the target is pushed to, whether what landed is there, and why not; absent: nothing is pushed. */
  readonly push?: { readonly to: string; readonly done: boolean; readonly because?: string };
  /** The remote where the run is saved, up to which event, and why not further; absent: it is not. */
  readonly saved?: { readonly at: string; readonly upTo: number; readonly because?: string };
  /** Nothing is left to do: every unit has landed or was discarded, and what landed is cleared up after; or a new run closed this one. */
  readonly closed: boolean;
  readonly paused?: string;
  /** Why the trial worktree could not be made ready, which is the cause of the pause. */
  readonly trialFailure?: FailureView;
  /** What asked the run to stop. */
  readonly stopping?: string;
  readonly counts: Counts;
  /** What all attempts were charged; absent: nothing. */
  readonly spent?: Spent;
  /** The budget, with what is set aside for the attempts in flight. */
  readonly budget?: Budget & { readonly reserved: number };
  /** Agents that cannot work for now. */
  readonly held?: readonly HeldView[];
  /** The landing queue in its order: batches under way, then units that wait to land. */
  readonly queue: readonly QueuedView[];
  /** In code-unit order of id. */
  readonly units: readonly UnitView[];
  /** What the trial worktree showed before any work. */
  readonly notes: readonly Note[];
  /** Baseline checks that failed before any work and are judged by difference; absent: none. */
  readonly known?: readonly KnownView[];
  /** What changed outside the fence while agents ran; absent: nothing. */
  readonly outside?: OutsideView;
}

/** A run without its units. */
export type RunHead = Omit<RunView, 'units'>;

/** A baseline check that failed before any work. */
export interface KnownView {
  readonly command: string;
  readonly code: number;
  /** How many tests fail on the base, where a recogniser tells. */
  readonly tests?: number;
  /** It passes on what has landed since. */
  readonly mended: boolean;
}

/** The run as State has it. */
export function viewOf(state: State): RunView {
  const units = [...state.units.map((u) => viewOfUnit(state, u)), ...state.pinned.plan.complete.map(viewOfComplete)].toSorted((a, b) => byCodeUnit(a.id, b.id));
  return { ...headOf(state), units };
}

/** The same without its units, for who keeps those: its cost does not grow with the graph. */
export function headOf(state: State): RunHead {
  const { landing, paused, trialFailure, stopping, settings: { budget } } = state;
  const because = landing.ref === state.pinned.targetRef ? undefined : state.advanceText ?? landing.diverted;
  return {
    run: state.run,
    target: state.pinned.forge?.ref ?? state.pinned.targetRef,
    landing: { ref: state.pinned.forge?.ref ?? landing.ref, ...(because === undefined ? {} : { because }), ...(state.needsMerge ? { needsMerge: true } : {}) },
    ...pushView(state), ...saveView(state),
    closed: !isOpen(state),
    ...(paused === undefined ? {} : { paused: paused.text }),
    ...(trialFailure === undefined ? {} : { trialFailure: failureView(trialFailure) }),
    ...(stopping === undefined ? {} : { stopping: stopping.by }),
    counts: { ...state.count, complete: state.pinned.plan.complete.length },
    ...spentView(state.spent),
    ...(budget === undefined ? {} : { budget: { ...budget, reserved: state.reserved } }),
    ...heldView(state),
    queue: queueView(state),
    notes: [...state.trialNotes, ...state.proofNotes, ...unproved(state)],
    ...knownView(state), ...outsideView(state),
  };
}

const BATCH_STEPS = { merge: 'merging', prove: 'proving', land: 'landing' } as const;

function queueView({ batches, lane, postponed, units }: State): readonly QueuedView[] {
  const id = (index: number): readonly string[] => { const u = units[index]; return u === undefined ? [] : [u.unit.id]; };
  return [
    // Of a batch that is red, and of one that lands in part, only the first units are tried.
    ...batches.flatMap((b) => b.units.flatMap((index, i) => id(index).map((unit) => ({ unit, batch: b.id, doing: b.inFlight !== undefined && (b.next === 'merge' || i < b.probe) ? BATCH_STEPS[b.next] : 'waiting' as const })))),
    ...[...lane, ...postponed].flatMap((index) => id(index).map((unit) => ({ unit, doing: 'waiting' as const }))),
  ];
}

function pushView(state: State): Pick<RunView, 'push'> {
  const { push, settings: { remote } } = state;
  if (remote === undefined || !isPushing(state)) return {};
  const done = !isUnpushed(state);
  return { push: { to: remoteName(remote), done, ...(push.text === undefined || done ? {} : { because: push.text }) } };
}

function saveView({ save, settings: { ci } }: State): Pick<RunView, 'saved'> {
  return ci === undefined ? {} : { saved: { at: ci.remote, upTo: save.upTo, ...(save.trouble === undefined ? {} : { because: save.trouble }) } };
}

function unproved(state: State): readonly Note[] {
  if (landRules(state).checks === 'proof') return [];
  return [{ kind: 'unproved', text: 'nothing was proved before it landed, because `land.checks` is `never`' }];
}

function knownView({ red }: State): { readonly known?: readonly KnownView[] } {
  if (red.base.size === 0) return {};
  return { known: [...red.base].map(([command, { code, failing }]) => ({ command, code, ...(failing === undefined ? {} : { tests: failing.length }), mended: !red.landing.has(command) })) };
}

/** What a run would work on: all units as their files say. */
export function viewOfPlan(all: readonly Unit[]): RunView {
  const units = all.map(plannedUnit).toSorted((a, b) => byCodeUnit(a.id, b.id));
  return { closed: false, counts: countsOf(units), queue: [], units, notes: [] };
}

function countsOf(units: readonly UnitView[]): Counts {
  const counts = { pending: 0, running: 0, proving: 0, landing: 0, waiting: 0, landed: 0, failed: 0, blocked: 0, cancelled: 0, complete: 0 };
  for (const u of units) counts[u.state]++;
  return counts;
}

/** A unit that was complete before the run. */
export function viewOfComplete(id: string): UnitView {
  return { id, state: 'complete', dependsOn: [], tasks: [], notes: [] };
}

function plannedUnit(unit: Unit): UnitView {
  const complete = unit.tasks.every((t) => t.complete);
  return {
    id: unit.id, state: complete ? 'complete' : 'pending', dependsOn: unit.dependsOn, notes: [],
    tasks: unit.tasks.map((t) => ({ number: t.number, title: t.title, state: t.complete ? 'complete' : 'pending', attempts: 0, unchanged: false })),
  };
}

function spentView(spent: Spent): { readonly spent?: Spent } {
  return spent.usd > 0 || spent.tokens > 0 ? { spent } : {};
}

function heldView(state: State): { readonly held?: readonly HeldView[] } {
  const held = [...state.held].filter(([, hold]) => hold.active).map(([agent, { reason, text, until, tries }]) => ({ agent, reason, text, tries, ...untilView(until) }));
  return held.length === 0 ? {} : { held: held.toSorted((a, b) => byCodeUnit(a.agent, b.agent)) };
}

function untilView(until: number | undefined): { readonly until?: string } {
  return until === undefined ? {} : { until: new Date(until).toISOString() };
}

function waitView(state: State, u: UnitState): { readonly waiting?: WaitingView } {
  const parked = state.parked.get(u.index);
  if (state.awaiting.has(u.index)) return { waiting: { for: 'approval', text: `it changes ${(u.protected?.paths ?? []).join(', ')}` } };
  const by = parked === undefined && u.phase === 'waiting' ? keptBackBy(state, u.index) : undefined;
  if (by !== undefined) return { waiting: { for: 'overlap', other: by.unit.id, text: describeOverlap(by.reason) } };
  if (parked === undefined && u.phase === 'waiting' && u.next.step === 'pull') return { waiting: { for: 'review', text: u.pull?.url ?? 'its pull request' } };
  if (parked === undefined) return {};
  const { agent, text } = parked;
  if (agent === undefined) return { waiting: { for: parked.for, text } };
  return { waiting: { for: parked.for, agent, text, ...untilView(state.held.get(agent)?.until) } };
}

function attemptView(u: UnitState): { readonly attempt?: AttemptView } {
  const working = u.inFlight !== undefined && (u.next.step === 'attempt' || u.next.step === 'rework');
  return working && u.attempt !== undefined ? { attempt: u.attempt } : {};
}

/** One unit as State has it. */
export function viewOfUnit(state: State, u: UnitState): UnitView {
  const gone = u.phase === 'landed' && u.next.step !== 'finish';
  const step = stepText(u);
  return {
    id: u.unit.id,
    state: u.phase,
    ...(step === undefined ? {} : { step }),
    dependsOn: u.unit.dependsOn,
    tasks: u.unit.tasks.map((t, i) => ({ number: t.number, title: t.title, ...taskView(u, { number: t.number, task: u.tasks[i] }) })),
    ...(u.failure === undefined ? {} : { failure: failureView(u.failure, u.worktree) }),
    ...waitView(state, u), ...attemptView(u), ...spentView(u.spent),
    ...(u.worktree === undefined || gone ? {} : { worktree: u.worktree }),
    ...(u.branch === undefined || gone ? {} : { branch: u.branch }),
    ...pullView(u),
    ...(u.landed === undefined ? {} : { landed: u.landed }),
    ...(u.protected === undefined ? {} : { protected: u.protected }),
    notes: u.notes,
    ...(u.startedAt === undefined ? {} : { startedAt: u.startedAt }),
    ...(u.endedAt === undefined ? {} : { endedAt: u.endedAt }),
  };
}

function pullView({ pull }: UnitState): { readonly pull?: PullView } {
  if (pull?.number === undefined || pull.url === undefined) return {};
  const { number, url, facts, ready } = pull;
  return { pull: { number, url, draft: facts?.draft ?? !ready, approvedBy: facts?.approvedBy ?? [], refusedBy: facts?.refusedBy ?? [], ignored: facts?.ignored ?? [], ...(facts === undefined ? {} : { checks: facts.checks }) } };
}

function taskView(u: UnitState, o: { readonly number: number; readonly task: TaskState | undefined }): Pick<TaskView, 'state' | 'attempts' | 'unchanged' | 'uncommitted' | 'commit' | 'spent'> {
  const { task } = o;
  if (task === undefined) return { state: 'pending', attempts: 0, unchanged: false };
  return {
    state: taskState(u, { number: o.number, done: task.done }), attempts: task.used, unchanged: task.unchanged && task.done,
    ...(task.unchanged && task.done && task.before === 'failed' ? { uncommitted: true } : {}),
    ...(task.commit === undefined ? {} : { commit: task.commit }), ...spentView(task.spent),
  };
}

function taskState(u: UnitState, o: { readonly number: number; readonly done: boolean }): TaskView['state'] {
  if (o.done) return 'complete';
  const current = 'task' in u.next && u.next.task === o.number;
  if (current && u.phase === 'failed') return 'failed';
  return current && u.phase === 'running' ? 'running' : 'pending';
}

/** A failure in the form the faces share. */
function failureView(failure: Failure, worktree?: string): FailureView {
  const byHand = mergeByHand(failure, worktree);
  const { log, activity } = outputOf(failure) ?? {};
  return { kind: failure.kind, message: describeFailure(failure), ...(activity === undefined ? {} : { activity }), ...(log === undefined ? {} : { log }), ...(byHand === undefined ? {} : { byHand }) };
}

function stepText(u: UnitState): string | undefined {
  if (u.phase === 'pending' || u.phase === 'blocked' || u.phase === 'failed' || u.phase === 'cancelled') return undefined;
  if (u.phase === 'landed' && u.next.step !== 'finish') return undefined;
  return describeNext(u.next, u);
}

const PULL_STEPS = { publish: 'writing its pull request', take: 'taking in what people pushed', prove: 'proving the head of its pull request', follow: 'waiting for people and checks', merge: 'merging its pull request' } as const;

function describeNext(next: Next, u: UnitState): string {
  switch (next.step) {
    case 'prepare': return 'preparing its worktree';
    case 'attempt': return `task ${next.task}, attempt ${attemptNumber(u, next.task)}`;
    case 'check': return `task ${next.task}, checking attempt ${next.attempt}`;
    case 'commit': return `task ${next.task}, committing`;
    case 'verify': return 'baseline checks';
    case 'refresh': return 'merging the newest target into its branch';
    case 'review': return 'being reviewed';
    case 'rework': return `mending what ${next.reason === 'conflict' ? 'conflicts' : next.reason === 'feedback' ? 'people or checks ask for' : `the ${next.reason} found`}`;
    case 'adopt': return 'committing what was verified';
    case 'pull': return PULL_STEPS[next.do];
    case 'land': return u.batch === undefined ? 'waiting to land' : u.phase === 'landing' ? 'landing' : 'proving the merged commit';
    case 'finish': return 'removing its worktree';
    default: return unreachable(next);
  }
}

/** The attempt in flight, or the one that comes next. */
function attemptNumber(u: UnitState, task: number): number {
  const used = u.tasks[task - 1]?.used ?? 0;
  return u.inFlight === undefined ? used + 1 : used;
}
