// The real git adapter: worktrees and what is done in them (stage, restore, reset, keep). Each test names what it protects.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bug } from '../../src/core/bug.ts';
import { GitError, PathTaken } from '../../src/world.ts';
import { letPass } from './git-look.rig.ts';
import { makeRepository, notingGit } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
beforeEach(() => {
  repo = makeRepository();
  base = repo.commit({ a: '1\n', 'dir/b': '1\n', 'run.sh': 'echo\n' });
  git = repo.open();
  work = join(repo.base, 'work', 'unit-a');
});
afterEach(() => repo.close());

const BRANCH = 'refs/heads/choo/unit/a/1';
const text = (path: string, worktree = work): string => readFileSync(join(worktree, path), 'utf8');
const files = (tree: string): string[] => repo.git('ls-tree', '-r', '-z', '--name-only', tree).split('\0').filter((p) => p !== '');

describe('adding and removing worktrees', () => {
  it('checks out exactly the commit on a new branch that tracks nothing', async () => {
    repo.git('config', 'branch.autoSetupMerge', 'always');
    await git.addWorktree({ path: work, commit: base, branch: BRANCH });
    expect(await git.status(work)).toEqual({ head: base, branch: BRANCH, entries: [] });
    expect(text('dir/b')).toBe('1\n');
    expect(repo.tryGit('config', '--get-regexp', '^branch\\.choo')).toBe(1);
  });

  it('runs no hook of the user\'s', async () => {
    mkdirSync(join(repo.root, '.git', 'hooks'), { recursive: true });
    for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) {
      writeFileSync(join(repo.root, '.git', 'hooks', hook), `#!/bin/sh\necho ran >> '${repo.base}/hooked'\n`);
      chmodSync(join(repo.root, '.git', 'hooks', hook), 0o755);
    }
    await git.addWorktree({ path: work, commit: base, branch: BRANCH });
    await git.resetWorktree(work, { branch: BRANCH, commit: base });
    expect(existsSync(join(repo.base, 'hooked'))).toBe(false);
  });

  it('makes twenty at once without tripping, and removes them again (git lock races at 8+ agents)', async () => {
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const path = (n: number): string => join(repo.base, 'work', `u${n}`);
    await Promise.all(numbers.map((n) => git.addWorktree({ path: path(n), commit: base, branch: `refs/heads/u${n}` })));
    expect((await Promise.all(numbers.map((n) => git.status(path(n))))).every((s) => s.head === base && s.entries.length === 0)).toBe(true);
    await Promise.all(numbers.map((n) => git.removeWorktree(path(n))));
    expect(repo.git('worktree', 'list').split('\n')).toHaveLength(1);
    expect(readdirSync(join(repo.base, 'work'))).toEqual([]);
  });

  it('refuses a path that is taken and leaves what is there, the branch and the registrations alone', async () => {
    mkdirSync(work, { recursive: true });
    writeFileSync(join(work, 'precious'), '1');
    await expect(git.addWorktree({ path: work, commit: base, branch: BRANCH })).rejects.toThrow(PathTaken);
    expect(text('precious')).toBe('1');
    expect(await git.resolve(BRANCH)).toBeUndefined();
    const other = join(repo.base, 'work', 'other');
    await git.addWorktree({ path: other, commit: base });
    rmSync(other, { recursive: true });
    await expect(git.addWorktree({ path: other, commit: base, branch: BRANCH })).rejects.toThrow(PathTaken);
    expect(await git.resolve(BRANCH)).toBeUndefined();
  });

  it('refuses a branch that exists and does not move it', async () => {
    repo.git('branch', 'choo/unit/a/1', `${base}~1`);
    await expect(git.addWorktree({ path: work, commit: base, branch: BRANCH })).rejects.toThrow(GitError);
    expect(await git.resolve(BRANCH)).toBe(repo.git('rev-parse', `${base}~1`));
    expect(existsSync(work)).toBe(false);
  });

  it('takes a cut attempt with it: no branch is left when the worktree cannot be made', async () => {
    writeFileSync(join(repo.base, 'file'), '');
    await expect(git.addWorktree({ path: join(repo.base, 'file', 'w'), commit: base, branch: BRANCH })).rejects.toThrow(GitError);
    expect(await git.resolve(BRANCH)).toBeUndefined();
  });

  it('removes only its own registration, whatever the folder holds, and twice without complaint', async () => {
    const users = join(repo.base, 'users');
    repo.git('worktree', 'add', '-q', '--detach', users);
    rmSync(users, { recursive: true });
    await git.addWorktree({ path: work, commit: base, branch: BRANCH });
    repo.write('a', 'dirty', work);
    repo.write('untracked/deep', '1', work);
    repo.git('init', '-q', join(work, 'inner'));
    chmodSync(join(work, 'untracked'), 0o500);
    await git.removeWorktree(work);
    await git.removeWorktree(work);
    await git.removeWorktree(join(repo.base, 'never', 'was'));
    expect(existsSync(work)).toBe(false);
    expect(repo.git('worktree', 'list', '--porcelain')).toContain(users);
    expect(repo.git('worktree', 'list', '--porcelain')).not.toContain(work);
    expect(await git.resolve(BRANCH)).toBe(base);
  });

  it('removes the registration of a folder that is gone, and sweeps up what a crash left aside', async () => {
    await git.addWorktree({ path: work, commit: base, branch: BRANCH });
    rmSync(work, { recursive: true });
    mkdirSync(join(repo.base, 'work', '.unit-a.removed-0123', 'x'), { recursive: true });
    await git.removeWorktree(work);
    expect(readdirSync(join(repo.base, 'work'))).toEqual([]);
    expect(repo.git('worktree', 'list').split('\n')).toHaveLength(1);
  });

  it('never removes a locked worktree, a folder that is none, or the main checkout', async () => {
    await git.addWorktree({ path: work, commit: base });
    repo.git('worktree', 'lock', work);
    await expect(git.removeWorktree(work)).rejects.toThrow(GitError);
    expect(text('a')).toBe('1\n');
    const folder = join(repo.base, 'home');
    await expect(git.removeWorktree(folder)).rejects.toThrow(GitError);
    expect(existsSync(join(folder, '.gitconfig'))).toBe(true);
    await expect(git.removeWorktree(repo.root)).rejects.toThrow(GitError);
    expect(text('a', repo.root)).toBe('1\n');
  });
});

describe('the fence around a worktree', () => {
  it('never works on another repository when an agent removed or bent .git (edits land in the main checkout)', async () => {
    await git.addWorktree({ path: work, commit: base, branch: BRANCH });
    repo.write('wip', 'user\'s own', repo.root);
    repo.git('add', 'wip');
    for (const bend of [() => rmSync(join(work, '.git')), () => writeFileSync(join(work, '.git'), `gitdir: ${repo.root}/.git\n`)]) {
      bend();
      repo.write('a', 'agent\n', work);
      const tree = await git.stage(work, ['a']);
      expect(files(tree)).not.toContain('wip');
      await git.resetWorktree(work, { branch: BRANCH, commit: base });
      expect(text('a')).toBe('1\n');
      expect(repo.git('diff', '--cached', '--name-only')).toBe('wip');
    }
    rmSync(join(work, '.git'));
    repo.git('-C', work, 'init', '-q');
    expect((await git.status(work)).head).toBe(base);
  });

  it('refuses to work in a folder that is no worktree of the repository', async () => {
    const other = join(repo.base, 'home');
    repo.git('init', '-q', other);
    await expect(git.cleanWorktree(other)).rejects.toThrow(GitError);
    await expect(git.status(join(repo.base, 'missing'))).rejects.toThrow(GitError);
    expect(existsSync(join(other, '.gitconfig'))).toBe(true);
  });
});

describe('staging', () => {
  beforeEach(() => git.addWorktree({ path: work, commit: base, branch: BRANCH }));

  it('stages exactly the given paths: changed, new, deleted, executable, links, hostile names', async () => {
    const names = ['-A', ':(top)x', '*', 'new\nline', 'ü☃'];
    for (const name of names) repo.write(name, name, work);
    repo.link('link', '/etc/passwd', work);
    chmodSync(join(work, 'run.sh'), 0o755);
    rmSync(join(work, 'dir'), { recursive: true });
    repo.write('a', '2\n', work);
    repo.write('not mine', '1', work);
    const tree = await git.stage(work, [...names, 'link', 'run.sh', 'dir/b', 'a']);
    expect(files(tree).sort()).toEqual([...names, 'README', 'a', 'link', 'run.sh'].sort());
    expect(repo.git('ls-tree', tree, 'run.sh', 'link')).toMatch(/^120000 blob \w+\tlink\n100755 blob \w+\trun\.sh$/);
    expect(repo.git('cat-file', '-p', `${tree}:link`)).toBe('/etc/passwd');
  });

  it('lets a file become a folder, a folder a file, and a folder a link', async () => {
    rmSync(join(work, 'a'));
    repo.write('a/x', '1', work);
    rmSync(join(work, 'dir'), { recursive: true });
    repo.write('dir', '1', work);
    const first = await git.stage(work, ['a/x', 'dir', 'a', 'dir/b']);
    expect(files(first)).toEqual(['README', 'a/x', 'dir', 'run.sh']);
    rmSync(join(work, 'a'), { recursive: true });
    repo.write('target/x', '1', work);
    repo.link('a', 'target', work);
    expect(files(await git.stage(work, ['a', 'a/x', 'target/x']))).toEqual(['README', 'a', 'dir', 'run.sh', 'target/x']);
  });

  it('refuses paths that git cannot track', async () => {
    for (const path of ['/etc/passwd', '../x', '.git/config', 'x/.GIT/config', 'inner/', '']) await expect(git.stage(work, [path])).rejects.toThrow(GitError);
  });

  it('makes commits with the whole message and all parents, and moves nothing', async () => {
    const tree = await git.treeOf(base);
    const message = 'feat(a): complete task #1 - -x "q"\n\nChoo-Run: 1\nChoo-Unit: a\n';
    const commit = await git.commitTree({ tree, parents: [base, repo.git('rev-parse', `${base}~1`)], message });
    expect(repo.git('log', '-1', '--format=%B%an <%ae>', commit)).toContain(`${message}Tess Ter <tess@example.com>`);
    expect(repo.git('log', '-1', '--format=%P', commit).split(' ')).toHaveLength(2);
    expect((await git.status(work)).head).toBe(base);
  });

  it('moves refs by compare-and-swap only, and never what a symbolic ref points to', async () => {
    const next = await git.commitTree({ tree: await git.treeOf(base), parents: [base], message: 'x' });
    const ref = 'refs/heads/x';
    expect(await git.moveRef({ ref, to: base, from: undefined, reason: 'r' })).toBe(true);
    expect(await git.moveRef({ ref, to: next, from: undefined, reason: 'r' })).toBe(false);
    expect(await git.moveRef({ ref, to: next, from: next, reason: 'r' })).toBe(false);
    expect(await git.moveRef({ ref, to: next, from: base, reason: 'line\nbreak' })).toBe(true);
    expect(await git.moveRef({ ref, to: undefined, from: base, reason: 'r' })).toBe(false);
    expect(await git.moveRef({ ref, to: undefined, from: next, reason: 'r' })).toBe(true);
    expect(await git.moveRef({ ref, to: undefined, from: next, reason: 'r' })).toBe(false);
    await expect(git.moveRef({ ref: `${BRANCH}/below`, to: next, from: undefined, reason: 'r' })).rejects.toThrow(GitError);
    await expect(git.moveRef({ ref, to: undefined, from: undefined, reason: 'r' })).rejects.toThrow(Bug);
    repo.git('symbolic-ref', ref, 'refs/heads/main');
    expect(await git.moveRef({ ref, to: next, from: base, reason: 'r' })).toBe(true);
    expect(repo.git('rev-parse', 'main', 'x').split('\n')).toEqual([base, next]);
  });
});

describe('putting a worktree in order', () => {
  beforeEach(() => git.addWorktree({ path: work, commit: base, branch: BRANCH }));

  it('restores the given paths only, in index and files, and removes what the commit lacks', async () => {
    repo.write('a', '2\n', work);
    repo.write('dir/b', '2\n', work);
    repo.write('new\n-file', '1', work);
    repo.write('staged', '1', work);
    repo.write('other', '1', work);
    repo.git('-C', work, 'add', 'staged');
    repo.git('-C', work, 'rm', '-q', 'run.sh');
    repo.git('init', '-q', join(work, 'inner'));
    await git.restorePaths(work, { commit: base, paths: ['a', 'new\n-file', 'staged', 'run.sh', 'inner/', 'nothing/there'] });
    expect((await git.status(work)).entries.map((e) => e.path)).toEqual(['dir/b', 'other']);
    expect(text('run.sh')).toBe('echo\n');
  });

  it('restores a file that became a folder and follows no link out of the worktree', async () => {
    repo.write('precious', '1', repo.base);
    repo.link('out', repo.base, work);
    rmSync(join(work, 'a'));
    repo.write('a/x', '1', work);
    await git.restorePaths(work, { commit: base, paths: ['out/precious', 'a', 'a/x', 'out'] });
    expect(text('precious', repo.base)).toBe('1');
    expect((await git.status(work)).entries).toEqual([]);
    await expect(git.restorePaths(work, { commit: base, paths: ['../work'] })).rejects.toThrow(GitError);
  });

  it('unstages without touching files', async () => {
    repo.write('a', '2\n', work);
    repo.write('-new', '1', work);
    repo.git('-C', work, 'add', '-A');
    await git.unstagePaths(work, { commit: base, paths: ['a', '-new'] });
    expect((await git.status(work)).entries.map((e) => [e.path, e.kind, e.staged])).toEqual([['a', 'tracked', false], ['-new', 'untracked', false]]);
    expect(text('a')).toBe('2\n');
  });

  it('resets to the branch after an agent switched, rebased, merged or bisected, keeps untracked files, moves no branch', async () => {
    repo.git('-C', work, 'switch', '-q', '-c', 'elsewhere');
    repo.write('a', '2\n', work);
    repo.git('-C', work, 'commit', '-qam', 'two');
    const two = repo.git('rev-parse', 'elsewhere');
    repo.git('-C', work, 'switch', '-q', '-c', 'third', base);
    repo.write('a', '3\n', work);
    repo.git('-C', work, 'commit', '-qam', 'three');
    repo.write('untracked', 'kept', work);
    for (const mess of [['merge', 'elsewhere'], ['rebase', 'elsewhere'], ['cherry-pick', 'elsewhere'], ['bisect', 'start']]) {
      repo.git('-C', work, 'switch', '-q', 'third');
      repo.tryGit('-C', work, ...mess);
      await git.resetWorktree(work, { branch: BRANCH, commit: base });
      expect(await git.status(work)).toMatchObject({ head: base, branch: BRANCH, entries: [{ path: 'untracked' }] });
      expect(await git.mergeHead(work)).toBeUndefined();
    }
    expect(repo.git('rev-parse', 'elsewhere')).toBe(two);
    expect(repo.git('rev-parse', 'third~1')).toBe(base);
    expect(repo.git('-C', work, 'status')).not.toMatch(/rebas|bisect|cherry|merge/i);
    await git.resetWorktree(work, { branch: undefined, commit: two });
    expect(await git.status(work)).toMatchObject({ head: two, branch: undefined });
  });

  it('repoints HEAD and index and leaves every file as it is', async () => {
    repo.write('a', '2\n', work);
    repo.git('-C', work, 'commit', '-qam', 'agent');
    repo.write('loose', '1', work);
    await git.moveRef({ ref: BRANCH, to: base, from: repo.git('-C', work, 'rev-parse', 'HEAD'), reason: 'r' });
    await git.repointWorktree(work, { branch: BRANCH, commit: base });
    const status = await git.status(work);
    expect([status.head, status.branch, status.entries.map((e) => e.path)]).toEqual([base, BRANCH, ['a', 'loose']]);
    expect(text('a')).toBe('2\n');
  });

  it('cleans untracked, ignored and embedded, with hostile names', async () => {
    repo.write('.git/info/exclude', 'ignored\n', repo.root);
    for (const name of ['ignored', '-x', 'new\nline/deep']) repo.write(name, '1', work);
    repo.git('init', '-q', join(work, 'inner'));
    await git.cleanWorktree(work);
    expect(readdirSync(work).sort()).toEqual(['.git', 'README', 'a', 'dir', 'run.sh']);
  });
});

describe('keeping what an agent left', () => {
  const KEPT = 'refs/choo/kept/1/a/1';
  beforeEach(() => git.addWorktree({ path: work, commit: base, branch: BRANCH }));

  it('saves commits, index and files under a ref and changes nothing (nothing lost)', async () => {
    repo.write('a', 'committed\n', work);
    repo.git('-C', work, 'commit', '-qam', 'agent');
    const head = repo.git('-C', work, 'rev-parse', 'HEAD');
    repo.write('a', 'staged\n', work);
    repo.git('-C', work, 'add', 'a');
    repo.write('a', 'file\n', work);
    repo.write('-new\nü', 'untracked', work);
    rmSync(join(work, 'dir'), { recursive: true });
    chmodSync(join(work, 'run.sh'), 0o755);
    const before = [await git.status(work), readFileSync(repo.git('-C', work, 'rev-parse', '--path-format=absolute', '--git-path', 'index'))];
    const kept = await git.keep(work, { ref: KEPT, message: 'kept' });
    expect([await git.status(work), readFileSync(repo.git('-C', work, 'rev-parse', '--path-format=absolute', '--git-path', 'index'))]).toEqual(before);
    expect(await git.resolve(KEPT)).toBe(kept);
    const [parent, index] = repo.git('log', '-1', '--format=%P', kept).split(' ');
    expect(parent).toBe(head);
    expect(await git.readFile(kept, 'a')).toBe('file\n');
    expect(await git.readFile(index ?? '', 'a')).toBe('staged\n');
    expect(files(kept).sort()).toEqual(['-new\nü', 'README', 'a', 'run.sh']);
    expect(repo.git('ls-tree', kept, 'run.sh')).toContain('100755');
  });

  it('never overwrites what was kept before', async () => {
    const first = await git.keep(work, { ref: KEPT, message: 'one' });
    repo.write('a', '2', work);
    await expect(git.keep(work, { ref: KEPT, message: 'two' })).rejects.toThrow(GitError);
    expect(await git.resolve(KEPT)).toBe(first);
  });

  it('saves the files of an embedded repository, not a link to a commit only it has', async () => {
    for (const name of ['inner', 'new\ninner']) {
      repo.git('init', '-q', join(work, name));
      repo.write(`${name}/deep/file`, 'precious', work);
    }
    repo.git('-C', join(work, 'inner'), 'add', '-A');
    repo.git('-C', join(work, 'inner'), 'commit', '-qm', 'x');
    repo.write('beside', '1', work);
    const kept = await git.keep(work, { ref: KEPT, message: 'kept' });
    expect(files(kept).filter((p) => /inner|beside/.test(p)).sort()).toEqual(['beside', 'inner/deep/file', 'new\ninner/deep/file']);
  });

  it('saves a merge in conflict with what was being merged in, and a branch without commits', async () => {
    repo.git('switch', '-q', '-c', 'side');
    const side = repo.commit({ a: 'side\n' });
    repo.write('a', 'work\n', work);
    repo.git('-C', work, 'commit', '-qam', 'work');
    expect(await git.beginMerge(work, side)).toEqual(['a']);
    const kept = await git.keep(work, { ref: KEPT, message: 'kept' });
    expect(repo.git('log', '-1', '--format=%P', kept).split(' ')).toContain(side);
    expect(await git.readFile(kept, 'a')).toContain('<<<<<<<');
    expect(await git.mergeHead(work)).toBe(side);
    await git.resetWorktree(work, { branch: undefined, commit: base });
    repo.git('-C', work, 'switch', '-q', '--orphan', 'fresh');
    repo.write('only', '1', work);
    const orphan = await git.keep(work, { ref: `${KEPT}b`, message: 'kept' });
    expect(repo.git('log', '-1', '--format=%P', orphan)).toBe('');
    expect(files(orphan)).toEqual(['only']);
  });
});

describe('cost', () => {
  it('starts no more processes than a step needs', async () => {
    const { env, starts } = notingGit(repo);
    const counted = repo.open({ env });
    // Of a configuration that was written just now nothing is remembered.
    letPass(repo.base, 50);
    let before = 0;
    const cost = async (step: () => Promise<unknown>): Promise<readonly string[]> => {
      await step();
      const new_ = starts().slice(before).map((line) => line.split(' ')[1] ?? '');
      before = starts().length;
      return new_;
    };
    const signed = await counted.commitTree({ tree: await counted.treeOf(base), parents: [base], message: 'x' });
    before = starts().length;
    expect(await cost(() => counted.moveRef({ ref: 'refs/heads/first', to: base, from: undefined, reason: 'r' }))).toEqual(['update-ref']);
    expect(await cost(() => counted.addWorktree({ path: work, commit: base, branch: BRANCH }))).toEqual(['read-tree']);
    repo.write('a', '2', work);
    expect(await cost(() => counted.status(work))).toEqual([]);
    expect(await cost(() => counted.stage(work, ['a']))).toEqual([]);
    expect(await cost(() => counted.status(work))).toEqual([]);
    expect(await cost(() => counted.stage(work, ['a']))).toEqual([]);
    expect(await cost(() => counted.status(work))).toEqual([]);
    expect(await cost(() => counted.commitTree({ tree: '4b825dc642cb6eb9a060e54bf8d69288fbee4904', parents: [base], message: 'y' }))).toEqual([]);
    expect(await cost(() => counted.moveRef({ ref: 'refs/heads/n', to: signed, from: undefined, reason: 'r' }))).toEqual([]);
    expect(await cost(() => counted.moveRef({ ref: 'refs/heads/n', to: base, from: signed, reason: 'r' }))).toEqual([]);
    expect(await cost(() => counted.moveRef({ ref: 'refs/heads/n', to: signed, from: base, reason: 'r' }))).toEqual([]);
    expect(await cost(() => counted.changedPaths(base, signed))).toEqual([]);
    expect([...(await counted.ownPaths(base, signed))]).toEqual([]);
    expect(await cost(() => counted.ownPaths(base, signed))).toEqual([]);
    expect(await cost(() => counted.mergeTrees(base, signed))).toEqual([]);
    expect(await cost(() => counted.resolve('refs/heads/n'))).toEqual([]);
    expect(await cost(() => counted.advance({ ref: 'refs/heads/main', from: base, to: signed }))).toEqual(['worktree', 'merge']);
    expect(await cost(() => counted.cleanWorktree(work))).toEqual([]);
    expect(await cost(() => counted.removeWorktree(work))).toEqual([]);
    expect(lstatSync(join(repo.root, 'a')).isFile()).toBe(true);
  });
});
