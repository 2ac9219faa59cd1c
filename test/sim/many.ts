// Plays many seeds in one process and tells what came of them. Judges nothing itself.

import { Coverage } from './coverage.ts';
import { allCases, checkOutcome, scenarioOf } from './graphs.ts';
import { simulate } from './simulate.ts';

/** Which seeds: every `step`th from `from`, `count` of them at most, for `minutes` at most. */
export interface Range {
  readonly from: number;
  readonly step: number;
  readonly count: number;
  readonly minutes: number;
  /** Checkers that count; others are passed over. None: all count. */
  readonly only?: readonly string[];
}

/** A seed that broke a promise. */
export interface Failed {
  readonly seed: number;
  readonly checker: string;
  readonly text: string;
}

/** What came of many seeds. */
export interface Report {
  readonly seeds: number;
  readonly events: number;
  readonly sessions: number;
  readonly failed?: Failed;
  readonly cells: readonly (readonly [string, number])[];
}

/** Seeds between two looks at the time, and at what else the process has to do. */
const LOOK = 50;

/** Plays seeds until one fails that counts, or all are played. */
export async function playMany(range: Range): Promise<Report> {
  const coverage = new Coverage();
  const started = performance.now();
  let [seeds, events, sessions] = [0, 0, 0];
  let failed: Failed | undefined;
  while (failed === undefined && seeds < range.count) {
    if (seeds % LOOK === 0 && performance.now() - started > range.minutes * 60_000) break;
    const outcome = await simulate({ seed: range.from + seeds * range.step, coverage });
    seeds += 1;
    events += outcome.events;
    sessions += outcome.sessions;
    const first = outcome.violations.find(({ checker }) => range.only === undefined || range.only.includes(checker));
    if (first !== undefined) failed = { seed: outcome.seed, ...first };
  }
  return { seeds, events, sessions, ...(failed === undefined ? {} : { failed }), cells: [...coverage.cells] };
}

/** Plays every graph of up to four units with every outcome, at each parallelism or (`brief`) at one of them by turns. Gives how many, and what was wrong. */
export async function playGraphs(o: { readonly brief: boolean }): Promise<{ readonly cases: number; readonly wrong: readonly string[] }> {
  const wrong: string[] = [];
  let cases = 0;
  for (const each of allCases()) {
    const all = [1, 2, 4];
    for (const parallelism of o.brief ? all.slice(cases % 3, cases % 3 + 1) : all) {
      cases += 1;
      const { violations } = await simulate({ seed: cases, scenario: scenarioOf(each, parallelism), afterBad: (m) => checkOutcome(m, each) });
      wrong.push(...violations.map(({ checker, text }) => `${each.name}, ${parallelism} at once: ${checker}: ${text}`));
    }
  }
  return { cases, wrong };
}
