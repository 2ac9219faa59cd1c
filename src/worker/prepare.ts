// Makes a unit's worktree ready for its agent: branch, copies, setup, and the proof that it is exactly the base commit.

import { must } from '../core/bug.ts';
import type { EventBody, Note } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import { GitError } from '../world.ts';
import type { Control, StatusEntry, WorktreeStatus } from '../world.ts';
import { obtainWorktree } from './obtain.ts';
import type { UnitStep, Workplace } from './workplace.ts';
import { under } from './remote-target.ts';
import { setUp } from './setup.ts';
import { addNeverCommitted, neverCommitted, places, StepFailure } from './workplace.ts';

/** Outcome of a preparation: nothing, or why not. */
type Trouble = Failure | undefined;

/** Makes branch and worktree from the newest landing ref, copies, sets up. Answers `unit.prepared` or `unit.prepare.failed`. */
export async function prepare(step: UnitStep): Promise<EventBody> {
  const { place, u } = step;
  const id = u.unit.id;
  const { worktree, branch } = places(place, id);
  const failed = (failure: Failure): EventBody => ({ type: 'unit.prepare.failed', unit: id, failure });
  const base = await under(step);
  if (base === undefined) return failed({ kind: 'target-gone', ref: place.state.landing.ref });
  const noSpace = await spaceFor(place, worktree);
  if (noSpace !== undefined) return failed(noSpace);
  await removeHalfMade(place, { worktree, branch, base, unit: id });
  place.fence.moved(branch, base);
  const status = await obtainWorktree(place, { path: worktree, commit: base, branch });
  const notes: Note[] = [];
  const trouble = await makeReady(place, { worktree, base, branch, unit: id, control: step.control, notes, fresh: status });
  if (trouble !== undefined) {
    // No agent was in it; its log tells the story, and a retry makes it anew.
    await removeHalfMade(place, { worktree, branch, base, unit: id });
    return failed(trouble);
  }
  return { type: 'unit.prepared', unit: id, worktree, branch, base, notes };
}

/** Fails with `no-space` when less is free than `limits.free_disk`. */
export async function spaceFor(place: Workplace, path: string): Promise<Trouble> {
  const floor = place.state.settings.limits.freeDisk;
  const free = await place.world.files.freeSpace(path);
  return free < floor ? { kind: 'no-space', path, free, floor } : undefined;
}

/** What a cut or failed preparation of this very run left. No agent should have been in it; what it holds all the same is kept first. */
async function removeHalfMade(place: Workplace, o: { readonly worktree: string; readonly branch: string; readonly base: string; readonly unit: string }): Promise<void> {
  const { git, files } = place.world;
  const at = await git.resolve(o.branch);
  if (at === undefined) return;
  if (await git.whatStands(o.worktree) === 'other') await git.setAside(o.worktree);
  else if (await files.exists(`${o.worktree}/.git`)) await keepHalfMade(place, o);
  // Also when there is no folder: its registration may be there already.
  await git.removeWorktree(o.worktree);
  if (!(await git.isAncestor(at, o.base))) {
    const ref = await freeRef(place, `refs/choo/kept/${place.state.run}/${o.unit}/branch-${place.state.seq}`);
    place.fence.moved(ref, at);
    if (!(await git.moveRef({ ref, to: at, from: undefined, reason: 'choo: kept' }))) throw new GitError(`git update-ref ${ref}`, 'the ref exists already');
  }
  place.fence.moved(o.branch, undefined);
  await git.moveRef({ ref: o.branch, to: undefined, from: at, reason: 'choo: prepare again' });
}

/** The ref, or one beside it: when somebody removed the runs' folder, the numbers of a run and of its events come again. */
async function freeRef(place: Workplace, ref: string): Promise<string> {
  let free = ref;
  for (let n = 2; (await place.world.git.resolve(free)) !== undefined; n++) free = `${ref}-${n}`;
  return free;
}

async function keepHalfMade(place: Workplace, o: { readonly worktree: string; readonly unit: string }): Promise<void> {
  const never = await neverCommitted(place, o.unit);
  const status = await place.world.git.status(o.worktree);
  // A checkout that was cut lacks files; only content that is nowhere else is worth keeping.
  const own = status.entries.filter((e) => !never.has(e.path));
  const there = await Promise.all(own.map((e) => place.world.files.exists(`${o.worktree}/${e.path}`)));
  if (!there.includes(true)) return;
  const ref = await freeRef(place, `refs/choo/kept/${place.state.run}/${o.unit}/half-made-${place.state.seq}`);
  await place.fence.hold(async () => place.fence.moved(ref, await place.world.git.keep(o.worktree, { ref, message: `choo: was in the worktree of ${o.unit} when it was prepared again` })));
}

/** What a fresh checkout needs: tolerated dirt listed, files copied, setup run, and HEAD, index and files proved to be the base. */
async function makeReady(place: Workplace, o: { readonly worktree: string; readonly base: string; readonly branch: string; readonly unit: string; readonly control: Control; readonly notes: Note[]; readonly fresh: WorktreeStatus }): Promise<Trouble> {
  const { fresh } = o;
  const trap = intact(fresh, o);
  if (trap !== undefined) return trap;
  const dirty = fresh.entries.map((e) => e.path);
  if (dirty.length > 0) o.notes.push({ kind: 'dirty-when-fresh', text: 'these paths are dirty in a fresh checkout; they are never committed', paths: dirty });
  await addNeverCommitted(place, o.unit, dirty);
  if (place.copy.length === 0 && place.setup.length === 0) return undefined;
  await copyIgnored(place, o);
  const trouble = await setUp(place, { ...o, log: `${places(place, o.unit).logs}/setup.log`, ofTarget: true });
  if (trouble !== undefined) return trouble;
  return settle(place, { ...o, dirty: new Set(dirty) });
}

async function copyIgnored(place: Workplace, o: { readonly worktree: string; readonly notes: Note[] }): Promise<void> {
  if (place.copy.length === 0 || place.mainRoot === undefined) return;
  const copied = await place.world.files.copyIgnored({ globs: place.copy, from: place.mainRoot, to: o.worktree });
  if (copied.length > 0) o.notes.push({ kind: 'copied', text: 'copied from the main checkout', paths: copied });
}

/** After setup: tracked files are restored and reported, what is untracked is remembered as never committed. */
async function settle(place: Workplace, o: { readonly worktree: string; readonly base: string; readonly branch: string | undefined; readonly unit: string; readonly dirty: ReadonlySet<string>; readonly notes: Note[] }): Promise<Trouble> {
  const { git } = place.world;
  const after = await git.status(o.worktree);
  const trap = after.head === o.base && after.branch === o.branch ? undefined : intact(after, o);
  if (trap !== undefined) return trap;
  const changed = after.entries.filter((e) => e.kind !== 'untracked' && !o.dirty.has(e.path)).map((e) => e.path);
  const left = after.entries.filter((e) => e.kind === 'untracked' && !o.dirty.has(e.path)).map((e) => e.path);
  if (changed.length > 0) {
    await git.restorePaths(o.worktree, { commit: o.base, paths: changed });
    o.notes.push({ kind: 'setup-changed', text: 'setup changed tracked files; they were restored', paths: changed });
  }
  if (left.length > 0) o.notes.push({ kind: 'setup-left', text: 'setup left untracked files; they are never committed', paths: left.slice(0, 20) });
  await addNeverCommitted(place, o.unit, left);
  return undefined;
}

/** HEAD, branch and index are the base; files may differ from the index only by what checkout itself does to them. */
function intact(s: { readonly head: string; readonly branch: string | undefined; readonly entries: readonly StatusEntry[] }, o: { readonly base: string; readonly branch: string | undefined }): Trouble {
  const wrong = s.entries.filter((e) => e.staged || e.kind === 'unmerged').map((e) => e.path);
  if (s.head !== o.base) wrong.unshift(`HEAD is ${s.head}`);
  if (s.branch !== o.branch) wrong.unshift(`HEAD is on ${s.branch ?? 'no branch'}`);
  return wrong.length === 0 ? undefined : { kind: 'base-not-intact', paths: wrong };
}

/** A folder that lost its .git file is replaced by a new worktree; what is in it and nowhere else is kept first. */
async function keepReplaced({ place, u }: UnitStep, worktree: string): Promise<void> {
  const status = await place.world.git.status(worktree).catch((error: unknown) => {
    if (error instanceof GitError) return undefined;
    throw error;
  });
  if (status === undefined) {
    // What git knows of it is damaged, too.
    await place.world.git.setAside(worktree);
    return;
  }
  if (status.entries.length === 0) return;
  const ref = `refs/choo/kept/${place.state.run}/${u.unit.id}/replaced-${place.state.seq}`;
  place.fence.moved(ref, await place.world.git.keep(worktree, { ref, message: `choo: was in the worktree of ${u.unit.id} when it had to be made again` }));
}

/** The unit's worktree, made again from its branch when somebody deleted it. Never another folder: what else stands at its place is set aside. */
export async function ensureWorktree(step: UnitStep): Promise<string> {
  const { place, u } = step;
  const worktree = must(u.worktree, 'a worktree');
  const branch = must(u.branch, 'a branch');
  const marker = halfMadeFile(place.runDir, u.unit.id);
  const halfMade = (await place.world.files.readText(marker)) === HALF_MADE;
  const stands = await place.world.git.whatStands(worktree);
  if (stands === 'worktree' && !halfMade && (await place.world.files.exists(`${worktree}/.git`))) return worktree;
  const noSpace = await spaceFor(place, worktree);
  if (noSpace !== undefined) throw new StepFailure(noSpace);
  if (stands === 'other') await place.world.git.setAside(worktree);
  else if (stands === 'worktree' && (await place.world.files.exists(worktree))) await keepReplaced(step, worktree);
  await place.world.git.removeWorktree(worktree);
  const at = (await place.world.git.resolve(branch)) ?? must(u.head, 'a head');
  place.fence.moved(branch, at);
  if ((await place.world.git.resolve(branch)) === undefined) await place.world.git.moveRef({ ref: branch, to: at, from: undefined, reason: 'choo: make the worktree again' });
  // A setup that fails leaves a worktree in which no agent may work; the next step makes it again.
  await place.world.files.writeText(marker, HALF_MADE);
  await place.world.git.addWorktree({ path: worktree, commit: at });
  const notes: Note[] = [];
  await copyIgnored(place, { worktree, notes });
  const trouble = await setUp(place, { worktree, log: `${places(place, u.unit.id).logs}/setup.log`, unit: u.unit.id, control: step.control, notes });
  const settled = trouble ?? await settle(place, { worktree, base: at, branch: undefined, unit: u.unit.id, dirty: new Set(), notes });
  if (settled !== undefined) throw new StepFailure(settled);
  // Last, so that a worktree whose HEAD is on its branch is a complete one.
  await place.world.git.repointWorktree(worktree, { branch, commit: at });
  await place.world.files.writeText(marker, '');
  return worktree;
}

const HALF_MADE = 'being made again\n';

/** Says, while it holds HALF_MADE, that the worktree of a unit is being made again and nobody has worked in it yet. */
function halfMadeFile(runDir: string, unit: string): string {
  return `${runDir}/half-made/${unit}`;
}
