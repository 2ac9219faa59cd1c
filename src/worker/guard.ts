// What a unit's own commits change of what is protected, and whether a person has seen exactly that. What follows is core's.

import { must } from '../core/bug.ts';
import type { EventOf } from '../core/event.ts';
import { standsOn } from '../core/stack.ts';
import { isSpec } from './commit.ts';
import { StepFailure } from './workplace.ts';
import type { UnitStep } from './workplace.ts';

/** Takes a commit that the unit's branch is to be at, gives the field that `unit.verified` and `unit.refreshed` carry; empty when nothing protected is changed. */
export async function protectedChange(step: UnitStep, head: string): Promise<Pick<EventOf<'unit.verified'>, 'protected'>> {
  const { place, u } = step;
  const { git } = place.world;
  const globs = place.state.pinned.guard?.protected ?? [];
  if (globs.length === 0 || head === u.base) return {};
  const bases = await standingOn(step, head);
  const base = must(bases.at(-1), 'a base');
  let changed = (await git.changedPaths(base, head)).filter((path) => globs.some((glob) => place.matches(glob, path)) && !isSpec(step, path));
  for (const other of bases.slice(0, -1)) {
    if (changed.length === 0) break;
    const also = new Set(await git.changedPaths(other, head));
    changed = changed.filter((path) => also.has(path));
  }
  if (changed.length === 0) return {};
  // To a pull request people push as well, and what came with a merge of theirs is the unit's like anything else on its branch.
  const own = u.pull === undefined ? await git.ownPaths(must(u.base, 'a base'), head) : new Set(changed);
  const paths = changed.filter((path) => own.has(path));
  return paths.length === 0 ? {} : { protected: { base, head, paths, approved: await isApproved(step, { head, paths }) } };
}

/** What the unit has of others: their newest commits in it. What it changes is what differs from all of them. */
async function standingOn(step: UnitStep, head: string): Promise<readonly string[]> {
  const { place: { state, world }, u } = step;
  const target = await targetIn(step, head);
  const below = u.pull === undefined ? undefined : standsOn(state, u)?.head;
  const lower = below === undefined ? undefined : await world.git.mergeBase(below, head);
  return lower === undefined || lower === target ? [target] : [target, lower];
}

/** The newest commit of the landing ref that the unit has. Throws StepFailure when that ref is gone: what others brought would be taken for the unit's. */
async function targetIn({ place, u }: UnitStep, head: string): Promise<string> {
  const base = must(u.base, 'a base');
  const { ref } = place.state.landing;
  const onto = await place.world.git.resolve(ref);
  if (onto === undefined) throw new StepFailure({ kind: 'target-gone', ref });
  if (onto === base) return base;
  return (await place.world.git.mergeBase(onto, head)) ?? base;
}

/** Every path was among those that were approved, and is as it was then. */
async function isApproved({ place, u: { approval } }: UnitStep, o: { readonly head: string; readonly paths: readonly string[] }): Promise<boolean> {
  if (approval === undefined || !o.paths.every((path) => approval.paths.includes(path))) return false;
  const since = new Set(approval.head === o.head ? [] : await place.world.git.changedPaths(approval.head, o.head));
  return !o.paths.some((path) => since.has(path));
}
