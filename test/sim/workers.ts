// Runs the simulator's program in processes of its own and reads what they report.

import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUNDLES, bundleSimulator } from './bundle.ts';
import type { Range, Report } from './many.ts';
import type { Mutant } from './mutant.ts';

const run = promisify(execFile);

/** Runs the program with these arguments; gives back what it printed. */
export async function runElsewhere(file: string, args: readonly string[]): Promise<string> {
  return (await run(process.execPath, [file, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

/** Plays a range of seeds in a process of its own. */
async function playElsewhere(file: string, range: Range): Promise<Report> {
  return JSON.parse(await runElsewhere(file, ['--worker', JSON.stringify(range)])) as Report;
}

/** Plays seeds by several processes, each with its share. The first failure by seed is told. */
export async function playTogether(file: string, o: { readonly range: Range; readonly workers: number }): Promise<Report> {
  const { range, workers } = o;
  const shares = Array.from({ length: workers }, (_, n): Range => ({ ...range, from: range.from + n * range.step, step: range.step * workers, count: Math.ceil((range.count - n) / workers) }));
  const reports = await Promise.all(shares.map((share) => playElsewhere(file, share)));
  const failed = reports.flatMap((r) => (r.failed === undefined ? [] : [r.failed])).toSorted((a, b) => a.seed - b.seed)[0];
  const sum = (of: (r: Report) => number): number => reports.reduce((all, r) => all + of(r), 0);
  return { seeds: sum((r) => r.seeds), events: sum((r) => r.events), sessions: sum((r) => r.sessions), ...(failed === undefined ? {} : { failed }), cells: reports.flatMap((r) => r.cells) };
}

/** Bundles the simulator, with a defect if one is given, lets `use` have the file, and removes it. */
export async function withBundle<T>(o: { readonly name: string; readonly mutant?: Mutant }, use: (file: string) => Promise<T>): Promise<T> {
  mkdirSync(BUNDLES, { recursive: true });
  const file = join(BUNDLES, `${o.name.replaceAll(/[^\w-]/g, '-')}-${process.pid}.mjs`);
  try {
    await bundleSimulator({ file, ...(o.mutant === undefined ? {} : { mutant: o.mutant }) });
    return await use(file);
  } finally {
    rmSync(file, { force: true });
  }
}

/** Plays seeds on a defect until one of its checkers has caught it. */
export function huntMutant(mutant: Mutant, range: Omit<Range, 'only'>): Promise<Report> {
  return withBundle({ name: `mutant-${mutant.name}`, mutant }, (file) => playElsewhere(file, { ...range, only: mutant.caughtBy }));
}
