// `choo archive`: moves complete units and the design specs that only they name to specs/completed/, in the user's checkout.
// The one command that changes a checkout; it stages, and leaves the commit to the user.

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenGit } from '../adapters/git/index.ts';
import type { ArchiveReport, Moved, Stayed } from '../core/archive.ts';
import { cleanLine } from '../core/clean.ts';
import type { Unit } from '../core/plan.ts';
import { byCodeUnit } from '../core/plan.ts';
import { ARCHIVE_DIR } from '../discovery/discover.ts';
import { folderPath } from '../discovery/source.ts';
import { GitError } from '../world.ts';
import type { Clock } from '../world.ts';
import { holdAtRest } from './at-rest.ts';
import { readRuns } from './old-runs.ts';
import { refuse, Refusal } from './refusal.ts';
import { findRepository } from './repository.ts';
import type { Repository } from './repository.ts';
import { commitSource } from './sources.ts';
import { readSpecs, TASKS_DIR } from './specs.ts';
import type { Specs } from './specs.ts';

/** What `choo archive` is asked for. */
export interface ArchiveOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly dryRun: boolean;
  readonly tasksDir?: string;
  /** Told when a dead choo's lock was taken over. */
  readonly say: (line: string) => void;
}

/** Where specs that are not units live, and where they go. */
const SPECS = 'specs/';
const COMPLETED = 'specs/completed/';

/** Archives. Throws a Refusal while a run is live, something is in progress in the checkout, or the specs are wrong; nothing was changed then. */
export async function archive(o: ArchiveOptions): Promise<ArchiveReport> {
  const repository = await findRepository(o);
  try {
    const { root, head } = checkoutOf(repository);
    const held = await holdAtRest(repository, o);
    try {
      const specs = await specsAt(repository, { head, tasksDir: folderPath(o.tasksDir ?? TASKS_DIR), env: o.env });
      const branch = repository.facts.branch ?? '';
      if (branch.startsWith(`refs/heads/${specs.resolved.branchPrefix}unit/`)) throw refuse('unit-worktree', `${root} is the worktree of a unit`, 'go to your own checkout');
      return await move(repository, { root, head, specs, dryRun: o.dryRun });
    } finally {
      await held.release();
    }
  } finally {
    await repository.git.close();
  }
}

function checkoutOf({ facts }: Repository): { readonly root: string; readonly head: string } {
  if (facts.root === undefined) throw refuse('no-checkout', 'there is no checkout here to move files in', 'go to a worktree of the repository');
  if (facts.head === undefined) throw refuse('no-commit', 'the repository has no commit yet, so nothing is complete');
  if (facts.inProgress !== undefined) throw refuse('in-progress', `${facts.inProgress} in this checkout`, 'end it first (see: git status)');
  return { root: facts.root, head: facts.head };
}

/** The specs as committed; without any unit there is nothing to archive, which is no error. */
async function specsAt({ git }: Repository, o: { readonly head: string; readonly tasksDir: string; readonly env: NodeJS.ProcessEnv }): Promise<Specs> {
  if (o.tasksDir === ARCHIVE_DIR) throw refuse('archived', `${ARCHIVE_DIR} is where complete units go to`);
  const specs = await readSpecs(commitSource(git, o.head), { tasksDir: o.tasksDir, selection: [], flags: {}, env: o.env });
  const wrong = specs.diagnostics.filter((d) => d.severity === 'error' && d.code !== 'no-units');
  if (wrong.length > 0) throw new Refusal(wrong);
  return specs;
}

interface Job {
  readonly git: OpenGit;
  readonly root: string;
  readonly head: string;
  readonly dryRun: boolean;
  /** Every path below specs/ in the commit. */
  readonly there: ReadonlySet<string>;
  readonly moved: Moved[];
  readonly kept: Stayed[];
  readonly failed: Stayed[];
}

async function move({ git, facts }: Repository, o: { readonly root: string; readonly head: string; readonly specs: Specs; readonly dryRun: boolean }): Promise<ArchiveReport> {
  const { specs, ...rest } = o;
  const there = new Set((await git.readTree(o.head, 'specs')).map((e) => e.path));
  const job: Job = { ...rest, git, there, moved: [], kept: [], failed: [] };
  const open = await openRunOf(facts.commonDir);
  const units: Unit[] = [];
  for (const unit of specs.all.filter(isComplete).toSorted((a, b) => byCodeUnit(a.id, b.id))) {
    const run = open.get(unit.id);
    const because = run === undefined ? undefined : `run ${run} is open with it`;
    if (await take(job, { unit: unit.id, from: unit.dir, to: `${ARCHIVE_DIR}/${unit.id}` }, because)) units.push(unit);
  }
  await moveDesigns(job, { units, staying: new Set(specs.all.filter((u) => !units.includes(u)).flatMap(specsOf)) });
  const { moved, kept, failed, dryRun } = job;
  return { dryRun, top: o.root, moved, kept, failed };
}

/** Design specs go with the last unit that names them. */
async function moveDesigns(job: Job, o: { readonly units: readonly Unit[]; readonly staying: ReadonlySet<string> }): Promise<void> {
  const seen = new Set<string>();
  for (const unit of o.units) {
    for (const path of specsOf(unit)) {
      // What lies in a unit's own folder has gone with it.
      if (seen.has(path) || path.startsWith(COMPLETED) || o.units.some((u) => path.startsWith(`${u.dir}/`))) continue;
      seen.add(path);
      const because = o.staying.has(path) ? 'another unit names it' : path.startsWith(SPECS) ? undefined : `it is not in ${SPECS}`;
      await take(job, { unit: unit.id, from: path, to: `${COMPLETED}${path.slice(SPECS.length)}` }, because);
    }
  }
}

/** Moves one thing, unless there is a reason against it. True when it went (or, in a dry run, would). */
async function take(job: Job, step: Moved, because?: string): Promise<boolean> {
  const stays = { unit: step.unit, path: step.from };
  try {
    const reason = because ?? await obstacle(job, step);
    if (reason !== undefined) {
      job.kept.push({ ...stays, because: reason });
      return false;
    }
    if (!job.dryRun) await job.git.movePath(job.root, step);
    job.moved.push(step);
    return true;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    job.failed.push({ ...stays, because: error.detail });
    return false;
  }
}

async function obstacle({ git, root, head, there }: Job, { from, to }: Moved): Promise<string | undefined> {
  if (cleanLine(from) !== from) return 'its name has characters that no command line should have';
  if (exists(root, to) || [...there].some((path) => path === to || path.startsWith(`${to}/`))) return `${to} exists already`;
  const dirty = await git.workingTreeDiff(root, { commit: head, prefix: from });
  return dirty.length === 0 ? undefined : `it has changes that are not committed (${dirty[0] ?? ''}${dirty.length > 1 ? ' …' : ''})`;
}

function isComplete(unit: Unit): boolean {
  return unit.tasks.every((t) => t.complete);
}

function specsOf(unit: Unit): readonly string[] {
  return [unit.specPath, ...unit.tasks.map((t) => t.specPath)].filter((path) => path !== undefined);
}

function exists(root: string, path: string): boolean {
  return lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
}

/** Unit → the open run it belongs to. */
async function openRunOf(commonDir: string): Promise<ReadonlyMap<string, number>> {
  const { runs } = await readRuns(commonDir, commonDir);
  return new Map(runs.filter((run) => run.open).flatMap((run) => run.state.units.map((u) => [u.unit.id, run.run] as const)));
}
