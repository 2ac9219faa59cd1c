// How the tests run. A failing test is never retried, and a test that hangs is ended.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

/** Folder that gets the counts of each test program, for .ci/run to add up; unset elsewhere. */
const counts = process.env['CHOO_TEST_COUNTS'];

/** What takes longer than a test at each change may: `npm run test:all` has it. */
const LONG = [
  'test/kills/**', 'test/sim/mutants.test.ts', 'test/integration/trouble-*.test.ts',
  ...['one-orchestrator', 'second-look', 'detach', 'landing-checkout', 'broken-before'].map((name) => `test/integration/${name}.test.ts`),
];

export default defineConfig({
  define: { CHOO_VERSION: JSON.stringify(version) },
  test: {
    include: ['test/**/*.test.ts'],
    // The real agents have to be installed first (test/agents/install.mjs).
    exclude: [
      ...(process.env['CHOO_TEST_LONG'] === undefined ? LONG : []),
      ...(process.env['CHOO_TEST_AGENTS'] === undefined ? ['test/agents/**'] : []),
    ],
    pool: 'forks',
    maxWorkers: 2,
    // Real agents wait more than they work.
    maxConcurrency: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    allowOnly: false,
    reporters: ['default', ...(counts === undefined ? [] : [['json', { outputFile: join(counts, `vitest-${process.pid}.json`) }] as ['json', { outputFile: string }]])],
  },
});
