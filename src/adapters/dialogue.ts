// The conversation with a program over stdin and stdout, line by line. What the lines mean is the agent's own file.

import { StringDecoder } from 'node:string_decoder';
import type { Writable } from 'node:stream';
import { Bug } from '../core/bug.ts';
import type { Dialogue } from '../world.ts';

/** A line longer than this is no protocol's; it is left out of the conversation (the log has it), characters. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** One conversation. */
export interface Talk {
  /** Takes the next bytes of stdout and answers the lines they complete. */
  hear(chunk: Buffer): void;
  /** No more output comes: a last line without its end is taken as one. */
  finish(): void;
  /** Says the dialogue's word for stopping; false when it has none or nobody listens. */
  interrupt(): boolean;
}

/**
 * Starts the conversation by writing its first words. `failed` gets what `receive` throws; nothing is heard after that. `progress` is
 * called for each line that shows some, `end` when the dialogue wants the program ended.
 */
export function talk(o: { readonly stdin: Writable | null; readonly dialogue: Dialogue | undefined; readonly failed: (error: Error) => void; readonly progress: () => void; readonly end: (how: 'done' | 'stop') => void }): Talk {
  const { stdin, dialogue, failed } = o;
  // A program that does not read to the end (EPIPE) is its own business.
  stdin?.on('error', () => stdin.destroy());
  if (stdin !== null && dialogue !== undefined) stdin.write(dialogue.first);
  const say = (words: string): boolean => stdin !== null && stdin.writable && (stdin.write(words), true);
  const lines = new Lines((line) => {
    const answer = dialogue?.receive?.(line);
    if (answer?.send !== undefined) say(answer.send);
    if (answer?.close === true) stdin?.end();
    if (answer?.quiet !== true) o.progress();
    if (answer?.end !== undefined) o.end(answer.end);
  });
  let broken = dialogue?.receive === undefined;
  const guarded = (work: () => void): void => {
    if (broken) return;
    try {
      work();
    } catch (error) {
      broken = true;
      failed(error instanceof Error ? error : new Bug(String(error)));
    }
  };
  return {
    hear: (chunk) => guarded(() => lines.push(chunk)),
    finish: () => guarded(() => lines.end()),
    interrupt: () => {
      const word = stdin?.writable === true ? dialogue?.interrupt?.() : undefined;
      return word !== undefined && say(word);
    },
  };
}

/** Cuts bytes into lines without their ends. */
class Lines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #take: (line: string) => void;
  #parts: string[] = [];
  #length = 0;

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    const [first = '', ...more] = this.#decoder.write(chunk).split('\n');
    this.#add(first);
    for (const part of more) {
      this.#complete();
      this.#add(part);
    }
  }

  end(): void {
    this.#add(this.#decoder.end());
    if (this.#length > 0) this.#complete();
  }

  #add(part: string): void {
    this.#length += part.length;
    if (this.#length <= LONGEST_LINE) this.#parts.push(part);
    else this.#parts = [];
  }

  #complete(): void {
    const line = this.#parts.join('');
    const whole = this.#length <= LONGEST_LINE;
    this.#parts = [];
    this.#length = 0;
    if (whole) this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
