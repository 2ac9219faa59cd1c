// The commands that look at a run from another terminal: status, logs, prompt. And those that steer it: retry.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');

/** An agent whose first attempts at unit `b` go wrong. */
const WRONG_AT_B = `echo "thinking about $CHOO_UNIT"; if [ "$CHOO_UNIT" = b ]; then exit 0; fi; ${DOES_IT}`;

describe('status', () => {
  it('shows a live run from another terminal, as text and as data', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 }, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ task: 1 })).finish();
    const held = await bed.hand.next({ task: 2 });
    const { stdout } = await bed.choo(['status']);
    expect(stdout).toContain(`running (process ${run.pid}), 0 of 2 units landed`);
    expect(stdout).toMatch(/running +a +task 2, attempt 1 · command\n {2}✓ 1 .*\n {2}› 2 /);
    expect(stdout).toMatch(/pending +b +after a/);
    const data = JSON.parse((await bed.choo(['status', '--json'])).stdout) as { readonly units: readonly unknown[] };
    expect(data).toMatchObject({ version: 1, at: 'live', pid: run.pid, run: 1, counts: { running: 1, pending: 1 } });
    expect(data.units[0]).toMatchObject({ id: 'a', state: 'running', tasks: [{ state: 'complete' }, { state: 'running', attempts: 1 }] });
    await held.finish();
    await (await bed.hand.next({ unit: 'b' })).finish();
    expectEnd(await run.ended, 0);
    const over = (await bed.choo(['status'])).stdout;
    expect(over).toContain('run 1 onto main: over, 2 of 2 units landed');
    expect(over).not.toContain('to do');
    bed.specs({ c: {} });
    expect((await bed.choo(['status'])).stdout).toMatch(/the specs have 1 unit to do: choo run\n$/);
  });

  it('shows the specs before the first run, and another folder of units when asked', async ({ bed }) => {
    bed.specs({ a: {}, b: { tasks: [{ status: 'complete' }] } });
    expect((await bed.choo(['status'])).stdout).toMatch(/^no run yet: 1 unit to do, 1 complete\n\npending +a\n/);
    const other = await bed.choo(['status', 'no/such/folder']);
    expectEnd(other, 2);
    expect(other.stderr).toContain('no/such/folder');
  });
});

describe('logs', () => {
  it('prints the newest attempt, an earlier one, and what the check said', async ({ bed }) => {
    bed.specs({ b: { tasks: [{ check: 'echo "no such file"; test -f b-1.txt' }] } }, { agent: `${WRONG_AT_B}; echo no`, limits: { attempts: 2 } });
    expectEnd(await bed.choo(['run']), 1);
    const newest = await bed.choo(['logs', 'b']);
    expectEnd(newest, 0);
    expect(newest.stdout).toBe('thinking about b\nno such file\n');
    expect(newest.stderr).toBe('--- b, task 1, attempt 2\n--- its check\n');
    expect((await bed.choo(['logs', 'b', '--attempt', '1'])).stderr).toContain('attempt 1\n');
    const none = await bed.choo(['logs', 'b', '--attempt', '7']);
    expectEnd(none, 2);
    expect(none.stderr).toContain('the newest is: b, task 1, attempt 2');
    const wrong = await bed.choo(['logs', 'bb']);
    expectEnd(wrong, 2);
    expect(wrong.stderr).toContain('did you mean `b`?');
  });

  it('-f goes on while the agent prints and ends when the attempt does', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ task: 1 });
    await held.print('one\n');
    const following = spawn(process.execPath, [program, 'logs', 'a', '-f'], { cwd: bed.root, env: bed.env, stdio: ['ignore', 'pipe', 'ignore'] });
    const closed = once(following, 'close') as Promise<[number | null]>;
    const lines = createInterface({ input: following.stdout })[Symbol.asyncIterator]();
    expect(await lines.next()).toMatchObject({ value: 'one' });
    await held.print('two\n');
    expect(await lines.next()).toMatchObject({ value: 'two' });
    await held.finish();
    const next = await bed.hand.next({ task: 2 });
    expect(await lines.next()).toMatchObject({ done: true });
    expect((await closed)[0]).toBe(0);
    await next.finish();
    expectEnd(await run.ended, 0);
  });

  it('begins its own words in a line of their own', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'printf checked; test -f a-1.txt' }] } }, { agent: `${DOES_IT}; printf "no line end"` });
    expectEnd(await bed.choo(['run']), 0);
    expect((await bed.choo(['logs', 'a'])).stdout).toBe('no line end\nchecked');
    expect((await bed.choo(['logs', 'a'], { through: ['sh', 'exec "$0" "$@" 2>&1'] })).stdout).toBe('--- a, task 1, attempt 1\nno line end\n--- its check\nchecked');
  });

  it('-f takes what is left, says so and ends when the session is gone without a word', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    await held.print('one\ntwo');
    const following = bed.start(['logs', 'a', '-f']);
    await following.printed(/two/);
    run.signal('SIGKILL');
    const ended = await following.ended;
    expectEnd(ended, 0);
    expect([ended.stdout, ended.stderr]).toEqual(['one\ntwo\n', '--- a, task 1, attempt 1\n--- the session has ended\n']);
    await run.ended;
    await bed.quiet();
  });

  it('-f ends when nobody reads', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    await held.print('one\n');
    const following = bed.start(['logs', 'a', '-f'], { through: ['sh', '{ "$0" "$@"; echo "ended $?" >&2; } | { read -r line; exec <&-; echo "$line"; }'] });
    await following.printed(/one/);
    await held.print('two\n');
    const ended = await following.ended;
    expect([ended.stdout, ended.stderr]).toEqual(['one\n', '--- a, task 1, attempt 1\nended 0\n']);
    await held.finish();
    expectEnd(await run.ended, 0);
  });

  it('-f waits for the first attempt and follows it', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const first = await bed.hand.next({ unit: 'a' });
    expect((await bed.choo(['logs', 'b'])).stderr).toBe('b has had no attempt yet\n');
    const following = bed.start(['logs', 'b', '-f']);
    await following.printed(/this waits for one/);
    await first.finish();
    const held = await bed.hand.next({ unit: 'b' });
    await held.print('at last\n');
    await following.printed(/at last/);
    await held.finish();
    const ended = await following.ended;
    expectEnd(ended, 0);
    expect([ended.stdout, ended.stderr]).toEqual(['at last\n', 'choo: b has had no attempt yet; this waits for one (Ctrl-C ends it)\n--- b, task 1, attempt 1\n']);
    expectEnd(await run.ended, 0);
  });

  it('-f waits no longer when the unit cannot begin or the session has ended', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] }, c: {}, d: { dependsOn: ['c'] } }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    const run = bed.start(['run', '--json']);
    const first = await bed.hand.next({ unit: 'a' });
    await bed.hand.next({ unit: 'c' });
    const [blocked, left] = [bed.start(['logs', 'b', '-f']), bed.start(['logs', 'd', '-f'])];
    await Promise.all([blocked, left].map((one) => one.printed(/this waits for one/)));
    await first.exit();
    expect((await blocked.ended).stderr).toMatch(/\nb has no attempt to follow: it is blocked\n$/);
    const late = await bed.choo(['logs', 'b', '-f']);
    expectEnd(late, 0);
    expect(late.stderr).toBe('b has no attempt to follow: it is blocked\n');
    run.signal('SIGKILL');
    expect((await left.ended).stderr).toMatch(/\nd has no attempt to follow: the session has ended\n$/);
    await run.ended;
    await bed.quiet();
  });

  it('before the first run says so', async ({ bed }) => {
    bed.specs({ a: {} });
    const ended = await bed.choo(['logs', 'a']);
    expectEnd(ended, 2);
    expect(ended.stderr).toContain('there was no run yet');
  });
});

describe('prompt', () => {
  it('is what the agent got, word for word', async ({ bed }) => {
    bed.specs({ a: { tasks: 2, plan: 'The plan.' } }, { agent: bed.hand.agent });
    const before = await bed.choo(['prompt', 'a']);
    expectEnd(before, 0);
    const run = bed.start(['run', '--json']);
    const first = await bed.hand.next({ task: 1 });
    expect(before.stdout).toBe(first.prompt);
    await first.exit();
    await (await bed.hand.next({ attempt: 2 })).finish();
    const second = await bed.hand.next({ task: 2 });
    expect((await bed.choo(['prompt', 'a', '--task', '2'])).stdout).toContain('# Task 2 of unit `a`');
    await second.finish();
    expectEnd(await run.ended, 0);
  });

  it('tells what failed last, in an open run', async ({ bed }) => {
    bed.specs({ b: {} }, { agent: `${WRONG_AT_B}`, limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run']), 1);
    expect((await bed.choo(['prompt', 'b'])).stdout).toContain('## What failed last time');
    const wrong = await bed.choo(['prompt', 'b', '--task', '9']);
    expectEnd(wrong, 2);
    expect(wrong.stderr).toContain('`b` has no task 9');
  });
});

describe('retry', () => {
  it('gives a failed unit its attempts back while the run is live', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    const run = bed.start(['run', '--json']);
    const other = await bed.hand.next({ unit: 'b' });
    await (await bed.hand.next({ unit: 'a' })).exit();
    await run.event('unit.failed', { unit: 'a' });
    const ended = await bed.choo(['retry', 'a']);
    expectEnd(ended, 0);
    expect(ended.stdout).toBe('attempts given back to a; the run goes on with them\n');
    await (await bed.hand.next({ unit: 'a', attempt: 2 })).finish();
    const wrong = await bed.choo(['retry', 'b']);
    expectEnd(wrong, 2);
    expect(wrong.stderr).toContain('`b` has not failed, it is running');
    await other.finish();
    expectEnd(await run.ended, 0);
  });

  it('of a run at rest is remembered, and resume goes on', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next()).exit();
    expectEnd(await run.ended, 1);
    expect((await bed.choo(['retry', '--failed'])).stdout).toBe('attempts given back to a; to go on: choo resume\n');
    const resumed = bed.start(['resume', '--json']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    await (await bed.hand.next({ unit: 'b' })).finish();
    expectEnd(await resumed.ended, 0);
  });
});
