// A run that goes on in another clone than the one it was saved in: its worktrees are elsewhere, and what was not committed there is gone.

import type { EventOf } from './event.ts';
import type { State, UnitState } from './state.ts';
import { isOver } from './state.ts';

/** Folds the news into the state, which nothing has been done with since it was read from what was saved. */
export function onRestored(s: State, e: EventOf<'run.restored'>): void {
  Object.assign(s.save, { commit: e.commit, upTo: e.upTo, ...(s.landed === undefined ? {} : { landed: s.landed }) });
  for (const u of s.units) {
    if (u.worktree === undefined) continue;
    u.worktree = `${e.worktrees}/units/${u.unit.id}`;
    if (!isOver(u)) beginAgain(u);
  }
}

/** The step that makes again what was only in the worktree: an attempt that was not committed, a merge in progress. */
function beginAgain(u: UnitState): void {
  const { next } = u;
  if (next.step === 'check') u.next = { step: 'attempt', task: next.task };
  if (u.merging === undefined || next.step === 'adopt') return;
  delete u.merging;
  if (next.step === 'rework' || next.step === 'verify') u.next = { step: 'refresh', then: 'conflict' };
}
