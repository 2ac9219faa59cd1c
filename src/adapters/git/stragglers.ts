// Git commands that outlive the choo that started them: they finish what they began, and whoever comes next waits for that.
// Ends nothing: a git command that is killed leaves locks and half a checkout behind.

import type { Clock } from '../../world.ts';
import { environmentOf, listProcesses, readProcess } from '../process-table.ts';

/** The variable by which a git command is known to be of a certain choo. */
const OWNER = 'CHOO_GIT';
/** First and longest pause between two looks, ms. */
const PAUSE = { first: 5, longest: 500 } as const;

/** Names a process for good: its number and its start, as the process table counts it. */
export interface Owner { readonly pid: number; readonly start: number }

/** The variable for git commands of this process; nothing where it could not be read back. */
export function ownerVariable(): Readonly<Record<string, string>> {
  const us = process.platform === 'linux' ? readProcess(process.pid) : undefined;
  return us === undefined ? {} : { [OWNER]: named(us) };
}

/** Waits until no git command of a choo that is gone runs any more, at most `limitMs`; gives the numbers of those that still do. Linux only; elsewhere nothing is seen. */
export async function untilGitEnds(o: { readonly owner: Owner; readonly clock: Clock; readonly limitMs: number }): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  const end = o.clock.steady() + o.limitMs;
  for (let pause: number = PAUSE.first; ; pause = Math.min(2 * pause, PAUSE.longest)) {
    const running = await ownedBy(o.owner);
    if (running.length === 0 || o.clock.steady() >= end) return running;
    await o.clock.sleep(pause);
  }
}

async function ownedBy(owner: Owner): Promise<readonly number[]> {
  const all = await listProcesses();
  return all.filter((p) => !p.zombie && p.start >= owner.start && isOwned(p.pid, owner)).map((p) => p.pid);
}

function isOwned(pid: number, owner: Owner): boolean {
  const found = environmentOf(pid, OWNER);
  return found !== 'unreadable' && found.value === named(owner);
}

function named(owner: Owner): string {
  return `${owner.pid}-${owner.start}`;
}
