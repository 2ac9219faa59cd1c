// What other tools lost or doubled when they died: left-over processes, worktrees, branches, counters, half-written files.

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import type { Held } from '../rig/hand.ts';
import { completedTasks, expectEnd, expectNothingLeft, fileAt, kinds, refs, worktrees } from '../rig/facts.ts';

/** Starts a run, lets unit `a`'s agent write a file, and kills choo with -9. */
async function killedAtWork(bed: Bed): Promise<Held> {
  const run = bed.start(['run', '--json']);
  const held = await bed.hand.next({ unit: 'a' });
  await held.write('half', 'half of it\n');
  run.signal('SIGKILL');
  await run.ended;
  await held.gone;
  return held;
}

describe('orphan processes', () => {
  it('of a choo that was killed are ended by the next one, where no namespace holds them', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `setsid ${bed.hand.check('orphan').replace(/^exec /, '')} & ${bed.hand.agent}`, process: { contain: 'group' } });
    const run = bed.start(['run', '--json']);
    const orphan = await bed.hand.next({ name: 'orphan' });
    await bed.hand.next({ name: 'agent' });
    run.signal('SIGKILL');
    await run.ended;
    const again = bed.start(['resume', '--json']);
    await orphan.gone;
    await (await bed.hand.next({ name: 'orphan' })).exit();
    await (await bed.hand.next({ name: 'agent' })).finish();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(ended.stderr).toContain('ended programs that an earlier choo in this repository had left running');
  });
});

describe('left-over worktrees and branches', () => {
  it('do not stand in the way of a new run, not even when the journal is gone', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const { cwd } = await killedAtWork(bed);
    rmSync(join(bed.root, '.git/choo'), { recursive: true });
    const again = bed.start(['run', '--json']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expect(existsSync(join(cwd, 'half'))).toBe(true);
    expect(refs(bed)).toContain('refs/heads/choo/unit/a/1');
    const listed = await bed.choo(['cleanup']);
    expect(listed.stdout + listed.stderr).toContain('choo/unit/a/1');
    expect(existsSync(join(cwd, 'half'))).toBe(true);
  });

  it('that somebody deleted by hand are made again from what is recorded', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ task: '1' })).finish();
    await bed.hand.next({ task: '2' });
    run.signal('SIGKILL');
    await run.ended;
    rmSync(bed.state, { recursive: true });
    bed.git('worktree', 'prune');
    bed.git('update-ref', '-d', 'refs/heads/choo/unit/a/1');
    const again = bed.start(['resume', '--json']);
    const held = await bed.hand.next({ task: '2' });
    expect(await held.read('a-1.txt')).toBe('done in attempt 1\n');
    await held.finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'a#2']);
    expectNothingLeft(bed);
  });
});

describe('counters of attempts', () => {
  it('survive: what failed before a crash stays failed, what the crash cut does not count', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, limits: { attempts: 2, cuts: 10 } });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ attempt: 1 })).exit();
    await bed.hand.next({ attempt: 2 });
    run.signal('SIGKILL');
    await run.ended;
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ attempt: 3 })).exit();
    const ended = await again.ended;
    expectEnd(ended, 1);
    expect(kinds(ended, 'a').failures).toEqual(['check-failed']);
    expect((await bed.choo(['status'])).stdout).toMatch(/^failed +a$/m);
  });

  it('end a task that is cut again and again', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, limits: { cuts: 1 } });
    await killedAtWork(bed);
    const second = bed.start(['resume', '--json']);
    await bed.hand.next({ attempt: 2 });
    second.signal('SIGKILL');
    await second.ended;
    const ended = await bed.choo(['resume', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ unit: 'a', failure: { kind: 'cut', by: 'crash' } });
  });
});

describe('work of a cut attempt', () => {
  it('is there for the next one', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    await killedAtWork(bed);
    const again = bed.start(['resume', '--json']);
    const held = await bed.hand.next({ attempt: 2 });
    expect(await held.read('half')).toBe('half of it\n');
    await held.finish();
    expectEnd(await again.ended, 0);
    expect(fileAt(bed, 'main', 'half')).toBe('half of it\n');
    expectNothingLeft(bed);
  });

  it('is kept when HEAD was elsewhere, and the worktree is made again', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    await held.git('switch', '-q', '--detach');
    await held.write('half', 'half of it\n');
    run.signal('SIGKILL');
    await run.ended;
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ attempt: 2 })).finish();
    expectEnd(await again.ended, 0);
    const kept = refs(bed).find((ref) => ref.startsWith('refs/choo/kept/1/a/crash-'));
    expect(fileAt(bed, kept ?? '', 'half')).toBe('half of it\n');
    expect(fileAt(bed, 'main', 'half')).toBeUndefined();
  });

  it.for(['index', 'HEAD'])('is set aside when the power went while git wrote its %s', async (file, { bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const { cwd } = await killedAtWork(bed);
    const [name = ''] = readdirSync(join(bed.root, '.git/worktrees'));
    writeFileSync(join(bed.root, '.git/worktrees', name, file), '\0\0\0\0');
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ attempt: 2 })).finish();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expect(existsSync(join(`${cwd}.broken-1`, 'half'))).toBe(true);
    expect(ended.stderr).toContain(`${cwd}.broken-1`);
    expect(worktrees(bed)).toEqual([]);
  });

  it('is set aside when somebody took the worktree out of git’s books', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const { cwd } = await killedAtWork(bed);
    rmSync(join(cwd, '.git'));
    bed.git('worktree', 'prune');
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ attempt: 2 })).finish();
    expectEnd(await again.ended, 0);
    expect(existsSync(join(`${cwd}.broken-1`, 'half'))).toBe(true);
  });

  it('is set aside when the agent itself broke the index', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `if [ "$CHOO_ATTEMPT" = 1 ]; then echo mine > mine; echo broken > "$(git rev-parse --git-dir)/index"; else ${DOES_IT}; fi` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['history-rewritten']);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });
});

describe('the target after a machine that stopped while it moved', () => {
  it('is moved by the next session, which takes the dead locks out of the way', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    await killedAtWork(bed);
    for (const name of ['HEAD.lock', 'index.lock', 'refs/heads/main.lock']) writeFileSync(join(bed.root, '.git', name), '');
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(ended.stderr).toMatch(/had left locks.*HEAD\.lock/);
    expectNothingLeft(bed);
  });
});
