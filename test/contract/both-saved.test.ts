// Saved texts, on real git and on the simulated one: a chain of commits whose files joined are the text, and what else it keeps.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GROUNDS, type Ground } from './both.rig.ts';

describe.each(GROUNDS)('saved texts, %s', (_name, make) => {
  let ground: Ground;
  beforeEach(() => { ground = make(); });
  afterEach(() => ground.close());

  it('are read back whole, part after part, and keep other commits', async () => {
    const { git, root } = ground;
    const head = await git.resolve('refs/heads/main') ?? '';
    ground.edit(root, 'x', 'x\n');
    const other = ground.commit(root);
    const one = await git.makeSave({ first: 0, text: 'header\n', keeps: [head], message: 'one\n' });
    const two = await git.makeSave({ parent: one, first: 9, text: 'nine\nten\n', keeps: [other, head], message: 'two\n' });
    const three = await git.makeSave({ parent: two, first: 10, text: '', keeps: [], message: 'nothing more\n' });
    const four = await git.makeSave({ parent: three, first: 11, text: ' ünder\n', keeps: [], message: 'four\n' });
    expect(await git.readSave(one)).toBe('header\n');
    expect(await git.readSave(three)).toBe('header\nnine\nten\n');
    expect(await git.readSave(four)).toBe('header\nnine\nten\n ünder\n');
    expect(three).not.toBe(two);
    for (const kept of [head, other, one, two]) expect(await git.isAncestor(kept, four)).toBe(true);
    expect(await git.isAncestor(other, one)).toBe(false);
    expect(await git.resolve('refs/heads/main')).toBe(other);
  });

  it('refs are listed by their folder, not by how they begin', async () => {
    const { git } = ground;
    const head = await git.resolve('refs/heads/main') ?? '';
    for (const ref of ['refs/choo/kept/1/a/x', 'refs/choo/kept/1/b', 'refs/choo/kept/10/a', 'refs/choo/kept/2/a']) ground.force(ref, head);
    expect(await git.refsBelow('refs/choo/kept/1/')).toEqual(new Map([['refs/choo/kept/1/a/x', head], ['refs/choo/kept/1/b', head]]));
    expect((await git.refsBelow('refs/choo/kept/3/')).size).toBe(0);
  });
});
