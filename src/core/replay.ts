// A journal read back: the state its events fold to, and whether there is anything left to do. Reads nothing itself.

import { must } from './bug.ts';
import type { Event } from './event.ts';
import { evolve } from './evolve.ts';
import type { State } from './state.ts';
import { isUnpushed } from './push.ts';
import { isOver } from './state.ts';

/** Folds events from the first on. Throws a Bug for a list that does not begin with `run.pinned`. */
export function fold(events: readonly Event[]): State {
  let state: State | undefined;
  for (const event of events) state = evolve(state, event);
  return must(state, 'the first event of a run');
}

/** A run is open until every unit has landed on its target or was discarded and what landed was pushed where it is to be, or the run was closed. */
export function isOpen(state: State): boolean {
  return !state.closed && (state.landing.diverted !== undefined || isUnpushed(state) || state.units.some((u) => !isOver(u) || u.next.step === 'finish'));
}
