// Where every call of the engine passes on its way to the simulated world: it takes time, may fail, and may be the session's last.

import { ForgeError } from '../../src/forge.ts';
import { FenceLost, GitError } from '../../src/world.ts';
import type { Rng } from './rng.ts';
import type { Timeline } from './timeline.ts';

/** Performs a call's effect some time later and gives its value. A call made of several effects passes once for each. */
export type Gate = <T>(call: string, effect: () => T, o?: CallOptions) => Promise<T>;

/** How a call behaves when things go wrong. */
export interface CallOptions {
  /** What is left of the effect when the engine dies before the answer; default: it happened or not, by chance. */
  readonly torn?: () => void;
  /** The error it may fail with; default a GitError. */
  readonly error?: (rng: Rng) => Error;
  /** It never fails. */
  readonly sound?: true;
  /** It changes what only the holder of the repository may: refs and the journal. */
  readonly fenced?: true;
  /** When it fails, nothing has happened. */
  readonly clean?: true;
}

/** For tests of the parts themselves: no delay, no fault. */
export const openGate: Gate = (_call, effect) => new Promise((resolve) => { resolve(effect()); });

/** What is to go wrong in a session: at its nth call, of those whose name begins with `call` and while a step of `window` is in flight. */
export interface Doom {
  /** The engine dies, the call fails, or the journal fails. */
  readonly fault: 'kill' | 'error' | 'journal';
  readonly call?: string;
  readonly window?: string;
  readonly nth: number;
  /** Before or after the effect. */
  readonly when: 'before' | 'after';
}

/** Probabilities of what calls may meet. */
export interface Weather {
  /** A call fails. */
  readonly error: number;
  /** A call takes seconds. */
  readonly slow: number;
  /** A journal write fails for good. */
  readonly journal: number;
}

/** Weather in which nothing goes wrong. */
export const FAIR: Weather = { error: 0, slow: 0, journal: 0 };

interface Pending { readonly effect: () => unknown; readonly torn?: (() => void) | undefined }

/** What a gate is made from. `windows` names the steps in flight. */
interface GateParts {
  readonly rng: Rng;
  readonly timeline: Timeline;
  readonly weather: () => Weather;
  readonly windows: () => readonly string[];
  readonly dooms: readonly Doom[];
}

/** The gate of one session of the engine, with its life and death. */
export class SessionGate {
  alive = true;
  /** Another choo has taken the repository: nothing of this one may be written any more. */
  lost = false;
  /** Told what went wrong, by the name of the fault and of the call. */
  onFault: (fault: string, call: string) => void = () => undefined;
  /** Told once, right after the engine died. */
  onDeath: () => void = () => undefined;
  readonly #o: GateParts;
  readonly #pending = new Set<Pending>();
  readonly #dooms: { readonly doom: Doom; left: number }[];

  constructor(o: GateParts) {
    this.#o = o;
    this.#dooms = o.dooms.map((doom) => ({ doom, left: doom.nth }));
  }

  /** The gate itself. */
  readonly pass: Gate = (call, effect, o = {}) => new Promise((resolve, reject) => {
    if (!this.alive) return;
    const pending: Pending = { effect, torn: o.torn };
    this.#pending.add(pending);
    this.#o.timeline.after(this.#latency(call), () => {
      if (!this.alive) return;
      const doomed = this.#doomed('kill', call);
      if (doomed === 'before') return this.kill(call);
      this.#pending.delete(pending);
      if (this.lost && o.fenced === true) return reject(new FenceLost('the repository was taken'));
      const fault = this.#fault(call, o);
      if (fault !== undefined && (o.clean === true || this.#o.rng.chance(0.8))) return reject(fault);
      try {
        const value = effect();
        if (doomed === 'after') return this.kill(call);
        if (fault === undefined) resolve(value);
        else reject(fault);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });

  /** The engine dies here: what was on its way may still happen, nothing is answered any more. */
  kill(call = 'idle'): void {
    if (!this.alive) return;
    this.alive = false;
    this.onFault('kill', call);
    for (const { effect, torn } of this.#pending) {
      if (torn !== undefined) torn();
      else if (this.#o.rng.chance(0.3)) tryGit(effect);
    }
    this.#pending.clear();
    this.onDeath();
  }

  /** Whether the journal is to fail at this write. */
  journalFails(): boolean {
    const fails = this.#doomed('journal', 'append') !== undefined || this.#o.rng.chance(this.#o.weather().journal);
    if (fails) this.onFault('journal', 'append');
    return fails;
  }

  /** Counts a call; tells the moment at which what was to go wrong goes wrong with this one. */
  #doomed(fault: Doom['fault'], call: string): Doom['when'] | undefined {
    for (const each of this.#dooms) {
      const { doom } = each;
      if (each.left <= 0 || doom.fault !== fault || (doom.call !== undefined && !call.startsWith(doom.call))) continue;
      if (doom.window !== undefined && !isWindow(doom.window, this.#o.windows())) continue;
      each.left -= 1;
      if (each.left === 0) return doom.when;
    }
    return undefined;
  }

  #latency(call: string): number {
    const { rng } = this.#o;
    if (rng.chance(this.#o.weather().slow)) {
      this.onFault('slow', call);
      return rng.between(500, 20_000);
    }
    return rng.next() < 0.6 ? 0 : rng.below(4);
  }

  #fault(call: string, o: CallOptions): Error | undefined {
    const { rng } = this.#o;
    if (o.sound === true || (this.#doomed('error', call) === undefined && !rng.chance(this.#o.weather().error))) return undefined;
    const error = o.error === undefined ? new GitError(`git ${call}`, 'a fault of the simulation') : o.error(rng);
    this.onFault(error instanceof GitError ? 'git-error' : error instanceof ForgeError ? 'forge-error' : 'disk-error', call);
    return error;
  }
}

function isWindow(window: string, inFlight: readonly string[]): boolean {
  return window === 'between' ? inFlight.length === 0 : inFlight.includes(window);
}

/** Does something that git may refuse, for somebody who does not care. */
export function tryGit(effect: () => unknown): void {
  try {
    effect();
  } catch (error) {
    // Only a defect of the simulation may go on.
    if (!(error instanceof GitError) && !(error instanceof ForgeError)) throw error;
  }
}
