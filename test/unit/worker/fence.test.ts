// The fence's judgement: whose business a change is. What changed is told by git, in test/contract/git-settings.test.ts.

import { expect, it } from 'vitest';
import { openFence } from '../../../src/worker/fence.ts';
import type { Fence } from '../../../src/worker/fence.ts';
import type { Clock, Git } from '../../../src/world.ts';

const A = 'refs/heads/choo/unit/a/1';
const B = 'refs/heads/choo/unit/b/1';

/** A fence around refs that a test moves; each look is a moment of its own. */
function around(refs: Map<string, string>, stash: Set<string> = new Set()): Fence {
  let now = 0;
  const git = { snapshot: async () => ({ refs: new Map(refs), head: 'refs/heads/main', dirty: new Map(), stash: new Set(stash) }) };
  return openFence({ git: git as unknown as Git, clock: { steady: () => (now += 1000) } as unknown as Clock, isOutput: () => false });
}

it('a stash is made and taken back for all worktrees at once, and is nobody\'s fault', async () => {
  const [refs, stash] = [new Map([['refs/heads/main', '1'], ['refs/stash', '7']]), new Set(['7'])];
  const fence = around(refs, stash);
  const token = await fence.before();
  refs.set('refs/stash', '2');
  stash.add('2');
  const later = await fence.before();
  expect(await fence.after(token)).toEqual([]);
  refs.set('refs/stash', '7');
  stash.delete('2');
  expect(await fence.after(later)).toEqual([]);
});

it('what was in the stash before any agent is outside, and how to get it back is told', async () => {
  const [refs, stash] = [new Map([['refs/stash', '8']]), new Set(['7', '8'])];
  const fence = around(refs, stash);
  const token = await fence.before();
  refs.set('refs/stash', '9');
  stash.add('9');
  stash.delete('7');
  const later = await fence.before();
  expect(await fence.after(token)).toEqual(['a stash entry was dropped (git stash apply 7 still finds it)']);
  expect(await fence.after(later)).toEqual([]);
  refs.delete('refs/stash');
  stash.clear();
  expect(await fence.after(later)).toEqual(['a stash entry was dropped (git stash apply 8 still finds it)']);
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
  const fence = openFence({ git: { snapshot: async () => ({ refs: new Map(refs), head: '', dirty: new Map(), stash: new Set() }) } as unknown as Git, clock: { steady: () => 0 } as unknown as Clock, isOutput: () => false });
  await fence.during(B, async () => {
    await fence.after(await fence.before());
    refs.set(B, '2');
  });
  const token = await fence.before();
  expect(token.before.snapshot.refs.get(B)).toBe('1');
  expect(await fence.after(token)).toEqual([]);
});
