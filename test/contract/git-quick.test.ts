// Staging without a process: the tree and the index are those git would have made, or git makes them. And worktrees registered by files.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleepless } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { keepingTimes, makeBed } from './git-look.rig.ts';
import type { Bed } from './git-look.rig.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
let bed: Bed;
beforeEach(async () => {
  bed = await makeBed();
  ({ repo, git, base, work } = bed);
});
afterEach(() => repo.close());

const inWork = (...args: readonly string[]): string => bed.inWork(...args);

describe('staging of our own', () => {
  const sameTree = async (paths: readonly string[]): Promise<readonly string[]> => {
    let tree = '';
    const commands = await bed.asked(async () => (tree = await git.stage(work, paths)));
    expect(tree).toBe(inWork('write-tree'));
    inWork('fsck', '--strict', tree);
    await bed.expectSame();
    return commands;
  };

  it('makes the tree git would make, of edits, new folders, deletions, links, modes and sorting traps', async () => {
    await bed.settled();
    repo.write('a', 'edited\n', work);
    repo.write('dir-x', 'before the folder\n', work);
    repo.write('dir.x', 'also\n', work);
    repo.write('dir0', 'after\n', work);
    repo.write('n/e/w', 'x', work);
    symlinkSync('a', join(work, 'lead'));
    chmodSync(join(work, 'run.sh'), 0o755);
    rmSync(join(work, 'dir/sub/d'));
    expect(await sameTree(['a', 'dir-x', 'dir.x', 'dir0', 'n/e/w', 'lead', 'run.sh', 'dir/sub/d', 'never/was'])).toEqual([]);
    expect(inWork('status', '--porcelain').split('\n').every((line) => line[1] === ' ')).toBe(true);
    expect(await sameTree([])).toEqual([]);
  });

  it.each<readonly [string, () => void, readonly string[]]>([
    ['a file where a folder was', () => {
      rmSync(join(work, 'dir'), { recursive: true });
      repo.write('dir', 'x', work);
    }, ['dir']],
    ['a folder where a file was', () => {
      rmSync(join(work, 'a'));
      repo.write('a/in', 'x', work);
    }, ['a', 'a/in']],
    ['content converted by attributes', () => {
      repo.write('.gitattributes', '*.txt text\n', work);
      repo.write('dir/w.txt', 'x\r\n', work);
    }, ['.gitattributes', 'dir/w.txt']],
    ['content converted by attributes of a folder', () => {
      repo.write('dir/.gitattributes', '*.txt text\n', work);
      repo.write('dir/w.txt', 'x\r\n', work);
    }, ['dir/w.txt']],
    ['content converted by configuration', () => {
      repo.git('config', 'core.autocrlf', 'true');
      repo.write('w.txt', 'x\r\n', work);
    }, ['w.txt']],
    ['something the agent staged before', () => {
      repo.write('b', 'staged\n', work);
      inWork('add', 'b');
      repo.write('a', '9\n', work);
    }, ['a']],
    ['names that need care', () => {
      repo.write('ü', 'x', work);
      repo.write('tab\there', 'x', work);
      repo.write('new\nline', 'x', work);
    }, ['ü', 'tab\there', 'new\nline']],
    ['a flag in the index', () => inWork('update-index', '--assume-unchanged', 'b'), ['a']],
  ])('leaves to git what only git can do: %s', async (_, change, paths) => {
    await bed.settled();
    change();
    let tree = '';
    await git.stage(work, paths).then((made) => (tree = made));
    expect(tree).toBe(inWork('write-tree'));
    await bed.expectSame();
  });

  it('does not make a change look older than the index that it rewrites', async () => {
    // Everything in one tick of the clock: stat, change of the same size, and the index written over it.
    repo.write('b', '2\n', work);
    inWork('add', 'b');
    keepingTimes(join(work, 'b'), () => repo.write('b', '7\n', work));
    repo.write('a', 'edited\n', work);
    await git.stage(work, ['a']);
    bed.later();
    utimesSync(join(work), 1, 1);
    expect((await git.status(work)).entries.map((e) => e.path)).toEqual(['a', 'b']);
    await bed.expectSame();
  });

  it('does not take a lock that somebody holds, and leaves none behind', async () => {
    await bed.settled();
    repo.write('a', '9\n', work);
    const lock = `${bed.indexFile}.lock`;
    writeFileSync(lock, '');
    const patient = repo.open({ sleep: sleepless(() => rmSync(lock)) });
    await patient.stage(work, ['a']);
    expect(inWork('diff', '--cached', '--name-only')).toBe('a');
    expect(existsSync(lock)).toBe(false);
  });

  it('names no object in a tree that the repository does not have', async () => {
    await bed.settled();
    repo.write('b', 'staged\n', work);
    inWork('add', 'b');
    inWork('write-tree');
    const id = inWork('rev-parse', ':b');
    rmSync(join(repo.root, '.git/objects', id.slice(0, 2), id.slice(2)));
    repo.write('a', '9\n', work);
    await expect(git.stage(work, ['a'])).rejects.toThrow('write-tree');
  });
});

describe('worktrees registered by files', () => {
  const next = (name = 'unit-b'): string => join(repo.base, 'work', name);

  it('are to git what its own are', async () => {
    await git.addWorktree({ path: next('by-choo'), commit: base, branch: 'refs/heads/deep/er' });
    repo.git('worktree', 'add', '-q', '-b', 'deep/est', next('by-git'), base);
    const of = (name: string): string[] => ['HEAD', 'commondir', 'gitdir'].map((file) => readFileSync(join(repo.root, '.git/worktrees', name, file), 'utf8').replaceAll(name, 'X').replace('er\n', 'est\n'));
    expect(of('by-choo')).toEqual(of('by-git'));
    expect(readFileSync(join(next('by-choo'), '.git'), 'utf8')).toBe(readFileSync(join(next('by-git'), '.git'), 'utf8').replace('by-git', 'by-choo'));
    expect(repo.git('worktree', 'list', '--porcelain')).toContain(`worktree ${next('by-choo')}\nHEAD ${base}\nbranch refs/heads/deep/er\n`);
    expect(repo.git('worktree', 'prune', '-n', '-v')).toBe('');
    expect(existsSync(join(repo.root, '.git/worktrees/by-choo/locked'))).toBe(false);
    repo.git('-C', next('by-choo'), 'commit', '-q', '--allow-empty', '-m', 'works');
    repo.git('worktree', 'remove', next('by-choo'));
  });

  it('get a name of their own when theirs is taken, and are removed by path, not by name', async () => {
    const twin = join(repo.base, 'elsewhere', 'unit-a');
    const asked = await bed.asked(() => git.addWorktree({ path: twin, commit: base }));
    // Settings that were written a moment ago are read again.
    expect(asked.filter((command) => command !== 'config')).toEqual(['read-tree']);
    expect(readFileSync(join(twin, '.git'), 'utf8')).toBe(`gitdir: ${join(repo.root, '.git/worktrees/unit-a1')}\n`);
    await git.removeWorktree(twin);
    expect(existsSync(join(repo.root, '.git/worktrees/unit-a1'))).toBe(false);
    await bed.expectSame();
  });

  it.each([0, 1, 2, 3, 4, 5])('that were cut after %i files are no obstacle to the next try', async (files) => {
    const gitDir = join(repo.root, '.git/worktrees/unit-b');
    const steps: readonly (() => void)[] = [
      () => writeFileSync(join(gitDir, 'locked'), 'initializing'),
      () => writeFileSync(join(gitDir, 'commondir'), '../..\n'),
      () => writeFileSync(join(gitDir, 'HEAD'), `${base}\n`),
      () => writeFileSync(join(gitDir, 'gitdir'), `${next()}/.git\n`),
      () => mkdirSync(next()),
    ];
    mkdirSync(gitDir, { recursive: true });
    for (const step of steps.slice(0, files)) step();
    await git.removeWorktree(next());
    await git.addWorktree({ path: next(), commit: base, branch: 'refs/heads/unit-b' });
    expect(await git.status(next())).toEqual({ head: base, branch: 'refs/heads/unit-b', entries: [] });
  });

  it('that somebody locked are left alone', async () => {
    repo.git('worktree', 'lock', work);
    await expect(git.removeWorktree(work)).rejects.toThrow('lock');
    await bed.expectSame();
  });

  it('are made by git in a repository with settings of their own for each', async () => {
    repo.git('config', 'extensions.worktreeConfig', 'true');
    expect(await bed.asked(() => git.addWorktree({ path: next(), commit: base }))).toContain('worktree');
  });
});

describe('a clean that starts nothing', () => {
  it('is only for a worktree that holds nothing but what is tracked', async () => {
    await bed.settled();
    expect(await bed.asked(() => git.cleanWorktree(work))).toEqual([]);
    repo.write('.git/info/exclude', '*.o\n');
    for (const make of [() => repo.write('dir/x.o', '1', work), () => repo.write('left', '1', work), () => mkdirSync(join(work, 'dir/empty')), () => repo.write('new/.gitignore', '*', work)]) {
      make();
      expect(await bed.asked(() => git.cleanWorktree(work))).toContain('clean');
      expect(inWork('status', '--porcelain', '--ignored')).toBe('');
      expect(existsSync(join(work, 'dir/empty'))).toBe(false);
    }
  });
});
