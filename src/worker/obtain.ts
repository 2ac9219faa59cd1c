// Worktrees for units, out of the pool where that can be: folders that hold a commit's files and become the worktrees of later units for
// the price of the difference. They come from landed units' worktrees and from checkouts made ahead while agents work.

import { GitError } from '../world.ts';
import type { CommitId, WorktreeStatus } from '../world.ts';
import type { Entry } from './pool.ts';
import type { Workplace } from './workplace.ts';

/** Where folders of the pool lie: beside the worktrees, so that moving is renaming. */
export function poolFolder(place: Pick<Workplace, 'worktrees'>): string {
  return `${place.worktrees}/pool`;
}

/** Where indexes are kept out of agents' reach. */
export function indexesFolder(place: Pick<Workplace, 'runDir'>): string {
  return `${place.runDir}/indexes`;
}

/** Removes all that a session has of a pool. Only when it makes nothing. */
export async function sweepPool(place: Pick<Workplace, 'world' | 'worktrees' | 'runDir'>): Promise<void> {
  await place.world.files.remove(poolFolder(place));
  await place.world.files.remove(indexesFolder(place));
}

/** A worktree to be made. */
interface Wanted { readonly path: string; readonly commit: CommitId; readonly branch?: string }

/** Makes a worktree, out of the pool where that can be, and looks at it. One out of the pool is exactly what a fresh one would be, or is not used. */
export async function obtainWorktree(place: Workplace, o: Wanted): Promise<WorktreeStatus> {
  const { pool, world: { git } } = place;
  pool.preparing += 1;
  try {
    const entry = await pool.take();
    const reused = entry === undefined ? undefined : await reuse(place, entry, o);
    if (reused !== undefined) return reused;
    await git.addWorktree(o);
    if (pool.settings.mode !== 'never') {
      const index = `${indexesFolder(place)}/${pool.name()}`;
      if (await git.keepIndex(o.path, { to: index, least: pool.least })) pool.note(o.path, { index, commit: o.commit });
    }
    return await git.status(o.path);
  } finally {
    pool.preparing -= 1;
    makeAhead(place);
  }
}

/** A new folder's path, with something no session before can have used. */
function newFolder(place: Workplace): string {
  return `${poolFolder(place)}/${place.world.uuid()}-${place.pool.name()}`;
}

/** Makes a worktree of a folder, which git does only when it is exactly the commit. Undefined when it is not; then the folder goes. */
async function reuse(place: Workplace, { folder, index, commit: from }: Entry, o: Wanted): Promise<WorktreeStatus | undefined> {
  const { pool, world: { git, files } } = place;
  try {
    await git.addWorktree({ ...o, filled: { folder, index, from } });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    pool.later(() => files.remove(folder));
    return undefined;
  }
  pool.note(o.path, { index, commit: o.commit });
  return { head: o.commit, branch: o.branch, entries: [] };
}

/** How many folders units that have not begun could use at once. */
function wanted({ state }: Pick<Workplace, 'state'>): number {
  return Math.min(state.settings.parallelism, state.count.pending);
}

/** While agents work, folders are filled for the units that come next: one at a time, only where it pays, and as many as worktrees are in use at once. */
function makeAhead(place: Workplace): void {
  const { pool } = place;
  if (!pool.pays || pool.preparing > 0 || place.state.stopping !== undefined || pool.ahead >= place.state.settings.parallelism || pool.size >= wanted(place)) return;
  pool.ahead += 1;
  pool.make(async () => {
    const { git, files } = place.world;
    const folder = newFolder(place);
    const commit = await git.resolve(place.state.landing.ref);
    const free = await files.freeSpace(place.worktrees);
    if (commit === undefined || free < 2 * place.state.settings.limits.freeDisk) return undefined;
    const index = `${indexesFolder(place)}/${pool.name()}`;
    if (!(await git.renewFolder({ folder, index, commit, keep: [] }))) {
      await files.remove(folder);
      return undefined;
    }
    pool.later(() => Promise.resolve(makeAhead(place)));
    return { folder, index, commit };
  });
}

/**
 * Puts a landed unit's worktree into the pool: it is none any more when this resolves, and made ready for the next in the background.
 * False, with nothing changed, when nobody needs it or it cannot be proved clean. The caller has kept whatever is nowhere else.
 */
export async function retire(place: Workplace, o: { readonly worktree: string; readonly landed: CommitId }): Promise<boolean> {
  const { pool, world: { git, files } } = place;
  const made = pool.note(o.worktree, undefined);
  if (made === undefined || pool.size >= wanted(place)) return false;
  const folder = newFolder(place);
  await git.retireWorktree(o.worktree, { to: folder });
  pool.make(async () => {
    const { index } = made;
    if (await git.renewFolder({ folder, index, from: made.commit, commit: o.landed, keep: pool.settings.keep })) return { folder, index, commit: o.landed };
    await files.remove(folder);
    return undefined;
  });
  return true;
}
