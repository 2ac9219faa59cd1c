// A unit that stood on the pull request of another one, which has landed as another commit than its head: squashed or replayed. What
// landed is in the unit's history already, so it is joined to it as it is: a merge by content would find everything changed twice.

import { must } from '../core/bug.ts';
import type { UnitStep } from './workplace.ts';

/** Joins what landed to the unit's branch, when it has the very files of the head that the unit contains. Doing it twice is the same as once. */
export async function takeInLanded(step: UnitStep, worktree: string): Promise<void> {
  const { place, u } = step;
  const { git } = place.world;
  const { state } = place;
  const below = u.stackedOn === undefined ? undefined : state.units[state.graph.index.get(u.stackedOn) ?? -1];
  if (below?.landed === undefined || below.landedHead === undefined) return;
  const { head, branch: checkedOut } = await git.status(worktree);
  const branch = must(u.branch, 'a branch');
  if (checkedOut !== branch || (await git.mergeHead(worktree)) !== undefined || (await git.isAncestor(below.landed, head)) || !(await git.isAncestor(below.landedHead, head))) return;
  if ((await git.treeOf(below.landed)) !== (await git.treeOf(below.landedHead))) return;
  const commit = await git.commitTree({ tree: await git.treeOf(head), parents: [head, below.landed], message: `merge(${u.unit.id}): ${below.unit.id} as it landed\n` });
  place.fence.moved(branch, commit);
  if (await git.moveRef({ ref: branch, to: commit, from: head, reason: 'choo: what it stood on has landed' })) place.seen.delete(worktree);
}
