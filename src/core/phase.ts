// The one place where the phase of a unit changes.

import type { Phase, State, UnitState } from './state.ts';

/** Changes the phase and keeps the counts. */
export function setPhase(s: State, u: UnitState, phase: Phase): void {
  if (u.phase === phase) return;
  s.count[u.phase]--;
  s.count[phase]++;
  u.phase = phase;
}
