// The move of the landing ref to a proved batch, by compare-and-swap or by the checkout that has the target.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf } from '../core/event.ts';
import { failpoint } from '../failpoint.ts';
import type { AdvanceOutcome } from '../world.ts';
import { refusal } from './advance-target.ts';
import { advanceRef, moveLandingRef } from './landing-ref.ts';
import { runRef } from './workplace.ts';
import type { Workplace } from './workplace.ts';

/** Moves the landing ref to the proved commit. Asks first whether it is there already, so that doing it twice is the same as once. Answers `batch.landed`, `batch.moved` or `batch.land.failed`. */
export async function landBatch(place: Workplace, begun: EventOf<'batch.landing'>): Promise<EventBody> {
  const { git } = place.world;
  const { batch, commit, units } = begun;
  const { target } = must(place.state.batches.find((b) => b.id === batch), 'a batch');
  const { ref, diverted } = place.state.landing;
  const landed = (o: { ref: string; diverted?: string }): EventBody => ({ type: 'batch.landed', batch, commit, ...o });
  const at = await git.resolve(ref);
  if (at === undefined) return { type: 'batch.land.failed', batch, failure: { kind: 'target-gone', ref } };
  if (at !== target || commit === at) {
    const there = await git.isAncestor(commit, at);
    return there ? landed(diverted === undefined ? { ref } : { ref, diverted }) : { type: 'batch.moved', batch, at };
  }
  if (diverted !== undefined) {
    const moved = await moveLandingRef(place, { ref, to: commit, from: at, reason: `choo: land ${units.join(' ')}` });
    return moved ? landed({ ref, diverted }) : { type: 'batch.moved', batch, at };
  }
  const outcome = await advanceRef(place, { ref, from: at, to: commit });
  if (outcome.kind === 'advanced') failpoint('target-moved');
  if (outcome.kind === 'advanced') return landed({ ref });
  if (outcome.kind === 'moved') return { type: 'batch.moved', batch, at: outcome.at ?? '' };
  return divert(place, { batch, commit, landed, outcome });
}

/** The target's checkout refuses: from now on the run lands on a branch of its own that is a continuation of the target. */
async function divert(place: Workplace, o: { readonly batch: number; readonly commit: string; readonly landed: (m: { ref: string; diverted: string }) => EventBody; readonly outcome: Extract<AdvanceOutcome, { kind: 'refused' }> }): Promise<EventBody> {
  const { git } = place.world;
  const own = runRef(place);
  const moved = await moveLandingRef(place, { ref: own, to: o.commit, from: await git.resolve(own), reason: 'choo: land beside the target' });
  if (!moved) return { type: 'batch.land.failed', batch: o.batch, failure: { kind: 'git', command: `git update-ref ${own}`, detail: 'somebody else moves this branch' } };
  failpoint('diverted');
  return o.landed({ ref: own, diverted: refusal(o.outcome) });
}
