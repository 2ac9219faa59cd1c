// A landing ref of the run's own, when the target could not be moved: what the target has got meanwhile is joined with it, and the target follows.

import { must } from '../core/bug.ts';
import type { EventBody } from '../core/event.ts';
import { landRules } from '../core/state.ts';
import { failpoint } from '../failpoint.ts';
import type { AdvanceOutcome, Control } from '../world.ts';
import { message } from './commit.ts';
import { advanceRef, moveLandingRef } from './landing-ref.ts';
import { wholeProof } from './proof.ts';
import { proveAt } from './prove.ts';
import { asTheirs, otherTexts } from './spec-text.ts';
import type { Workplace } from './workplace.ts';

/** Tries to bring the target to the run's own landing ref. Answers `run.advanced` or `run.not-advanced`. */
export async function advanceTarget(place: Workplace, control: Control): Promise<EventBody> {
  const { git } = place.world;
  const target = place.state.pinned.targetRef;
  const { ref } = place.state.landing;
  const not = (text: string, fastForward = false): EventBody => ({ type: 'run.not-advanced', text, fastForward });
  let own = await git.resolve(ref);
  const at = await git.resolve(target);
  const { joined, landed } = place.state;
  if (at === undefined) return not(`${target} no longer exists`);
  // The ref's removal may be the last thing that a session before this one did.
  if (own === undefined && landed !== undefined && (await git.isAncestor(landed, at))) return { type: 'run.advanced', commit: landed };
  if (own === undefined) return not(`${ref} no longer exists`);
  if (await git.isAncestor(own, at)) return arrived(place, own);
  if (joined?.own === own && joined.onto === at && joined.commit !== own) {
    if (!(await moveLandingRef(place, { ref, to: joined.commit, from: own, reason: 'choo: bring in the target' }))) return not(`somebody else moves ${ref}`);
    own = joined.commit;
    failpoint('joined');
  }
  if (own !== joined?.commit && own !== landed || !(await git.isAncestor(at, own))) return join(place, { own, at, control });
  const outcome = await advanceRef(place, { ref: target, from: at, to: own });
  if (outcome.kind === 'advanced') return arrived(place, own);
  return not(outcome.kind === 'moved' ? `${target} moved just now` : refusal(outcome), outcome.kind === 'refused');
}

/** The target has everything; the run's own ref is no longer needed. */
async function arrived(place: Workplace, own: string): Promise<EventBody> {
  failpoint('caught-up');
  const { ref } = place.state.landing;
  place.fence.moved(ref, undefined);
  await place.world.git.moveRef({ ref, to: undefined, from: own, reason: 'choo: landed on the target' });
  return { type: 'run.advanced', commit: own };
}

/** What the target is to become: its new commits merged into the landing ref, or what a person made of that ref. Proved here, moved only once it is in the journal. Answers `run.joined` or `run.not-advanced`. */
async function join(place: Workplace, o: { readonly own: string; readonly at: string; readonly control: Control }): Promise<EventBody> {
  const { git } = place.world;
  const not = (text: string): EventBody => ({ type: 'run.not-advanced', text, fastForward: false });
  const commit = (await git.isAncestor(o.at, o.own)) ? o.own : await mergeIn(place, { at: o.own, other: o.at, what: 'target' });
  if (commit === undefined) return not(`${place.state.pinned.targetRef} has new commits that conflict with ${place.state.landing.ref}`);
  const { failure } = await proveAt(place, { commit, checks: wholeProof(place), logs: `${place.runDir}/logs/advance`, place: 0, reuse: landRules(place.state).reuse, control: o.control });
  if (failure !== undefined) return not(`${place.state.pinned.targetRef} has new commits with which the proof fails (${failure.kind})`);
  failpoint('commit-built');
  return { type: 'run.joined', commit, onto: o.at, own: o.own };
}

/** A commit that joins what lands with what others brought (`what`, as people call it), or undefined when they conflict. */
export async function mergeIn(place: Workplace, o: { readonly at: string; readonly other: string; readonly what: 'target' | 'remote target' }): Promise<string | undefined> {
  const { git } = place.world;
  const merge = await git.mergeTrees(o.at, o.other);
  if (merge.kind === 'conflict') return undefined;
  const other = await Promise.all(place.state.landedOrder.map((index) => otherTexts(place, { u: must(place.state.units[index], 'a landed unit'), at: o.other })));
  const tree = await asTheirs(place, { other: other.flat(), ours: o.at, theirs: o.other, tree: merge.tree });
  return git.commitTree({ tree, parents: [o.at, o.other], message: message({ subject: `merge: bring in the ${o.what}`, run: place.state.run, trailers: [] }) });
}

/** Why the target could not be advanced, as the end of a sentence. */
export function refusal(o: Extract<AdvanceOutcome, { kind: 'refused' }>): string {
  switch (o.reason) {
    case 'local-changes': return `its checkout ${o.worktree} has local changes in the way`;
    case 'busy': return `a rebase, merge or bisect is in progress in ${o.worktree}`;
    case 'several-worktrees': return 'it is checked out in more than one worktree';
    case 'git': return `git refused in ${o.worktree}: ${o.detail}`;
    default: return o.reason satisfies never;
  }
}
