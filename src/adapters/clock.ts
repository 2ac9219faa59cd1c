// The real clock. The only file with a timer; everything else waits through the `Clock` it makes.

import { setTimeout as startTimer, clearTimeout as stopTimer } from 'node:timers';
import type { Clock } from '../world.ts';

/** The longest wait one Node timer can hold, ms; longer waits are made of several. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Gives the machine's clock. `sleep` counts monotonic milliseconds of any size (also Infinity: until aborted) and keeps
 * the program alive while somebody waits; an abort leaves no timer behind. It never rejects.
 */
export function systemClock(): Clock {
  const origin = Date.now() - performance.now();
  return { now: () => Date.now(), steady: () => origin + performance.now(), sleep };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const deadline = performance.now() + ms;
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      stopTimer(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const wait = (): void => {
      const left = deadline - performance.now();
      // A timer may fire a fraction of a millisecond early; that still counts as on time.
      if (left <= 0.5) finish();
      else timer = startTimer(wait, Math.min(Math.ceil(left), LONGEST_TIMER));
    };
    signal?.addEventListener('abort', finish, { once: true });
    wait();
  });
}
