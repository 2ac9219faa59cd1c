// Who is ready, where units overlap: those that overlap one at work are passed over or kept back until it landed, failed or was
// discarded. The cost of a change is the number of its overlaps.

import { Bug } from './bug.ts';
import type { EventBody } from './event.ts';
import { describeOverlap } from './overlap.ts';
import type { OverlapMode, OverlapReason } from './overlap.ts';
import { setPhase } from './phase.ts';
import type { Unit } from './plan.ts';
import type { State, UnitState } from './state.ts';

function mode(s: Pick<State, 'settings'>): OverlapMode {
  return s.settings.overlap ?? 'order';
}

/** The unit can begin: it takes its place among those that are ready. */
export function becomeReady(s: State, index: number): void {
  const { busy, crowded, kept, told } = s.overlaps;
  if (mode(s) === 'ignore' || !busy.has(index)) s.ready.push(index);
  else if (mode(s) === 'wait' && told.has(index)) {
    kept.add(index);
    setPhase(s, unitAt(s, index), 'waiting');
  } else crowded.push(index);
}

function unitAt(s: State, index: number): UnitState {
  const u = s.units[index];
  if (u === undefined) throw new Bug(`there is no unit ${index}`);
  return u;
}

/** Whether a unit is ready, be it one that has to wait for another. */
export function anyReady(s: State): boolean {
  return s.ready.size > 0 || s.overlaps.crowded.size > 0;
}

/** The ready unit whose turn it is: the best that overlaps nothing at work, else the best of the others, which may have to be told to wait. */
export function nextReady(s: State): number | undefined {
  return s.ready.peek() ?? s.overlaps.crowded.peek();
}

/** Takes the ready unit whose turn it is out; throws a Bug when that is another one. */
export function takeReady(s: State, u: UnitState): void {
  if (nextReady(s) !== u.index) throw new Bug(`${u.unit.id} was begun out of order`);
  if (s.ready.size > 0) s.ready.pop();
  else s.overlaps.crowded.pop();
}

/** The unit is no longer among those that are ready, wherever it was. */
export function leaveReady(s: State, index: number): void {
  s.ready.remove(index);
  s.overlaps.crowded.remove(index);
  s.overlaps.kept.delete(index);
}

/** The unit has begun: until it lands, fails or is discarded, those that overlap with it are passed over or kept back. */
export function beginWork(s: State, index: number): void {
  const { neighbours, atWork, busy } = s.overlaps;
  const list = neighbours.get(index);
  if (list === undefined || atWork.has(index)) return;
  atWork.add(index);
  for (const { index: other } of list) {
    const n = busy.get(other) ?? 0;
    busy.set(other, n + 1);
    if (n > 0 || mode(s) === 'ignore' || !s.ready.has(other)) continue;
    s.ready.remove(other);
    becomeReady(s, other);
  }
}

/** The unit landed, failed or was discarded. */
export function endWork(s: State, index: number): void {
  const { neighbours, atWork, busy, crowded, kept } = s.overlaps;
  if (!atWork.delete(index)) return;
  for (const { index: other } of neighbours.get(index) ?? []) {
    const n = busy.get(other) ?? 0;
    if (n > 1) {
      busy.set(other, n - 1);
      continue;
    }
    busy.delete(other);
    if (kept.delete(other)) setPhase(s, unitAt(s, other), 'pending');
    else if (crowded.has(other)) crowded.remove(other);
    else continue;
    s.ready.push(other);
  }
}

/** The one at work that the unit is kept back for, and why; undefined when it may begin. Of several, the first by the plan's order. */
export function keptBackBy(s: State, index: number): { readonly unit: Unit; readonly reason: OverlapReason } | undefined {
  const { neighbours, atWork, busy } = s.overlaps;
  if (mode(s) !== 'wait' || !busy.has(index) || atWork.has(index)) return undefined;
  const by = neighbours.get(index)?.find((n) => atWork.has(n.index));
  return by === undefined ? undefined : { unit: unitAt(s, by.index).unit, reason: by.reason };
}

/** The event that tells a unit to wait for one that it overlaps with; undefined when it need not. */
export function overlapWait(s: State, u: UnitState): Extract<EventBody, { type: 'unit.waiting' }> | undefined {
  const by = keptBackBy(s, u.index);
  return by === undefined ? undefined : { type: 'unit.waiting', unit: u.unit.id, for: 'overlap', other: by.unit.id, text: describeOverlap(by.reason) };
}

/** A new session may have another mode: all that are ready take their places again, and are told again. */
export function sortReady(s: State): void {
  const { crowded, kept, told, neighbours } = s.overlaps;
  if (neighbours.size === 0) return;
  const all = [...kept];
  for (const index of kept) setPhase(s, unitAt(s, index), 'pending');
  kept.clear();
  told.clear();
  for (const heap of [crowded, s.ready]) for (let item = heap.pop(); item !== undefined; item = heap.pop()) all.push(item);
  for (const index of all) becomeReady(s, index);
}
