// What changed outside the fence while agents ran, for the whole of a run: choo leaves it as it is, so a person has to look at it.

import type { EventOf } from './event.ts';

/** An attempt during which something outside changed. It need not have done it: all that ran then are suspects. */
export interface Suspect {
  readonly unit: string;
  /** `task 2`, `rework`, `review`. */
  readonly what: string;
  readonly attempt: number;
}

/** What changed outside, for people and programs. */
export interface OutsideView {
  /** The first ones, each once. */
  readonly changes: readonly { readonly change: string; readonly during: readonly Suspect[] }[];
  /** How many more there are, in the journal. */
  readonly more: number;
}

interface Known {
  readonly outside: Map<string, readonly Suspect[]>;
}

/** Changes that are told one by one. */
const TOLD = 100;

/** Remembers what the failure of an attempt says of the outside. */
export function noteOutside(s: Known, e: EventOf<'task.attempt.failed' | 'rework.attempt.failed' | 'review.attempt.failed'>): void {
  if (e.failure.kind !== 'outside-the-fence') return;
  const what = e.type === 'task.attempt.failed' ? `task ${e.task}` : e.type === 'rework.attempt.failed' ? 'rework' : 'review';
  for (const change of e.failure.changes) s.outside.set(change, [...s.outside.get(change) ?? [], { unit: e.unit, what, attempt: e.attempt }]);
}

/** The same for every face; nothing when nothing changed. */
export function outsideView({ outside }: Known): { readonly outside?: OutsideView } {
  if (outside.size === 0) return {};
  return { outside: { changes: [...outside].slice(0, TOLD).map(([change, during]) => ({ change, during })), more: Math.max(0, outside.size - TOLD) } };
}
