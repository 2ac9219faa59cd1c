// The repository for one choo at a time: the lock keeps others from starting, the fence keeps one that lost the lock from writing.

import { acquireLock, LockHeld } from '../adapters/lock.ts';
import type { LockHolder } from '../adapters/lock.ts';
import { untilGitEnds } from '../adapters/git/stragglers.ts';
import { BOUNDS } from '../core/limits.ts';
import type { Clock } from '../world.ts';
import { refuse } from './refusal.ts';
import type { Repository } from './repository.ts';

/** A repository that is held. */
export interface Hold {
  /** Takes the fence: from then on nobody who had the repository before can move a ref. To be called before anything is read that is built upon, or written. */
  readonly fence: () => Promise<void>;
  /** Throws FenceLost when the repository is no longer ours; for the journal. */
  readonly check: () => void;
  /** Gives fence and lock back. */
  readonly release: () => Promise<void>;
}

/** Takes the repository's lock. `say` is told of a takeover. Git commands that a dead choo left running are waited for. Throws a Refusal that names who has it. */
export async function hold(repo: Repository, { say, clock }: { readonly say: (line: string) => void; readonly clock: Clock }): Promise<Hold> {
  // Before the lock is touched: who is refused here leaves everything to the next one as it was.
  await untilQuiet(clock);
  const lock = await acquireLock(repo.facts.commonDir).catch((error: unknown) => {
    throw error instanceof LockHeld ? refuse('locked', error.message) : error;
  });
  try {
    if (lock.tookOverFrom !== undefined) await bury(repo, { dead: lock.tookOverFrom, say, clock });
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    fence: () => repo.git.takeFence({ nonce: lock.holder.nonce, lost: lock.lost }),
    check: lock.check,
    release: async () => {
      await repo.git.dropFence();
      await lock.release();
    },
  };
}

/** After a takeover: nothing that the dead one began moves a ref any more, and its fence is gone. At once, because whoever is next finds no dead holder. */
async function bury(repo: Repository, { dead, say, clock }: { readonly dead: LockHolder; readonly say: (line: string) => void; readonly clock: Clock }): Promise<void> {
  say(`took over from choo process ${dead.pid}, which is gone`);
  await untilQuiet(clock);
  await repo.git.removeFence({ afterDead: true });
}

async function untilQuiet(clock: Clock): Promise<void> {
  const running = await untilGitEnds({ clock, limitMs: BOUNDS.gitCommand });
  if (running.length === 0) return;
  throw refuse('git-running', `git commands of a choo that is gone still run (${running.join(', ')}), and choo does not end them`, 'wait for them, or end them yourself if they hang; then: choo resume');
}
