// The log of a command that may still be running as text, read piece by piece. Waits for nothing.

import { StringDecoder } from 'node:string_decoder';
import { LogPieces } from './log-pieces.ts';
import type { LogPiece } from './log-pieces.ts';

/** Each read gives what was added since the last one. */
export class LiveLog {
  readonly #pieces: LogPieces;
  readonly #decoder = new StringDecoder('utf8');

  /** Takes the log's path. */
  constructor(path: string) {
    this.#pieces = new LogPieces(path);
  }

  /** What was added; nothing while there is no file. */
  read(): Promise<string> {
    return this.#text(this.#pieces.read());
  }

  /** The command has ended: the rest. */
  async end(): Promise<string> {
    return await this.#text(this.#pieces.end()) + this.#decoder.end();
  }

  async #text(pieces: AsyncIterable<LogPiece>): Promise<string> {
    let text = '';
    for await (const { bytes, lost } of pieces) text += (lost > 0 ? this.#decoder.end() + wentBy(lost) : '') + this.#decoder.write(bytes);
    return text;
  }
}

/** Says what nobody can see any more. */
export function wentBy(lost: number): string {
  return `\n[${lost} bytes went by too fast]\n`;
}
