// The facts of the screen are kept from event to event: that they are what a fresh look would give, and that neither an event nor a drawing
// costs more in a large graph. Counted, not timed.

import { describe, expect, it } from 'vitest';
import type { Event } from '../../../../src/core/event.ts';
import { evolve } from '../../../../src/core/evolve.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import type { State } from '../../../../src/core/state.ts';
import { viewOf } from '../../../../src/core/view.ts';
import type { UnitView } from '../../../../src/core/view.ts';
import { FactsGatherer } from '../../../../src/show/tui/facts.ts';
import type { Facts } from '../../../../src/show/tui/facts.ts';
import { FIRST_UI } from '../../../../src/show/tui/ui.ts';
import type { Machine } from '../../../sim/machine.ts';
import { simulate } from '../../../sim/simulate.ts';
import { unit } from '../../core/rig.ts';
import { factsOf, played, rowsOf } from './plays.ts';

const RED: Failure = { kind: 'setup-failed', command: 'npm ci', ending: { code: 1 }, output: { tail: 'no\n', log: '/log' } };
const byId = (a: UnitView, b: UnitView): number => (a.id < b.id ? -1 : 1);

/** Folds a journal once more, and compares after each event what was kept with what a fresh look gives. */
function expectKept(events: readonly Event[], seed: number): void {
  const gatherer = new FactsGatherer();
  let state: State | undefined;
  for (const event of events) {
    state = evolve(state, event);
    gatherer.event(event, state);
    const kept = factsOf(gatherer);
    const { units, ...head } = viewOf(state);
    const of = (fits: (u: UnitView) => boolean): readonly string[] => kept.outline.order.filter((id) => units.some((u) => u.id === id && fits(u)));
    const counted = units.filter((u) => u.state !== 'cancelled').flatMap((u) => u.tasks);
    expect({
      seed, event, view: kept.view, units: [...kept.units.values()].toSorted(byId), failed: kept.failed, waiting: kept.waiting, running: kept.running, active: kept.active, tasks: kept.tasks, critical: kept.critical,
    }).toEqual({
      seed, event, view: head, units, failed: of((u) => u.state === 'failed'), waiting: of((u) => u.waiting !== undefined && u.state !== 'failed'), running: of((u) => u.state === 'running'),
      active: of((u) => ['running', 'proving', 'landing', 'waiting', 'failed'].includes(u.state)),
      tasks: { all: counted.length, done: counted.filter((t) => t.state === 'complete').length }, critical: freshOf(event, state).critical,
    });
  }
}

function freshOf(event: Event, state: State): Facts {
  const gatherer = new FactsGatherer();
  gatherer.event(event, state);
  return factsOf(gatherer);
}

/** Wide and two levels deep: the first half waits for nothing, each of the second half for one of it. */
function wide(count: number): ReturnType<typeof played> {
  const id = (i: number): string => `unit-${String(i).padStart(5, '0')}`;
  return played(Array.from({ length: count }, (_, i) => unit(id(i), { tasks: 2, dependsOn: i >= count / 2 ? [id(i - count / 2)] : [] })), {
    parallelism: 8,
    answers: (b) => (b.type === 'unit.started' && /[1-4]$/.test(b.unit) ? { type: 'unit.prepare.failed', unit: b.unit, failure: RED } : undefined),
    hold: (b) => b.type === 'task.started',
  });
}

/** The facts with a count of how many units are looked at: by their views, or by walking over ids. */
function counted(facts: Facts): { readonly facts: Facts; readonly looks: () => number } {
  let looks = 0;
  const list = (ids: readonly string[]): readonly string[] => new Proxy(ids, {
    get: (of, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
      return Reflect.get(of, key) as unknown;
    },
  });
  class Counting extends Map<string, UnitView> {
    override get(id: string): UnitView | undefined {
      looks++;
      return super.get(id);
    }
    override values(): MapIterator<UnitView> {
      looks += this.size;
      return super.values();
    }
    override *[Symbol.iterator](): MapIterator<[string, UnitView]> {
      looks += this.size;
      yield* super[Symbol.iterator]();
    }
  }
  const units = new Counting();
  for (const [id, view] of facts.units) units.set(id, view);
  const { outline } = facts;
  return { facts: { ...facts, units, outline: { ...outline, order: list(outline.order) }, working: list(facts.working), waiting: list(facts.waiting), failed: list(facts.failed), active: list(facts.active) }, looks: () => looks };
}

describe('the facts of the screen', () => {
  it('are after every event what a fresh look gives, with many runs that go wrong in every way', async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      let machine: Machine | undefined;
      await simulate({ seed, afterBad: (m) => { machine = m; } });
      const events = machine?.journal.events() ?? [];
      for (const { type } of events) seen.add(type);
      expectKept(events, seed);
    }
    for (const type of ['batch.landed', 'unit.blocked', 'unit.retried', 'unit.waiting', 'agent.held', 'orch.resumed', 'pr.following']) expect([...seen]).toContain(type);
  });

  it('are made anew only of the unit that an event is about', () => {
    const { game, gatherer } = wide(1000);
    const before = new Map(factsOf(gatherer).units);
    const event = game.events.findLast((e) => e.type === 'task.started') as Event & { readonly unit: string };
    gatherer.event(event, game.state);
    const after = factsOf(gatherer).units;
    expect([...after.values()].filter((u) => before.get(u.id) !== u).map((u) => u.id)).toEqual([event.unit]);
  });

  it('are looked at only as far as they are seen, whatever the size of the graph', () => {
    const looked = [200, 2000, 20_000].map((count) => {
      const { game, gatherer } = wide(count);
      return (['run', 'log'] as const).map((pane) => {
        const { facts, looks } = counted(factsOf(gatherer));
        rowsOf(facts, { now: game.now, size: { columns: 120, rows: 40 }, ui: { ...FIRST_UI, pane } });
        return looks();
      });
    });
    expect(looked[0]?.[0]).toBeGreaterThan(20);
    expect(looked[0]?.[0]).toBeLessThan(200);
    expect(looked).toEqual([looked[0], looked[0], looked[0]]);
  });
});
