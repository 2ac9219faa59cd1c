// Trees with some of their paths as another commit has them, real and simulated.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GROUNDS } from './both.rig.ts';
import type { Ground } from './both.rig.ts';

describe.each(GROUNDS)('a tree with paths of another commit, %s', (_name, open) => {
  let g: Ground;
  let first: string;
  let work: string;

  beforeEach(async () => {
    g = open();
    first = (await g.git.resolve('refs/heads/main')) ?? '';
    work = g.place('work');
    await g.git.addWorktree({ path: work, commit: first, branch: 'refs/heads/unit' });
  });
  afterEach(() => g.close());

  const commit = (worktree: string, files: Readonly<Record<string, string | undefined>>): string => {
    for (const [path, text] of Object.entries(files)) g.edit(worktree, path, text);
    return g.commit(worktree);
  };

  it('has these as that has them, or not at all, and everything else as it was; no checkout knows of it', async () => {
    const ours = commit(work, { README: 'ours\n', 'd/one': '1', 'd/two': '1', left: '1' });
    const theirs = commit(g.root, { README: 'theirs\n', 'd/one': '2', left: '2', 'd/ü': '1' });
    const tree = await g.git.treeWith(await g.git.treeOf(ours), { commit: theirs, paths: ['README', 'd/one', 'd/two', 'd/ü', 'never'] });
    expect([...await g.git.changedPaths(theirs, tree)]).toEqual(['left']);
    expect([...await g.git.changedPaths(ours, tree)].toSorted()).toEqual(['README', 'd/one', 'd/two', 'd/ü']);
    expect(await g.git.treeWith(tree, { commit: theirs, paths: [] })).toBe(tree);
    expect((await g.git.status(work)).entries).toEqual([]);
  });

  it('has plain files with texts of their own, new ones and in the place of others', async () => {
    const ours = commit(work, { 'd/one': '1', left: '1' });
    const theirs = commit(g.root, { 'd/one': '2' });
    const texts = new Map([['d/one', 'ä\n'], ['e/two', '']]);
    const tree = await g.git.treeWith(await g.git.treeOf(ours), { commit: theirs, paths: ['left'], texts });
    expect([await g.git.readFile(tree, 'd/one'), await g.git.readFile(tree, 'e/two'), await g.git.readFile(tree, 'left')]).toEqual(['ä\n', '', undefined]);
    expect(await g.git.treeWith(tree, { commit: theirs, paths: [], texts: new Map([['d/one', '2']]) })).not.toBe(tree);
  });

  it('may lack all files of a folder, and get a folder anew', async () => {
    const ours = commit(work, { 'd/one': '1' });
    const theirs = commit(g.root, { 'e/f/one': '1' });
    const tree = await g.git.treeWith(await g.git.treeOf(ours), { commit: theirs, paths: ['d/one', 'e/f/one'] });
    expect(tree).toBe(await g.git.treeOf(theirs));
  });
});
