// A run as the core plays it: order, slots, blocking, retrying, pausing, stopping and resuming. No world.

import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/core/decide.ts';
import type { Begun } from '../../../src/core/event.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { CUT, Game, RED, candidate, failing, settings, unit, unprepared } from './rig.ts';

const DIAMOND = [unit('a'), unit('b', { dependsOn: ['a'] }), unit('c', { dependsOn: ['a'] }), unit('d', { dependsOn: ['b', 'c'] })];

function started(game: Game): string[] {
  return game.of('unit.started').map((e) => e.unit);
}

describe('order', () => {
  it('starts a unit when everything it depends on has landed, not before', () => {
    const game = new Game(DIAMOND).play();
    expect(started(game)).toEqual(['a', 'b', 'c', 'd']);
    const seq = (type: string, of: string): number => game.events.find((e) => e.type === type && 'unit' in e && e.unit === of)?.seq ?? 0;
    expect(seq('unit.started', 'b')).toBeGreaterThan(seq('unit.merged', 'a'));
    expect(seq('unit.started', 'd')).toBeGreaterThan(Math.max(seq('unit.merged', 'b'), seq('unit.merged', 'c')));
    expect(game.result).toMatchObject({ totalUnits: 4, completedUnits: 4, failedUnits: 0, blockedUnits: 0, waitingUnits: 0 });
  });

  it('takes the longest remaining chain first, then the id by code unit; a unit in the landing lane leaves its slot to others', () => {
    const units = [unit('short'), unit('Z'), unit('long', { tasks: 3 }), unit('head'), unit('tail', { dependsOn: ['head'], tasks: 9 })];
    const game = new Game(units, settings({ parallelism: 1 })).play();
    expect(started(game)).toEqual(['head', 'long', 'tail', 'Z', 'short']);
  });

  it('works on the tasks of a unit one at a time, in the order their numbers and dependencies give', () => {
    const late = unit('a', { tasks: 3 });
    const tasks = late.tasks.map((t) => (t.number === 1 ? { ...t, dependsOn: [3] } : t));
    const game = new Game([{ ...late, tasks }]).play();
    expect(game.of('task.started').map((e) => e.task)).toEqual([2, 3, 1]);
    expect(game.of('task.completed').map((e) => e.task)).toEqual([2, 3, 1]);
  });

  it('leaves tasks alone that were complete before the run', () => {
    const half = unit('a', { tasks: 2 });
    const game = new Game([{ ...half, tasks: half.tasks.map((t) => ({ ...t, complete: t.number === 1 })) }]).play();
    expect(game.of('task.started').map((e) => e.task)).toEqual([2]);
    expect(unitNamed(game.state, 'a').tasks.map((t) => t.ours)).toEqual([false, true]);
  });
});

describe('slots', () => {
  const four = ['a', 'b', 'c', 'd'].map((id) => unit(id));

  it('never begins more units than the parallelism, and gives a freed slot away at once', () => {
    const game = new Game(four, settings({ parallelism: 2 }));
    game.settle();
    game.answer('trial.started', { type: 'trial.ok', checks: [], notes: [] });
    expect(started(game)).toEqual(['a', 'b']);
    const then = game.answer('unit.started', { type: 'unit.prepare.failed', unit: 'a', failure: RED }, 'a');
    expect(then.map((e) => e.type)).toEqual(['unit.failed', 'unit.started']);
    expect(started(game)).toEqual(['a', 'b', 'c']);
    expect(game.state.slots).toBe(2);
  });

  it('lands first in, first out, and a unit that waits to land holds no slot', () => {
    const lane = (b: Begun): boolean => b.type === 'batch.merging';
    const game = new Game(four, settings({ parallelism: 2 })).play(undefined, lane);
    expect(started(game)).toEqual(['a', 'b', 'c', 'd']);
    expect(game.of('batch.merging').map((e) => e.units)).toEqual([['a']]);
    expect(game.state.slots).toBe(0);
    game.play();
    const order = game.of('unit.verified').map((e) => e.unit);
    expect(game.of('unit.merged').map((e) => e.unit)).toEqual(order);
  });

  it('brings a unit that comes back from the lane to work before new ones', () => {
    let red = true;
    const game = new Game(four, settings({ parallelism: 1 })).play((b) => {
      if (b.type !== 'batch.proving' || b.units[0] !== 'a' || !red) return undefined;
      red = false;
      return { type: 'batch.proof.failed', batch: b.batch, commit: b.commit, failure: RED, notes: [] };
    });
    const after = game.events.slice(game.of('batch.proof.failed')[0]?.seq).map((e) => e.type);
    expect(after.indexOf('unit.refreshing')).toBeLessThan(after.indexOf('unit.started') === -1 ? Infinity : after.lastIndexOf('unit.started'));
    expect(game.of('rework.started')).toMatchObject([{ unit: 'a', reason: 'proof', attempt: 1 }]);
    expect(game.result.completedUnits).toBe(4);
  });
});

describe('failing', () => {
  it('blocks exactly the dependants, direct and not, and nobody else', () => {
    const game = new Game([...DIAMOND, unit('e')]).play(unprepared(['b']));
    expect(['a', 'b', 'c', 'd', 'e'].map((id) => game.phase(id))).toEqual(['landed', 'failed', 'landed', 'blocked', 'landed']);
    expect(game.of('unit.blocked')).toMatchObject([{ unit: 'd', by: 'b' }]);
    expect(game.result).toMatchObject({ completedUnits: 3, failedUnits: 1, blockedUnits: 1, error: '1 unit failed' });
  });

  it('blocks each once, however many of its dependencies fail', () => {
    const game = new Game(DIAMOND).play(unprepared(['b', 'c']));
    expect(game.of('unit.blocked').map((e) => e.unit)).toEqual(['d']);
  });

  it('tries a task again up to the limit, told each time what failed', () => {
    const game = new Game([unit('a')], settings({ limits: { attempts: 3 } })).play(failing('a'));
    expect(game.of('task.started')).toMatchObject([{ attempt: 1 }]);
    expect(game.of('task.retry')).toMatchObject([{ attempt: 2, because: RED }, { attempt: 3, because: RED }]);
    expect(game.of('task.failed')).toMatchObject([{ unit: 'a', task: 1, failure: RED }]);
    expect(game.of('unit.failed')).toMatchObject([{ unit: 'a', failure: RED, worktree: '/w/a' }]);
  });

  it('counts a missing program as no attempt, and ends the unit with it', () => {
    const missing: Failure = { kind: 'environment', command: 'nope', code: 127, output: { tail: '', log: '/log' } };
    const game = new Game([unit('a')]).play(failing('a', missing));
    expect(unitNamed(game.state, 'a').tasks[0]).toMatchObject({ used: 1, failed: 0 });
    expect(game.of('task.retry')).toEqual([]);
  });

  it('remembers how a check ended before the first attempt, and no attempt that came after', () => {
    const before = (passedBefore: boolean | undefined): string | undefined => new Game([unit('a')]).play((b) => {
      if (b.type !== 'task.started') return undefined;
      const about = { unit: 'a', task: 1, attempt: 1, notes: [] };
      return passedBefore === undefined ? { type: 'task.attempt.failed', ...about, failure: { kind: 'git', command: 'c', detail: 'd' } } : { type: 'task.attempted', ...about, ending: { code: 0 }, passedBefore };
    }).state.units[0]?.tasks[0]?.before;
    expect([before(true), before(false), before(undefined)]).toEqual(['passed', 'failed', undefined]);
  });

  it('gives "nothing changed" one more attempt that does not count', () => {
    const game = new Game([unit('a')], settings({ limits: { attempts: 1 } })).play((b) => {
      if (b.type !== 'task.backpressure' || b.attempt > 1) return undefined;
      return { type: 'task.validation.fail', unit: 'a', task: 1, attempt: 1, failure: { kind: 'nothing-changed', check: 'true' }, notes: [] };
    });
    expect(game.of('task.retry')).toMatchObject([{ attempt: 2, because: { kind: 'nothing-changed' } }]);
    expect(game.result.completedUnits).toBe(1);
  });

  it('pauses dispatch after too many failures in a row, with nothing landed between', () => {
    const units = ['a', 'b', 'c', 'd'].map((id) => unit(id));
    const game = new Game(units, settings({ parallelism: 1, limits: { failuresInARow: 2 } })).play(unprepared(['a', 'b', 'c']));
    expect(game.of('orch.paused')).toMatchObject([{ reason: 'failures-in-a-row' }]);
    expect(started(game)).toEqual(['a', 'b']);
    expect(game.result).toMatchObject({ failedUnits: 2, waitingUnits: 2 });
  });

  it('does not pause when something landed between', () => {
    const units = ['a', 'b', 'c'].map((id) => unit(id));
    const game = new Game(units, settings({ parallelism: 1, limits: { failuresInARow: 2 } }));
    game.play(unprepared(['a']), (b) => b.type === 'unit.started' && b.unit === 'c');
    expect(game.phase('b')).toBe('landed');
    game.play(unprepared(['c']));
    expect(game.result).toMatchObject({ failedUnits: 2, completedUnits: 1 });
    expect(game.of('orch.paused')).toEqual([]);
  });

  it('starts no agent when the trial worktree cannot be made ready', () => {
    const game = new Game([unit('a')]).play((b) => (b.type === 'trial.started' ? { type: 'trial.failed', failure: { kind: 'environment', command: 'nope', code: 127, output: { tail: '', log: '/l' } } } : undefined));
    expect(started(game)).toEqual([]);
    expect(game.of('orch.paused')).toMatchObject([{ reason: 'environment' }]);
    expect(game.result).toMatchObject({ waitingUnits: 1, failedUnits: 0 });
  });
});

describe('mending', () => {
  it('sends a failed baseline back to the agent, up to the same limit', () => {
    const game = new Game([unit('a')], settings({ limits: { attempts: 2 } })).play((b) => (b.type === 'unit.verifying' ? { type: 'unit.verify.failed', unit: 'a', failure: RED, notes: [] } : undefined));
    expect(game.of('rework.started').map((e) => [e.reason, e.attempt])).toEqual([['baseline', 1], ['baseline', 2]]);
    expect(game.of('unit.failed')).toMatchObject([{ failure: RED }]);
  });

  it('sends a textual conflict to the agent in the worktree, then to a person', () => {
    const conflict: Failure = { kind: 'conflict', conflict: 'textual', paths: ['x'], onto: 'newest' };
    const game = new Game([unit('a'), unit('b')], settings({ parallelism: 1, conflictRetries: 1 })).play((b) => {
      if (b.type === 'batch.merging' && b.units.includes('a')) return { ...candidate({ ...b, units: b.units.filter((id) => id !== 'a') }), failed: [{ unit: 'a', failure: conflict }] };
      if (b.type === 'unit.refreshing') return { type: 'unit.refreshed', unit: 'a', commit: 'a-verified', parent: 'a-verified', onto: 'newest', conflicts: ['x'] };
      return undefined;
    });
    expect(game.of('rework.started')).toMatchObject([{ unit: 'a', reason: 'conflict', because: conflict }]);
    expect(game.of('unit.failed')).toMatchObject([{ unit: 'a', failure: conflict }]);
    expect(game.phase('b')).toBe('landed');
  });

  it('fails a foreign change at once: no agent can put that right', () => {
    const foreign: Failure = { kind: 'conflict', conflict: 'foreign-change', paths: ['x'], onto: 'newest' };
    const game = new Game([unit('a')]).play((b) => (b.type === 'batch.merging' ? { ...candidate({ ...b, units: [] }), failed: [{ unit: 'a', failure: foreign }] } : undefined));
    expect(game.of('rework.started')).toEqual([]);
    expect(game.of('unit.failed')).toMatchObject([{ failure: foreign }]);
  });

  it('merges and proves again when the target moved just before it landed', () => {
    let moved = false;
    const game = new Game([unit('a')]).play((b) => {
      if (b.type === 'batch.merging' && moved) return { ...candidate(b), merges: [{ unit: 'a', commit: 'a-newer', head: 'a-verified' }], onto: 'elsewhere', target: 'elsewhere' };
      if (b.type !== 'batch.landing' || moved) return undefined;
      moved = true;
      return { type: 'batch.moved', batch: b.batch, at: 'elsewhere' };
    });
    expect(game.of('batch.merging').map((e) => e.batch)).toEqual([1, 2]);
    expect(game.of('batch.proving').map((e) => e.commit)).toEqual(['a-candidate', 'a-newer']);
    expect(game.result.completedUnits).toBe(1);
  });

  it('does not prove again what was proved and had landed although moving the target failed', () => {
    const game = new Game([unit('a')]);
    const failure: Failure = { kind: 'git', command: 'git merge', detail: 'died after it had moved' };
    game.play((b) => (b.type === 'batch.landing' ? { type: 'batch.land.failed', batch: b.batch, failure } : undefined));
    expect(unitNamed(game.state, 'a').proved).toEqual({ commit: 'a-candidate', head: 'a-verified', top: 'a-candidate', batch: 1 });
    game.record({ type: 'orch.resumed', settings: settings() });
    game.record({ type: 'unit.retried', unit: 'a' });
    // The merge finds the proved commit in the landing ref.
    game.play((b) => (b.type === 'batch.merging' ? { ...candidate({ ...b, units: [] }), landed: [{ unit: 'a', commit: 'a-candidate', head: 'a-verified' }] } : undefined));
    expect(game.of('batch.proving')).toHaveLength(1);
    expect(game.of('unit.merged')).toMatchObject([{ unit: 'a', commit: 'a-candidate' }]);
    // It is the last landing now: what is pushed, and what the target is to be advanced to.
    expect(game.state.landed).toBe('a-candidate');
    expect(game.phase('a')).toBe('landed');
  });

  it('ends "landed, target not advanced" when the target cannot be moved in the end', () => {
    const game = new Game([unit('a')]).play((b) => {
      if (b.type === 'batch.landing') return { type: 'batch.landed', batch: b.batch, commit: b.commit, ref: 'refs/heads/choo/run/1', diverted: 'it has local changes' };
      return b.type === 'run.advancing' ? { type: 'run.not-advanced', text: 'it has local changes', fastForward: true } : undefined;
    });
    expect(game.of('run.advancing')).toHaveLength(1);
    expect(game.events.at(-1)?.type).toBe('orch.failed');
    expect(game.result).toMatchObject({ completedUnits: 1, error: 'landed, target not advanced: it has local changes' });
  });
});

describe('retry', () => {
  it('gives attempts back and unblocks the dependants', () => {
    const game = new Game(DIAMOND).play(failing('b'));
    expect(game.phase('d')).toBe('blocked');
    game.record({ type: 'orch.resumed', settings: settings() });
    game.record({ type: 'unit.retried', unit: 'b' });
    game.play();
    expect(game.of('unit.unblocked').map((e) => e.unit)).toEqual(['d']);
    expect(game.result.completedUnits).toBe(4);
    expect(game.of('task.retry').at(-1)).toMatchObject({ unit: 'b', attempt: 4 });
  });

  it('keeps a dependant blocked while another of its dependencies is failed', () => {
    const game = new Game(DIAMOND).play(unprepared(['b', 'c']));
    game.record({ type: 'orch.resumed', settings: settings() });
    game.record({ type: 'unit.retried', unit: 'b' });
    game.play();
    expect(game.phase('d')).toBe('blocked');
    game.record({ type: 'orch.resumed', settings: settings() });
    game.record({ type: 'unit.retried', unit: 'c' });
    expect(game.play().phase('d')).toBe('landed');
  });

  it('ends the pause, live', () => {
    const units = ['a', 'b', 'c'].map((id) => unit(id));
    const hold = (b: Begun): boolean => b.type === 'task.started' && b.unit === 'c';
    const game = new Game(units, settings({ parallelism: 3, limits: { failuresInARow: 2 } })).play(unprepared(['a', 'b']), hold);
    expect(game.state.paused).toBeDefined();
    game.record({ type: 'unit.retried', unit: 'a' });
    game.play();
    expect(game.phase('a')).toBe('landed');
    expect(game.phase('c')).toBe('landed');
  });
});

describe('stopping', () => {
  const hold = (b: Begun): boolean => b.type === 'task.started';

  function stopped(): Game {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] }), unit('c')], settings({ limits: { shutdown: 5000 } })).play(undefined, hold);
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: game.now });
    game.settle();
    return game;
  }

  it('begins nothing new and waits for what runs, at most until the limit', () => {
    const game = stopped();
    expect(decide(game.state, game.now)).toEqual({ next: [], wakeAt: game.now + 5000, done: false });
    game.now += 5000;
    expect(game.settle().map((e) => e.type)).toEqual(['orch.killing']);
    expect(decide(game.state, game.now).wakeAt).toBeUndefined();
  });

  it('kills at once on the second signal', () => {
    const game = stopped();
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: true, at: game.now });
    expect(game.settle().map((e) => e.type)).toEqual(['orch.killing']);
  });

  it('makes a commit that was proved, and begins no check', () => {
    const game = stopped();
    game.answer('task.started', { type: 'task.attempted', unit: 'a', task: 1, attempt: 1, ending: { code: 0 }, passedBefore: false, notes: [] }, 'a');
    expect(game.of('task.backpressure')).toEqual([]);
    game.answer('task.started', { type: 'task.attempt.failed', unit: 'c', task: 1, attempt: 1, failure: CUT, notes: [] }, 'c');
    expect(game.events.at(-1)?.type).toBe('orch.stopped');
    expect(game.result).toMatchObject({ cancelledUnits: 3, completedUnits: 0, error: 'stopped by SIGINT' });
  });

  it('goes on after resume: an attempt that was cut uses its number but not the limit', () => {
    const game = stopped();
    for (const u of ['a', 'c']) game.answer('task.started', { type: 'task.attempt.failed', unit: u, task: 1, attempt: 1, failure: CUT, notes: [] }, u);
    game.record({ type: 'orch.resumed', settings: settings() });
    game.play();
    expect(game.of('task.started').map((e) => [e.unit, e.attempt])).toEqual([['a', 1], ['c', 1], ['a', 2], ['c', 2], ['b', 1]]);
    expect(unitNamed(game.state, 'a').tasks[0]).toMatchObject({ used: 2, failed: 0, cuts: 1 });
    expect(game.result.completedUnits).toBe(3);
  });

  it('takes a step without an answer as cut by a crash', () => {
    const game = new Game([unit('a')]).play(undefined, hold);
    game.record({ type: 'orch.resumed', settings: settings() });
    game.play();
    expect(unitNamed(game.state, 'a').tasks[0]).toMatchObject({ used: 2, cuts: 1, failed: 0 });
    expect(game.result.completedUnits).toBe(1);
  });

  it('gives up a task that is cut too often', () => {
    const game = new Game([unit('a')], settings({ limits: { cuts: 1 } })).play((b) => (b.type === 'task.started' ? { type: 'task.attempt.failed', unit: 'a', task: 1, attempt: b.attempt, failure: CUT, notes: [] } : undefined));
    expect(game.of('unit.failed')).toMatchObject([{ failure: CUT }]);
    expect(game.of('task.started')).toHaveLength(2);
  });

  it('crashes anywhere and still ends with everything landed, nothing twice', () => {
    const whole = new Game(DIAMOND).play();
    for (let at = 3; at < whole.events.length; at++) {
      const game = new Game(DIAMOND);
      for (const { seq, time: _, run: __, ...body } of whole.events.slice(2, at)) if (seq > 2) game.record(body);
      game.record({ type: 'orch.resumed', settings: settings() });
      game.play();
      expect(game.result.completedUnits, `after ${whole.events[at - 1]?.type} (${at})`).toBe(4);
      expect(new Set(game.of('unit.merged').map((e) => e.unit)).size).toBe(game.of('unit.merged').length);
      expect(game.of('task.committed')).toHaveLength(4);
    }
  });
});
