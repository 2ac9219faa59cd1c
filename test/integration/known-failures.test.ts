// Checks that were red before, and checks that are red only sometimes: neither blocks everything nor hides a new failure.

import { describe, expect } from 'vitest';
import type { EventOf } from '../../src/core/event.ts';
import { it, type Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { expectEnd, expectNothingLeft, fileAt } from '../rig/facts.ts';

/** A test runner that speaks TAP: each file of tests/ is a test, and fails when it holds `fail`. */
const RUNNER = 'n=0; bad=0; for f in tests/*; do n=$((n+1)); if grep -q fail "$f"; then echo "not ok $n - ${f#tests/}"; bad=1; else echo "ok $n - ${f#tests/}"; fi; done; echo "1..$n"; exit $bad';
const check = { name: 'tests', command: RUNNER, recogniser: 'tap' };

/** A repository whose main is red already. */
function red(bed: Bed): void {
  bed.write('tests/old', 'fail\n');
  bed.commit({ 'tests/good': 'ok\n' }, 'tests');
}

const checkFailures = (ended: Ended): EventOf<'unit.verify.failed'>[] => ended.events.filter((e) => e.type === 'unit.verify.failed');

describe('a baseline check that fails on the base', () => {
  it('is red all the same, unless the base is recorded: the trial says how', async ({ bed }) => {
    red(bed);
    const base = bed.specs({ a: {} }, { limits: { attempts: 1 }, baseline_checks: [check] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(bed.git('rev-parse', 'main')).toBe(base);
    expect(ended.stderr).toContain('`land.base: record` would judge it by difference');
  });

  it('recorded, lets pass what fails there and nothing else: a new failing test goes back to the agent by its name', async ({ bed }) => {
    red(bed);
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent, parallelism: 1, land: { base: 'record' }, baseline_checks: [check] });
    const run = bed.start(['run', '--json']);
    const a = await bed.hand.next({ unit: 'a' });
    await a.write('tests/mine', 'fail\n');
    await a.finish();
    const mending = await bed.hand.next({ unit: 'a', task: 'baseline' });
    expect(mending.prompt).toContain('these fail here and not on the base: mine');
    expect(mending.prompt).not.toMatch(/^ {4}old$/m);
    await mending.write('tests/mine', 'ok\n');
    await mending.exit();
    await (await bed.hand.next({ unit: 'b' })).finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'trial.ok')?.checks).toMatchObject([{ ending: { code: 1 }, failing: ['old'] }]);
    expect(checkFailures(ended)).toMatchObject([{ unit: 'a', failure: { kind: 'check-failed', beyond: { was: 1, fresh: ['mine'] } } }]);
    expect(ended.stderr).toMatch(/failed before any work, and judged by difference:\n {2}n=0.*\(1 test\)/);
    expectNothingLeft(bed);
  });

  it('is not known any more once a unit has mended it: the next one may not break it again', async ({ bed }) => {
    red(bed);
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent, parallelism: 2, limits: { attempts: 1 }, land: { base: 'record' }, baseline_checks: [check] });
    const run = bed.start(['run', '--json']);
    const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
    await a.write('tests/old', 'ok\n');
    await a.finish();
    await run.event('unit.merged', { unit: 'a' });
    // In its own worktree it still fails as on the base.
    await b.write('tests/old', 'ok\nfail differently\n');
    await b.finish();
    const mending = await bed.hand.next({ unit: 'b' });
    await mending.sh('git checkout --theirs tests/old 2>/dev/null; echo ok > tests/old');
    await mending.exit();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'tests/old')).toBe('ok\n');
    expect(ended.stderr).toContain('(1 test, mended by what landed)');
  });

  it('whose failing tests cannot be told is red', async ({ bed }) => {
    red(bed);
    const command = `${RUNNER.replace('echo "1..$n"; ', '')}`;
    const base = bed.specs({ a: {} }, { limits: { attempts: 1 }, land: { base: 'record' }, baseline_checks: [{ command, recogniser: 'tap' }] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'trial.ok')?.checks).toMatchObject([{ unclear: 'its plan and its results do not match' }]);
    expect(bed.git('rev-parse', 'main')).toBe(base);
  });
});

/** A check that fails at its first run in each worktree; \`left\` is what a failing run leaves in its folder. */
const flaky = (left: string): string => `seen="$HOME/$(pwd | tr / _)"; if [ -f "$seen" ]; then exit 0; fi; touch "$seen"; ${left}; exit 1`;

describe('a flaky check', () => {
  it('is run again where it may be; it passes, and is listed with its command', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: `test -f a-1.txt || exit 1; ${flaky('true')}` }] } }, { limits: { check_retries: 1 }, baseline_checks: [{ name: 'flaky', command: flaky('true'), retries: 2 }] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type === 'task.started' || e.type === 'task.retry' || e.type === 'rework.started')).toHaveLength(1);
    expect(ended.events.find((e) => e.type === 'task.validation.ok')?.notes).toMatchObject([{ kind: 'flaky-check' }]);
    expect(ended.stderr).toMatch(/flaky: failed, and passed when run again:\n {2}.*seen=.*\(/);
    expectNothingLeft(bed);
  });

  it('that changed the files is not run again: its failure counts', async ({ bed }) => {
    const base = bed.specs({ a: {} }, { limits: { attempts: 1 }, baseline_checks: [{ command: `test -f a-1.txt || exit 0; ${flaky('echo sly > a-1.txt')}`, retries: 5 }] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(checkFailures(ended)).toHaveLength(1);
    expect(ended.events.filter((e) => e.type === 'rework.started')).toHaveLength(1);
    expect(bed.git('rev-parse', 'main')).not.toBe(base);
  });

  it('is never one that misses a program', async ({ bed }) => {
    bed.specs({ a: {} }, { limits: { check_retries: 3 }, baseline_checks: ['test ! -f a-1.txt || { (cd && echo ran >> ran); no-such-program; }'] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(bed.read('../home/ran')).toBe('ran\n');
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'environment' } });
  });
});
