// Which step of the landing queue is due: batches merge and prove side by side, and land one after the other. Decides; changes nothing.

import { must } from './bug.ts';
import type { EventBody } from './event.ts';
import type { Batch, State, UnitState } from './state.ts';
import { landRules } from './state.ts';

/** What the landing queue needs now; `wakeAt` (steady ms): a batch is formed then at the latest. */
export interface LandingDecision {
  readonly next: readonly EventBody[];
  readonly wakeAt?: number;
}

/** Takes the state and the session's steady time (ms). */
export function landingSteps(s: State, now: number): LandingDecision {
  const due = s.batches.flatMap((b, i) => (b.inFlight === undefined ? stepOfBatch(s, b, i) : []));
  // The place of one is known to be taken only when it has begun; then the others are asked again.
  const proof = due.find((e) => e.type === 'batch.proving');
  const next = due.filter((e) => e.type !== 'batch.proving' || e === proof);
  return next.length > 0 ? { next } : newBatch(s, now);
}

/** The step of a batch, when its turn has come. Only the first one lands or is searched; the others are ready by then. */
function stepOfBatch(s: State, b: Batch, at: number): EventBody[] {
  switch (b.next) {
    case 'merge': {
      const before = s.batches[at - 1];
      return before === undefined || isStackable(before) ? [merging(s, { batch: b.id, units: b.units, before })] : [];
    }
    case 'prove': {
      const place = at === 0 || b.red === undefined ? freePlace(s) : undefined;
      return place === undefined ? [] : [{ type: 'batch.proving', batch: b.id, ...prefix(s, b), place }];
    }
    case 'land': return at === 0 ? [{ type: 'batch.landing', batch: b.id, ...prefix(s, b) }] : [];
    default: return b.next satisfies never;
  }
}

/** The first units of a batch that are proved or land together, and the commit that brings them all. */
function prefix(s: State, b: Batch): { readonly units: readonly string[]; readonly commit: string } {
  return { units: ids(s, b.units.slice(0, b.probe)), commit: must(b.merges[b.probe - 1], 'a merge').commit };
}

/** The next batch upon it would not be in vain, as far as anybody knows. */
function isStackable(b: Batch): boolean {
  return b.merges.length > 0 && b.red === undefined;
}

/** The lowest number of a landing worktree in which nothing runs; a proof that is being given up still has its own. */
function freePlace(s: State): number | undefined {
  const taken = new Set([...s.batches.map((b) => b.place), ...s.dropped.values()]);
  for (let place = 0; place < landRules(s).speculate; place++) if (!taken.has(place)) return place;
  return undefined;
}

function newBatch(s: State, now: number): LandingDecision {
  const { batch, history, speculate } = landRules(s);
  const first = s.lane.first;
  const before = s.batches.at(-1);
  if (s.paused?.reason === 'landing' || first === undefined || s.batches.length >= speculate || (before !== undefined && !isStackable(before))) return { next: [] };
  const wakeAt = gatherUntil(s, must(s.units[first], 'a unit in the landing queue'));
  if (wakeAt > now) return { next: [], wakeAt };
  const units: number[] = [];
  for (const index of s.lane) if (units.push(index) >= (history === 'each' ? 1 : batch)) break;
  return { next: [merging(s, { batch: s.batchCount + 1, units, before })] };
}

/**
 * A proof takes about as long as the first unit's own checks took. No longer than that it waits for units that were at theirs when it
 * came: they are proved with it instead of after it, and the wait costs at most what a proof does. Ms on the steady clock.
 */
function gatherUntil(s: State, u: UnitState): number {
  for (const index of s.verifying) {
    const { since } = must(s.units[index], 'a unit').verify;
    if (since <= u.arrived) return u.arrived + u.verify.took;
  }
  return 0;
}

function merging(s: State, o: { readonly batch: number; readonly units: readonly number[]; readonly before: Batch | undefined }): EventBody {
  const onto = o.before?.merges.at(-1)?.commit;
  return { type: 'batch.merging', batch: o.batch, units: ids(s, o.units), ...(onto === undefined ? {} : { onto }) };
}

function ids(s: State, units: readonly number[]): string[] {
  return units.map((i) => must(s.units[i], 'a unit').unit.id);
}
