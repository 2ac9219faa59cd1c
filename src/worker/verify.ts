// The unit's own worktree after its tasks: baseline checks, commits of what a formatter or a mending agent changed, merges of the target.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf, Note } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Check } from '../core/plan.ts';
import { failpoint } from '../failpoint.ts';
import { afterCheck, committable, isSpec, isUntouched, message, resolveSpecs, mergedSpecs, restoreSpecs, specSource } from './commit.ts';
import { ensureWorktree } from './prepare.ts';
import { protectedChange } from './guard.ts';
import { runCheck } from './run-check.ts';
import { under } from './remote-target.ts';
import { takeInLanded } from './stacked.ts';
import { settleAgain } from './settle.ts';
import { completedTasks } from './spec-text.ts';
import { neverCommitted, takeStatus } from './workplace.ts';
import type { UnitStep } from './workplace.ts';
import type { WorktreeStatus } from '../world.ts';

/** One pass over the checks: the failure, or the tracked paths they changed. */
interface Pass { readonly failure?: Failure; readonly changed: readonly string[]; readonly check?: Check }

/** Commits what is there, proves it with the checks of the scope, moves the branch. Answers `unit.verified` or `unit.verify.failed`. */
export async function verify(step: UnitStep, begun: EventOf<'unit.verifying'>): Promise<EventBody> {
  const unit = step.u.unit.id;
  const notes: Note[] = [];
  const failed = (failure: Failure): EventBody => ({ type: 'unit.verify.failed', unit, failure, notes });
  const worktree = await ensureWorktree(step);
  const recorded = must(step.u.head, 'a recorded head');
  if (await nothingToVerify(step, begun)) return { type: 'unit.verified', unit, commit: recorded, parent: recorded, merged: false, notes, ...await protectedChange(step, recorded) };
  const status = await takeStatus(step.place, worktree);
  const unresolved = await conflictsLeft(step, { worktree, begun, head: status.head });
  if (unresolved !== undefined) return failed(unresolved);
  const source = begun.scope === 'merge' ? await mergedSpecs(step, { ours: recorded, theirs: must(step.u.merging, 'the commit that is merged in') }) : await specSource(step, { head: status.head, recorded });
  const specs = await restoreSpecs(step, { worktree, status, source, notes });
  const mending = await commitChanges(step, { worktree, parent: status.head, what: 'mend', merging: begun.scope === 'merge', specs });
  const first = begun.scope === 'merge' ? { changed: [] } : await pass(step, { worktree, head: status.head, tip: mending, scope: begun.scope, notes });
  if (first.failure !== undefined) return failed(first.failure);
  let tip = mending;
  if (first.changed.length > 0 && first.check !== undefined) {
    tip = await commitChanges(step, { worktree, parent: mending, what: first.check.name, merging: false, specs: [] });
    const second = await pass(step, { worktree, head: status.head, tip, scope: begun.scope, notes });
    if (second.failure !== undefined) return failed(second.failure);
    if (second.changed.length > 0) return failed({ kind: 'unstable-check', check: second.check?.name ?? first.check.name, command: second.check?.command ?? first.check.command, paths: second.changed });
  }
  failpoint('commit-built');
  return { type: 'unit.verified', unit, commit: tip, parent: status.head, merged: begun.scope === 'merge', notes, ...await protectedChange(step, tip) };
}

/** Straight after the last task, without any baseline check that applies, the recorded head is all there is. */
async function nothingToVerify(step: UnitStep, begun: EventOf<'unit.verifying'>): Promise<boolean> {
  return begun.scope === 'baseline' && step.u.reworkFor === undefined && (await baselineChecks(step, must(step.u.head, 'a recorded head'))).length === 0;
}

/** Whether a conflict is still unresolved: unmerged paths with markers, or a merge that was thrown away. */
async function conflictsLeft(step: UnitStep, o: { readonly worktree: string; readonly begun: EventOf<'unit.verifying'>; readonly head: string }): Promise<Failure | undefined> {
  if (o.begun.scope !== 'merge') return undefined;
  const { git } = step.place.world;
  const onto = must(step.u.merging, 'the commit that is merged in');
  const merging = await git.mergeHead(o.worktree);
  if (merging !== onto && !(await git.isAncestor(onto, o.head))) return { kind: 'conflict', conflict: 'textual', paths: [], onto };
  const markers = (await git.conflictMarkers(o.worktree, must(step.u.head, 'a recorded head'))).filter((p) => !isSpec(step, p));
  return markers.length > 0 ? { kind: 'conflict', conflict: 'textual', paths: markers, onto } : undefined;
}

/** Commits everything committable in the worktree on top of `parent`; gives `parent` when nothing changed. */
async function commitChanges(step: UnitStep, o: { readonly worktree: string; readonly parent: string; readonly what: string; readonly merging: boolean; readonly specs: readonly string[] }): Promise<string> {
  const { git } = step.place.world;
  const status = await git.status(o.worktree);
  const merging = o.merging ? await git.mergeHead(o.worktree) : undefined;
  const paths = [...await committable(step, { worktree: o.worktree, status }), ...o.specs];
  // What was put back is staged, and nothing else may be told of it.
  if (status.entries.length === 0 && paths.length === 0 && merging === undefined) return o.parent;
  const tree = await git.stage(o.worktree, paths);
  if (merging === undefined && tree === (await git.treeOf(o.parent))) return o.parent;
  const unit = step.u.unit.id;
  const subject = merging !== undefined ? `merge(${unit}): bring in the target` : o.what === 'mend' ? `fix(${unit}): mend what the checks found` : `fix(${unit}): ${o.what}`;
  return git.commitTree({
    tree, parents: merging === undefined ? [o.parent] : [o.parent, merging],
    message: message({ subject, run: step.place.state.run, trailers: [['Choo-Unit', unit]] }),
  });
}

/** Runs every check of the scope that applies, in order, until one fails. */
async function pass(step: UnitStep, o: { readonly worktree: string; readonly head: string; readonly tip: string; readonly scope: 'baseline' | 'proof' | 'merge'; readonly notes: Note[] }): Promise<Pass> {
  const checks = await checksOf(step, { tip: o.tip, scope: o.scope });
  const changed = new Set<string>();
  let culprit: Check | undefined;
  for (const [i, check] of checks.entries()) {
    const log = `${step.place.runDir}/logs/${step.u.unit.id}/baseline-${i + 1}.log`;
    const look = (): ReturnType<typeof afterCheck> => afterCheck(step, { worktree: o.worktree, head: o.head, notes: o.notes });
    const { failure } = await runCheck(step.place, { check, cwd: o.worktree, log, unit: step.u.unit.id, control: step.control, against: 'base', untouched: () => isUntouched(look()), notes: o.notes });
    const after = await look();
    if (failure !== undefined) return { failure, changed: [] };
    if (after.moved) return { failure: { kind: 'unstable-check', check: check.name, command: check.command, paths: ['HEAD'] }, changed: [] };
    for (const path of after.changed) changed.add(path);
    if (after.changed.length > 0) culprit ??= check;
  }
  return { changed: [...changed], ...(culprit === undefined ? {} : { check: culprit }) };
}

/** The baseline checks whose pattern matches a path the unit changed; for a proof also the checks of the tasks done in this run. */
async function checksOf(step: UnitStep, o: { readonly tip: string; readonly scope: 'baseline' | 'proof' | 'merge' }): Promise<readonly Check[]> {
  const baseline = await baselineChecks(step, o.tip);
  if (o.scope !== 'proof') return baseline;
  const { reworkFor } = step.u;
  // Another unit's check, which this one broke, is to pass here before the landing is tried again.
  const broken = reworkFor?.kind === 'check-failed' && reworkFor.of !== undefined && reworkFor.of !== step.u.unit.id ? [{ name: reworkFor.check, command: reworkFor.command }] : [];
  return [...taskChecks(step), ...broken, ...baseline];
}

/** The checks of every task of the unit that this run completed. */
export function taskChecks(step: Pick<UnitStep, 'u'>): readonly Check[] {
  return completedTasks(step.u).map((t) => ({ name: `task ${t.number}`, command: t.check, task: t.number }));
}

/** The unit's and the configured baseline checks that apply to what the unit changed between its base and `tip`. */
export async function baselineChecks(step: Pick<UnitStep, 'u' | 'place'>, tip: string): Promise<readonly Check[]> {
  const { place, u } = step;
  const all = [...u.unit.checks, ...place.state.pinned.checks];
  if (!all.some((c) => c.pattern !== undefined)) return all;
  const changed = [...await place.world.git.ownPaths(must(u.base, 'a base'), tip)];
  return all.filter((c) => c.pattern === undefined || changed.some((p) => place.matches(c.pattern ?? '', p)));
}

/** Moves the unit's branch to a commit that is in the journal and, after a merge, ends the merge in the worktree. Doing it twice is the same as once. Answers `unit.committed` or `unit.commit.failed`. */
export async function commitUnit(step: UnitStep, begun: EventOf<'unit.committing'>): Promise<EventBody> {
  const { git } = step.place.world;
  const { next } = step.u;
  if (next.step !== 'adopt') throw new Error(`a commit of ${step.u.unit.id} while ${next.step} is due`);
  const unit = step.u.unit.id;
  const branch = must(step.u.branch, 'a branch');
  const worktree = await ensureWorktree(step);
  step.place.fence.moved(branch, begun.commit);
  const moved = await git.moveRef({ ref: branch, to: begun.commit, from: next.parent, reason: 'choo: verified' });
  if (!moved && (await git.resolve(branch)) !== begun.commit) {
    return { type: 'unit.commit.failed', unit, failure: { kind: 'git', command: `git update-ref ${branch}`, detail: 'somebody else moved the branch while its checks ran' } };
  }
  if (next.merged) await git.resetWorktree(worktree, { branch, commit: begun.commit });
  return { type: 'unit.committed', unit, commit: begun.commit };
}

/** Merges the newest landing ref into the unit's branch, in its worktree. Conflicts are left there for the agent. */
export async function refresh(step: UnitStep): Promise<EventBody> {
  const worktree = await ensureWorktree(step);
  const { ref } = step.place.state.landing;
  const onto = await under(step);
  if (onto === undefined) return { type: 'unit.refresh.failed', unit: step.u.unit.id, failure: { kind: 'target-gone', ref } };
  return mergeIn(step, { worktree, onto, what: 'the target' });
}

/** Merges a commit into the unit's branch, in its worktree; a merge that is in progress there goes on. Answers `unit.refreshed`. */
export async function mergeIn(step: UnitStep, { worktree, onto, what }: { readonly worktree: string; readonly onto: string; readonly what: string }): Promise<EventBody> {
  const { git } = step.place.world;
  const unit = step.u.unit.id;
  await settleAgain(step, worktree);
  await takeInLanded(step, worktree);
  const status = await git.status(worktree);
  const at: Meeting = { worktree, status, merging: await git.mergeHead(worktree), onto };
  const joined = at.merging === undefined && (await git.isAncestor(onto, status.head));
  const refreshed = async (commit: string): Promise<EventBody> => ({ type: 'unit.refreshed', unit, commit, parent: status.head, onto: at.merging ?? onto, conflicts: [], ...await protectedChange(step, commit) });
  if (joined && !(await isUnseen(step, status.head))) return refreshed(status.head);
  const conflicts = await meet(step, { ...at, joined });
  if (conflicts.length > 0) return { type: 'unit.refreshed', unit, commit: status.head, parent: status.head, onto: at.merging ?? onto, conflicts };
  const tree = await treeOfMeeting(step, { ...at, left: joined || at.merging !== undefined });
  if (joined && tree === (await git.treeOf(status.head))) return refreshed(status.head);
  const subject = joined ? `fix(${unit}): what its merge left` : `merge(${unit}): bring in ${what}`;
  const commit = await git.commitTree({ tree, parents: joined ? [status.head] : [status.head, at.merging ?? onto], message: message({ subject, run: step.place.state.run, trailers: [['Choo-Unit', unit]] }) });
  failpoint('commit-built');
  return refreshed(commit);
}

/** A worktree in which a commit is merged in, or is to be. */
interface Meeting { readonly worktree: string; readonly status: WorktreeStatus; readonly merging: string | undefined; readonly onto: string }

/** Whether commits that no verification has seen may hold what is not an agent's to commit: the resolution of a conflict, or specs. */
async function isUnseen(step: UnitStep, head: string): Promise<boolean> {
  const recorded = must(step.u.head, 'a recorded head');
  if (head === recorded) return false;
  return step.u.merging !== undefined || (await step.place.world.git.changedPaths(recorded, head)).some((p) => isSpec(step, p));
}

/** Begins the merge where none is in progress and it is not there already, and solves what is choo's to solve. Gives the paths that are left. */
async function meet(step: UnitStep, o: Meeting & { readonly joined: boolean }): Promise<readonly string[]> {
  const { git } = step.place.world;
  const inConflict = o.merging !== undefined || step.u.merging !== undefined;
  if (o.merging === undefined && !(o.joined && inConflict)) await putAway(step, o);
  const unmerged = o.merging === undefined && !o.joined ? await git.beginMerge(o.worktree, o.onto) : o.status.entries.filter((e) => e.kind === 'unmerged').map((e) => e.path);
  failpoint('merge-begun');
  // Files may have been called resolved with their markers in them, and even committed.
  const marked = inConflict ? await git.conflictMarkers(o.worktree, must(step.u.head, 'a recorded head')) : [];
  const found = [...new Set([...unmerged, ...marked])];
  await resolveSpecs(step, { worktree: o.worktree, onto: o.merging ?? o.onto, paths: found.filter((p) => isSpec(step, p)) });
  return found.filter((p) => !isSpec(step, p));
}

/** What is to be committed of a merge without conflicts. `left`: an attempt went on with it, and what it left in the files is part of it. */
async function treeOfMeeting(step: UnitStep, o: Meeting & { readonly left: boolean }): Promise<string> {
  const { worktree } = o;
  const { git } = step.place.world;
  const status = await git.status(worktree);
  const source = await mergedSpecs(step, { ours: must(step.u.head, 'a recorded head'), theirs: o.merging ?? o.onto });
  const specs = await restoreSpecs(step, { worktree, status, source, notes: [] });
  const paths = o.left ? await committable(step, { worktree, status }) : [];
  return git.stage(worktree, [...paths, ...specs]);
}

/** What nobody committed (an attempt that was cut, a merge that was given up) would stand in the way of a merge; it is kept. */
async function putAway(step: UnitStep, o: { readonly worktree: string; readonly status: WorktreeStatus }): Promise<void> {
  const { place, u } = step;
  const never = await neverCommitted(place, u.unit.id);
  // An agent's `git add -A` may have taken in what is never committed, and git merges only onto an index that is HEAD's.
  const staged = o.status.entries.filter((e) => e.staged && never.has(e.path)).map((e) => e.path);
  if (staged.length > 0) await place.world.git.unstagePaths(o.worktree, { commit: o.status.head, paths: staged });
  const paths = o.status.entries.map((e) => e.path).filter((p) => !never.has(p));
  if (paths.length === 0) return;
  const ref = `refs/choo/kept/${place.state.run}/${u.unit.id}/before-merge-${place.state.seq}`;
  await place.fence.hold(async () => place.fence.moved(ref, await place.world.git.keep(o.worktree, { ref, message: `choo: was in the worktree of ${u.unit.id} before the target was merged in` })));
  await place.world.git.restorePaths(o.worktree, { commit: o.status.head, paths });
}
