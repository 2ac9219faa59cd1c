// The landing ref: how it is moved so that the fence knows the one value that is choo's, and whether what landed is still on it.

import { must } from '../core/bug.ts';
import { setStatus } from '../discovery/frontmatter.ts';
import type { AdvanceOutcome } from '../world.ts';
import { completedTasks, otherTexts } from './spec-text.ts';
import type { Workplace } from './workplace.ts';

interface Move { readonly ref: string; readonly from: string; readonly to: string }

/** Moves the ref, and the checkout that has it out, while no snapshot is taken: from then on nothing but that value is choo's doing. */
export async function advanceRef(place: Workplace, move: Move): Promise<AdvanceOutcome> {
  place.fence.moved(move.ref, move.to);
  return place.fence.hold(async () => {
    const outcome = await place.world.git.advance(move);
    if (outcome.kind === 'advanced') place.fence.settled(move.ref, move.to);
    return outcome;
  });
}

/** The same of a ref that is nobody's checkout. False when it was not at `from` (undefined: not there). */
export async function moveLandingRef(place: Workplace, { reason, ...move }: Omit<Move, 'from'> & { readonly from: string | undefined; readonly reason: string }): Promise<boolean> {
  place.fence.moved(move.ref, move.to);
  return place.fence.hold(async () => {
    const moved = await place.world.git.moveRef({ ...move, reason });
    if (moved) place.fence.settled(move.ref, move.to);
    return moved;
  });
}

/** Units that landed and of which `at` has neither the commit nor, as after a rebase by a person, the tasks as complete. */
export async function landedGone(place: Workplace, at: string): Promise<readonly string[]> {
  const { state, world: { git } } = place;
  // Every landing contains the ones before.
  if (state.landed === undefined || state.landed === at || await git.isAncestor(state.landed, at)) return [];
  const gone: string[] = [];
  for (const index of state.landedOrder) {
    const u = must(state.units[index], 'a landed unit');
    if (u.landed !== undefined && await git.isAncestor(u.landed, at)) continue;
    const other = new Set((await otherTexts(place, { u, at })).map((t) => t.path));
    for (const { path } of completedTasks(u)) {
      if (other.has(path)) continue;
      const text = await git.readFile(at, path);
      if (text === undefined || setStatus(text, 'complete') === text) continue;
      gone.push(u.unit.id);
      break;
    }
  }
  return gone;
}
