// When an outline is made, and when the last one is good enough.

import { describe, expect, it } from 'vitest';
import { viewOf } from '../../../src/core/view.ts';
import type { Outline } from '../../../src/report/outline.ts';
import { Reports } from '../../../src/web/reports.ts';
import { Game, unit } from '../core/rig.ts';

/** A clock that stands until it is put on; what sleeps is counted and goes on at once. */
function clockOf(): { time: number; slept: number; now: () => number; steady: () => number; sleep: () => Promise<void> } {
  const clock = { time: 0, slept: 0, now: () => clock.time, steady: () => clock.time, sleep: () => { clock.slept++; return Promise.resolve(); } };
  return clock;
}

const read = (body: Buffer | undefined): Outline => JSON.parse(String(body)) as Outline;

describe('outlines of a run', () => {
  it('are made in slices, once for all who ask together, and kept while nothing happens', async () => {
    const game = new Game(Array.from({ length: 100 }, (_, i) => unit(`u${i}`, { tasks: 3 }))).play();
    const clock = clockOf();
    const reports = new Reports(clock, () => ({ view: viewOf(game.state), seq: game.state.seq, at: 'rest', now: game.now }));
    for (const event of game.events) reports.add(event);
    const [one, two] = await Promise.all([reports.outline(), reports.outline()]);
    expect(one).toBe(two);
    expect(clock.slept).toBeGreaterThan(game.events.length / 500 - 1);
    expect(read(one)).toMatchObject({ run: 1, seq: game.state.seq, counts: { landed: 100 } });
    clock.time += 1_000_000;
    expect(await reports.outline()).toBe(one);
    expect((await reports.unit('u7'))?.bars.some((bar) => bar.kind === 'attempt' && bar.name === 'task 3, attempt 1' && bar.result === 'passed')).toBe(true);
    expect(await reports.unit('nobody')).toBeUndefined();
  });

  it('are made anew after an event, and of a live run after a while', async () => {
    const game = new Game([unit('a', { tasks: 2 })]).play(undefined, (b) => b.type === 'task.started' && b.task === 2);
    const clock = clockOf();
    const reports = new Reports(clock, () => ({ view: viewOf(game.state), seq: game.state.seq, at: 'live', now: game.now + clock.time }));
    for (const event of game.events) reports.add(event);
    const first = await reports.outline();
    expect(await reports.outline()).toBe(first);
    clock.time += 5000;
    const later = await reports.outline();
    expect(Date.parse(read(later).asOf) - Date.parse(read(first).asOf)).toBe(5000);
    const before = game.events.length;
    game.play();
    for (const event of game.events.slice(before)) reports.add(event);
    expect(read(await reports.outline())).toMatchObject({ seq: game.state.seq, counts: { landed: 1 } });
  });

  it('are nothing before the first event', async () => {
    expect(await new Reports(clockOf(), () => undefined).outline()).toBeUndefined();
  });
});
