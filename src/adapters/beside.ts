// Whether who asks over the control socket is in choo's own PID namespace, and not in one of those in which choo holds agents: the asker has
// to keep a process with a command line that choo chose, and choo looks for it. Linux only.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';

/** A process that waits until its stdin ends; the whole command line has to be this, as programs that choo runs may be given any word. */
function commandLine(nonce: string): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', 'read -r _', `choo-asks-${nonce}`];
}

/** Keeps such a process while `ask` is told its number and works. Rejects when it cannot be started. */
export async function beside<T>(nonce: string, ask: (pid: number) => Promise<T>): Promise<T> {
  const [program, ...args] = commandLine(nonce);
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  try {
    return await ask(child.pid ?? 0);
  } finally {
    child.stdin.end();
  }
}

/** True when that process is there and in the PID namespace of this one. */
export function isBeside(pid: number, nonce: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${commandLine(nonce).join('\0')}\0` && readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid');
  } catch {
    return false;
  }
}
