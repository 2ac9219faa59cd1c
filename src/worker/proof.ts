// What has to pass on a commit before it lands: which checks, in which order, and which of them have passed on the very same before.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf } from '../core/event.ts';
import { unitNamed } from '../core/evolve.ts';
import type { State, UnitState } from '../core/state.ts';
import { landRules } from '../core/state.ts';
import type { Control } from '../world.ts';
import { proveAt } from './prove.ts';
import type { ProofCheck } from './prove.ts';
import { baselineChecks, taskChecks } from './verify.ts';
import type { Workplace } from './workplace.ts';

/** Proves the first units of a batch on the commit that brings them all. Answers `batch.proved` or `batch.proof.failed`. */
export async function proveBatch(place: Workplace, begun: EventOf<'batch.proving'>, control: Control): Promise<EventBody> {
  const { batch, commit } = begun;
  const units = begun.units.map((id) => unitNamed(place.state, id));
  const all = await proofOf(place, units);
  // The one that has just failed tells soonest whether it still does.
  const failure = place.state.batches.find((b) => b.id === batch)?.red?.failure;
  const suspect = failure !== undefined && 'command' in failure ? failure.command : undefined;
  const checks = [...all.filter((c) => c.command === suspect), ...all.filter((c) => c.command !== suspect)];
  const logs = `${place.runDir}/logs/landing/${batch}-${units.length}`;
  const proof = await proveAt(place, { commit, checks, logs, place: begun.place, reuse: landRules(place.state).reuse, control });
  const { failure: red, notes } = proof;
  if (red !== undefined) return { type: 'batch.proof.failed', batch, commit, failure: red, notes };
  return { type: 'batch.proved', batch, commit, passed: proof.passed, reused: proof.reused, notes };
}

/** Every check of these units that this run is answerable for, and those of units landed earlier whose files overlap theirs; each command once. */
export async function proofOf(place: Workplace, units: readonly UnitState[]): Promise<readonly ProofCheck[]> {
  const checks: ProofCheck[] = [];
  for (const u of units) checks.push(...ofUnit(u, taskChecks({ u })));
  for (const u of await overlapping(place, units)) checks.push(...ofUnit(u, taskChecks({ u })));
  for (const u of units) checks.push(...ofUnit(u, await baselineChecks({ u, place }, must(u.head, 'a head'))));
  return distinct(checks);
}

function ofUnit(u: UnitState, checks: readonly ProofCheck[]): readonly ProofCheck[] {
  return checks.map((c) => ({ ...c, unit: u.unit.id }));
}

/** One that several units have in common runs once and for none of them, unless its command names the unit that it is for. */
function distinct(checks: readonly ProofCheck[]): readonly ProofCheck[] {
  const found = new Map<string, ProofCheck>();
  for (const c of checks) {
    const own = c.command.includes('CHOO_UNIT') ? `${c.unit ?? ''}\0${c.command}` : c.command;
    const twin = found.get(own);
    if (twin === undefined) found.set(own, c);
    else if (twin.unit !== c.unit || twin.task !== c.task) found.set(own, together(twin, c));
  }
  return [...found.values()];
}

/** Both as one: no unit's unless they are of the same, and never judged more mildly than either. */
function together(a: ProofCheck, b: ProofCheck): ProofCheck {
  const { unit, task, ...rest } = { ...b, ...a };
  const strict = task ?? b.task;
  return { ...rest, ...(a.unit === b.unit && unit !== undefined ? { unit } : {}), ...(strict === undefined ? {} : { task: strict }) };
}

/** The landed units of this run that changed a file which one of these changes, too. */
async function overlapping(place: Workplace, units: readonly UnitState[]): Promise<readonly UnitState[]> {
  const { state, landedPaths } = place;
  const from = landedPaths.known;
  for (const [n, index] of state.landedOrder.slice(from).entries()) {
    const paths = await pathsOf(place, must(state.units[index], 'a landed unit'));
    // Another proof may have asked at the same time. Known is only what is in the map.
    if (landedPaths.known > from + n) continue;
    landedPaths.known++;
    for (const path of paths) {
      const those = landedPaths.byPath.get(path) ?? [];
      those.push(index);
      landedPaths.byPath.set(path, those);
    }
  }
  const found = new Set<number>();
  for (const u of units) for (const path of await pathsOf(place, u)) for (const index of landedPaths.byPath.get(path) ?? []) found.add(index);
  return [...found].toSorted((a, b) => a - b).map((index) => must(state.units[index], 'a landed unit'));
}

/** What the unit's own commits changed, without its specs. */
async function pathsOf(place: Workplace, u: UnitState): Promise<readonly string[]> {
  if (u.base === undefined || u.head === undefined) return [];
  const paths = await place.world.git.ownPaths(u.base, u.head);
  return [...paths].filter((p) => !p.startsWith(`${place.state.pinned.tasksDir}/`));
}

/** The proof of everything that this run has landed. */
export function wholeProof(place: { readonly state: Pick<State, 'units' | 'pinned'> }): readonly ProofCheck[] {
  const landed = place.state.units.filter((u) => u.phase === 'landed');
  return distinct([...landed.flatMap((u) => ofUnit(u, [...taskChecks({ u }), ...u.unit.checks])), ...place.state.pinned.checks]);
}
