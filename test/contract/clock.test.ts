// What the real clock promises; the simulated one keeps the same.

import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';

describe('the clock', () => {
  const clock = systemClock();

  test('wakes after the time asked for and not before', async () => {
    const start = performance.now();
    await clock.sleep(20);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
  });

  test('wakes at once when asked for nothing or less', async () => {
    await expect(Promise.all([clock.sleep(0), clock.sleep(-5)])).resolves.toHaveLength(2);
  });

  test.each([2 ** 31, 2 ** 40, Infinity])('sleeps %d ms until it is woken, where one Node timer would end at once', async (ms) => {
    const waker = new AbortController();
    let woken = false;
    const sleeping = clock.sleep(ms, waker.signal).then(() => { woken = true; });
    await clock.sleep(10);
    expect(woken).toBe(false);
    waker.abort();
    await sleeping;
  });

  test('does not sleep for a signal that aborted before', async () => {
    await expect(clock.sleep(Infinity, AbortSignal.abort())).resolves.toBe(undefined);
  });

  test('tells the machine\'s time', () => {
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000);
  });
});
