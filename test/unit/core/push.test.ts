// The remote target in core: when a push is due, what follows from its answers, when the run is over. How it is done is tried with real git.

import { describe, expect, it } from 'vitest';
import type { EventBody, PushTrouble, Settings } from '../../../src/core/event.ts';
import { DEFAULT_LAND } from '../../../src/core/event.ts';
import { BOUNDS } from '../../../src/core/limits.ts';
import { isOpen } from '../../../src/core/open.ts';
import { viewOf } from '../../../src/core/view.ts';
import { escalationOf } from '../../../src/core/escalation.ts';
import { candidate, Game, RED, settings, unit } from './rig.ts';

const REMOTE = { name: 'origin', ref: 'refs/heads/main' };
const DONE = [unit('a'), unit('b', { dependsOn: ['a'] })];

function pushing(push: 'after-each' | 'at-end', more: Partial<Settings['land']> = {}): Settings {
  return settings({ land: { ...DEFAULT_LAND, push, ...more }, remote: REMOTE });
}

const refused = (reason: PushTrouble): EventBody => ({ type: 'run.push.refused', reason, text: `because of ${reason}` });

describe('when a push is due', () => {
  it('never: nothing of it happens', () => {
    const game = new Game(DONE, settings({ remote: REMOTE })).play();
    expect(game.of('run.pushing')).toEqual([]);
    expect(game.events.at(-1)?.type).toBe('orch.completed');
  });

  it('after-each: each landing, one push at a time, of the newest', () => {
    const game = new Game(DONE, pushing('after-each')).play(() => undefined, (b) => b.type === 'run.pushing');
    expect(game.of('batch.landed')).toHaveLength(2);
    expect(game.of('run.pushing')).toMatchObject([{ commit: 'a-candidate', last: false }]);
    game.answer('run.pushing', { type: 'run.pushed', commit: 'a-candidate' });
    expect(game.of('run.pushing').at(-1)).toMatchObject({ commit: 'b-candidate' });
    game.play();
    expect(game.events.at(-1)?.type).toBe('orch.completed');
    expect(isOpen(game.state)).toBe(false);
  });

  it('at-end: once, when nothing else can move, also when a unit failed', () => {
    const game = new Game([unit('a'), unit('b')], { ...pushing('at-end'), limits: { ...settings().limits, attempts: 1 } })
      .play((b) => (b.type === 'task.backpressure' && b.unit === 'b' ? { type: 'task.validation.fail', unit: 'b', task: 1, attempt: b.attempt, failure: RED, notes: [] } : undefined));
    expect(game.of('run.pushing')).toMatchObject([{ commit: 'a-candidate', last: true }]);
    expect(game.of('unit.completed').at(-1)?.seq).toBeLessThan(game.of('run.pushing')[0]?.seq ?? 0);
    expect(game.result).toMatchObject({ completedUnits: 1, failedUnits: 1 });
  });

  it('not while the run lands beside the target', () => {
    const game = new Game([unit('a')], pushing('after-each')).play((b) => {
      if (b.type === 'batch.landing') return { type: 'batch.landed', batch: b.batch, commit: b.commit, ref: 'refs/heads/choo/run/1', diverted: 'local changes' };
      return b.type === 'run.advancing' ? { type: 'run.not-advanced', text: 'local changes', fastForward: true } : undefined;
    });
    expect(game.of('run.pushing')).toEqual([]);
    game.record({ type: 'orch.resumed', settings: pushing('after-each') });
    game.play((b) => (b.type === 'run.advancing' ? { type: 'run.advanced', commit: 'a-candidate' } : undefined));
    expect(game.of('run.pushing')).toMatchObject([{ commit: 'a-candidate' }]);
  });

  it('not after a stop: the run stays open, and the next session pushes', () => {
    const game = new Game([unit('a')], pushing('at-end')).play(() => undefined, (b) => b.type === 'unit.finishing');
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: game.now });
    game.play();
    expect(game.of('run.pushing')).toEqual([]);
    expect(game.result.error).toContain('landed, not pushed');
    expect([isOpen(game.state), viewOf(game.state).closed]).toEqual([true, false]);
    game.record({ type: 'orch.resumed', settings: pushing('at-end') });
    expect(game.play().events.at(-1)?.type).toBe('orch.completed');
  });
});

describe('others were first', () => {
  it('in the middle: the next landing brings their commits, and is pushed', () => {
    let times = 0;
    const game = new Game(DONE, pushing('after-each')).play((b) => (b.type === 'run.pushing' && times++ === 0 ? { type: 'run.push.behind', at: 'theirs' } : undefined), (b) => b.type === 'task.started' && b.unit === 'b');
    expect(game.of('run.pushing')).toHaveLength(1);
    game.play();
    expect(game.of('run.catching-up')).toEqual([]);
    expect(game.of('run.pushing').map((e) => e.commit)).toEqual(['a-candidate', 'b-candidate']);
  });

  it('at the end: joined, proved, moved, then pushed', () => {
    let times = 0;
    const game = new Game([unit('a')], pushing('at-end')).play((b) => (b.type === 'run.pushing' && times++ === 0 ? { type: 'run.push.behind', at: 'theirs' } : undefined));
    const about = game.events.filter((e) => /^run\.(push|catch|remote|caught)/.test(e.type)).map((e) => e.type);
    expect(about).toEqual(['run.pushing', 'run.push.behind', 'run.catching-up', 'run.remote-joined', 'run.catching-up', 'run.caught-up', 'run.pushing', 'run.pushed']);
    expect(game.of('run.pushed')).toMatchObject([{ commit: 'joined' }]);
    expect(game.result.error).toBeUndefined();
  });

  it('a batch that is red with their commits is tried without them before any unit is blamed', () => {
    const game = new Game([unit('a')], pushing('at-end')).play((b) => {
      if (b.type === 'batch.merging' && b.batch === 1) return { ...candidate(b), onto: 'with-theirs', remote: 'theirs' };
      return b.type === 'batch.proving' && b.batch === 1 ? { type: 'batch.proof.failed', batch: 1, commit: b.commit, notes: [], failure: RED } : undefined;
    });
    expect(game.state.push.unfit).toBe('theirs');
    expect(game.of('rework.started')).toEqual([]);
    expect(game.of('batch.landed')).toMatchObject([{ batch: 2 }]);
  });
});

describe('a push that is refused', () => {
  for (const reason of ['refused', 'conflict', 'proof', 'target', 'moving'] as const) {
    it(`${reason}: told once, landing goes on, nothing more is pushed until a new session`, () => {
      const game = new Game(DONE, pushing('after-each')).play((b) => (b.type === 'run.pushing' ? refused(reason) : undefined));
      expect(game.of('run.pushing')).toHaveLength(1);
      expect(game.result).toMatchObject({ completedUnits: 2, error: `landed, not pushed: because of ${reason}` });
      expect(game.events.filter((e) => escalationOf(game.state, e)?.end === undefined && escalationOf(game.state, e) !== undefined).map((e) => e.type)).toEqual(['run.push.refused']);
      expect(viewOf(game.state).push).toEqual({ to: 'main of origin', done: false, because: `because of ${reason}` });
      game.record({ type: 'orch.resumed', settings: pushing('after-each') });
      game.play();
      expect(game.events.at(-1)?.type).toBe('orch.completed');
    });
  }

  it('unreachable in the middle: tried once more at the end, and only then told', () => {
    const told: string[] = [];
    const game = new Game(DONE, pushing('after-each'));
    game.play((b) => {
      if (b.type !== 'run.pushing') return undefined;
      told.push(`${b.last}`);
      return refused('unreachable');
    });
    expect(told).toEqual(['false', 'true']);
    expect(game.state.push.state).toBe('stopped');
    const [first] = game.of('run.push.refused');
    const early = new Game(DONE, pushing('after-each')).play((b) => (b.type === 'run.pushing' ? refused('unreachable') : undefined), (b) => b.type === 'task.started' && b.unit === 'b');
    expect(first === undefined ? undefined : escalationOf(early.state, first)).toBeUndefined();
  });

  it('cut by a stop: nothing is told', () => {
    const game = new Game([unit('a')], pushing('at-end')).play(() => undefined, (b) => b.type === 'run.pushing');
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: game.now });
    game.answer('run.pushing', refused('cut'));
    expect(game.state.push).toMatchObject({ state: 'idle' });
    expect(game.result.error).toBe('landed, not pushed: stopped by SIGINT');
  });

  it('has a bound for the tries that come too late', () => {
    expect(BOUNDS.pushTries).toBeGreaterThan(1);
    let tries = 0;
    const game = new Game([unit('a')], pushing('at-end')).play((b) => {
      if (b.type !== 'run.pushing') return undefined;
      return ++tries >= BOUNDS.pushTries ? refused('moving') : { type: 'run.push.behind', at: `theirs ${tries}` };
    });
    expect(game.state.push.tries).toBe(BOUNDS.pushTries - 1);
    expect(game.result.error).toContain('landed, not pushed');
  });
});

describe('after a death', () => {
  it('a push that was begun is begun again, and the remote is asked first', () => {
    const game = new Game([unit('a')], pushing('after-each')).play(() => undefined, (b) => b.type === 'run.pushing');
    game.record({ type: 'orch.resumed', settings: pushing('after-each') });
    game.play();
    expect(game.of('run.pushing').map((e) => e.commit)).toEqual(['a-candidate', 'a-candidate']);
    expect(game.of('run.pushed')).toHaveLength(1);
  });

  it('`never` from now on: the run is over', () => {
    const game = new Game([unit('a')], pushing('at-end')).play((b) => (b.type === 'run.pushing' ? refused('refused') : undefined));
    expect(isOpen(game.state)).toBe(true);
    game.record({ type: 'orch.resumed', settings: settings() });
    game.play();
    expect(isOpen(game.state)).toBe(false);
    expect(game.events.at(-1)?.type).toBe('orch.completed');
  });
});
