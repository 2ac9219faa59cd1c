// What a new session makes of the one before: cut steps, commits on their way, a plan that changed meanwhile. No world.

import { describe, expect, it } from 'vitest';
import type { PlanChanges } from '../../../src/core/event.ts';
import { evolve, stamp, unitNamed } from '../../../src/core/evolve.ts';
import type { Unit } from '../../../src/core/plan.ts';
import type { State } from '../../../src/core/state.ts';
import { BROKEN, Game, failing, settings, unit } from './rig.ts';

const DIAMOND = [unit('a'), unit('b', { dependsOn: ['a'] }), unit('c', { dependsOn: ['a'] }), unit('d', { dependsOn: ['b', 'c'] })];

function started(game: Game): string[] {
  return game.of('unit.started').map((e) => e.unit);
}

describe('a session after one that ended in the middle of things', () => {
  const resume = (game: Game): void => { game.record({ type: 'orch.resumed', settings: settings() }); };

  it('looks at what was left before it begins anything', () => {
    const game = new Game([unit('a')]).play(undefined, (b) => b.type === 'task.started');
    resume(game);
    expect(game.settle().map((e) => e.type)).toEqual(['run.recovering']);
    expect(unitNamed(game.state, 'a').interrupted).toBe(true);
    game.play();
    expect(unitNamed(game.state, 'a').interrupted).toBe(false);
    expect(game.phase('a')).toBe('landed');
  });

  it('blocks nobody whom a retry has freed while the news of the failure was still on its way', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] }), unit('c', { dependsOn: ['b'] }), unit('d', { dependsOn: ['c'] }), unit('e', { dependsOn: ['b', 'd'] })]);
    game.settle();
    game.answer('trial.started', { type: 'trial.ok', checks: [], notes: [] });
    game.record({ type: 'unit.prepare.failed', unit: 'a', failure: BROKEN });
    // The disk was full after the second of these.
    game.record({ type: 'unit.failed', unit: 'a', failure: BROKEN });
    game.record({ type: 'unit.blocked', unit: 'b', by: 'a' });
    game.record({ type: 'unit.retried', unit: 'a' });
    resume(game);
    expect(game.play().result).toMatchObject({ completedUnits: 5, blockedUnits: 0 });
  });

  it('begins nothing when that cannot be mended, and tries again in the next one', () => {
    const game = new Game([unit('a')]).play(undefined, (b) => b.type === 'task.started');
    resume(game);
    game.play((b) => (b.type === 'run.recovering' ? { type: 'run.recover.failed', failure: BROKEN } : undefined));
    expect(game.of('orch.paused')).toMatchObject([{ reason: 'recovery' }]);
    expect(game.of('task.retry')).toEqual([]);
    expect(game.result).toMatchObject({ waitingUnits: 1 });
    resume(game);
    expect(game.play().phase('a')).toBe('landed');
  });

  it('runs a check that was cut again, without the agent', () => {
    const game = new Game([unit('a')]).play(undefined, (b) => b.type === 'task.backpressure');
    resume(game);
    game.play();
    expect(game.of('task.started')).toHaveLength(1);
    expect(game.of('task.backpressure').map((e) => e.attempt)).toEqual([1, 1]);
    expect(unitNamed(game.state, 'a').tasks[0]).toMatchObject({ used: 1, cuts: 1 });
  });

  it('gives up a task that crashes took too often, and frees its slot', () => {
    const game = new Game([unit('a'), unit('b')], settings({ parallelism: 1, limits: { cuts: 1 } }));
    for (let crash = 0; crash < 2; crash++) {
      game.play(undefined, (b) => (b.type === 'task.started' || b.type === 'task.retry') && b.unit === 'a');
      game.record({ type: 'orch.resumed', settings: settings({ parallelism: 1, limits: { cuts: 1 } }) });
    }
    game.play();
    expect(game.of('unit.failed')).toMatchObject([{ unit: 'a', failure: { kind: 'cut', by: 'crash' } }]);
    expect(game.phase('b')).toBe('landed');
    expect(game.state.slots).toBe(0);
  });

  it('does not begin a unit again whose failure was not announced before the crash', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] })]);
    game.settle();
    game.answer('trial.started', { type: 'trial.ok', checks: [], notes: [] });
    game.record({ type: 'unit.prepare.failed', unit: 'a', failure: BROKEN });
    resume(game);
    game.play();
    expect(started(game)).toEqual(['a']);
    expect([game.phase('a'), game.phase('b')]).toEqual(['failed', 'blocked']);
  });

  it('blocks a unit again that was to be announced as unblocked when another of its dependencies failed', () => {
    const game = new Game([unit('a'), unit('b'), unit('c', { dependsOn: ['a', 'b'] })]);
    game.settle();
    game.answer('trial.started', { type: 'trial.ok', checks: [], notes: [] });
    game.answer('unit.started', { type: 'unit.prepare.failed', unit: 'a', failure: BROKEN }, 'a');
    game.record({ type: 'unit.prepare.failed', unit: 'b', failure: BROKEN });
    game.record({ type: 'unit.retried', unit: 'a' });
    resume(game);
    game.play();
    expect(game.of('unit.blocked').map((e) => [e.unit, e.by])).toEqual([['c', 'a'], ['c', 'b']]);
    expect([game.phase('a'), game.phase('b'), game.phase('c')]).toEqual(['landed', 'failed', 'blocked']);
  });

  it('frees dependants that were to be announced as blocked when the crash and then a retry came', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] }), unit('c', { dependsOn: ['b'] })]);
    game.settle();
    game.answer('trial.started', { type: 'trial.ok', checks: [], notes: [] });
    game.record({ type: 'unit.prepare.failed', unit: 'a', failure: BROKEN });
    game.record({ type: 'unit.failed', unit: 'a', failure: BROKEN });
    game.record({ type: 'unit.retried', unit: 'a' });
    resume(game);
    game.play();
    expect(game.of('unit.blocked')).toEqual([]);
    expect(game.result).toMatchObject({ completedUnits: 3, blockedUnits: 0 });
  });
});

describe('what was verified', () => {
  it('is in the journal before the branch moves, and only then goes to land', () => {
    const game = new Game([unit('a')]).play();
    const order = game.events.map((e) => e.type).filter((t) => /^(unit\.(verified|committing|committed)|batch\.merging)$/.test(t));
    expect(order).toEqual(['unit.verified', 'unit.committing', 'unit.committed', 'batch.merging']);
    expect(unitNamed(game.state, 'a').head).toBe('a-verified');
  });

  it('moves nothing when the branch is there already', () => {
    const game = new Game([unit('a')]).play((b) => (b.type === 'unit.verifying' ? { type: 'unit.verified', unit: 'a', commit: 'x', parent: 'x', merged: false, notes: [] } : undefined));
    expect(game.of('unit.committing')).toEqual([]);
    expect(unitNamed(game.state, 'a').head).toBe('x');
  });

  it('is looked at again by a retry when the branch could not move', () => {
    let broken = true;
    const game = new Game([unit('a')]).play((b) => (b.type === 'unit.committing' && broken ? { type: 'unit.commit.failed', unit: 'a', failure: BROKEN } : undefined));
    expect(game.phase('a')).toBe('failed');
    broken = false;
    resumeRetried(game);
    expect(game.of('unit.verifying')).toHaveLength(2);
    expect(game.phase('a')).toBe('landed');
  });

  it('is committed in spite of a stop', () => {
    const game = new Game([unit('a')]).play(undefined, (b) => b.type === 'unit.verifying');
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: game.now });
    game.answer('unit.verifying', { type: 'unit.verified', unit: 'a', commit: 'x', parent: 'y', merged: false, notes: [] }, 'a');
    expect(game.of('unit.committing')).toHaveLength(1);
    expect(game.of('batch.merging')).toEqual([]);
  });
});

function resumeRetried(game: Game): void {
  game.record({ type: 'orch.resumed', settings: settings() });
  game.record({ type: 'unit.retried', unit: 'a' });
  game.play();
}

describe('a new plan', () => {
  const changes = { added: [], removed: [], changed: [] };
  const replanned = (game: Game, units: readonly Unit[], more: Partial<PlanChanges> = {}): State =>
    evolve(game.state, stamp({ type: 'run.replanned', pinned: { ...game.state.pinned, plan: { units, complete: [] } }, changes: { ...changes, ...more } }, { seq: game.state.seq + 1, run: 1, now: game.now }));
  const phases = (s: State): readonly string[] => s.units.map((u) => `${u.unit.id} ${u.phase}`);

  it('leaves what has landed and what failed as it was, and blocks what depends on that', () => {
    const game = new Game(DIAMOND).play(failing('b'));
    const s = replanned(game, [...DIAMOND, unit('e', { dependsOn: ['a'] })], { added: ['e'] });
    expect(phases(s)).toEqual(['a landed', 'b failed', 'c landed', 'd pending', 'e pending']);
    expect([...s.announce].map((p) => p.what)).toEqual(['queued', 'blocked']);
    expect(unitNamed(s, 'b').tasks[0]).toMatchObject({ used: 3, failed: 3 });
  });

  it('gives a failed unit that changed its attempts back, with new numbers', () => {
    const game = new Game([unit('a')]).play(failing('a'));
    const a = unitNamed(replanned(game, [unit('a')], { changed: [{ unit: 'a', tasks: [1] }] }), 'a');
    expect(a).toMatchObject({ phase: 'running', next: { step: 'refresh', then: 'work' }, tasks: [{ used: 3, failed: 0, done: false }] });
  });

  it('is over with a unit that is no longer in it, and keeps where its work is', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] })]).play(undefined, (b) => b.type === 'task.started');
    const s = replanned(game, [unit('a'), unit('b')], { removed: ['a'] });
    expect(phases(s)).toEqual(['a cancelled', 'b pending']);
    expect(unitNamed(s, 'a').worktree).toBe('/w/a');
    expect([...s.announce].map((p) => p.what)).toEqual(['queued']);
  });
});
