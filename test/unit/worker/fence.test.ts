// The fence's judgement: whose business a change is. What changed is told by git, in test/contract/git-settings.test.ts.

import { expect, it } from 'vitest';
import { openFence } from '../../../src/worker/fence.ts';
import type { Fence } from '../../../src/worker/fence.ts';
import type { Clock, Git } from '../../../src/world.ts';

const A = 'refs/heads/choo/unit/a/1';
const B = 'refs/heads/choo/unit/b/1';

/** A fence around refs that a test moves; each look is a moment of its own. */
function around(refs: Map<string, string>, stash: Map<string, string | undefined> = new Map()): Fence {
  let now = 0;
  const git = { snapshot: async () => ({ refs: new Map(refs), head: 'refs/heads/main', dirty: new Map(), stash: new Map(stash) }) };
  return openFence({ git: git as unknown as Git, clock: { steady: () => (now += 1000) } as unknown as Clock, isOutput: () => false, isUnits: (branch) => branch.startsWith('refs/heads/choo/') });
}

it('what agents put into the stash of all worktrees, and take from it, is nobody\'s fault', async () => {
  const [refs, stash] = [new Map([['refs/stash', '7']]), new Map<string, string | undefined>([['7', 'refs/heads/main']])];
  const fence = around(refs, stash);
  const token = await fence.before();
  refs.set('refs/stash', '9');
  stash.set('8', A).set('9', undefined);
  const later = await fence.before();
  expect(await fence.after(token)).toEqual([]);
  refs.set('refs/stash', '7');
  stash.delete('8');
  stash.delete('9');
  expect(await fence.after(later)).toEqual([]);
});

it('a person\'s stash is outside, whenever it was made, and how to get it back is told', async () => {
  const [refs, stash] = [new Map<string, string>(), new Map<string, string | undefined>()];
  const fence = around(refs, stash);
  const token = await fence.before();
  refs.set('refs/stash', '8');
  stash.set('7', 'refs/heads/main').set('8', 'refs/heads/dev');
  expect(await fence.after(token)).toEqual([]);
  const later = await fence.before();
  stash.delete('7');
  expect(await fence.after(later)).toEqual(['a stash entry was dropped (git stash apply 7 still finds it)']);
  refs.delete('refs/stash');
  stash.clear();
  expect(await fence.after(later)).toHaveLength(2);
});

it('a ref that choo has moved on is at none of the values before by choo\'s doing', async () => {
  const refs = new Map([['refs/heads/main', '1']]);
  const fence = around(refs);
  const token = await fence.before();
  for (const id of ['2', '3']) {
    fence.moved('refs/heads/main', id);
    await fence.hold(async () => { refs.set('refs/heads/main', id); fence.settled('refs/heads/main', id); });
  }
  expect(await fence.after(token)).toEqual([]);
  refs.set('refs/heads/main', '2');
  expect(await fence.after(token)).toEqual(['refs/heads/main moved to 2']);
});

it('the branch of a unit is its own business while a step of it is in flight, and what choo gave to it always', async () => {
  const refs = new Map([[A, '1'], [B, '1']]);
  const fence = around(refs);
  await fence.during(A, async () => {
    const token = await fence.before();
    await fence.during(B, async () => { refs.set(B, '2'); });
    refs.set(A, '2');
    expect(await fence.after(token)).toEqual([]);
  });
  const token = await fence.before();
  fence.moved(B, '3');
  refs.set(B, '3');
  expect(await fence.after(token)).toEqual([]);
});

it('the branch of a unit that does nothing just now is outside: landed, failed, waiting, or of a run before', async () => {
  const refs = new Map([[A, '1'], [B, '1'], ['refs/heads/choo/unit/c/1', '1']]);
  const fence = around(refs);
  await fence.during(B, async () => { refs.set(B, '2'); });
  await fence.during(A, async () => {
    const token = await fence.before();
    refs.set(B, '3');
    refs.delete('refs/heads/choo/unit/c/1');
    refs.set('refs/heads/choo/unit/d/1', '1');
    expect(await fence.after(token)).toEqual([`${B} moved to 3`, 'refs/heads/choo/unit/c/1 was deleted', 'refs/heads/choo/unit/d/1 was made']);
  });
});

it('a step that ended after a look, which then serves as the one before the next attempt, still counts', async () => {
  const refs = new Map([[A, '1'], [B, '1']]);
  const fence = openFence({ git: { snapshot: async () => ({ refs: new Map(refs), head: '', dirty: new Map(), stash: new Map() }) } as unknown as Git, clock: { steady: () => 0 } as unknown as Clock, isOutput: () => false, isUnits: (branch) => branch.startsWith('refs/heads/choo/') });
  await fence.during(B, async () => {
    await fence.after(await fence.before());
    refs.set(B, '2');
  });
  const token = await fence.before();
  expect(token.before.snapshot.refs.get(B)).toBe('1');
  expect(await fence.after(token)).toEqual([]);
});
