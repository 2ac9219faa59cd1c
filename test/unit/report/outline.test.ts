// The outline that the dashboard draws, against the report that is made of the same events as a whole.

import { describe, expect, it } from 'vitest';
import type { Event } from '../../../src/core/event.ts';
import { byCodeUnit } from '../../../src/core/plan.ts';
import { fold } from '../../../src/core/replay.ts';
import { viewOf } from '../../../src/core/view.ts';
import { DOINGS } from '../../../src/report/data.ts';
import type { Report } from '../../../src/report/data.ts';
import { Outliner } from '../../../src/report/outline.ts';
import type { Standing } from '../../../src/report/outline.ts';
import { reportOf } from '../../../src/report/report.ts';
import { coarse } from '../../../src/report/timeline.ts';
import type { Machine } from '../../sim/machine.ts';
import { simulate } from '../../sim/simulate.ts';

async function story(seed: number): Promise<readonly Event[]> {
  let machine: Machine | undefined;
  await simulate({ seed, afterBad: (m) => { machine = m; } });
  return machine?.journal.events() ?? [];
}

function standing(events: readonly Event[], at: Report['at']): Standing {
  const state = fold(events);
  return { view: viewOf(state), seq: state.seq, at, now: Date.parse(events.at(-1)?.time ?? '') + 5000 };
}

describe('the outline of simulated runs', () => {
  it.each(Array.from({ length: 8 }, (_, i) => i + 1))('seed %d: says what the report says, whenever it is asked while it folds', async (seed) => {
    const events = await story(seed);
    const outliner = new Outliner();
    let taken = 0;
    for (const [share, at] of [[0.2, 'live'], [0.5, 'rest'], [0.8, 'live'], [1, 'rest']] as const) {
      const upTo = Math.max(1, Math.ceil(events.length * share));
      for (const event of events.slice(taken, upTo)) {
        outliner.take(event);
        if (event.seq % 7 === 0) outliner.settle(1);
      }
      taken = upTo;
      const now = standing(events.slice(0, upTo), at);
      const outline = outliner.outline(now);
      const report = reportOf({ events: events.slice(0, upTo), state: fold(events.slice(0, upTo)), at, now: now.now });
      expect(outline).toMatchObject({ startedAt: report.startedAt, asOf: report.asOf, counts: report.counts, criticalPath: report.criticalPath, sessions: report.sessions.map(({ from, to }) => ({ from, to })) });
      expect(outline?.units.map((u) => [u.id, u.state, u.from, u.critical === true, u.attempts, u.took])).toEqual(report.units.map((u) => [
        u.id, u.state, u.from === undefined ? undefined : Date.parse(u.from) - Date.parse(report.startedAt), u.critical,
        u.attempts.length + u.tasks.reduce((sum, t) => sum + t.attempts.length, 0), Object.values(u.durations).reduce((sum, ms) => sum + ms, 0) - u.durations.rest,
      ]));
      expect(outline?.units.map((u) => u.parts)).toEqual(report.units.map((u) => u.timeline.flatMap((part) => [DOINGS.indexOf(part.doing), Date.parse(part.to) - Date.parse(part.from)])));
      for (const u of report.units) {
        const own = outliner.unit(u.id, now);
        expect([own?.from, own?.to]).toEqual([u.from, u.to]);
        const inWords = (one: { readonly from: string; readonly to: string; readonly result: string }): string => `${one.from} ${one.to} ${one.result}`;
        expect(own?.bars.filter((bar) => bar.kind === 'check').map(inWords).toSorted(byCodeUnit) ?? []).toEqual(report.checks.filter((check) => check.unit === u.id).map(inWords).toSorted(byCodeUnit));
      }
    }
  });

  it('is nothing before the first event', () => {
    expect(new Outliner().outline({ view: { closed: false, counts: viewCounts, queue: [], units: [], notes: [] }, seq: 0, at: 'rest', now: 0 })).toBeUndefined();
  });
});

const viewCounts = { pending: 0, running: 0, proving: 0, landing: 0, waiting: 0, landed: 0, failed: 0, blocked: 0, cancelled: 0, complete: 0 };

describe('a timeline of too many parts', () => {
  it('is as long as before, without gaps, and each piece is what most of it was', () => {
    const parts = Array.from({ length: 900 }, (_, i) => ({ doing: i % 3 === 0 ? 'checks' as const : 'agent' as const, from: i * 10, to: i * 10 + 10 }));
    const fewer = coarse([...parts, { doing: 'landing', from: 9000, to: 12_000 }], 40);
    expect(fewer).toEqual([{ doing: 'agent', from: 0, to: 9000 }, { doing: 'landing', from: 9000, to: 12_000 }]);
    expect(coarse(parts, 900)).toBe(parts);
    const wild = Array.from({ length: 500 }, (_, i) => ({ doing: DOINGS[(i * i) % 5] ?? 'rest', from: i * i, to: (i + 1) * (i + 1) }));
    const tame = coarse(wild, 33);
    expect(tame.length).toBeLessThanOrEqual(33);
    expect([tame[0]?.from, tame.at(-1)?.to]).toEqual([0, 250_000]);
    expect(tame.every((part, i) => i === 0 || part.from === tame[i - 1]?.to)).toBe(true);
  });
});
