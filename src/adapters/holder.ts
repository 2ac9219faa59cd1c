// Who holds a lock, and what can be said from here about whether that one still lives. Reads only.

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { Bug, must } from '../core/bug.ts';
import { duration } from '../core/duration.ts';
import { errnoOf } from './errno.ts';
import { findProcess } from './process-table.ts';

const run = promisify(execFile);

/** What Linux calls the PID namespace of the machine itself; in every other one we are in a container. */
export const MACHINE_NAMESPACE = 'pid:[4026531836]';

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
  /** When the lock was taken, ISO 8601; for people. */
  readonly since?: string;
}

/** `live`: it runs. `stale`: it is certainly gone. `elsewhere`: another machine or PID namespace, nothing can be said from here. */
export type HolderState = 'live' | 'stale' | 'elsewhere';

/** `unreadable`: nobody knows whose it is. */
export type LockState = HolderState | 'unreadable';

/** What is in a lock's place: its holder, when it says one. `id` names it and no other. */
export interface FoundLock {
  readonly holder: LockHolder | undefined;
  readonly id: string;
}

/** Describes this very process as a holder with a fresh nonce. */
export async function describeUs(): Promise<LockHolder> {
  const [machine, boot, pidNamespace, fact] = await Promise.all([
    readFile('/etc/machine-id', 'utf8').catch(() => ''),
    process.platform === 'linux' ? readFile('/proc/sys/kernel/random/boot_id', 'utf8') : bootTime(),
    process.platform === 'linux' ? readlink('/proc/self/ns/pid').catch(() => 'unknown') : '',
    findProcess(process.pid),
  ]);
  if (boot === '') throw new Bug('the system does not tell when it was started');
  return {
    host: hostname(), machine: machine.trim(), boot: boot.trim(), pidNamespace, pid: process.pid,
    start: must(fact, 'this process in the process table').start, nonce: randomUUID(), since: new Date().toISOString(),
  };
}

/** How a holder stands, seen from `us`. What is not certain is `elsewhere`. */
export async function stateOf(holder: LockHolder, us: LockHolder): Promise<HolderState> {
  if (holder.host !== us.host || holder.machine !== us.machine) return 'elsewhere';
  if (holder.boot !== us.boot) return isRebooted(holder, us) ? 'stale' : 'elsewhere';
  if (holder.pidNamespace !== us.pidNamespace) return 'elsewhere';
  const fact = await findProcess(holder.pid);
  return fact !== undefined && !fact.zombie && fact.start === holder.start ? 'live' : 'stale';
}

/** Another boot of the same machine. Containers may share a name and a machine id with others on other machines, so within one this is never certain. */
function isRebooted(holder: LockHolder, us: LockHolder): boolean {
  if (holder.pidNamespace !== us.pidNamespace) return false;
  return us.pidNamespace === '' || (us.pidNamespace === MACHINE_NAMESPACE && us.machine !== '');
}

/** What is in a lock's place, or undefined when nothing is. */
export function readLockFile(path: string): FoundLock | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    const holder = parseHolder(text);
    return { holder, id: holder?.nonce ?? `unreadable-${createHash('sha256').update(text).digest('hex').slice(0, 16)}` };
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return undefined;
    // A folder, a link in a circle, a file closed to us: something is there, and it is not ours to judge.
    if (code === 'EISDIR' || code === 'EACCES' || code === 'ELOOP') return { holder: undefined, id: `unreadable-${statSync(path, { throwIfNoEntry: false })?.ino ?? code}` };
    throw error;
  }
}

function parseHolder(text: string): LockHolder | undefined {
  let value: Partial<Record<keyof LockHolder, unknown>>;
  try {
    value = { ...(JSON.parse(text) as object) };
  } catch {
    return undefined;
  }
  const { host, machine, boot, pidNamespace, pid, start, nonce, since } = value;
  const words = [host, machine, boot, pidNamespace].every((word) => typeof word === 'string');
  const numbers = Number.isSafeInteger(pid) && Number(pid) > 0 && typeof start === 'number';
  // The nonce becomes part of a file's name.
  const named = typeof nonce === 'string' && /^[\w-]{1,64}$/.test(nonce);
  return words && numbers && named && (since === undefined || typeof since === 'string') ? value as LockHolder : undefined;
}

/** The holder in words: `process 123 on host, for 2h03m`. */
export function describeHolder(holder: LockHolder): string {
  const ms = Date.now() - Date.parse(holder.since ?? '');
  return `process ${holder.pid} on ${holder.host}${ms >= 0 ? `, for ${duration(ms)}` : ''}`;
}

async function bootTime(): Promise<string> {
  const { stdout } = await run('sysctl', ['-n', 'kern.boottime']);
  return stdout;
}
