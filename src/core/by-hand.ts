// What a person makes of a unit: its attempts given back, or the unit given up for good.

import { Bug } from './bug.ts';
import { becomeReady, beginWork, endWork, leaveReady } from './crowd.ts';
import { enqueue, leaveLanding } from './landing.ts';
import { retriedPull } from './pull.ts';
import { freeSlot, markDependants, releaseDependants } from './moves.ts';
import { setPhase } from './phase.ts';
import type { State, UnitState } from './state.ts';
import { isOver } from './state.ts';

/** A person gives a failed unit its attempts back; it goes on with the step that failed, in the worktree it has. */
export function retried(s: State, u: UnitState): void {
  if (u.phase !== 'failed') throw new Bug(`${u.unit.id} was retried but is ${u.phase}`);
  delete u.failure;
  delete u.endedAt;
  for (const t of u.tasks) { t.failed = 0; t.cuts = 0; }
  Object.assign(u.rework, { baseline: 0, conflict: 0, proof: 0, review: 0, feedback: 0, cuts: 0 });
  Object.assign(u.review, { failed: 0, rounds: 0 });
  delete s.paused;
  s.failuresInARow = 0;
  if (u.pull !== undefined) retriedPull(s, u);
  if (u.next.step === 'pull') beginWork(s, u.index);
  else if (u.next.step === 'land') {
    u.arrived = s.now;
    enqueue(s, u);
    beginWork(s, u.index);
  } else {
    setPhase(s, u, 'pending');
    becomeReady(s, u.index);
  }
  releaseDependants(s, u);
}

/** A person gave the unit up for good, while no orchestrator worked on it: whatever it was about to do is forgotten, and its dependants cannot start in this run. */
export function discarded(s: State, u: UnitState, time: string): void {
  if (isOver(u)) throw new Bug(`${u.unit.id} was discarded but is ${u.phase}`);
  if (u.inFlight !== undefined) {
    delete u.inFlight;
    s.inFlight--;
  }
  freeSlot(s, u);
  s.todo.delete(u.index);
  leaveReady(s, u.index);
  endWork(s, u.index);
  s.awaiting.delete(u.index);
  s.pulls.delete(u.index);
  s.reviewing.delete(u.index);
  s.returning.remove((i) => i === u.index);
  leaveLanding(s, u);
  s.announce.remove((p) => 'unit' in p && p.unit === u.index);
  const dependantsKnow = u.phase === 'failed' || u.phase === 'blocked';
  setPhase(s, u, 'cancelled');
  u.next = { step: 'prepare' };
  u.endedAt = time;
  delete u.failure;
  delete u.candidate;
  if (!dependantsKnow) markDependants(s, u, u.unit.id);
}
