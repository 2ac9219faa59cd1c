// The repository for one choo at a time: the lock keeps others from starting, the fence keeps one that lost the lock from writing.

import { acquireLock, LockHeld } from '../adapters/lock.ts';
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

/** Takes the repository's lock. `say` is told of a takeover. Throws a Refusal that names who has it. */
export async function hold(repo: Repository, say: (line: string) => void): Promise<Hold> {
  const lock = await acquireLock(repo.facts.commonDir).catch((error: unknown) => {
    throw error instanceof LockHeld ? refuse('locked', error.message) : error;
  });
  const before = lock.tookOverFrom;
  if (before !== undefined) say(`took over from choo process ${before.pid}, which is gone`);
  return {
    fence: () => repo.git.takeFence({ nonce: lock.holder.nonce, lost: lock.lost, afterDead: before !== undefined }),
    check: lock.check,
    release: async () => {
      await repo.git.dropFence();
      await lock.release();
    },
  };
}
