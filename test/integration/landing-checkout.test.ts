// Landing on a target that somebody has checked out: clean, with local changes, in the middle of something, twice, locked.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { completedTasks, expectEnd, expectNothingLeft, refs } from '../rig/facts.ts';

/** The target did not move, the run's own branch has everything, and the message says how to close it. */
function expectDiverted(bed: Bed, o: { readonly ended: Ended; readonly base: string }): void {
  expectEnd(o.ended, 1);
  expect(bed.git('rev-parse', 'main')).toBe(o.base);
  expect(completedTasks(bed, 'choo/run/1')).toEqual(['a#1']);
  expect(o.ended.stdout + o.ended.stderr).toContain('target not advanced');
  expect(o.ended.stdout + o.ended.stderr).toContain('git merge --ff-only choo/run/1');
}

describe('a checked-out target', () => {
  it('that is clean is moved with its files', async ({ bed }) => {
    bed.specs({ a: {} });
    expectEnd(await bed.choo(['run']), 0);
    expect(bed.read('a-1.txt')).toBe('1 in attempt 1\n');
    expectNothingLeft(bed);
  });

  it('with local changes elsewhere is moved, and they stay', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.write('README', 'my own words\n');
    bed.write('notes', 'untracked\n');
    expectEnd(await bed.choo(['run']), 0);
    expect(bed.git('status', '--porcelain')).toBe(' M README\n?? notes');
    expect(bed.read('a-1.txt')).toBe('1 in attempt 1\n');
  });

  it('with local changes in the way: lands on choo/run/1, exit 1, and one command closes it', async ({ bed }) => {
    const base = bed.specs({ a: {} });
    bed.write('a-1.txt', 'my own words\n');
    const ended = await bed.choo(['run']);
    expectDiverted(bed, { ended, base });
    expect(bed.read('a-1.txt')).toBe('my own words\n');
    rmSync(join(bed.root, 'a-1.txt'));
    bed.git('merge', '-q', '--ff-only', 'choo/run/1');
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('that was in the way: a later resume advances it first', async ({ bed }) => {
    const base = bed.specs({ a: {} });
    bed.write('a-1.txt', 'my own words\n');
    expectDiverted(bed, { ended: await bed.choo(['run']), base });
    rmSync(join(bed.root, 'a-1.txt'));
    expectEnd(await bed.choo(['resume']), 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expectNothingLeft(bed);
  });

  it('that was in the way and got new commits since: they are merged in, proved, and it advances', async ({ bed }) => {
    const base = bed.specs({ a: {} });
    bed.write('a-1.txt', 'my own words\n');
    expectDiverted(bed, { ended: await bed.choo(['run']), base });
    rmSync(join(bed.root, 'a-1.txt'));
    const theirs = bed.commit({ 'person.txt': 'mine\n' });
    expectEnd(await bed.choo(['resume']), 0);
    expect(bed.tryGit('merge-base', '--is-ancestor', theirs, 'main')).toBe(0);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expect(bed.read('person.txt')).toBe('mine\n');
    expectNothingLeft(bed);
  });

  it('with units after the one that was in the way: they go on, on the run\'s own branch', async ({ bed }) => {
    const base = bed.specs({ a: {}, b: { dependsOn: ['a'] } });
    bed.write('a-1.txt', 'my own words\n');
    const ended = await bed.choo(['run']);
    expectEnd(ended, 1);
    expect(bed.git('rev-parse', 'main')).toBe(base);
    expect(completedTasks(bed, 'choo/run/1')).toEqual(['a#1', 'b#1']);
  });

  it('in the middle of a rebase is left alone', async ({ bed }) => {
    const base = bed.specs({ a: {} });
    bed.git('switch', '-q', '-c', 'topic', 'HEAD~1');
    bed.commit({ README: 'theirs\n' });
    bed.git('switch', '-q', 'main');
    const mine = bed.commit({ README: 'mine\n' });
    expect(base).not.toBe(mine);
    expect(bed.tryGit('rebase', 'topic')).not.toBe(0);
    const ended = await bed.choo(['run', '--target', 'main']);
    expectDiverted(bed, { ended, base: mine });
    expect(existsSync(join(bed.root, '.git', 'rebase-merge'))).toBe(true);
    bed.git('rebase', '--abort');
    expectEnd(await bed.choo(['resume']), 0);
    expectNothingLeft(bed, ['refs/heads/main', 'refs/heads/topic']);
  });

  it('in two worktrees is moved in neither', async ({ bed }) => {
    const base = bed.specs({ a: {} });
    bed.git('worktree', 'add', '-q', '--force', join(bed.base, 'second'), 'main');
    const ended = await bed.choo(['run']);
    expectDiverted(bed, { ended, base });
    expect(bed.git('-C', join(bed.base, 'second'), 'status', '--porcelain')).toBe('');
  });

  it('in a linked worktree alone is moved there, with its files', async ({ bed }) => {
    bed.specs({ a: {} });
    const linked = join(bed.base, 'linked');
    bed.git('switch', '-q', '--detach');
    bed.git('worktree', 'add', '-q', linked, 'main');
    expectEnd(await bed.choo(['run', '--target', 'main']), 0);
    expect(existsSync(join(linked, 'a-1.txt'))).toBe(true);
    expect(existsSync(join(bed.root, 'a-1.txt'))).toBe(false);
    expect(bed.git('-C', linked, 'status', '--porcelain')).toBe('');
  });

  it('whose index is locked by another process: tried a bounded number of times, then beside it', async ({ bed }) => {
    const base = bed.specs({ a: {} });
    writeFileSync(join(bed.root, '.git', 'index.lock'), '');
    const ended = await bed.choo(['run']);
    expectDiverted(bed, { ended, base });
    rmSync(join(bed.root, '.git', 'index.lock'));
    expectEnd(await bed.choo(['resume']), 0);
    expectNothingLeft(bed);
  });

  it('with an untracked folder in the way keeps it', async ({ bed }) => {
    const base = bed.specs({ a: {} });
    mkdirSync(join(bed.root, 'a-1.txt'));
    bed.write('a-1.txt/inner', 'mine\n');
    expectDiverted(bed, { ended: await bed.choo(['run']), base });
    expect(bed.read('a-1.txt/inner')).toBe('mine\n');
    expect(refs(bed)).toContain('refs/heads/choo/run/1');
  });
});
