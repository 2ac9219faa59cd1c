// `land.push` in the cases that are rarer: other remotes, hooks of the user's, remotes that are ahead, red, in conflict, away or moving
// all the time. Takes too long for each change: run by test/all.sh.

import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectNothingLeft } from '../rig/facts.ts';
import { eventsOf as events, expectPushed, makeRemote } from '../rig/remote.ts';

const AFTER_EACH = { land: { push: 'after-each' } };
const AT_END = { land: { push: 'at-end' } };

describe('land.push', () => {
  it('at the end only, once', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, AT_END);
    const remote = makeRemote(bed);
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(events(ended, 'run.pushing')).toMatchObject([{ last: true }]);
    expectPushed(bed, remote);
  });

  it('to a remote that has no such branch yet, and where git says that it is pushed', async ({ bed }) => {
    bed.specs({ a: {} }, AT_END);
    const remote = makeRemote(bed);
    bed.git('config', 'branch.main.merge', 'refs/heads/other');
    expectEnd(await bed.choo(['run']), 0);
    expect(remote.git('rev-parse', 'other')).toBe(bed.git('rev-parse', 'main'));
  });

  it('with the user\'s own pre-push hook, which may refuse', async ({ bed }) => {
    bed.specs({ a: {} }, AFTER_EACH);
    const remote = makeRemote(bed);
    const hook = join(bed.root, '.git', 'hooks', 'pre-push');
    writeFileSync(hook, '#!/bin/sh\necho "no secrets, please" >&2\nexit 1\n');
    chmodSync(hook, 0o755);
    const ended = await bed.choo(['run']);
    expectEnd(ended, 1);
    expect(ended.stderr).toContain('no secrets, please');
    expect(completedTasks(bed)).toEqual(['a#1']);
    rmSync(hook);
    expectEnd(await bed.choo(['resume']), 0);
    expectPushed(bed, remote);
  });

  it('before the first landing: it is taken in, proved with what lands', async ({ bed }) => {
    bed.specs({ a: {} }, AFTER_EACH);
    const remote = makeRemote(bed);
    const theirs = remote.commit({ theirs: 'x\n' });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(ended.stderr).toContain('remote-ahead');
    expect(events(ended, 'batch.proving')).toHaveLength(1);
    expect(bed.tryGit('merge-base', '--is-ancestor', theirs, 'main')).toBe(0);
    expect(bed.read('theirs')).toBe('x\n');
    expectPushed(bed, remote);
  });

  it('in conflict with what landed: told once, landing goes on, nothing is pushed until a person has merged', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, AFTER_EACH);
    const remote = makeRemote(bed);
    const theirs = remote.commit({ 'a-1.txt': 'theirs\n' });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
    expect(events(ended, 'run.push.refused')).toMatchObject([{ reason: 'conflict' }]);
    expect(ended.stderr.match(/what lands is not pushed/g)).toHaveLength(1);
    expect(ended.stderr).toContain('git pull --no-rebase origin main');
    expect(remote.git('rev-parse', 'main')).toBe(theirs);
    expect((await bed.choo(['status'])).stdout).toContain('not pushed yet to main of origin');
    expect(bed.tryGit('pull', '-q', '--no-rebase', '-X', 'ours', 'origin', 'main')).toBe(0);
    expectEnd(await bed.choo(['run']), 0);
    expectPushed(bed, remote);
  });

  it('what breaks the checks: no unit is blamed, nothing red lands or is pushed', async ({ bed }) => {
    bed.specs({ a: {} }, { baseline_checks: ['test ! -e broken'], limits: { attempts: 1 }, ...AFTER_EACH });
    const remote = makeRemote(bed);
    const theirs = remote.commit({ broken: 'x\n' });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(events(ended, 'unit.failed')).toEqual([]);
    expect(events(ended, 'run.push.refused')).toMatchObject([{ reason: 'proof' }]);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expect(bed.tryGit('cat-file', '-e', 'main:broken')).not.toBe(0);
    expect(remote.git('rev-parse', 'main')).toBe(theirs);
  });

  it('in a tight loop while 20 units land: all land, nothing of theirs is lost', { timeout: 300_000 }, async ({ bed }) => {
    const units = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`u${String(i).padStart(2, '0')}`, {}]));
    const base = bed.specs(units, { parallelism: 4, baseline_checks: ['test -f README'], ...AFTER_EACH });
    const remote = makeRemote(bed);
    remote.git('config', 'receive.denyNonFastForwards', 'true');
    remote.git('config', 'core.logAllRefUpdates', 'always');
    const others = remote.loop();
    const run = bed.start(['run', '--json']);
    for (let landed = 0; landed < 20; landed++) await run.event('unit.merged', { unit: `u${String(landed).padStart(2, '0')}` });
    const commits = await others.end();
    const ended = await run.ended;
    expectEnd(ended, 0);
    bed.git('fetch', '-q', 'origin');
    expect(completedTasks(bed, 'origin/main')).toHaveLength(20);
    const subjects = remote.git('log', '--format=%s', 'main').split('\n').filter((s) => s.startsWith('other '));
    expect(new Set(subjects).size).toBe(commits);
    expect(subjects).toHaveLength(commits);
    const values = new Set(events(ended, 'run.pushed').map((e) => e['commit']));
    const proved = new Set([...events(ended, 'batch.proved'), ...events(ended, 'run.caught-up')].map((e) => e['commit']));
    const landed = new Set(events(ended, 'batch.landed').map((e) => e['commit']));
    for (const value of values) expect(proved.has(value) || landed.has(value)).toBe(true);
    expect(remote.git('merge-base', '--is-ancestor', base, 'main')).toBe('');
  });

  it('gone in the middle: tried again at the end, told once', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent, ...AFTER_EACH });
    const remote = makeRemote(bed);
    const run = bed.start(['run', '--json']);
    const a = await bed.hand.next({ unit: 'a' });
    renameSync(remote.path, `${remote.path}.away`);
    await a.write('a-1.txt', 'x\n');
    await a.finish();
    const b = await bed.hand.next({ unit: 'b' });
    await b.write('b-1.txt', 'x\n');
    await b.finish();
    const ended = await run.ended;
    expectEnd(ended, 1);
    expect(events(ended, 'run.push.refused').map((e) => e['reason'])).toEqual(['unreachable', 'unreachable']);
    expect(ended.stderr.match(/what lands is not pushed/g)).toHaveLength(1);
    renameSync(`${remote.path}.away`, remote.path);
    expectEnd(await bed.choo(['resume']), 0);
    expectPushed(bed, remote);
  });

  it('`land.push: never` lets an unpushed run end', async ({ bed }) => {
    bed.specs({ a: {} }, AT_END);
    const remote = makeRemote(bed);
    remote.hook('pre-receive', 'exit 1');
    expectEnd(await bed.choo(['run']), 1);
    bed.configure({});
    bed.git('commit', '-qam', 'no push');
    expectEnd(await bed.choo(['resume']), 0);
    expectNothingLeft(bed, ['refs/heads/main', 'refs/remotes/origin/main']);
  });
});
