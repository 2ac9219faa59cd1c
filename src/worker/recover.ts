// After a session that ended in the middle of things: what it left in the worktrees is brought back to what the journal says.
// Asks git, never guesses; whatever is put away is kept under refs/choo/kept/ first. Begins nothing.

import type { EventBody, Note } from '../core/event.ts';
import type { UnitState } from '../core/state.ts';
import { failpoint } from '../failpoint.ts';
import { GitError } from '../world.ts';
import type { WorktreeStatus } from '../world.ts';
import { sweepPool } from './obtain.ts';
import { linkAstray, steeredAstray, whereAstray } from './settle.ts';
import { landingWorktrees, neverCommitted, runRef } from './workplace.ts';
import type { Workplace } from './workplace.ts';

/** A unit with a worktree, on a branch, that was recorded at `head`. */
interface Place { readonly unit: UnitState; readonly worktree: string; readonly branch: string; readonly head: string; /** What is wrong with it. */ readonly astray?: string }

/** Removes choo's own landing worktree and the pool, and mends those of units whose step was cut. Answers `run.recovered`. */
export async function recover(place: Workplace): Promise<EventBody> {
  const notes: Note[] = [];
  for (const path of landingWorktrees(place)) await removeLanding(place, { path, notes });
  await sweepPool(place);
  await releaseTarget(place, notes);
  for (const unit of place.state.units) {
    const { worktree, branch, head } = unit;
    if (!unit.interrupted || worktree === undefined || branch === undefined || head === undefined) continue;
    if (await place.world.files.exists(`${worktree}/.git`)) await mend(place, { unit, worktree, branch, head }, notes);
    failpoint('recovery-half-done');
  }
  return { type: 'run.recovered', notes };
}

/** In its place may be a link that an agent made, or a folder that git does not know: neither is choo's to delete. */
async function removeLanding({ world: { git } }: Workplace, o: { readonly path: string; readonly notes: Note[] }): Promise<void> {
  if (await git.whatStands(o.path) === 'other') o.notes.push({ kind: 'kept', text: `what stood in the place of choo's own landing worktree was not that worktree; it is at ${await git.setAside(o.path)}` });
  await git.removeWorktree(o.path);
}

/** A git that died while it moved the target may have left its locks there, on which every landing would fail. */
async function releaseTarget(place: Workplace, notes: Note[]): Promise<void> {
  const { state } = place;
  if (!state.crashed) return;
  const released = await place.world.git.releaseLeftLocks([...new Set([state.pinned.targetRef, state.landing.ref, runRef(place)])]);
  if (released.length > 0) notes.push({ kind: 'kept', text: `a git that was killed had left locks, which nobody holds any more; they were removed: ${released.join(', ')}` });
}

/** One worktree, by the step that was cut in it. Steps of the landing lane touch no unit's worktree; preparing and finishing begin anew by themselves. */
async function mend(place: Workplace, at: Place, notes: Note[]): Promise<void> {
  const { next } = at.unit;
  if (next.step === 'prepare' || next.step === 'finish' || next.step === 'land' || next.step === 'pull') return;
  const { git } = place.world;
  const steered = await git.mendOwnFolder(at.worktree);
  if (steered.length > 0) notes.push({ kind: 'kept', text: `the agent of ${at.unit.unit.id} had changed ${steered.map(steeredAstray).join(', ')}` });
  const stands = await git.whatStands(at.worktree);
  if (stands === 'other') notes.push({ kind: 'kept', text: `what stood in the place of the worktree of ${at.unit.unit.id} was not that worktree any more; it is kept at ${await git.setAside(at.worktree)}` });
  // The next step makes it again.
  if (stands !== 'worktree') return;
  await git.releaseLocks(at.worktree, at.branch);
  const link = await git.repairLink(at.worktree);
  const status = await readable(place, at, notes);
  if (status === undefined) return;
  const astray = link === undefined ? await whatIsWrong(place, at, status) : linkAstray(link);
  if (astray !== undefined) return makeAgain(place, { ...at, astray }, notes);
  const left = await leftByCheck(place, at, status);
  if (left === undefined || left.paths.length === 0) return;
  await keep(place, at, notes);
  await git.restorePaths(at.worktree, { commit: left.from, paths: left.paths });
}

/** The worktree's status; undefined when git cannot read it, as after a power cut in the middle of a write: then it is set aside, and the next step makes it again. */
async function readable(place: Workplace, at: Place, notes: Note[]): Promise<WorktreeStatus | undefined> {
  const { git } = place.world;
  try {
    return await git.status(at.worktree);
  } catch (error) {
    if (!(error instanceof GitError) || !(await git.isBroken(at.worktree))) throw error;
    const aside = await git.setAside(at.worktree);
    notes.push({ kind: 'kept', text: `git cannot read the worktree of ${at.unit.unit.id} any more (${error.detail.split('\n')[0] ?? ''}); it is kept at ${aside} and made again from its branch` });
    return undefined;
  }
}

/** Why the worktree cannot be worked in as it is, or undefined. HEAD is put on the branch only when a worktree is complete, so one that is not is seen here. */
async function whatIsWrong(place: Workplace, at: Place, status: WorktreeStatus): Promise<string | undefined> {
  const { unit } = at;
  const merging = await place.world.git.mergeHead(at.worktree);
  const step = unit.next.step;
  const mayMerge = step === 'refresh' || step === 'adopt' || unit.merging !== undefined;
  const astray = await whereAstray(place, { status, branch: at.branch, recorded: at.head, mayMerge });
  if (astray !== undefined) return astray;
  // A merge that was killed has changed files before it says that it is one.
  if (unit.next.step !== 'refresh' || unit.next.then === 'work' || merging !== undefined || unit.merging !== undefined) return undefined;
  const never = await neverCommitted(place, unit.unit.id);
  return status.entries.some((e) => !never.has(e.path)) ? 'a merge was cut before it was in progress' : undefined;
}

/** Everything is kept, the branch is put back and the worktree removed: the next step makes it again, setup and all. */
async function makeAgain(place: Workplace, at: Place, notes: Note[]): Promise<void> {
  const { git } = place.world;
  await keep(place, at, notes);
  const now = await git.resolve(at.branch);
  if (now !== undefined && !(await git.isAncestor(at.head, now))) {
    place.fence.moved(at.branch, at.head);
    await git.moveRef({ ref: at.branch, to: at.head, from: now, reason: 'choo: put back after a crash' });
  }
  await git.removeWorktree(at.worktree);
}

/** What a check that was cut did to the files: the commit it was to prove is staged, so everything unlike the index is the check's. */
async function leftByCheck(place: Workplace, at: Place, status: WorktreeStatus): Promise<{ readonly from: string; readonly paths: readonly string[] } | undefined> {
  const { next, unit, reworkFor } = at.unit;
  const never = await neverCommitted(place, unit.id);
  const own = status.entries.filter((e) => !never.has(e.path));
  if (next.step === 'verify' && next.scope === 'baseline' && reworkFor === undefined && status.head === at.head) {
    return { from: at.head, paths: own.map((e) => e.path) };
  }
  if (next.step !== 'check') return undefined;
  const spec = unit.tasks[next.task - 1]?.path;
  if (!own.some((e) => e.path === spec && e.staged)) return undefined;
  return { from: await place.world.git.stage(at.worktree, []), paths: own.filter((e) => e.unstaged).map((e) => e.path) };
}

async function keep(place: Workplace, at: Place, notes: Note[]): Promise<void> {
  const unit = at.unit.unit.id;
  const ref = `refs/choo/kept/${place.state.run}/${unit}/crash-${place.state.seq}`;
  await place.fence.hold(async () => place.fence.moved(ref, await place.world.git.keep(at.worktree, { ref, message: `choo: was in the worktree of ${unit} after a crash` })));
  notes.push({ kind: 'kept', text: `the worktree of ${unit} was left in the middle of something (${at.astray ?? 'a check was cut'}); what was in it is kept at ${ref}` });
}
