// `refs/choo/fence`: a blob with the nonce of the lock. Every change of a ref proves in its own transaction that it still has
// our value, so that a choo which lost the repository moves nothing more. What agents do outside is worker/fence.ts.

import { existsSync, lstatSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BOUNDS } from '../../core/limits.ts';
import { GitError } from '../../world.ts';
import type { FenceLost } from '../../world.ts';
import { checkId, isId } from './names.ts';
import { ask } from './repository.ts';
import type { FenceKey, Repository } from './repository.ts';

/** The ref that says which choo may change refs. */
export const FENCE_REF = 'refs/choo/fence';

const FIRST_PAUSE_MS = 25;
/** Time that what a dead choo had begun gets to notice its end, ms. */
const LAST_BREATH_MS = 200;
const PREPARED = Buffer.from('start: ok\nprepare: ok\n');
const ABORTED = Buffer.from('abort: ok\n');

/** Takes the fence by compare-and-swap from what it was. Throws GitError when another takes it at the same moment, which the lock forbids. */
export async function takeFence(repo: Repository, o: { readonly nonce: string; readonly lost: () => FenceLost }): Promise<void> {
  const { stdout } = await ask(repo, { args: ['hash-object', '-w', '--no-filters', '--stdin'], input: `${o.nonce}\n` });
  const id = checkId(stdout.toString('latin1').trim());
  const from = await readFence(repo);
  // What git does not see as a ref is one that a power cut emptied, and would be in the way.
  if (from === undefined) await removeFile(join(repo.commonDir, FENCE_REF));
  await repo.changingRefs(() => setFence(repo, `update ${FENCE_REF} ${id} ${from ?? '0'.repeat(id.length)}\n`));
  repo.fence.key = { id, lost: o.lost };
}

/** Gives the fence back. A fence that stays behind harms nobody: the next one takes it from there. */
export async function dropFence(repo: Repository): Promise<void> {
  const { key } = repo.fence;
  repo.fence.key = undefined;
  if (key === undefined) return;
  await repo.changingRefs(async () => {
    try {
      await setFence(repo, `delete ${FENCE_REF} ${key.id}\n`);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
    }
  });
}

/** Deletes the fence whoever has it; with `afterDead` also what that one's git left locked. */
export async function removeFence(repo: Repository, o: { readonly afterDead: boolean }): Promise<void> {
  if (o.afterDead) await releaseFenceLock(repo);
  const from = await readFence(repo);
  if (from !== undefined) await setFence(repo, `delete ${FENCE_REF} ${from}\n`);
}

/** The line of a ref transaction that makes it fail when the fence is not ours; empty for who has taken none. */
export function fenceLine(repo: Repository): string {
  return repo.fence.key === undefined ? '' : `verify ${FENCE_REF} ${repo.fence.key.id}\n`;
}

/** Throws FenceLost when the fence is not ours (any more). */
export async function proveFence(repo: Repository): Promise<void> {
  const { key } = repo.fence;
  if (key !== undefined && (await readFence(repo)) !== key.id) throw key.lost();
}

/**
 * Runs something that moves a ref by a command of its own. Meanwhile a prepared transaction that only verifies the fence holds the
 * fence's lock, so nobody can take it. Where refs are one table (`reftable`), such a lock would shut out the command itself: there the
 * fence is proved before and after.
 */
export function behindFence<T>(repo: Repository, work: () => Promise<T>): Promise<T> {
  return repo.changingRefs(async () => {
    const { key } = repo.fence;
    const refs = repo.updates;
    const held = key !== undefined && !existsSync(join(repo.commonDir, 'reftable'));
    if (held) await holdFence(repo, key);
    else await proveFence(repo);
    const guard = refs.starts();
    try {
      return await work();
    } finally {
      if (!held) await proveFence(repo);
      else if (!(await letGo(repo)) || refs.starts() !== guard) {
        // Somebody killed the process that held it.
        await releaseFenceLock(repo);
        await proveFence(repo);
      }
    }
  });
}

async function holdFence(repo: Repository, key: FenceKey): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      await repo.updates.ask(`start\nverify ${FENCE_REF} ${key.id}\nprepare\n`, (printed) => (printed.equals(PREPARED) ? printed.length : undefined));
      return;
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      await proveFence(repo);
      if (tried >= BOUNDS.gitLockTries) throw new GitError(error.command, `${FENCE_REF} stays locked; if no git process runs, remove ${lockPath(repo)}`);
      await repo.git.sleep(FIRST_PAUSE_MS * 2 ** (tried - 1));
    }
  }
}

/** False when nobody was there to let go. */
async function letGo(repo: Repository): Promise<boolean> {
  try {
    await repo.updates.ask('abort\n', (printed) => (printed.equals(ABORTED) ? printed.length : undefined));
    return true;
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
}

async function setFence(repo: Repository, line: string): Promise<void> {
  await ask(repo, { args: ['update-ref', '--no-deref', '-m', 'choo: fence', '--stdin'], input: line });
}

/** Its value, read freshly; undefined when there is none. Unlike other refs it is no commit. */
async function readFence(repo: Repository): Promise<string | undefined> {
  const { stdout } = await ask(repo, { args: ['for-each-ref', '--format=%(objectname) %(refname)', FENCE_REF] });
  const [id = '', name] = stdout.toString('latin1').trim().split(' ');
  return name === FENCE_REF && isId(id) ? id : undefined;
}

async function removeFile(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) await rm(path, { force: true });
}

function lockPath(repo: Repository): string {
  return join(repo.commonDir, `${FENCE_REF}.lock`);
}

/** For when the one who locked it is dead. A git whose choo died notices that and takes its lock with it; one that was killed itself, or whose machine died, does not: what is still there after a moment is nobody's. */
async function releaseFenceLock(repo: Repository): Promise<void> {
  const stamp = (): string | undefined => {
    const stat = statSync(lockPath(repo), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.ino} ${stat.ctimeNs}`;
  };
  const before = stamp();
  if (before === undefined) return;
  await repo.git.sleep(LAST_BREATH_MS);
  if (stamp() === before) await rm(lockPath(repo), { force: true });
}
