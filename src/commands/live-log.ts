// The log of a command that may still be running, read piece by piece: its head, then what the command prints beside it
// (adapters/late-output.ts), at last the log's tail. Waits for nothing.

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { errnoOf } from '../adapters/errno.ts';
import { lateName } from '../adapters/late-output.ts';

const PIECE = 64 * 1024;
const LONGEST_NOTE = 80;

/** Each read gives what was added since the last one. */
export class LiveLog {
  readonly #path: string;
  readonly #decoder = new StringDecoder('utf8');
  /** So much of the whole output was given, or is known to be lost, bytes. */
  #at = 0;
  /** Where the log's head ends, once what comes after it was read beside the log. */
  #headEnd: number | undefined;

  /** Takes the log's path. */
  constructor(path: string) {
    this.#path = path;
  }

  /** What was added; nothing while there is no file. */
  async read(): Promise<string> {
    const late = await fileAt(lateName(this.#path));
    try {
      // The head is whole before there is anything beside it.
      const head = this.#headEnd === undefined ? await this.#fromLog() : '';
      return late === undefined ? head : head + await this.#fromBeside(late);
    } finally {
      await late?.close();
    }
  }

  /** The command has ended: the rest. */
  async end(): Promise<string> {
    const text = await this.read();
    return text + await this.#tail() + this.#decoder.end();
  }

  async #fromLog(): Promise<string> {
    const file = await fileAt(this.#path);
    if (file === undefined) return '';
    try {
      return await this.#take(file, this.#at);
    } finally {
      await file.close();
    }
  }

  async #fromBeside(file: FileHandle): Promise<string> {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_NOTE), 0, LONGEST_NOTE, 0);
    const line = /^(\d+)\n/.exec(buffer.toString('latin1', 0, bytesRead));
    if (line === null) return '';
    this.#headEnd ??= this.#at;
    return this.#skipTo(Number(line[1])) + await this.#take(file, this.#at - Number(line[1]) + line[0].length);
  }

  /** The log's tail, of which a part may have been given already. */
  async #tail(): Promise<string> {
    const file = this.#headEnd === undefined ? undefined : await fileAt(this.#path);
    if (file === undefined || this.#headEnd === undefined) return '';
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_NOTE), 0, LONGEST_NOTE, this.#headEnd);
      const note = /^\n\[choo left out (\d+) bytes here\]\n/.exec(buffer.toString('latin1', 0, bytesRead));
      const begins = this.#headEnd + Number(note?.[1] ?? 0);
      return this.#skipTo(begins) + await this.#take(file, this.#headEnd + (note?.[0].length ?? 0) + this.#at - begins);
    } finally {
      await file.close();
    }
  }

  /** Says what nobody can see any more. */
  #skipTo(place: number): string {
    const lost = place - this.#at;
    if (lost <= 0) return '';
    this.#at = place;
    return `${this.#decoder.end()}\n[${lost} bytes went by too fast]\n`;
  }

  async #take(file: FileHandle, from: number): Promise<string> {
    const buffer = Buffer.allocUnsafe(PIECE);
    let text = '';
    for (let place = from; ;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE, place);
      if (bytesRead === 0) return text;
      place += bytesRead;
      this.#at += bytesRead;
      text += this.#decoder.write(buffer.subarray(0, bytesRead));
    }
  }
}

async function fileAt(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
