// Many pull requests followed at once: one request for each in an interval at most, and only what changed is read.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullFacts } from '../../src/core/pull-facts.ts';
import { makeRig, POLL, type Rig } from './github.rig.ts';

const MANY = 12;

let rig: Rig;
beforeEach(async () => { rig = await makeRig(); });
afterEach(async () => { await rig.close(); });

/** The pull request that a reading is of; 0: it is no reading. */
function readOf(request: Rig['github']['requests'][number]): number {
  return request.operation === 'graphql' ? Number(/"number":(\d+)/.exec(request.body)?.[1] ?? 0) : 0;
}

describe(`${MANY} open pull requests`, () => {
  it('cost a request an interval each at most, nothing of the limit but every seventh, and a reading where something changed', async () => {
    const forge = await rig.open();
    const first: PullFacts[] = [];
    for (let i = 1; i <= MANY; i += 1) {
      rig.push(`choo/u${i}`, { [`u${i}.txt`]: 'x\n' });
      first.push(await forge.read(rig.github.openPull('choo-bot', { head: `choo/u${i}` })));
    }
    const over = new AbortController();
    const changed = new Map<number, PullFacts>();
    const following = first.map(async (known) => {
      for (let now: PullFacts | undefined = known; now !== undefined;) {
        now = await forge.follow(now, over.signal).catch((why: unknown) => {
          if (over.signal.aborted) return undefined;
          throw why;
        });
        if (now !== undefined) changed.set(now.number, now);
      }
    });
    const interval = async (): Promise<Rig['github']['requests']> => {
      const before = rig.github.requests.length;
      await rig.clock.asleep(MANY);
      rig.clock.advance(POLL);
      await rig.clock.asleep(MANY);
      return rig.github.requests.slice(before);
    };
    // Each kind of answer is asked for without a mark once.
    for (let i = 0; i < 8; i += 1) await interval();
    const quiet = [];
    for (let i = 0; i < 14; i += 1) quiet.push(await interval());
    expect(Math.max(...quiet.map((requests) => requests.length))).toBeLessThanOrEqual(MANY);
    const all = quiet.flat();
    expect(all.filter((r) => r.conditional).every((r) => r.status === 304 && !r.counted)).toBe(true);
    expect(all.filter((r) => r.counted).length).toBeLessThanOrEqual(MANY * 2);
    expect(all.length).toBeGreaterThan(MANY * 5);
    expect(changed.size).toBe(0);

    const which = [3, 7, 12];
    for (const number of which) rig.github.comment(number, 'ann', 'Rename this');
    const readings: number[] = [];
    while (changed.size < which.length) readings.push(...(await interval()).map(readOf).filter((number) => number > 0));
    expect([...changed.keys()].toSorted((a, b) => a - b)).toEqual(which);
    expect(which.every((number) => readings.includes(number))).toBe(true);
    // The others at most once, as every seventh poll is a reading anyway.
    const others = readings.filter((number) => !which.includes(number));
    expect(new Set(others).size).toBe(others.length);
    over.abort();
    await Promise.all(following);
  });
});
