// When `--until` is, and how it is waited for: by the clock on the wall, in pieces, whatever the machine does meanwhile.

import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/world.ts';
import { parseUntil, waitUntil } from '../../../src/commands/until.ts';

const HOUR = 3_600_000;
const now = new Date(2026, 10, 22, 19, 15, 30).getTime();

describe('a moment', () => {
  it.each([
    ['07:30', new Date(2026, 10, 23, 7, 30)], ['19:16', new Date(2026, 10, 22, 19, 16)], ['19:15', new Date(2026, 10, 23, 19, 15)],
    ['2026-11-23T07:30', new Date(2026, 10, 23, 7, 30)], ['2028-02-29T00:00', new Date(2028, 1, 29)],
    ['8h', new Date(now + 8 * HOUR)], ['1h30m', new Date(now + 1.5 * HOUR)],
  ])('%s', (written, at) => {
    expect(parseUntil(written, now)).toMatchObject({ at: at.getTime() });
  });

  it('is told in local time', () => {
    expect(parseUntil('07:30', now)).toMatchObject({ text: '2026-11-23 07:30' });
  });

  it.each(['', '7:30', '24:00', '07:60', '2026-13-01T00:00', '2027-02-29T07:30', '2026-11-23 07:30', '500h', '8', 'NaN', '07:30\n'])('is not %j', (written) => {
    expect(parseUntil(written, now)).toMatchObject({ problem: expect.stringContaining('07:30') as string });
  });

  it.each(['2026-11-22T19:15', '2020-01-01T00:00', '0', '0s'])('is past: %s', (written) => {
    expect(parseUntil(written, now)).toEqual({ problem: 'That is in the past: it is 2026-11-22 19:15.' });
  });
});

describe('waiting', () => {
  /** A clock of which each sleep takes as long as the test says. */
  function clock(takes: (ms: number) => number): Clock & { readonly slept: number[] } {
    let time = 0;
    const slept: number[] = [];
    return { slept, now: () => time, steady: () => time, sleep: (ms) => { slept.push(ms); time += takes(ms); return Promise.resolve(); } };
  }
  const { signal } = new AbortController();

  it('goes in pieces of a minute and ends on time', async () => {
    const c = clock((ms) => ms);
    expect(await waitUntil(150_000, { clock: c, signal })).toBe(true);
    expect(c.slept).toEqual([60_000, 60_000, 30_000]);
  });

  it('ends at once after the machine slept past the moment, and goes on when the clock was set back', async () => {
    const suspended = clock(() => 8 * HOUR);
    expect(await waitUntil(2 * HOUR, { clock: suspended, signal })).toBe(true);
    expect(suspended.slept).toEqual([60_000]);
    let back = true;
    const setBack = clock((ms) => { const by = back ? ms - 30_000 : ms; back = false; return by; });
    expect(await waitUntil(60_000, { clock: setBack, signal })).toBe(true);
    expect(setBack.slept).toEqual([60_000, 30_000]);
  });

  it('ends without the moment when the run is over', async () => {
    const over = new AbortController();
    const c = clock((ms) => { over.abort(); return ms; });
    expect(await waitUntil(HOUR, { clock: c, signal: over.signal })).toBe(false);
    expect(c.slept).toHaveLength(1);
  });
});
