// The repository for one choo at a time: the lock keeps others from starting, the fence keeps one that lost the lock from writing.

import { acquireLock, LockHeld } from '../adapters/lock.ts';
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

/** Takes the repository's lock. `say` is told of a takeover, which waits for git commands that the one before left running. Throws a Refusal that names who has it. */
export async function hold(repo: Repository, { say, clock }: { readonly say: (line: string) => void; readonly clock: Clock }): Promise<Hold> {
  const lock = await acquireLock(repo.facts.commonDir).catch((error: unknown) => {
    throw error instanceof LockHeld ? refuse('locked', error.message) : error;
  });
  const before = lock.tookOverFrom;
  if (before !== undefined) {
    say(`took over from choo process ${before.pid}, which is gone`);
    const running = await untilGitEnds({ owner: before, clock, limitMs: BOUNDS.gitCommand });
    if (running.length > 0) {
      await lock.release();
      throw refuse('git-running', `git commands of that process still run (${running.join(', ')}), and choo does not end them`, 'wait for them, or end them yourself if they hang; then: choo resume');
    }
  }
  return {
    fence: () => repo.git.takeFence({ nonce: lock.holder.nonce, lost: lock.lost, afterDead: before !== undefined }),
    check: lock.check,
    release: async () => {
      await repo.git.dropFence();
      await lock.release();
    },
  };
}
