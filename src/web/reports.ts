// The outline of a run that is followed, made when somebody asks: in slices, so that streams go on meanwhile, and not more often than it is worth.

import { Outliner } from '../report/outline.ts';
import type { Standing, UnitOutline } from '../report/outline.ts';
import type { Event } from '../core/event.ts';
import type { Clock } from '../world.ts';

/** Events that are folded at one go: some milliseconds. */
const SLICE = 500;
/** Units whose rows are made at one go. */
const UNITS = 25;
/** An outline of a live run is good for so long, ms. */
const FRESH = 1500;
/** Making outlines takes at most one part in so many of the time. */
const SHARE = 8;

/** Where the run stands, what it is made of beside the events. */
export type Now = () => Standing | undefined;

interface Kept { readonly body: Buffer; readonly seq: number; readonly at: Standing['at']; readonly when: number; readonly took: number }

/** The outlines of one run. */
export class Reports {
  readonly #clock: Clock;
  readonly #now: Now;
  readonly #outliner = new Outliner();
  /** Events that are not folded yet, from `#next` on. */
  #events: Event[] = [];
  #next = 0;
  #kept: Kept | undefined;
  #making: Promise<Buffer | undefined> | undefined;

  constructor(clock: Clock, now: Now) {
    this.#clock = clock;
    this.#now = now;
  }

  /** The next event of the run. */
  add(event: Event): void {
    this.#events.push(event);
  }

  /** The outline as JSON: of this moment, or one that is not worth being made anew yet; undefined before the first event. */
  outline(): Promise<Buffer | undefined> {
    if (this.#kept !== undefined && this.#isGood(this.#kept)) return Promise.resolve(this.#kept.body);
    this.#making ??= this.#make().finally(() => { this.#making = undefined; });
    return this.#making;
  }

  /** The timeline of one unit; undefined when nothing has happened to it. */
  async unit(id: string): Promise<UnitOutline | undefined> {
    await this.#fold();
    const standing = this.#now();
    return standing === undefined ? undefined : this.#outliner.unit(id, standing);
  }

  #isGood({ seq, at, when, took }: Kept): boolean {
    const standing = this.#now();
    const age = this.#clock.steady() - when;
    if (age < took * SHARE) return true;
    return standing?.seq === seq && standing.at === at && (at !== 'live' || age < FRESH);
  }

  async #make(): Promise<Buffer | undefined> {
    await this.#fold();
    const began = this.#clock.steady();
    const standing = this.#now();
    const outline = standing === undefined ? undefined : this.#outliner.outline(standing);
    if (outline === undefined) return undefined;
    const body = Buffer.from(JSON.stringify(outline));
    const when = this.#clock.steady();
    this.#kept = { body, seq: outline.seq, at: outline.at, when, took: when - began };
    return body;
  }

  /** Takes in what is new, slice by slice. */
  async #fold(): Promise<void> {
    while (this.#slice() || this.#outliner.settle(UNITS)) await this.#clock.sleep(1);
  }

  /** Takes in a slice; true while there is more. */
  #slice(): boolean {
    const end = Math.min(this.#next + SLICE, this.#events.length);
    for (const event of this.#events.slice(this.#next, end)) this.#outliner.take(event);
    this.#next = end;
    if (end < this.#events.length) return true;
    this.#events = [];
    this.#next = 0;
    return false;
  }
}
