// The landing queue: batches, the search for the one that is to blame, batches upon batches, and what a new session takes over.

import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/core/decide.ts';
import type { Begun, EventOf } from '../../../src/core/event.ts';
import { DEFAULT_LAND } from '../../../src/core/event.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { viewOf } from '../../../src/core/view.ts';
import { CUT, Game, RED, candidate, redWhen, settings, unit } from './rig.ts';

const ids = (n: number): string[] => Array.from({ length: n }, (_, i) => `u${String(i).padStart(2, '0')}`);
const many = (n: number): ReturnType<typeof unit>[] => ids(n).map((id) => unit(id));
const land = (more: Partial<typeof DEFAULT_LAND> = {}): ReturnType<typeof settings> => settings({ parallelism: 100, land: { ...DEFAULT_LAND, ...more } });
const proofs = (game: Game): readonly (readonly string[])[] => game.of('batch.proving').map((e) => e.units);

/** All units have been at their own checks for two seconds; answered, they come to the queue together. */
function together(units: readonly ReturnType<typeof unit>[], s = land()): Game {
  const game = new Game(units, s).play(undefined, (b) => b.type === 'unit.verifying');
  game.now += 2000;
  return game;
}

describe('a batch', () => {
  it('takes 32 units that wait together with one proof, and the target moves once', () => {
    const game = together(many(32));
    expect(game.inFlight).toHaveLength(32);
    game.play();
    expect(proofs(game)).toEqual([ids(32)]);
    expect(game.of('batch.landing')).toHaveLength(1);
    expect(game.of('unit.merged').map((e) => e.unit)).toEqual(ids(32));
    expect(game.of('unit.merged')[3]).toMatchObject({ unit: 'u03', commit: 'u03-candidate', head: 'u03-verified' });
    expect(game.result.completedUnits).toBe(32);
  });

  it.each([0, 1, 7, 16, 30, 31])('with one of 32 to blame (number %i) needs 1 + log2(32) + 1 proofs at most', (at) => {
    let mended = false;
    const culprit = ids(32)[at] ?? '';
    const red = redWhen((units) => !mended && units.includes(culprit));
    const game = together(many(32), land({ speculate: 1 })).play((b) => {
      if (b.type === 'rework.started') mended = true;
      return red(b);
    });
    const own = proofs(game).filter((units) => units.join() !== culprit || game.of('batch.proof.failed').length === 0);
    expect(own.length).toBeLessThanOrEqual(1 + 5 + 1 + 1);
    expect(game.of('rework.started').map((e) => e.unit)).toEqual([culprit]);
    expect(game.result.completedUnits).toBe(32);
    expect(game.of('unit.merged').at(-1)?.unit).toBe(culprit);
  });

  it('lands what it finds proved while it searches, and never a commit whose proof failed', () => {
    const game = together(many(8), land({ speculate: 1 })).play(redWhen((units) => units.includes('u05') || units.includes('u02')));
    const red = new Set(game.of('batch.proof.failed').map((e) => `${e.batch} ${e.commit}`));
    expect(red.size).toBeGreaterThan(2);
    expect(game.of('batch.landed').some((e) => red.has(`${e.batch} ${e.commit}`))).toBe(false);
    expect(game.of('unit.merged').map((e) => e.unit).toSorted()).toEqual(['u00', 'u01', 'u03', 'u04', 'u06', 'u07']);
    expect([game.phase('u02'), game.phase('u05')]).toEqual(['failed', 'failed']);
  });

  it('tells the agent with whom its unit clashes: whose check fails, else all that landed since its branch knew', () => {
    const game = together(many(3), land({ speculate: 1 })).play(redWhen((units) => units.includes('u02')));
    expect(game.of('rework.started')[0]?.because).toMatchObject({ kind: 'check-failed', with: ['u00', 'u01'] });
    const of: Failure = { ...RED, of: 'u00' } as Failure;
    const other = together(many(3), land({ speculate: 1 })).play(redWhen((units) => units.includes('u02'), of));
    expect(other.of('rework.started')[0]?.because).toMatchObject({ with: ['u00'] });
  });

  it('is never longer than `land.batch`, and one unit with `land.history: each`', () => {
    expect(proofs(together(many(7), land({ batch: 3, speculate: 1 })).play()).map((u) => u.length)).toEqual([3, 3, 1]);
    expect(proofs(together(many(3), land({ history: 'each', speculate: 1 })).play()).map((u) => u.length)).toEqual([1, 1, 1]);
  });

  it('lands unproved with `land.checks: never`, because the user said so', () => {
    const game = together(many(3), land({ checks: 'never' })).play();
    expect(proofs(game)).toEqual([]);
    expect(game.result.completedUnits).toBe(3);
  });

  it('gives up every unit that it was to land when the ref cannot be moved, and none of the others', () => {
    const failure: Failure = { kind: 'git', command: 'git merge', detail: 'no' };
    const game = together(many(4), land({ batch: 2, speculate: 1 })).play((b) => (b.type === 'batch.landing' && b.batch === 1 ? { type: 'batch.land.failed', batch: 1, failure } : undefined));
    expect(ids(4).map((id) => game.phase(id))).toEqual(['failed', 'failed', 'landed', 'landed']);
  });

  it('is not red because a stop cut its proof', () => {
    const game = together(many(2)).play(undefined, (b) => b.type === 'batch.proving');
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: game.now });
    game.answer('batch.proving', { type: 'batch.proof.failed', batch: 1, commit: 'u01-candidate', failure: CUT, notes: [] });
    expect(game.of('unit.failed')).toEqual([]);
    game.record({ type: 'orch.resumed', settings: land() });
    game.play();
    expect(proofs(game)).toEqual([['u00', 'u01'], ['u00', 'u01']]);
    expect(game.result.completedUnits).toBe(2);
  });

  it('pauses the run, and fails nobody, when this machine cannot run proofs', () => {
    const full: Failure = { kind: 'no-space', path: '/w', free: 1, floor: 2 };
    let broken = true;
    const game = together(many(5)).play((b) => (b.type === 'batch.proving' && broken ? { type: 'batch.proof.failed', batch: b.batch, commit: b.commit, failure: full, notes: [] } : undefined));
    expect(proofs(game)).toHaveLength(1);
    expect(game.of('orch.paused')).toMatchObject([{ reason: 'landing' }]);
    expect(game.of('unit.failed')).toEqual([]);
    expect(game.result).toMatchObject({ waitingUnits: 5, error: expect.stringContaining('no proof can run') as string });
    broken = false;
    game.record({ type: 'orch.resumed', settings: land() });
    game.play();
    expect(game.result.completedUnits).toBe(5);
  });

  it('sends back the one whose setup fails only together with the others, as after two changes of a lockfile', () => {
    const failure: Failure = { kind: 'setup-failed', command: 'npm ci', ending: { code: 1 }, output: { tail: 'out of sync', log: '/l' } };
    let mended = false;
    const red = redWhen((units) => !mended && units.includes('u01'), failure);
    const game = together(many(2), land({ speculate: 1 })).play((b) => {
      if (b.type === 'rework.started') mended = true;
      return red(b);
    });
    expect(game.of('rework.started')).toMatchObject([{ unit: 'u01', reason: 'proof', because: { kind: 'setup-failed', with: ['u00'] } }]);
    expect(game.result.completedUnits).toBe(2);
  });
});

describe('the queue as people see it', () => {
  it('is empty while nobody has come to it, and again at the end', () => {
    const game = together(many(3));
    expect(viewOf(game.state).queue).toEqual([]);
    expect(viewOf(game.play().state).queue).toEqual([]);
  });

  it('tells who is proved with whom, and who waits behind them', () => {
    const game = together(many(5), land({ batch: 2, speculate: 1 })).play(undefined, (b) => b.type === 'batch.proving');
    expect(viewOf(game.state).queue).toEqual([
      { unit: 'u00', batch: 1, doing: 'proving' }, { unit: 'u01', batch: 1, doing: 'proving' },
      { unit: 'u02', doing: 'waiting' }, { unit: 'u03', doing: 'waiting' }, { unit: 'u04', doing: 'waiting' },
    ]);
  });

  it('tells of a red batch which half is tried', () => {
    let proofs = 0;
    const game = together(many(4), land({ speculate: 1 })).play(redWhen((units) => units.includes('u03')), (b) => b.type === 'batch.proving' && ++proofs === 2);
    expect(viewOf(game.state).queue.map(({ unit: id, doing }) => `${id} ${doing}`)).toEqual(['u00 proving', 'u01 proving', 'u02 waiting', 'u03 waiting']);
  });

  it('tells what lands', () => {
    const game = together(many(2)).play(undefined, (b) => b.type === 'batch.landing');
    expect(viewOf(game.state).queue.map(({ doing }) => doing)).toEqual(['landing', 'landing']);
  });
});

describe('the queue', () => {
  it('is first in, first out, then by the longest chain that waits, then by id', () => {
    const units = [unit('a'), unit('b'), unit('c', { dependsOn: ['b'] }), unit('d', { dependsOn: ['c'] }), unit('e')];
    const game = new Game(units, land({ speculate: 1 })).play(undefined, (b) => b.type === 'unit.verifying');
    game.now += 10;
    game.answer('unit.verifying', { type: 'unit.verified', unit: 'e', commit: 'x', parent: 'x', merged: false, notes: [] }, 'e');
    game.now += 10;
    // At the same moment: b has a chain behind it.
    game.record({ type: 'unit.verified', unit: 'a', commit: 'x', parent: 'x', merged: false, notes: [] });
    game.record({ type: 'unit.verified', unit: 'b', commit: 'x', parent: 'x', merged: false, notes: [] });
    expect([...game.state.lane].map((i) => game.state.units[i]?.unit.id)).toEqual(['e', 'b', 'a']);
  });

  it('waits for units that are at their own checks no longer than the first one was at its', () => {
    const game = new Game(many(3), land()).play(undefined, (b) => b.type === 'unit.verifying');
    game.now += 2000;
    const verified = (id: string): void => { game.answer('unit.verifying', { type: 'unit.verified', unit: id, commit: 'x', parent: 'x', merged: false, notes: [] }, id); };
    verified('u00');
    expect(game.of('batch.merging')).toEqual([]);
    expect(game.wakeAt).toBe(game.now + 2000);
    game.now += 500;
    verified('u01');
    game.now += 1499;
    expect(decide(game.state, game.now).next).toEqual([]);
    game.now += 1;
    expect(decide(game.state, game.now).next).toMatchObject([{ type: 'batch.merging', units: ['u00', 'u01'] }]);
  });

  it('does not wait for units that came to their checks after it had come itself', () => {
    const game = new Game([unit('a'), unit('b', { tasks: 2 })], land()).play(undefined, (b) => b.type === 'unit.verifying' || (b.type === 'task.started' && b.unit === 'b' && b.task === 2));
    game.now += 1000;
    game.answer('unit.verifying', { type: 'unit.verified', unit: 'a', commit: 'x', parent: 'x', merged: false, notes: [] }, 'a');
    expect(game.of('batch.merging')).toMatchObject([{ units: ['a'] }]);
  });
});

describe('a batch upon a batch', () => {
  /** The first unit is being proved; the second comes now. */
  function stacked(s = land()): Game {
    const game = new Game(many(3), s).play(undefined, (b) => b.type === 'unit.verifying');
    const verified = (id: string): void => { game.answer('unit.verifying', { type: 'unit.verified', unit: id, commit: `${id}-verified`, parent: `${id}-verified`, merged: false, notes: [] }, id); };
    verified('u00');
    game.answer('batch.merging', candidate(game.of('batch.merging')[0] as EventOf<'batch.merging'>));
    verified('u01');
    return game;
  }

  it('is merged upon what is being proved, and proved at the same time in another landing worktree', () => {
    const game = stacked();
    expect(game.of('batch.merging')[1]).toMatchObject({ batch: 2, units: ['u01'], onto: 'u00-candidate' });
    game.play(undefined, (b) => b.type === 'batch.proving' || b.type === 'unit.verifying');
    expect(game.of('batch.proving').map((e) => [e.batch, e.place])).toEqual([[1, 0], [2, 1]]);
  });

  it('lands only after the one below, though it was proved first', () => {
    const game = stacked().play(undefined, (b) => (b.type === 'batch.proving' && b.batch === 1) || b.type === 'unit.verifying');
    expect(game.of('batch.proved').map((e) => e.batch)).toEqual([2]);
    expect(game.of('batch.landing')).toEqual([]);
    game.play();
    expect(game.of('batch.landing').map((e) => e.commit).slice(0, 2)).toEqual(['u00-candidate', 'u01-candidate']);
  });

  it('comes to nothing when the one below fails: its step is ended, its answer ignored, its unit waits again', () => {
    const game = stacked().play(undefined, (b) => b.type === 'batch.proving' || b.type === 'unit.verifying');
    const [first, second] = game.of('batch.proving');
    game.answer('batch.proving', { type: 'batch.proof.failed', batch: 1, commit: first?.commit ?? '', failure: RED, notes: [] });
    expect(game.of('batch.dropped').map((e) => e.batch)).toEqual([2]);
    // Its landing worktree is in use until its proof has ended.
    game.answer('batch.merging', candidate(game.of('batch.merging')[2] as EventOf<'batch.merging'>));
    expect(game.of('batch.proving').at(-1)).toMatchObject({ batch: 3, units: ['u01'], place: 0 });
    game.answer('batch.proving', { type: 'batch.proved', batch: 2, commit: second?.commit ?? '', passed: [], reused: 0, notes: [] });
    expect(game.phase('u01')).toBe('proving');
    game.play();
    expect(game.result.completedUnits).toBe(3);
    expect(new Set(game.of('unit.merged').map((e) => e.unit)).size).toBe(game.of('unit.merged').length);
  });

  it('is not built when only one landing worktree may be used', () => {
    expect(stacked(land({ speculate: 1 })).of('batch.merging')).toHaveLength(1);
  });

  it('leaves out a unit that conflicts with what is on its way, until that has landed; then it is a conflict', () => {
    const conflict: Failure = { kind: 'conflict', conflict: 'textual', paths: ['x'], onto: 'y' };
    let resolved = false;
    const game = stacked().play((b: Begun) => {
      if (b.type === 'rework.started') resolved = true;
      if (b.type === 'unit.refreshing') return { type: 'unit.refreshed', unit: b.unit, commit: 'x', parent: 'x', onto: 'u00-candidate', conflicts: ['x'] };
      if (b.type !== 'batch.merging' || !b.units.includes('u01') || resolved) return undefined;
      const rest = b.units.filter((id) => id !== 'u01');
      return b.onto === undefined ? { ...candidate({ ...b, units: rest }), failed: [{ unit: 'u01', failure: conflict }] } : { ...candidate({ ...b, units: rest }), postponed: ['u01'] };
    });
    const order = game.events.filter((e) => (e.type === 'unit.merged' && e.unit === 'u00') || (e.type === 'rework.started')).map((e) => e.type);
    expect(order).toEqual(['unit.merged', 'rework.started']);
    expect(game.of('rework.started')).toMatchObject([{ unit: 'u01', reason: 'conflict' }]);
    expect(game.result.completedUnits).toBe(3);
  });
});

describe('a new session', () => {
  it('forms its batches anew, but for the one that may have moved the target', () => {
    const game = together(many(4), land({ batch: 2 })).play(undefined, (b) => b.type === 'batch.landing' || (b.type === 'batch.proving' && b.batch === 2));
    expect(game.state.batches.map((b) => [b.id, b.next])).toEqual([[1, 'land'], [2, 'prove']]);
    game.record({ type: 'orch.resumed', settings: land({ batch: 2 }) });
    expect(game.state.batches.map((b) => [b.id, b.next, b.inFlight])).toEqual([[1, 'land', undefined]]);
    game.play();
    expect(game.of('batch.landing').filter((e) => e.batch === 1)).toHaveLength(2);
    expect(game.of('unit.merged').map((e) => e.unit)).toEqual(ids(4));
  });

  it('tells of landings that the session before had recorded and not told', () => {
    const game = together(many(2)).play(undefined, (b) => b.type === 'batch.landing');
    game.record({ type: 'batch.landed', batch: 1, commit: 'u01-candidate', ref: 'refs/heads/main' });
    expect(unitNamed(game.state, 'u00').phase).toBe('landed');
    game.record({ type: 'orch.resumed', settings: land() });
    game.play();
    expect(game.of('unit.merged').map((e) => e.unit)).toEqual(['u00', 'u01']);
  });

  it('takes a discarded unit out of its batch, and what was stacked with it is merged anew', () => {
    const game = together(many(2)).play(undefined, (b) => b.type === 'batch.proving');
    game.record({ type: 'unit.discarded', unit: 'u00', backups: [] });
    game.record({ type: 'orch.resumed', settings: land() });
    game.play();
    expect(game.of('unit.merged').map((e) => e.unit)).toEqual(['u01']);
    expect(game.phase('u00')).toBe('cancelled');
  });
});

describe('two batches that may be proved at the same moment', () => {
  it('are proved in landing worktrees of their own, although only one is free', () => {
    const hold = (b: Begun): boolean => b.type === 'batch.proving' || b.type === 'rework.started';
    const game = new Game(['a', 'b', 'c', 'd'].map((id) => unit(id)), settings({ land: { ...DEFAULT_LAND, history: 'each', speculate: 3 } })).play(() => undefined, hold);
    const proofs = (): readonly (readonly [number, number])[] => game.inFlight.flatMap((b) => (b.type === 'batch.proving' ? [[b.batch, b.place] as const] : []));
    expect(proofs()).toEqual([[1, 0], [2, 1], [3, 2]]);
    game.answer('batch.proving', { type: 'batch.proof.failed', batch: 1, commit: 'a-candidate', failure: RED, notes: [] });
    game.play(() => undefined, hold);
    expect(proofs()).toEqual([[2, 1], [3, 2], [4, 0]]);
    game.answer('batch.proving', { type: 'batch.proof.failed', batch: 2, commit: 'b-candidate', failure: CUT, notes: [] });
    expect(proofs()).toEqual([[3, 2], [4, 0], [5, 1]]);
  });
});
