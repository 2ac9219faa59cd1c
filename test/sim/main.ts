// The simulator as a program. `npm run sim -- <seed>` tells one seed's story; --help says the rest.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TOP } from './bundle.ts';
import { Coverage } from './coverage.ts';
import { gaps, table } from './table.ts';
import { playGraphs, playMany } from './many.ts';
import type { Failed, Range, Report } from './many.ts';
import { MUTANTS } from './mutants.ts';
import { proveMutants } from './prove.ts';
import { simulate } from './simulate.ts';
import { huntMutant, playTogether } from './workers.ts';

const HELP = `npm run sim -- <seed>            one line an event, and what the checkers found
npm run sim -- --seeds N         plays N fresh seeds and stops at the first that fails
                [--from S]       begins with seed S; \`random\`: anywhere; default: after those counted
                [--minutes M]    for at most M minutes
                [--workers W]    in W processes (default 2)
                [--count]        adds them to test/sim/total.json
                [--table]        prints the coverage table and fails when a cell has less than 100 hits
npm run sim -- --failed          plays every seed that ever failed
npm run sim -- --graphs          every graph of up to four units, every outcome (--brief: a third of the time)
npm run sim -- --mutants [NAME]  lays each deliberate defect into the engine until it is caught
npm run sim -- --prove [NAME]    shows that types and unit tests let each of them through`;

const FAILED_SEEDS = join(TOP, 'test/sim/failed-seeds.json');
const TOTAL = join(TOP, 'test/sim/total.json');

/** Seeds counted so far, and the first that was not. */
interface Total { readonly seeds: number; readonly next: number }

const print = (text: string): void => { process.stdout.write(`${text}\n`); };
const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

const { values: options, positionals: [first] } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' }, worker: { type: 'string' }, seeds: { type: 'string' }, from: { type: 'string' }, minutes: { type: 'string' },
    workers: { type: 'string', default: '2' }, count: { type: 'boolean' }, table: { type: 'boolean' }, failed: { type: 'boolean' }, graphs: { type: 'boolean' }, brief: { type: 'boolean' }, mutants: { type: 'boolean' }, prove: { type: 'boolean' },
  },
});

process.exitCode = (await chosen()) ? 0 : 1;

function chosen(): Promise<boolean> {
  if (options.worker !== undefined) return worker(JSON.parse(options.worker) as Range);
  if (options.failed === true) return failedSeeds();
  if (options.graphs === true) return graphs();
  if (options.mutants === true) return mutants(first);
  if (options.prove === true) return prove(first);
  if (options.seeds !== undefined || options.minutes !== undefined) return many();
  if (first !== undefined && /^\d+$/.test(first)) return story(Number(first));
  print(HELP);
  return Promise.resolve(options.help === true);
}

async function worker(range: Range): Promise<boolean> {
  print(JSON.stringify(await playMany(range)));
  return true;
}

async function story(seed: number): Promise<boolean> {
  const trace: string[] = [];
  const { violations, sessions, events, time } = await simulate({ seed, trace });
  print(trace.join('\n'));
  print(`seed ${seed}: ${events} events in ${sessions} sessions, ${Math.round(time / 1000)} virtual seconds, ${violations.length === 0 ? 'every promise kept' : `${violations.length} promises broken`}`);
  return violations.length === 0;
}

async function many(): Promise<boolean> {
  const total = read<Total>(TOTAL);
  const from = options.from === 'random' ? Date.now() * 1000 : Number(options.from ?? total.next);
  const range: Range = { from, step: 1, count: Number(options.seeds ?? Number.MAX_SAFE_INTEGER), minutes: Number(options.minutes ?? 1e6) };
  const workers = Number(options.workers);
  print(`seeds from ${from}, ${workers} at once`);
  const started = performance.now();
  const report = await playTogether(process.argv[1] ?? '', { range, workers });
  const seconds = (performance.now() - started) / 1000;
  print(`${report.seeds} seeds, ${report.sessions} sessions, ${report.events} events in ${seconds.toFixed(1)} s: ${Math.round(report.seeds / seconds)} seeds/s`);
  const covered = options.table !== true || showTable(report);
  if (report.failed !== undefined) return fail(report.failed);
  if (options.count === true) writeFileSync(TOTAL, `${JSON.stringify({ seeds: total.seeds + report.seeds, next: Math.max(total.next, from + report.seeds) })}\n`);
  print('every promise kept');
  return covered;
}

/** Told, and kept for ever. */
function fail(failed: Failed): boolean {
  print(`seed ${failed.seed}: ${failed.checker}: ${failed.text}\nits story: npm run sim -- ${failed.seed}`);
  const known = read<Failed[]>(FAILED_SEEDS);
  const short = { ...failed, text: (failed.text.split('\n')[0] ?? '').slice(0, 200) };
  if (!known.some(({ seed }) => seed === failed.seed)) writeFileSync(FAILED_SEEDS, `${JSON.stringify([...known, short], null, 2)}\n`);
  return false;
}

function showTable(report: Report): boolean {
  const coverage = new Coverage();
  coverage.merge(report.cells);
  print(table(coverage));
  const thin = gaps(coverage, 100);
  print(thin.length === 0 ? 'every cell that can happen was hit at least 100 times' : `fewer than 100 hits:\n${thin.join('\n')}`);
  return thin.length === 0;
}

async function failedSeeds(): Promise<boolean> {
  const known = read<Failed[]>(FAILED_SEEDS);
  let good = true;
  for (const { seed } of known) {
    const { violations: [broken] } = await simulate({ seed });
    if (broken === undefined) continue;
    good = false;
    print(`seed ${seed}: ${broken.checker}: ${broken.text}`);
  }
  print(`${known.length} seeds that failed once, ${good ? 'every promise kept' : 'broken again'}`);
  return good;
}

async function graphs(): Promise<boolean> {
  const { cases, wrong } = await playGraphs({ brief: options.brief === true });
  for (const text of wrong.slice(0, 20)) print(text);
  print(`${cases} cases, ${wrong.length} wrong`);
  return wrong.length === 0;
}

async function mutants(name: string | undefined): Promise<boolean> {
  let good = true;
  for (const mutant of MUTANTS.filter((m) => name === undefined || m.name === name)) {
    const { failed, seeds } = await huntMutant(mutant, { from: Number(options.from ?? mutant.from ?? 1), step: 1, count: Number(options.seeds ?? 3000), minutes: 10 });
    good &&= failed !== undefined;
    print(failed === undefined ? `NOT CAUGHT ${mutant.name} (${seeds} seeds)` : `${mutant.name}: caught by ${failed.checker} at seed ${failed.seed}: ${failed.text.slice(0, 120)}`);
  }
  return good;
}

async function prove(name: string | undefined): Promise<boolean> {
  let good = true;
  await proveMutants(MUTANTS.filter((m) => name === undefined || m.name === name), (mutant, noticed) => {
    good &&= noticed === 'nothing';
    print(`${mutant.name}: ${noticed === 'nothing' ? 'passes types and unit tests' : `NOTICED by the ${noticed}`}`);
  });
  return good;
}
