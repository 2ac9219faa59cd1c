// The moves that evolve is made of: phases and their counts, slots, giving up, blocking dependants, trying again.

import { Bug, must } from './bug.ts';
import type { EventOf } from './event.ts';
import type { Failure } from './failure.ts';
import type { Next, Parked, Phase, State, TaskState, UnitState } from './state.ts';
import { isOver } from './state.ts';

/** True for a step that is done in the landing lane, one unit at a time, without a slot. */
export function isLaneStep(next: Next): boolean {
  return next.step === 'merge' || next.step === 'prove' || next.step === 'land';
}

/** Gives the unit a slot; it must be the one whose turn it is. */
export function takeSlot(s: State, u: UnitState): void {
  setPhase(s, u, 'running');
  if (u.holdsSlot) return;
  if (s.returning.first === u.index) s.returning.shift();
  else if (s.parked.has(u.index)) leaveParked(s, u.index);
  else if (s.ready.pop() !== u.index) throw new Bug(`${u.unit.id} was begun out of order`);
  u.holdsSlot = true;
  s.slots++;
}

/** The unit waits no longer for an agent or the budget; gives back what it waited for, if it did. */
export function leaveParked(s: State, index: number): Parked | undefined {
  const parked = s.parked.get(index);
  s.parked.delete(index);
  for (const agent of parked?.agents ?? []) s.held.get(agent)?.waiting.delete(index);
  if (s.forRoom.first === index) s.forRoom.shift();
  else if (parked?.for === 'budget') s.forRoom.remove((i) => i === index);
  return parked;
}

/** Gives the unit's slot back, if it holds one. */
export function freeSlot(s: State, u: UnitState): void {
  if (!u.holdsSlot) return;
  u.holdsSlot = false;
  s.slots--;
}

/** Changes the phase and keeps the counts. */
export function setPhase(s: State, u: UnitState, phase: Phase): void {
  if (u.phase === phase) return;
  s.count[u.phase]--;
  s.count[phase]++;
  u.phase = phase;
}

/** The unit needs this step next; without a slot it queues for one. */
export function todo(s: State, u: UnitState, next: Next): void {
  u.next = next;
  if (u.holdsSlot) s.todo.add(u.index);
  else s.returning.push(u.index);
}

/** What is remembered of a task, by its number. */
export function task(u: UnitState, number: number): TaskState {
  return must(u.tasks[number - 1], `task ${number} of ${u.unit.id}`);
}

/** Takes the first fact off the list of those to announce; it must be of this kind. */
export function announced(s: State, what: string): void {
  if (s.announce.shift()?.what !== what) throw new Bug(`${what} was announced out of order`);
}

/** The unit ends here: to be announced as failed. `next` is what a retry would do. */
export function giveUp(s: State, u: UnitState, o: { readonly failure: Failure; readonly task?: number; readonly next?: Next }): void {
  if (s.lane.first === u.index) s.lane.shift();
  if (o.next !== undefined) u.next = o.next;
  s.todo.delete(u.index);
  s.announce.push(o.task === undefined ? { what: 'gave-up', unit: u.index, failure: o.failure } : { what: 'gave-up', unit: u.index, failure: o.failure, task: o.task });
}

/** The failure has been announced: dependants are to be blocked, and dispatch pauses after too many in a row. */
export function failed(s: State, u: UnitState, e: EventOf<'unit.failed'>): void {
  announced(s, 'gave-up');
  freeSlot(s, u);
  setPhase(s, u, 'failed');
  u.failure = e.failure;
  u.endedAt = e.time;
  if (e.failure.kind === 'environment' && !s.environment.has(e.failure.command)) s.environment.set(e.failure.command, e.seq);
  markDependants(s, u, u.unit.id);
  s.failuresInARow++;
  const limit = s.settings.limits.failuresInARow;
  if (s.failuresInARow === limit && s.paused === undefined) {
    s.announce.push({ what: 'paused', reason: 'failures-in-a-row', text: `${limit} units failed and nothing landed between` });
  }
}

/** Those that depend on a unit which cannot land for now are to be announced as blocked. */
export function markDependants(s: State, u: UnitState, by: string): void {
  for (const d of s.graph.dependants[u.index] ?? []) {
    const dependant = must(s.units[d], 'a dependant');
    if (++dependant.bad === 1 && dependant.phase === 'pending') s.announce.push({ what: 'blocked', unit: d, by });
  }
}

function releaseDependants(s: State, u: UnitState): void {
  for (const d of s.graph.dependants[u.index] ?? []) {
    const dependant = must(s.units[d], 'a dependant');
    if (--dependant.bad > 0) continue;
    if (dependant.phase === 'blocked') s.announce.push({ what: 'unblocked', unit: d });
    // A crash may have come before it was announced as blocked.
    else s.announce.remove((p) => p.what === 'blocked' && p.unit === d);
  }
}

/** The unit waits for a dependency that failed. */
export function blocked(s: State, u: UnitState): void {
  announced(s, 'blocked');
  setPhase(s, u, 'blocked');
  markDependants(s, u, u.unit.id);
}

/** No dependency of the unit is failed any more. */
export function unblocked(s: State, u: UnitState): void {
  announced(s, 'unblocked');
  setPhase(s, u, 'pending');
  releaseDependants(s, u);
  // Another one may have failed before this was announced.
  const by = u.bad === 0 ? undefined : s.graph.deps[u.index]?.map((d) => s.units[d]).find((d) => d?.phase === 'failed' || d?.phase === 'blocked' || d?.phase === 'cancelled');
  if (by !== undefined) s.announce.push({ what: 'blocked', unit: u.index, by: by.unit.id });
}

/** A person gives a failed unit its attempts back; it goes on with the step that failed, in the worktree it has. */
export function retried(s: State, u: UnitState): void {
  if (u.phase !== 'failed') throw new Bug(`${u.unit.id} was retried but is ${u.phase}`);
  delete u.failure;
  delete u.endedAt;
  for (const t of u.tasks) { t.failed = 0; t.cuts = 0; }
  Object.assign(u.rework, { baseline: 0, conflict: 0, proof: 0, cuts: 0 });
  delete s.paused;
  s.failuresInARow = 0;
  if (isLaneStep(u.next)) {
    setPhase(s, u, 'proving');
    u.next = { step: 'merge' };
    s.lane.push(u.index);
  } else {
    setPhase(s, u, 'pending');
    s.ready.push(u.index);
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
  s.ready.remove(u.index);
  for (const queue of [s.returning, s.lane]) queue.remove((i) => i === u.index);
  s.announce.remove((p) => 'unit' in p && p.unit === u.index);
  const dependantsKnow = u.phase === 'failed' || u.phase === 'blocked';
  setPhase(s, u, 'cancelled');
  u.next = { step: 'prepare' };
  u.endedAt = time;
  delete u.failure;
  delete u.candidate;
  if (!dependantsKnow) markDependants(s, u, u.unit.id);
}
