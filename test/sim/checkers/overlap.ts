// Units that are expected to change the same files: with `wait` none begins while one that it overlaps with has begun and neither landed
// nor failed; and none waits for nothing.

import type { Event, Settings } from '../../../src/core/event.ts';
import type { Machine } from '../machine.ts';

/** Steps that are work of a unit in its own worktree. */
const WORK = new Set(['unit.started', 'task.started', 'task.retry', 'task.backpressure', 'task.committing', 'rework.started', 'review.started', 'unit.verifying', 'unit.refreshing', 'unit.committing']);

/** Knows who is at work, by the events alone. */
export class AtWork {
  readonly #m: Machine;
  #mode: Settings['overlap'];
  readonly #at = new Set<string>();
  /** Retried, and not over since: one that only had its landing left is at work again at once. */
  readonly #retried = new Set<string>();

  constructor(m: Machine) {
    this.#m = m;
    this.#mode = m.scenario.settings.overlap;
  }

  read(e: Event): void {
    if (e.type === 'orch.resumed') this.#mode = e.settings.overlap;
    if (e.type === 'batch.merging') for (const unit of e.units) this.#at.add(unit);
    if (!('unit' in e)) return;
    // A retried one that only has its pull request left is at work at once.
    if (e.type.startsWith('pr.') && e.type.endsWith('ing')) this.#at.add(e.unit);
    if (e.type === 'pr.seen' && e.facts.state === 'closed') for (const set of [this.#at, this.#retried]) set.delete(e.unit);
    if (WORK.has(e.type)) this.#works(e.seq, e.unit);
    else if (e.type === 'unit.merged' || e.type === 'unit.failed') for (const set of [this.#at, this.#retried]) set.delete(e.unit);
    else if (e.type === 'unit.retried') this.#retried.add(e.unit);
    else if (e.type === 'unit.waiting' && e.for === 'overlap') this.#justified(e.seq, { unit: e.unit, other: e.other ?? '' });
  }

  /** Whether the unit may not begin now. */
  isKept(unit: string): boolean {
    return this.#mode === 'wait' && !this.#at.has(unit) && this.#neighbours(unit).some((other) => this.#at.has(other) || this.#retried.has(other));
  }

  #neighbours(unit: string): string[] {
    return this.#m.scenario.overlaps.filter(({ units }) => units.includes(unit)).map(({ units: [a, b] }) => (a === unit ? b : a));
  }

  #works(seq: number, unit: string): void {
    if (this.#at.has(unit)) return;
    const busy = this.#neighbours(unit).filter((other) => this.#at.has(other));
    if (this.#mode === 'wait' && busy.length > 0) this.#m.violate('overlap', `event ${seq}: ${unit} is begun while ${busy.join(', ')} is at work`);
    this.#at.add(unit);
  }

  #justified(seq: number, o: { readonly unit: string; readonly other: string }): void {
    const right = this.#mode === 'wait' && !this.#at.has(o.unit) && this.#neighbours(o.unit).includes(o.other) && (this.#at.has(o.other) || this.#retried.has(o.other));
    if (!right) this.#m.violate('waits-for-nothing', `event ${seq}: ${o.unit} waits for ${o.other}, which is not in its way`);
  }
}
