// The clock of a simulated machine: monotonic virtual time, and a wall clock that somebody may set.

import type { Clock } from '../../src/world.ts';
import type { Timeline } from './timeline.ts';

/** What the wall clock shows at the beginning, ms since 1970. */
export const EPOCH = Date.UTC(2026, 0, 1);

/** The clock as one session has it; `skew` tells by how much the wall clock was set, `alive` whether the session still lives. */
export function simClock(o: { readonly timeline: Timeline; readonly skew: () => number; readonly alive: () => boolean }): Clock {
  // What the wall clock showed when this clock was made, plus what has been measured since.
  const origin = EPOCH + o.skew();
  return {
    now: () => EPOCH + Math.floor(o.timeline.now) + o.skew(),
    steady: () => origin + Math.floor(o.timeline.now),
    sleep: (ms, signal) => new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const finish = (): void => {
        signal?.removeEventListener('abort', finish);
        if (timer !== undefined) timer.run = undefined;
        if (o.alive()) resolve();
      };
      const timer = ms === Number.POSITIVE_INFINITY ? undefined : o.timeline.after(Math.max(0, ms), finish);
      signal?.addEventListener('abort', finish, { once: true });
    }),
  };
}
