// `choo unlock`: gives away the lock of an orchestrator that is gone, or that cannot be seen from here and is said to be gone. Ends nobody.

import { systemClock } from '../adapters/clock.ts';
import { describeHolder } from '../adapters/holder.ts';
import { LockHeld, removeLock } from '../adapters/lock.ts';
import type { RemovedLock } from '../adapters/lock.ts';
import { cleanLine } from '../core/clean.ts';
import { refuse } from '../opening/refusal.ts';
import { findRepository } from '../opening/repository.ts';
import { refuseSteering } from '../opening/inside.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** Removes the lock of this repository, with `yes` also one whose holder cannot be seen from here. Exit code 2 when it may not or has to be confirmed. */
export async function unlock(o: { readonly yes: boolean }, io: Io): Promise<number> {
  try {
    refuseSteering(io.env);
    const repository = await findRepository({ cwd: io.cwd, env: io.env, clock: systemClock() });
    try {
      const removed = await removeLock(repository.facts.commonDir, {
        evenUnseen: o.yes,
        // Before the lock is free: the fence must not be taken from one who has just locked anew.
        first: (state) => repository.git.removeFence({ afterDead: state === 'stale' }),
      });
      io.out.write(removed === undefined ? 'no choo holds this repository\n' : told(removed));
      return 0;
    } finally {
      await repository.git.close();
    }
  } catch (error) {
    if (!(error instanceof LockHeld)) return report(error, { io, json: false, journal: undefined });
    if (error.state === 'live') return report(refuse('locked', error.message), { io, json: false, journal: undefined });
    io.err.write(warning(error));
    return 2;
  }
}

/** What has to be known before a lock is given away whose holder may live. */
function warning(held: LockHeld): string {
  const who = held.holder === undefined ? `the lock ${held.path} cannot be understood, so nobody knows whose it is`
    : `choo holds this repository: ${describeHolder(held.holder)}; that is another machine or container, which cannot be seen from here`;
  return `${cleanLine(who)}

Give the lock away only when that choo is certainly gone. If it still runs, it stops at the next thing it writes: it records
nothing more and moves no branch. But until then its agents work on in their worktrees, beside those of whoever comes next.

  look over there:    choo status, choo stop
  if it is gone:      choo unlock --yes
`;
}

function told(removed: RemovedLock): string {
  const { holder, state, aside } = removed;
  const whose = holder === undefined ? 'a lock that could not be understood' : `the lock of choo ${describeHolder(holder)}${state === 'stale' ? ', which is gone' : ''}`;
  const note = state === 'stale' ? 'choo run and choo resume take over such a lock by themselves\n' : '';
  return `${cleanLine(`removed ${whose}`)}\nits file is kept: ${cleanLine(aside)}\n${note}to go on: choo resume\n`;
}
