// What the screen shows beside the view of the run: who is seen doing what, the queue, the order of the graph, the time that is left.
// Gathered from events; keeps one small thing a unit and nothing of the past.

import type { Activity } from '../../core/activity.ts';
import { estimate, History } from '../../core/estimate.ts';
import type { Event } from '../../core/event.ts';
import { outputOf } from '../../core/failure.ts';
import { byCodeUnit } from '../../core/plan.ts';
import type { State } from '../../core/state.ts';
import { viewOf } from '../../core/view.ts';
import type { RunView, UnitView } from '../../core/view.ts';

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
  readonly view: RunView;
  readonly units: ReadonlyMap<string, UnitView>;
  /** Ids by level of the graph, the ones that depend on nothing first. */
  readonly levels: readonly (readonly string[])[];
  /** Ids in the order in which they land: those under way, then those that wait. */
  readonly queue: readonly string[];
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
  #state: State | undefined;
  #facts: Facts | undefined;
  #levels: { readonly of: State['graph']; readonly ids: readonly (readonly string[])[] } | undefined;

  /** An event, right after it became part of the state. */
  event(event: Event, state: State): void {
    this.#state = state;
    this.#facts = undefined;
    const at = Date.parse(event.time);
    this.#history.event(event, at);
    if (!('unit' in event)) return;
    this.#moved.set(event.unit, at);
    // What was seen belongs to the attempt.
    if (!event.type.startsWith('pr.')) this.#doing.delete(event.unit);
  }

  /** What an agent is seen doing, at that time. */
  activity(unit: string, activity: Activity, at: number): void {
    this.#doing.set(unit, { text: activity.kind === 'text' ? activity.text : `${activity.kind} ${activity.text}`, at });
  }

  /** The facts as they are now; undefined before the first event. Made anew only after an event. */
  facts(): Facts | undefined {
    const state = this.#state;
    if (state === undefined) return undefined;
    this.#facts ??= this.#gather(state);
    return this.#facts;
  }

  #gather(state: State): Facts {
    const view = viewOf(state);
    const { left, critical } = estimate(state, this.#history);
    const preparing = state.recovery === 'running' ? 'looking at what the session before left' : state.trial === 'running' ? 'trial worktree: setup and baseline checks' : undefined;
    return {
      view, units: new Map(view.units.map((u) => [u.id, u])), levels: this.#levelsOf(state), queue: view.queue.map(({ unit }) => unit),
      doing: this.#doing, moved: this.#moved, began: state.sessionStart, critical,
      ...(preparing === undefined ? {} : { preparing }), ...(left === undefined ? {} : { left: { ms: left, at: state.now } }),
      attempt: (unit) => unitOf(state, unit)?.attempt, tail: (unit) => tailOf(state, unit),
    };
  }

  #levelsOf({ graph, pinned }: State): readonly (readonly string[])[] {
    if (this.#levels?.of !== graph) {
      const ids = graph.levels.map((level) => level.flatMap((i) => graph.units[i]?.id ?? []));
      const complete = pinned.plan.complete.toSorted(byCodeUnit);
      this.#levels = { of: graph, ids: complete.length === 0 ? ids : [[...ids[0] ?? [], ...complete], ...ids.slice(1)] };
    }
    return this.#levels.ids;
  }
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
