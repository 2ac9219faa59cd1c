// What the engine had in memory must be what its journal folds to.

import { decide } from '../../../src/core/decide.ts';
import type { ReadyHeap } from '../../../src/core/heap.ts';
import type { Event } from '../../../src/core/event.ts';
import type { State } from '../../../src/core/state.ts';
import { fold } from '../../../src/core/replay.ts';
import type { Machine } from '../machine.ts';

/** Compares the state of a session that is over with a replay up to the same event. Uses both up. */
export function checkReplay(m: Machine, live: State, events: readonly Event[]): void {
  if (live.seq > events.length) return m.violate('replay', `the engine believed in event ${live.seq}, the journal has ${events.length}`);
  const replayed = fold(events.slice(0, live.seq));
  const a = plain(live, m.wall);
  const b = plain(replayed, m.wall);
  if (a !== b) m.violate('replay', `the live state is not what the journal folds to: ${firstDifference(a, b)}`);
}

function emptied(heap: ReadyHeap<number>): number[] {
  const items: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) items.push(item);
  return items;
}

/** Everything of a state but the plan, as text. Empties the heaps. */
function plain(state: State, now: number): string {
  const { graph: _graph, pinned: _pinned, ready, overlaps, ...rest } = state;
  const next = decide(state, now);
  const [heap, crowded] = [ready, overlaps.crowded].map(emptied);
  return JSON.stringify({ ...rest, units: rest.units.map(({ unit: _unit, ...u }) => u), heap, overlaps: { ...overlaps, crowded }, next }, (_key, value: unknown) => {
    if (value instanceof Map) return { map: [...(value as Map<unknown, unknown>)] };
    if (value instanceof Set) return { set: [...(value as Set<unknown>)] };
    if (typeof value === 'object' && value !== null && Symbol.iterator in value && !Array.isArray(value)) return { list: [...(value as Iterable<unknown>)] };
    return value;
  });
}

function firstDifference(a: string, b: string): string {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return `…${a.slice(Math.max(0, i - 80), i + 60)}… against …${b.slice(i, i + 60)}…`;
}
