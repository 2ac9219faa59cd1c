// A saved run in core: when a save is due, what it holds, what follows from its answers, and what a restored run does again. Real git is tried elsewhere.

import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../src/core/event.ts';
import { DEFAULT_LAND } from '../../../src/core/event.ts';
import { escalationOf } from '../../../src/core/escalation.ts';
import { evolve } from '../../../src/core/evolve.ts';
import { savedCommits, savedTip } from '../../../src/core/save.ts';
import type { SaveTrouble } from '../../../src/core/save-state.ts';
import type { State } from '../../../src/core/state.ts';
import { viewOf } from '../../../src/core/view.ts';
import { Game, RED, settings, unit } from './rig.ts';

const CI = { ci: { remote: 'origin' } };
const refused = (reason: SaveTrouble): EventBody => ({ type: 'run.save.refused', reason, text: `because of ${reason}` });
const restored = (game: Game): EventBody => ({ type: 'run.restored', commit: 'claim', upTo: game.events.length, session: 'other', worktrees: '/elsewhere/1' });

describe('when a save is due', () => {
  it('never without --ci', () => {
    expect(new Game([unit('a')]).play().of('run.saving')).toEqual([]);
  });

  it('first of all: nothing begins before the saved run is shown to be its own', () => {
    const game = new Game([unit('a')], settings(CI));
    game.settle();
    expect(game.inFlight.map((b) => b.type)).toEqual(['run.saving']);
    game.answer('run.saving', { type: 'run.saved', commit: 'first', upTo: game.events.length });
    expect(game.inFlight.map((b) => b.type)).toEqual(['trial.started']);
  });

  it('after each recorded task, beside the next one, one at a time, and once at the end', () => {
    const game = new Game([unit('a', { tasks: 2 })], settings(CI));
    game.play(() => undefined, (b) => b.type === 'run.saving' && game.of('task.committed').length > 0);
    expect(game.of('run.saving')).toHaveLength(2);
    expect(game.of('task.committed')).toHaveLength(2);
    game.play();
    expect(game.events.slice(-3).map((e) => e.type)).toEqual(['run.saving', 'run.saved', 'orch.completed']);
  });

  it('what landed is pushed only when it is saved', () => {
    const game = new Game([unit('a')], settings({ ...CI, land: { ...DEFAULT_LAND, push: 'after-each' }, remote: { name: 'origin', ref: 'refs/heads/main' } })).play();
    const landed = game.of('batch.landed')[0]?.seq ?? 0;
    const saving = game.of('run.saving').find((e) => e.seq > landed)?.seq ?? 0;
    const saved = game.of('run.saved').find((e) => e.seq > saving)?.seq ?? 0;
    expect(game.of('run.pushing')[0]?.seq).toBeGreaterThan(saved);
    expect(game.events.at(-1)?.type).toBe('orch.completed');
  });
});

describe('a save that fails', () => {
  it.for<SaveTrouble>(['refused', 'unreachable'])('%s: never stops the run or its pushes, tried with the next progress and at the end', (reason) => {
    const game = new Game([unit('a', { tasks: 2 })], settings({ ...CI, land: { ...DEFAULT_LAND, push: 'at-end' }, remote: { name: 'origin', ref: 'refs/heads/main' } }));
    game.play((b) => (b.type === 'run.saving' ? refused(reason) : undefined));
    expect(game.of('run.save.refused').length).toBeGreaterThan(2);
    expect(game.of('run.pushed')).toHaveLength(1);
    expect(viewOf(game.state).saved).toEqual({ at: 'origin', upTo: 0, because: `because of ${reason}` });
    expect(game.events.at(-1)?.type).toBe('orch.completed');
  });

  it('is told at the first try only, until one goes through', () => {
    let tries = 0;
    const game = new Game([unit('a', { tasks: 3 })], settings(CI)).play((b) => (b.type === 'run.saving' && ++tries !== 3 ? refused(tries < 3 ? 'unreachable' : 'refused') : undefined));
    expect(tries).toBeGreaterThan(4);
    let state: State | undefined;
    const titles = game.events.flatMap((e) => {
      state = evolve(state, e);
      return e.type === 'run.save.refused' ? escalationOf(state, e)?.title ?? [] : [];
    });
    expect(titles).toEqual(['the run is not saved: because of unreachable', 'the run is not saved: because of refused']);
  });

  it('taken by another session: this one ends at once, saves and pushes nothing more', () => {
    const game = new Game([unit('a'), unit('b')], settings(CI));
    game.play((b) => (b.type === 'run.saving' && game.of('task.committed').length > 0 ? refused('taken') : undefined));
    const lost = game.of('run.save.refused')[0]?.seq ?? 0;
    expect(game.of('orch.stopping')).toMatchObject([{ now: true, by: expect.stringContaining('another session') as string }]);
    expect(game.of('run.saving').filter((e) => e.seq > lost)).toEqual([]);
    expect(game.events.at(-1)?.type).toBe('orch.stopped');
    // The next session asks again, before everything else.
    game.record({ type: 'orch.resumed', settings: settings(CI) });
    game.settle();
    expect(game.inFlight.map((b) => b.type)).toEqual(['run.saving']);
    game.answer('run.saving', refused('taken'));
    expect(game.of('run.recovering')).toEqual([]);
    expect(game.events.at(-1)?.type).toBe('orch.stopped');
  });

  it('a stop saves what is recorded; one that kills does not', () => {
    for (const now of [false, true]) {
      const game = new Game([unit('a')], settings(CI)).play(() => undefined, (b) => b.type === 'task.started');
      const before = game.of('run.saving').length;
      game.record({ type: 'orch.stopping', by: 'SIGINT', now, at: game.now });
      game.play((b) => (b.type === 'task.started' ? { type: 'task.attempt.failed', unit: 'a', task: 1, attempt: 1, failure: { kind: 'cut', by: 'stop' }, notes: [] } : undefined));
      expect(game.of('run.saving').length - before).toBe(now ? 0 : 1);
      expect(game.events.at(-1)?.type).toBe('orch.stopped');
    }
  });
});

describe('what is saved', () => {
  it('of a unit: its recorded head, or the proved commit that its branch is about to take', () => {
    const game = new Game([unit('a', { tasks: 2 })], settings(CI)).play(() => undefined, (b) => b.type === 'task.committing');
    const [a] = game.state.units;
    expect(a === undefined ? '' : savedTip(a)).toBe('a-1');
    expect(savedCommits(game.state)).toEqual(expect.arrayContaining(['base', 'a-1']));
    game.play(() => undefined, (b) => b.type === 'batch.proving');
    expect(savedCommits(game.state)).toEqual(expect.arrayContaining(['a-verified', 'a-candidate']));
    game.play();
    expect(a === undefined ? '' : savedTip(a)).toBeUndefined();
    expect(savedCommits(game.state)).toContain('a-candidate');
  });
});

describe('a restored run', () => {
  it('attempts again what was not committed, in a worktree of its own', () => {
    const game = new Game([unit('a', { tasks: 2 })], settings(CI)).play(() => undefined, (b) => b.type === 'task.backpressure' && b.task === 2);
    game.record(restored(game));
    const [a] = game.state.units;
    expect(a).toMatchObject({ worktree: '/elsewhere/1/units/a', head: 'a-1', next: { step: 'attempt', task: 2 } });
    game.record({ type: 'orch.resumed', settings: settings(CI) });
    game.play();
    expect(game.of('task.committed').map((e) => e.task)).toEqual([1, 2]);
    expect(game.events.at(-1)?.type).toBe('orch.completed');
  });

  it('begins a merge again that was in progress', () => {
    const game = new Game([unit('a')], settings(CI)).play((b) => {
      if (b.type === 'batch.merging') return { type: 'batch.candidate', batch: b.batch, onto: 'base', target: 'base', merges: [], landed: [], postponed: [], failed: [{ unit: 'a', failure: { kind: 'conflict', conflict: 'textual', paths: ['x'], onto: 'newer' } }] };
      return b.type === 'unit.refreshing' ? { type: 'unit.refreshed', unit: 'a', commit: 'a-1', parent: 'a-1', onto: 'newer', conflicts: ['x'] } : undefined;
    }, (b) => b.type === 'rework.started');
    game.record(restored(game));
    expect(game.state.units[0]).toMatchObject({ next: { step: 'refresh', then: 'conflict' } });
    expect(game.state.units[0]?.merging).toBeUndefined();
  });

  it('keeps what had failed', () => {
    const game = new Game([unit('a')], settings({ ...CI, limits: { attempts: 1 } }))
      .play((b) => (b.type === 'task.backpressure' ? { type: 'task.validation.fail', unit: 'a', task: 1, attempt: 1, failure: RED, notes: [] } : undefined));
    game.record(restored(game));
    game.record({ type: 'orch.resumed', settings: settings(CI) });
    game.play();
    expect(game.result).toMatchObject({ failedUnits: 1 });
    expect(game.of('task.retry')).toEqual([]);
  });
});
