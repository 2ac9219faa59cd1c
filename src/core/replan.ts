// A run that takes changed specs: the state under the new plan, with everything that still holds of the old one.

import { settleAccount } from './agents.ts';
import { beginWork } from './crowd.ts';
import type { EventOf, PlanChanges } from './event.ts';
import { markDependants } from './moves.ts';
import { setPhase } from './phase.ts';
import type { State, TaskState, UnitState } from './state.ts';
import { initialState, isOver } from './state.ts';

/** Takes the state at rest and the event, gives the state that a new session begins with. What has landed stays landed; other units that had begun take the newest target in before they go on. */
export function replan(old: State, e: EventOf<'run.replanned'>): State {
  const s = initialState(e.run, e.pinned, old.settings);
  s.announce.remove(() => true);
  // What a crash cut has been paid for, too.
  for (const u of old.units) if (u.reserved !== undefined) settleAccount(old, u, undefined);
  s.seq = e.seq;
  s.now = Date.parse(e.time);
  carryRun(s, old);
  for (const u of s.units) {
    const was = old.units[old.graph.index.get(u.unit.id) ?? -1];
    if (was === undefined) continue;
    carry(s, { u, was, changes: e.changes, guarded: JSON.stringify(old.pinned.guard) === JSON.stringify(s.pinned.guard) });
    if (u.phase === 'landed') u.textsAt = was.textsAt ?? old.pinned.base;
  }
  for (const i of old.landedOrder) {
    const index = s.graph.index.get(old.units[i]?.unit.id ?? '');
    if (index !== undefined && s.units[index]?.phase === 'landed') s.landedOrder.push(index);
  }
  for (const u of s.units) {
    u.missing = (s.graph.deps[u.index] ?? []).filter((d) => s.units[d]?.phase !== 'landed').length;
    if (u.phase === 'pending' && u.missing === 0) s.announce.push({ what: 'queued', unit: u.index });
  }
  for (const u of s.units) if (u.phase === 'running') beginWork(s, u.index);
  for (const u of s.units) if (u.phase === 'failed' || u.phase === 'cancelled') markDependants(s, u, u.unit.id);
  return s;
}

function carryRun(s: State, old: State): void {
  s.sessionStart = old.sessionStart;
  s.ended = old.ended;
  s.crashed = old.crashed;
  s.landing = old.landing;
  s.advance = old.advance;
  s.push = old.push;
  s.save = old.save;
  s.needsMerge = old.needsMerge;
  if (old.landed !== undefined) s.landed = old.landed;
  if (old.joined !== undefined) s.joined = old.joined;
  if (old.advanceText !== undefined) s.advanceText = old.advanceText;
  s.spent = old.spent;
  s.batchCount = old.batchCount;
  s.landedBatch = old.landedBatch;
  for (const key of old.passed) s.passed.add(key);
  for (const [seq, untold] of old.untold) s.untold.set(seq, untold);
  s.proofNotes.push(...old.proofNotes);
  for (const [change, during] of old.outside) s.outside.set(change, during);
  for (const p of old.announce) if (p.what === 'merged') s.announce.push(p);
  for (const [name, hold] of old.held) s.held.set(name, { ...hold, active: false, waiting: new Set() });
  for (const [command, seq] of old.environment) s.environment.set(command, seq);
}

interface Carried { readonly u: UnitState; readonly was: UnitState; readonly changes: PlanChanges; /** The same paths are protected in the same way. */ readonly guarded: boolean }

function carry(s: State, o: Carried): void {
  const { u, was, changes } = o;
  const id = u.unit.id;
  const changed = changes.changed.some((c) => c.unit === id);
  const removed = changes.removed.includes(id);
  carryPlace(u, was);
  const back = was.leftPlan === true && changes.added.includes(id);
  if ((isOver(was) && !back) || removed) return carryOver(s, o);
  const stale = new Set(changes.changed.flatMap((c) => (c.unit === id ? c.tasks : [])));
  for (const [i, t] of u.tasks.entries()) carryTask(t, was.tasks[i], back || stale.has(i + 1));
  u.rework.used = was.rework.used;
  Object.assign(u.review, { used: was.review.used, due: was.review.due });
  u.interrupted = was.inFlight !== undefined || was.interrupted;
  if (was.phase === 'failed' && !changed) {
    setPhase(s, u, 'failed');
    u.next = was.next.step === 'land' && !o.guarded ? { step: 'refresh', then: 'work' } : was.next;
    if (was.failure !== undefined) u.failure = was.failure;
    if (was.reworkFor !== undefined) u.reworkFor = was.reworkFor;
    if (was.candidate !== undefined) u.candidate = was.candidate;
    for (const [i, t] of u.tasks.entries()) t.failed = was.tasks[i]?.failed ?? 0;
    Object.assign(u.rework, was.rework);
    Object.assign(u.review, was.review);
  } else if (u.worktree !== undefined) {
    // It asks for a slot like everything that a session before had begun.
    u.holdsSlot = true;
    setPhase(s, u, 'running');
    u.next = { step: 'refresh', then: 'work' };
  }
}

/** Where the unit works and what is recorded of that, whatever becomes of its tasks. */
function carryPlace(u: UnitState, was: UnitState): void {
  u.notes.push(...was.notes);
  const { worktree, branch, base, head, merging, approval, pull, stackedOn, protected: change, startedAt, agent } = was;
  u.spent = was.spent;
  Object.assign(u, Object.fromEntries(Object.entries({ worktree, branch, base, head, merging, approval, pull, stackedOn, protected: change, startedAt, agent }).filter(([, value]) => value !== undefined)));
}

/** A unit that this run has nothing more to do with: it landed, was discarded, or is not in the plan any more. */
function carryOver(s: State, { u, was, changes }: Carried): void {
  if (was.leftPlan === true || changes.removed.includes(was.unit.id)) u.leftPlan = true;
  for (const [i, t] of was.tasks.entries()) Object.assign(u.tasks[i] ?? {}, t);
  setPhase(s, u, was.phase === 'landed' ? 'landed' : 'cancelled');
  u.next = was.phase === 'landed' ? was.next : { step: 'prepare' };
  if (was.landed !== undefined) u.landed = was.landed;
  if (was.landedHead !== undefined) u.landedHead = was.landedHead;
  if (was.endedAt !== undefined) u.endedAt = was.endedAt;
}

/** Numbers of attempts are never used twice; a completion holds only for the task that was proved. */
function carryTask(t: TaskState, was: TaskState | undefined, stale: boolean): void {
  if (was === undefined) return;
  t.used = was.used;
  t.cuts = was.cuts;
  t.spent = was.spent;
  if (stale) return;
  t.toldUnchanged = was.toldUnchanged;
  if (was.before !== undefined) t.before = was.before;
  t.failed = was.failed;
  if (was.last !== undefined) t.last = was.last;
  if (!was.ours) return;
  t.done = true;
  t.ours = true;
  t.unchanged = was.unchanged;
  if (was.commit !== undefined) t.commit = was.commit;
}
