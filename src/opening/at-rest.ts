// Holds a repository in which no session works, while a command changes what sessions work with; a dry run only looks.

import { LockHeld, readLock } from '../adapters/lock.ts';
import type { Clock } from '../world.ts';
import { hold } from './hold.ts';
import { refuse } from './refusal.ts';
import type { Repository } from './repository.ts';

/** How a command holds the repository. */
export interface AtRest {
  /** Throws FenceLost when the repository is no longer ours; for the journal. */
  readonly check: () => void;
  readonly release: () => Promise<void>;
}

/** Takes lock and fence of the repository, or for a dry run only looks that nobody has them. Throws a Refusal that names the holder. */
export async function holdAtRest(repo: Repository, o: { readonly dryRun: boolean; readonly say: (line: string) => void; readonly clock: Clock }): Promise<AtRest> {
  if (o.dryRun) {
    const held = await readLock(repo.facts.commonDir).catch((error: unknown) => {
      throw error instanceof LockHeld ? refuse('locked', error.message) : error;
    });
    if (held !== undefined && held.state !== 'stale') throw refuse('locked', new LockHeld(repo.facts.commonDir, held).message);
    return { check: () => undefined, release: () => Promise.resolve() };
  }
  const held = await hold(repo, o);
  try {
    await held.fence();
    return held;
  } catch (error) {
    await held.release();
    throw error;
  }
}
