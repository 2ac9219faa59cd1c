// Worktrees whose registration was cut by a machine that stopped, one case for each file that git had written by then.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectRepository } from '../../src/adapters/git/facts.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { makeRepository, sleepless } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
let registration: string;
beforeEach(() => {
  repo = makeRepository();
  base = repo.commit({ a: '1\n' });
  git = repo.open({ sleep: sleepless() });
  work = join(repo.base, 'work', 'unit-a');
  registration = join(repo.root, '.git', 'worktrees', 'unit-a');
});
afterEach(() => repo.close());

const BRANCH = 'refs/heads/choo/unit/a/1';

/** What `git worktree add` writes, in its order; the first is the mark that it is at work. */
function steps(): (() => void)[] {
  const put = (name: string, text: string): void => writeFileSync(join(registration, name), text);
  return [
    () => { repo.git('branch', 'choo/unit/a/1', base); mkdirSync(registration, { recursive: true }); mkdirSync(work, { recursive: true }); put('locked', 'initializing\n'); },
    () => put('gitdir', `${work}/.git\n`),
    () => writeFileSync(join(work, '.git'), `gitdir: ${registration}\n`),
    () => put('HEAD', `${'0'.repeat(40)}\n`),
    () => put('commondir', ''),
    () => put('commondir', '../..\n'),
    () => put('HEAD', `ref: ${BRANCH}\n`),
  ];
}

describe('a worktree that was cut in the making', () => {
  it.each(Array.from({ length: 7 }, (_, n) => n + 1))('after step %i is seen, has nothing to keep, goes, and can be made again', async (count) => {
    for (const step of steps().slice(0, count)) step();
    expect(await inspectRepository({ cwd: repo.root, env: repo.env, sleep: sleepless() })).toMatchObject({ kind: 'ok', mainRoot: repo.root });
    // The last one is complete but for its files, which git then calls deleted.
    const complete = { head: base, branch: BRANCH, entries: [expect.objectContaining({ path: 'README' }), expect.objectContaining({ path: 'a' })] };
    expect(await git.status(work)).toEqual(count < 7 ? { head: '0'.repeat(40), branch: undefined, entries: [] } : complete);
    await git.removeWorktree(work);
    expect(repo.git('worktree', 'list').split('\n')).toHaveLength(1);
    await git.addWorktree({ path: work, commit: base });
    expect((await git.status(work)).entries).toEqual([]);
  });

  it('is not one that somebody locked, nor one with anything in it', async () => {
    await git.addWorktree({ path: work, commit: base, branch: BRANCH });
    repo.git('worktree', 'lock', '--reason', 'initializing', work);
    await expect(git.removeWorktree(work)).rejects.toThrow('locked');
    expect((await git.status(work)).head).toBe(base);
    rmSync(join(work, 'a'));
    repo.git('worktree', 'unlock', work);
    repo.git('worktree', 'lock', '--reason', 'on a stick', work);
    await expect(git.removeWorktree(work)).rejects.toThrow('on a stick');
  });
});
