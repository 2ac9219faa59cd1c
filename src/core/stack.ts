// Units that begin on top of the open pull request of one that they depend on (`review.stack`): who may, and what each stands on.

import { must } from './bug.ts';
import type { State, UnitState } from './state.ts';

/** The unit on whose pull request this one stands, as long as that has not landed; undefined: it stands on the target. */
export function standsOn(s: Pick<State, 'graph' | 'units'>, u: UnitState): UnitState | undefined {
  const below = u.stackedOn === undefined ? undefined : s.units[s.graph.index.get(u.stackedOn) ?? -1];
  return below?.phase === 'landed' ? undefined : below;
}

/** A unit's pull request is open for review, or it landed: those that depend on it may begin when nothing else keeps them. Costs the number of its dependants. */
export function offerStack(s: State, u: UnitState): void {
  for (const d of s.graph.dependants[u.index] ?? []) tryStack(s, must(s.units[d], 'a dependant'));
}

/** It begins on top of the one dependency that is left, when that has a pull request which is proved and open for review. */
export function tryStack(s: State, u: UnitState): void {
  if (s.settings.pull?.stack !== true || u.phase !== 'pending' || u.stackedOn !== undefined || u.bad > 0 || u.missing !== 1) return;
  const below = (s.graph.deps[u.index] ?? []).map((d) => must(s.units[d], 'a dependency')).find((d) => d.phase !== 'landed');
  if (below?.pull?.ready !== true || below.pull.proved?.commit !== below.head) return;
  u.stackedOn = below.unit.id;
  s.announce.push({ what: 'queued', unit: u.index });
}

/** Those that stand on a unit whose pull request landed, was closed, or was given up look again at what they wait for. */
export function wakeStack(s: State, u: UnitState): void {
  for (const d of s.graph.dependants[u.index] ?? []) {
    const above = must(s.units[d], 'a dependant');
    if (above.stackedOn === u.unit.id && above.inFlight !== undefined && above.next.step === 'pull' && above.next.do === 'follow') s.announce.push({ what: 'wake', unit: d });
  }
}

/** Whether a pull request is just being made, or changed, that is to be merged into the branch of this unit's. Costs the number of its dependants. */
export function isBuiltUpon(s: Pick<State, 'graph' | 'units'>, u: UnitState): boolean {
  return (s.graph.dependants[u.index] ?? []).some((d) => {
    const above = s.units[d];
    return above?.stackedOn === u.unit.id && above.inFlight !== undefined && above.next.step === 'pull' && above.next.do === 'publish';
  });
}
