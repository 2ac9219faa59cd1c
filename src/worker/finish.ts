// Takes down what a landed unit no longer needs, after making sure that nothing is in it which is nowhere else.

import { must } from '../core/bug.ts';
import type { EventBody, Note } from '../core/event.ts';
import { neverCommitted, places, shell } from './workplace.ts';
import type { UnitStep } from './workplace.ts';

/** Runs teardown, keeps what was not landed under refs/choo/kept/, removes worktree and branch. Answers `unit.completed`. */
export async function finishUnit(step: UnitStep): Promise<EventBody> {
  const { place, u } = step;
  const { git, files } = place.world;
  const unit = u.unit.id;
  const notes: Note[] = [];
  const worktree = must(u.worktree, 'a worktree');
  if (await files.exists(`${worktree}/.git`)) {
    await tearDown(step, notes);
    await keepLeftovers(step, notes);
  }
  await git.removeWorktree(worktree);
  const branch = must(u.branch, 'a branch');
  const at = await git.resolve(branch);
  if (at !== undefined && (at === u.head || (await git.isAncestor(at, must(u.landed, 'a landed commit'))))) {
    place.fence.moved(branch, undefined);
    await git.moveRef({ ref: branch, to: undefined, from: at, reason: 'choo: landed' });
  } else if (at !== undefined) {
    notes.push({ kind: 'kept', text: `${branch} has commits that did not land; it is kept` });
  }
  return { type: 'unit.completed', unit, notes };
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

/** Uncommitted changes that are nobody's (not setup's, not a check's) are saved before the worktree goes. */
async function keepLeftovers(step: UnitStep, notes: Note[]): Promise<void> {
  const { place, u } = step;
  const worktree = must(u.worktree, 'a worktree');
  const status = await place.world.git.status(worktree);
  const never = await neverCommitted(place, u.unit.id);
  const left = status.entries.filter((e) => !never.has(e.path)).map((e) => e.path);
  if (left.length === 0) return;
  const ref = `refs/choo/kept/${place.state.run}/${u.unit.id}/left-${place.state.seq}`;
  await place.fence.hold(async () => place.fence.moved(ref, await place.world.git.keep(worktree, { ref, message: `choo: left in the worktree of ${u.unit.id}` })));
  notes.push({ kind: 'kept', text: `uncommitted changes were left in the worktree; they are kept at ${ref}`, paths: left.slice(0, 20) });
}
