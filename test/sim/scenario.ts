// What a seed decides before anything happens: the plan, the settings, and how bad the world is.

import type { Guard, LandRules, Pinned, ReviewRules, Settings } from '../../src/core/event.ts';
import { DEFAULT_LAND } from '../../src/core/event.ts';
import { buildGraph } from '../../src/core/graph.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { mirrorRef } from '../../src/core/pull-rules.ts';
import type { Overlap, OverlapMode } from '../../src/core/overlap.ts';
import type { Check, Task, Unit } from '../../src/core/plan.ts';
import { predictOverlaps } from '../../src/discovery/overlap.ts';
import type { Doom, Weather } from './gate.ts';
import { FAIR } from './gate.ts';
import { Rng } from './rng.ts';
import { drawAgents, drawEconomy } from './economy.ts';
import type { Economy } from './economy.ts';
import type { Hosting } from './hosting.ts';
import { drawHosting, drawPullDoom, hostingOf, PULL_STEPS, pullSettings } from './hosting.ts';

/** The branch units land on. */
export const TARGET = 'refs/heads/main';
/** Where specs are. */
export const TASKS_DIR = 'specs/tasks';

/** How a check changes the files it looks at. */
export type Formatter = 'none' | 'once' | 'always';

/** Everything a seed decides at the start. */
export interface Scenario {
  readonly seed: number;
  readonly units: readonly Unit[];
  /** Pairs of them that are expected to change the same files. */
  readonly overlaps: readonly Overlap[];
  readonly checks: readonly Check[];
  readonly settings: Settings;
  readonly setup: boolean;
  readonly copies: boolean;
  readonly pool: 'always' | 'never';
  readonly idleLimitSet: boolean;
  /** Files of the first commit. */
  readonly files: ReadonlyMap<string, string>;
  /** The target is checked out in the main checkout at the start. */
  readonly checkedOut: boolean;
  readonly weather: Weather;
  readonly economy: Economy;
  /** Probability that an attempt of an agent is not a good one. */
  readonly mischief: number;
  /** Units whose agent never does its work, whatever the weather, until the good time. */
  readonly fails: ReadonlySet<string>;
  /** Probability that a check answers the opposite. */
  readonly flaky: number;
  readonly formatter: Formatter;
  readonly guard: Guard;
  /** Source files that are broken before any work: the baseline check fails. */
  readonly old: readonly string[];
  /** Probability that an agent writes a file that other units write too. */
  readonly sharing: number;
  /** Tags that agents choose from; units with different ones cannot be together. */
  readonly tags: readonly string[];
  /** When people do something: after so many ms, or when the run comes to a window. */
  readonly people: readonly { readonly after: number; readonly window?: string }[];
  /** When something happens at the remote. */
  readonly remote: Scenario['people'];
  /** Units land as pull requests at this forge. */
  readonly hosting?: Hosting;
  /** What is to go wrong, by session. */
  readonly dooms: readonly (readonly Doom[])[];
}

/** Repository path of a task's file. */
export function taskPath(unit: string, task: number): string {
  return `${TASKS_DIR}/${unit}/0${task}-part.md`;
}

/** A unit in the simulation's own words: its tasks are proved by `check <unit> <task>`. */
export function makeUnit(id: string, o: { readonly dependsOn: readonly string[]; readonly tasks: number; readonly checks?: readonly Check[] }): Unit {
  const tasks = Array.from({ length: o.tasks }, (_, i): Task => ({
    number: i + 1, title: `part ${i + 1}`, path: taskPath(id, i + 1), check: `check ${id} ${i + 1}`, dependsOn: [], complete: false,
  }));
  return { id, dir: `${TASKS_DIR}/${id}`, planPath: `${TASKS_DIR}/${id}/IMPLEMENTATION_PLAN.md`, dependsOn: o.dependsOn, tasks, checks: o.checks ?? [], touches: [] };
}

/** The files of the first commit for these units. */
export function firstFiles(units: readonly Unit[]): Map<string, string> {
  const files = new Map([['readme', 'hello'], ['lock', 'v1']]);
  for (const unit of units) {
    files.set(unit.planPath, `# ${unit.id}\n`);
    for (const task of unit.tasks) files.set(task.path, `---\nstatus: pending\n---\n# ${task.title}\n`);
  }
  return files;
}

/** What the first event pins. */
export function pinnedOf(scenario: Scenario, o: { readonly base: string; readonly run: number }): Pinned {
  const where: Pick<Pinned, 'targetRef' | 'mode' | 'forge'> = scenario.hosting === undefined ? { targetRef: TARGET, mode: 'local' }
    : { targetRef: mirrorRef(o.run), mode: 'forge', forge: { repository: 'acme/shop on a simulated forge', remote: 'origin', ref: TARGET, mark: 'mark' } };
  return {
    base: o.base, ...where, tasksDir: TASKS_DIR, selection: [], branchPrefix: 'choo/',
    plan: { units: scenario.units, complete: [] }, checks: scenario.checks, guard: scenario.guard, overlaps: scenario.overlaps, digest: '',
  };
}

const REMOTE_STREAM = 0x5eed;

/** Draws a scenario. About one seed in six has a fair world, so that plain runs are seen too. */
export function drawScenario(seed: number, rng: Rng): Scenario {
  const scenario = drawLocal(seed, rng);
  const apart = drawHosting(seed);
  return apart === undefined ? scenario : atForge(scenario, apart);
}

/** The same with pull requests. */
function atForge(scenario: Scenario, rng: Rng): Scenario {
  const fair = scenario.weather === FAIR;
  const hosting = hostingOf(rng, fair);
  const { remote: _, ...settings } = scenario.settings;
  const dooms = scenario.dooms.map((each) => (rng.chance(0.5) ? each : [...each, drawPullDoom(rng)]));
  const more = Array.from({ length: fair ? 0 : rng.below(3) }, () => [drawPullDoom(rng)]);
  return {
    ...scenario, hosting, settings: { ...settings, ...pullSettings(rng, { hosting, land: settings.land }) },
    remote: fair ? [] : drawRemote(rng, [...PULL_STEPS, 'attempt', 'between']), people: fair ? [] : [...scenario.people, ...drawRemote(rng, PULL_STEPS)], dooms: [...dooms, ...more],
  };
}

function drawLocal(seed: number, rng: Rng): Scenario {
  // A stream of its own, so that what is pushed changes nothing else of a seed.
  const far = new Rng(seed ^ REMOTE_STREAM);
  const push = far.pick(['never', 'never', 'after-each', 'after-each', 'at-end'] as const);
  const fair = rng.chance(0.15);
  const saving = drawSaving(new Rng(seed * 13 + 5), fair);
  // Drawn apart, so that the rest of a seed's story stays what it was.
  const { guard, old, retries, named } = drawGuard(new Rng(seed * 31 + 7));
  const withNames = (c: Check): Check => (named && c.command === 'baseline' ? { ...c, recogniser: 'tap' } : c);
  const units = drawUnits(rng).map((u) => ({ ...u, checks: u.checks.map(withNames) }));
  const { overlaps, overlap } = drawOverlaps(seed, units);
  const bad = (probability: number, often = 0.5): number => (!fair && rng.chance(often) ? probability : 0);
  const checks: Check[] = [];
  if (rng.chance(0.6)) checks.push({ name: 'baseline', command: 'baseline' });
  if (rng.chance(0.4)) checks.push({ name: 'compat', command: 'compat' });
  return {
    seed, units, overlaps, checks: checks.map(withNames), files: new Map([...firstFiles(units), ...old.map((path) => [path, 'done broken long ago'] as const)]), guard, old,
    settings: {
      ...drawAgents(rng, fair), ...drawReview(new Rng(seed * 17 + 3)), land: { ...drawLand(rng), push }, ...(push === 'never' ? {} : { remote: { name: 'origin', ref: TARGET } }), ...saving.settings, overlap, parallelism: rng.between(1, 4), conflictRetries: rng.between(1, 3),
      limits: { ...DEFAULT_LIMITS, attempts: rng.between(1, 3), cuts: rng.between(2, 10), failuresInARow: rng.between(1, 4), agentIdle: rng.chance(0.5) ? 15 * 60_000 : 0, checkRetries: retries },
    },
    pool: seed % 3 === 0 ? 'never' : 'always',
    setup: rng.chance(0.4), copies: rng.chance(0.3), idleLimitSet: rng.chance(0.5), checkedOut: rng.chance(0.8),
    weather: fair ? FAIR : { error: bad(0.01, 0.3), slow: bad(0.02, 0.3), journal: bad(0.004, 0.15) },
    economy: drawEconomy(rng, fair),
    mischief: bad(rng.pick([0.1, 0.3, 0.6])),
    fails: new Set(),
    flaky: bad(0.05, 0.3),
    formatter: bad(1, 0.2) === 0 ? 'none' : rng.pick(['once', 'always']),
    sharing: bad(rng.pick([0.3, 0.8]), 0.6),
    tags: bad(1, 0.3) === 0 ? [''] : [' tag=1', ' tag=2'],
    people: fair ? [] : drawPeople(rng),
    remote: [...(fair || push === 'never' ? [] : drawRemote(far, ['push', 'push', 'catch-up', 'merge', 'prove', 'land', 'attempt', 'between'])), ...saving.remote],
    dooms: [...(fair ? [] : Array.from({ length: rng.below(5) }, () => drawDooms(rng))), ...(fair || push === 'never' || far.chance(0.5) ? [] : [[drawPushDoom(far)]]), ...saving.dooms],
  };
}

/** A sixth of all seeds is saved at the remote, where something happens then, and where sessions die. */
function drawSaving(rng: Rng, fair: boolean): { readonly settings: Pick<Settings, 'ci'>; readonly remote: Scenario['remote']; readonly dooms: Scenario['dooms'] } {
  if (!rng.chance(1 / 6)) return { settings: {}, remote: [], dooms: [] };
  const settings = { ci: { remote: 'origin' } };
  if (fair) return { settings, remote: [], dooms: [] };
  const doom = (): Doom => ({ fault: rng.pick(['kill', 'kill', 'error'] as const), ...rng.pick([{ call: 'pushAll' }, { call: 'makeSave' }, { call: 'remoteTip' }, { window: 'save' }, { window: 'save', call: 'append' }]), nth: rng.between(1, 6), when: rng.pick(['before', 'after', 'after'] as const) });
  return { settings, remote: Array.from({ length: rng.below(5) }, () => ({ after: 0, window: 'save' })), dooms: Array.from({ length: rng.below(3) }, () => [doom()]) };
}

/** A third of all seeds have their units reviewed. */
function drawReview(rng: Rng): { readonly review?: ReviewRules } {
  if (rng.chance(0.65)) return {};
  return { review: { agent: 'other', mode: rng.pick(['advisory', 'blocking', 'blocking'] as const), rounds: rng.below(3), verbose: rng.chance(0.5) } };
}

/** What was red before, what is protected, and how often a check may fail. */
function drawGuard(rng: Rng): { readonly guard: Guard; readonly old: readonly string[]; readonly retries: number; readonly named: boolean } {
  const base = rng.pick(['record', 'record', 'ignore'] as const);
  const old = base === 'record' && rng.chance(0.6) ? ['src/old/1', 'src/old/2'].slice(0, rng.between(1, 2)) : [];
  const guard: Guard = { base, protect: rng.pick(['report', 'approve', 'approve', 'refuse'] as const), protected: rng.pick([['shared/'], ['shared/0', 'notes-a'], ['src/b/', 'shared/'], []]) };
  // Refused, the work of a unit must not be what is protected.
  const safe = guard.protect === 'refuse' ? { ...guard, protected: guard.protected.filter((glob) => !glob.startsWith('src/')) } : guard;
  return { guard: safe, old, retries: rng.pick([0, 0, 1, 2]), named: rng.chance(0.7) };
}

/** How units land; strategies that leave other commits than those of the unit are tried with real git. */
function drawLand(rng: Rng): LandRules {
  return {
    ...DEFAULT_LAND, checks: rng.chance(0.05) ? 'never' : 'proof', history: rng.chance(0.2) ? 'each' : 'batch', batch: rng.pick([1, 2, 3, 32]),
    speculate: rng.pick([1, 2, 2, 3]), reuse: rng.chance(0.8),
  };
}

/** Steps that something may be aimed at; rare ones more often. */
const STEPS = [
  'recover', 'trial', 'prepare', 'attempt', 'check', 'verify', 'merge', 'prove', 'finish', 'commit', 'commit', 'land', 'land', 'rework', 'rework', 'waiting', 'waiting', 'waiting',
  ...Array.from({ length: 4 }, () => ['advance', 'refresh', 'adopt']).flat(),
];
const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];

function drawUnits(rng: Rng): Unit[] {
  const ids = IDS.slice(0, rng.pick([1, 2, 2, 2, 3, 3, 4, 5]));
  const edges = rng.pick([0, 0.3, 0.6]);
  return ids.map((id, i) => makeUnit(id, {
    dependsOn: ids.slice(0, i).filter(() => rng.chance(edges)), tasks: rng.pick([1, 1, 1, 2, 2, 3]),
    ...(rng.chance(0.15) ? { checks: [{ name: 'own', command: 'baseline' }] } : {}),
  }));
}

const GLOBS = ['src/**', 'src/a/*', 'src/*/x', 'docs/**', 'docs/x', '**/x', 'lib/{a,b}'];

/** What units touch, by chance of its own: the stories that seeds had without it stay theirs. */
function drawOverlaps(seed: number, units: readonly Unit[]): { readonly overlaps: readonly Overlap[]; readonly overlap: OverlapMode } {
  const rng = new Rng(seed + 0x0e41a9);
  const overlap = rng.pick<OverlapMode>(['ignore', 'order', 'wait', 'wait', 'wait']);
  const most = rng.pick([0, 0, 1, 2]);
  const touching = units.map((u) => ({ ...u, touches: Array.from({ length: rng.between(0, most) }, () => rng.pick(GLOBS)) }));
  return { overlap, ...predictOverlaps({ graph: buildGraph(touching), paths: [], commits: [], matcher: () => () => false }) };
}

/** Calls before or after which a death hurts most. */
const CALLS = [
  'advance', 'append', 'moveRef', 'commitTree', 'addWorktree', 'addWorktree.register', 'stage', 'keep', 'resetWorktree', 'removeWorktree',
  'beginMerge', 'writeText', 'restorePaths', 'repointWorktree', 'run.start', 'run.end', 'snapshot', 'mergeTrees', 'cleanWorktree', 'retireWorktree', 'renewFolder', 'addWorktree.filled',
];

function drawDooms(rng: Rng): Doom[] {
  const dooms: Doom[] = [];
  if (rng.chance(0.8)) dooms.push(drawKill(rng));
  if (rng.chance(0.4)) dooms.push({ fault: 'error', window: rng.pick(STEPS), nth: rng.between(1, 12), when: 'before' });
  if (rng.chance(0.15)) dooms.push({ fault: 'journal', window: rng.pick([...STEPS, 'between']), nth: rng.between(1, 3), when: 'before' });
  return dooms;
}

function drawKill(rng: Rng): Doom {
  const when = rng.chance(0.4) ? 'before' : 'after';
  const fault = 'kill';
  if (rng.chance(0.2)) return { fault, nth: 1 + rng.below(rng.pick([10, 60, 400])), when };
  if (rng.chance(0.5)) return { fault, window: rng.pick([...STEPS, 'between']), nth: rng.between(1, 10), when };
  return { fault, call: rng.pick(CALLS), nth: rng.between(1, rng.pick([1, 3, 12])), when };
}

/** Something goes wrong about a push. */
function drawPushDoom(rng: Rng): Doom {
  const where = rng.pick([{ call: 'push' }, { call: 'remoteTip' }, { window: 'push' }, { window: 'catch-up' }, { window: 'catch-up', call: 'advance' }]);
  return { fault: rng.pick(['kill', 'kill', 'kill', 'error'] as const), ...where, nth: rng.between(1, 4), when: rng.pick(['before', 'after'] as const) };
}

function drawRemote(rng: Rng, windows: readonly string[]): Scenario['people'] {
  return Array.from({ length: rng.below(10) }, () => (rng.chance(0.7) ? { after: 0, window: rng.pick(windows) } : { after: rng.below(rng.pick([1000, 60_000, 4 * 3_600_000])) }));
}

function drawPeople(rng: Rng): Scenario['people'] {
  return Array.from({ length: rng.below(8) }, () => (rng.chance(0.8) ? { after: 0, window: rng.pick([...STEPS, 'between']) } : { after: rng.below(rng.pick([1000, 60_000, 4 * 3_600_000])) }));
}
