// `choo stop`: asks the running orchestrator to end, and waits until it has given the repository back.

import { watch } from 'node:fs';
import { callControl, ControlError } from '../adapters/control.ts';
import { readLock } from '../adapters/lock.ts';
import { chooFolder } from '../adapters/runs.ts';
import { refuse } from '../opening/refusal.ts';
import { lookAt } from '../opening/rest.ts';
import { Changes } from './changes.ts';
import { refuseSteering } from '../opening/inside.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';
import { Lifeline } from './lifeline.ts';

/** What is told when there is nothing to stop. */
export const NOTHING_LIVE = 'no run is live in this repository';

/** Stops the run that is live in this repository, gracefully or (`now`) at once. Exit code 0 also when none is live: that is told. */
export async function stop(o: { readonly now: boolean }, io: Io): Promise<number> {
  try {
    const stopping = await askToStop(o, io);
    if (stopping === undefined) return tell(io, NOTHING_LIVE);
    tell(io, o.now ? 'killing what runs' : 'stopping: agents are interrupted and given limits.shutdown to end');
    await untilFree(stopping);
    return tell(io, 'stopped; to go on: choo resume');
  } catch (error) {
    return error instanceof ControlError ? tell(io, `nothing to stop: ${error.message}`) : report(error, { io, json: false, journal: undefined });
  }
}

/** The orchestrator that was asked to stop. */
export interface Stopping {
  readonly commonDir: string;
  readonly socket: string;
  readonly pid: number;
}

/** Asks the live run to stop; undefined when none is live. Throws a Refusal for one that cannot be reached, a ControlError for one that does not answer. */
export async function askToStop(o: { readonly now: boolean }, where: Pick<Io, 'cwd' | 'env'>): Promise<Stopping | undefined> {
  refuseSteering(where.env);
  const look = await lookAt(where.cwd, where.env);
  await look.repository.git.close();
  const { holder, socket, commonDir } = look;
  if (holder?.state === 'elsewhere') throw refuse('elsewhere', `choo runs as process ${holder.pid} on another machine or in another container, which cannot be reached from here`, 'type `choo stop` there');
  if (holder?.state !== 'live' || socket === undefined) return undefined;
  await callControl(socket, { do: 'stop', now: o.now });
  return { commonDir, socket, pid: holder.pid };
}

function tell(io: Io, line: string): number {
  io.out.write(`${line}\n`);
  return 0;
}

/** Resolves when that process no longer holds the repository's lock, with true; with false when `signal` was aborted before. Woken by the lock's folder, and by the socket, which closes however the process ends. */
export async function untilFree(o: Stopping, signal?: AbortSignal): Promise<boolean> {
  const changes = new Changes();
  const enough = (): void => changes.tell();
  signal?.addEventListener('abort', enough, { once: true });
  const watcher = watch(chooFolder(o.commonDir), () => changes.tell());
  const lifeline = new Lifeline(changes);
  try {
    for (;;) {
      const held = await readLock(o.commonDir);
      if (held?.state !== 'live' || held.holder.pid !== o.pid) return true;
      if (signal?.aborted === true) return false;
      lifeline.hold(o.socket);
      await changes.next();
    }
  } finally {
    signal?.removeEventListener('abort', enough);
    watcher.close();
    lifeline.close();
  }
}
