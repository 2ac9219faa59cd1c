// The simulator within `npm test`: every seed that ever failed, some hundreds of others, every small graph.
// SIM_MINUTES plays fresh seeds for that long. The deliberate defects are in mutants.test.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TOP } from './bundle.ts';
import type { Failed } from './many.ts';
import { simulate } from './simulate.ts';
import { playTogether, runElsewhere, withBundle } from './workers.ts';

const minutes = Number(process.env['SIM_MINUTES'] ?? 0);
const failedSeeds = JSON.parse(readFileSync(join(TOP, 'test/sim/failed-seeds.json'), 'utf8')) as Failed[];

describe('the engine over a simulated world', () => {
  it.each(failedSeeds.map(({ seed, text }) => [seed, text]))('keeps every promise with seed %d, which once failed: %s', async (seed) => {
    expect((await simulate({ seed: Number(seed) })).violations).toEqual([]);
  });

  it('keeps every promise with two hundred seeds, or fresh ones for SIM_MINUTES', async () => {
    const range = minutes > 0 ? { from: Date.now() * 1000, count: Number.MAX_SAFE_INTEGER, minutes } : { from: 1, count: 200, minutes: 10 };
    const report = await withBundle({ name: 'seeds' }, (file) => playTogether(file, { range: { step: 1, ...range }, workers: minutes > 0 ? 2 : 1 }));
    expect(report.failed).toBeUndefined();
    expect(report.seeds).toBeGreaterThanOrEqual(200);
  }, 600_000);

  it('gives the same story twice', async () => {
    const [one, two]: [string[], string[]] = [[], []];
    await simulate({ seed: 7, trace: one });
    await simulate({ seed: 7, trace: two });
    expect(one.length).toBeGreaterThan(10);
    expect(two).toEqual(one);
  });

  it('ends every graph of up to four units as its outcomes say', async () => {
    const said = await withBundle({ name: 'graphs' }, (file) => runElsewhere(file, ['--graphs', ...(minutes > 0 ? [] : ['--brief'])]));
    expect(said).toBe(`${(1 * 2 + 2 * 4 + 8 * 8 + 64 * 16) * (minutes > 0 ? 3 : 1)} cases, 0 wrong\n`);
  });
});
