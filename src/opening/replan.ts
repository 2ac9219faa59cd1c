// Specs that changed on the target while a run was open: found, shown as a diff, and taken or left as the user says. Never mixed silently.

import type { Pinned, PlanChanges } from '../core/event.ts';
import { byCodeUnit } from '../core/plan.ts';
import type { Plan, Unit } from '../core/plan.ts';
import type { State } from '../core/state.ts';
import { isOver } from '../core/state.ts';
import { cleanLine } from '../core/clean.ts';
import { hasErrors } from '../discovery/diagnostic.ts';
import { sameButStatus } from '../discovery/frontmatter.ts';
import type { Flags } from '../discovery/settings.ts';
import { pinnedDigest } from './digest.ts';
import { overlapsAt, pinnedOverlaps } from './overlaps.ts';
import { refuse, Refusal } from './refusal.ts';
import type { Repository } from './repository.ts';
import { commitSource } from './sources.ts';
import { readConfig, readSpecs } from './specs.ts';
import type { Specs } from './specs.ts';

/** Lines of the diff that are shown. */
const SHOWN_LINES = 200;

/** What to do with changed specs: take them, go on with those the run began with, or ask. */
export type PlanChoice = 'accept' | 'keep' | 'ask';

interface Asked {
  readonly state: State;
  readonly choice: PlanChoice;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: Flags;
  readonly say: (line: string) => void;
}

/** The new pinned plan and what changed, when the target's specs are others than the run's and the user takes them; undefined when the run goes on as it was pinned. Throws a Refusal when it has to be asked, or when the new specs are wrong. */
export async function newPlan(repo: Repository, o: Asked): Promise<{ readonly pinned: Pinned; readonly changes: PlanChanges } | undefined> {
  const { pinned } = o.state;
  const commit = await repo.git.resolve(pinned.targetRef);
  if (o.choice === 'keep' || commit === undefined || commit === pinned.base || o.state.units.every(isOver)) return undefined;
  const source = commitSource(repo.git, commit);
  const specs = await readSpecs(source, { tasksDir: pinned.tasksDir, selection: pinned.selection, flags: o.flags, env: o.env });
  const wrong = hasErrors(specs.diagnostics);
  // A configuration that cannot be read says nothing of what changed.
  const found = hasErrors((await readConfig(source)).diagnostics) ? undefined : await compare(repo, { state: o.state, specs, commit });
  if (found === undefined && wrong) throw new Refusal(specs.diagnostics);
  if (found === undefined) return undefined;
  await show(repo, { from: pinned.base, to: commit, paths: found.paths, say: o.say });
  if (o.choice === 'ask') {
    const asked = refuse('plan-changed', `the specs on ${pinned.targetRef.replace('refs/heads/', '')} are not those that run ${o.state.run} began with: ${told(found.changes, found.checks)}`,
      'to take them: choo resume --accept-plan; to go on with the old ones: choo resume --keep-plan');
    throw wrong ? new Refusal([...asked.diagnostics, ...specs.diagnostics]) : asked;
  }
  if (wrong || specs.plan === undefined) throw new Refusal(specs.diagnostics);
  o.say(`the run takes the new specs: ${told(found.changes, found.checks)}`);
  const plan: Plan = { units: found.units, complete: specs.plan.complete.filter((id) => !found.units.some((u) => u.id === id)) };
  const { baselineChecks: checks, guard } = specs.config;
  const { overlaps: _were, ...rest } = pinned;
  const overlaps = pinnedOverlaps(await overlapsAt(repo.git, { commit, plan }));
  return { pinned: { ...rest, base: commit, plan, checks, guard, ...overlaps, digest: pinnedDigest({ plan, checks, guard }) }, changes: found.changes };
}

interface Found {
  readonly changes: PlanChanges;
  /** The configured baseline checks, or what may land, changed. */
  readonly checks: boolean;
  /** Files that changed, for the diff. */
  readonly paths: readonly string[];
  /** The units of the new plan: those this run is done with as they were, the others as they are now. */
  readonly units: readonly Unit[];
}

/** What differs for units that are still to be done; undefined when nothing does. Statuses of tasks do not count: landing changes them. */
async function compare(repo: Repository, o: { readonly state: State; readonly specs: Specs; readonly commit: string }): Promise<Found | undefined> {
  const { state, specs } = o;
  const left = new Set(state.units.filter((u) => u.leftPlan === true).map((u) => u.unit.id));
  const over = new Set(state.units.filter((u) => isOver(u) && u.leftPlan !== true).map((u) => u.unit.id));
  const complete = new Set(specs.all.filter((u) => u.tasks.every((t) => t.complete)).map((u) => u.id));
  for (const { unit, candidate, pull } of state.units) {
    // A session that died between landing and writing it down: what the target has of this unit is its own doing.
    if (candidate !== undefined && (await repo.git.isAncestor(candidate.commit, o.commit))) over.add(unit.id);
    // One whose pull request was merged, whoever did it and in whatever way: what follows for it, the forge tells.
    if (pull?.pushed !== undefined && complete.has(unit.id)) over.add(unit.id);
  }
  const now = new Map((specs.plan?.units ?? unplanned(specs, state)).filter((u) => !over.has(u.id)).map((u) => [u.id, u]));
  const open = state.units.filter((u) => !isOver(u) && !over.has(u.unit.id)).map((u) => u.unit);
  const removed = open.filter((u) => !now.has(u.id));
  const added = [...now.values()].filter((u) => !state.graph.index.has(u.id) || left.has(u.id));
  const changed: { unit: string; tasks: number[] }[] = [];
  const paths = new Set([...removed, ...added].flatMap(filesOf));
  for (const was of open) {
    const is = now.get(was.id);
    if (is === undefined) continue;
    const tasks = await changedTasks(repo, { was, is, over, from: state.pinned.base, to: o.commit, paths });
    if (tasks !== undefined) changed.push({ unit: was.id, tasks });
  }
  const guard = state.pinned.guard !== undefined && JSON.stringify(specs.config.guard) !== JSON.stringify(state.pinned.guard);
  const checks = guard || JSON.stringify(specs.config.baselineChecks) !== JSON.stringify(state.pinned.checks);
  if (checks) paths.add('.choo.yaml');
  if (removed.length + added.length + changed.length === 0 && !checks) return undefined;
  const units = [...state.units.filter((u) => over.has(u.unit.id) || (left.has(u.unit.id) && !now.has(u.unit.id))).map((u) => u.unit), ...removed, ...now.values()].toSorted((a, b) => byCodeUnit(a.id, b.id));
  return { changes: { added: added.map((u) => u.id), removed: removed.map((u) => u.id), changed }, checks, paths: [...paths], units };
}

/** What is to be done of specs with errors, from which no plan is made: of a run of chosen units what it has already. */
function unplanned({ all }: Specs, { pinned, graph }: State): readonly Unit[] {
  return all.filter((u) => u.tasks.some((t) => !t.complete) && (pinned.selection.length === 0 || graph.index.has(u.id)));
}

interface Pair { readonly was: Unit; readonly is: Unit; readonly over: ReadonlySet<string>; readonly from: string; readonly to: string; /** Gets the files that changed. */ readonly paths: Set<string> }

/** The tasks to be done (again), or undefined when nothing about the unit changed. */
async function changedTasks(repo: Repository, o: Pair): Promise<number[] | undefined> {
  const { was, is } = o;
  const before = o.paths.size;
  const stale: number[] = [];
  for (const task of is.tasks) {
    const old = was.tasks[task.number - 1];
    const files = await differing(repo, { ...o, files: [...new Set([task.path, ...(task.specPath === undefined ? [] : [task.specPath])])] });
    const same = old !== undefined && old.path === task.path && old.check === task.check && old.title === task.title && JSON.stringify(old.dependsOn) === JSON.stringify(task.dependsOn);
    for (const f of files) o.paths.add(f);
    if (!same) o.paths.add(task.path);
    if (!same || files.length > 0) stale.push(task.number);
  }
  for (const f of await differing(repo, { ...o, files: [is.planPath, ...(is.specPath === undefined ? [] : [is.specPath])] })) o.paths.add(f);
  const others = was.tasks.length === is.tasks.length && JSON.stringify(settingsOf(was, o.over)) === JSON.stringify(settingsOf(is, o.over));
  if (!others) o.paths.add(is.planPath);
  return others && stale.length === 0 && o.paths.size === before ? undefined : stale;
}

/** What a plan file sets, but for dependencies that have landed meanwhile: those are left out of a new plan. */
function settingsOf(u: Unit, over: ReadonlySet<string>): unknown {
  return [u.planPath, u.specPath, u.checks, u.provider, u.touches, u.dependsOn.filter((id) => !over.has(id))];
}

/** Those of the files whose text differs between two commits in more than a task's status. */
async function differing(repo: Repository, o: { readonly from: string; readonly to: string; readonly files: readonly string[] }): Promise<readonly string[]> {
  const texts = await Promise.all(o.files.map(async (path) => ({ path, was: await repo.git.readFile(o.from, path), is: await repo.git.readFile(o.to, path) })));
  return texts.filter((t) => !sameButStatus(t.was, t.is)).map((t) => t.path);
}

function filesOf(u: Unit): string[] {
  return [u.planPath, ...u.tasks.map((t) => t.path)];
}

function told(changes: PlanChanges, checks: boolean): string {
  const names = (ids: readonly string[]): string => (ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', '));
  return [
    ...(changes.changed.length === 0 ? [] : [`changed: ${names(changes.changed.map((c) => (c.tasks.length === 0 ? c.unit : `${c.unit} (task ${c.tasks.join(', ')})`)))}`]),
    ...(changes.added.length === 0 ? [] : [`new: ${names(changes.added)}`]),
    ...(changes.removed.length === 0 ? [] : [`no longer to do: ${names(changes.removed)}`]),
    ...(checks ? ['other baseline checks or other rules of landing in .choo.yaml'] : []),
  ].join('; ');
}

async function show(repo: Repository, o: { readonly from: string; readonly to: string; readonly paths: readonly string[]; readonly say: (line: string) => void }): Promise<void> {
  if (o.paths.length === 0) return;
  const lines = (await repo.git.diffText(o.from, o.to, o.paths)).split('\n');
  for (const line of lines.slice(0, SHOWN_LINES)) if (line !== '') o.say(cleanLine(line));
  if (lines.length > SHOWN_LINES) o.say(`… ${lines.length - SHOWN_LINES} more lines: git diff ${o.from.slice(0, 10)} ${o.to.slice(0, 10)}`);
}
