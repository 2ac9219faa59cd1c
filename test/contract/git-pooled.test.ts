// Folders of the pool on real git: whatever one unit left, the next one gets exactly what a fresh checkout has, or no folder at all.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GitError } from '../../src/world.ts';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
let folder: string;
let index: string;
beforeEach(async () => {
  repo = makeRepository();
  base = repo.commit({ a: '1\n', 'dir/b': '1\n', 'dir/deep/c': '1\n', 'run.sh': 'echo\n', '.gitignore': '*.o\nnode_modules/\n' });
  git = repo.open();
  work = join(repo.base, 'work', 'unit-a');
  folder = join(repo.base, 'work', 'pool', '1');
  index = join(repo.base, 'indexes', '1');
  await git.addWorktree({ path: work, commit: base, branch: BRANCH });
  expect(await git.keepIndex(work, { to: index, least: 1 })).toBe(true);
});
afterEach(() => repo.close());

const BRANCH = 'refs/heads/choo/unit/a/1';
const inWork = (path: string): string => join(work, path);
const gitIn = (...args: readonly string[]): string => repo.git('-C', work, ...args);

/** Every path below a folder with mode and content, but for `.git` at its top. */
function everything(top: string): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const name of readdirSync(join(top, path)).toSorted()) {
      const at = path === '' ? name : `${path}/${name}`;
      if (at === '.git') continue;
      const stat = lstatSync(join(top, at));
      if (stat.isDirectory()) visit(at);
      else found.push(`${at} ${(stat.mode & 0o111) === 0 ? '-' : 'x'} ${stat.isSymbolicLink() ? 'link' : readFileSync(join(top, at), 'utf8')}`);
      if (stat.isDirectory() && readdirSync(join(top, at)).length === 0) found.push(`${at}/ empty`);
    }
  };
  visit('');
  return found;
}

/** Makes a worktree of the folder and one afresh. True when the folder was of use; then both are the same in all that can be seen. */
async function sameAsFresh(commit: string): Promise<boolean> {
  await git.retireWorktree(work, { to: folder });
  const renewed = await git.renewFolder({ folder, index, from: base, commit: base, keep: [] }).catch((error: unknown) => {
    if (error instanceof GitError) return false;
    throw error;
  });
  if (!renewed) return false;
  const fresh = join(repo.base, 'work', 'fresh');
  const next = join(repo.base, 'work', 'next');
  const added = await git.addWorktree({ path: next, commit, branch: 'refs/heads/next', filled: { folder, index, from: base } }).then(() => true, () => false);
  if (!added) return false;
  await git.addWorktree({ path: fresh, commit, branch: 'refs/heads/fresh' });
  expect(everything(next)).toEqual(everything(fresh));
  const gitDirs = ['next', 'fresh'].map((name) => readdirSync(join(repo.root, '.git/worktrees', name)).filter((n) => n !== 'logs' && n !== 'ORIG_HEAD').toSorted());
  expect(gitDirs[0]).toEqual(gitDirs[1]);
  expect(repo.git('-C', next, 'status', '--porcelain=v2', '--branch', '--ignored').replace('next', 'fresh')).toBe(repo.git('-C', fresh, 'status', '--porcelain=v2', '--branch', '--ignored'));
  expect(repo.git('-C', next, 'fsck', '--no-dangling')).toBe('');
  return true;
}

const LEFT: readonly (readonly [string, () => void])[] = [
  ['untracked files and folders, also empty ones', () => { repo.write('left', 'x', work); repo.write('dir/x/y', 'x', work); mkdirSync(inWork('empty/deep'), { recursive: true }); }],
  ['ignored files', () => { repo.write('x.o', 'x', work); repo.write('node_modules/deep/x', 'x', work); repo.write('dir/x.o', 'x', work); }],
  ['ignore rules that hide something', () => { repo.write('.gitignore', '*\n', work); repo.write('hidden', 'x', work); }],
  ['staged changes', () => { repo.write('a', '2\n', work); repo.write('new', '2\n', work); gitIn('add', '-A'); }],
  ['flags in the index that hide changes', () => { gitIn('update-index', '--assume-unchanged', 'a'); gitIn('update-index', '--skip-worktree', 'dir/b'); repo.write('a', '2\n', work); repo.write('dir/b', '2\n', work); }],
  ['a change of the same size with its old time', () => { const { atime, mtime } = statSync(inWork('a')); writeFileSync(inWork('a'), '2\n'); utimesSync(inWork('a'), atime, mtime); }],
  ['an index that calls a changed file unchanged', () => { const { atime, mtime } = statSync(inWork('a')); writeFileSync(inWork('a'), '2\n'); utimesSync(inWork('a'), atime, mtime); repo.tryGit('-C', work, 'update-index', '--really-refresh', '--force-write-index', '-q'); gitIn('update-index', '--cacheinfo', `100644,${repo.git('hash-object', '-w', inWork('a'))},a`); }],
  ['modes', () => { chmodSync(inWork('a'), 0o755); chmodSync(inWork('dir/b'), 0o400); }],
  ['deleted files', () => { rmSync(inWork('dir'), { recursive: true }); rmSync(inWork('a')); }],
  ['a link instead of a folder', () => { rmSync(inWork('dir'), { recursive: true }); symlinkSync(join(repo.base, 'home'), inWork('dir')); }],
  ['a link instead of a file', () => { rmSync(inWork('a')); symlinkSync(join(repo.base, 'home', '.gitconfig'), inWork('a')); }],
  ['a file instead of a folder, and the other way round', () => { rmSync(inWork('dir'), { recursive: true }); writeFileSync(inWork('dir'), 'x'); rmSync(inWork('a')); mkdirSync(inWork('a')); writeFileSync(inWork('a/x'), 'x'); }],
  ['a merge in progress', () => { repo.git('branch', 'other', `${base}~1`); gitIn('commit', '-q', '--allow-empty', '-m', 'mine'); gitIn('merge', '-q', '--no-commit', '--no-ff', '-s', 'ours', repo.git('commit-tree', '-p', `${base}~1`, '-m', 'x', `${base}~1^{tree}`)); }],
  ['a bisect, refs and notes of its own', () => { gitIn('bisect', 'start'); gitIn('update-ref', 'refs/worktree/mine', base); gitIn('update-ref', 'refs/bisect/bad', base); }],
  ['locks', () => { for (const name of ['index.lock', 'HEAD.lock']) writeFileSync(join(gitIn('rev-parse', '--absolute-git-dir'), name), ''); }],
  ['a sparse checkout of its own', () => { const dir = join(gitIn('rev-parse', '--absolute-git-dir'), 'info'); mkdirSync(dir, { recursive: true }); writeFileSync(join(dir, 'sparse-checkout'), '/a\n'); }],
  ['a head elsewhere', () => gitIn('checkout', '-q', '--detach', `${base}~1`)],
  ['a repository of its own instead of the worktree\'s', () => { rmSync(inWork('.git')); gitIn('init', '-q'); }],
  ['a repository beside', () => { mkdirSync(inWork('inner')); repo.git('-C', inWork('inner'), 'init', '-q'); writeFileSync(join(inWork('inner'), 'x'), 'x'); }],
];

/** What makes a folder useless: it cannot be proved clean. */
const USELESS: readonly (readonly [string, () => void])[] = [
  ['a repository among the worktree\'s own files, which git looks past', () => { repo.git('-C', inWork('dir'), 'init', '-q'); writeFileSync(inWork('dir/.git/secret'), 'x'); }],
  ['a file of that name', () => writeFileSync(inWork('dir/.git'), 'secret')],
];

describe('a folder of the pool', () => {
  it.each(LEFT)('is like a fresh checkout after %s', async (_name, leave) => {
    leave();
    expect(await sameAsFresh(base)).toBe(true);
    expect(readFileSync(join(repo.base, 'home', '.gitconfig'), 'utf8')).toContain('Tess Ter');
  });

  it.each(USELESS)('is not used after %s', async (_name, leave) => {
    leave();
    expect(await sameAsFresh(base)).toBe(false);
  });

  it('goes to another commit, with what its unit committed gone or there as the commit says', async () => {
    repo.write('mine', 'x', work);
    gitIn('add', '-A');
    gitIn('commit', '-q', '-m', 'mine');
    rmSync(join(repo.root, 'dir/b'));
    const next = repo.commit({ a: '3\n', 'other/d': '1\n', mine: 'landed otherwise' });
    expect(await sameAsFresh(next)).toBe(true);
  });

  it('shares no file with anybody: one that is linked from elsewhere is written anew', async () => {
    const outside = join(repo.base, 'outside');
    linkSync(inWork('a'), outside);
    utimesSync(outside, 1, 1);
    expect(await sameAsFresh(base)).toBe(true);
    expect(statSync(join(repo.base, 'work', 'next', 'a')).ino).not.toBe(statSync(outside).ino);
  });

  it('is not used when the rules changed by which files are written', async () => {
    const next = repo.commit({ 'dir/.gitattributes': '* text eol=crlf\n' });
    expect(await sameAsFresh(next)).toBe(false);
  });

  it('is renewed for a commit at once, too', async () => {
    repo.write('mine', 'x', work);
    const next = repo.commit({ a: '3\n', 'other/d': '1\n' });
    await git.retireWorktree(work, { to: folder });
    expect(await git.renewFolder({ folder, index, from: base, commit: next, keep: [] })).toBe(true);
    expect(everything(folder)).toEqual(['.gitignore - *.o\nnode_modules/\n', 'README - first\n', 'a - 3\n', 'dir/b - 1\n', 'dir/deep/c - 1\n', 'other/d - 1\n', 'run.sh - echo\n']);
  });

  it.each([['a', '2\n'], ['dir/b', '1\n\n']])('that was changed while it lay there is not used: %s', async (path, text) => {
    await git.retireWorktree(work, { to: folder });
    expect(await git.renewFolder({ folder, index, from: base, commit: base, keep: [] })).toBe(true);
    writeFileSync(join(folder, path), text);
    const next = repo.commit({ a: '3\n' });
    const to = join(repo.base, 'work', 'next');
    await expect(git.addWorktree({ path: to, commit: next, branch: 'refs/heads/next', filled: { folder, index, from: base } })).rejects.toThrow(GitError);
    expect([existsSync(to), await git.resolve('refs/heads/next')]).toEqual([false, undefined]);
  });

  it('of a worktree that is locked or none stays where it was', async () => {
    repo.git('worktree', 'lock', work);
    await expect(git.retireWorktree(work, { to: folder })).rejects.toThrow(GitError);
    expect((await git.status(work)).head).toBe(base);
    const plain = join(repo.base, 'work', 'plain');
    mkdirSync(plain);
    writeFileSync(join(plain, 'x'), 'x');
    await expect(git.retireWorktree(plain, { to: folder })).rejects.toThrow(GitError);
    expect(existsSync(join(plain, 'x'))).toBe(true);
  });

  it('is not made of what only git could judge: submodules, an index in parts, unusual settings', async () => {
    const to = join(dirname(index), '2');
    repo.git('update-index', '--add', '--cacheinfo', `160000,${base},module`);
    const linked = repo.git('commit-tree', '-p', base, '-m', 'x', repo.git('write-tree'));
    await git.addWorktree({ path: join(repo.base, 'work', 'b'), commit: linked });
    expect(await git.keepIndex(join(repo.base, 'work', 'b'), { to, least: 1 })).toBe(false);
    gitIn('update-index', '--split-index');
    expect(await git.keepIndex(work, { to, least: 1 })).toBe(false);
    repo.git('config', 'extensions.worktreeConfig', 'true');
    expect(await repo.open().keepIndex(work, { to, least: 1 })).toBe(false);
    expect(existsSync(to)).toBe(false);
  });

  it.each([['2'], ['3'], ['4']])('is made of an index of version %s', async (version) => {
    gitIn('update-index', '--index-version', version);
    expect(await git.keepIndex(work, { to: index, least: 4 })).toBe(true);
    expect(await git.keepIndex(work, { to: index, least: 7 })).toBe(false);
    repo.write('left', 'x', work);
    expect(await sameAsFresh(base)).toBe(true);
  });
});
