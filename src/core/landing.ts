// The landing queue and its batches: what follows from each of their events. When a step is due is landing-steps.ts.

import { Bug, must, unreachable } from './bug.ts';
import { endWork } from './crowd.ts';
import { isBegun } from './event.ts';
import type { Event, EventOf, Merge } from './event.ts';
import { describeFailure, VERDICTS } from './failure.ts';
import type { Failure, FailureKind } from './failure.ts';
import { announced, freeSlot, giveUp, todo } from './moves.ts';
import { setPhase } from './phase.ts';
import { landedAnew } from './push.ts';
import { byCodeUnit } from './plan.ts';
import { forgetMended, isStillKnown } from './red.ts';
import { offerStack, wakeStack } from './stack.ts';
import type { Batch, Next, State, UnitState } from './state.ts';
import { landRules } from './state.ts';

/** An event about a batch. */
export type BatchEvent = Extract<Event, { readonly batch: number }>;

const SYSTEMIC: ReadonlySet<FailureKind> = new Set(['environment', 'no-space', 'not-writable', 'path-taken', 'git']);

/** True for what no unit is to blame for: every proof would fail like that, one unit after the other. */
export function isSystemic(failure: Failure): boolean {
  return SYSTEMIC.has(failure.kind);
}

/** Units that a failure names at most. */
const NAMED = 20;

/** The unit's own work is done and verified: it waits to land. */
export function arrive(s: State, u: UnitState): void {
  freeSlot(s, u);
  s.verifying.delete(u.index);
  u.arrived = s.now;
  u.verify.took = u.verify.since === 0 ? 0 : Math.max(0, s.now - u.verify.since);
  enqueue(s, u);
}

/** Puts a unit into the landing queue: by arrival, then the longest chain that waits for it, then id. One that comes back gets its old place. */
export function enqueue(s: State, u: UnitState): void {
  delete u.batch;
  delete u.after;
  delete u.candidate;
  u.next = { step: 'land' };
  setPhase(s, u, 'proving');
  s.lane.insert(u.index, (other) => comesBefore(s, u, unitAt(s, other)));
}

function comesBefore(s: State, a: UnitState, b: UnitState): boolean {
  if (a.arrived !== b.arrived) return a.arrived < b.arrived;
  const [chainA, chainB] = [s.graph.chain[a.index] ?? 0, s.graph.chain[b.index] ?? 0];
  return chainA === chainB ? byCodeUnit(a.unit.id, b.unit.id) < 0 : chainA > chainB;
}

/** Folds one event of a batch into the state. Throws a Bug when it cannot follow. */
export function onBatch(s: State, e: BatchEvent): void {
  if (isBegun(e)) return begin(s, e);
  if (e.type === 'batch.dropped') { announced(s, 'dropped'); return dissolve(s, must(find(s, e.batch), `batch ${e.batch}`)); }
  // The answer to one that was given up says nothing any more.
  if (s.dropped.delete(e.batch)) { s.inFlight--; return; }
  const b = must(find(s, e.batch), `batch ${e.batch}`);
  if (b.inFlight === undefined) throw new Bug(`${e.type} answers a step of batch ${e.batch} that was not begun`);
  delete b.inFlight;
  delete b.place;
  s.inFlight--;
  switch (e.type) {
    case 'batch.candidate': return candidate(s, b, e);
    case 'batch.merge.failed': return failedAll(s, b, { failure: e.failure, count: b.units.length });
    case 'batch.proved': return proved(s, b, e);
    case 'batch.proof.failed': s.proofNotes.push(...e.notes); return proofFailed(s, b, e.failure);
    case 'batch.landed': return landed(s, b, e);
    case 'batch.moved': dropLater(s, b); return dissolve(s, b);
    case 'batch.land.failed': return failedAll(s, b, { failure: e.failure, count: b.probe });
    default: return unreachable(e);
  }
}

function begin(s: State, e: EventOf<'batch.merging' | 'batch.proving' | 'batch.landing'>): void {
  const b = find(s, e.batch) ?? form(s, e);
  if (b.inFlight !== undefined) throw new Bug(`${e.type} of batch ${e.batch} while step ${b.inFlight} is in flight`);
  b.inFlight = e.seq;
  s.inFlight++;
  if (e.type === 'batch.proving') { b.place = e.place; b.probe = e.units.length; }
  if (e.type === 'batch.landing') for (const index of b.units.slice(0, b.probe)) setPhase(s, unitAt(s, index), 'landing');
}

/** The first units of the queue become a batch. */
function form(s: State, e: EventOf<'batch.merging' | 'batch.proving' | 'batch.landing'>): Batch {
  const units = e.units.map((id) => must(s.graph.index.get(id), `unit ${id}`));
  for (const index of units) {
    if (s.lane.shift() !== index) throw new Bug(`${unitAt(s, index).unit.id} left the landing queue out of order`);
    unitAt(s, index).batch = e.batch;
  }
  const b: Batch = { id: e.batch, next: 'merge', units, merges: [], target: '', probe: units.length };
  s.batches.push(b);
  s.batchCount = e.batch;
  return b;
}

function find(s: State, id: number): Batch | undefined {
  return s.batches.find((b) => b.id === id);
}

function unitAt(s: State, index: number): UnitState {
  return must(s.units[index], 'a unit of the landing queue');
}

// ---------------------------------------------------------------- merged

function candidate(s: State, b: Batch, e: EventOf<'batch.candidate'>): void {
  const unit = (id: string): UnitState => unitAt(s, must(s.graph.index.get(id), `unit ${id}`));
  b.units = e.merges.map((m) => unit(m.unit).index);
  b.merges = e.merges;
  b.target = e.target;
  b.probe = b.units.length;
  if (e.remote !== undefined) b.remote = e.remote;
  b.next = landRules(s).checks === 'never' ? 'land' : 'prove';
  for (const m of e.merges) unit(m.unit).candidate = { commit: m.commit, onto: e.onto, head: m.head, target: e.target };
  for (const m of e.landed) foundLanded(s, unit(m.unit), m);
  for (const { unit: id, failure } of e.failed) { delete unit(id).batch; mergeFailed(s, unit(id), failure); }
  if (b.units.length === 0) over(s, b);
  const last = s.batches.at(-1);
  for (const id of e.postponed) postpone(s, unit(id), last);
}

/** The ref moved although git said that it had failed. What landed after it contains it: batches land in the order of their numbers. */
function foundLanded(s: State, u: UnitState, m: Merge): void {
  const { top, batch } = must(u.proved, 'a proof of what was found landed');
  if (batch >= s.landedBatch) {
    s.landed = top;
    s.landedBatch = batch;
    landedAnew(s);
  }
  land(s, m, s.landing);
}

/** It waits until the batches under way, with which it conflicts, have landed or come to nothing. */
function postpone(s: State, u: UnitState, last: Batch | undefined): void {
  if (last === undefined) return enqueue(s, u);
  delete u.batch;
  u.after = last.id;
  s.postponed.add(u.index);
}

function mergeFailed(s: State, u: UnitState, failure: Failure): void {
  const textual = failure.kind === 'conflict' && failure.conflict === 'textual';
  if (!textual) return giveUp(s, u, { failure });
  backToWork(s, u, { reason: 'conflict', failure });
}

// ---------------------------------------------------------------- proved, or searched for the one that is to blame

function proved(s: State, b: Batch, e: EventOf<'batch.proved'>): void {
  for (const [i, index] of b.units.slice(0, b.probe).entries()) {
    const { commit, head } = must(b.merges[i], 'a merge');
    unitAt(s, index).proved = { commit, head, top: must(b.merges[b.probe - 1], 'a merge').commit, batch: b.id };
  }
  for (const key of e.passed) s.passed.add(key);
  s.proofNotes.push(...e.notes);
  b.notes = e.notes;
  b.next = nextOfProved(s, b);
}

/** What a batch before it mended meanwhile may not be known as failing any more: then its proof says too little. */
function nextOfProved(s: State, b: Batch): Batch['next'] {
  return isStillKnown(s, b.notes ?? []) ? 'land' : 'prove';
}

function proofFailed(s: State, b: Batch, failure: Failure): void {
  // Only a stop cuts a proof; the next session makes its batches anew.
  if (failure.kind === 'cut') return;
  dropLater(s, b);
  if (isSystemic(failure)) {
    dissolve(s, b);
    if (s.paused?.reason !== 'landing') s.announce.push({ what: 'paused', reason: 'landing', text: `no proof can run: ${describeFailure(failure)}` });
    return;
  }
  // Whoever is to blame: no unit of this run while it is not without what came from outside.
  if (b.remote !== undefined) { s.push.unfit = b.remote; return dissolve(s, b); }
  b.red = { count: b.probe, failure };
  bisect(s, b);
}

/** What is proved lands at once; of what is not, half is tried, until one unit is left. */
function bisect(s: State, b: Batch): void {
  const { count, failure } = must(b.red, 'a batch that fails');
  if (count > 1) {
    b.probe = count >> 1;
    b.next = 'prove';
    return;
  }
  const culprit = unitAt(s, must(b.units[0], 'a unit that is to blame'));
  b.units = b.units.slice(1);
  dissolve(s, b);
  delete culprit.batch;
  blame(s, culprit, withNames(s, culprit, failure));
}

/** A unit whose proof failed goes back to its agent, or ends where none could mend it. */
export function blame(s: State, u: UnitState, failure: Failure): void {
  if (failure.kind === 'unstable-check' || failure.kind === 'setup-failed' || VERDICTS[failure.kind] === 'rework') return backToWork(s, u, { reason: 'proof', failure });
  giveUp(s, u, { failure });
}

/** Whom it clashes with: the unit whose check fails, else all that landed since its branch last took in the landing ref. */
function withNames(s: State, u: UnitState, failure: Failure): Failure {
  if (failure.kind !== 'check-failed' && failure.kind !== 'setup-failed') return failure;
  const { of } = failure;
  const names = of !== undefined && of !== u.unit.id ? [of] : s.landedOrder.slice(u.knows).slice(-NAMED).map((i) => unitAt(s, i).unit.id);
  return names.length === 0 ? failure : { ...failure, with: names };
}

/** Takes the unit out of the queue: the landing ref is merged into its branch, then its agent (or, for a formatter, choo) mends it. */
function backToWork(s: State, u: UnitState, o: { readonly reason: 'conflict' | 'proof'; readonly failure: Failure }): void {
  const limit = o.reason === 'conflict' ? s.settings.conflictRetries : s.settings.limits.attempts;
  const formatter = o.failure.kind === 'unstable-check';
  u.reworkFor = o.failure;
  delete u.candidate;
  const next: Next = { step: 'refresh', then: formatter ? 'verify' : o.reason };
  if (++u.rework[o.reason] > (formatter ? 1 : limit)) return giveUp(s, u, { failure: o.failure, next });
  setPhase(s, u, 'running');
  todo(s, u, next);
}

// ---------------------------------------------------------------- landed

function landed(s: State, b: Batch, e: EventOf<'batch.landed'>): void {
  const where = e.diverted === undefined ? { ref: e.ref } : { ref: e.ref, diverted: e.diverted };
  s.landing = where;
  if (e.diverted !== undefined) s.advance = 'needed';
  s.landed = e.commit;
  s.landedBatch = b.id;
  forgetMended(s, b.notes ?? []);
  for (const later of s.batches) if (later !== b && later.next === 'land') later.next = nextOfProved(s, later);
  landedAnew(s);
  for (const m of b.merges.slice(0, b.probe)) land(s, m, where);
  const { probe } = b;
  b.units = b.units.slice(probe);
  b.merges = b.merges.slice(probe);
  b.target = e.commit;
  if (b.units.length === 0) return over(s, b);
  b.red = { ...must(b.red, 'a batch that lands in part'), count: must(b.red, 'a batch that lands in part').count - probe };
  bisect(s, b);
}

/** The unit has landed by this commit; people are told of each. */
export function land(s: State, m: Merge, where: { readonly ref: string; readonly diverted?: string }): void {
  const u = unitAt(s, must(s.graph.index.get(m.unit), `unit ${m.unit}`));
  endWork(s, u.index);
  setPhase(s, u, 'landed');
  u.landed = m.commit;
  u.landedHead = m.head;
  u.notes.push(...m.notes ?? []);
  delete s.joined;
  u.next = { step: 'finish' };
  u.endedAt = new Date(s.now).toISOString();
  delete u.candidate;
  delete u.batch;
  s.finishing.add(u.index);
  s.landedOrder.push(u.index);
  s.failuresInARow = 0;
  s.announce.push({ what: 'merged', merge: m, ...where });
  for (const d of s.graph.dependants[u.index] ?? []) {
    const dependant = must(s.units[d], 'a dependant');
    // One that was to begin on top of it waits for its turn already.
    if (--dependant.missing === 0 && dependant.phase === 'pending' && dependant.stackedOn === undefined) s.announce.push({ what: 'queued', unit: d });
  }
  offerStack(s, u);
  wakeStack(s, u);
}

// ---------------------------------------------------------------- the end of a batch

/** The first `count` units cannot land for a reason that is not theirs; the others wait again. A cut step stays to be done. */
function failedAll(s: State, b: Batch, o: { readonly failure: Failure; readonly count: number }): void {
  if (o.failure.kind === 'cut') return;
  const hit = b.units.slice(0, o.count);
  b.units = b.units.slice(o.count);
  dropLater(s, b);
  dissolve(s, b);
  for (const index of hit) {
    delete unitAt(s, index).batch;
    giveUp(s, unitAt(s, index), { failure: o.failure });
  }
}

/** Batches upon one that will not land as it is come to nothing. */
function dropLater(s: State, b: Batch): void {
  for (const later of s.batches.slice(s.batches.indexOf(b) + 1)) {
    if (![...s.announce].some((p) => p.what === 'dropped' && p.batch === later.id)) s.announce.push({ what: 'dropped', batch: later.id });
  }
}

/** Its units wait in the queue again. */
function dissolve(s: State, b: Batch): void {
  for (const index of b.units) enqueue(s, unitAt(s, index));
  over(s, b);
}

function over(s: State, b: Batch): void {
  s.batches = s.batches.filter((other) => other !== b);
  s.announce.remove((p) => p.what === 'dropped' && p.batch === b.id);
  if (b.inFlight !== undefined) s.dropped.set(b.id, b.place);
  const first = s.batches[0]?.id ?? Infinity;
  for (const index of s.postponed) if ((unitAt(s, index).after ?? 0) < first) release(s, index);
}

function release(s: State, index: number): void {
  s.postponed.delete(index);
  enqueue(s, unitAt(s, index));
}

/** A new session begins with the queue: batches are formed anew, but for the one that may have moved the landing ref. */
export function resumeLanding(s: State): void {
  const [first] = s.batches;
  const kept = first?.next === 'land' ? first : undefined;
  if (kept !== undefined) delete kept.inFlight;
  for (const b of s.batches) if (b !== kept) for (const index of b.units) enqueue(s, unitAt(s, index));
  s.batches = kept === undefined ? [] : [kept];
  for (const index of s.postponed) release(s, index);
  s.dropped.clear();
  s.verifying.clear();
  s.announce.remove((p) => p.what === 'dropped');
}

/** Takes a unit out of the landing queue for good, while nothing is in flight; what is stacked upon it comes to nothing. */
export function leaveLanding(s: State, u: UnitState): void {
  s.lane.remove((i) => i === u.index);
  s.postponed.delete(u.index);
  const at = s.batches.findIndex((b) => b.id === u.batch);
  if (at < 0) return;
  for (const b of s.batches.slice(at)) {
    b.units = b.units.filter((i) => i !== u.index);
    delete b.inFlight;
    dissolve(s, b);
  }
  delete u.batch;
}
