// The log of one unit's newest attempt as lines, read on as it grows: as the agent's own messages say it, then what the check printed.
// Keeps the newest lines only.

import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Attempted } from '../show/tui/facts.ts';
import type { LogText } from '../show/tui/log.ts';
import { NO_LOG } from '../show/tui/log.ts';
import type { Io } from './io.ts';
import { listeningAgent } from './listening.ts';
import { LiveLog } from './live-log.ts';
import { readerOf } from './logs.ts';

/** Lines that are kept, and characters of each. */
const KEPT = 5000;
const LONGEST = 2000;

interface Source {
  readonly unit: string;
  readonly log: string;
  readonly file: LiveLog;
  readonly take: (text: string) => void;
  readonly end: () => void;
  over: boolean;
}

/** One log at a time: asking for another one forgets the first. */
export class UnitLog {
  readonly #io: Io;
  #source: Source | undefined;
  #lines: string[] = [];
  #dropped = 0;
  #rest = '';

  constructor(io: Io) {
    // What is read is cleaned and laid out by the screen, which has looks of its own.
    this.#io = { ...io, out: { ...io.out, color: false }, err: { ...io.err, write: () => undefined } };
  }

  /** The log as it is now. `running`: its attempt may print more. */
  async read(o: { readonly unit: string; readonly attempt: Attempted | undefined; readonly folder: string; readonly running: boolean }): Promise<LogText> {
    const { unit, attempt } = o;
    if (attempt === undefined) {
      this.#source = undefined;
      return { ...NO_LOG, title: `${unit} has had no attempt yet` };
    }
    if (this.#source?.unit !== unit || this.#source.log !== attempt.log) this.#begin(o.folder, { unit, attempt });
    const source = this.#source;
    if (source !== undefined && !source.over) {
      source.take(o.running ? await source.file.read() : await source.file.end());
      if (!o.running) await this.#finish(source, o.folder);
    }
    const lines = this.#rest === '' ? this.#lines : [...this.#lines, lineOf(this.#rest)];
    return { title: `${unit}, ${attempt.agent}: ${attempt.log}`, lines, dropped: this.#dropped };
  }

  #begin(folder: string, o: { readonly unit: string; readonly attempt: Attempted }): void {
    this.#lines = [];
    this.#dropped = 0;
    this.#rest = '';
    const agent = listeningAgent(o.attempt.agent);
    const write = (text: string): void => this.#add(text);
    const reader = agent === undefined ? { take: write, end: () => undefined } : readerOf(agent, { io: this.#io, write, unit: o.unit });
    this.#source = { unit: o.unit, log: o.attempt.log, file: new LiveLog(join(folder, o.attempt.log)), ...reader, over: false };
  }

  async #finish(source: Source, folder: string): Promise<void> {
    source.over = true;
    source.end();
    const check = await new LiveLog(join(folder, source.log.replace(/\.log$/, '.check.log'))).end();
    if (check !== '') this.#add(`${this.#rest === '' ? '' : '\n'}--- its check\n${check}`);
  }

  #add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-LONGEST);
    for (const line of lines) this.#lines.push(lineOf(line));
    const over = this.#lines.length - KEPT;
    if (over <= 0) return;
    this.#lines.splice(0, over);
    this.#dropped += over;
  }
}

/** What a terminal would show of a line: its last state where it was printed over. */
function lineOf(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return stripVTControlCharacters(text.slice(text.lastIndexOf('\r') + 1)).slice(0, LONGEST);
}
