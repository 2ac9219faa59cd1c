// `choo stop`: asks the running orchestrator to end, and waits until it has given the repository back.

import { watch } from 'node:fs';
import { callControl, ControlError } from '../adapters/control.ts';
import { readLock } from '../adapters/lock.ts';
import { chooFolder } from '../adapters/runs.ts';
import { refuse } from '../opening/refusal.ts';
import { lookAt } from '../opening/rest.ts';
import { Changes } from './changes.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';
import { Lifeline } from './lifeline.ts';

/** Stops the run that is live in this repository, gracefully or (`now`) at once. Exit code 0 also when none is live: that is told. */
export async function stop(o: { readonly now: boolean }, io: Io): Promise<number> {
  try {
    const look = await lookAt(io.cwd, io.env);
    await look.repository.git.close();
    const { holder, socket, commonDir } = look;
    if (holder?.state === 'elsewhere') throw refuse('elsewhere', `choo runs as process ${holder.pid} on another machine or in another container, which cannot be reached from here`, 'type `choo stop` there');
    if (holder?.state !== 'live' || socket === undefined) return tell(io, 'no run is live in this repository');
    await callControl(socket, { do: 'stop', now: o.now });
    tell(io, o.now ? 'killing what runs' : 'stopping: agents are interrupted and given limits.shutdown to end');
    await untilFree({ commonDir, socket, pid: holder.pid });
    return tell(io, 'stopped; to go on: choo resume');
  } catch (error) {
    return error instanceof ControlError ? tell(io, `nothing to stop: ${error.message}`) : report(error, { io, json: false, journal: undefined });
  }
}

function tell(io: Io, line: string): number {
  io.out.write(`${line}\n`);
  return 0;
}

/** Resolves when that process no longer holds the repository's lock. Woken by the lock's folder, and by the socket, which closes however the process ends. */
async function untilFree(o: { readonly commonDir: string; readonly socket: string; readonly pid: number }): Promise<void> {
  const changes = new Changes();
  const watcher = watch(chooFolder(o.commonDir), () => changes.tell());
  const lifeline = new Lifeline(changes);
  lifeline.hold(o.socket);
  try {
    for (;;) {
      const held = await readLock(o.commonDir);
      if (held?.state !== 'live' || held.holder.pid !== o.pid) return;
      await changes.next();
    }
  } finally {
    watcher.close();
    lifeline.close();
  }
}
