// The moves that evolve is made of: phases and their counts, slots, giving up, blocking dependants, trying again.

import { Bug, must } from './bug.ts';
import { beginWork, endWork, leaveReady, takeReady } from './crowd.ts';
import type { EventOf } from './event.ts';
import type { Failure } from './failure.ts';
import { setPhase } from './phase.ts';
import { tryStack } from './stack.ts';
import type { Next, Parked, State, TaskState, UnitState } from './state.ts';

/** Gives the unit a slot; it must be the one whose turn it is. */
export function takeSlot(s: State, u: UnitState): void {
  setPhase(s, u, 'running');
  if (u.holdsSlot) return;
  if (s.returning.first === u.index) s.returning.shift();
  else if (s.parked.has(u.index)) leaveParked(s, u.index);
  else takeReady(s, u);
  beginWork(s, u.index);
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
  s.verifying.delete(u.index);
  if (o.next !== undefined) u.next = o.next;
  s.todo.delete(u.index);
  s.announce.push(o.task === undefined ? { what: 'gave-up', unit: u.index, failure: o.failure } : { what: 'gave-up', unit: u.index, failure: o.failure, task: o.task });
}

/** A step after the tasks was cut and is done again, as long as that does not happen too often. */
export function cutAgain(s: State, u: UnitState, failure: Failure): void {
  u.rework.cuts++;
  if (u.rework.cuts > s.settings.limits.cuts) giveUp(s, u, { failure });
  else todo(s, u, u.next);
}

/** The failure has been announced: dependants are to be blocked, and dispatch pauses after too many in a row. */
export function failed(s: State, u: UnitState, e: EventOf<'unit.failed'>): void {
  announced(s, 'gave-up');
  freeSlot(s, u);
  endWork(s, u.index);
  s.pulls.delete(u.index);
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

/** Those that depend on a unit which can land again wait only for it. */
export function releaseDependants(s: State, u: UnitState): void {
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
  // It was to begin on top of what failed.
  if (u.stackedOn !== undefined) leaveReady(s, u.index);
  delete u.stackedOn;
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
  else tryStack(s, u);
}
