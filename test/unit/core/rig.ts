// Plays a run in memory for the tests of core/: decides, records what is asked for, and answers steps as a test says.

import { baseOf } from '../../../src/core/pull.ts';
import type { ForgeTarget } from '../../../src/core/pull-rules.ts';
import type { PullFacts } from '../../../src/core/pull-facts.ts';
import { must } from '../../../src/core/bug.ts';
import { decide } from '../../../src/core/decide.ts';
import type { Begun, Event, EventBody, EventOf, EventType, Guard, Pinned, Result, Settings } from '../../../src/core/event.ts';
import { isBegun } from '../../../src/core/event.ts';
import { evolve, stamp, unitNamed } from '../../../src/core/evolve.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import type { Overlap } from '../../../src/core/overlap.ts';
import type { Plan, Task, Unit } from '../../../src/core/plan.ts';
import type { Phase, State } from '../../../src/core/state.ts';
import type { Usage } from '../../../src/core/usage.ts';

/** A failure that asks for a new attempt. */
export const RED: Failure = { kind: 'check-failed', check: 'task 1', command: 'false', ending: { code: 1 }, output: { tail: 'red', log: '/log' } };
/** A failure that ends its unit at once. */
export const BROKEN: Failure = { kind: 'setup-failed', command: 'npm ci', ending: { code: 1 }, output: { tail: '', log: '/log' } };
/** What a step that a stop has cut answers with. */
export const CUT: Failure = { kind: 'cut', by: 'stop' };

/** A unit with that many tasks, which wait for nothing but each other. */
export function unit(id: string, o: { readonly dependsOn?: readonly string[]; readonly tasks?: number } = {}): Unit {
  const tasks = Array.from({ length: o.tasks ?? 1 }, (_, i): Task => ({
    number: i + 1, title: `Part ${i + 1}`, path: `specs/tasks/${id}/0${i + 1}.md`, check: 'true', dependsOn: [], complete: false,
  }));
  return { id, dir: `specs/tasks/${id}`, planPath: `specs/tasks/${id}/IMPLEMENTATION_PLAN.md`, dependsOn: o.dependsOn ?? [], tasks, checks: [], touches: [] };
}

/** Settings of a run, the defaults but for what is given. */
export function settings(more: Partial<Omit<Settings, 'limits'>> & { readonly limits?: Partial<Settings['limits']> } = {}): Settings {
  return { parallelism: 4, conflictRetries: 3, agents: { '*': 'command' }, ...more, limits: { ...DEFAULT_LIMITS, ...more.limits } };
}

/** Answers a step, or leaves it in flight (undefined). */
export type Answers = (begun: Begun) => EventBody | undefined;

/** One run in memory: its events so far and the state they fold to. */
export class Game {
  readonly events: Event[] = [];
  readonly #inFlight: Begun[] = [];
  #state: State | undefined;
  /** Milliseconds since 1970; a test may move it. */
  now = 1_000_000;

  /** Pins a plan of these units and starts its first session. */
  constructor(units: readonly Unit[], s: Settings = settings(), pins: readonly Overlap[] | Guard | ForgeTarget = []) {
    const plan: Plan = { units, complete: [] };
    const pinned: Pinned = {
      base: 'base', targetRef: 'refs/heads/main', tasksDir: 'specs/tasks', selection: [], branchPrefix: 'choo/', plan, checks: [], digest: '',
      ...('repository' in pins ? { mode: 'forge', forge: pins } : { mode: 'local' }),
      ...('repository' in pins ? {} : 'protect' in pins ? { guard: pins } : pins.length === 0 ? {} : { overlaps: pins }),
    };
    this.record({ type: 'run.pinned', pinned, settings: s });
    this.record({ type: 'orch.started', version: 1, graph: [], target: 'main', base: 'base', mode: 'local', parallelism: s.parallelism });
  }

  /** The state after all events so far. */
  get state(): State {
    return must(this.#state, 'a state');
  }

  /** Steps begun and not answered, oldest first. */
  get inFlight(): readonly Begun[] {
    return this.#inFlight;
  }

  /** Appends one event and folds it. */
  record(body: EventBody): Event {
    const event = stamp(body, { seq: this.events.length + 1, run: 1, now: this.now });
    this.events.push(event);
    this.#state = evolve(this.#state, event);
    if (isBegun(event)) this.#inFlight.push(event);
    if (event.type === 'orch.resumed') this.#inFlight.length = 0;
    return event;
  }

  /** Decides until quiet, recording what is asked for; gives back the recorded events. */
  settle(): readonly Event[] {
    const from = this.events.length;
    for (let next = decide(this.state, this.now).next; next.length > 0; next = decide(this.state, this.now).next) {
      for (const body of next) this.record(body);
    }
    return this.events.slice(from);
  }

  /** Answers the oldest step in flight of that type (and unit) and settles. */
  answer(type: Begun['type'], body: EventBody, of?: string): readonly Event[] {
    const at = this.#inFlight.findIndex((b) => b.type === type && (of === undefined || ('unit' in b && b.unit === of)));
    if (at < 0) throw new Error(`no ${type} is in flight, but ${this.#inFlight.map((b) => b.type).join(', ') || 'nothing'}`);
    this.#inFlight.splice(at, 1);
    this.record(body);
    return this.settle();
  }

  /** Plays on, answering the oldest step first, until nothing in flight has an answer. Steps the test does not answer succeed. */
  play(answers: Answers = () => undefined, hold: (begun: Begun) => boolean = () => false): this {
    this.settle();
    for (;;) {
      const begun = this.#inFlight.find((b) => !hold(b));
      if (begun === undefined) return this;
      this.#inFlight.splice(this.#inFlight.indexOf(begun), 1);
      this.record(answers(begun) ?? success(begun, this.state));
      this.settle();
    }
  }

  /** When the session wants to look again, ms; undefined: only when something arrives. */
  get wakeAt(): number | undefined {
    return decide(this.state, this.now).wakeAt;
  }

  /** All events of one type. */
  of<T extends EventType>(type: T): readonly EventOf<T>[] {
    return this.events.filter((e): e is EventOf<T> => e.type === type);
  }

  /** The phase of a unit. */
  phase(id: string): Phase {
    return unitNamed(this.state, id).phase;
  }

  /** How the session ended; throws when it has not. */
  get result(): Result {
    const last = must(this.events.at(-1), 'a last event');
    if (last.type === 'orch.completed' || last.type === 'orch.failed' || last.type === 'orch.stopped') return last.result;
    throw new Error(`the session has not ended; the last event is ${last.type}`);
  }
}

/** Plays on from a state, which it changes, with these events first: every step succeeds, and time passes where something is waited for. Gives the events; throws when it does not come to an end. */
export function playOut(from: State, first: readonly EventBody[]): readonly Event[] {
  const events: Event[] = [];
  const inFlight: Begun[] = [];
  let state = from;
  let now = from.now;
  const record = (body: EventBody): void => {
    const event = stamp(body, { seq: state.seq + 1, run: state.run, now });
    events.push(event);
    state = evolve(state, event);
    if (isBegun(event)) inFlight.push(event);
  };
  for (const body of first) record(body);
  while (events.length < 5000) {
    const { next, wakeAt, done } = decide(state, now);
    for (const body of next) record(body);
    if (next.length > 0) continue;
    if (done) return events;
    const begun = inFlight.shift();
    if (begun !== undefined) record(success(begun, state));
    else now = Math.max(now + 1, must(wakeAt, 'something to wait for'));
  }
  throw new Error(`no end: ${events.slice(-10).map((e) => e.type).join(', ')}`);
}

/** The answer of a step that goes well. */
function success(b: Begun, state: State): EventBody {
  switch (b.type) {
    case 'run.recovering': return { type: 'run.recovered', notes: [] };
    case 'trial.started': return { type: 'trial.ok', checks: [], notes: [] };
    case 'run.advancing': return { type: 'run.advanced', commit: 'advanced' };
    case 'run.pushing': return { type: 'run.pushed', commit: b.commit };
    case 'run.catching-up': return state.push.joined === undefined ? { type: 'run.remote-joined', commit: 'joined', onto: 'base', remote: 'theirs' } : { type: 'run.caught-up', commit: 'joined' };
    case 'unit.started': return { type: 'unit.prepared', unit: b.unit, worktree: `/w/${b.unit}`, branch: `refs/heads/choo/unit/${b.unit}/1`, base: 'base', notes: [] };
    case 'task.started': case 'task.retry': return { type: 'task.attempted', unit: b.unit, task: b.task, attempt: b.attempt, ending: { code: 0 }, passedBefore: false, notes: [] };
    case 'task.backpressure': return { type: 'task.validation.ok', unit: b.unit, task: b.task, attempt: b.attempt, commit: `${b.unit}-${b.task}`, parent: 'base', unchanged: false, notes: [] };
    case 'task.committing': return { type: 'task.committed', unit: b.unit, task: b.task, commit: b.commit };
    case 'rework.started': return { type: 'rework.attempted', unit: b.unit, reason: b.reason, attempt: b.attempt, ending: { code: 0 }, notes: [] };
    case 'review.started': return { type: 'review.ended', unit: b.unit, attempt: b.attempt, findings: [], notes: [] };
    case 'unit.verifying': return { type: 'unit.verified', unit: b.unit, commit: `${b.unit}-verified`, parent: 'base', merged: false, notes: [] };
    case 'unit.refreshing': return { type: 'unit.refreshed', unit: b.unit, commit: `${b.unit}-refreshed`, parent: 'base', onto: 'newest', conflicts: [] };
    case 'unit.committing': return { type: 'unit.committed', unit: b.unit, commit: b.commit };
    case 'batch.merging': return candidate(b);
    case 'batch.proving': return { type: 'batch.proved', batch: b.batch, commit: b.commit, passed: [], reused: 0, notes: [] };
    case 'batch.landing': return { type: 'batch.landed', batch: b.batch, commit: b.commit, ...state.landing };
    case 'pr.publishing': return { type: 'pr.published', unit: b.unit, commit: b.commit, number: 1, url: `https://forge/${b.unit}`, ready: b.ready, created: true, base: baseOf(state, unitNamed(state, b.unit)), answered: [], notes: [] };
    case 'pr.proving': return { type: 'pr.proved', unit: b.unit, commit: b.commit, onto: 'base', passed: [], reused: 0, notes: [] };
    case 'pr.following': return { type: 'pr.seen', unit: b.unit, facts: pullFacts({ head: state.units.find((u) => u.unit.id === b.unit)?.head ?? '', approvedBy: ['ann'], decision: 'approved' }) };
    case 'pr.taking': return { type: 'pr.taken', unit: b.unit, commit: `${b.unit}-theirs`, notes: [] };
    case 'pr.merging': return { type: 'pr.merged', unit: b.unit, number: 1, commit: `${b.unit}-merged`, head: b.commit, notes: [] };
    case 'run.saving': return { type: 'run.saved', commit: `save-${state.seq}`, upTo: state.seq };
    case 'unit.finishing': return { type: 'unit.completed', unit: b.unit, notes: [] };
    default: return b satisfies never;
  }
}

/** A pull request that waits for people. */
export function pullFacts(o: Partial<PullFacts> = {}): PullFacts {
  return {
    number: 1, url: 'https://forge/1', state: 'open', draft: false, head: 'head', base: 'main', queued: false, conflict: false, decision: 'none',
    approvedBy: [], refusedBy: [], looking: [], checks: 'passed', failed: [], feedback: [], ignored: [], ...o,
  };
}

/** The answer of a batch whose units all merge. */
export function candidate(b: EventOf<'batch.merging'>): Extract<EventBody, { type: 'batch.candidate' }> {
  const onto = b.onto ?? 'base';
  return { type: 'batch.candidate', batch: b.batch, onto, target: onto, merges: b.units.map((id) => ({ unit: id, commit: `${id}-candidate`, head: `${id}-verified` })), landed: [], failed: [], postponed: [] };
}

/** Answers that fail the proofs of the units for which `isRed` holds. */
export function redWhen(isRed: (units: readonly string[]) => boolean, failure: Failure = RED): Answers {
  return (b) => (b.type === 'batch.proving' && isRed(b.units) ? { type: 'batch.proof.failed', batch: b.batch, commit: b.commit, failure, notes: [] } : undefined);
}

/** Answers that fail the check of one unit's tasks with the given failure, always. */
export function failing(id: string, failure: Failure = RED): Answers {
  return (b) => (b.type === 'task.backpressure' && b.unit === id
    ? { type: 'task.validation.fail', unit: id, task: b.task, attempt: b.attempt, failure, notes: [] } : undefined);
}

/** The answer of an attempt whose agent met trouble, with what it had used. */
export function troubled(b: Extract<Begun, { agent: string }>, failure: Failure, used: { readonly usage?: Usage } = {}): EventBody {
  const { unit: id, attempt } = b;
  if (b.type === 'review.started') return { type: 'review.attempt.failed', unit: id, attempt, failure, notes: [], ...used };
  return b.type === 'rework.started'
    ? { type: 'rework.attempt.failed', unit: id, reason: b.reason, attempt, failure, notes: [], ...used }
    : { type: 'task.attempt.failed', unit: id, task: b.task, attempt, failure, notes: [], ...used };
}

/** Answers that fail the preparation of the given units. */
export function unprepared(ids: readonly string[], failure: Failure = BROKEN): Answers {
  return (b) => (b.type === 'unit.started' && ids.includes(b.unit) ? { type: 'unit.prepare.failed', unit: b.unit, failure } : undefined);
}
