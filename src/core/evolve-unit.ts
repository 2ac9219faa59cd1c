// What follows for a unit from each of its events: the step it needs next.

import { keepBack, meetTrouble, park, proveAgent, reserve, settleAccount, stopWaiting } from './agents.ts';
import { approved, holdForApproval, awaitApproval, needsApproval, noteProtected, refusal } from './approval.ts';
import { Bug } from './bug.ts';
import { becomeReady } from './crowd.ts';
import { isAttempt, isBegun } from './event.ts';
import type { Event, EventOf, ReworkReason } from './event.ts';
import type { Failure } from './failure.ts';
import { VERDICTS } from './failure.ts';
import { arrive } from './landing.ts';
import { discarded, retried } from './by-hand.ts';
import { isReviewDue, noteRework, reviewEnded, reviewFailed } from './review.ts';
import { arriveAsPull, beginReview, onPull, pullBegun, reviewIsLate } from './pull.ts';
import type { PullAnswer } from './pull.ts';
import { noteOutside } from './outside.ts';
import { announced, blocked, cutAgain, failed, giveUp, takeSlot, task, todo, unblocked } from './moves.ts';
import type { Next, State, UnitState } from './state.ts';
import { nextTask } from './state.ts';
import { amountOf } from './usage.ts';

/** An event about one unit. */
export type UnitEvent = Extract<Event, { readonly unit: string }>;

/** Folds one event of a unit into the state. Throws a Bug when it cannot follow. */
export function onUnit(s: State, u: UnitState, e: UnitEvent): void {
  if (isBegun(e)) return begin(s, u, e);
  switch (e.type) {
    case 'unit.queued': becomeReady(s, u.index); return announced(s, 'queued');
    case 'unit.blocked': return blocked(s, u);
    case 'unit.unblocked': return unblocked(s, u);
    case 'unit.failed': return failed(s, u, e);
    case 'unit.retried': return retried(s, u);
    case 'unit.discarded': stopWaiting(s, u); return discarded(s, u, e.time);
    case 'pr.late': return reviewIsLate(s, u);
    // Also asked for from outside, when nothing was to be announced.
    case 'pr.waking': if (s.announce.first?.what === 'wake') announced(s, 'wake'); return;
    case 'unit.waiting': return e.for === 'approval' ? awaitApproval(s, u) : e.for === 'review' ? beginReview(s, u) : e.for === 'overlap' ? keepBack(s, u, e) : park(s, u, e);
    case 'unit.approved': approved(s, u, e.change); return finished(s, u);
    case 'task.failed': return;
    case 'unit.merged': return announced(s, 'merged');
    case 'task.completed': return announced(s, 'completed');
    default: return onAnswer(s, u, e);
  }
}

type Announced = 'unit.queued' | 'unit.blocked' | 'unit.unblocked' | 'unit.failed' | 'unit.retried' | 'unit.discarded' | 'unit.waiting' | 'unit.approved' | 'unit.merged' | 'pr.late' | 'pr.waking' | 'task.failed' | 'task.completed';
type Begins = 'unit.started' | 'task.started' | 'task.retry' | 'task.backpressure' | 'task.committing' | 'rework.started' | 'review.started'
  | 'unit.verifying' | 'unit.refreshing' | 'unit.committing' | 'unit.finishing' | 'pr.publishing' | 'pr.proving' | 'pr.following' | 'pr.taking' | 'pr.merging';
type Answer = Exclude<UnitEvent, { readonly type: Announced | Begins }>;

function onAnswer(s: State, u: UnitState, e: Answer): void {
  if (u.inFlight === undefined) throw new Bug(`${e.type} answers a step of ${u.unit.id} that was not begun`);
  delete u.inFlight;
  s.inFlight--;
  if ('notes' in e) u.notes.push(...e.notes);
  if (isSessionEnd(e)) account(s, u, e);
  switch (e.type) {
    case 'unit.prepared': return prepared(s, u, e);
    case 'task.attempted': noteBefore(u, e); return todo(s, u, { step: 'check', task: e.task, attempt: e.attempt });
    case 'task.attempt.failed': case 'task.validation.fail': return attemptFailed(s, u, e);
    case 'task.validation.ok': task(u, e.task).unchanged = e.unchanged; return todo(s, u, { step: 'commit', task: e.task, commit: e.commit, parent: e.parent });
    case 'task.committed': return committed(s, u, e);
    case 'rework.attempted': return todo(s, u, { step: 'verify', scope: e.reason === 'conflict' ? 'merge' : e.reason === 'review' || e.reason === 'feedback' ? 'proof' : e.reason });
    case 'rework.attempt.failed': return reworkAttemptFailed(s, u, e);
    case 'review.ended': return reviewEnded(s, u, { e, land: finished });
    case 'review.attempt.failed': return reviewFailed(s, u, { e, land: finished });
    case 'unit.verified': return verified(s, u, e);
    case 'unit.verify.failed': return verifyFailed(s, u, e.failure);
    case 'unit.refreshed': return refreshed(s, u, e);
    case 'unit.committed': return adopted(s, u, e.commit);
    case 'unit.commit.failed': return adoptFailed(s, u, e.failure);
    case 'task.commit.failed': return commitFailed(s, u, e);
    case 'unit.prepare.failed': case 'unit.refresh.failed': return stepFailed(s, u, e.failure);
    case 'unit.completed': s.finishing.delete(u.index); u.next = { step: 'prepare' }; u.endedAt = e.time; return;
    default: return onPull(s, u, e satisfies PullAnswer);
  }
}

function begin(s: State, u: UnitState, e: UnitEvent): void {
  if (u.inFlight !== undefined) throw new Bug(`${e.type} of ${u.unit.id} while step ${u.inFlight} is in flight`);
  u.inFlight = e.seq;
  s.inFlight++;
  s.todo.delete(u.index);
  s.finishing.delete(u.index);
  u.startedAt ??= e.time;
  if (e.type === 'pr.publishing' || e.type === 'pr.proving' || e.type === 'pr.following' || e.type === 'pr.taking' || e.type === 'pr.merging') return pullBegun(s, u, e);
  if (u.next.step !== 'finish') takeSlot(s, u);
  if (e.type === 'unit.started' || e.type === 'unit.refreshing') u.knows = s.landedOrder.length;
  if (e.type === 'unit.verifying') { u.verify.since = s.now; s.verifying.add(u.index); }
  else if (e.type !== 'unit.committing') s.verifying.delete(u.index);
  if (e.type === 'task.started' || e.type === 'task.retry') task(u, e.task).used = e.attempt;
  if (e.type === 'rework.started') {
    u.rework.used = e.attempt;
    noteRework(s, u, e.reason);
  }
  if (e.type === 'review.started') u.review.used = e.attempt;
  if (isAttempt(e)) {
    u.agent = e.agent;
    u.attempt = { agent: e.agent, log: e.log, since: e.time, ...(e.model === undefined ? {} : { model: e.model }) };
    reserve(s, u, e);
  }
}

type SessionEnd = EventOf<'task.attempted' | 'task.attempt.failed' | 'rework.attempted' | 'rework.attempt.failed' | 'review.ended' | 'review.attempt.failed'>;
const SESSION_ENDS: ReadonlySet<string> = new Set(['task.attempted', 'task.attempt.failed', 'rework.attempted', 'rework.attempt.failed', 'review.ended', 'review.attempt.failed'] satisfies SessionEnd['type'][]);

function isSessionEnd(e: Answer): e is SessionEnd {
  return SESSION_ENDS.has(e.type);
}

/** An attempt has ended: it is charged, and its agent has worked or met trouble. */
function account(s: State, u: UnitState, e: SessionEnd): void {
  settleAccount(s, u, e.usage);
  if ('failure' in e) noteOutside(s, e);
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
  u.review.due = true;
  delete t.last;
  u.head = e.commit;
  s.announce.push({ what: 'completed', unit: u.index, task: e.task });
  workOn(s, u);
}

/** Only before its first attempt a task's check is run without the work of an agent. */
function noteBefore(u: UnitState, e: EventOf<'task.attempted' | 'task.attempt.failed'>): void {
  if (e.attempt !== 1) return;
  const passed = e.type === 'task.attempted' ? e.passedBefore : e.notes.some((n) => n.kind === 'passes-before');
  // An attempt that failed before its agent was begun may not have come to the check.
  if (passed || e.type === 'task.attempted' || e.failure.kind.startsWith('agent-')) task(u, e.task).before = passed ? 'passed' : 'failed';
}

function attemptFailed(s: State, u: UnitState, e: EventOf<'task.attempt.failed' | 'task.validation.fail'>): void {
  const t = task(u, e.task);
  if (e.type === 'task.attempt.failed') noteBefore(u, e);
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
  const cuts = number !== undefined ? ++task(u, number).cuts : n.step === 'rework' || n.step === 'review' || n.step === 'verify' ? ++u.rework.cuts : 0;
  if (cuts <= s.settings.limits.cuts) return false;
  giveUp(s, u, { failure: { kind: 'cut', by: 'crash' }, ...(number === undefined ? {} : { task: number }) });
  return true;
}

/** A failing step outside of attempts: cut ones are done again, all others end the unit. */
function stepFailed(s: State, u: UnitState, failure: Failure): void {
  if (failure.kind !== 'cut') return giveUp(s, u, { failure });
  todo(s, u, u.next);
}

// ---------------------------------------------------------------- mending

function verified(s: State, u: UnitState, e: EventOf<'unit.verified'>): void {
  delete u.reworkLast;
  noteProtected(u, e);
  adopt(s, u, { commit: e.commit, parent: e.parent, merged: e.merged, then: { step: 'land' } });
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
  if (next.step !== 'land') todo(s, u, next);
  // A new plan may have given it tasks while a conflict was resolved.
  else if (nextTask(u) !== undefined) workOn(s, u);
  else if (!sentBack(s, u)) finished(s, u);
}

/** True when what it changed of what is protected is its agent's to put back, or was that once too often. */
function sentBack(s: State, u: UnitState): boolean {
  const failure = refusal(s, u);
  if (failure !== undefined) reworkFailed(s, u, { reason: 'baseline', failure, told: failure });
  return failure !== undefined;
}

/** The unit may land, or has to be reviewed or allowed by a person first. */
function finished(s: State, u: UnitState): void {
  if (isReviewDue(s, u)) todo(s, u, { step: 'review' });
  else if (needsApproval(s, u)) holdForApproval(s, u);
  else if (s.pinned.mode === 'forge') arriveAsPull(s, u);
  else arrive(s, u);
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
  if (o.failure.kind === 'cut') return cutAgain(s, u, o.failure);
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
  noteProtected(u, e);
  const next: Next = then === 'conflict' || then === 'work' && nextTask(u) !== undefined ? { step: 'land' } : then === 'proof' ? { step: 'rework', reason: 'proof' } : { step: 'verify', scope: 'baseline' };
  adopt(s, u, { commit: e.commit, parent: e.parent, merged: true, then: next });
}
