// What a cleanup does with one unit of one run: removes what has provably landed or was given up, keeps and explains the rest.
// Always in this order, so that it may be cut anywhere and begun again: backup, journal, worktree, branch.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isMissing } from '../adapters/errno.ts';
import { must } from '../core/bug.ts';
import type { UnitState } from '../core/state.ts';
import { isOver } from '../core/state.ts';
import { neverFile, neverList, runRef } from '../worker/workplace.ts';
import { GitError } from '../world.ts';
import type { Broom, Thing } from './broom.ts';
import { branchOf, worktreeOf } from './old-runs.ts';
import type { OldRun } from './old-runs.ts';

/** One unit of one run. */
export interface UnitJob {
  readonly broom: Broom;
  readonly run: OldRun;
  readonly u: UnitState;
  /** The user gave it up by name. */
  readonly wished: boolean;
  /** Writes into the journal of the open run that the unit was given up. */
  readonly record: (unit: string, backups: readonly string[]) => Promise<void>;
}

/** What of the unit is still there. */
interface Rest {
  readonly branch: string;
  /** Commit of the branch; undefined when it is gone. */
  readonly at: string | undefined;
  readonly worktree: string;
  /** Where its HEAD is; undefined when git knows of no worktree there. */
  readonly head: string | undefined;
  readonly hasFolder: boolean;
}

/** Removes or keeps what the unit left, and reports it. */
export async function cleanUnit(job: UnitJob): Promise<void> {
  const rest = restOf(job);
  const nothing = rest.at === undefined && rest.head === undefined && !rest.hasFolder;
  if (nothing && (isOver(job.u) || !job.wished || !job.run.open)) return;
  try {
    const why = job.u.phase === 'landed' ? await whyNotLanded(job, rest) : notLanded(job, rest);
    if (why === undefined) return await remove(job, rest, await changesOf(job, rest) ? 'worktree' : 'nothing');
    const made = job.wished ? await landedUnwritten(job) : undefined;
    if (made !== undefined) return keepRest(job, rest, made);
    if (!job.wished && !job.run.discarded.has(job.u.unit.id)) return keepRest(job, rest, why);
    await discard(job, rest);
  } catch (error) {
    job.broom.fail(thing(job, rest, rest.hasFolder ? 'worktree' : 'branch'), error);
  }
}

function restOf({ broom, run, u }: UnitJob): Rest {
  const branch = branchOf(run, u);
  const worktree = worktreeOf(run, u);
  return { branch, at: broom.refs.get(branch), worktree, head: broom.registered(worktree)?.head, hasFolder: existsSync(worktree) };
}

function thing({ run, u }: Pick<UnitJob, 'run' | 'u'>, rest: Rest, kind: 'worktree' | 'branch'): Thing {
  return { kind, what: kind === 'branch' ? rest.branch : rest.worktree, run: run.run, unit: u.unit.id, because: '' };
}

/** Undefined when all of it has provably landed: by commits, never by names. */
async function whyNotLanded({ broom, run, u }: UnitJob, rest: Rest): Promise<string | undefined> {
  const { git, refs } = broom;
  const landed = must(u.landed, 'a landed commit');
  const head = must(u.head, 'a head');
  const tips = [run.state.pinned.targetRef, runRef(run)].flatMap((ref) => refs.get(ref) ?? []);
  const reachable = await Promise.all(tips.map((tip) => contains(broom, { tip, commit: landed })));
  if (!reachable.includes(true)) return `it landed as ${landed.slice(0, 10)}, but ${run.state.pinned.targetRef} does not have that commit any more`;
  // A squashed or replayed unit is in that commit, though not as its ancestor.
  if (head !== u.landedHead && !(await git.isAncestor(head, landed))) return `its last commit ${head.slice(0, 10)} is not part of what landed`;
  for (const [what, commit] of [['its branch', rest.at], ['its worktree', rest.head]] as const) {
    if (commit !== undefined && !(await git.isAncestor(commit, head))) return `${what} has commits that did not land`;
  }
  if (rest.hasFolder && rest.head === undefined) return 'git does not know this folder as a worktree any more';
  return undefined;
}

/** False also for a commit that is gone from the repository. */
async function contains(broom: Broom, o: { readonly tip: string; readonly commit: string }): Promise<boolean> {
  return (await broom.git.resolve(o.commit)) !== undefined && broom.git.isAncestor(o.commit, o.tip);
}

function notLanded({ run, u }: UnitJob, rest: Rest): string {
  if (rest.hasFolder && rest.head === undefined && rest.at === undefined) return 'git does not know this folder as a worktree any more';
  if (u.phase === 'cancelled') return 'it is not in the plan any more';
  const how = u.phase === 'failed' ? 'it failed' : 'it has not landed';
  return run.open ? `${how}, and run ${run.run} is open` : how;
}

/** A crash between the landing and its line in the journal: only `resume` may judge that. */
async function landedUnwritten({ broom, run, u }: UnitJob): Promise<string | undefined> {
  const { candidate } = u;
  if (!run.open || isOver(u) || candidate === undefined) return undefined;
  const tip = broom.refs.get(run.state.landing.ref);
  const made = tip !== undefined && await contains(broom, { tip, commit: candidate.commit });
  return made ? 'it has landed, which the journal does not know yet; first: choo resume' : undefined;
}

function keepRest(job: UnitJob, rest: Rest, because: string): void {
  const kinds = [...(rest.hasFolder || rest.head !== undefined ? ['worktree' as const] : []), ...(rest.at === undefined ? [] : ['branch' as const])];
  for (const kind of kinds) job.broom.keep({ ...thing(job, rest, kind), because });
}

/** True when the worktree has changes that are neither committed nor setup's. */
async function changesOf({ broom, run, u }: UnitJob, rest: Rest): Promise<boolean> {
  if (!rest.hasFolder || rest.head === undefined) return false;
  const never = neverList(await textOf(neverFile(run.folder, u.unit.id)));
  return (await broom.git.status(rest.worktree)).entries.some((e) => !never.has(e.path));
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function discard(job: UnitJob, rest: Rest): Promise<void> {
  if (await job.broom.git.whatStands(rest.worktree) !== 'other') return remove(job, rest, 'everything');
  // Neither can it be backed up nor may it be removed.
  const aside = job.broom.dryRun ? rest.worktree : await job.broom.git.setAside(rest.worktree);
  job.broom.keep({ ...thing(job, rest, 'worktree'), what: aside, because: 'git does not know it as a worktree any more; look at it, then remove it by hand' });
  await remove(job, { ...rest, hasFolder: false }, 'everything');
}

async function remove(job: UnitJob, rest: Rest, save: 'everything' | 'worktree' | 'nothing'): Promise<void> {
  const { broom, run, u } = job;
  const backups = save === 'nothing' ? [] : await backUp(job, rest, save);
  if (run.open && !isOver(u)) await job.record(u.unit.id, backups);
  const because = u.phase === 'landed' && save !== 'everything' ? 'landed' : 'discarded';
  if ((rest.hasFolder || rest.head !== undefined) && !(await broom.removeWorktree({ ...thing(job, rest, 'worktree'), because }))) return;
  if (rest.at !== undefined) await broom.removeRef({ ...thing(job, rest, 'branch'), because });
}

/** Saves the files of the worktree and, unless that contains it, the branch; gives back the refs that hold them. */
async function backUp({ broom, run, u }: UnitJob, rest: Rest, save: 'everything' | 'worktree'): Promise<readonly string[]> {
  const about = { run: run.run, unit: u.unit.id };
  const refs: string[] = [];
  const commits: string[] = [];
  const point = (to: string): Promise<string> => broom.backUp(about, async (ref) => {
    if (!(await broom.git.moveRef({ ref, to, from: undefined, reason: 'choo: backup' }))) throw new GitError(`git update-ref ${ref}`, 'the ref exists already');
    return to;
  });
  if (rest.hasFolder && rest.head !== undefined) {
    const message = `choo: backup of ${u.unit.id}, run ${run.run}`;
    refs.push(await broom.backUp(about, async (ref) => {
      const commit = await broom.git.keep(rest.worktree, { ref, message });
      commits.push(commit);
      return commit;
    }));
    if (broom.dryRun) commits.push(rest.head);
  }
  const tips = save === 'worktree' ? [] : [rest.at, ...(rest.hasFolder ? [] : [rest.head])];
  for (const tip of tips) {
    if (tip === undefined || await isIn(broom, tip, commits)) continue;
    const before = [...broom.refs].find(([ref, id]) => id === tip && ref.startsWith(`refs/choo/backup/${run.run}/${u.unit.id}/`))?.[0];
    refs.push(before ?? await point(tip));
    commits.push(tip);
  }
  return refs;
}

async function isIn(broom: Broom, commit: string, tips: readonly string[]): Promise<boolean> {
  for (const tip of tips) if (await broom.git.isAncestor(commit, tip)) return true;
  return false;
}
