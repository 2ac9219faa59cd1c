// Runs of random repositories, killed again and again, continued to their end, and then looked at from all sides.
// Bundled and started by main.mjs. Prints what it hit and how often; ends 1 when anything was wrong.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Failpoint } from '../../src/failpoint.ts';
import { duringProblems, endProblems, processProblems } from './checks.ts';
import { journals, stepsInFlight } from './journal.ts';
import { chance, type Chance } from './random.ts';
import { clearTheWay, commitByHand, letGo, makeScenario, type Scenario } from './scenario.ts';
import { endProcess, marked, session, type Death, type Ended } from './session.ts';

/** Failpoints and how often a run passes each, at most: the n-th passage is drawn from that. */
const PASSAGES: Readonly<Record<Failpoint, number>> = {
  'lock-taken': 1, 'journal-made': 1, journalled: 40, 'commit-built': 8, 'ref-moved': 12, 'target-moved': 3, 'checkout-advanced': 2,
  'worktree-registered': 6, 'worktree-filled': 6, 'worktree-aside': 4, 'worktree-unregistered': 4, 'recovery-half-done': 2, 'folder-pooled': 2, 'folder-taken': 2,
  diverted: 1, joined: 1, 'caught-up': 1, 'merge-begun': 2, 'remote-moved': 1, 'remote-joined': 1, 'branch-pushed': 3, 'pull-written': 3, 'pull-merged': 2, saved: 1, 'run-claimed': 1, 'run-half-restored': 1,
};
/** The windows that the full run must have hit, each often enough. */
const WINDOWS: Readonly<Record<string, readonly Failpoint[]>> = {
  'commit built': ['commit-built'],
  journalled: ['journalled'],
  'ref moved': ['ref-moved', 'target-moved'],
  'checkout advanced': ['checkout-advanced'],
  'worktree half-made': ['worktree-registered', 'worktree-filled', 'worktree-aside', 'worktree-unregistered'],
  'worktree pooled': ['folder-pooled', 'folder-taken'],
};
/** Failpoints that are the only ones of their window. */
const WANTED: ReadonlySet<Failpoint> = new Set(['commit-built', 'journalled', 'checkout-advanced', 'ref-moved', 'folder-pooled', 'folder-taken']);
/** Runs are added for a window that was hit too seldom, up to so many times the number asked for. */
const MOST_TIMES = 6;
/** A run that has not ended after so many sessions never will. */
const MOST_SESSIONS = 120;

interface Options {
  readonly runs: number;
  readonly kills: number;
  readonly seed: number;
  readonly jobs: number;
  /** How often each of WINDOWS must be hit. */
  readonly each: number;
  readonly keep: boolean;
  /** Goes on after a run in which something was wrong. */
  readonly go: boolean;
  readonly program: string;
  readonly agent: string;
}

/** What all runs together came to. */
interface Tally {
  runs: number;
  kills: number;
  sessions: number;
  trees: number;
  readonly hits: Map<string, number>;
  readonly problems: string[];
}

/** Takes the command line; gives the exit code. */
export async function kills(argv: readonly string[], o: { readonly program: string; readonly agent: string }): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: 'string', default: '50' }, kills: { type: 'string', default: '500' }, seed: { type: 'string', default: String(Date.now() % 1e9) },
      jobs: { type: 'string', default: '2' }, each: { type: 'string', default: '0' }, keep: { type: 'boolean', default: false }, go: { type: 'boolean', default: false },
    },
  });
  const options: Options = { ...o, runs: Number(values.runs), kills: Number(values.kills), seed: Number(values.seed), jobs: Number(values.jobs), each: Number(values.each), keep: values.keep, go: values.go };
  const began = performance.now();
  const tally: Tally = { runs: 0, kills: 0, sessions: 0, trees: 0, hits: new Map(), problems: [] };
  let next = 0;
  const worker = async (): Promise<void> => {
    const more = (): boolean => next < options.runs || tally.kills < options.kills || (missed(options, tally).length > 0 && next < options.runs * MOST_TIMES);
    while (more() && (options.go || tally.problems.length === 0)) await oneRun(options, tally, (next += 1));
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return report(options, tally, performance.now() - began);
}

function hitsOf(tally: Tally, window: string): number {
  return (WINDOWS[window] ?? []).reduce((sum, point) => sum + (tally.hits.get(point) ?? 0), 0);
}

/** The windows that were not hit often enough so far. */
function missed(o: Options, tally: Tally): string[] {
  return Object.keys(WINDOWS).filter((name) => hitsOf(tally, name) < o.each);
}

function report(o: Options, tally: Tally, ms: number): number {
  const windows = Object.keys(WINDOWS).map((name) => [name, hitsOf(tally, name)] as const);
  const short = missed(o, tally).map((name) => `the window "${name}" was hit ${hitsOf(tally, name)} times, and ${o.each} are wanted`);
  const print = (line: string): boolean => process.stdout.write(`${line}\n`);
  for (const [name, count] of [...tally.hits].toSorted(([, a], [, b]) => b - a)) print(`${String(count).padStart(6)}  ${name}`);
  print(windows.map(([name, count]) => `${name}: ${count}`).join(' · '));
  print(`seed ${o.seed}: ${tally.kills} kills (${tally.trees} with everything that ran) in ${tally.sessions} sessions of ${tally.runs} runs, ${Math.round(ms / 1000)} s`);
  for (const problem of [...tally.problems, ...short]) print(`WRONG: ${problem}`);
  return tally.problems.length + short.length === 0 ? 0 : 1;
}

/** One repository from its first session to its last check. */
async function oneRun(o: Options, tally: Tally, number: number): Promise<void> {
  const dice = chance(o.seed * 1000 + number);
  const scenario = makeScenario(dice, o.agent);
  const wanted = Math.max(1, Math.ceil((o.kills - tally.kills) / Math.max(1, o.runs - tally.runs)));
  const run: Run = { o, tally, dice, scenario, deaths: dice.whole(Math.ceil(wanted / 2), wanted * 2), byHand: new Set(), trees: 0, told: [] };
  const problems: string[] = [];
  try {
    problems.push(...await toTheEnd(run));
    if (problems.length === 0) {
      const { output } = await session({ program: o.program, scenario, argv: ['status', '--json'] });
      problems.push(...endProblems(scenario, { byHand: run.byHand, status: output, trees: run.trees }));
    }
  } finally {
    tally.runs += 1;
    tally.problems.push(...problems.map((problem) => `run ${number} (${scenario.describe()})${o.keep ? ` in ${scenario.repository.base}` : ''}: ${problem}`));
    if (problems.length > 0) tally.problems.push(`its sessions:\n${run.told.join('\n')}`);
    for (const pid of marked(scenario.log)) endProcess(pid);
    if (!o.keep || problems.length === 0) await scenario.repository.close();
  }
}

interface Run {
  readonly o: Options;
  readonly tally: Tally;
  readonly dice: Chance;
  readonly scenario: Scenario;
  /** How often it is to die. */
  readonly deaths: number;
  readonly byHand: Set<string>;
  /** Deaths of everything at once. */
  trees: number;
  /** A line a session, for people. */
  readonly told: string[];
}

/** Sessions until every unit has landed on the target; gives what went wrong on the way. */
async function toTheEnd(run: Run): Promise<string[]> {
  const { scenario, dice, tally } = run;
  let died = 0;
  for (let sessions = 0; sessions < MOST_SESSIONS; sessions += 1) {
    const death = died < run.deaths ? chooseDeath(run) : undefined;
    const argv = begun(scenario) ? ['resume'] : ['run', '--no-pr'];
    const ended = await session({ program: run.o.program, scenario, argv, ...(death === undefined ? {} : { death }) });
    tally.sessions += 1;
    tell(run, { argv, ended, death });
    if (ended.killed && death !== undefined) {
      died += 1;
      count(run, death);
      const problems = duringProblems(scenario, run.byHand);
      if (problems.length > 0) return problems;
      byHand(run);
      continue;
    }
    const left = processProblems(scenario);
    if (left.length > 0) return left;
    // The last session may have died with its work done.
    if (ended.code === 0 || (ended.code === 2 && ended.output.includes('is finished; there is nothing to resume'))) return [];
    const mended = ended.code === 1 && await mend(run, ended.output);
    if (!mended) return [`a session ended ${ended.code}:\n${ended.output}`];
    if (dice.maybe(0.3)) byHand(run);
  }
  return [`it had not ended after ${MOST_SESSIONS} sessions`];
}

/** True when there is a journal with an event. */
function begun(scenario: Scenario): boolean {
  return existsSync(join(scenario.repository.root, '.git', 'choo')) && (journals(scenario.repository.root).at(-1)?.length ?? 0) > 0;
}

function byHand(run: Run): void {
  if (!run.scenario.moving || !run.dice.maybe(0.3)) return;
  const commit = commitByHand(run.scenario, `n${run.byHand.size}`);
  if (commit !== undefined) run.byHand.add(commit);
}

/** What a person does about an end that the script wanted; false when the script did not want it. */
async function mend(run: Run, output: string): Promise<boolean> {
  const { scenario, o } = run;
  if (clearTheWay(scenario)) return true;
  if (scenario.waiting === undefined || existsSync(join(scenario.log, 'go')) || !new RegExp(`failed +${scenario.waiting} `).test(output)) return false;
  letGo(scenario);
  return (await session({ program: o.program, scenario, argv: ['retry', '--failed'] })).code === 0;
}

function chooseDeath({ o, dice, tally, scenario }: Run): Death {
  const tree = dice.maybe(0.25);
  const how = dice.weighed([['failpoint', 6], ['events', 3], ['time', 2]] as const) ?? 'time';
  if (how === 'events') return { by: how, count: dice.whole(1, 25), delay: dice.whole(0, 12), tree };
  if (how === 'time') return { by: how, delay: dice.whole(0, 1500), tree };
  const fits = (name: Failpoint): boolean => possible(name, scenario);
  // Those hit seldom so far come first, the windows that must be hit before all others, and those still short before these.
  const short = new Set(missed(o, tally).flatMap((window) => WINDOWS[window] ?? []));
  const weight = (point: Failpoint): number => (short.has(point) ? 8 : WANTED.has(point) ? 4 : 1) / (1 + (tally.hits.get(point) ?? 0));
  const name = dice.weighed((Object.keys(PASSAGES) as Failpoint[]).filter(fits).map((point) => [point, weight(point)] as const)) ?? 'journalled';
  return { by: how, name, count: dice.whole(1, dice.whole(1, PASSAGES[name])), tree };
}

/** Whether a scenario can come to that failpoint at all. */
function possible(name: Failpoint, scenario: Scenario): boolean {
  switch (name) {
    case 'checkout-advanced': return scenario.targetRoot !== undefined;
    case 'folder-pooled': case 'folder-taken': return scenario.pooled;
    case 'remote-moved': case 'remote-joined': case 'branch-pushed': case 'pull-written': case 'pull-merged': return false;
    case 'diverted': case 'caught-up': return scenario.checkout === 'in-the-way';
    case 'joined': return scenario.checkout === 'in-the-way' && scenario.moving;
    case 'journal-made': return !begun(scenario);
    case 'recovery-half-done': return begun(scenario);
    default: return true;
  }
}

function count(run: Run, death: Death): void {
  const { tally, scenario } = run;
  tally.kills += 1;
  if (death.tree) {
    tally.trees += 1;
    run.trees += 1;
  }
  const steps = stepsInFlight(journals(scenario.repository.root).at(-1) ?? []);
  const names = death.by === 'failpoint' ? [death.name] : steps.length === 0 ? ['at random, between steps'] : [...new Set(steps)].map((step) => `at random, in ${step}`);
  for (const name of names) tally.hits.set(name, (tally.hits.get(name) ?? 0) + 1);
}

function tell(run: Run, o: { readonly argv: readonly string[]; readonly ended: Ended; readonly death: Death | undefined }): void {
  const steps = stepsInFlight(journals(run.scenario.repository.root).at(-1) ?? []);
  run.told.push(`  choo ${o.argv.join(' ')}: ${o.ended.killed ? `killed, ${JSON.stringify(o.death)}, in ${steps.join(', ')}` : `ended ${o.ended.code}`}\n${o.ended.output.replaceAll(/^/gm, '    ')}`);
}
