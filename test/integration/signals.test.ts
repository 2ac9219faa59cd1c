// Stopping: the first and the second signal, children that resist, `choo stop`, and going on afterwards. Processes left are
// found by the bed at the end of each test.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, kinds } from '../rig/facts.ts';

/** A program that does half of its work, ignores what can be ignored and hangs with its children. */
const STUBBORN = 'echo half > half; trap "" INT TERM HUP; (sleep 1000 & sleep 1001) & setsid sleep 1002 >/dev/null 2>&1 & (while :; do sleep 1003; done)';

describe.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('the first %s', (signal, code) => {
  it('interrupts agents, keeps their work, prints the result; resume goes on', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 }, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ task: 1 })).finish();
    const cut = await bed.hand.next({ unit: 'a', task: 2 });
    await cut.write('half', 'half of it\n');
    run.signal(signal);
    await cut.gone;
    const ended = await run.ended;
    expectEnd(ended, code);
    expect(ended.events.at(-1)).toMatchObject({ type: 'orch.stopped', result: { cancelledUnits: 2 } });
    const again = bed.start(['resume', '--json']);
    const held = await bed.hand.next({ unit: 'a', task: 2, attempt: 2 });
    expect(await held.read('half')).toBe('half of it\n');
    await held.finish();
    await (await bed.hand.next({ unit: 'b' })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'a#2', 'b#1']);
    expectNothingLeft(bed);
  });
});

describe('before a run has begun', () => {
  it.for([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s does not wait for a program that is asked for its version', async ([signal, code], { bed }) => {
    const program = join(bed.base, 'claude');
    writeFileSync(program, `#!/bin/sh\n${bed.hand.check('asked')}\n`, { mode: 0o755 });
    bed.specs({ a: {} }, { provider: { type: 'claude', providers: { claude: { command: program } } } });
    const run = bed.start(['run', '--json'], { env: { ANTHROPIC_API_KEY: 'dummy' } });
    const asked = await bed.hand.next({ name: 'asked', unit: '' });
    run.signal(signal);
    await asked.gone;
    const ended = await run.ended;
    // After its 20 s it would be refused as broken.
    expectEnd(ended, code);
    expect(ended.events.some((e) => e.type === 'unit.started')).toBe(false);
  });
});

describe('Ctrl-C leaves grandchildren running', () => {
  it.for(['auto', 'group'])('the first signal gives those that resist limits.shutdown, then kills them all (contain: %s)', async (contain, { bed }) => {
    bed.specs({ a: {} }, { agent: `${STUBBORN} & (${bed.hand.check('ready')}); wait`, limits: { shutdown: '500ms' }, process: { contain } });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ name: 'ready' })).exit();
    run.signal('SIGINT');
    const ended = await run.ended;
    expectEnd(ended, 130);
    const [stopping, stopped] = ['orch.stopping', 'orch.stopped'].map((type) => Date.parse(ended.events.find((e) => e.type === type)?.time ?? ''));
    expect((stopped ?? 0) - (stopping ?? 0)).toBeGreaterThanOrEqual(490);
  });

  it('the second signal kills them at once, whatever the limit', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, limits: { shutdown: '10m' } });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    await held.sh('(trap "" INT TERM; sleep 1000) >/dev/null 2>&1 & setsid sleep 1001 >/dev/null 2>&1 &');
    await held.ignore('SIGINT', 'SIGTERM', 'SIGHUP');
    run.signal('SIGTERM');
    await run.event('orch.stopping');
    run.signal('SIGTERM');
    expectEnd(await run.ended, 143);
    const killed = (await run.ended).events.some((e) => e.type === 'orch.killing');
    expect(killed).toBe(true);
  });

  it('a check that resists is killed too, and its attempt does not count', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'test -f a-1.txt || exit 1; trap "" INT TERM; sleep 1000' }] } }, { limits: { shutdown: '300ms' } });
    const run = bed.start(['run', '--json']);
    await run.event('task.backpressure');
    run.signal('SIGINT');
    const ended = await run.ended;
    expectEnd(ended, 130);
    expect(kinds(ended, 'a').failures).toEqual(['cut']);
  });

  it('during setup: the half-made worktree is made again on resume', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: DOES_IT, worktree: { setup: [bed.hand.check('setup')] } });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ name: 'setup' })).exit();
    const cut = await bed.hand.next({ name: 'setup', unit: 'a' });
    run.signal('SIGINT');
    await cut.gone;
    expectEnd(await run.ended, 130);
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ name: 'setup', unit: 'a' })).exit();
    await (await bed.hand.next({ name: 'setup' })).exit();
    expectEnd(await again.ended, 0);
    expectNothingLeft(bed);
  });
});

describe('SIGHUP', () => {
  it('stops gracefully when nobody asked to ignore it', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    run.signal('SIGHUP');
    await held.gone;
    const ended = await run.ended;
    expect(ended.events.at(-1)?.type).toBe('orch.stopped');
    expect(ended.code).toBe(129);
  });
});

describe('choo stop', () => {
  it('from another terminal stops gracefully; the run says who asked', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    expectEnd(await bed.choo(['stop']), 0);
    await held.gone;
    const ended = await run.ended;
    expect(ended.events.find((e) => e.type === 'orch.stopping')).toMatchObject({ by: 'choo stop', now: false });
    expect(ended.code).not.toBe(0);
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ attempt: 2 })).finish();
    expectEnd(await again.ended, 0);
  });

  it('--now kills what resists', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, limits: { shutdown: '10m' } });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    await held.ignore('SIGINT', 'SIGTERM');
    expectEnd(await bed.choo(['stop', '--now']), 0);
    await held.gone;
    expect((await run.ended).events.some((e) => e.type === 'orch.killing')).toBe(true);
  });

  it('with nothing running says so', async ({ bed }) => {
    bed.specs({ a: {} });
    const ended = await bed.choo(['stop']);
    expectEnd(ended, 0);
    expect(ended.stdout).toMatch(/no run is live/);
  });
});

describe('two supervisors in one repository', () => {
  it('the second is refused by name and harms nothing', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    const second = await bed.choo(['run']);
    expectEnd(second, 2);
    expect(second.stderr).toContain(String(run.pid));
    expectEnd(await bed.choo(['resume']), 2);
    await held.finish();
    expectEnd(await run.ended, 0);
    expect(commits(bed).filter((c) => c.task !== '')).toHaveLength(1);
  });
});
