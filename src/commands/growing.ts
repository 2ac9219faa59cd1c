// A journal that grows, read as far as its lines are whole. Waits for nothing.

import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { errnoOf } from '../adapters/errno.ts';
import type { Event } from '../core/event.ts';

/** Each read gives the lines that became whole since the last one. */
export class Growing {
  readonly #path: string;
  #decoder = new StringDecoder('utf8');
  #offset = 0;
  #file: string | undefined;
  /** Of a line whose end is still to come. */
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** The new lines; none while there is no file. `anew`: another file has taken its place, or it was cut: these are its lines from the beginning. */
  async read(): Promise<{ readonly lines: readonly string[]; readonly anew: boolean }> {
    const { text, anew } = await this.#added();
    const lines = ((anew ? '' : this.#rest) + text).split('\n');
    this.#rest = lines.pop() ?? '';
    return { lines, anew };
  }

  async #added(): Promise<{ readonly text: string; readonly anew: boolean }> {
    let text = '';
    const file = await open(this.#path, 'r').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return { text, anew: false };
    try {
      const { dev, ino, size } = await file.stat();
      const name = `${dev}:${ino}`;
      const anew = this.#file !== undefined && (this.#file !== name || size < this.#offset);
      if (anew) {
        this.#offset = 0;
        this.#decoder = new StringDecoder('utf8');
      }
      this.#file = name;
      const buffer = Buffer.allocUnsafe(64 * 1024);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
        if (bytesRead === 0) return { text, anew };
        this.#offset += bytesRead;
        text += this.#decoder.write(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }
}

/** The event of a journal's line; undefined for the first line, the header, which is none. Throws SyntaxError for a damaged line. */
export function eventOf(line: string): Event | undefined {
  const value: unknown = JSON.parse(line);
  return typeof value === 'object' && value !== null && 'seq' in value ? value as Event : undefined;
}
