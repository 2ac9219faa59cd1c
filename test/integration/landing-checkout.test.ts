// Landing on a target that somebody has checked out: clean, with local changes, in the middle of something, twice, locked.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, refs } from '../rig/facts.ts';

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

  it('with another branch out is not touched at all, whatever lands: watched from the first to the last unit', async ({ bed }) => {
    bed.specs(Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, {}])));
    bed.git('switch', '-q', '-c', 'topic');
    const before = [readFileSync(join(bed.root, '.git/index'), 'base64'), statSync(join(bed.root, '.git/index')).mtimeMs, bed.read('.git/HEAD')];
    const watched = watchFolder(bed.root);
    expectEnd(await bed.choo(['run', '-t', 'main']), 0);
    expect(await watched.end()).toEqual([]);
    expect([readFileSync(join(bed.root, '.git/index'), 'base64'), statSync(join(bed.root, '.git/index')).mtimeMs, bed.read('.git/HEAD')]).toEqual(before);
    expect(commits(bed).filter((c) => c.landed !== '')).toHaveLength(4);
  });

  it('that has the target out is touched only in what landed', async ({ bed }) => {
    bed.specs({ a: {}, b: {} });
    const watched = watchFolder(bed.root);
    expectEnd(await bed.choo(['run']), 0);
    const touched = (await watched.end()).filter((path) => !/^(a-1\.txt|b-1\.txt|specs\/tasks\/[ab]\/.*|specs(\/tasks(\/[ab])?)?)$/.test(path));
    expect(touched).toEqual([]);
    expect(bed.read('a-1.txt')).toBeTruthy();
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

/** Notes every path of a checkout, its git folder left out, that anybody touches. Folder by folder: a recursive watch would follow git's own. */
function watchFolder(top: string): { readonly end: () => Promise<readonly string[]> } {
  const touched = new Set<string>();
  const folders = ['', ...readdirSync(top, { recursive: true, withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => relative(top, join(e.parentPath, e.name)))];
  let left = 0;
  let last: (() => void) | undefined;
  const watchers = folders.filter((folder) => !/^\.git(\/|$)/.test(folder)).map((folder) => watch(join(top, folder), (_, name) => {
    if (name !== 'the-last-one') { if (name !== '.git') touched.add(join(folder, name ?? '')); return; }
    left--;
    if (left === 0) last?.();
  }));
  return {
    end: async () => {
      // What is told of a folder comes in order: after this one there is nothing older.
      const told = new Promise<void>((resolve) => { last = resolve; });
      left = watchers.length;
      for (const folder of folders) if (!/^\.git(\/|$)/.test(folder)) mkdirSync(join(top, folder, 'the-last-one'));
      await told;
      for (const watcher of watchers) watcher.close();
      for (const folder of folders) rmSync(join(top, folder, 'the-last-one'), { recursive: true, force: true });
      return [...touched];
    },
  };
}
