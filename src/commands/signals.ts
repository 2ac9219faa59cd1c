// Signals that end a run: the first asks, the second kills. Knows nothing of what is asked.

import { readFileSync } from 'node:fs';
import { ppid } from 'node:process';
import type { Io } from './io.ts';

/** A signal that stops a run. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Calls `stop` for every signal, with `now` from the second one on, until the function it gives back is called. A hangup is passed over where one was ignored when choo started (`nohup`). */
export function onStopSignals(stop: (by: StopSignal, now: boolean) => void, io: Pick<Io, 'env' | 'start'>): () => void {
  let count = 0;
  const handlers = new Map<StopSignal, () => void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const ignored = signal === 'SIGHUP' && (io.start.hangupIgnored || hangupIgnored(io.env));
    const handler = (): void => {
      if (ignored) return;
      count++;
      stop(signal, count > 1);
    };
    process.on(signal, handler);
    handlers.set(signal, handler);
  }
  return () => handlers.forEach((handler, signal) => process.off(signal, handler));
}

/**
 * Whether we were started with SIGHUP ignored, where bin/choo has not told (`node bin/choo`). Node puts the signal back to its
 * default before any JavaScript runs, so the process itself no longer knows: `nohup` is told by the shell's `_`, `trap '' HUP` by the parent that has it still.
 */
function hangupIgnored(env: NodeJS.ProcessEnv): boolean {
  return /(^|\/)nohup$/.test(env['_'] ?? '') || ignoresHangup(ppid);
}

function ignoresHangup(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch (error) {
    // A parent that is gone, or that we may not look at, tells nothing.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
