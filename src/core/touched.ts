// Which units an event may have changed the view of, so that only these are made anew. Too many cost time, too few would show what is no
// longer true: what is not listed here changes all.

import type { Event } from './event.ts';
import type { State } from './state.ts';

/** What concerns the run alone. */
const OF_THE_RUN: ReadonlySet<Event['type']> = new Set<Event['type']>([
  'orch.stopping', 'orch.killing', 'orch.paused', 'orch.completed', 'orch.failed', 'orch.stopped', 'escalation.delivered', 'escalation.failed',
  'trial.started', 'trial.ok', 'trial.failed', 'run.recovering', 'run.advancing', 'run.advanced', 'run.not-advanced',
  'run.pushing', 'run.pushed', 'run.push.behind', 'run.push.refused', 'run.catching-up', 'run.saving', 'run.saved', 'run.save.refused',
]);

/** Collects the units that events have changed; all of them to begin with. */
export class Touched {
  #of: State | undefined;
  /** Those that were in batches after the event before. */
  #batched: ReadonlySet<number> = new Set();
  #units = new Set<number>();
  #all = true;

  /** An event, right after it became part of the state. */
  event(event: Event, state: State): void {
    if (this.#of !== state) this.#all = true;
    this.#of = state;
    const before = this.#batched;
    if ('batch' in event || event.type === 'orch.resumed') this.#batched = new Set(state.batches.flatMap((b) => b.units));
    if (this.#all || OF_THE_RUN.has(event.type)) return;
    if ('batch' in event) {
      for (const index of [...before, ...this.#batched]) this.#touch(index, state);
    } else if ('unit' in event) {
      const index = state.graph.index.get(event.unit);
      if (index === undefined) this.#all = true;
      else this.#touch(index, state);
      // What was proved to be merged next has to be proved again, upon this.
      if (event.type === 'pr.merged') for (const other of state.pulls) this.#touch(other, state);
    } else {
      this.#all = true;
    }
  }

  /** Takes what was collected; undefined: all of them. */
  take(): ReadonlySet<number> | undefined {
    const units = this.#all ? undefined : this.#units;
    this.#all = false;
    this.#units = new Set();
    return units;
  }

  /** Who overlaps with it may have to wait, or need no longer. */
  #touch(index: number, { overlaps }: State): void {
    this.#units.add(index);
    for (const other of overlaps.neighbours.get(index) ?? []) this.#units.add(other.index);
  }
}
