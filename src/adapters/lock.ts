// One orchestrator per repository. Says who holds the lock and whether that one still lives; ends nobody.

import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { link, open, readFile, readlink, rename, rm, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Bug, must } from '../core/bug.ts';
import { errnoOf } from './errno.ts';
import { findProcess } from './process-table.ts';
import { chooFolder, makeChooFolder } from './runs.ts';

const run = promisify(execFile);

/** Who holds a lock. Empty strings where the system does not tell. */
export interface LockHolder {
  readonly host: string;
  readonly machine: string;
  readonly boot: string;
  readonly pidNamespace: string;
  readonly pid: number;
  /** Start of the process, as the process table of its machine counts. */
  readonly start: number;
  /** Names this lock and no other. */
  readonly nonce: string;
}

/** `live`: it runs. `stale`: it is certainly gone. `elsewhere`: another machine or PID namespace, nothing can be said from here. */
export type HolderState = 'live' | 'stale' | 'elsewhere';

/** Somebody else holds the lock; `message` says who and what to type. */
export class LockHeld extends Error {
  override name = 'LockHeld';
  readonly path: string;
  /** Absent when the lock's file cannot be understood. */
  readonly holder: LockHolder | undefined;
  readonly state: HolderState | 'unreadable';
  constructor(path: string, o: { readonly holder?: LockHolder; readonly state: LockHeld['state'] }) {
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
  /** Gives it back; does nothing when it is not ours any more. */
  release(): Promise<void>;
}

/** Takes the lock of the repository with the given common git folder; throws LockHeld, or the system's error. */
export async function acquireLock(commonDir: string): Promise<Lock> {
  const path = join(await makeChooFolder(commonDir), 'lock');
  const holder = await describeUs();
  const temporary = `${path}.${holder.nonce}`;
  await writeDurably(temporary, JSON.stringify(holder));
  try {
    const tookOverFrom = await take({ path, temporary, holder });
    return { path, holder, tookOverFrom, release: () => release(path, holder) };
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Who holds the lock of a repository and how it stands, or undefined when it is free. Throws LockHeld `unreadable`. */
export async function readLock(commonDir: string): Promise<{ readonly holder: LockHolder; readonly state: HolderState } | undefined> {
  const holder = await readHolder(join(chooFolder(commonDir), 'lock'));
  return holder === undefined ? undefined : { holder, state: await stateOf(holder, await describeUs()) };
}

interface Attempt {
  readonly path: string;
  /** A file of ours that says who we are, to be linked into place. */
  readonly temporary: string;
  readonly holder: LockHolder;
}

/**
 * A dead holder's lock may be replaced only by the one who made the file `lock.after-<its nonce>`. If that one died too,
 * the right passes to whoever makes `lock.after-<that one's nonce>`, and so on. Gives back the dead holder of the lock.
 */
async function take(attempt: Attempt): Promise<LockHolder | undefined> {
  for (;;) {
    if (await linkNew(attempt.temporary, attempt.path)) return undefined;
    const current = await readHolder(attempt.path);
    if (current === undefined) continue;
    const claims = await claim(attempt, current);
    try {
      // Whoever was slower than a whole takeover finds another lock here and starts again.
      if (claims === undefined || (await readHolder(attempt.path))?.nonce !== current.nonce) continue;
      await rename(attempt.temporary, attempt.path);
      return current;
    } finally {
      for (const path of claims ?? []) await rm(path, { force: true });
    }
  }
}

/** Gets the sole right to replace `dead`'s lock; gives back the files to remove afterwards, or undefined to look again. */
async function claim(attempt: Attempt, dead: LockHolder): Promise<readonly string[] | undefined> {
  const files: string[] = [];
  for (let holder = dead; ; ) {
    const state = await stateOf(holder, attempt.holder);
    if (state !== 'stale') throw new LockHeld(attempt.path, { holder, state });
    const path = `${attempt.path}.after-${holder.nonce}`;
    files.push(path);
    if (await linkNew(attempt.temporary, path)) return files;
    const rival = await readHolder(path);
    if (rival === undefined) return undefined;
    holder = rival;
  }
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

async function release(path: string, ours: LockHolder): Promise<void> {
  const holder = await readHolder(path);
  if (holder?.nonce === ours.nonce) await unlink(path);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readHolder(path: string): Promise<LockHolder | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const holder = parseHolder(text);
  if (holder === undefined) throw new LockHeld(path, { state: 'unreadable' });
  return holder;
}

function parseHolder(text: string): LockHolder | undefined {
  let value: Partial<Record<keyof LockHolder, unknown>>;
  try {
    value = { ...(JSON.parse(text) as object) };
  } catch {
    return undefined;
  }
  const { host, machine, boot, pidNamespace, pid, start, nonce } = value;
  const words = [host, machine, boot, pidNamespace].every((word) => typeof word === 'string');
  if (!words || !Number.isInteger(pid) || typeof start !== 'number' || typeof nonce !== 'string' || !/^[\w-]+$/.test(nonce)) return undefined;
  return value as LockHolder;
}

async function stateOf(holder: LockHolder, us: LockHolder): Promise<HolderState> {
  if (holder.host !== us.host || holder.machine !== us.machine) return 'elsewhere';
  if (holder.boot !== us.boot) return 'stale';
  if (holder.pidNamespace !== us.pidNamespace) return 'elsewhere';
  const fact = await findProcess(holder.pid);
  return fact !== undefined && !fact.zombie && fact.start === holder.start ? 'live' : 'stale';
}

async function describeUs(): Promise<LockHolder> {
  const [machine, boot, pidNamespace, fact] = await Promise.all([
    readFile('/etc/machine-id', 'utf8').catch(() => ''),
    process.platform === 'linux' ? readFile('/proc/sys/kernel/random/boot_id', 'utf8') : bootTime(),
    readlink('/proc/self/ns/pid').catch(() => ''),
    findProcess(process.pid),
  ]);
  if (boot === '') throw new Bug('the system does not tell when it was started');
  return {
    host: hostname(), machine: machine.trim(), boot: boot.trim(), pidNamespace,
    pid: process.pid, start: must(fact, 'this process in the process table').start, nonce: randomUUID(),
  };
}

async function bootTime(): Promise<string> {
  const { stdout } = await run('sysctl', ['-n', 'kern.boottime']);
  return stdout;
}

function explain(path: string, { holder, state }: { readonly holder?: LockHolder; readonly state: LockHeld['state'] }): string {
  if (holder === undefined) return `the lock ${path} cannot be understood; when no choo runs in this repository, remove it`;
  if (state === 'live') return `choo already runs in this repository (process ${holder.pid}): \`choo status\` shows it, \`choo stop\` ends it`;
  return `choo runs in this repository as process ${holder.pid} on ${holder.host} or in another container, which cannot be seen from here; `
    + `end it there with \`choo stop\`, or, when it is certainly gone, remove ${path}`;
}
