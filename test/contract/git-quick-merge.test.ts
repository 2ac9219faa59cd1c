// Merging without a process: whatever the two sides did, it makes the tree that git makes, or leaves it to git.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Git } from '../../src/world.ts';
import { makeRepository, notingGit } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import { Rng } from '../sim/rng.ts';

let bed: TestRepository;
let git: Git;
let starts: () => readonly string[];

beforeAll(() => {
  bed = makeRepository();
  const noting = notingGit(bed);
  ({ starts } = noting);
  git = bed.open({ env: noting.env });
});
afterAll(() => bed.close());

/** The tree of a merge that was made without a process; undefined when git was asked. */
async function quickly(ours: string, theirs: string): Promise<string | undefined> {
  const before = starts().length;
  const merged = await git.mergeTrees(ours, theirs);
  const asked = starts().slice(before).some((args) => args.includes('merge-tree'));
  if (asked || merged.kind === 'conflict') return undefined;
  expectOwn({ ours, theirs, tree: merged.tree, since: merged.since ?? 'it does not say' });
  return merged.tree;
}

/** It is a straight line from where it says, and the merge changes what that line changed: no more, no less. */
function expectOwn(o: { readonly ours: string; readonly theirs: string; readonly tree: string; readonly since: string }): void {
  expect(o.since).toBe(bed.git('merge-base', o.ours, o.theirs));
  expect(bed.git('rev-list', '--merges', `${o.since}..${o.theirs}`)).toBe('');
  const paths = (from: string, to: string): string => bed.git('diff-tree', '-r', '--no-renames', '--name-only', from, to);
  expect(paths(o.ours, o.tree)).toBe(paths(o.since, o.theirs));
}

type Files = Readonly<Record<string, string | undefined>>;

/** Makes a commit with these files changed (undefined: deleted) upon another one; gives its id. */
function commitUpon(parent: string, files: Files): string {
  bed.git('checkout', '-q', '--detach', parent);
  for (const [path, text] of Object.entries(files)) {
    const at = join(bed.root, path);
    // Where a file stands in the place of a folder, it gives way.
    for (let above = dirname(path); above !== '.'; above = dirname(above)) if (statSync(join(bed.root, above), { throwIfNoEntry: false })?.isFile() === true) rmSync(join(bed.root, above));
    rmSync(at, { recursive: true, force: true });
    if (text === undefined) continue;
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  bed.git('add', '-A');
  bed.git('commit', '-q', '--allow-empty', '-m', 'change');
  return bed.git('rev-parse', 'HEAD');
}

/** What git makes of the merge: its tree, or undefined for a conflict. */
function byGit(ours: string, theirs: string): string | undefined {
  try {
    return execFileSync('git', ['merge-tree', '--write-tree', ours, theirs], { cwd: bed.root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

const START: Files = { 'a/one': '1\n', 'a/two': '2\n', 'b/deep/er': 'x\n', 'top': 't\n', 'c': 'c\n' };

describe('changes that do not touch', () => {
  it('are put together without a process: the tree is the one git makes', async () => {
    const base = commitUpon('main', START);
    const ours = commitUpon(commitUpon(base, { 'a/one': 'ours\n' }), { 'b/new': 'n\n' });
    const theirs = commitUpon(commitUpon(base, { 'a/two': 'theirs\n' }), { 'd/e/f': 'f\n', 'top': 'theirs\n' });
    const tree = await quickly(ours, theirs);
    expect(tree).toBeDefined();
    expect(tree).toBe(byGit(ours, theirs));
  });

  it('also when the common commit lies far behind, with many merges between', async () => {
    const base = commitUpon('main', START);
    let ours = base;
    for (let n = 0; n < 12; n++) {
      const head = commitUpon(base, { [`unit-${n}/file`]: `${n}\n` });
      const tree = (await quickly(ours, head)) ?? '';
      expect(tree).toBe(byGit(ours, head));
      ours = bed.git('commit-tree', tree, '-p', ours, '-p', head, '-m', 'merge');
    }
  });
});

describe('what is not plain is left to git', () => {
  const cases: readonly (readonly [string, Files, Files])[] = [
    ['one path on both sides', { top: 'ours\n' }, { top: 'theirs\n' }],
    ['a file deleted on one side', { 'a/one': undefined }, { 'a/two': 'x\n' }],
    ['a folder renamed on one side, a file added in it on the other', { 'a/one': undefined, 'a/two': undefined, 'z/one': '1\n', 'z/two': '2\n' }, { 'a/three': '3\n' }],
    ['a file where the other side has a folder', { 'n': 'file\n' }, { 'n/inner': 'x\n' }],
    ['a name that is not ASCII', { 'ä': 'x\n' }, { 'b/x': 'x\n' }],
  ];

  it.each(cases)('%s', async (_name, mine, other) => {
    const base = commitUpon('main', START);
    const [ours, theirs] = [commitUpon(base, mine), commitUpon(base, other)];
    expect(await quickly(ours, theirs)).toBeUndefined();
  });

  it('a history that crosses: the side was merged before and taken back', async () => {
    const base = commitUpon('main', START);
    const first = commitUpon(base, { 'new/one': '1\n' });
    const merged = bed.git('commit-tree', `${first}^{tree}`, '-p', base, '-p', first, '-m', 'merge');
    const reverted = bed.git('commit-tree', `${base}^{tree}`, '-p', merged, '-m', 'revert');
    const theirs = commitUpon(first, { 'new/two': '2\n' });
    expect(await quickly(reverted, theirs)).toBeUndefined();
  });

  it('a side that merged something in itself', async () => {
    const base = commitUpon('main', START);
    const ours = commitUpon(base, { 'a/one': 'ours\n' });
    const own = commitUpon(base, { 'a/two': 'x\n' });
    const theirs = bed.git('commit-tree', byGit(ours, own) ?? '', '-p', own, '-p', ours, '-m', 'merge');
    const newer = commitUpon(ours, { c: 'newer\n' });
    expect([undefined, byGit(newer, theirs)]).toContain(await quickly(newer, theirs));
  });
});

it('whatever two sides do at random, the tree is the one that git makes, or git is asked', async () => {
  const rng = new Rng(7);
  const paths = ['a/one', 'a/two', 'a/three', 'b/deep/er', 'b/deep', 'b', 'c', 'top', 'd/x', 'd/y/z'];
  const change = (): Files => Object.fromEntries(Array.from({ length: rng.between(1, 2) }, () => [rng.pick(paths), rng.chance(0.12) ? undefined : `${rng.below(3)}\n`]));
  let quick = 0;
  const base = commitUpon('main', START);
  for (let n = 0; n < 16; n++) {
    const ours = commitUpon(base, change());
    const theirs = commitUpon(base, change());
    const tree = await quickly(ours, theirs);
    if (tree === undefined) continue;
    quick++;
    expect(tree, `${ours} ${theirs}`).toBe(byGit(ours, theirs));
  }
  expect(quick).toBeGreaterThan(1);
}, 120_000);
