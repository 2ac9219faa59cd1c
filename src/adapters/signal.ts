// Sends signals to processes that may be gone already. Decides nothing.

import { errnoOf } from './errno.ts';

/** Sends `signal` to a process, or to the group of that number when `pid` is negative. One that has ended, or is not ours to signal, is left alone. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error;
  }
}
