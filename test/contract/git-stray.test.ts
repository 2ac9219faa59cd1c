// Worktrees of choo's own in whose place an agent has put something else: a link to somebody's checkout, or a folder that git does not know.

import { lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { strayLink } from '../../src/adapters/stray.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { GitError } from '../../src/world.ts';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
let other: string;
beforeEach(async () => {
  repo = makeRepository();
  base = repo.commit({ a: '1\n', '.gitignore': 'ignored\n' });
  git = repo.open();
  work = join(repo.base, 'work', 'a');
  other = join(repo.base, 'work', 'b');
  await git.addWorktree({ path: work, commit: base });
  await git.addWorktree({ path: other, commit: base });
  for (const top of [repo.root, other]) for (const path of ['a', 'new', 'ignored']) repo.write(path, 'precious\n', top);
});
afterEach(() => repo.close());

const precious = (top: string): string[] => [...['a', 'new', 'ignored'].map((path) => readFileSync(join(top, path), 'utf8')), lstatSync(join(top, '.git')).isDirectory() ? 'folder' : 'file'];

/** Everything that changes a worktree. */
const DEEDS: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ['status', (path) => git.status(path)],
  ['reset', (path) => git.resetWorktree(path, { branch: undefined, commit: base })],
  ['clean', (path) => git.cleanWorktree(path)],
  ['restore', (path) => git.restorePaths(path, { commit: base, paths: ['a', 'new'] })],
  ['stage', (path) => git.stage(path, ['a'])],
  ['keep', (path) => git.keep(path, { ref: 'refs/choo/kept/x', message: 'x' })],
  ['repair', (path) => git.repairLink(path)],
  ['locks', (path) => git.releaseLocks(path, 'refs/heads/x')],
  ['retire', (path) => git.retireWorktree(path, { to: join(repo.base, 'pool', 'x') })],
];

describe.each([['the main checkout', () => repo.root], ['another worktree of choo’s', () => other]] as const)('a link to %s in the place of a worktree', (_, where) => {
  beforeEach(() => {
    rmSync(work, { recursive: true });
    symlinkSync(where(), work);
  });

  it.each(DEEDS)('is not followed: %s', async (_name, deed) => {
    await expect(deed(work)).rejects.toThrow(GitError);
    expect(precious(where()).slice(0, 3)).toEqual(['precious\n', 'precious\n', 'precious\n']);
    expect(precious(repo.root)[3]).toBe('folder');
    expect(lstatSync(work).isSymbolicLink()).toBe(true);
  });

  it('is seen, and moved aside as it is; then the worktree can be made again', async () => {
    expect(await git.whatStands(work)).toBe('other');
    const aside = await git.setAside(work);
    expect(realpathSync(aside)).toBe(where());
    expect(await git.whatStands(work)).toBe('nothing');
    await git.addWorktree({ path: work, commit: base });
    expect(await git.status(work)).toEqual({ head: base, branch: undefined, entries: [] });
    expect(precious(where()).slice(0, 3)).toEqual(['precious\n', 'precious\n', 'precious\n']);
  });

  it('goes alone when the worktree is removed', async () => {
    await git.removeWorktree(work);
    expect(readdirSync(join(repo.base, 'work'))).toEqual(['b']);
    expect(precious(where()).slice(0, 3)).toEqual(['precious\n', 'precious\n', 'precious\n']);
  });
});

describe('a link in the path of a worktree', () => {
  beforeEach(() => {
    renameSync(join(repo.base, 'work'), join(repo.base, 'before'));
    symlinkSync(repo.root, join(repo.base, 'work'));
  });

  it.each([...DEEDS, ['make', (path: string) => git.addWorktree({ path, commit: base })] as const, ['remove', (path: string) => git.removeWorktree(path)] as const, ['aside', (path: string) => git.setAside(path)] as const])('is not followed: %s', async (_name, deed) => {
    const before = readdirSync(repo.root);
    for (const path of [work, join(repo.base, 'work', 'units', 'x')]) await expect(deed(path)).rejects.toThrow(GitError);
    expect(readdirSync(repo.root)).toEqual(before);
    expect(precious(repo.root)).toEqual(['precious\n', 'precious\n', 'precious\n', 'folder']);
  });
});

describe('what git does not know', () => {
  it('is a worktree whose registration is gone, or a link to what an agent made', async () => {
    const registration = join(repo.root, '.git', 'worktrees', 'a');
    renameSync(registration, join(repo.base, 'fake'));
    expect(await git.whatStands(work)).toBe('other');
    symlinkSync(join(repo.base, 'fake'), registration);
    expect(await git.whatStands(work)).toBe('other');
    writeFileSync(join(work, 'mine'), 'x');
    const aside = await git.setAside(work);
    expect(readFileSync(join(aside, 'mine'), 'utf8')).toBe('x');
    await git.addWorktree({ path: work, commit: base });
    expect(await git.whatStands(work)).toBe('worktree');
  });

  it('is the main checkout, wherever choo believes its worktrees to be', async () => {
    expect(await git.whatStands(repo.root)).toBe('other');
    await expect(git.repairLink(repo.root)).rejects.toThrow(GitError);
  });

  it('steers nothing of the repository when the git folder of a worktree becomes a link to it', async () => {
    await git.rememberOwnFolder(work);
    const registration = join(repo.root, '.git', 'worktrees', 'a');
    rmSync(registration, { recursive: true });
    symlinkSync(join(repo.root, '.git'), registration);
    expect(await git.mendOwnFolder(work)).toEqual([]);
    expect(readdirSync(join(repo.root, '.git'))).not.toContain('commondir');
  });
});

describe('a folder of the pool', () => {
  it('that became a link is not renewed, and nothing is made through one', async () => {
    const folder = join(repo.base, 'pool', 'x');
    mkdirSync(join(repo.base, 'pool'));
    symlinkSync(repo.root, folder);
    const index = join(repo.base, 'index');
    await expect(git.renewFolder({ folder, index, commit: base, keep: [] })).rejects.toThrow('a symbolic link leads from there');
    await expect(git.renewFolder({ folder: join(folder, 'y'), index, commit: base, keep: [] })).rejects.toThrow('a symbolic link leads from there');
    await expect(git.retireWorktree(work, { to: join(folder, 'y') })).rejects.toThrow(GitError);
    expect(precious(repo.root)).toEqual(['precious\n', 'precious\n', 'precious\n', 'folder']);
    expect(await git.whatStands(work)).toBe('worktree');
  });
});

describe('a path', () => {
  it('leads where it says unless a link is in what of it exists', () => {
    symlinkSync(repo.root, join(repo.base, 'link'));
    symlinkSync('nowhere', join(repo.base, 'dangling'));
    symlinkSync('itself', join(repo.base, 'itself'));
    expect(strayLink(repo.root)).toBeUndefined();
    expect(strayLink(join(repo.base, 'not/yet/there'))).toBeUndefined();
    expect(strayLink(join(repo.base, 'link/a'))).toBe(join(repo.root, 'a'));
    expect(strayLink(join(repo.base, 'link/not/yet'))).toBe(repo.root);
    for (const name of ['dangling', 'dangling/x', 'itself', 'itself/x']) expect([name, strayLink(join(repo.base, name))]).not.toContain(undefined);
  });
});
