// What follows for a unit from each of its events: the step it needs next.

import { meetTrouble, park, proveAgent, reserve, settleAccount, stopWaiting } from './agents.ts';
import { Bug, must, unreachable } from './bug.ts';
import { isBegun } from './event.ts';
import type { Event, EventOf, ReworkReason } from './event.ts';
import type { Failure } from './failure.ts';
import { VERDICTS } from './failure.ts';
import { announced, blocked, discarded, failed, freeSlot, giveUp, isLaneStep, retried, setPhase, takeSlot, task, todo, unblocked } from './moves.ts';
import type { Next, State, UnitState } from './state.ts';
import { nextTask } from './state.ts';
import { amountOf } from './usage.ts';

/** An event about one unit. */
export type UnitEvent = Extract<Event, { readonly unit: string }>;

/** Folds one event of a unit into the state. Throws a Bug when it cannot follow. */
export function onUnit(s: State, u: UnitState, e: UnitEvent): void {
  if (isBegun(e)) return begin(s, u, e);
  switch (e.type) {
    case 'unit.queued': s.ready.push(u.index); return announced(s, 'queued');
    case 'unit.blocked': return blocked(s, u);
    case 'unit.unblocked': return unblocked(s, u);
    case 'unit.failed': return failed(s, u, e);
    case 'unit.retried': return retried(s, u);
    case 'unit.discarded': stopWaiting(s, u); return discarded(s, u, e.time);
    case 'unit.waiting': return park(s, u, e);
    case 'task.failed': return;
    case 'task.completed': return announced(s, 'completed');
    default: return onAnswer(s, u, e);
  }
}

type Announced = 'unit.queued' | 'unit.blocked' | 'unit.unblocked' | 'unit.failed' | 'unit.retried' | 'unit.discarded' | 'unit.waiting' | 'task.failed' | 'task.completed';
type Begins = 'unit.started' | 'task.started' | 'task.retry' | 'task.backpressure' | 'task.committing' | 'rework.started'
  | 'unit.verifying' | 'unit.refreshing' | 'unit.committing' | 'unit.merging' | 'unit.proving' | 'unit.landing' | 'unit.finishing';
type Answer = Exclude<UnitEvent, { readonly type: Announced | Begins }>;

function onAnswer(s: State, u: UnitState, e: Answer): void {
  if (u.inFlight === undefined) throw new Bug(`${e.type} answers a step of ${u.unit.id} that was not begun`);
  delete u.inFlight;
  s.inFlight--;
  if ('notes' in e) u.notes.push(...e.notes);
  if (e.type === 'task.attempted' || e.type === 'task.attempt.failed' || e.type === 'rework.attempted' || e.type === 'rework.attempt.failed') account(s, u, e);
  switch (e.type) {
    case 'unit.prepared': return prepared(s, u, e);
    case 'task.attempted': return todo(s, u, { step: 'check', task: e.task, attempt: e.attempt });
    case 'task.attempt.failed': case 'task.validation.fail': return attemptFailed(s, u, e);
    case 'task.validation.ok': task(u, e.task).unchanged = e.unchanged; return todo(s, u, { step: 'commit', task: e.task, commit: e.commit, parent: e.parent });
    case 'task.committed': return committed(s, u, e);
    case 'rework.attempted': return todo(s, u, { step: 'verify', scope: e.reason === 'conflict' ? 'merge' : e.reason });
    case 'rework.attempt.failed': return reworkAttemptFailed(s, u, e);
    case 'unit.verified': return verified(s, u, e);
    case 'unit.verify.failed': return verifyFailed(s, u, e.failure);
    case 'unit.refreshed': return refreshed(s, u, e);
    case 'unit.committed': return adopted(s, u, e.commit);
    case 'unit.commit.failed': return adoptFailed(s, u, e.failure);
    case 'unit.candidate': return candidate(u, e);
    case 'unit.merge.failed': return mergeFailed(s, u, e.failure);
    case 'unit.proved': u.proved = { commit: e.commit, head: must(u.candidate, 'a candidate').head }; u.next = { step: 'land' }; return;
    case 'unit.proof.failed': return proofFailed(s, u, e.failure);
    case 'unit.land.moved': u.next = { step: 'merge' }; return setPhase(s, u, 'proving');
    case 'unit.merged': return merged(s, u, e);
    case 'task.commit.failed': return commitFailed(s, u, e);
    case 'unit.prepare.failed': case 'unit.refresh.failed': case 'unit.land.failed': return stepFailed(s, u, e.failure);
    case 'unit.completed': s.finishing.delete(u.index); u.next = { step: 'prepare' }; u.endedAt = e.time; return;
    default: return unreachable(e);
  }
}

function begin(s: State, u: UnitState, e: UnitEvent): void {
  if (u.inFlight !== undefined) throw new Bug(`${e.type} of ${u.unit.id} while step ${u.inFlight} is in flight`);
  u.inFlight = e.seq;
  s.inFlight++;
  s.todo.delete(u.index);
  s.finishing.delete(u.index);
  u.startedAt ??= e.time;
  if (!isLaneStep(u.next) && u.next.step !== 'finish') takeSlot(s, u);
  if (e.type === 'unit.proving') setPhase(s, u, 'proving');
  if (e.type === 'unit.landing') setPhase(s, u, 'landing');
  if (e.type === 'task.started' || e.type === 'task.retry') task(u, e.task).used = e.attempt;
  if (e.type === 'rework.started') u.rework.used = e.attempt;
  if (e.type === 'task.started' || e.type === 'task.retry' || e.type === 'rework.started') {
    u.agent = e.agent;
    u.attempt = { agent: e.agent, log: e.log, since: e.time, ...(e.model === undefined ? {} : { model: e.model }) };
    reserve(s, u, e);
  }
}

/** An attempt has ended: it is charged, and its agent has worked or met trouble. */
function account(s: State, u: UnitState, e: EventOf<'task.attempted' | 'task.attempt.failed' | 'rework.attempted' | 'rework.attempt.failed'>): void {
  settleAccount(s, u, e.usage);
  if ('failure' in e && e.failure.kind === 'agent-trouble') return meetTrouble(s, e.failure);
  if (!('failure' in e) || (amountOf(e.usage, 'tokens') ?? 0) > 0) proveAgent(s, u.agent);
}

function prepared(s: State, u: UnitState, e: EventOf<'unit.prepared'>): void {
  u.worktree = e.worktree;
  u.branch = e.branch;
  u.base = e.base;
  u.head = e.base;
  workOn(s, u);
}

/** The unit goes on with its next task, or with its baseline checks when all are done. */
function workOn(s: State, u: UnitState): void {
  const next = nextTask(u);
  todo(s, u, next === undefined ? { step: 'verify', scope: 'baseline' } : { step: 'attempt', task: next });
}

function committed(s: State, u: UnitState, e: EventOf<'task.committed'>): void {
  const t = task(u, e.task);
  t.done = true;
  t.ours = true;
  t.commit = e.commit;
  delete t.last;
  u.head = e.commit;
  s.announce.push({ what: 'completed', unit: u.index, task: e.task });
  workOn(s, u);
}

function attemptFailed(s: State, u: UnitState, e: EventOf<'task.attempt.failed' | 'task.validation.fail'>): void {
  const t = task(u, e.task);
  if (e.failure.kind === 'cut') {
    t.cuts++;
    if (t.cuts > s.settings.limits.cuts) return giveUp(s, u, { failure: e.failure, task: e.task });
    // A check that was cut is run again; the agent's work for it is there.
    return todo(s, u, u.next);
  }
  // Not the work's fault, and no attempt at it.
  if (e.failure.kind === 'agent-trouble') return todo(s, u, u.next);
  t.last = e.failure;
  u.next = { step: 'attempt', task: e.task };
  if (e.failure.kind === 'nothing-changed') t.toldUnchanged = true;
  else if (VERDICTS[e.failure.kind] !== 'rework') return giveUp(s, u, { failure: e.failure, task: e.task });
  else if (++t.failed >= s.settings.limits.attempts) return giveUp(s, u, { failure: e.failure, task: e.task });
  todo(s, u, u.next);
}

/** The branch moved or the commit is gone between proof and commit: the files are still there, so it is one more attempt. */
function commitFailed(s: State, u: UnitState, e: EventOf<'task.commit.failed'>): void {
  const t = task(u, e.task);
  const next: Next = { step: 'attempt', task: e.task };
  t.last = e.failure;
  if (e.failure.kind !== 'git' || ++t.failed >= s.settings.limits.attempts) return giveUp(s, u, { failure: e.failure, task: e.task, next });
  todo(s, u, next);
}

/** The step in flight of this unit was lost with its orchestrator. True when that was once too often: the unit ends. */
export function countCut(s: State, u: UnitState): boolean {
  const n = u.next;
  const number = n.step === 'attempt' || n.step === 'check' ? n.task : undefined;
  const cuts = number !== undefined ? ++task(u, number).cuts : n.step === 'rework' || n.step === 'verify' ? ++u.rework.cuts : 0;
  if (cuts <= s.settings.limits.cuts) return false;
  giveUp(s, u, { failure: { kind: 'cut', by: 'crash' }, ...(number === undefined ? {} : { task: number }) });
  return true;
}

/** A failing step outside of attempts: cut ones are done again, all others end the unit. */
function stepFailed(s: State, u: UnitState, failure: Failure): void {
  if (failure.kind !== 'cut') return giveUp(s, u, { failure });
  if (isLaneStep(u.next)) return;
  todo(s, u, u.next);
}

// ---------------------------------------------------------------- mending

function verified(s: State, u: UnitState, e: EventOf<'unit.verified'>): void {
  delete u.reworkLast;
  adopt(s, u, { commit: e.commit, parent: e.parent, merged: e.merged, then: { step: 'merge' } });
}

/** The branch is to be at `commit`; where it is there already nothing needs to move. */
function adopt(s: State, u: UnitState, o: Omit<Extract<Next, { step: 'adopt' }>, 'step'>): void {
  u.next = { step: 'adopt', ...o };
  if (o.commit === o.parent) adopted(s, u, o.commit);
  else todo(s, u, u.next);
}

function adopted(s: State, u: UnitState, commit: string): void {
  const next = u.next.step === 'adopt' ? u.next.then : u.next;
  u.head = commit;
  delete u.merging;
  if (next.step !== 'merge') todo(s, u, next);
  // A new plan may have given it tasks while a conflict was resolved.
  else if (nextTask(u) !== undefined) workOn(s, u);
  else toLane(s, u);
}

/** The branch moved or the commit is gone meanwhile. The files are still there; a retry looks at them again. */
function adoptFailed(s: State, u: UnitState, failure: Failure): void {
  const again: Next = u.next.step === 'adopt' && u.next.merged ? { step: 'refresh', then: 'verify' } : { step: 'verify', scope: 'baseline' };
  giveUp(s, u, { failure, next: again });
}

/** The attempt itself failed: what is to be mended stays what it was. */
function reworkAttemptFailed(s: State, u: UnitState, e: EventOf<'rework.attempt.failed'>): void {
  if (e.failure.kind !== 'cut' && e.failure.kind !== 'agent-trouble') u.reworkLast = e.failure;
  reworkFailed(s, u, { reason: e.reason, failure: e.failure, told: u.reworkFor ?? e.failure });
}

function verifyFailed(s: State, u: UnitState, failure: Failure): void {
  const scope = u.next.step === 'verify' ? u.next.scope : 'baseline';
  if (VERDICTS[failure.kind] !== 'rework') return stepFailed(s, u, failure);
  delete u.reworkLast;
  reworkFailed(s, u, { reason: scope === 'merge' ? 'conflict' : scope, failure, told: failure });
}

/** Sends the unit back to its agent, told of the failure, as long as the limit for that reason allows. */
function reworkFailed(s: State, u: UnitState, o: { readonly reason: ReworkReason; readonly failure: Failure; readonly told: Failure }): void {
  if (o.failure.kind === 'cut') {
    u.rework.cuts++;
    if (u.rework.cuts > s.settings.limits.cuts) return giveUp(s, u, { failure: o.failure });
    return todo(s, u, u.next);
  }
  if (o.failure.kind === 'agent-trouble') return todo(s, u, u.next);
  u.reworkFor = o.told;
  const limit = o.reason === 'conflict' ? s.settings.conflictRetries : s.settings.limits.attempts;
  // A conflict is looked at again first: the merge may have been given up, or done by a person.
  const next: Next = o.reason === 'conflict' ? { step: 'refresh', then: 'conflict' } : { step: 'rework', reason: o.reason };
  u.next = next;
  if (VERDICTS[o.failure.kind] !== 'rework' || ++u.rework[o.reason] > limit) return giveUp(s, u, { failure: o.failure });
  todo(s, u, next);
}

function refreshed(s: State, u: UnitState, e: EventOf<'unit.refreshed'>): void {
  const then = u.next.step === 'refresh' ? u.next.then : 'verify';
  if (e.conflicts.length > 0) {
    u.reworkFor = { kind: 'conflict', conflict: 'textual', paths: e.conflicts, onto: e.onto };
    u.merging = e.onto;
    return todo(s, u, { step: 'rework', reason: 'conflict' });
  }
  const next: Next = then === 'conflict' || then === 'work' && nextTask(u) !== undefined ? { step: 'merge' } : then === 'proof' ? { step: 'rework', reason: 'proof' } : { step: 'verify', scope: 'baseline' };
  adopt(s, u, { commit: e.commit, parent: e.parent, merged: true, then: next });
}

// ---------------------------------------------------------------- landing

function toLane(s: State, u: UnitState): void {
  freeSlot(s, u);
  setPhase(s, u, 'proving');
  u.next = { step: 'merge' };
  s.lane.push(u.index);
}

function leaveLane(s: State, u: UnitState): void {
  if (s.lane.first !== u.index) throw new Bug(`${u.unit.id} left the landing lane out of order`);
  s.lane.shift();
}

/** What is on its way to the landing ref. It is proved, unless it is what was proved before and arrived although git said that it had failed. */
function candidate(u: UnitState, e: EventOf<'unit.candidate'>): void {
  u.candidate = { commit: e.commit, onto: e.onto, head: e.head, target: e.target };
  u.next = { step: u.proved?.commit === e.commit ? 'land' : 'prove' };
}

function mergeFailed(s: State, u: UnitState, failure: Failure): void {
  if (failure.kind === 'cut') return;
  const textual = failure.kind === 'conflict' && failure.conflict === 'textual';
  if (!textual) return giveUp(s, u, { failure });
  backToWork(s, u, { reason: 'conflict', failure });
}

function proofFailed(s: State, u: UnitState, failure: Failure): void {
  if (failure.kind === 'cut') return;
  if (failure.kind === 'unstable-check' || VERDICTS[failure.kind] === 'rework') return backToWork(s, u, { reason: 'proof', failure });
  giveUp(s, u, { failure });
}

/** Takes the unit out of the lane: the target is merged into its branch, then its agent (or, for a formatter, choo) mends it. */
function backToWork(s: State, u: UnitState, o: { readonly reason: 'conflict' | 'proof'; readonly failure: Failure }): void {
  const limit = o.reason === 'conflict' ? s.settings.conflictRetries : s.settings.limits.attempts;
  const formatter = o.failure.kind === 'unstable-check';
  u.reworkFor = o.failure;
  const next: Next = { step: 'refresh', then: formatter ? 'verify' : o.reason };
  if (++u.rework[o.reason] > (formatter ? 1 : limit)) return giveUp(s, u, { failure: o.failure, next });
  leaveLane(s, u);
  delete u.candidate;
  setPhase(s, u, 'running');
  todo(s, u, next);
}

function merged(s: State, u: UnitState, e: EventOf<'unit.merged'>): void {
  leaveLane(s, u);
  setPhase(s, u, 'landed');
  u.landed = e.commit;
  s.landed = e.commit;
  delete s.joined;
  u.next = { step: 'finish' };
  u.endedAt = e.time;
  delete u.candidate;
  s.finishing.add(u.index);
  s.failuresInARow = 0;
  s.landing = e.diverted === undefined ? { ref: e.ref } : { ref: e.ref, diverted: e.diverted };
  if (e.diverted !== undefined) s.advance = 'needed';
  for (const d of s.graph.dependants[u.index] ?? []) {
    const dependant = must(s.units[d], 'a dependant');
    if (--dependant.missing === 0 && dependant.phase === 'pending') s.announce.push({ what: 'queued', unit: d });
  }
}
