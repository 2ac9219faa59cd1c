// Whether a run has anything left to do: one answer for what people are shown and for what commands go by.

import { isUnpushed } from './push.ts';
import type { State } from './state.ts';

/** A run is open until every unit has landed on its target or was discarded, what landed was pushed where it is to be and was cleared up after, or the run was closed. */
export function isOpen(state: State): boolean {
  const { closed, count, landing, units } = state;
  if (closed) return false;
  // Counted, so that a run at work is not gone through.
  if (count.landed + count.cancelled < units.length || landing.diverted !== undefined || isUnpushed(state)) return true;
  return units.some((u) => u.next.step === 'finish');
}
