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

/** Takes the repository's lock. `say` is told of a takeover, which waits for git commands that the one before left running. Throws a Refusal that names who has it. */
export async function hold(repo: Repository, { say, clock }: { readonly say: (line: string) => void; readonly clock: Clock }): Promise<Hold> {
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
  const running = await untilGitEnds({ owner: dead, clock, limitMs: BOUNDS.gitCommand });
  if (running.length > 0) {
    throw refuse('git-running', `git commands of that process still run (${running.join(', ')}), and choo does not end them`, 'wait for them, or end them yourself if they hang; then: choo resume');
  }
  await repo.git.removeFence({ afterDead: true });
}
