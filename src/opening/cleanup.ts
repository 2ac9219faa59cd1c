// `choo cleanup`: goes through all runs of a repository and removes what has provably landed and what the user gives up.
// Holds the repository's lock meanwhile, so no orchestrator works; a dry run takes and changes nothing.

import { readdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, isMissing } from '../adapters/errno.ts';
import { openJournal } from '../adapters/journal.ts';
import type { CleanupReport } from '../core/cleanup.ts';
import { decide } from '../core/decide.ts';
import type { EventBody } from '../core/event.ts';
import { evolve } from '../core/evolve.ts';
import { byCodeUnit } from '../core/plan.ts';
import { isUnpushed } from '../core/push.ts';
import { resolveSettings } from '../discovery/settings.ts';
import { didYouMean } from '../discovery/suggest.ts';
import { indexesFolder, poolFolder } from '../worker/obtain.ts';
import { runRef } from '../worker/workplace.ts';
import type { Clock, Journal } from '../world.ts';
import { Broom } from './broom.ts';
import { cleanUnit } from './cleanup-unit.ts';
import { holdAtRest } from './at-rest.ts';
import { branchOf, readRuns, worktreeOf } from './old-runs.ts';
import type { OldRun } from './old-runs.ts';
import { mirrorRef } from '../core/pull-rules.ts';
import { pinRef } from './open.ts';
import { endLeftRunning, SETUP_RESULTS, worktreesFolder } from './place.ts';
import { refuse, Refusal } from './refusal.ts';
import { findRepository } from './repository.ts';
import type { Repository } from './repository.ts';
import { commitSource } from './sources.ts';
import { readConfig } from './specs.ts';

/** What `choo cleanup` is asked for. */
export interface CleanupOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly dryRun: boolean;
  /** Units to give up: `unit` in every run, or `unit/run`. */
  readonly discard: readonly string[];
  /** Told when a dead choo's lock was taken over. */
  readonly say: (line: string) => void;
}

/** Cleans up. Throws a Refusal when somebody else holds the repository, or when a unit to give up is unknown; nothing was changed then. */
export async function cleanup(o: CleanupOptions): Promise<CleanupReport> {
  const repository = await findRepository(o);
  try {
    const held = await holdAtRest(repository, o);
    try {
      // An agent that outlived its choo would go on writing into what is being saved.
      if (!o.dryRun) await endLeftRunning({ ...o, commonDir: repository.facts.commonDir });
      return await sweep(repository, o, held.check);
    } finally {
      await held.release();
    }
  } finally {
    await repository.git.close();
  }
}

async function sweep(repository: Repository, o: CleanupOptions, check: () => void): Promise<CleanupReport> {
  const { git, facts } = repository;
  const worktrees = await worktreesNow(repository, o);
  const { runs, unreadable } = await readRuns(facts.commonDir, worktrees);
  const wished = wishes(o.discard, runs);
  const broom = new Broom({ git, dryRun: o.dryRun, refs: await git.listRefs(), worktrees: await git.listWorktrees() });
  for (const { run, journal, problem } of unreadable) broom.keep({ kind: 'journal', what: journal, run, because: `it cannot be read (${problem}), so nothing of run ${run} is touched` });
  await broom.removeFolder({ kind: 'folder', what: join(worktrees, SETUP_RESULTS), because: 'setup commands make it again' });
  for (const run of runs) await cleanRun({ broom, run, wished, check, now: () => o.clock.now() });
  unknownBranches(broom, runs);
  return broom.report;
}

/** The repository's folder for worktrees by its present settings; they may be wrong, since nothing is to be run. */
async function worktreesNow(repository: Repository, o: CleanupOptions): Promise<string> {
  const { facts, git, root } = repository;
  const config = facts.head === undefined ? undefined : (await readConfig(commitSource(git, facts.head))).config;
  const configured = config === undefined ? undefined : resolveSettings({ config, env: o.env, flags: {} }).settings.worktreeBase;
  const where = { commonDir: facts.commonDir, root: root ?? facts.commonDir, env: o.env, clock: o.clock };
  try {
    return await worktreesFolder({ ...where, configured });
  } catch (error) {
    if (error instanceof Refusal) return join(facts.commonDir, 'choo', 'no-worktrees');
    throw error;
  }
}

/** `unit/run` for every unit to give up. Throws a Refusal that names all unknown ones. */
function wishes(names: readonly string[], runs: readonly OldRun[]): ReadonlySet<string> {
  const all = runs.flatMap((run) => run.state.units.map((u) => ({ unit: u.unit.id, key: `${u.unit.id}/${run.run}` })));
  const wished = new Set<string>();
  const unknown: Refusal[] = [];
  for (const name of names) {
    const keys = all.filter((k) => k.unit === name || k.key === name).map((k) => k.key);
    for (const key of keys) wished.add(key);
    if (keys.length === 0) unknown.push(refuse('unknown-unit', `no run has a unit \`${name}\``, didYouMean(name, all.map((k) => k.unit)) ?? 'see: choo cleanup --dry-run'));
  }
  if (unknown.length > 0) throw new Refusal(unknown.flatMap((r) => r.diagnostics));
  return wished;
}

interface RunJob {
  readonly broom: Broom;
  readonly run: OldRun;
  readonly wished: ReadonlySet<string>;
  readonly now: () => number;
  /** Throws when the repository is no longer ours. */
  readonly check: () => void;
}

async function cleanRun(job: RunJob): Promise<void> {
  const { broom, run, wished } = job;
  for (const u of run.state.units.toSorted((a, b) => byCodeUnit(a.unit.id, b.unit.id))) {
    await cleanUnit({ broom, run, u, wished: wished.has(`${u.unit.id}/${run.run}`), record: (unit, backups) => giveUp(job, unit, backups) });
  }
  await cleanLandingRef(job);
  const closed = !isUnpushed(run.state) && run.state.units.every((u) => u.phase === 'landed' || u.phase === 'cancelled') && run.state.landing.diverted === undefined;
  if (!run.open || closed) for (const what of [pinRef(run.run), mirrorRef(run.run)]) await broom.removeRef({ kind: 'ref', what, run: run.run, because: 'the run is over' });
  for (const place of run.places) await cleanPlace(job, place);
}

/** Records that a unit of the open run was given up, and what follows from it. */
async function giveUp(job: RunJob, unit: string, backups: readonly string[]): Promise<void> {
  const { broom, run } = job;
  if (!broom.dryRun) await record(job, [{ type: 'unit.discarded', unit, backups }]);
  const at = run.state.graph.index.get(unit) ?? -1;
  const blocks = new Set<number>();
  const queue = [at];
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    for (const d of run.state.graph.dependants[i] ?? []) {
      if (blocks.has(d) || run.state.units[d]?.phase === 'cancelled') continue;
      blocks.add(d);
      queue.push(d);
    }
  }
  broom.discarded({ run: run.run, unit, blocks: [...blocks].map((i) => run.state.units[i]?.unit.id ?? '').toSorted(byCodeUnit) });
}

/** Appends events to the run at rest, and after them every fact that has become true. */
async function record({ run, now, check }: RunJob, bodies: readonly EventBody[]): Promise<void> {
  const { journal } = await openJournal(run.journal, { check });
  try {
    await append({ journal, run, now }, bodies);
    while (run.state.announce.length > 0) await append({ journal, run, now }, decide(run.state, now()).next);
  } finally {
    await journal.close();
  }
}

async function append({ journal, run, now }: { readonly journal: Journal } & Pick<RunJob, 'run' | 'now'>, bodies: readonly EventBody[]): Promise<void> {
  for (const event of await journal.append(bodies, now())) evolve(run.state, event);
}

/** The run's own landing ref goes once the target has all of it; an open run is told first that it has arrived. */
async function cleanLandingRef(job: RunJob): Promise<void> {
  const { broom, run } = job;
  const ref = runRef(run);
  const at = broom.refs.get(ref);
  if (at === undefined) return;
  const thing = { kind: 'branch' as const, what: ref, run: run.run };
  const target = broom.refs.get(run.state.pinned.targetRef);
  if (target === undefined || !(await broom.git.isAncestor(at, target))) {
    broom.keep({ ...thing, because: `what landed there is not in ${run.state.pinned.targetRef} yet` });
    return;
  }
  if (run.open && run.state.landing.ref === ref && !broom.dryRun) await record(job, [{ type: 'run.advancing' }, { type: 'run.advanced', commit: at }]);
  await broom.removeRef({ ...thing, because: `${run.state.pinned.targetRef} has all of it` });
}

/** A worktree that was on its way out when choo was cut. */
const ASIDE = /^\..+\.removed-[0-9a-f]{12}$/;

/** What choo keeps for itself beside the worktrees of units. */
async function cleanPlace({ broom, run }: RunJob, place: string): Promise<void> {
  const about = { run: run.run, because: 'only of use while choo runs' };
  const landing = join(place, 'landing');
  if (broom.registered(landing) === undefined) await broom.removeFolder({ ...about, kind: 'folder', what: landing });
  else await broom.removeWorktree({ ...about, kind: 'worktree', what: landing });
  for (const what of [join(place, 'prompts'), poolFolder({ worktrees: place }), indexesFolder({ runDir: run.folder })]) await broom.removeFolder({ ...about, kind: 'folder', what });
  const units = new Set(run.state.units.map((u) => worktreeOf(run, u)));
  const reported = new Set([...broom.report.removed, ...broom.report.kept, ...broom.report.failed].map((t) => t.what));
  for (const folder of [place, join(place, 'units')]) {
    for (const name of await namesIn(folder)) {
      const what = join(folder, name);
      if (ASIDE.test(name)) await broom.removeFolder({ run: run.run, because: 'a removal that was cut', kind: 'folder', what });
      else if (basename(folder) === 'units' && !units.has(what) && !reported.has(what)) broom.keep({ run: run.run, because: 'it is no worktree of this run', kind: 'folder', what });
    }
  }
  if (!broom.dryRun) for (const folder of [join(place, 'units'), place, dirname(place)]) await removeEmpty(folder);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST', 'ENOTDIR', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** Branches that look like choo's but that no journal knows are nobody's to remove. */
function unknownBranches(broom: Broom, runs: readonly OldRun[]): void {
  const known = new Set(runs.flatMap((run) => run.state.units.map((u) => branchOf(run, u))));
  const prefixes = new Set(['choo/', ...runs.map((run) => run.state.pinned.branchPrefix)]);
  for (const ref of broom.refs.keys()) {
    if (known.has(ref) || ![...prefixes].some((prefix) => ref.startsWith(`refs/heads/${prefix}unit/`))) continue;
    broom.keep({ kind: 'branch', what: ref, because: 'no journal knows it' });
  }
}
