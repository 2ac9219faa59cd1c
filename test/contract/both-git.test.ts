// What the engine believes of git, on the real one and on the simulated one: one suite, so that the simulation may not lie.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitError, PathTaken } from '../../src/world.ts';
import { GROUNDS } from './both.rig.ts';
import type { Ground } from './both.rig.ts';

const MAIN = 'refs/heads/main';
const UNIT = 'refs/heads/choo/unit/a/1';

describe.each(GROUNDS)('%s git', (_name, open) => {
  let g: Ground;
  let first: string;
  let work: string;
  beforeEach(async () => {
    g = open();
    first = (await g.git.resolve(MAIN)) ?? '';
    work = g.place('work');
    await g.git.addWorktree({ path: work, commit: first, branch: UNIT });
  });
  afterEach(() => g.close());

  const entries = async (worktree: string): Promise<string[]> =>
    (await g.git.status(worktree)).entries.map((e) => `${e.path} ${e.kind}${e.staged ? ' staged' : ''}${e.unstaged ? ' unstaged' : ''}`).toSorted();
  const onUnit = (files: Readonly<Record<string, string | undefined>>): string => {
    for (const [path, text] of Object.entries(files)) g.edit(work, path, text);
    return g.commit(work);
  };
  const onMain = (files: Readonly<Record<string, string | undefined>>): string => {
    for (const [path, text] of Object.entries(files)) g.edit(g.root, path, text);
    return g.commit(g.root);
  };

  describe('facts', () => {
    it('are of refs and commits by full name or id; what is not there is undefined', async () => {
      expect(await g.git.resolve(UNIT)).toBe(first);
      expect([await g.git.resolve('refs/heads/nothing'), await g.git.resolve('f'.repeat(40))]).toEqual([undefined, undefined]);
      expect(await g.git.readFile(first, 'README')).toBe('hello\n');
      expect(await g.git.readFile(first, 'none')).toBeUndefined();
    });

    it('tell ancestors, the merge base, and the commits between', async () => {
      const one = onUnit({ a: '1' });
      const two = onUnit({ a: '2' });
      const other = onMain({ b: '1' });
      expect([await g.git.isAncestor(first, two), await g.git.isAncestor(two, two), await g.git.isAncestor(two, one), await g.git.isAncestor(other, two)]).toEqual([true, true, false, false]);
      expect(await g.git.mergeBase(two, other)).toBe(first);
      expect((await g.git.commitsBetween(first, two)).map((c) => c.id)).toEqual([two, one]);
      expect((await g.git.firstParents(first, two)).map((c) => [c.id, c.message.trim()])).toEqual([[one, 'change'], [two, 'change']]);
    });

    it('tell the paths that differ, and those that a line of commits changed itself', async () => {
      const one = onUnit({ a: '1', README: undefined });
      expect([...await g.git.changedPaths(first, one)].toSorted()).toEqual(['README', 'a']);
      expect(await g.git.changedPaths(await g.git.treeOf(first), await g.git.treeOf(first))).toEqual([]);
      const target = onMain({ b: '1' });
      await g.git.beginMerge(work, target);
      const merged = g.commit(work);
      expect([...await g.git.ownPaths(first, merged)].toSorted()).toEqual(['README', 'a']);
      expect([...await g.git.changedPaths(first, merged)].toSorted()).toEqual(['README', 'a', 'b']);
    });
  });

  describe('a worktree', () => {
    it('is on its branch at its commit with its files, or detached', async () => {
      expect(await g.git.status(work)).toEqual({ head: first, branch: UNIT, entries: [] });
      expect(g.text(work, 'README')).toBe('hello\n');
      await g.git.addWorktree({ path: g.place('loose'), commit: first });
      expect(await g.git.status(g.place('loose'))).toEqual({ head: first, branch: undefined, entries: [] });
    });

    it('is not made where something is, nor on a branch that exists, nor over a registration whose folder is gone', async () => {
      await expect(g.git.addWorktree({ path: work, commit: first, branch: 'refs/heads/other' })).rejects.toThrow(PathTaken);
      expect(await g.git.resolve('refs/heads/other')).toBeUndefined();
      await expect(g.git.addWorktree({ path: g.place('second'), commit: first, branch: UNIT })).rejects.toThrow(GitError);
      const stood = await g.git.whatStands(work);
      g.vanish(work);
      expect([stood, await g.git.whatStands(work)]).toEqual(['worktree', 'nothing']);
      for (const path of [work, work]) await g.git.removeWorktree(path);
      await g.git.addWorktree({ path: work, commit: first });
      expect(await entries(work)).toEqual([]);
    });

    it('is gone with everything in it when it is removed; its branch stays', async () => {
      g.edit(work, 'new', '1');
      await g.git.removeWorktree(work);
      expect(await g.files.exists(work)).toBe(false);
      expect(await g.git.resolve(UNIT)).toBe(first);
      await expect(g.git.status(work)).rejects.toThrow(GitError);
      await expect(g.git.removeWorktree(g.root)).rejects.toThrow(GitError);
    });

    it('tells what differs: from the index, from HEAD, untracked; never what is ignored', async () => {
      g.edit(work, 'README', 'changed\n');
      g.edit(work, 'new', '1');
      g.edit(work, 'local.env', 'secret');
      g.edit(work, 'node_modules/x', 'x');
      expect(await entries(work)).toEqual(['README tracked unstaged', 'new untracked unstaged']);
      await g.git.stage(work, ['README', 'new']);
      expect(await entries(work)).toEqual(['README tracked staged', 'new tracked staged']);
      g.edit(work, 'README', 'again\n');
      g.edit(work, 'new', undefined);
      expect(await entries(work)).toEqual(['README tracked staged unstaged', 'new tracked staged unstaged']);
    });

    it('whose `.git` file is gone gets it back', async () => {
      expect(await g.git.repairLink(work)).toBeUndefined();
      g.unlink(work);
      expect(await g.files.exists(`${work}/.git`)).toBe(false);
      expect(await g.git.repairLink(work)).toEqual({ aside: undefined });
      expect(await g.files.exists(`${work}/.git`)).toBe(true);
    });

    it('whose own git folder is as it was noted is left alone, and is noted once', async () => {
      expect(await g.git.mendOwnFolder(work)).toEqual([]);
      await g.git.rememberOwnFolder(work);
      for (let n = 0; n < 2; n++) expect(await g.git.mendOwnFolder(work)).toEqual([]);
    });

    it('with the lock of a killed git cannot be staged in until the lock is released', async () => {
      g.lock(work);
      await g.git.releaseLocks(work, UNIT);
      g.edit(work, 'new', '1');
      const tree = await g.git.stage(work, ['new']);
      expect([...await g.git.changedPaths(first, tree)]).toEqual(['new']);
    });
  });

  describe('a worktree whose unit has landed', () => {
    const OTHER = 'refs/heads/choo/unit/b/1';
    const index = (): string => g.place('index-1');
    const folder = (): string => g.place('pooled');
    const retired = async (): Promise<string> => {
      expect(await g.git.keepIndex(work, { to: index(), least: 1 })).toBe(true);
      const head = onUnit({ README: 'changed\n', 'deep/a': '1' });
      g.edit(work, 'README', 'not committed\n');
      g.edit(work, 'left', 'secret');
      g.edit(work, 'local.env', 'secret');
      g.edit(work, 'node_modules/x', 'x');
      await g.git.retireWorktree(work, { to: folder() });
      return head;
    };

    it('becomes a plain folder: no worktree any more, its branch stays', async () => {
      const head = await retired();
      expect([await g.files.exists(work), await g.git.resolve(UNIT)]).toEqual([false, head]);
      await expect(g.git.status(work)).rejects.toThrow(GitError);
      await expect(g.git.status(folder())).rejects.toThrow(GitError);
    });

    it('becomes the worktree of another, at its commit on its branch, with nothing else in it (a unit can never see another\'s untracked files)', async () => {
      const head = await retired();
      const base = onMain({ 'new/b': '2' });
      expect(await g.git.renewFolder({ folder: folder(), index: index(), from: first, commit: base, keep: [] })).toBe(true);
      const next = g.place('next');
      await g.git.addWorktree({ path: next, commit: base, branch: OTHER, filled: { folder: folder(), index: index(), from: base } });
      expect(await g.git.status(next)).toEqual({ head: base, branch: OTHER, entries: [] });
      expect(['README', 'new/b', 'deep/a', 'left', 'local.env', 'node_modules/x'].map((path) => g.text(next, path))).toEqual(['hello\n', '2', undefined, undefined, undefined, undefined]);
      expect([await g.git.resolve(UNIT), await g.git.resolve(OTHER)]).toEqual([head, base]);
      g.edit(next, 'README', 'work\n');
      expect(await entries(next)).toEqual(['README tracked unstaged']);
    });

    it('keeps of ignored files what was chosen, and never what is not ignored', async () => {
      await retired();
      expect(await g.git.renewFolder({ folder: folder(), index: index(), from: first, commit: first, keep: ['node_modules/x', 'left'] })).toBe(true);
      const next = g.place('next');
      await g.git.addWorktree({ path: next, commit: first, filled: { folder: folder(), index: index(), from: first } });
      expect(['left', 'local.env', 'node_modules/x'].map((path) => g.text(next, path))).toEqual([undefined, undefined, 'x']);
      expect((await g.git.status(next)).branch).toBeUndefined();
    });

    it('may be filled again and again, and a new folder for the first time', async () => {
      await retired();
      const base = onMain({ b: '1' });
      for (const [from, commit] of [[first, base], [base, first]] as const) {
        expect(await g.git.renewFolder({ folder: folder(), index: index(), from, commit, keep: [] })).toBe(true);
      }
      expect(await g.git.renewFolder({ folder: g.place('fresh'), index: g.place('index-2'), commit: base, keep: [] })).toBe(true);
      await g.git.addWorktree({ path: g.place('next'), commit: base, filled: { folder: folder(), index: index(), from: first } });
      await g.git.addWorktree({ path: g.place('other'), commit: first, filled: { folder: g.place('fresh'), index: g.place('index-2'), from: base } });
      for (const [name, head] of [['next', base], ['other', first]] as const) expect(await g.git.status(g.place(name))).toEqual({ head, branch: undefined, entries: [] });
    });

    it('is not taken where something is or on a branch that exists, nor kept when it is too small', async () => {
      await retired();
      await g.git.renewFolder({ folder: folder(), index: index(), from: first, commit: first, keep: [] });
      const filled = { folder: folder(), index: index(), from: first };
      await g.git.addWorktree({ path: g.place('taken'), commit: first });
      await expect(g.git.addWorktree({ path: g.place('taken'), commit: first, branch: OTHER, filled })).rejects.toThrow(PathTaken);
      expect(await g.git.resolve(OTHER)).toBeUndefined();
      await expect(g.git.addWorktree({ path: g.place('next'), commit: first, branch: UNIT, filled })).rejects.toThrow(GitError);
      await expect(g.git.addWorktree({ path: g.place('next'), commit: first, branch: OTHER, filled: { ...filled, folder: g.place('nothing') } })).rejects.toThrow();
      expect(await g.git.keepIndex(g.place('taken'), { to: g.place('index-2'), least: 100 })).toBe(false);
      await g.files.remove(folder());
      await g.files.remove(folder());
    });
  });

  describe('index and files', () => {
    it('are set to a commit path by path; what it lacks is removed', async () => {
      g.edit(work, 'README', 'changed\n');
      g.edit(work, 'new', '1');
      g.edit(work, 'other', '1');
      await g.git.stage(work, ['README', 'new', 'other']);
      await g.git.unstagePaths(work, { commit: first, paths: ['other'] });
      expect(await entries(work)).toEqual(['README tracked staged', 'new tracked staged', 'other untracked unstaged']);
      await g.git.restorePaths(work, { commit: first, paths: ['README', 'new'] });
      expect(await entries(work)).toEqual(['other untracked unstaged']);
      expect([g.text(work, 'README'), g.text(work, 'new')]).toEqual(['hello\n', undefined]);
    });

    it('become a tree of exactly the staged paths, and a commit that moves nothing', async () => {
      g.edit(work, 'README', undefined);
      g.edit(work, 'new', '1');
      g.edit(work, 'left', '1');
      const tree = await g.git.stage(work, ['README', 'new']);
      const commit = await g.git.commitTree({ tree, parents: [first], message: 'made\n' });
      expect([...await g.git.changedPaths(first, commit)].toSorted()).toEqual(['README', 'new']);
      expect(await g.git.treeOf(commit)).toBe(tree);
      expect((await g.git.status(work)).head).toBe(first);
      expect((await g.git.firstParents(first, commit))[0]?.message).toBe('made\n');
    });

    it('are reset as a whole to a commit, on a branch or detached; untracked files stay', async () => {
      const one = onUnit({ a: '1' });
      g.edit(work, 'README', 'changed\n');
      g.edit(work, 'new', '1');
      await g.git.stage(work, ['README']);
      await g.git.resetWorktree(work, { branch: undefined, commit: first });
      expect(await g.git.status(work)).toMatchObject({ head: first, branch: undefined });
      expect([await entries(work), g.text(work, 'a')]).toEqual([['new untracked unstaged'], undefined]);
      await g.git.resetWorktree(work, { branch: UNIT, commit: one });
      expect(await g.git.status(work)).toMatchObject({ head: one, branch: UNIT });
      expect(g.text(work, 'a')).toBe('1');
    });

    it('keep their files when HEAD is pointed elsewhere', async () => {
      onUnit({ a: '1' });
      g.force(UNIT, first);
      g.detach(work);
      await g.git.repointWorktree(work, { branch: UNIT, commit: first });
      expect(await g.git.status(work)).toMatchObject({ head: first, branch: UNIT });
      expect([await entries(work), g.text(work, 'a')]).toEqual([['a untracked unstaged'], '1']);
    });

    it('lose everything untracked and ignored when the worktree is cleaned', async () => {
      g.edit(work, 'new', '1');
      g.edit(work, 'node_modules/x', 'x');
      await g.git.cleanWorktree(work);
      expect([g.text(work, 'new'), g.text(work, 'node_modules/x'), g.text(work, 'README')]).toEqual([undefined, undefined, 'hello\n']);
    });

    it('are kept under a ref without changing anything, and never over something kept', async () => {
      g.edit(work, 'README', 'changed\n');
      g.edit(work, 'new', '1');
      g.edit(work, 'local.env', 'secret');
      const before = await entries(work);
      const kept = await g.git.keep(work, { ref: 'refs/choo/kept/1', message: 'kept' });
      expect(await g.git.resolve('refs/choo/kept/1')).toBe(kept);
      expect([await g.git.readFile(kept, 'README'), await g.git.readFile(kept, 'new'), await g.git.readFile(kept, 'local.env')]).toEqual(['changed\n', '1', undefined]);
      expect(await g.git.isAncestor(first, kept)).toBe(true);
      expect(await entries(work)).toEqual(before);
      await expect(g.git.keep(work, { ref: 'refs/choo/kept/1', message: 'kept' })).rejects.toThrow(GitError);
    });
  });

  describe('a ref', () => {
    it('moves only from where it is believed to be; is made only where it was not', async () => {
      const one = onUnit({ a: '1' });
      const ref = 'refs/heads/choo/x';
      expect(await g.git.moveRef({ ref, from: undefined, to: first, reason: 'test' })).toBe(true);
      expect(await g.git.moveRef({ ref, from: undefined, to: one, reason: 'test' })).toBe(false);
      expect(await g.git.moveRef({ ref, from: undefined, to: first, reason: 'test' })).toBe(false);
      expect(await g.git.moveRef({ ref, from: one, to: onUnit({ a: '2' }), reason: 'test' })).toBe(false);
      expect(await g.git.moveRef({ ref, from: first, to: one, reason: 'test' })).toBe(true);
      expect(await g.git.moveRef({ ref, from: first, to: one, reason: 'done twice' })).toBe(true);
      expect(await g.git.moveRef({ ref, from: first, to: undefined, reason: 'test' })).toBe(false);
      expect(await g.git.moveRef({ ref, from: one, to: undefined, reason: 'test' })).toBe(true);
      expect(await g.git.resolve(ref)).toBeUndefined();
    });
  });

  describe('a merge', () => {
    it('of two commits is a tree, or the paths in conflict, and touches no checkout', async () => {
      const ours = onUnit({ README: 'ours\n', a: '1' });
      const clean = onMain({ b: '1' });
      const merged = await g.git.mergeTrees(ours, clean);
      const tree = merged.kind === 'clean' ? merged.tree : '';
      expect([...await g.git.changedPaths(ours, tree)]).toEqual(['b']);
      const clash = onMain({ README: 'theirs\n', a: '2' });
      expect(await g.git.mergeTrees(ours, clash)).toEqual({ kind: 'conflict', paths: ['README', 'a'] });
      expect(await entries(work)).toEqual([]);
    });

    it('begun in a worktree leaves conflicts with markers, is in progress, and ends with a reset', async () => {
      const ours = onUnit({ README: 'ours\n' });
      const theirs = onMain({ README: 'theirs\n', b: '1' });
      expect(await g.git.mergeHead(work)).toBeUndefined();
      expect(await g.git.beginMerge(work, theirs)).toEqual(['README']);
      expect(await g.git.mergeHead(work)).toBe(theirs);
      expect(await entries(work)).toEqual(['README unmerged staged unstaged', 'b tracked staged']);
      expect(await g.git.conflictMarkers(work, ours)).toEqual(['README']);
      await expect(g.git.stage(work, [])).rejects.toThrow(GitError);
      g.edit(work, 'README', 'both\n');
      expect(await g.git.conflictMarkers(work, ours)).toEqual([]);
      const tree = await g.git.stage(work, ['README']);
      expect([...await g.git.changedPaths(ours, tree)].toSorted()).toEqual(['README', 'b']);
      await g.git.resetWorktree(work, { branch: UNIT, commit: ours });
      expect([await g.git.mergeHead(work), await entries(work)]).toEqual([undefined, []]);
    });

    it('is refused over changed or untracked files in its way, and leaves them alone', async () => {
      const theirs = onMain({ README: 'theirs\n', b: '1' });
      g.edit(work, 'README', 'changed\n');
      await expect(g.git.beginMerge(work, theirs)).rejects.toThrow(GitError);
      g.edit(work, 'README', 'hello\n');
      g.edit(work, 'b', 'mine');
      await expect(g.git.beginMerge(work, theirs)).rejects.toThrow(GitError);
      expect([g.text(work, 'b'), await g.git.mergeHead(work)]).toEqual(['mine', undefined]);
    });

    it('is refused while anything is staged, also what is not in its way', async () => {
      const theirs = onMain({ b: '1' });
      g.edit(work, 'unrelated', 'mine');
      await g.git.stage(work, ['unrelated']);
      await expect(g.git.beginMerge(work, theirs)).rejects.toThrow(GitError);
      await g.git.unstagePaths(work, { commit: first, paths: ['unrelated'] });
      expect(await g.git.beginMerge(work, theirs)).toEqual([]);
      expect(g.text(work, 'unrelated')).toBe('mine');
    });

    it('of what is there already begins nothing; one without a conflict is staged and in progress', async () => {
      onUnit({ a: '1' });
      expect(await g.git.beginMerge(work, first)).toEqual([]);
      expect(await g.git.mergeHead(work)).toBeUndefined();
      const theirs = onMain({ b: '1' });
      expect(await g.git.beginMerge(work, theirs)).toEqual([]);
      expect([await g.git.mergeHead(work), await entries(work)]).toEqual([theirs, ['b tracked staged']]);
    });
  });

  describe('advancing the target', () => {
    it('takes the checkout along, and says so when it is there already or somewhere else', async () => {
      const to = onUnit({ a: '1' });
      expect(await g.git.advance({ ref: MAIN, from: to, to: first })).toEqual({ kind: 'advanced' });
      expect(await g.git.advance({ ref: MAIN, from: first, to })).toEqual({ kind: 'advanced' });
      expect([g.text(g.root, 'a'), (await g.git.snapshot()).dirty.has('a'), await g.git.resolve(MAIN)]).toEqual(['1', false, to]);
      expect(await g.git.advance({ ref: MAIN, from: first, to })).toEqual({ kind: 'advanced' });
      const moved = onMain({ b: '1' });
      expect(await g.git.advance({ ref: MAIN, from: first, to })).toEqual({ kind: 'moved', at: moved });
    });

    it('is refused over local changes in the way, and only over those', async () => {
      const to = onUnit({ README: 'new\n', a: '1' });
      g.edit(g.root, 'README', 'mine\n');
      expect(await g.git.advance({ ref: MAIN, from: first, to })).toMatchObject({ kind: 'refused', reason: 'local-changes', worktree: g.root });
      g.edit(g.root, 'README', 'hello\n');
      g.edit(g.root, 'a', 'mine');
      expect(await g.git.advance({ ref: MAIN, from: first, to })).toMatchObject({ kind: 'refused', reason: 'local-changes' });
      g.edit(g.root, 'a', undefined);
      g.edit(g.root, 'unrelated', 'mine');
      expect(await g.git.advance({ ref: MAIN, from: first, to })).toEqual({ kind: 'advanced' });
    });

    it('is refused while a rebase of it is in progress', async () => {
      const second = onMain({ b: '1' });
      g.force(UNIT, second);
      await g.git.resetWorktree(work, { branch: UNIT, commit: second });
      const to = onUnit({ a: '1' });
      g.rebase();
      expect(await g.git.advance({ ref: MAIN, from: second, to })).toMatchObject({ kind: 'refused', reason: 'busy' });
      expect(await g.git.resolve(MAIN)).toBe(second);
    });

    it('that nobody has checked out is a plain move', async () => {
      const to = onUnit({ a: '1' });
      g.detach(g.root);
      expect(await g.git.advance({ ref: MAIN, from: first, to })).toEqual({ kind: 'advanced' });
      expect([await g.git.resolve(MAIN), g.text(g.root, 'a')]).toEqual([to, undefined]);
    });
  });

  it('a snapshot changes with refs, the main checkout\'s HEAD and its files, not with the worktrees', async () => {
    const before = await g.git.snapshot();
    expect([before.refs.get(MAIN), before.head, before.dirty.has('README')]).toEqual([first, MAIN, false]);
    g.edit(work, 'README', 'changed\n');
    expect((await g.git.snapshot()).dirty.has('README')).toBe(false);
    g.edit(g.root, 'README', 'changed\n');
    g.force('refs/heads/other', first);
    g.detach(g.root);
    const after = await g.git.snapshot();
    expect([after.refs.get('refs/heads/other'), after.head, after.dirty.has('README')]).toEqual([first, first, true]);
  });

  it('a link to another repository is nowhere, and nothing was renamed, where nothing was', async () => {
    const one = onUnit({ a: '1' });
    expect([await g.git.newLinks(first, one), [...await g.git.renames(first, one)]]).toEqual([[], []]);
  });
});
