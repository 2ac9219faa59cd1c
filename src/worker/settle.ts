// After an attempt: is HEAD the unit's branch, a continuation of the last recorded commit, without forged or forbidden commits?
// What the agent left is kept under refs/choo/kept/ before anything is put back.

import { must } from '../core/bug.ts';
import type { Failure } from '../core/failure.ts';
import { GitError } from '../world.ts';
import type { WorktreeStatus } from '../world.ts';
import { ensureWorktree } from './prepare.ts';
import type { UnitStep, Workplace } from './workplace.ts';
import { neverCommitted } from './workplace.ts';

/** The worktree after an attempt: whether anything in it was changed, or the failure (the branch is then put back). */
export type Settled = { readonly changed: boolean } | { readonly failure: Failure };

/** Looks at the worktree and mends its branch when the agent left it in another state. `attempt` names the kept ref. */
export async function settle(step: UnitStep, o: { readonly worktree: string; readonly attempt: string; readonly mayMerge: boolean }): Promise<Settled> {
  const { git, files } = step.place.world;
  const branch = must(step.u.branch, 'a branch');
  const recorded = must(step.u.head, 'a recorded head');
  const steered = await git.mendOwnFolder(o.worktree);
  const stands = await git.whatStands(o.worktree);
  if (stands === 'other') return { failure: await replaced(step, o.worktree) };
  if (stands === 'nothing' || !(await files.exists(o.worktree))) await ensureWorktree(step);
  await git.releaseLocks(o.worktree, branch);
  const first = await readable(step, o.worktree);
  if ('failure' in first) return first;
  const status = await git.clearFlags(o.worktree) ? await git.status(o.worktree) : first;
  const kept = `refs/choo/kept/${step.place.state.run}/${step.u.unit.id}/${o.attempt}`;
  const known = await neverCommitted(step.place, step.u.unit.id);
  const nested = await nestedRepositories(step, { worktree: o.worktree, status, known });
  if (nested.length > 0) return { failure: { kind: 'nested-repository', paths: nested } };
  const link = await git.repairLink(o.worktree);
  const astray = link !== undefined ? linkAstray(link) : await whereAstray(step.place, { status, branch, recorded, mayMerge: o.mayMerge });
  if (astray !== undefined) {
    await keep(step, { worktree: o.worktree, ref: kept });
    await putBack(step, { worktree: o.worktree, branch, commit: recorded });
    return { failure: { kind: 'history-rewritten', detail: astray, kept } };
  }
  const links = status.head === recorded ? [] : await git.newLinks(recorded, status.head);
  // One that the agent has since taken out again, with its files in place, loses nothing.
  const left = links.filter((path) => !status.entries.some((e) => e.path === path));
  if (left.length > 0) return { failure: { kind: 'nested-repository', paths: left } };
  const refused = status.head === recorded ? undefined : await refusedCommit(step, { from: recorded, to: status.head });
  if (refused === undefined && steered.length > 0) return { failure: { kind: 'outside-the-fence', changes: steered.map(steeredAstray) } };
  if (refused === undefined) {
    step.place.seen.set(o.worktree, status);
    return { changed: status.head !== recorded || status.entries.some((e) => !known.has(e.path)) };
  }
  await keep(step, { worktree: o.worktree, ref: kept });
  const moved = await git.moveRef({ ref: branch, to: recorded, from: status.head, reason: 'choo: refused commit' });
  if (!moved) throw new Error(`${branch} moved while it was put back`);
  await git.repointWorktree(o.worktree, { branch, commit: recorded });
  return { failure: { kind: 'refused-commit', ...refused, kept } };
}

/** The same look before work goes on where an attempt may have ended without it (git or the disk failed meanwhile). What it finds is mended and kept; it fails nothing. */
export async function settleAgain(step: UnitStep, worktree: string): Promise<void> {
  await settle(step, { worktree, attempt: `again-${step.place.state.seq}`, mayMerge: true });
  step.place.seen.delete(worktree);
}

/** Something else in the worktree's place: a link to some checkout, or a folder that git knows nothing of any more. It is set aside as it is, and the worktree made again. */
async function replaced(step: UnitStep, worktree: string): Promise<Failure> {
  const kept = await step.place.world.git.setAside(worktree);
  await ensureWorktree(step);
  return { kind: 'history-rewritten', detail: 'what stood in the place of its worktree was not that worktree any more', kept };
}

/** The worktree's status. One that git cannot read (an index or a HEAD that is no such thing) is set aside with all that is in it, and made again. */
async function readable(step: UnitStep, worktree: string): Promise<WorktreeStatus | { readonly failure: Failure }> {
  const { git } = step.place.world;
  try {
    return await git.status(worktree);
  } catch (error) {
    if (!(error instanceof GitError) || !(await git.isBroken(worktree))) throw error;
    const kept = await git.setAside(worktree);
    await ensureWorktree(step);
    return { failure: { kind: 'history-rewritten', detail: `git cannot read the worktree any more: ${error.detail}`, kept } };
  }
}

/** Repositories inside the worktree, whose content no commit would hold: untracked ones, and new links to one in the index. */
async function nestedRepositories(step: UnitStep, o: { readonly worktree: string; readonly status: WorktreeStatus; readonly known: ReadonlySet<string> }): Promise<readonly string[]> {
  const modules = (await step.place.world.files.readText(`${o.worktree}/.gitmodules`)) ?? '';
  const isModule = (path: string): boolean => modules.split('\n').some((line) => /^\s*path\s*=/.test(line) && line.split('=')[1]?.trim() === path);
  return o.status.entries.filter((e) => !o.known.has(e.path) && ((e.kind === 'untracked' && e.path.endsWith('/')) || (e.newLink && !isModule(e.path)))).map((e) => e.path);
}

/** A file that steers git and was changed, in words. */
export function steeredAstray({ file, aside }: { readonly file: string; readonly aside: string | undefined }): string {
  return `.git/worktrees/${file}, which steers git in the worktree (${aside === undefined ? 'it was removed' : `what it was made is at ${aside}`}; it is as before again)`;
}

/** A worktree whose link was gone or pointed elsewhere, in words: what git did there meanwhile it did somewhere else. */
export function linkAstray(link: { readonly aside: string | undefined }): string {
  return link.aside === undefined ? 'the .git file of the worktree was removed' : `the .git of the worktree was replaced; what stood there is at ${link.aside}`;
}

/** Why HEAD is not a continuation of the last recorded commit on the unit's branch, as the end of a sentence; undefined when it is one. */
export async function whereAstray(place: Workplace, o: { readonly status: WorktreeStatus; readonly branch: string; readonly recorded: string; readonly mayMerge: boolean }): Promise<string | undefined> {
  const { git } = place.world;
  if (o.status.branch !== o.branch) return o.status.branch === undefined ? 'HEAD is detached' : `HEAD is on ${o.status.branch}`;
  if (o.status.head !== o.recorded && !(await git.isAncestor(o.recorded, o.status.head))) return 'the branch no longer contains the last recorded commit';
  if (!o.mayMerge && o.status.entries.some((e) => e.kind === 'unmerged')) return 'a merge was left in progress';
  return undefined;
}

async function keep(step: UnitStep, o: { readonly worktree: string; readonly ref: string }): Promise<void> {
  await step.place.fence.hold(async () => {
    const commit = await step.place.world.git.keep(o.worktree, { ref: o.ref, message: `choo: kept what the agent of ${step.u.unit.id} left` });
    step.place.fence.moved(o.ref, commit);
  });
}

/** The unit's branch at its recorded commit, checked out; untracked files the agent left are kept in the kept commit and removed here with everything else that is not the recorded commit. */
export async function putBack(step: UnitStep, o: { readonly worktree: string; readonly branch: string; readonly commit: string }): Promise<void> {
  const { git } = step.place.world;
  const at = await git.resolve(o.branch);
  // Also when it is there already: an agent may have made it a symbolic ref to another branch.
  await git.moveRef({ ref: o.branch, to: o.commit, from: at, reason: 'choo: put back after history was rewritten' });
  await git.resetWorktree(o.worktree, { branch: o.branch, commit: o.commit });
  const never = await neverCommitted(step.place, step.u.unit.id);
  const left = (await git.status(o.worktree)).entries.filter((e) => e.kind === 'untracked' && !never.has(e.path)).map((e) => e.path);
  if (left.length > 0) await git.restorePaths(o.worktree, { commit: o.commit, paths: left });
}

/** An own commit of the agent that may not stay: one with choo's trailers, or one that holds what is never committed. */
async function refusedCommit(step: UnitStep, o: { readonly from: string; readonly to: string }): Promise<{ readonly reason: 'choo-trailer' | 'setup-file'; readonly commit: string; readonly detail: string } | undefined> {
  const { git } = step.place.world;
  for (const c of await git.commitsBetween(o.from, o.to)) {
    const forged = /^choo-[a-z-]+\s*:.*$/im.exec(c.message);
    if (forged !== null && !(await alreadyLanded(step, c.id))) return { reason: 'choo-trailer', commit: c.id, detail: forged[0].trim() };
  }
  const never = await neverCommitted(step.place, step.u.unit.id);
  if (never.size === 0) return undefined;
  for (const path of await git.ownPaths(o.from, o.to)) {
    if (never.has(path)) return { reason: 'setup-file', commit: o.to, detail: path };
  }
  return undefined;
}

/** Commits of the landing ref are not the agent's, whoever merged them in. */
async function alreadyLanded(step: UnitStep, commit: string): Promise<boolean> {
  const target = await step.place.world.git.resolve(step.place.state.landing.ref);
  return target !== undefined && step.place.world.git.isAncestor(commit, target);
}
