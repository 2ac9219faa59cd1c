// What the screen shows beside the view of the run: who is seen doing what, the queue, the order of the graph, the time that is left.
// Gathered from events; keeps the view of each unit, made anew only when an event changed it, and nothing of the past.

import type { Activity } from '../../core/activity.ts';
import { estimate, History } from '../../core/estimate.ts';
import type { Event } from '../../core/event.ts';
import { outputOf } from '../../core/failure.ts';
import { byCodeUnit } from '../../core/plan.ts';
import type { State } from '../../core/state.ts';
import { Touched } from '../../core/touched.ts';
import { headOf, viewOfComplete, viewOfUnit } from '../../core/view.ts';
import type { RunHead, UnitView } from '../../core/view.ts';
import { outlineOf } from './outline.ts';
import type { Outline } from './outline.ts';
import { Units } from './units.ts';
import type { Tasks } from './units.ts';

/** What somebody was seen doing, and since when (ms since 1970). */
export interface Doing {
  readonly text: string;
  readonly at: number;
}

/** An attempt by its log: the path within the run's folder. */
export interface Attempted {
  readonly agent: string;
  readonly log: string;
}

/** All that a screen is made from, but for the person's own choices. Times in ms since 1970. */
export interface Facts {
  readonly view: RunHead;
  readonly units: ReadonlyMap<string, UnitView>;
  readonly outline: Outline;
  readonly tasks: Tasks;
  /** Ids of units at work that are not in the queue, by the time they began. */
  readonly working: readonly string[];
  /** Ids in the order of the list: who waits, who failed, whose agent or step is at work, and all of these. */
  readonly waiting: readonly string[];
  readonly failed: readonly string[];
  readonly running: readonly string[];
  readonly active: readonly string[];
  /** Ids in the order in which they land: those under way, then those that wait; and the place of each, from 0. */
  readonly queue: readonly string[];
  readonly places: ReadonlyMap<string, number>;
  readonly doing: ReadonlyMap<string, Doing>;
  /** When each unit last moved. */
  readonly moved: ReadonlyMap<string, number>;
  /** When this session began. */
  readonly began: number;
  /** Time to the end as it was expected at `at`; absent: nothing is known yet. */
  readonly left?: { readonly ms: number; readonly at: number };
  /** What is done for the whole run before units begin. */
  readonly preparing?: string;
  /** Tasks on the longest way that is left. */
  readonly critical: number;
  /** The newest attempt of a unit, at work or ended. */
  readonly attempt: (unit: string) => Attempted | undefined;
  /** The last lines that a failed unit's command printed, newest last. */
  readonly tail: (unit: string) => readonly string[];
}

/** Listens to a run and gives its facts when they are asked for. */
export class FactsGatherer {
  readonly #doing = new Map<string, Doing>();
  readonly #moved = new Map<string, number>();
  readonly #history = new History();
  readonly #touched = new Touched();
  #state: State | undefined;
  #facts: Facts | undefined;
  #units: { readonly of: State['graph']; readonly units: Units } | undefined;
  #ahead: Pick<Facts, 'left' | 'critical'> | undefined;

  /** An event, right after it became part of the state. */
  event(event: Event, state: State): void {
    this.#state = state;
    this.#facts = undefined;
    const at = Date.parse(event.time);
    this.#touched.event(event, state);
    this.#history.event(event, at);
    // What the history of tasks and landings says is another now.
    if (event.type === 'task.completed' || event.type === 'unit.merged' || event.type === 'orch.resumed') this.#ahead = undefined;
    if (!('unit' in event)) return;
    this.#moved.set(event.unit, at);
    // What was seen belongs to the attempt.
    if (!event.type.startsWith('pr.')) this.#doing.delete(event.unit);
  }

  /** What an agent is seen doing, at that time. */
  activity(unit: string, activity: Activity, at: number): void {
    this.#doing.set(unit, { text: activity.kind === 'text' ? activity.text : `${activity.kind} ${activity.text}`, at });
  }

  /** The facts as they are now; undefined before the first event. Made anew only after an event, and of the units only what it changed. */
  facts(): Facts | undefined {
    const state = this.#state;
    if (state === undefined) return undefined;
    this.#facts ??= this.#gather(state);
    return this.#facts;
  }

  #gather(state: State): Facts {
    const units = this.#renewed(state);
    const preparing = state.recovery === 'running' ? 'looking at what the session before left' : state.trial === 'running' ? 'trial worktree: setup and baseline checks' : undefined;
    const view = headOf(state);
    const queue = view.queue.map(({ unit }) => unit);
    const places = new Map(queue.map((id, i) => [id, i]));
    const began = (id: string): string => units.views.get(id)?.startedAt ?? '';
    return {
      view, units: units.views, outline: units.outline, tasks: units.tasks, queue, places,
      working: units.group('working').filter((id) => !places.has(id)).toSorted((a, b) => byCodeUnit(began(a), began(b))),
      waiting: units.group('waiting'), failed: units.group('failed'), running: units.group('running'), active: units.group('active'),
      doing: this.#doing, moved: this.#moved, began: state.sessionStart, ...this.#estimated(state),
      ...(preparing === undefined ? {} : { preparing }),
      attempt: (unit) => unitOf(state, unit)?.attempt, tail: (unit) => tailOf(state, unit),
    };
  }

  /** Linear in the graph, and therefore made anew only where what is left to do, or what it takes, is another. */
  #estimated(state: State): Pick<Facts, 'left' | 'critical'> {
    if (this.#ahead === undefined) {
      const { left, critical } = estimate(state, this.#history);
      this.#ahead = { critical, ...(left === undefined ? {} : { left: { ms: left, at: state.now } }) };
    }
    return this.#ahead;
  }

  #renewed(state: State): Units {
    const touched = this.#touched.take();
    if (touched !== undefined && this.#units?.of === state.graph) {
      for (const index of touched) this.#renew(this.#units.units, { state, index });
      return this.#units.units;
    }
    const same = this.#units?.of === state.graph;
    const units = same && this.#units !== undefined ? this.#units.units : new Units(outlineOf(levelsOf(state)));
    if (!same) for (const id of state.pinned.plan.complete) units.set(viewOfComplete(id));
    this.#units = { of: state.graph, units };
    for (const { index } of state.units) this.#renew(units, { state, index });
    return units;
  }

  #renew(units: Units, { state, index }: { readonly state: State; readonly index: number }): void {
    const u = state.units[index];
    if (u !== undefined && units.set(viewOfUnit(state, u))) this.#ahead = undefined;
  }
}

/** Ids by level; what was complete before depends on nothing any more. */
function levelsOf({ graph, pinned }: State): readonly (readonly string[])[] {
  const ids = graph.levels.map((level) => level.flatMap((i) => graph.units[i]?.id ?? []));
  const complete = pinned.plan.complete.toSorted(byCodeUnit);
  return complete.length === 0 ? ids : [[...ids[0] ?? [], ...complete], ...ids.slice(1)];
}

function unitOf(state: State, id: string): State['units'][number] | undefined {
  const index = state.graph.index.get(id);
  return index === undefined ? undefined : state.units[index];
}

/** Lines of output that are looked at. */
const TAIL = 20;

function tailOf(state: State, unit: string): readonly string[] {
  const failure = unitOf(state, unit)?.failure;
  const output = failure === undefined ? undefined : outputOf(failure);
  return output?.tail.trimEnd().split('\n').filter((line) => line.trim() !== '').slice(-TAIL) ?? [];
}
