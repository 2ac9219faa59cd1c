// A pipe where git has a file: choo does not wait for what comes out of it, and believes none of it.

import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { gitRunner } from '../../src/adapters/git/exec.ts';
import { countOf, isPlain } from '../../src/adapters/git/index-copy.ts';
import { branchFile } from '../../src/adapters/git/ref-files.ts';
import { isLocked } from '../../src/adapters/git/register.ts';
import { registeredAt, textOf } from '../../src/adapters/git/repository.ts';
import { settingsReader } from '../../src/adapters/git/settings.ts';
import type { Settings } from '../../src/adapters/git/settings.ts';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import { openPipes } from './pipe.rig.ts';
import type { Pipes } from './pipe.rig.ts';

let repo: TestRepository;
let pipes: Pipes;
let work: string;
/** The worktree's own git directory. */
let own: string;
beforeEach(() => {
  repo = makeRepository();
  pipes = openPipes();
  work = repo.worktree();
  own = join(repo.root, '.git/worktrees/linked');
});
afterEach(async () => {
  pipes.close();
  await repo.close();
});

const pipe = (path: string): void => pipes.instead(path, join(repo.base, 'kept'));

it('the log of the stash: its entries are gone', async () => {
  const git = repo.open();
  repo.write('README', 'changed\n', work);
  repo.git('-C', work, 'stash');
  expect((await git.snapshot()).stash.size).toBe(1);
  pipe(join(repo.root, '.git/logs/refs/stash'));
  expect((await git.snapshot()).stash.size).toBe(0);
});

it('what says where a worktree is: it is registered nowhere', async () => {
  expect(await registeredAt(own)).toBe(work);
  pipe(join(own, 'gitdir'));
  expect(await registeredAt(own)).toBeUndefined();
  expect(await textOf(join(own, 'gitdir'))).toBeUndefined();
});

it('the commit that is merged in: there is none', async () => {
  const theirs = repo.commit({ README: 'theirs\n' });
  repo.write('README', 'ours\n', work);
  repo.git('-C', work, 'commit', '-qam', 'ours');
  const git = repo.open();
  await git.beginMerge(work, theirs);
  expect(await git.mergeHead(work)).toBe(theirs);
  pipe(join(own, 'MERGE_HEAD'));
  expect(await git.mergeHead(work)).toBeUndefined();
});

it('a branch: git is to be asked, as about a folder in its place', () => {
  const commonDir = join(repo.root, '.git');
  expect(branchFile(commonDir, 'refs/heads/linked')).toBe(repo.git('rev-parse', 'linked'));
  pipe(join(commonDir, 'refs/heads/linked'));
  expect(branchFile(commonDir, 'refs/heads/linked')).toBe('other');
  expect(branchFile(commonDir, 'refs/heads')).toBe('other');
});

it('rules for ignored files and attributes: there may be some', async () => {
  const info = join(repo.root, '.git/info');
  for (const name of ['exclude', 'attributes']) writeFileSync(join(info, name), '# none\n');
  const read = (): Promise<Settings> => settingsReader({ git: gitRunner({ env: repo.env, sleep: systemClock().sleep }), commonDir: join(repo.root, '.git') }).read();
  expect(await read()).toMatchObject({ ignores: false, attributes: false });
  for (const name of ['exclude', 'attributes']) pipe(join(info, name));
  expect(await read()).toMatchObject({ ignores: true, attributes: true });
});

it('an index: it is none that choo copies, and not whole', async () => {
  const git = repo.open();
  const index = join(own, 'index');
  expect([isPlain(index, 20), countOf(index), await git.isBroken(work)]).toEqual([true, 1, false]);
  pipe(index);
  expect([isPlain(index, 20), countOf(index), await git.isBroken(work)]).toEqual([false, 0, true]);
  rmSync(index);
  writeFileSync(index, 'DIRC');
  expect([isPlain(index, 20), countOf(index), await git.isBroken(work)]).toEqual([false, 0, true]);
});

it('HEAD: the worktree is broken', async () => {
  const git = repo.open();
  expect(await git.isBroken(work)).toBe(false);
  pipe(join(own, 'HEAD'));
  expect(await git.isBroken(work)).toBe(true);
});

it('a lock: whatever it is, also a link that leads nowhere, git sees it', () => {
  expect(isLocked(own)).toBe(false);
  symlinkSync('nowhere', join(own, 'locked'));
  expect(isLocked(own)).toBe(true);
  expect(() => repo.git('worktree', 'list', '--porcelain')).toThrow('locked');
});
