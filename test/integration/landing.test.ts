// Landing in the simple cases: merges onto the newest target, targets that move, conflicts, merges that git cannot make, hooks.

import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, fileAt, refs, worktrees } from '../rig/facts.ts';
import { fakeProgram } from '../rig/repo.ts';

describe('a target that moves', () => {
  it('by a person during the run: the unit lands on top, proved together with it, and nothing of the person is lost', async ({ bed }) => {
    bed.specs({ a: {} }, { baseline_checks: [bed.hand.check('baseline')] });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ name: 'baseline', unit: '' })).exit();
    const held = await bed.hand.next({ name: 'baseline', unit: 'a' });
    const theirs = bed.commit({ 'person.txt': 'mine\n' }, 'a person works');
    await held.exit();
    const proof = await bed.hand.next({ name: 'baseline', unit: 'a' });
    expect(await proof.read('person.txt')).toBe('mine\n');
    await proof.exit();
    expectEnd(await run.ended, 0);
    const landed = commits(bed).find((c) => c.landed === 'a')?.id ?? '';
    expect(bed.git('rev-parse', `${landed}^1`)).toBe(theirs);
    expectNothingLeft(bed);
  });

  it('by somebody while an agent works: nobody can tell who it was, so that attempt fails and is done again', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    bed.commit({ 'person.txt': 'mine\n' }, 'a person works');
    await held.finish();
    const again = await bed.hand.next({ attempt: 2 });
    expect(again.prompt).toContain('refs/heads/main moved');
    await again.exit();
    expectEnd(await run.ended, 0);
    expect(bed.read('person.txt')).toBe('mine\n');
    expectNothingLeft(bed);
  });

  it('between proof and landing: merged and proved again on what is there now', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    bed.commit({ 'specs/tasks/a/01-part.md': `---\ntask: 1\nbackpressure: ${JSON.stringify(bed.hand.check('check'))}\n---\n# Held\n` });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ name: 'check' })).exit(1);
    await (await bed.hand.next()).finish();
    await (await bed.hand.next({ name: 'check' })).exit();
    const proof = await bed.hand.next({ name: 'check' });
    const theirs = bed.commit({ 'person.txt': 'mine\n' });
    await proof.exit();
    const second = await bed.hand.next({ name: 'check' });
    expect(await second.git('merge-base', '--is-ancestor', theirs, 'HEAD')).toBe('');
    await second.exit();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type === 'batch.proving')).toHaveLength(2);
    expectNothingLeft(bed);
  });

  it('stale base: a unit begins from what its dependency landed, and the base of each is in the events', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'], tasks: [{ check: 'test -f a-1.txt && test -f b-1.txt' }] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    const merged = ended.events.find((e) => e.type === 'unit.merged' && e.unit === 'a');
    const prepared = ended.events.find((e) => e.type === 'unit.prepared' && e.unit === 'b');
    expect(prepared?.type === 'unit.prepared' ? prepared.base : '').toBe(merged?.type === 'unit.merged' ? merged.commit : '-');
  });

  it('is deleted while the run works: the unit fails saying so; nothing is made up', async ({ bed }) => {
    bed.git('branch', 'release');
    bed.specs({ a: {} }, { baseline_checks: [bed.hand.check('baseline')] });
    bed.git('branch', '-f', 'release', 'main');
    const run = bed.start(['run', '--json', '-t', 'release']);
    await (await bed.hand.next({ name: 'baseline', unit: '' })).exit();
    const held = await bed.hand.next({ name: 'baseline', unit: 'a' });
    bed.git('branch', '-q', '-D', 'release');
    await held.exit();
    const ended = await run.ended;
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'target-gone', ref: 'refs/heads/release' } });
    expect(refs(bed)).not.toContain('refs/heads/release');
    expect(refs(bed)).toContain('refs/heads/choo/unit/a/1');
  });
});

describe('merges into whatever branch is checked out', () => {
  it('never: the target is the one named, and the checkout is not touched', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.git('branch', 'release');
    bed.git('switch', '-q', '-c', 'mine');
    const mine = bed.git('rev-parse', 'mine');
    expectEnd(await bed.choo(['run', '--target', 'release']), 0);
    expect(completedTasks(bed, 'release')).toEqual(['a#1']);
    expect(bed.git('rev-parse', 'mine')).toBe(mine);
    expect(bed.git('branch', '--show-current')).toBe('mine');
    expectNothingLeft(bed, ['refs/heads/main', 'refs/heads/mine', 'refs/heads/release']);
  });

  it('never: switching the checkout during the run changes nothing about where it lands', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    bed.git('branch', 'mine');
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    await held.work();
    await held.exit();
    await run.event('task.attempted');
    bed.git('switch', '-q', 'mine');
    expectEnd(await run.ended, 0);
    expect(completedTasks(bed, 'main')).toEqual(['a#1']);
    expect(completedTasks(bed, 'mine')).toEqual([]);
  });
});

describe('a textual conflict', () => {
  const both = { agent: '', merge: { max_conflict_retries: 1 } };

  it('goes to the agent in the unit\'s worktree, with the merge in progress and both sides named', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { ...both, agent: bed.hand.agent });
    const run = bed.start(['run', '--json', '-p', '2']);
    const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
    await a.write('README', 'of a\n');
    await a.finish();
    await run.event('unit.merged', { unit: 'a' });
    await b.write('README', 'of b\n');
    await b.finish();
    const mending = await bed.hand.next({ unit: 'b', task: 'conflict' });
    expect(mending.prompt).toContain('README');
    expect(await mending.read('README')).toMatch(/<<<<<<<[^]*of b[^]*=======[^]*of a[^]*>>>>>>>/);
    await mending.write('README', 'of a and b\n');
    await mending.exit();
    expectEnd(await run.ended, 0);
    expect(bed.read('README')).toBe('of a and b\n');
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
    expectNothingLeft(bed);
  });

  it('that the agent leaves unresolved goes to a person: the unit fails as conflict, the target keeps what landed', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { ...both, agent: bed.hand.agent });
    const run = bed.start(['run', '--json', '-p', '2']);
    const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
    await a.write('README', 'of a\n');
    await a.finish();
    await run.event('unit.merged', { unit: 'a' });
    await b.write('README', 'of b\n');
    await b.finish();
    await (await bed.hand.next({ unit: 'b', task: 'conflict' })).exit();
    const ended = await run.ended;
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ unit: 'b', failure: { kind: 'conflict', conflict: 'textual', paths: ['README'] } });
    expect(bed.read('README')).toBe('of a\n');
    expect(worktrees(bed).some((path) => path.endsWith('/b'))).toBe(true);
    expect(fileAt(bed, 'refs/heads/choo/unit/b/1', 'README')).toBe('of b\n');
  });
});

describe('a merge error that is no conflict', () => {
  it('is never "complete": the unit fails with what git said, the target stays', async ({ bed }) => {
    // A name that only git puts into a tree.
    const base = bed.specs({ a: {} }, { agent: `${DOES_IT}; echo x > naïve.txt` });
    const real = process.env['PATH'] ?? '';
    const { PATH } = fakeProgram(bed, 'git', `for word in "$@"; do if [ "$word" = merge-tree ]; then echo 'fatal: unable to read tree' >&2; exit 128; fi; done; PATH='${real}' exec git "$@"`);
    const ended = await bed.choo(['run', '--json'], { env: { PATH: PATH ?? '' } });
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'git' } });
    expect(bed.git('rev-parse', 'main')).toBe(base);
    expect(fileAt(bed, 'refs/heads/choo/unit/a/1', 'a-1.txt')).toBeTruthy();
  });
});

describe('git hooks', () => {
  it('of the repository are not run by choo, and do not stop it', async ({ bed }) => {
    bed.specs({ a: {} });
    for (const hook of ['pre-commit', 'commit-msg', 'post-commit', 'post-checkout', 'pre-merge-commit', 'post-merge', 'prepare-commit-msg']) {
      bed.write(`.git/hooks/${hook}`, '#!/bin/sh\ntouch "$HOME/hook-ran"\nexit 1\n');
      chmodSync(join(bed.root, '.git', 'hooks', hook), 0o755);
    }
    expectEnd(await bed.choo(['run']), 0);
    expect(existsSync(join(bed.base, 'home', 'hook-ran'))).toBe(false);
    expectNothingLeft(bed);
  });

  it('no GIT_* variable from outside reaches the agent, the setup or the checks', async ({ bed }) => {
    const clean = 'test -z "$(env | grep ^GIT_)"';
    bed.specs({ a: { tasks: [{ check: `test -f a-1.txt && ${clean}` }] } }, { agent: `${clean} && ${DOES_IT}`, worktree: { setup: [clean] } });
    expectEnd(await bed.choo(['run'], { env: { GIT_EDITOR: 'vi', GIT_AUTHOR_NAME: 'Somebody', GIT_TRACE: '0' } }), 0);
    expectNothingLeft(bed);
  });
});

describe('lock races', () => {
  it('eight agents at once that commit all the time: every task lands, nobody meets a lock', async ({ bed }) => {
    const units = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((id) => [id, {}]));
    bed.specs(units, { agent: `for i in 1 2 3 4 5; do echo $i > "$CHOO_UNIT-x"; git add -A; git commit -qm "$i"; done; ${DOES_IT}` });
    const ended = await bed.choo(['run', '--json', '-p', '8']);
    expectEnd(ended, 0);
    expect(completedTasks(bed)).toEqual(Object.keys(units).map((id) => `${id}#1`));
    expect(ended.events.filter((e) => 'failure' in e)).toEqual([]);
    expectNothingLeft(bed);
  });
});
