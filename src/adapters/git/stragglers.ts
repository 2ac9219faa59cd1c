// Git commands that outlive the choo that started them: they finish what they began, and whoever comes next waits for that.
// Ends nothing: a git command that is killed leaves locks and half a checkout behind.

import { readlinkSync } from 'node:fs';
import type { Clock } from '../../world.ts';
import { environmentOf, listProcesses, readProcess } from '../process-table.ts';

/** The variable by which a git command is known to be of a certain choo. */
const OWNER = 'CHOO_GIT';
/** First and longest pause between two looks, ms. */
const PAUSE = { first: 5, longest: 500 } as const;

/** The variable for git commands of this process; nothing where it could not be read back. */
export function ownerVariable(): Readonly<Record<string, string>> {
  const us = process.platform === 'linux' ? readProcess(process.pid) : undefined;
  return us === undefined ? {} : { [OWNER]: named(us) };
}

/** Waits until no git command runs whose choo is gone, of whatever repository, at most `limitMs`; gives the numbers of those that still do. Linux only; elsewhere nothing is seen. */
export async function untilGitEnds(o: { readonly clock: Clock; readonly limitMs: number }): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  const end = o.clock.steady() + o.limitMs;
  for (let pause: number = PAUSE.first; ; pause = Math.min(2 * pause, PAUSE.longest)) {
    const running = (await listProcesses()).filter((p) => !p.zombie && isLeft(p.pid)).map((p) => p.pid);
    if (running.length === 0 || o.clock.steady() >= end) return running;
    await o.clock.sleep(pause);
  }
}

/** True for a git command whose choo has ended. Of one in another PID namespace nothing can be said from here. */
function isLeft(pid: number): boolean {
  const found = environmentOf(pid, OWNER);
  const [, owner = '', start = '', namespace] = /^(\d+)-(\d+)-(.*)$/.exec(found === 'unreadable' ? '' : found.value ?? '') ?? [];
  if (owner === '' || namespace !== ourNamespace()) return false;
  const fact = readProcess(Number(owner));
  return fact === undefined || fact.zombie || fact.start !== Number(start);
}

function named(us: { readonly pid: number; readonly start: number }): string {
  return `${us.pid}-${us.start}-${ourNamespace()}`;
}

let namespace: string | undefined;

function ourNamespace(): string {
  return (namespace ??= readlinkSync('/proc/self/ns/pid'));
}
