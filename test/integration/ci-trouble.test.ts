// A saved run and what stands in the way of it: a remote that refuses, what was not saved, damage, races, runs that are open already.

import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { freshClone, kill, killedInTheSecondTask, machines, savedRefs, savedUpTo } from '../rig/clones.ts';
import { completedTasks, expectEnd, fileAt, refs } from '../rig/facts.ts';
import { eventsOf } from '../rig/remote.ts';

describe('a fresh clone', () => {
  it('does again what was recorded but not saved', async ({ bed }) => {
    const { remote, one, two } = machines(bed);
    remote.hook('pre-receive', `[ -e '${bed.base}/away' ] && { echo "no more" >&2; exit 1; }; exit 0`);
    const run = one.start(['run', '--ci', '--json']);
    const first = await bed.hand.next({ task: 1 });
    await savedUpTo(run, (await run.event('unit.queued')).seq);
    bed.write('away', '', bed.base);
    await first.finish();
    const refused = await run.event('run.save.refused');
    expect(refused).toMatchObject({ reason: 'refused', text: expect.stringContaining('no more') as string });
    await bed.hand.next({ task: 2 });
    await kill(run);
    remote.hook('pre-receive', undefined);
    const again = two.start(['resume', '--from-remote', '1', '--json']);
    await (await bed.hand.next({ task: 1 })).finish();
    await (await bed.hand.next({ task: 2 })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(two)).toEqual(['a#1', 'a#2']);
  });
});

describe('a remote that refuses', () => {
  it('saves, and takes what lands all the same: who goes on from the last save is told that the tasks are complete, and does none twice', async ({ bed }) => {
    const { remote, one } = machines(bed, { agent: undefined, land: { push: 'at-end' } });
    remote.hook('update', `case "$1" in refs/choo/*) [ -e '${bed.base}/once' ] && exit 1; : > '${bed.base}/once' ;; esac`);
    const ended = await one.choo(['run', '--ci', '--json']);
    expectEnd(ended, 0);
    expect(eventsOf(ended, 'run.saved')).toHaveLength(1);
    expect(eventsOf(ended, 'run.pushed')).toHaveLength(1);
    remote.hook('update', undefined);
    const two = freshClone(bed, remote, 'late');
    const asked = await two.choo(['resume', '--from-remote']);
    expectEnd(asked, 2);
    expect(asked.stderr).toMatch(/no longer to do: a[\s\S]*choo resume --accept-plan/);
    expectEnd(await two.choo(['resume', '--accept-plan']), 0);
    expect(completedTasks(two)).toEqual(['a#1', 'a#2']);
    expect(two.git('rev-parse', 'main')).toBe(remote.git('rev-parse', 'main'));
  });

  it('is told of once; the run goes on and lands', async ({ bed }) => {
    const { remote, one } = machines(bed, { agent: undefined });
    remote.hook('pre-receive', 'echo "choo may not" >&2; exit 1');
    const ended = await one.choo(['run', '--ci', '--json']);
    expectEnd(ended, 0);
    expect(eventsOf(ended, 'run.save.refused').length).toBeGreaterThan(1);
    expect(ended.stderr.match(/WARNING the run is not saved.*choo may not/g)).toHaveLength(1);
    expect(completedTasks(one)).toEqual(['a#1', 'a#2']);
    expect(savedRefs(remote)).toEqual([]);
    expect((await one.choo(['status'])).stdout).toMatch(/not saved since event 0: .*choo may not/);
    expect(ended.stderr).toMatch(/not saved since event 0: /);
  });
});

describe('nothing is restored', () => {
  it('when nothing is saved, or there is no remote', async ({ bed }) => {
    const { one } = machines(bed);
    const ended = await one.choo(['resume', '--from-remote']);
    expectEnd(ended, 2);
    expect(ended.stderr).toMatch(/no run is saved at origin[\s\S]*choo run --ci/);
    one.git('remote', 'remove', 'origin');
    for (const command of [['resume', '--from-remote'], ['run', '--ci']]) {
      const lost = await one.choo(command);
      expectEnd(lost, 2);
      expect(lost.stderr).toMatch(/no remote `origin`[\s\S]*git remote add origin URL/);
    }
  });

  it('when what is saved is damaged', async ({ bed }) => {
    const { remote, one, two } = machines(bed);
    await killedInTheSecondTask(one);
    const at = remote.git('rev-parse', 'refs/choo/1/journal');
    const broken = join(bed.base, 'broken');
    bed.git('clone', '-q', remote.path, broken);
    bed.git('-C', broken, 'fetch', '-q', 'origin', 'refs/choo/1/journal');
    bed.git('-C', broken, 'checkout', '-q', 'FETCH_HEAD');
    bed.write('000000000.jsonl', 'no journal\n', broken);
    bed.git('-C', broken, 'commit', '-qam', 'damaged');
    bed.git('-C', broken, 'push', '-q', 'origin', 'HEAD:refs/choo/1/journal');
    for (const command of [['resume', '--from-remote'], ['run', '--ci'], ['run', '--ci', '--continue']]) {
      const ended = await two.choo(command);
      expectEnd(ended, 2);
      expect(ended.stderr).toMatch(/saved-damaged[\s\S]*hint: choo does not guess.*choo run --ci --new/);
    }
    expect(refs(two).filter((ref) => ref.includes('choo'))).toEqual([]);
    remote.git('update-ref', 'refs/choo/1/journal', at);
    expect((await two.choo(['resume', '--from-remote', '2'])).stderr).toMatch(/run 2 is not saved at origin/);
  });

  it('where the run is already, and over a target that has gone another way', async ({ bed }) => {
    const { remote, one, two } = machines(bed, {}, { b: {}, c: { dependsOn: ['b'] } });
    const run = one.start(['run', '--ci', '--json']);
    await (await bed.hand.next({ unit: 'b' })).finish();
    await savedUpTo(run, (await run.event('batch.landed')).seq);
    await bed.hand.next({ unit: 'c' });
    await kill(run);
    const here = await one.choo(['resume', '--from-remote']);
    expectEnd(here, 2);
    expect(here.stderr).toMatch(/run 1 is in this clone already[\s\S]*choo resume/);
    remote.commit({ theirs: 'x\n' });
    two.git('pull', '-q');
    const ended = await two.choo(['resume', '--from-remote']);
    expectEnd(ended, 2);
    const command = /hint: (git switch .*FETCH_HEAD), then again/.exec(ended.stderr)?.[1] ?? 'false';
    two.git('-c', `alias.do=!cd '${two.root}' && ${command.replace('git merge', 'git merge -q --no-edit')}`, 'do');
    const again = two.start(['resume', '--from-remote', '--json']);
    await (await bed.hand.next({ unit: 'c' })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(two)).toEqual(['b#1', 'c#1']);
    expect(fileAt(two, 'main', 'theirs')).toBe('x\n');
  });
});

describe('two sessions of one saved run', () => {
  it('only one of two that begin at the same time goes on', async ({ bed }) => {
    const { remote, one, two } = machines(bed);
    await killedInTheSecondTask(one);
    // Somebody else is first, between the look and the claim.
    const other = freshClone(bed, remote, 'three');
    const journal = 'refs/choo/1/journal';
    remote.hook('pre-receive', `[ -e '${bed.base}/once' ] && exit 0; : > '${bed.base}/once'; unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES; cd '${other.root}' && unset GIT_DIR && git fetch -q origin ${journal} && git push -q origin "$(git commit-tree -p FETCH_HEAD -m first 'FETCH_HEAD^{tree}'):${journal}"`);
    const ended = await two.choo(['resume', '--from-remote']);
    expectEnd(ended, 2);
    expect(ended.stderr).toMatch(/saved-taken/);
    expect(refs(two).filter((ref) => ref.includes('choo'))).toEqual([]);
  });
});

describe('choo resume --ci', () => {
  it('saves a run that was begun without it, and from then on every session of it does', async ({ bed }) => {
    const { remote, one } = machines(bed);
    const run = one.start(['run', '--json']);
    await (await bed.hand.next({ task: 1 })).finish();
    const held = await bed.hand.next({ task: 2 });
    await kill(run);
    await held.gone;
    expect(savedRefs(remote)).toEqual([]);
    const again = one.start(['resume', '--ci', '--json']);
    const second = await bed.hand.next({ task: 2 });
    expect(savedRefs(remote)).toEqual(['refs/choo/1/heads/a', 'refs/choo/1/journal']);
    await kill(again);
    await second.gone;
    const third = one.start(['resume', '--json']);
    await (await bed.hand.next({ task: 2 })).finish();
    const ended = await third.ended;
    expectEnd(ended, 0);
    expect(eventsOf(ended, 'run.saved').length).toBeGreaterThan(1);
    expect(savedRefs(remote)).toContain('refs/choo/1/target');
    expect((await one.choo(['resume', '--from-remote', 'x'])).stderr).toMatch(/'x' is invalid.*whole number/);
  });
});

describe('choo run --ci', () => {
  it('ends before any agent begins when another machine has begun a run with the same number at the same moment', async ({ bed }) => {
    const { remote, one, two } = machines(bed);
    remote.hook('pre-receive', `[ -e '${bed.base}/once' ] && exit 0; : > '${bed.base}/once'; unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_DIR; cd '${two.root}' && git push -q origin HEAD:refs/choo/1/journal`);
    const ended = await one.choo(['run', '--ci', '--json']);
    expectEnd(ended, 1);
    expect(eventsOf(ended, 'run.save.refused')).toMatchObject([{ reason: 'taken' }]);
    expect(eventsOf(ended, 'trial.started')).toEqual([]);
    expect(bed.hand.unasked).toEqual([]);
  });

  it('begins nothing beside a saved run that is open; --continue goes on with it; --new takes the next number', async ({ bed }) => {
    const { remote, one, two } = machines(bed);
    await killedInTheSecondTask(one);
    const refused = await two.choo(['run', '--ci']);
    expectEnd(refused, 2);
    expect(refused.stderr).toMatch(/run 1, which is saved at the remote, is open[\s\S]*choo resume --from-remote/);
    const again = two.start(['run', '--ci', '--continue', '--json']);
    await (await bed.hand.next({ task: 2 })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(two)).toEqual(['a#1', 'a#2']);
    const third = freshClone(bed, remote, 'three');
    const fresh = third.start(['run', '--ci', '--continue', '--json']);
    expect((await fresh.event('orch.started')).run).toBe(2);
    for (const task of [1, 2]) await (await bed.hand.next({ task })).finish();
    expectEnd(await fresh.ended, 0);
    expect(savedRefs(remote)).toEqual(expect.arrayContaining(['refs/choo/1/journal', 'refs/choo/2/journal']));
  });
});
