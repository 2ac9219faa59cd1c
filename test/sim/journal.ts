// The journal in memory: what was flushed stays, what was on its way when the engine died is lost or torn.

import type { Event, EventBody } from '../../src/core/event.ts';
import type { Journal } from '../../src/world.ts';
import type { Gate } from './gate.ts';
import type { Rng } from './rng.ts';

/** Where it is. */
export const JOURNAL_PATH = '/state/journal.jsonl';

/** The file: whole lines only, because a torn one is dropped when it is opened. */
export class JournalFile {
  readonly run: number;
  readonly lines: string[] = [];
  readonly #parsed: Event[] = [];

  constructor(run: number) {
    this.run = run;
  }

  /** All events, as a reader of the file gets them. */
  events(): readonly Event[] {
    for (const line of this.lines.slice(this.#parsed.length)) this.#parsed.push(JSON.parse(line) as Event);
    return this.#parsed;
  }

  /** All of it, the header first. */
  text(): string {
    return [`{"choo":"journal","run":${this.run}}`, ...this.lines].map((line) => `${line}\n`).join('');
  }

  /** Appends at once, for what happens while no session runs. */
  append(bodies: readonly EventBody[], now: number): void {
    for (const body of bodies) this.lines.push(JSON.stringify(stamped(body, { seq: this.lines.length + 1, run: this.run, now })));
  }
}

/** The journal as one session writes it. `fails` is asked at each write. */
export function simJournal(o: { readonly file: JournalFile; readonly gate: Gate; readonly rng: Rng; readonly fails: () => boolean }): Journal {
  let seq = o.file.lines.length;
  let trouble: Error | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const write = async (events: readonly Event[]): Promise<readonly Event[]> => {
    if (trouble !== undefined) throw trouble;
    const lines = events.map((event) => JSON.stringify(event));
    const part = (): void => {
      o.file.lines.push(...lines.slice(0, o.rng.between(0, lines.length)));
    };
    return o.gate('append', () => {
      if (o.fails()) {
        part();
        trouble = new Error('the journal cannot be written: ENOSPC: no space left on device');
        throw trouble;
      }
      o.file.lines.push(...lines);
      return events;
    }, { torn: part, sound: true, fenced: true });
  };
  return {
    path: JOURNAL_PATH,
    append: (bodies, now) => {
      const events = bodies.map((body) => stamped(body, { seq: (seq += 1), run: o.file.run, now }));
      const written = last.then(() => write(events));
      last = written.catch(() => undefined);
      return written;
    },
    close: () => Promise.resolve(),
  };
}

function stamped(body: EventBody, o: { readonly seq: number; readonly run: number; readonly now: number }): Event {
  return { seq: o.seq, time: new Date(o.now).toISOString(), run: o.run, ...body };
}
