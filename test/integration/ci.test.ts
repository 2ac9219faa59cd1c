// Machines that go away: a run is saved at the remote as it goes, and a fresh clone goes on with it. Nothing is lost, done twice or forced.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { freshClone, kill, machines, savedUpTo } from '../rig/clones.ts';
import { completedTasks, expectEnd, refs } from '../rig/facts.ts';
import { eventsOf } from '../rig/remote.ts';

describe('a fresh clone', () => {
  it('goes on with a run whose machine was killed: recorded work is there, the rest is done again, nothing twice', async ({ bed }) => {
    const { remote, one, two } = machines(bed, { land: { push: 'at-end' } }, { a: { tasks: 2 }, b: {}, c: { dependsOn: ['b'] } });
    const run = one.start(['run', '--ci', '--json', '-p', '2']);
    await (await bed.hand.next({ unit: 'b' })).finish();
    const landed = await run.event('batch.landed');
    await (await bed.hand.next({ unit: 'a', task: 1 })).finish();
    const committed = await run.event('task.committed', { unit: 'a' });
    await savedUpTo(run, Math.max(committed.seq, landed.seq));
    await bed.hand.next({ unit: 'c' });
    const held = await bed.hand.next({ unit: 'a', task: 2 });
    await held.write('half', 'half of it\n');
    await kill(run);
    expect(remote.git('rev-parse', 'refs/choo/1/target')).toBe(landed.commit);
    expect(remote.git('rev-parse', 'refs/choo/1/heads/a')).toBe(committed.commit);
    expect(remote.git('rev-parse', 'main')).not.toBe(landed.commit);

    const again = two.start(['resume', '--from-remote', '--json', '-p', '2']);
    const second = await bed.hand.next({ unit: 'a', task: 2 });
    expect(second.cwd).not.toBe(held.cwd);
    expect(await second.read('a-1.txt')).toBe('done in attempt 1\n');
    expect(existsSync(join(second.cwd, 'half'))).toBe(false);
    await second.finish();
    await (await bed.hand.next({ unit: 'c' })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(two)).toEqual(['a#1', 'a#2', 'b#1', 'c#1']);
    expect(two.git('log', '--format=%H', 'main').split('\n')).toEqual(expect.arrayContaining([committed.commit, landed.commit]));
    expect(remote.git('rev-parse', 'main')).toBe(two.git('rev-parse', 'main'));
    expect(refs(two)).not.toContain('refs/heads/choo/unit/a/1');
    // It is over there, too.
    const third = freshClone(bed, remote, 'three');
    const nothing = await third.choo(['resume', '--from-remote']);
    expectEnd(nothing, 2);
    expect(nothing.stderr).toMatch(/saved run 1 is finished/);
    expect((await third.choo(['run', '--ci'])).stdout).toContain('nothing to do');
  });
});

describe('two sessions of one saved run', () => {
  it('the one that was gone on from ends by itself, and pushes nothing more', async ({ bed }) => {
    const { remote, one, two } = machines(bed, { land: { push: 'after-each' } });
    const run = one.start(['run', '--ci', '--json']);
    await (await bed.hand.next({ task: 1 })).finish();
    await savedUpTo(run, (await run.event('task.committed')).seq);
    const slow = await bed.hand.next({ task: 2 });
    const again = two.start(['resume', '--from-remote', '--json']);
    const quick = await bed.hand.next({ task: 2 });
    await slow.finish();
    const lost = await run.ended;
    expectEnd(lost, 1);
    expect(eventsOf(lost, 'run.save.refused')).toMatchObject([{ reason: 'taken' }]);
    expect(eventsOf(lost, 'run.pushed')).toEqual([]);
    expect(lost.stderr).toContain('another session has gone on from what was saved of run 1 at origin');
    await quick.finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(two)).toEqual(['a#1', 'a#2']);
    expect(remote.git('rev-parse', 'main')).toBe(two.git('rev-parse', 'main'));
    // And it cannot go on: it is told so before any agent begins.
    const late = await one.choo(['resume', '--json']);
    expectEnd(late, 1);
    expect(eventsOf(late, 'task.retry')).toEqual([]);
  });
});
