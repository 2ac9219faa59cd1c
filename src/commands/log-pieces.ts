// The log of a command that may still be running, as bytes with their places: its head, then what the command prints beside it
// (adapters/late-output.ts), at last the log's tail. Places are those in the whole output. Waits for nothing, decodes nothing.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '../adapters/errno.ts';
import { lateName } from '../adapters/late-output.ts';

const PIECE = 64 * 1024;
const LONGEST_NOTE = 80;

/** How far somebody has read. */
export interface Place {
  /** So much of the whole output was given, or is known to be lost, bytes. */
  readonly at: number;
  /** Where the log's head ends; absent: nothing has been read behind it, or the log was whole. */
  readonly head?: number;
}

/** Some of the output. */
export interface LogPiece {
  readonly bytes: Buffer;
  /** Where its last byte was; reading goes on from here. */
  readonly end: Place;
  /** So many bytes before it nobody can see any more. */
  readonly lost: number;
}

/** Reads a log on from one place. */
export class LogPieces {
  readonly #path: string;
  #at: number;
  #head: number | undefined;

  /** Takes the log's path and how far it was read. */
  constructor(path: string, from: Place = { at: 0 }) {
    this.#path = path;
    this.#at = from.at;
    this.#head = from.head;
  }

  /** What was added since; nothing while there is no file. */
  async *read(): AsyncGenerator<LogPiece> {
    const beside = await this.#beside();
    try {
      // The head is whole before there is anything beside it.
      if (this.#head === undefined || this.#at < this.#head) yield* this.#fromLog();
      if (beside !== undefined) yield* this.#take(beside.file, { begins: beside.begins, from: beside.from });
    } finally {
      await beside?.file.close();
    }
  }

  /** The command has ended: the rest. */
  async *end(): AsyncGenerator<LogPiece> {
    yield* this.read();
    const head = this.#head;
    const file = head === undefined ? undefined : await openPlain(this.#path);
    if (file === undefined || head === undefined) return;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_NOTE), 0, LONGEST_NOTE, head);
      const note = /^\n\[choo left out (\d+) bytes here\]\n/.exec(buffer.toString('latin1', 0, bytesRead));
      // A part of the tail may have been given already.
      yield* this.#take(file, { begins: head + Number(note?.[1] ?? 0), from: head + (note?.[0].length ?? 0) });
    } finally {
      await file.close();
    }
  }

  /** How long the whole output is now, bytes; undefined when there is no log. */
  async size(): Promise<number | undefined> {
    const beside = await this.#beside();
    const file = beside?.file ?? await openPlain(this.#path);
    try {
      const size = (await file?.stat())?.size;
      return size === undefined || beside === undefined ? size : beside.begins + size - beside.from;
    } finally {
      await file?.close();
    }
  }

  /** What the command prints beside its log: `begins` in the whole output, `from` in the file. */
  async #beside(): Promise<{ readonly file: FileHandle; readonly begins: number; readonly from: number } | undefined> {
    const file = await openPlain(lateName(this.#path));
    if (file === undefined) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_NOTE), 0, LONGEST_NOTE, 0);
    const line = /^(\d+) (\d+)\n/.exec(buffer.toString('latin1', 0, bytesRead));
    if (line === null) {
      await file.close();
      return undefined;
    }
    this.#head = Number(line[2]);
    return { file, begins: Number(line[1]), from: line[0].length };
  }

  async *#fromLog(): AsyncGenerator<LogPiece> {
    const file = await openPlain(this.#path);
    if (file === undefined) return;
    try {
      yield* this.#take(file, { begins: 0, from: 0, until: this.#head });
    } finally {
      await file.close();
    }
  }

  /** What of a file was not given yet, whose byte `from` is the byte `begins` of the whole output. */
  async *#take(file: FileHandle, o: { readonly begins: number; readonly from: number; readonly until?: number | undefined }): AsyncGenerator<LogPiece> {
    let lost = Math.max(0, o.begins - this.#at);
    this.#at += lost;
    for (;;) {
      const most = Math.min(PIECE, (o.until ?? Infinity) - this.#at);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(most), 0, most, this.#at - o.begins + o.from);
      this.#at += bytesRead;
      if (bytesRead > 0 || lost > 0) yield { bytes: buffer.subarray(0, bytesRead), end: this.#head === undefined ? { at: this.#at } : { at: this.#at, head: this.#head }, lost };
      lost = 0;
      if (bytesRead === 0) return;
    }
  }
}

/** Opens a plain file and nothing else: a link could lead anywhere, and a pipe would wait for ever. Undefined when there is none. */
async function openPlain(path: string): Promise<FileHandle | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  });
  if (file === undefined || (await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}
