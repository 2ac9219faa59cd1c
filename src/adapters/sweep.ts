// Finds and ends what a program left running where no namespace holds it: by session, marker and descent.
// Kills nothing without one of these proofs, and nothing whose start time is not the one it was found with.

import { environmentOf, listProcesses, readProcess, type ProcessFact } from './process-table.ts';
import { errnoOf } from './errno.ts';
import type { Clock } from '../world.ts';

/** The environment variable that marks every process of choo's; outer and inner runs are separated by `/`. */
export const MARK_VARIABLE = 'CHOO_MARK';

/** A process that SIGKILL did not end within this time hangs in the kernel; then the sweep gives up on it, ms. */
const GIVE_UP = 30_000;
/** First and longest pause between two looks, ms. */
const PAUSE = { first: 1, longest: 50 } as const;
/** Parent of all kernel threads, which have no environment to read. */
const KERNEL_THREADS = 2;
/** Looks taken at processes whose environment could not be read, in case they were in the middle of an exec. */
const SECOND_LOOKS = 3;

/** What proves that a process is ours. */
interface Proof {
  /** The process group (and session) the program was started in. */
  readonly root?: { readonly pid: number; readonly start: number };
  /** True for our own mark among those of a process. */
  readonly mark: (mark: string) => boolean;
  /** Earliest start of a process of ours. */
  readonly since: number;
}

/** One program's processes. */
export interface Sweep {
  /** Remembers all descendants as they are now, because a parent's end hides whose child an orphan was. */
  remember(): Promise<void>;
  /** Kills until nothing of the program remains; gives back whether there was anything. */
  end(): Promise<boolean>;
}

/** For a program just started as leader of its own group, with `mark` as the last part of its MARK_VARIABLE. */
export function sweepFor(o: { readonly pid: number; readonly start: number; readonly mark: string; readonly clock: Clock }): Sweep {
  return new Sweeper({ root: { pid: o.pid, start: o.start }, mark: (mark) => mark === o.mark, since: o.start }, o.clock);
}

/**
 * Ends every process marked by an earlier choo that used the same `marker` and is gone. Only for the holder of the
 * repository's lock: a living choo's processes carry the mark too. Gives back whether there were any. Linux only.
 */
export async function endOrphans(o: { readonly marker: string; readonly clock: Clock }): Promise<boolean> {
  return new Sweeper({ mark: (mark) => mark.startsWith(`${o.marker}.`), since: 0 }, o.clock).end();
}

class Sweeper implements Sweep {
  readonly #proof: Proof;
  readonly #clock: Clock;
  /** Start times of processes known to be ours, by pid. */
  readonly #known = new Map<number, number>();
  /**
   * Sessions of such processes, with the start of their leader if it still lived. A program starts in a session of its
   * own and a session can only be made, never joined, so every session of a process of ours is ours.
   */
  readonly #sessions = new Map<number, number | undefined>();
  /** Processes we may not signal (a setuid program's). */
  readonly #untouchable = new Set<number>();
  #unreadable = false;

  constructor(proof: Proof, clock: Clock) {
    this.#proof = proof;
    this.#clock = clock;
    if (proof.root !== undefined) this.#sessions.set(proof.root.pid, proof.root.start);
  }

  async remember(): Promise<void> {
    await this.#look();
  }

  async end(): Promise<boolean> {
    let found = false;
    let pause: number = PAUSE.first;
    let secondLooks = 0;
    for (let waited = 0; waited < GIVE_UP; waited += pause) {
      const ours = await this.#look();
      if (ours.length === 0) {
        if (!this.#unreadable || secondLooks === SECOND_LOOKS) return found;
        secondLooks += 1;
      } else {
        found = true;
        for (const fact of ours) this.#kill(fact);
      }
      await this.#clock.sleep(pause);
      pause = Math.min(2 * pause, PAUSE.longest);
    }
    return found;
  }

  /** The living processes that are ours. */
  async #look(): Promise<readonly ProcessFact[]> {
    const all = await listProcesses();
    this.#unreadable = false;
    this.#forgetReused(all);
    const children = byParent(all);
    const ours = new Map<number, ProcessFact>();
    const queue = all.filter((fact) => this.#isOurs(fact));
    for (let fact = queue.pop(); fact !== undefined; fact = queue.pop()) {
      if (fact.pid === process.pid || ours.has(fact.pid)) continue;
      ours.set(fact.pid, fact);
      this.#known.set(fact.pid, fact.start);
      const session = sessionOf(fact);
      if (!this.#sessions.has(session)) this.#sessions.set(session, all.find((leader) => leader.pid === session)?.start);
      queue.push(...(children.get(fact.pid) ?? []));
    }
    return [...ours.values()].filter((fact) => !fact.zombie && !this.#untouchable.has(fact.pid));
  }

  #isOurs(fact: ProcessFact): boolean {
    if (fact.pid === process.pid || (process.platform === 'linux' && fact.parent === KERNEL_THREADS) || fact.start < this.#proof.since) return false;
    if (this.#known.get(fact.pid) === fact.start || this.#sessions.has(sessionOf(fact))) return true;
    return !fact.zombie && this.#isMarked(fact.pid);
  }

  /** A session's number is free again when its last process has ended; a leader that is another process shows it. */
  #forgetReused(all: readonly ProcessFact[]): void {
    for (const fact of all) {
      if (this.#sessions.has(fact.pid) && this.#sessions.get(fact.pid) !== fact.start) this.#sessions.delete(fact.pid);
    }
  }

  #isMarked(pid: number): boolean {
    if (process.platform !== 'linux') return false;
    const environment = environmentOf(pid, MARK_VARIABLE);
    if (environment === 'unreadable') {
      this.#unreadable = true;
      return false;
    }
    return environment.value?.split('/').some(this.#proof.mark) ?? false;
  }

  #kill(fact: ProcessFact): void {
    if (process.platform === 'linux' && readProcess(fact.pid)?.start !== fact.start) return;
    try {
      process.kill(fact.pid, 'SIGKILL');
    } catch (error) {
      if (errnoOf(error) === 'EPERM') this.#untouchable.add(fact.pid);
      else if (errnoOf(error) !== 'ESRCH') throw error;
    }
  }
}

/** Where sessions cannot be seen, the group has to do. */
function sessionOf(fact: ProcessFact): number {
  return fact.session === 0 ? fact.group : fact.session;
}

function byParent(all: readonly ProcessFact[]): ReadonlyMap<number, ProcessFact[]> {
  const children = new Map<number, ProcessFact[]>();
  for (const fact of all) {
    const siblings = children.get(fact.parent);
    if (siblings === undefined) children.set(fact.parent, [fact]);
    else siblings.push(fact);
  }
  return children;
}
