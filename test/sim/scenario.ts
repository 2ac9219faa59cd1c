// What a seed decides before anything happens: the plan, the settings, and how bad the world is.

import type { Pinned, Settings } from '../../src/core/event.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { Check, Task, Unit } from '../../src/core/plan.ts';
import type { Doom, Weather } from './gate.ts';
import { FAIR } from './gate.ts';
import type { Rng } from './rng.ts';
import { drawAgents, drawEconomy } from './economy.ts';
import type { Economy } from './economy.ts';

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
  readonly checks: readonly Check[];
  readonly settings: Settings;
  readonly setup: boolean;
  readonly copies: boolean;
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
  /** Probability that an agent writes a file that other units write too. */
  readonly sharing: number;
  /** Tags that agents choose from; units with different ones cannot be together. */
  readonly tags: readonly string[];
  /** When people do something: after so many ms, or when the run comes to a window. */
  readonly people: readonly { readonly after: number; readonly window?: string }[];
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
export function pinnedOf(scenario: Scenario, base: string): Pinned {
  return {
    base, targetRef: TARGET, tasksDir: TASKS_DIR, selection: [], mode: 'local', branchPrefix: 'choo/',
    plan: { units: scenario.units, complete: [] }, checks: scenario.checks, digest: '',
  };
}

/** Draws a scenario. About one seed in six has a fair world, so that plain runs are seen too. */
export function drawScenario(seed: number, rng: Rng): Scenario {
  const fair = rng.chance(0.15);
  const units = drawUnits(rng);
  const bad = (probability: number, often = 0.5): number => (!fair && rng.chance(often) ? probability : 0);
  const checks: Check[] = [];
  if (rng.chance(0.6)) checks.push({ name: 'baseline', command: 'baseline' });
  if (rng.chance(0.4)) checks.push({ name: 'compat', command: 'compat' });
  return {
    seed, units, checks, files: firstFiles(units),
    settings: {
      ...drawAgents(rng, fair), parallelism: rng.between(1, 4), conflictRetries: rng.between(1, 3),
      limits: { ...DEFAULT_LIMITS, attempts: rng.between(1, 3), cuts: rng.between(2, 10), failuresInARow: rng.between(1, 4), agentIdle: rng.chance(0.5) ? 15 * 60_000 : 0 },
    },
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
    dooms: fair ? [] : Array.from({ length: rng.below(5) }, () => drawDooms(rng)),
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

/** Calls before or after which a death hurts most. */
const CALLS = [
  'advance', 'append', 'moveRef', 'commitTree', 'addWorktree', 'addWorktree.register', 'stage', 'keep', 'resetWorktree', 'removeWorktree',
  'beginMerge', 'writeText', 'restorePaths', 'repointWorktree', 'run.start', 'run.end', 'snapshot', 'mergeTrees', 'cleanWorktree',
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

function drawPeople(rng: Rng): Scenario['people'] {
  return Array.from({ length: rng.below(8) }, () => (rng.chance(0.8) ? { after: 0, window: rng.pick([...STEPS, 'between']) } : { after: rng.below(rng.pick([1000, 60_000, 4 * 3_600_000])) }));
}
