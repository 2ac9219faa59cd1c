// The common commit from commits as data: whatever is forgotten on the way, and what is remembered of each.

import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { commonCommit, parentsOf } from '../../../src/adapters/git/ancestry.ts';
import type { History } from '../../../src/adapters/git/ancestry.ts';
import type { Found, Objects } from '../../../src/adapters/git/objects.ts';

const idOf = (name: string): string => createHash('sha1').update(name).digest('hex');

/** A history of these commits: name → names of its parents. */
function historyOf(commits: Readonly<Record<string, readonly string[]>>, message = 'm'): History {
  const tree = idOf('tree');
  const found = new Map(Object.entries(commits).map(([name, parents]): [string, Found] => {
    const content = Buffer.from(`tree ${tree}\n${parents.map((p) => `parent ${idOf(p)}\n`).join('')}author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nparent ${tree}\n${message}`);
    return [idOf(name), { id: idOf(name), type: 'commit', size: content.length, content }];
  }));
  const objects: Objects = { info: async (id) => found.get(id), contents: async (id) => found.get(id), close: async () => undefined };
  return { objects, commonDir: '/nowhere', treesOf: new Map(), parents: new Map(), cuts: {} };
}

it('is not taken for the best one because what was remembered is dropped in the middle of the walk, and in parts read anew by another', async () => {
  // `x` is merged into ours: it, and not `b`, is what both have in common.
  const wrong: number[] = [];
  for (let filled = 49_990; filled < 50_002; filled += 1) {
    const plain = historyOf({ b: [], x: ['b'], theirs: ['x'], q: ['b'], p: ['q'], ours: ['p', 'x'] });
    const contents = async (id: string): Promise<Found | undefined> => {
      if (id === idOf('q')) await parentsOf(plain, idOf('b'));
      return plain.objects.contents(id);
    };
    for (let n = 0; n < filled; n += 1) plain.parents.set(String(n), []);
    if ((await commonCommit({ ...plain, objects: { ...plain.objects, contents } }, { ours: idOf('ours'), theirs: idOf('theirs') })) === idOf('b')) wrong.push(filled);
  }
  expect(wrong).toEqual([]);
});

it('is found although what was remembered is dropped in the middle of the walk', async () => {
  const history = historyOf({ b: [], theirs: ['b'], p: ['b'], ours: ['p'] });
  const found = new Set<string | undefined>();
  for (let filled = 49_990; filled < 50_002; filled += 1) {
    history.parents.clear();
    for (let n = 0; n < filled; n += 1) history.parents.set(String(n), []);
    found.add(await commonCommit(history, { ours: idOf('ours'), theirs: idOf('theirs') }));
  }
  expect(found).toEqual(new Set([idOf('b')]));
});

it('remembers of a commit its tree and parents, not its message', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const names = Array.from({ length: 500 }, (_, n) => String(n));
  const history = historyOf(Object.fromEntries(names.map((name) => [name, ['p', 'q']])), 'x'.repeat(64 * 1024));
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const name of names) expect(await parentsOf(history, idOf(name))).toEqual([idOf('p'), idOf('q')]);
  collect();
  // Of 32 MB of messages nothing is left.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024);
  expect(new Set(history.treesOf.values())).toEqual(new Set([idOf('tree')]));
});

it.each<readonly [string, string]>([['no tree', `parent ${idOf('a')}\nauthor A`], ['no end', `tree ${idOf('a')}`], ['nothing', '']])('of a commit with %s there is nothing to tell', async (_, text) => {
  const history = historyOf({});
  const contents = async (id: string): Promise<Found> => ({ id, type: 'commit', size: text.length, content: Buffer.from(text) });
  expect(await parentsOf({ ...history, objects: { ...history.objects, contents } }, idOf('a'))).toBeUndefined();
});
