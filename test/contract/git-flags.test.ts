// Flags that make git look past a file: taken off, and what is kept holds what they hid. A sparse checkout of the user's stays sparse.

import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
beforeEach(() => {
  repo = makeRepository();
  base = repo.commit({ assumed: '1\n', skipped: '1\n', both: '1\n', 'out/file': '1\n', 'in/file': '1\n' });
  git = repo.open();
  work = join(repo.base, 'work');
});
afterEach(() => repo.close());

const flag = (...args: readonly string[]): string => repo.git('-C', work, 'update-index', ...args);
const entries = async (): Promise<string[]> => (await git.status(work)).entries.map((e) => e.path).toSorted();

it.each(['2', '4'])('are taken off, and what they hid is seen (index version %s)', async (version) => {
  await git.addWorktree({ path: work, commit: base });
  expect(await git.clearFlags(work)).toBe(false);
  flag('--index-version', version);
  flag('--assume-unchanged', 'assumed', 'both');
  flag('--skip-worktree', 'skipped', 'both');
  for (const path of ['assumed', 'skipped', 'both']) repo.write(path, '2\n', work);
  expect(await entries()).toEqual([]);
  expect(await git.clearFlags(work)).toBe(true);
  expect(await entries()).toEqual(['assumed', 'both', 'skipped']);
  expect(await git.clearFlags(work)).toBe(false);
});

it('hide nothing from what is kept, and stay in the worktree’s index meanwhile', async () => {
  await git.addWorktree({ path: work, commit: base });
  flag('--assume-unchanged', 'assumed');
  flag('--skip-worktree', 'skipped');
  for (const path of ['assumed', 'skipped']) repo.write(path, 'mine\n', work);
  const kept = await git.keep(work, { ref: 'refs/choo/kept/x', message: 'x' });
  expect([repo.git('show', `${kept}:assumed`), repo.git('show', `${kept}:skipped`)]).toEqual(['mine', 'mine']);
  expect(repo.git('-C', work, 'ls-files', '-v', 'assumed', 'skipped')).toBe('h assumed\nS skipped');
});

it('of a sparse checkout stay where no file is', async () => {
  repo.git('sparse-checkout', 'set', 'in');
  await git.addWorktree({ path: work, commit: base });
  repo.git('-C', work, 'sparse-checkout', 'set', 'in');
  expect(existsSync(join(work, 'out'))).toBe(false);
  expect(await git.clearFlags(work)).toBe(false);
  flag('--skip-worktree', 'assumed');
  repo.write('assumed', '2\n', work);
  await git.clearFlags(work);
  expect(await entries()).toEqual(['assumed']);
  expect(repo.git('-C', work, 'ls-files', '-v', 'out/file')).toBe('S out/file');
});

it('on files behind a link that took their folder’s place are taken off, and the link is seen', async () => {
  await git.addWorktree({ path: work, commit: base });
  flag('--skip-worktree', 'in/file');
  rmSync(join(work, 'in'), { recursive: true });
  symlinkSync(join(repo.root, 'in'), join(work, 'in'));
  repo.write('.git/info/exclude', '/in\n');
  expect(await git.clearFlags(work)).toBe(true);
  expect(await entries()).toEqual(['in/file']);
  await git.restorePaths(work, { commit: base, paths: ['in/file'] });
  expect(await entries()).toEqual([]);
});
