// One orchestrator per repository. Takes the lock, notices when it is lost, gives it back or removes one that is left; ends nobody.

import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { link, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FenceLost } from '../world.ts';
import { failpoint } from '../failpoint.ts';
import { errnoOf } from './errno.ts';
import { describeHolder, describeUs, readLockFile, stateOf } from './holder.ts';
import type { FoundLock, HolderState, LockHolder, LockState } from './holder.ts';
import { chooFolder, makeChooFolder } from './runs.ts';

export type { HolderState, LockHolder } from './holder.ts';

/** Somebody else holds the lock; `message` says who and what to type. */
export class LockHeld extends Error {
  override name = 'LockHeld';
  readonly path: string;
  /** Absent when the lock's file cannot be understood. */
  readonly holder: LockHolder | undefined;
  readonly state: LockState;
  constructor(path: string, o: { readonly holder: LockHolder | undefined; readonly state: LockState }) {
    super(explain(path, o));
    this.path = path;
    this.holder = o.holder;
    this.state = o.state;
  }
}

/** A lock that is held. */
export interface Lock {
  readonly path: string;
  readonly holder: LockHolder;
  /** The dead holder it was taken over from, if any: tell it. */
  readonly tookOverFrom: LockHolder | undefined;
  /** Throws FenceLost when the lock is no longer ours. One system call: to be asked around everything that is written. */
  readonly check: () => void;
  /** The error that says who has the repository now. */
  readonly lost: () => FenceLost;
  /** Gives it back; does nothing when it is not ours any more. */
  release(): Promise<void>;
}

/** Takes the lock of the repository with the given common git folder; throws LockHeld, or the system's error. */
export async function acquireLock(commonDir: string): Promise<Lock> {
  const attempt = await prepare(commonDir);
  try {
    const tookOverFrom = await take(attempt);
    failpoint('lock-taken');
    await sweep(attempt);
    return lockOf(attempt, { ...await attempt.file.stat({ bigint: true }), tookOverFrom });
  } catch (error) {
    await attempt.file.close();
    throw error;
  } finally {
    await rm(attempt.temporary, { force: true });
  }
}

/** Who holds the lock of a repository and how it stands, or undefined when it is free. Throws LockHeld `unreadable`. */
export async function readLock(commonDir: string): Promise<{ readonly holder: LockHolder; readonly state: HolderState } | undefined> {
  const path = join(chooFolder(commonDir), 'lock');
  const found = readLockFile(path);
  if (found === undefined) return undefined;
  if (found.holder === undefined) throw new LockHeld(path, { holder: undefined, state: 'unreadable' });
  return { holder: found.holder, state: await stateOf(found.holder, await describeUs()) };
}

/** A lock that was removed: whose it was, how that one stood, and where its file is now. */
export interface RemovedLock {
  readonly holder: LockHolder | undefined;
  readonly state: LockState;
  readonly aside: string;
}

/**
 * Moves the lock of a repository aside, by the same rules by which it is taken over, so that it never hits one who has just taken it.
 * `evenUnseen`: also when its holder is elsewhere or nobody knows whose it is. `first` runs while nobody can take the lock; when it throws,
 * all stays as it was. Undefined when the lock is free. Throws LockHeld for one that may not be removed.
 */
export async function removeLock(commonDir: string, o: { readonly evenUnseen: boolean; readonly first: (state: LockState) => Promise<void> }): Promise<RemovedLock | undefined> {
  if (readLockFile(join(chooFolder(commonDir), 'lock')) === undefined) return undefined;
  const attempt = { ...await prepare(commonDir), evenUnseen: o.evenUnseen };
  try {
    for (;;) {
      const found = readLockFile(attempt.path);
      if (found === undefined) return undefined;
      const aside = `${attempt.path}.removed-${found.id}-${randomUUID().slice(0, 8)}`;
      const removed = await replacing(attempt, found, async () => {
        const state = await stateIn(found, attempt);
        await o.first(state);
        await rename(attempt.path, aside);
        return { holder: found.holder, state, aside };
      });
      if (removed !== undefined) return removed;
    }
  } finally {
    await attempt.file.close();
    await rm(attempt.temporary, { force: true });
  }
}

interface Attempt {
  readonly path: string;
  /** A file of ours that says who we are, to be linked into place, and the same file open: its number cannot be given to another meanwhile. */
  readonly temporary: string;
  readonly file: FileHandle;
  readonly holder: LockHolder;
  /** A person said that holders who cannot be seen from here are gone. */
  readonly evenUnseen: boolean;
}

async function prepare(commonDir: string): Promise<Attempt> {
  const path = join(await makeChooFolder(commonDir), 'lock');
  const holder = await describeUs();
  const temporary = `${path}.${holder.nonce}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(holder));
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  return { path, temporary, file, holder, evenUnseen: false };
}

/** Gives back the dead holder of the lock that was taken over, or undefined when it was free. */
async function take(attempt: Attempt): Promise<LockHolder | undefined> {
  for (;;) {
    if (await linkNew(attempt.temporary, attempt.path)) return undefined;
    const found = readLockFile(attempt.path);
    const taken = found === undefined ? undefined : await replacing(attempt, found, async () => {
      await rename(attempt.temporary, attempt.path);
      return found.holder;
    });
    if (taken !== undefined) return taken;
  }
}

/**
 * A dead holder's lock may be replaced only by the one who made the file `lock.after-<its nonce>`. If that one died too,
 * the right passes to whoever makes `lock.after-<that one's nonce>`, and so on. Undefined: look again.
 */
async function replacing<T>(attempt: Attempt, found: FoundLock, replace: () => Promise<T>): Promise<T | undefined> {
  const claims = await claim(attempt, found);
  try {
    // Whoever was slower than a whole takeover finds another lock here and starts again.
    if (claims === undefined || readLockFile(attempt.path)?.id !== found.id) return undefined;
    return await replace();
  } finally {
    for (const path of claims ?? []) await rm(path, { force: true });
  }
}

/** Gets the sole right to replace a lock; gives back the files to remove afterwards, or undefined to look again. */
async function claim(attempt: Attempt, lock: FoundLock): Promise<readonly string[] | undefined> {
  const files: string[] = [];
  for (let found = lock; ;) {
    const state = await stateIn(found, attempt);
    if (state === 'live' || (state !== 'stale' && !attempt.evenUnseen)) throw new LockHeld(attempt.path, { holder: found.holder, state });
    const path = `${attempt.path}.after-${found.id}`;
    files.push(path);
    if (await linkNew(attempt.temporary, path)) return files;
    const rival = readLockFile(path);
    if (rival === undefined) return undefined;
    found = rival;
  }
}

async function stateIn(found: FoundLock, attempt: Attempt): Promise<LockState> {
  return found.holder === undefined ? 'unreadable' : stateOf(found.holder, attempt.holder);
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes what others left who died while they took the lock. We have it: a claim to an earlier one has lost its meaning. */
async function sweep(attempt: Attempt): Promise<void> {
  const folder = dirname(attempt.path);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!/^lock\.(?!removed-)/.test(name) || path === attempt.temporary) continue;
    const found = readLockFile(path);
    if (found?.holder !== undefined && (await stateIn(found, attempt)) === 'stale') await rm(path, { force: true });
  }
}

function lockOf({ path, holder, file }: Attempt, o: { readonly dev: bigint; readonly ino: bigint; readonly tookOverFrom: LockHolder | undefined }): Lock {
  const isAt = (at: string): boolean => {
    const now = statSync(at, { bigint: true, throwIfNoEntry: false });
    return now !== undefined && now.ino === o.ino && now.dev === o.dev;
  };
  const isOurs = (): boolean => isAt(path);
  const lost = (): FenceLost => new FenceLost(explainLoss(path, isOurs() ? 'fence' : readLockFile(path)?.holder ?? (wasPutAside(path, isAt) ? 'aside' : undefined)));
  return {
    path, holder, lost, tookOverFrom: o.tookOverFrom,
    check: () => {
      if (!isOurs()) throw lost();
    },
    release: async () => {
      try {
        if (isOurs() && readLockFile(path)?.id === holder.nonce) await unlink(path);
      } finally {
        await file.close();
      }
    },
  };
}

function explain(path: string, { holder, state }: { readonly holder: LockHolder | undefined; readonly state: LockState }): string {
  if (holder === undefined) return `the lock ${path} cannot be understood, so nobody knows whether choo runs in this repository; when none does: \`choo unlock\``;
  if (state === 'live') return `choo already runs in this repository (${describeHolder(holder)}): \`choo status --watch\` shows it, \`choo stop\` ends it`;
  return `choo runs in this repository (${describeHolder(holder)}) on another machine or in another container, which cannot be seen from here; `
    + 'end it there with `choo stop`, or, when it is certainly gone, give its lock away: `choo unlock`';
}

/** `choo unlock` keeps the file of a lock beside where it was. */
function wasPutAside(path: string, isOurs: (at: string) => boolean): boolean {
  const folder = dirname(path);
  try {
    return readdirSync(folder).some((name) => name.startsWith(`${basename(path)}.removed-`) && isOurs(join(folder, name)));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** `now`: who has the lock; `fence` when it is still ours and only the ref is not; `aside` when it was given away; undefined: its file is nowhere. */
function explainLoss(path: string, now: LockHolder | 'fence' | 'aside' | undefined): string {
  const why = now === 'fence' ? 'somebody changed refs/choo/fence, which only choo may; `choo resume` goes on'
    : now === 'aside' ? 'its lock was given away (`choo unlock`); `choo resume` goes on'
    : now === undefined ? `its lock is gone, by itself or with the whole folder (${path}); \`choo resume\` goes on where the run is still there, else \`choo run\` begins anew`
    : `choo ${describeHolder(now)}, has it now: \`choo status --watch\` shows it`;
  return `this choo no longer has the repository and wrote nothing more: ${why}`;
}
