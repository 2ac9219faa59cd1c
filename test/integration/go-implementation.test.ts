// What went wrong in the older implementation, each found by running it, and must not here.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, fileAt, refs } from '../rig/facts.ts';

describe('a dry run that executes', () => {
  it('never: it prints the plan, starts nothing and changes nothing', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 }, b: { dependsOn: ['a'] }, c: {} }, { agent: `touch "$HOME/ran"; ${DOES_IT}`, worktree: { setup: ['touch "$HOME/ran"'] }, baseline_checks: ['touch "$HOME/ran"'] });
    const before = [refs(bed), bed.git('status', '--porcelain', '--ignored'), bed.git('for-each-ref')];
    const ended = await bed.choo(['run', '--dry-run', '-p', '3']);
    expectEnd(ended, 0);
    expect(ended.stdout).toContain([
      'Execution Plan', '='.repeat(14), '', 'Units to execute: 3', 'Max parallelism: 3', 'Execution levels: 2', '',
      'Level 1 (parallel):', '  - a (2 tasks)', '  - c (1 task', '',
    ].join('\n').trimEnd());
    expect(ended.stdout).toMatch(/Topological order:\n {2}1\. a\n {2}2\. b\n {2}3\. c/);
    expect([refs(bed), bed.git('status', '--porcelain', '--ignored'), bed.git('for-each-ref')]).toEqual(before);
    expect(existsSync(join(bed.base, 'home', 'ran'))).toBe(false);
    expect(existsSync(join(bed.root, '.git', 'choo'))).toBe(false);
    expect(existsSync(bed.state)).toBe(false);
  });

  it('reads the working tree, and warns when that differs from the target', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.write('specs/tasks/b/IMPLEMENTATION_PLAN.md', '# B\n');
    bed.write('specs/tasks/b/01-x.md', '---\ntask: 1\nbackpressure: "true"\n---\n# X\n');
    const ended = await bed.choo(['run', '-n']);
    expectEnd(ended, 0);
    expect(ended.stdout).toContain('Units to execute: 2');
    expect(ended.stdout + ended.stderr).toMatch(/warning/i);
  });

  it('of every format is the same plan twice', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } });
    for (const format of ['text', 'json', 'mermaid', 'dot']) {
      const [one, two] = [await bed.choo(['run', '-n', '--format', format]), await bed.choo(['run', '-n', '--format', format])];
      expectEnd(one, 0);
      expect(one.stdout).toBe(two.stdout);
      if (format === 'json') expect(JSON.parse(one.stdout)).toHaveProperty('version');
    }
  });
});

describe('a failed check leaves status: complete', () => {
  it('never, and the next run does not merge unproved work', async ({ bed }) => {
    const base = bed.specs({ a: {} }, { agent: 'sed -i "s/status: .*/status: complete/" specs/tasks/a/01-part.md; git commit -qam done; exit 0', limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run']), 1);
    expect(bed.git('rev-parse', 'main')).toBe(base);
    expect(fileAt(bed, 'main', 'specs/tasks/a/01-part.md')).toContain('status: pending');
    expectEnd(await bed.choo(['run', '--new']), 1);
    expect(bed.git('rev-parse', 'main')).toBe(base);
  });
});

describe('a task left in_progress or failed', () => {
  it('is run like a pending one', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ status: 'in_progress' }, { status: 'failed' }] } });
    expectEnd(await bed.choo(['run']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'a#2']);
    expect(fileAt(bed, 'main', 'specs/tasks/a/01-part.md')).toContain('status: complete');
    expectNothingLeft(bed);
  });
});

describe('a CRLF file', () => {
  it('keeps its metadata, its line endings and everything else; only the status changes', async ({ bed }) => {
    const text = '---\r\n# of mine\r\ntask: 1\r\nstatus:   "pending"  # soon\r\nbackpressure: test -f a-1.txt\r\nextra: [ 1,2 ]\r\n---\r\n# Part\r\n\r\nText.\r\n';
    bed.configure({});
    bed.git('config', 'core.autocrlf', 'false');
    bed.commit({ 'specs/tasks/a/IMPLEMENTATION_PLAN.md': '\uFEFF# Plan\r\n', 'specs/tasks/a/01-part.md': text });
    expectEnd(await bed.choo(['run']), 0);
    const landed = readFileSync(join(bed.root, 'specs/tasks/a/01-part.md'), 'utf8');
    expect(landed.replace('complete', 'pending').replaceAll('"', '')).toBe(text.replaceAll('"', ''));
    expect(landed).toContain('complete');
    expectNothingLeft(bed);
  });
});

describe('settings that are read and ignored', () => {
  it('parallelism: never more agents at once than asked for', async ({ bed }) => {
    bed.specs({ a: {}, b: {}, c: {} }, { agent: bed.hand.agent, parallelism: 2 });
    const run = bed.start(['run', '--json']);
    const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
    expect(bed.hand.unasked).toEqual([]);
    await a.finish();
    const c = await bed.hand.next({ unit: 'c' });
    await b.finish();
    await c.finish();
    expectEnd(await run.ended, 0);
  });

  it('target_branch and branch_prefix', async ({ bed }) => {
    bed.git('branch', 'release');
    bed.specs({ a: {} }, { agent: bed.hand.agent, target_branch: 'release', branch_prefix: 'bots/' });
    bed.git('branch', '-f', 'release', 'main');
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    expect(await held.git('branch', '--show-current')).toBe('bots/unit/a/1');
    await held.finish();
    expectEnd(await run.ended, 0);
    expect(completedTasks(bed, 'release')).toEqual(['a#1']);
  });

  it('worktree.base_path', async ({ bed }) => {
    const place = join(bed.base, 'elsewhere');
    bed.specs({ a: {} }, { agent: bed.hand.agent, worktree: { base_path: place } });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    expect(held.cwd.startsWith(place)).toBe(true);
    await held.finish();
    expectEnd(await run.ended, 0);
  });

  it('limits.attempts and failures_in_a_row: dispatch pauses, resume continues', async ({ bed }) => {
    bed.specs({ a: {}, b: {}, c: {} }, { agent: 'test -e "$HOME/mended" && touch "$CHOO_UNIT-1.txt"', limits: { attempts: 1, failures_in_a_row: 2 } });
    const ended = await bed.choo(['run', '--json', '-p', '1']);
    expectEnd(ended, 1);
    expect(ended.events.filter((e) => e.type === 'task.started').map((e) => e.unit)).toEqual(['a', 'b']);
    expect(ended.events.find((e) => e.type === 'orch.paused')).toMatchObject({ reason: 'failures-in-a-row' });
    bed.write('../home/mended', '');
    expectEnd(await bed.choo(['resume', '-p', '1']), 1);
    expect(completedTasks(bed)).toEqual(['c#1']);
  });

  it('the agent\'s environment names run, unit, task, attempt and files', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json'], { env: { GITHUB_TOKEN: 'secret', MINE: 'kept' } });
    const held = await bed.hand.next();
    const { env } = held;
    expect(env).toMatchObject({ CHOO_RUN: '1', CHOO_UNIT: 'a', CHOO_TASK: '1', CHOO_ATTEMPT: '1', MINE: 'kept' });
    expect(env['CHOO_TASK_FILE']).toBe(join(held.cwd, 'specs/tasks/a/01-part.md'));
    expect(env).not.toHaveProperty('GITHUB_TOKEN');
    await held.finish();
    expectEnd(await run.ended, 0);
  });
});

describe('cleanup that breaks the next run', () => {
  it('never: a second run of new work after the first', async ({ bed }) => {
    bed.specs({ a: {} });
    expectEnd(await bed.choo(['run']), 0);
    bed.commit({ 'specs/tasks/b/IMPLEMENTATION_PLAN.md': '# B\n', 'specs/tasks/b/01-x.md': '---\ntask: 1\nbackpressure: test -f b-1.txt\n---\n# X\n' });
    expectEnd(await bed.choo(['run']), 0);
    expect(commits(bed).filter((c) => c.landed !== '').map((c) => c.landed)).toEqual(['a', 'b']);
    expectNothingLeft(bed);
  });
});
