// The journal of a run of a thousand units, written piece by piece as if it were live. The events come from the engine's own rules.

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Event } from '../../src/core/event.ts';
import { Game, settings, unit } from '../unit/core/rig.ts';

/** A journal that grows when it is told to. */
export class BigJournal {
  readonly events: readonly Event[];
  readonly #path: string;
  #at = 0;

  /** Plans `units` units of ten tasks each, ten in a row, in the repository at `root`; nothing has happened but that the run began. */
  constructor(root: string, units: number) {
    const name = (i: number): string => `unit-${String(i).padStart(4, '0')}`;
    const game = new Game(Array.from({ length: units }, (_, i) => unit(name(i), { tasks: 10, dependsOn: i < 100 ? [] : [name(i - 100), name(i - 100 + (i % 7))].filter((id, n, all) => all.indexOf(id) === n && id < name(i)) })), settings({ parallelism: 50 }));
    this.events = game.play().events;
    this.#path = join(root, '.git', 'choo', 'runs', '1', 'journal.jsonl');
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writeFileSync(this.#path, `${JSON.stringify({ choo: 'journal', version: 2, run: 1, created: new Date(0).toISOString(), plan: 'of a test' })}\n`);
    this.more(2);
  }

  /** Events that are not written yet. */
  get left(): number {
    return this.events.length - this.#at;
  }

  /** Writes so many more; gives the number of the last one. */
  more(count: number): number {
    const next = this.events.slice(this.#at, this.#at + count);
    appendFileSync(this.#path, ` ${next.map((event) => JSON.stringify(event)).join('\n')}\n`);
    this.#at += next.length;
    return this.#at;
  }
}
