// Takes down what a landed unit no longer needs, after making sure that nothing is in it which is nowhere else.

import { must } from '../core/bug.ts';
import type { EventBody, Note } from '../core/event.ts';
import { BOUNDS } from '../core/limits.ts';
import { baseOf, pullRules } from '../core/pull.ts';
import { ForgeError } from '../forge.ts';
import { GitError } from '../world.ts';
import { forgeOf, pullBranch } from './remote-target.ts';
import { retire } from './obtain.ts';
import { neverCommitted, places, shell } from './workplace.ts';
import type { UnitStep } from './workplace.ts';

/** Runs teardown, keeps what was not landed under refs/choo/kept/, removes worktree and branch. Answers `unit.completed`. */
export async function finishUnit(step: UnitStep): Promise<EventBody> {
  const { place, u } = step;
  const { git, files } = place.world;
  const unit = u.unit.id;
  const notes: Note[] = [];
  const worktree = must(u.worktree, 'a worktree');
  let pooled = false;
  const stands = await git.whatStands(worktree);
  if (stands === 'other') notes.push({ kind: 'kept', text: `what stood in the place of the worktree of ${unit} was not that worktree any more; it is kept at ${await git.setAside(worktree)}` });
  if (stands === 'worktree' && (await files.exists(`${worktree}/.git`))) {
    await tearDown(step, notes);
    const settled = await keepLeftovers(step, notes);
    pooled = settled && await retire(place, { worktree, landed: must(u.landed, 'a landed commit') });
  }
  if (!pooled) await git.removeWorktree(worktree);
  await place.slots.release(worktree);
  const branch = must(u.branch, 'a branch');
  const at = await git.resolve(branch);
  if (at !== undefined && (at === u.landedHead || (await git.isAncestor(at, must(u.landed, 'a landed commit'))))) {
    place.fence.moved(branch, undefined);
    await git.moveRef({ ref: branch, to: undefined, from: at, reason: 'choo: landed' });
  } else if (at !== undefined) {
    notes.push({ kind: 'kept', text: `${branch} has commits that did not land; it is kept` });
  }
  await removePullBranch(step, notes);
  return { type: 'unit.completed', unit, notes };
}

/** Pull requests that are to be merged into this one's branch go to the target before it is removed. */
async function standElsewhere({ place, u, control }: UnitStep): Promise<void> {
  const { state } = place;
  for (const d of state.graph.dependants[u.index] ?? []) {
    const above = state.units[d];
    if (above?.stackedOn !== u.unit.id || above.pull?.number === undefined || above.phase === 'landed') continue;
    await forgeOf(place).forge.edit(above.pull.number, { base: baseOf(state, above) }, control.interrupt);
  }
}

/** The branch on the forge, where it was merged; one that somebody moved since stays, also when its new commits were taken in. */
async function removePullBranch(step: UnitStep, notes: Note[]): Promise<void> {
  const { place, u } = step;
  if (u.pull?.pushed === undefined || u.landedHead === undefined || !pullRules(place.state).deleteBranch) return;
  const { target } = forgeOf(place);
  const ref = `refs/heads/${pullBranch(step)}`;
  try {
    await standElsewhere(step);
    await place.world.git.removeRemote({ name: target.remote, ref, at: u.landedHead, limitMs: BOUNDS.remote, signal: step.control.interrupt });
  } catch (error) {
    if (!(error instanceof GitError) && !(error instanceof ForgeError)) throw error;
    notes.push({ kind: 'forge', text: `the branch ${pullBranch(step)} could not be removed: ${error instanceof GitError ? error.detail.split('\n')[0] ?? '' : error.message}` });
  }
}

async function tearDown(step: UnitStep, notes: Note[]): Promise<void> {
  const { place, u } = step;
  const worktree = must(u.worktree, 'a worktree');
  for (const { command, if: condition } of place.teardown) {
    if (condition !== undefined && !(await place.world.files.exists(`${worktree}/${condition}`))) continue;
    const log = `${places(place, u.unit.id).logs}/teardown.log`;
    const result = await shell(place, { command, cwd: worktree, log, limitMs: place.state.settings.limits.setup, unit: u.unit.id, control: step.control });
    if (result.code !== 0) notes.push({ kind: 'teardown-failed', text: `the teardown command \`${command}\` failed (log: ${log})` });
  }
}

/** Uncommitted changes that are nobody's (not setup's, not a check's) are saved before the worktree goes. True when it is where it was recorded to be. */
async function keepLeftovers(step: UnitStep, notes: Note[]): Promise<boolean> {
  const { place, u } = step;
  const worktree = must(u.worktree, 'a worktree');
  const status = await place.world.git.status(worktree);
  const never = await neverCommitted(place, u.unit.id);
  const left = status.entries.filter((e) => !never.has(e.path)).map((e) => e.path);
  const settled = status.head === u.head && status.branch === u.branch;
  if (left.length === 0) return settled;
  const ref = `refs/choo/kept/${place.state.run}/${u.unit.id}/left-${place.state.seq}`;
  await place.fence.hold(async () => place.fence.moved(ref, await place.world.git.keep(worktree, { ref, message: `choo: left in the worktree of ${u.unit.id}` })));
  notes.push({ kind: 'kept', text: `uncommitted changes were left in the worktree; they are kept at ${ref}`, paths: left.slice(0, 20) });
  return settled;
}
