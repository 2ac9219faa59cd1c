// A journal read back: the state its events fold to. Reads nothing itself.

import { must } from './bug.ts';
import type { Event } from './event.ts';
import { evolve } from './evolve.ts';
import type { State } from './state.ts';

/** Folds events from the first on. Throws a Bug for a list that does not begin with `run.pinned`. */
export function fold(events: readonly Event[]): State {
  let state: State | undefined;
  for (const event of events) state = evolve(state, event);
  return must(state, 'the first event of a run');
}
