// Landing, one unit at a time: the candidate merge outside any checkout, its proof in choo's own worktree, and the move of the ref.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf } from '../core/event.ts';
import { failpoint } from '../failpoint.ts';
import type { AdvanceOutcome } from '../world.ts';
import { message } from './commit.ts';
import { proveAt } from './prove.ts';
import { baselineChecks, taskChecks } from './verify.ts';
import { places, runRef } from './workplace.ts';
import type { UnitStep, Workplace } from './workplace.ts';

/** Builds the commit that would land: target (and landing ref) merged with the unit's head. Answers `unit.candidate` or `unit.merge.failed`. */
export async function mergeUnit(step: UnitStep): Promise<EventBody> {
  const { place, u } = step;
  const { git } = place.world;
  const unit = u.unit.id;
  const head = must(u.head, 'a head');
  const { ref } = place.state.landing;
  const at = await git.resolve(ref);
  if (at === undefined) return { type: 'unit.merge.failed', unit, failure: { kind: 'target-gone', ref } };
  const onto = await withNewestTarget(place, at);
  const merge = await git.mergeTrees(onto, head);
  // What has been merged changes nothing any more; only then is it worth asking.
  if (merge.kind === 'clean' && merge.tree === (await git.treeOf(onto)) && (await git.isAncestor(head, onto))) {
    const before = u.proved?.head === head && (await git.isAncestor(u.proved.commit, at)) ? u.proved.commit : undefined;
    return { type: 'unit.candidate', unit, commit: before ?? onto, onto, head, target: before ?? at };
  }
  if (merge.kind === 'conflict') return { type: 'unit.merge.failed', unit, failure: { kind: 'conflict', conflict: 'textual', paths: merge.paths, onto } };
  const foreign = await foreignPaths(step, { onto, head, tree: merge.tree });
  if (foreign.length > 0) return { type: 'unit.merge.failed', unit, failure: { kind: 'conflict', conflict: 'foreign-change', paths: foreign, onto } };
  const done = taskChecks(step).length;
  const commit = await git.commitTree({
    tree: merge.tree, parents: [onto, head],
    message: message({ subject: `merge(${unit}): ${done} ${done === 1 ? 'task' : 'tasks'} proved`, run: place.state.run, trailers: [['Choo-Landed', unit]] }),
  });
  failpoint('commit-built');
  return { type: 'unit.candidate', unit, commit, onto, head, target: at };
}

/** While the run lands on a ref of its own, new commits of the target are merged into it first; a conflict between them is left to the end of the run. */
async function withNewestTarget(place: Workplace, at: string): Promise<string> {
  const { state, world: { git } } = place;
  if (state.landing.diverted === undefined) return at;
  const target = await git.resolve(state.pinned.targetRef);
  if (target === undefined || (await git.isAncestor(target, at))) return at;
  return (await mergeTarget(place, { at, target })) ?? at;
}

/** A commit that joins the landing ref and the target, or undefined when they conflict. */
async function mergeTarget(place: Workplace, o: { readonly at: string; readonly target: string }): Promise<string | undefined> {
  const { git } = place.world;
  const merge = await git.mergeTrees(o.at, o.target);
  if (merge.kind === 'conflict') return undefined;
  return git.commitTree({ tree: merge.tree, parents: [o.at, o.target], message: message({ subject: 'merge: bring in the target', run: place.state.run, trailers: [] }) });
}

/** Paths that the merge would change although no commit of the unit's own did, renames by the target followed. */
async function foreignPaths(step: UnitStep, o: { readonly onto: string; readonly head: string; readonly tree: string }): Promise<readonly string[]> {
  const { git } = step.place.world;
  const own = await git.ownPaths(must(step.u.base, 'a base'), o.head);
  const foreign = (await git.changedPaths(o.onto, o.tree)).filter((p) => !own.has(p));
  if (foreign.length === 0) return foreign;
  const base = await git.mergeBase(o.onto, o.head);
  if (base === undefined) return foreign;
  const renamed = await git.renames(base, o.onto);
  return foreign.filter((p) => !own.has(renamed.get(p) ?? ''));
}

/** Runs the whole proof on the candidate. Answers `unit.proved` or `unit.proof.failed`. */
export async function proveUnit(step: UnitStep, begun: EventOf<'unit.proving'>): Promise<EventBody> {
  const checks = [...taskChecks(step), ...(await baselineChecks(step, must(step.u.head, 'a head')))];
  const about = { unit: step.u.unit.id, commit: begun.commit };
  const failure = await proveAt(step.place, { commit: begun.commit, checks, logs: places(step.place, step.u.unit.id).logs, unit: step.u.unit.id, control: step.control });
  return failure === undefined ? { type: 'unit.proved', ...about, notes: [] } : { type: 'unit.proof.failed', ...about, failure };
}

/** Moves the landing ref to the proved candidate. Asks first whether it is there already, so that doing it twice is the same as once. */
export async function landUnit(step: UnitStep, begun: EventOf<'unit.landing'>): Promise<EventBody> {
  const { place, u } = step;
  const { git } = place.world;
  const unit = u.unit.id;
  const candidate = must(u.candidate, 'a candidate');
  const { ref, diverted } = place.state.landing;
  const merged = (o: { ref: string; diverted?: string }): EventBody => ({ type: 'unit.merged', unit, commit: begun.commit, head: candidate.head, ...o });
  const at = await git.resolve(ref);
  if (at === undefined) return { type: 'unit.land.failed', unit, failure: { kind: 'target-gone', ref } };
  if (at !== candidate.target || begun.commit === at) {
    const there = await git.isAncestor(begun.commit, at);
    return there ? merged(diverted === undefined ? { ref } : { ref, diverted }) : { type: 'unit.land.moved', unit, at };
  }
  place.fence.moved(ref, begun.commit);
  if (diverted !== undefined) {
    const moved = await git.moveRef({ ref, to: begun.commit, from: at, reason: `choo: land ${unit}` });
    return moved ? merged({ ref, diverted }) : { type: 'unit.land.moved', unit, at };
  }
  const outcome = await place.fence.hold(() => git.advance({ ref, from: at, to: begun.commit }));
  if (outcome.kind === 'advanced') failpoint('target-moved');
  if (outcome.kind === 'advanced') return merged({ ref });
  if (outcome.kind === 'moved') return { type: 'unit.land.moved', unit, at: outcome.at ?? '' };
  return divert(step, { commit: begun.commit, merged, outcome });
}

/** The target's checkout refuses: from now on the run lands on a branch of its own that is a continuation of the target. */
async function divert(step: UnitStep, o: { readonly commit: string; readonly merged: (m: { ref: string; diverted: string }) => EventBody; readonly outcome: Extract<AdvanceOutcome, { kind: 'refused' }> }): Promise<EventBody> {
  const { git } = step.place.world;
  const own = runRef(step.place);
  step.place.fence.moved(own, o.commit);
  const moved = await git.moveRef({ ref: own, to: o.commit, from: await git.resolve(own), reason: 'choo: land beside the target' });
  if (!moved) return { type: 'unit.land.failed', unit: step.u.unit.id, failure: { kind: 'git', command: `git update-ref ${own}`, detail: 'somebody else moves this branch' } };
  failpoint('diverted');
  return o.merged({ ref: own, diverted: refusal(o.outcome) });
}

/** Why the target could not be advanced, as the end of a sentence. */
function refusal(o: Extract<AdvanceOutcome, { kind: 'refused' }>): string {
  switch (o.reason) {
    case 'local-changes': return `its checkout ${o.worktree} has local changes in the way`;
    case 'busy': return `a rebase, merge or bisect is in progress in ${o.worktree}`;
    case 'several-worktrees': return 'it is checked out in more than one worktree';
    case 'git': return `git refused in ${o.worktree}: ${o.detail}`;
    default: return o.reason satisfies never;
  }
}

/** Tries to bring the target to the run's own landing ref. Answers `run.advanced` or `run.not-advanced`. */
export async function advanceTarget(place: Workplace, control: UnitStep['control']): Promise<EventBody> {
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
    place.fence.moved(ref, joined.commit);
    if (!(await git.moveRef({ ref, to: joined.commit, from: own, reason: 'choo: bring in the target' }))) return not(`somebody else moves ${ref}`);
    own = joined.commit;
    failpoint('joined');
  }
  if (own !== joined?.commit && own !== landed || !(await git.isAncestor(at, own))) return join(place, { own, at, control });
  place.fence.moved(target, own);
  const to = own;
  const outcome = await place.fence.hold(() => git.advance({ ref: target, from: at, to }));
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
async function join(place: Workplace, o: { readonly own: string; readonly at: string; readonly control: UnitStep['control'] }): Promise<EventBody> {
  const { git } = place.world;
  const not = (text: string): EventBody => ({ type: 'run.not-advanced', text, fastForward: false });
  const commit = (await git.isAncestor(o.at, o.own)) ? o.own : await mergeTarget(place, { at: o.own, target: o.at });
  if (commit === undefined) return not(`${place.state.pinned.targetRef} has new commits that conflict with ${place.state.landing.ref}`);
  const failure = await proveAt(place, { commit, checks: wholeProof(place), logs: `${place.runDir}/logs/advance`, control: o.control });
  if (failure !== undefined) return not(`${place.state.pinned.targetRef} has new commits with which the proof fails (${failure.kind})`);
  failpoint('commit-built');
  return { type: 'run.joined', commit, onto: o.at, own: o.own };
}

/** The proof of everything that this run has landed. */
function wholeProof(place: Workplace): { name: string; command: string }[] {
  const landed = place.state.units.filter((u) => u.phase === 'landed');
  return [...landed.flatMap((u) => [...taskChecks({ u }), ...u.unit.checks]), ...place.state.pinned.checks];
}
