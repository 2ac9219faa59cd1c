// How the tests run. A failing test is never retried, and a test that hangs is ended.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

/** Folder that gets the counts of each test program, for .ci/run to add up; unset elsewhere. */
const counts = process.env['CHOO_TEST_COUNTS'];

/** With the real agents. */
const AGENTS = process.env['CHOO_TEST_AGENTS'] !== undefined;

/** `npm run test:all` plays all of it; with `only`, nothing else and what does more then. */
const ALL = process.env['CHOO_TEST_LONG'];

/** What takes longer than a test at each change may. */
const LONG = [
  // Needs a browser, which test/all.sh installs.
  'test/browser/*.test.ts',
  'test/kills/*.test.ts', 'test/sim/mutants.test.ts', 'test/integration/trouble-*.test.ts', 'test/integration/pull-*.test.ts',
  ...[
    'one-orchestrator', 'second-look', 'detach', 'landing-checkout', 'landing-history', 'red-together', 'broken-before', 'forged', 'push', 'push-others', 'overlap', 'known-failures', 'protected',
    'after-a-crash', 'agent-astray', 'agent-hostile', 'agent-links', 'agent-seen', 'archive', 'changed-plan', 'changed-texts', 'demo-agent', 'doctor', 'free-space', 'go-implementation', 'going-on', 'worktree',
    'ci-trouble', 'cleanup', 'code-review', 'escalation', 'agent-claims', 'cli-look', 'cli-print', 'mcp-run', 'watch-screen', 'repository-as-found', 'pull-secrets', 'screen', 'ci', 'report', 'web', 'web-run', 'web-logs', 'web-metrics', 'mcp', 'completion',
  ].map((name) => `test/integration/${name}.test.ts`),
  ...['git-quick-merge', 'git-remote', 'git-pooled', 'git-look', 'git-stray', 'github-follow', 'github-adapter', 'github-trouble', 'github-fake', 'github-many'].map((name) => `test/contract/${name}.test.ts`),
];

/** A minute and more each: begun first, or one worker is still at one of them when the other has nothing left to do. */
const LONGEST = ['pull-killed', 'windows', 'sim', 'cleanup', 'one-orchestrator', 'pull-trouble'].map((name) => `/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((end) => moduleId.endsWith(end));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  define: { CHOO_VERSION: JSON.stringify(version) },
  test: {
    include: ALL === 'only' ? [...LONG.filter((path) => !path.startsWith('test/sim/')), 'test/unit/agents/*.test.ts'] : ['test/**/*.test.ts'],
    // The real agents have to be installed first (test/agents/install.mjs).
    exclude: [
      ...(ALL === undefined ? LONG : []),
      ...(AGENTS ? [] : ['test/agents/**']),
    ],
    pool: 'forks',
    maxWorkers: 2,
    // Real agents wait more than they work: for pauses between their tries, for limits, for signals that they pass over.
    maxConcurrency: 3,
    sequence: { sequencer: LongestFirst, ...(AGENTS ? { concurrent: true } : {}) },
    testTimeout: AGENTS ? 180_000 : 60_000,
    hookTimeout: 60_000,
    retry: 0,
    allowOnly: false,
    reporters: ['default', ...(counts === undefined ? [] : [['json', { outputFile: join(counts, `vitest-${process.pid}.json`) }] as ['json', { outputFile: string }]])],
  },
});
