// The remote target of a run with a forge: which it is, where it is now, and how a unit's branch is called there.

import { must } from '../core/bug.ts';
import { BOUNDS } from '../core/limits.ts';
import { pullBranchName } from '../core/pull-rules.ts';
import type { ForgeTarget } from '../core/pull-rules.ts';
import { standsOn } from '../core/stack.ts';
import type { Forge } from '../forge.ts';
import { GitError } from '../world.ts';
import { StepFailure } from './workplace.ts';
import type { UnitStep, Workplace } from './workplace.ts';

/** The forge of a run that has one, and where it lands there. */
export function forgeOf(place: Workplace): { readonly forge: Forge; readonly target: ForgeTarget } {
  return { forge: must(place.world.forge, 'a forge'), target: must(place.state.pinned.forge, 'a remote target') };
}

/** The unit's branch on the forge, by name: no other clone's run has one of that name. */
export function pullBranch({ place, u }: Pick<UnitStep, 'place' | 'u'>): string {
  const { state } = place;
  return pullBranchName({ prefix: state.pinned.branchPrefix, unit: u.unit.id, run: state.run, mark: forgeOf(place).target.mark });
}

/** Trouble with a remote is the forge's, and passes. */
export async function reaching<T>(talk: () => Promise<T>): Promise<T> {
  try {
    return await talk();
  } catch (error) {
    if (error instanceof GitError) throw new StepFailure({ kind: 'forge', reason: 'unreachable', text: error.detail.split('\n')[0] ?? '' });
    throw error;
  }
}

/** Where the remote target is now, with its commits; choo's own ref of it follows. */
export async function bringTarget(place: Workplace, signal: AbortSignal): Promise<string> {
  const { git } = place.world;
  const { target } = forgeOf(place);
  const mirror = place.state.landing.ref;
  const at = await reaching(() => git.remoteTip({ name: target.remote, ref: target.ref, limitMs: BOUNDS.remote, signal }));
  if (at === undefined) throw new StepFailure({ kind: 'target-gone', ref: target.ref });
  for (;;) {
    const from = await git.resolve(mirror);
    // Another step may have looked later than this one.
    if (from !== undefined && from !== at && (await git.isAncestor(at, from))) return from;
    place.fence.moved(mirror, at);
    if (await git.moveRef({ ref: mirror, to: at, from, reason: 'choo: the remote target' })) return at;
  }
}

/** With a forge, choo's own ref of the target follows the remote as far as that can be reached; what comes after does with what is there. */
async function freshTarget(place: Workplace, signal: AbortSignal): Promise<void> {
  if (place.state.pinned.forge === undefined) return;
  try {
    await bringTarget(place, signal);
  } catch (error) {
    if (!(error instanceof StepFailure) || error.failure.kind !== 'forge') throw error;
  }
}

/** What a unit's work is to contain: the head of the one on whose pull request it stands, else the newest landing ref; undefined: that is gone. */
export async function under(step: UnitStep): Promise<string | undefined> {
  const { place, u } = step;
  const below = standsOn(place.state, u);
  if (below?.head !== undefined) return below.head;
  await freshTarget(place, step.control.interrupt);
  return place.world.git.resolve(place.state.landing.ref);
}
