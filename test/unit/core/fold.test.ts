// What folding must always be: the same state again from the same events, refusals of events that cannot follow,
// and a cost of one event that does not grow with the graph.

import { describe, expect, it } from 'vitest';
import { Bug } from '../../../src/core/bug.ts';
import { decide } from '../../../src/core/decide.ts';
import type { Event, EventBody } from '../../../src/core/event.ts';
import { evolve, stamp } from '../../../src/core/evolve.ts';
import type { Unit } from '../../../src/core/plan.ts';
import type { State } from '../../../src/core/state.ts';
import { Game, failing, settings, unit } from './rig.ts';

function fold(events: readonly Event[]): State | undefined {
  let state: State | undefined;
  for (const event of events) state = evolve(state, event);
  return state;
}

describe('replay', () => {
  it('gives the state that the run had, and the same again', () => {
    const units = [unit('a', { tasks: 2 }), unit('b', { dependsOn: ['a'] }), unit('c', { dependsOn: ['b'] })];
    const game = new Game(units).play(failing('b'));
    game.record({ type: 'orch.resumed', settings: settings() });
    game.record({ type: 'unit.retried', unit: 'b' });
    game.play();
    expect(fold(game.events)).toEqual(game.state);
    expect(fold(JSON.parse(JSON.stringify(game.events)) as Event[])).toEqual(fold(game.events));
  });

  it('makes the same decisions from the same events', () => {
    const events = new Game([unit('a'), unit('b')]).play(failing('a')).events;
    for (let n = 2; n <= events.length; n++) {
      const [one, two] = [fold(events.slice(0, n)), fold(events.slice(0, n))];
      if (one === undefined || two === undefined) throw new Error('nothing was folded');
      expect(decide(one, 5)).toEqual(decide(two, 5));
    }
  });
});

describe('an event that cannot follow is a defect', () => {
  const cases: readonly [string, EventBody][] = [
    ['an answer to nothing', { type: 'unit.verified', unit: 'a', commit: 'x', parent: 'x', merged: false, notes: [] }],
    ['a unit that the plan lacks', { type: 'unit.started', unit: 'zebra' }],
    ['a unit begun out of order', { type: 'unit.started', unit: 'b' }],
    ['a retry of what has not failed', { type: 'unit.retried', unit: 'a' }],
    ['an answer to a trial that was not begun', { type: 'trial.ok', checks: [], notes: [] }],
  ];
  it.each(cases)('%s', (_name, body) => {
    const game = new Game([unit('a'), unit('b')]);
    for (const id of ['a', 'b']) game.record({ type: 'unit.queued', unit: id });
    expect(() => game.record(body)).toThrow(Bug);
  });

  it('anything before the run was pinned', () => {
    expect(() => evolve(undefined, stamp({ type: 'orch.killing' }, { seq: 1, run: 1, now: 0 }))).toThrow(Bug);
  });
});

/** How often `units` and the waiting lists of a state were read or written. */
interface Counter { count: number }

function counting<T extends object>(target: T, counter: Counter): T {
  return new Proxy(target, {
    get: (on, key) => {
      counter.count++;
      const value: unknown = Reflect.get(on, key);
      return typeof value === 'function' && !Array.isArray(on) ? (value as (...a: unknown[]) => unknown).bind(on) : value;
    },
    set: (on, key, value) => {
      counter.count++;
      return Reflect.set(on, key, value);
    },
  });
}

/** Plays about that many events after the start of a run; gives the most accesses that one of them cost. */
function costliestEvent(units: readonly Unit[], events: number): number {
  const game = new Game(units);
  game.settle();
  const counter: Counter = { count: 0 };
  const { state } = game;
  Object.assign(state, { units: counting(state.units, counter), lane: counting(state.lane, counter), announce: counting(state.announce, counter), returning: counting(state.returning, counter) });
  let most = 0;
  const end = game.events.length + events;
  for (let [first] = game.inFlight; first !== undefined && game.events.length < end; [first] = game.inFlight) {
    const before = game.events.length;
    const oldest = first;
    counter.count = 0;
    game.play(undefined, (b) => b !== oldest);
    most = Math.max(most, counter.count / (game.events.length - before));
  }
  return most;
}

describe('cost', () => {
  /** Units in rows of four; each waits for one of the row before it. */
  function rows(count: number): Unit[] {
    return Array.from({ length: count }, (_, i) => unit(`u${String(i).padStart(6, '0')}`, { dependsOn: i < 4 ? [] : [`u${String(i - 4).padStart(6, '0')}`] }));
  }

  it('of one event is the same on 40 units and on 100,000', () => {
    const small = costliestEvent(rows(40), 200);
    const large = costliestEvent(rows(100_000), 200);
    expect(small).toBeGreaterThan(0);
    expect(large).toBe(small);
  });

  it('of a start: 100,000 units that wait for nothing are announced one by one, and all are ready', () => {
    const units = Array.from({ length: 100_000 }, (_, i) => unit(`u${String(i).padStart(6, '0')}`));
    const game = new Game(units);
    game.settle();
    expect(game.of('unit.queued')).toHaveLength(100_000);
    expect(game.state.ready.size).toBe(100_000);
  });
});
