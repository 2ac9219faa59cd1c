// A number for every worktree that is alive in the repository, so that what runs in two of them need not collide: ports, databases,
// compose names. Reserved in one file, by path; a path that is gone holds nothing. For who holds the repository's lock.

import { BOUNDS } from '../core/limits.ts';
import type { Files } from '../world.ts';

/** Where and how slots are given. */
interface SlotSettings {
  readonly files: Pick<Files, 'readText' | 'writeText' | 'exists' | 'remove'>;
  /** The file of reservations. */
  readonly file: string;
  /** Port of the slot 0, which is nobody's. */
  readonly portBase: number;
  /** What compose projects of this repository are called, before the slot. */
  readonly project: string;
}

/** The slots of a repository as one session gives them. */
export class Slots {
  readonly #o: SlotSettings;
  /** What this session uses: a worktree may be away for a while and be made again. */
  readonly #mine = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(o: SlotSettings) {
    this.#o = o;
  }

  /** The variables that tell a program in a worktree its slot. The same as long as the worktree lives, over crashes too. */
  async environment(worktree: string): Promise<Record<string, string>> {
    const slot = this.#mine.get(worktree) ?? await this.#alone(() => this.#reserve(worktree));
    const port = this.#o.portBase + slot * BOUNDS.slotPorts;
    return {
      CHOO_SLOT: String(slot), COMPOSE_PROJECT_NAME: `${this.#o.project}-${slot}`,
      ...(port + BOUNDS.slotPorts > 65_536 ? {} : { CHOO_PORT_BASE: String(port) }),
    };
  }

  /** A worktree is gone for good, and others may have its slot. */
  release(worktree: string): Promise<void> {
    if (!this.#mine.delete(worktree)) return Promise.resolve();
    return this.#alone(async () => this.#write(new Map([...await this.#read()].filter(([path]) => path !== worktree))));
  }

  async #reserve(worktree: string): Promise<number> {
    const all = await this.#read(worktree);
    const slot = all.get(worktree) ?? lowestFree(new Set(all.values()));
    if (!all.has(worktree)) await this.#write(new Map([...all, [worktree, slot]]));
    this.#mine.set(worktree, slot);
    return slot;
  }

  /** Who has which slot now: those of this session, worktrees of others that are still there, and `back`, which may be made again. */
  async #read(back?: string): Promise<Map<string, number>> {
    const told = parseSlots(await this.#o.files.readText(this.#o.file));
    const alive = await Promise.all(told.map(async ([path]) => path === back || this.#mine.has(path) || await this.#o.files.exists(path)));
    return new Map([...told.filter((_, n) => alive[n] === true), ...this.#mine]);
  }

  #write(all: ReadonlyMap<string, number>): Promise<void> {
    if (all.size === 0) return this.#o.files.remove(this.#o.file);
    return this.#o.files.writeText(this.#o.file, `${JSON.stringify(Object.fromEntries(all))}\n`);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** The lowest from 1; the slot 0 is left to the user's own checkout. */
function lowestFree(taken: ReadonlySet<number>): number {
  let slot = 1;
  while (taken.has(slot)) slot += 1;
  return slot;
}

/** What is no reservation is none: the file may be cut by a power failure or a hand. */
function parseSlots(text: string | undefined): readonly (readonly [string, number])[] {
  try {
    const told: unknown = JSON.parse(text ?? '{}');
    return Object.entries(told ?? {}).filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] > 0);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
