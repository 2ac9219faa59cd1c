// The fence's judgement: whose business a change is. What changed is told by git, in test/contract/git-settings.test.ts.

import { expect, it } from 'vitest';
import { openFence } from '../../../src/worker/fence.ts';
import type { Fence } from '../../../src/worker/fence.ts';
import type { Clock, Git } from '../../../src/world.ts';

const A = 'refs/heads/choo/unit/a/1';
const B = 'refs/heads/choo/unit/b/1';

/** A fence around refs that a test moves; each look is a moment of its own. */
function around(refs: Map<string, string>): Fence {
  let now = 0;
  const git = { snapshot: async () => ({ refs: new Map(refs), head: 'refs/heads/main', dirty: new Map() }) };
  return openFence({ git: git as unknown as Git, clock: { steady: () => (now += 1000) } as unknown as Clock, isOutput: () => false });
}

it('a stash is made and taken back for all worktrees at once, and is nobody\'s fault', async () => {
  const refs = new Map([['refs/heads/main', '1']]);
  const fence = around(refs);
  const token = await fence.before();
  refs.set('refs/stash', '2');
  const later = await fence.before();
  expect(await fence.after(token)).toEqual([]);
  refs.delete('refs/stash');
  expect(await fence.after(later)).toEqual([]);
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
  const fence = openFence({ git: { snapshot: async () => ({ refs: new Map(refs), head: '', dirty: new Map() }) } as unknown as Git, clock: { steady: () => 0 } as unknown as Clock, isOutput: () => false });
  await fence.during(B, async () => {
    await fence.after(await fence.before());
    refs.set(B, '2');
  });
  const token = await fence.before();
  expect(token.before.snapshot.refs.get(B)).toBe('1');
  expect(await fence.after(token)).toEqual([]);
});
