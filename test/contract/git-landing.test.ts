// The real git adapter: merging and advancing the target. Each test names what it protects.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GitError } from '../../src/world.ts';
import { makeRepository, sleepless } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import { openGit } from '../../src/adapters/git/index.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';

const MAIN = 'refs/heads/main';
let repo: TestRepository;
let git: OpenGit;
let from: string;
let to: string;
beforeEach(async () => {
  repo = makeRepository();
  from = repo.commit({ a: '1\n', b: '1\n' });
  git = repo.open({ sleep: sleepless() });
  repo.git('switch', '-q', '-c', 'unit');
  to = repo.commit({ a: '2\n', fresh: 'new\n' });
  repo.git('switch', '-q', 'main');
});
afterEach(() => repo.close());

const text = (path: string): string => readFileSync(join(repo.root, path), 'utf8');
const advance = (): ReturnType<OpenGit['advance']> => git.advance({ ref: MAIN, from, to });

describe('merging without a checkout', () => {
  it('gives the merged tree, or the paths in conflict, and touches no checkout', async () => {
    const clean = repo.commit({ b: '3\n' });
    const merged = await git.mergeTrees(clean, to);
    const tree = merged.kind === 'clean' ? merged.tree : 'none';
    expect(repo.git('cat-file', '-p', `${tree}:a`) + repo.git('cat-file', '-p', `${tree}:b`)).toBe('23');
    const clash = repo.commit({ a: '4\n', fresh: 'other\n' });
    expect(await git.mergeTrees(clash, to)).toEqual({ kind: 'conflict', paths: ['a', 'fresh'] });
    expect(repo.git('status', '--porcelain')).toBe('');
  });

  it('never takes an error for a conflict or a success (a merge error that is no conflict is swallowed)', async () => {
    repo.git('switch', '-q', '--orphan', 'unrelated');
    const unrelated = repo.commit({ x: '1' });
    await expect(git.mergeTrees(from, unrelated)).rejects.toThrow(GitError);
    await expect(git.mergeTrees(from, 'f'.repeat(40))).rejects.toThrow(GitError);
    await expect(git.mergeTrees(from, await git.treeOf(to))).rejects.toThrow(GitError);
  });

  it('agrees with a merge in a worktree about what conflicts: deletions, file against folder, hostile names, attributes', async () => {
    const base = repo.commit({ '.gitattributes': 'log merge=union\n', 'log': '1\n', 'gone\nbad': '1\n', keep: '1\n' });
    repo.git('switch', '-q', '-c', 'left');
    repo.write('keep', '1\nleft\n');
    const left = repo.commit({ log: '1\nleft\n', 'gone\nbad': 'left\n', thing: 'file\n', '-same': 'left' });
    repo.git('switch', '-q', '-c', 'right', base);
    repo.git('rm', '-q', 'gone\nbad');
    const right = repo.commit({ log: '1\nright\n', 'thing/inside': 'folder\n', '-same': 'right', 'only right': '1' });
    const work = join(repo.base, 'work');
    await git.addWorktree({ path: work, commit: left });
    const dry = await git.mergeTrees(left, right);
    const wet = await git.beginMerge(work, right);
    expect(dry.kind === 'conflict' ? [...dry.paths].sort() : dry).toEqual([...wet].sort());
    expect(wet).toEqual(expect.arrayContaining(['gone\nbad', '-same', 'thing~HEAD']));
    expect(wet).not.toContain('log');
  });

  it('begins a merge that commits nothing, tells the commit being merged in and the markers that are left', async () => {
    const clash = repo.commit({ a: 'main\n', doc: 'shows\n<<<<<<< mine\n=======\n>>>>>>> theirs\n' });
    const work = join(repo.base, 'work');
    await git.addWorktree({ path: work, commit: clash });
    expect(await git.mergeHead(work)).toBeUndefined();
    expect(await git.beginMerge(work, to)).toEqual(['a']);
    expect(await git.mergeHead(work)).toBe(to);
    expect((await git.status(work)).head).toBe(clash);
    expect(await git.conflictMarkers(work, clash)).toEqual(['a']);
    repo.write('a', 'both\n=======\n', work);
    expect(await git.conflictMarkers(work, clash)).toEqual([]);
  });

  it('begins no merge over local changes, and says so', async () => {
    const work = join(repo.base, 'work');
    await git.addWorktree({ path: work, commit: repo.commit({ c: '1' }) });
    repo.write('a', 'local\n', work);
    await expect(git.beginMerge(work, to)).rejects.toThrow(GitError);
    expect(readFileSync(join(work, 'a'), 'utf8')).toBe('local\n');
    expect(await git.mergeHead(work)).toBeUndefined();
    repo.git('-C', work, 'checkout', '-q', '--', 'a');
    expect(await git.beginMerge(work, to)).toEqual([]);
    expect(await git.mergeHead(work)).toBe(to);
  });
});

describe('advancing the target', () => {
  it('updates ref and files of the checkout that has it, and again does nothing', async () => {
    expect(await advance()).toEqual({ kind: 'advanced' });
    expect(await advance()).toEqual({ kind: 'advanced' });
    expect([repo.git('rev-parse', 'main'), repo.git('status', '--porcelain'), text('fresh')]).toEqual([to, '', 'new\n']);
  });

  it('keeps local changes that are not in the way', async () => {
    repo.write('b', 'mine\n');
    repo.write('untracked', 'mine\n');
    repo.write('c', 'staged\n');
    repo.git('add', 'c');
    expect(await advance()).toEqual({ kind: 'advanced' });
    expect([text('a'), text('b'), text('untracked'), text('c')]).toEqual(['2\n', 'mine\n', 'mine\n', 'staged\n']);
  });

  it.each([['a changed file', 'a'], ['an untracked file', 'fresh']])('refuses when %s is in the way, and changes nothing', async (_, path) => {
    repo.write(path, 'mine\n');
    const before = repo.git('status', '--porcelain');
    expect(await advance()).toMatchObject({ kind: 'refused', reason: 'local-changes', worktree: repo.root, detail: expect.stringContaining(path) as string });
    expect([repo.git('rev-parse', 'main'), text(path), repo.git('status', '--porcelain')]).toEqual([from, 'mine\n', before]);
    expect(existsSync(join(repo.root, 'fresh'))).toBe(path === 'fresh');
  });

  it('swaps the ref when no worktree has it', async () => {
    repo.git('switch', '-q', 'unit');
    expect(await advance()).toEqual({ kind: 'advanced' });
    expect(repo.git('rev-parse', 'main')).toBe(to);
    expect(repo.git('status', '--porcelain')).toBe('');
  });

  it('works in the linked worktree that has it', async () => {
    repo.git('switch', '-q', 'unit');
    const linked = join(repo.base, 'linked');
    repo.git('worktree', 'add', '-q', linked, 'main');
    expect(await advance()).toEqual({ kind: 'advanced' });
    expect(readFileSync(join(linked, 'fresh'), 'utf8')).toBe('new\n');
    expect(repo.git('-C', linked, 'status', '--porcelain')).toBe('');
  });

  it('takes a worktree whose folder is gone for no use of the target, a locked one for use', async () => {
    repo.git('switch', '-q', '--detach');
    const linked = join(repo.base, 'linked');
    repo.git('worktree', 'add', '-q', linked, 'main');
    repo.git('worktree', 'lock', linked);
    rmSync(linked, { recursive: true });
    expect(await advance()).toMatchObject({ kind: 'refused', reason: 'busy', worktree: linked });
    repo.git('worktree', 'unlock', linked);
    expect(await advance()).toEqual({ kind: 'advanced' });
  });

  it('refuses when two worktrees have it', async () => {
    const linked = join(repo.base, 'linked');
    repo.git('worktree', 'add', '-q', '-f', linked, 'main');
    expect(await advance()).toMatchObject({ kind: 'refused', reason: 'several-worktrees' });
    expect(repo.git('rev-parse', 'main')).toBe(from);
    expect(repo.git('-C', linked, 'status', '--porcelain')).toBe('');
  });

  it.each(['rebase', 'bisect', 'merge', 'cherry-pick'])('refuses while a %s is in progress on it', async (operation) => {
    repo.git('switch', '-q', '-c', 'other');
    repo.commit({ b: 'other\n' });
    repo.git('switch', '-q', 'main');
    from = repo.commit({ b: 'main\n' });
    repo.git('branch', '-f', 'unit', from);
    to = repo.git('commit-tree', '-p', from, '-m', 'x', `${from}^{tree}`);
    const begun = operation === 'bisect' ? repo.tryGit('bisect', 'start', 'main', 'main~1') : repo.tryGit(operation, 'other');
    expect(begun).toBe(operation === 'bisect' ? 0 : 1);
    expect(await advance()).toMatchObject({ kind: 'refused', reason: 'busy', worktree: repo.root, detail: expect.stringContaining(operation) as string });
    expect(repo.git('rev-parse', 'main')).toBe(from);
  });

  it('tells a target that moved, was rewound or is gone from a refusal', async () => {
    const theirs = repo.commit({ b: 'theirs\n' });
    expect(await advance()).toEqual({ kind: 'moved', at: theirs });
    repo.git('reset', '-q', '--hard', `${from}~1`);
    expect(await advance()).toEqual({ kind: 'moved', at: repo.git('rev-parse', `${from}~1`) });
    repo.git('switch', '-q', 'unit');
    repo.git('branch', '-D', '-q', 'main');
    expect(await advance()).toEqual({ kind: 'moved', at: undefined });
  });

  it('refuses, with the lock\'s name, when another git holds the index; goes on when the lock goes', async () => {
    const lock = join(repo.root, '.git', 'index.lock');
    writeFileSync(lock, '');
    expect(await advance()).toMatchObject({ kind: 'refused', reason: 'git', detail: expect.stringContaining(lock) as string });
    expect([repo.git('rev-parse', 'main'), text('a'), existsSync(lock)]).toEqual([from, '1\n', true]);
    const patient = repo.open({ sleep: sleepless(() => rmSync(lock, { force: true })) });
    expect(await patient.advance({ ref: MAIN, from, to })).toEqual({ kind: 'advanced' });
  });

  it('obeys no merge options, hooks or signatures that the user configured for merges of their own', async () => {
    for (const [key, value] of [['branch.main.mergeOptions', '--squash --no-ff'], ['merge.ff', 'false'], ['merge.verifySignatures', 'true'], ['core.hooksPath', join(repo.base, 'hooks')], ['pull.rebase', 'true']] as const) repo.git('config', key, value);
    repo.write('post-merge', `#!/bin/sh\ntouch '${repo.base}/hooked'\n`, join(repo.base, 'hooks'));
    expect(await advance()).toEqual({ kind: 'advanced' });
    expect([repo.git('rev-parse', 'main'), repo.git('status', '--porcelain'), existsSync(join(repo.base, 'hooked'))]).toEqual([to, '', false]);
  });

  it('does not move a branch that the target only points to', async () => {
    repo.git('symbolic-ref', 'refs/heads/alias', MAIN);
    expect(await git.advance({ ref: 'refs/heads/alias', from, to })).toMatchObject({ kind: 'refused', reason: 'git', detail: expect.stringContaining(MAIN) as string });
    expect(repo.git('rev-parse', 'main')).toBe(from);
  });

  it('lands in a bare repository, with its linked worktree and without', async () => {
    const bare = join(repo.base, 'bare.git');
    const linked = join(repo.base, 'linked');
    repo.git('clone', '-q', '--bare', repo.root, bare);
    const adapter = openGit({ commonDir: bare, env: repo.env, sleep: sleepless() });
    repo.git('-C', bare, 'worktree', 'add', '-q', linked, 'main');
    expect(await adapter.advance({ ref: MAIN, from, to })).toEqual({ kind: 'advanced' });
    expect(readFileSync(join(linked, 'fresh'), 'utf8')).toBe('new\n');
    await adapter.removeWorktree(linked);
    const next = await adapter.commitTree({ tree: await adapter.treeOf(to), parents: [to], message: 'next' });
    expect(await adapter.advance({ ref: MAIN, from: to, to: next })).toEqual({ kind: 'advanced' });
    expect((await adapter.snapshot()).refs.get(MAIN)).toBe(next);
    await adapter.close();
  });
});
