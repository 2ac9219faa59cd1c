// Every deliberate defect of the engine, hunted until a checker sees it: each in a process of its own, some at a time. In `npm run
// test:all`; takes too long for each change.

import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { huntMutant } from './workers.ts';

describe('a deliberate defect of the engine', () => {
  it('is there often enough', () => expect(MUTANTS.length).toBeGreaterThanOrEqual(20));

  it.concurrent.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s is caught by a checker', async (_name, mutant) => {
    const { failed } = await huntMutant(mutant, { from: mutant.from ?? 1, step: 1, count: 3000, minutes: 5 });
    expect(mutant.caughtBy).toContain(failed?.checker);
  }, 300_000);
});
