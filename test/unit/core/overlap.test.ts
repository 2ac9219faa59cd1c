// Units that are expected to change the same files: who is passed over, who is kept back, until when, and at which cost. No world.

import { describe, expect, it } from 'vitest';
import type { Begun, EventBody, Settings } from '../../../src/core/event.ts';
import { describeOverlap } from '../../../src/core/overlap.ts';
import type { Overlap, OverlapMode } from '../../../src/core/overlap.ts';
import { viewOf } from '../../../src/core/view.ts';
import { BROKEN, failing, Game, settings, troubled, unit, unprepared } from './rig.ts';

function pair(a: string, b: string, glob = 'src/**'): Overlap {
  return { units: [a, b], reason: { by: 'touches', globs: [glob, glob] } };
}

const all = (...ids: string[]): ReturnType<typeof unit>[] => ids.map((id) => unit(id));
const inMode = (overlap: OverlapMode, more: Parameters<typeof settings>[0] = {}): Settings => settings({ overlap, ...more });
const started = (game: Game): string[] => game.of('unit.started').map((e) => e.unit);
const isWork = (b: Begun): boolean => b.type === 'task.started';

describe('in the mode order', () => {
  it('passes one over that overlaps one at work, as long as there is another', () => {
    const game = new Game(all('a', 'b', 'c', 'd'), inMode('order', { parallelism: 2 }), [pair('a', 'b')]).play(undefined, isWork);
    expect(started(game)).toEqual(['a', 'c']);
    game.play(undefined, (b) => isWork(b) && 'unit' in b && b.unit !== 'c');
    expect(started(game)).toEqual(['a', 'c', 'd']);
    expect(game.of('unit.waiting')).toEqual([]);
  });

  it('leaves no place empty for it: of those that overlap the first by the usual order goes', () => {
    const game = new Game(all('a', 'b', 'c'), inMode('order', { parallelism: 3 }), [pair('a', 'b'), pair('a', 'c')]).play(undefined, isWork);
    expect(started(game)).toEqual(['a', 'b', 'c']);
  });

  it('is the default, and a unit that has landed is in nobody\'s way', () => {
    const game = new Game(all('a', 'b', 'c'), settings({ parallelism: 1 }), [pair('a', 'b')]).play();
    // a frees its place for c while it lands; or has landed before the place is given away.
    expect(started(game)).toEqual(['a', 'c', 'b']);
    expect(game.result).toMatchObject({ completedUnits: 3 });
  });

  it('counts one that waits to land as at work', () => {
    const game = new Game(all('a', 'b', 'c'), inMode('order', { parallelism: 1 }), [pair('a', 'b')]).play(undefined, (b) => b.type === 'batch.merging');
    expect(started(game)).toEqual(['a', 'c', 'b']);
  });
});

describe('in the mode wait', () => {
  it('keeps one back until the other has landed, and says for whom and why, once', () => {
    const game = new Game(all('a', 'b', 'c'), inMode('wait'), [pair('a', 'b'), pair('b', 'c')]).play(undefined, (b) => b.type === 'batch.merging');
    expect(started(game)).toEqual(['a', 'c']);
    expect(game.of('unit.waiting')).toMatchObject([{ unit: 'b', for: 'overlap', other: 'a', text: 'both mean to change src/**' }]);
    expect(viewOf(game.state).units[1]).toMatchObject({ state: 'waiting', waiting: { for: 'overlap', other: 'a', text: 'both mean to change src/**' } });
    game.play(undefined, (b) => b.type === 'batch.merging' && !b.units.includes('a'));
    expect(game.phase('a')).toBe('landed');
    expect(viewOf(game.state).units[1]).toMatchObject({ state: 'waiting', waiting: { other: 'c' } });
    game.play();
    expect([started(game), game.of('unit.waiting').length]).toEqual([['a', 'c', 'b'], 1]);
    expect(game.result).toMatchObject({ completedUnits: 3 });
    expect(game.state.overlaps.busy.size + game.state.overlaps.atWork.size).toBe(0);
  });

  it('lets it go when the other fails or is discarded, and the other, retried, waits in its turn', () => {
    const game = new Game(all('a', 'b'), inMode('wait', { limits: { attempts: 1 } }), [pair('a', 'b')]).play(failing('a'), (b) => 'unit' in b && b.unit === 'b');
    expect([game.phase('a'), game.phase('b')]).toEqual(['failed', 'running']);
    game.record({ type: 'unit.retried', unit: 'a' });
    game.settle();
    expect(game.of('unit.waiting').map((e) => [e.unit, e.other])).toEqual([['b', 'a'], ['a', 'b']]);
    game.play();
    expect(game.result).toMatchObject({ completedUnits: 2 });
  });

  it('has one that was discarded in nobody\'s way, at work or kept back', () => {
    const game = new Game(all('a', 'b', 'c'), inMode('wait'), [pair('a', 'b'), pair('a', 'c')]).play(undefined, isWork);
    game.record({ type: 'unit.discarded', unit: 'b', backups: [] });
    game.record({ type: 'unit.discarded', unit: 'a', backups: [] });
    game.settle();
    expect([game.phase('a'), game.phase('b'), started(game)]).toEqual(['cancelled', 'cancelled', ['a', 'c']]);
    expect(game.state.count.waiting).toBe(0);
  });

  it('ends when all that is at work waits for a person, and goes on in a new session', () => {
    const answers = (b: Begun): EventBody | undefined => (b.type === 'task.started' && b.unit === 'a'
      ? troubled(b, { kind: 'agent-trouble', agent: 'command', trouble: 'login', text: 'no login', output: { tail: '', log: '/log' } }) : undefined);
    const game = new Game(all('a', 'b'), inMode('wait'), [pair('a', 'b')]).play(answers);
    expect(started(game)).toEqual(['a']);
    expect(game.result).toMatchObject({ waitingUnits: 2, error: '2 units wait for the agent command and another that means to change the same files' });
    game.record({ type: 'orch.resumed', settings: inMode('wait') });
    game.play();
    expect(game.result).toMatchObject({ completedUnits: 2 });
    expect(game.of('unit.waiting').filter((e) => e.unit === 'b').length).toBe(2);
  });

  it('begins nothing that waits in a session that ignores overlaps, and everything at once in it', () => {
    const game = new Game(all('a', 'b'), inMode('wait'), [pair('a', 'b')]).play(undefined, isWork);
    game.record({ type: 'orch.resumed', settings: inMode('ignore') });
    game.play(undefined, (b) => b.type === 'batch.merging');
    expect(started(game)).toEqual(['a', 'b']);
    expect(game.play().result).toMatchObject({ completedUnits: 2 });
  });

  it('keeps back a unit whose turn came while it waited for room in the budget', () => {
    const budget = { in: 'tokens', attempt: 10, run: 15 } as const;
    const game = new Game(all('a', 'b', 'c'), inMode('wait', { budget, parallelism: 3 }), [pair('b', 'c')]);
    game.play((b) => (b.type === 'task.started' ? { type: 'task.attempted', unit: b.unit, task: b.task, attempt: 1, ending: { code: 0 }, passedBefore: false, notes: [], usage: { input: 1, output: 0, cacheRead: 0, cacheWrite: 0 } } : undefined));
    expect(game.result).toMatchObject({ completedUnits: 3 });
  });

  it('lets one that failed on its way to landing land at once when it is retried', () => {
    const game = new Game(all('a', 'b'), inMode('wait'), [pair('a', 'b')])
      .play((b) => (b.type === 'batch.landing' && b.units.includes('a') ? { type: 'batch.land.failed', batch: b.batch, failure: BROKEN } : undefined), (b) => isWork(b) && 'unit' in b && b.unit === 'b');
    expect([game.phase('a'), game.phase('b')]).toEqual(['failed', 'running']);
    game.record({ type: 'unit.retried', unit: 'a' });
    game.play();
    expect(game.result).toMatchObject({ completedUnits: 2 });
  });

  it('is computed anew with a new plan', () => {
    const game = new Game(all('a', 'b', 'c'), inMode('wait'), [pair('a', 'b')]).play(undefined, isWork);
    expect(started(game)).toEqual(['a', 'c']);
    const { overlaps: _, ...pinned } = game.state.pinned;
    game.record({ type: 'run.replanned', pinned: { ...pinned, overlaps: [pair('b', 'c')] }, changes: { added: [], removed: [], changed: [] } });
    game.record({ type: 'orch.resumed', settings: inMode('wait') });
    game.play(undefined, (b) => b.type === 'batch.merging' && b.units.includes('c'));
    expect([game.phase('a'), game.phase('b'), game.phase('c')]).toEqual(['landed', 'waiting', 'proving']);
    expect(game.play().result).toMatchObject({ completedUnits: 3 });
  });
});

it('whatever happens, two that overlap are never at work together in the mode wait, and all comes to its end', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const pairs = ids.flatMap((a, i) => ids.slice(i + 1).filter((_, j) => (i * 7 + j * 5) % 3 !== 0).map((b) => pair(a, b)));
  for (let crash = 12; crash < 90; crash += 6) {
    const game = new Game(all(...ids), inMode('wait', { parallelism: 3 }), pairs);
    for (let session = 0; session < 40 && game.events.at(-1)?.type !== 'orch.completed'; session++) {
      const until = game.events.length + crash;
      game.play(unprepared(session === 1 ? ['b'] : []), () => game.events.length >= until);
      for (const { units: [a, b] } of pairs) {
        const busy = [a, b].filter((id) => ['running', 'proving', 'landing'].includes(game.phase(id)));
        expect(busy.length).toBeLessThan(2);
      }
      if (game.events.at(-1)?.type === 'orch.completed') break;
      for (const id of ids) if (game.phase(id) === 'failed') game.record({ type: 'unit.retried', unit: id });
      game.record({ type: 'orch.resumed', settings: inMode('wait', { parallelism: 3, limits: { cuts: 100 } }) });
    }
    expect([crash, game.events.at(-1)?.type]).toEqual([crash, 'orch.completed']);
  }
});

it('of many that all overlap each is told once', () => {
  const ids = Array.from({ length: 300 }, (_, i) => `u${String(i).padStart(4, '0')}`);
  const pairs = ids.flatMap((a, i) => ids.slice(i + 1).map((b) => pair(a, b)));
  const game = new Game(all(...ids), inMode('wait'), pairs).play();
  expect(game.result).toMatchObject({ completedUnits: 300 });
  expect(game.of('unit.waiting').length).toBe(299);
});

it('is described in words', () => {
  expect(describeOverlap({ by: 'touches', globs: ['src/api/**', 'src/api/**'] })).toBe('both mean to change src/api/**');
  expect(describeOverlap({ by: 'touches', globs: ['src/**', 'src/a.ts'], path: 'src/a.ts' })).toBe('both mean to change src/a.ts (src/** and src/a.ts)');
  expect(describeOverlap({ by: 'touches', globs: ['src/**', '**/*.md'] })).toBe('both may change the same files (src/** and **/*.md)');
  expect(describeOverlap({ by: 'history', paths: ['a', 'b'], together: 7, of: 9 })).toBe('a and b changed together in 7 of the last 9 commits that touched either');
});
