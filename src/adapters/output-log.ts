// Output of one command on its way to the log file: head and tail are kept, memory stays small. Knows nothing of processes.

import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { BOUNDS } from '../core/limits.ts';
import type { CommandOutput } from '../core/recognise.ts';
import { errnoOf } from './errno.ts';
import { LateOutput } from './late-output.ts';

/** Raw bytes remembered for the cleaned tail: colours and progress lines shrink when cleaned. */
const RAW_TAIL = 4 * BOUNDS.failureTail;

/** One command's output. */
export interface OutputLog {
  /** Takes the next bytes, in order of arrival; never throws (a full disk is told in the tail). */
  write(chunk: Buffer): void;
  /** Writes what is still held back and closes the file. */
  close(): void;
  /** What was kept of this command, cleaned for people; undefined when it could not be written or read. Only after `close`. */
  output(): CommandOutput | undefined;
  /** The last bytes for people: valid UTF-8 without control characters, at most `BOUNDS.failureTail` bytes. */
  tail(): string;
}

/**
 * Opens `path` for appending, making its folder (0700) and itself (0600) when missing. Of what is written the first and
 * last `limit / 2` bytes are kept, with a line between that says how many were left out. Until then what comes after the head
 * is to be seen beside it (late-output.ts). Throws the system's error.
 */
export function openOutputLog(path: string, limit: number): OutputLog {
  return new BoundedLog(path, limit);
}

function openForAppend(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, 'a', 0o600);
  }
}

class BoundedLog implements OutputLog {
  readonly #file: number;
  readonly #path: string;
  /** Where this command's part of the file begins. */
  readonly #start: number;
  readonly #late: Ring;
  readonly #recent = new Ring(RAW_TAIL);
  readonly #beside: LateOutput;
  /** Where in the file the next byte would be if nothing were held back. */
  #at: number;
  #headLeft: number;
  #leftOut = 0;
  #trouble: string | undefined;

  constructor(path: string, limit: number) {
    this.#file = openForAppend(path);
    this.#path = path;
    this.#start = fstatSync(this.#file).size;
    this.#at = this.#start;
    this.#headLeft = Math.floor(limit / 2);
    this.#late = new Ring(limit - this.#headLeft);
    this.#beside = new LateOutput(path, limit - this.#headLeft);
  }

  write(chunk: Buffer): void {
    this.#recent.push(chunk);
    const early = chunk.subarray(0, this.#headLeft);
    if (early.length > 0) {
      this.#headLeft -= early.length;
      this.#save(early);
    }
    if (early.length < chunk.length) {
      const late = chunk.subarray(early.length);
      this.#leftOut += this.#late.push(late);
      this.#beside.write(late, this.#at + early.length);
    }
    this.#at += chunk.length;
  }

  close(): void {
    const late = this.#late.content();
    const start = this.#leftOut > 0 ? characterStart(late) : 0;
    if (this.#leftOut > 0) this.#save(Buffer.from(`\n[choo left out ${this.#leftOut + start} bytes here]\n`));
    this.#save(late.subarray(start));
    closeSync(this.#file);
    this.#beside.close();
  }

  output(): CommandOutput | undefined {
    if (this.#trouble !== undefined) return undefined;
    try {
      const file = openSync(this.#path, 'r');
      try {
        const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#start));
        let read = 0;
        for (let n = -1; n !== 0 && read < bytes.length; read += n) n = readSync(file, bytes, { offset: read, position: this.#start + read });
        return { text: cleanText(bytes.subarray(0, read).toString('utf8')), whole: this.#leftOut === 0 };
      } finally {
        closeSync(file);
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }

  tail(): string {
    const text = cleanText(this.#recent.content().toString('utf8'));
    const note = this.#trouble === undefined ? '' : `\n[choo could not write the log: ${this.#trouble}]`;
    return lastBytes(text, BOUNDS.failureTail - Buffer.byteLength(note)) + note;
  }

  #save(bytes: Buffer): void {
    if (this.#trouble !== undefined) return;
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    } catch (error) {
      // The work goes on without its log; whoever reads the tail is told.
      this.#trouble = errnoOf(error) ?? String(error);
    }
  }
}

/** The last `capacity` bytes pushed; grows only as needed. */
class Ring {
  readonly #capacity: number;
  #buffer = Buffer.alloc(0);
  #start = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Takes bytes; gives back how many old or new ones were dropped. */
  push(chunk: Buffer): number {
    const kept = chunk.length > this.#capacity ? chunk.subarray(chunk.length - this.#capacity) : chunk;
    this.#grow(Math.min(this.#capacity, this.#size + kept.length));
    const length = this.#buffer.length;
    const dropped = Math.max(0, this.#size + kept.length - length);
    if (length > 0) {
      this.#start = (this.#start + dropped) % length;
      this.#size -= dropped;
      const end = (this.#start + this.#size) % length;
      const first = kept.copy(this.#buffer, end);
      kept.copy(this.#buffer, 0, first);
      this.#size += kept.length;
    }
    return dropped + chunk.length - kept.length;
  }

  content(): Buffer {
    const end = this.#start + this.#size;
    const length = this.#buffer.length;
    if (end <= length) return this.#buffer.subarray(this.#start, end);
    return Buffer.concat([this.#buffer.subarray(this.#start), this.#buffer.subarray(0, end - length)]);
  }

  #grow(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#capacity, Math.max(needed, 2 * this.#buffer.length, 4096)));
    this.content().copy(larger);
    this.#buffer = larger;
    this.#start = 0;
  }
}

/** Index of the first byte that starts a UTF-8 character; a character has at most three bytes that do not. */
function characterStart(bytes: Buffer): number {
  let index = 0;
  while (index < 3 && isContinuation(bytes[index] ?? 0)) index += 1;
  return index;
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

/** The last `count` bytes of `text` as UTF-8, starting at a whole character. */
function lastBytes(text: string, count: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= count) return text;
  const cut = bytes.subarray(bytes.length - count);
  return cut.subarray(characterStart(cut)).toString('utf8');
}

// Written as escapes in strings, because these patterns are made of control characters on purpose.
const ESCAPE_SEQUENCES = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]`,
    String.raw`(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?`,
    String.raw`\u001b[PX^_][^\u001b\n]*(?:\u001b\\)?`,
    String.raw`\u001b[ -/]*[0-~]`,
  ].join('|'),
  'g',
);
const CONTROL_CHARACTERS = new RegExp(String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]`, 'g');

/** Makes program output safe to print: no escape sequences, control or direction characters; of a line redrawn with CR only what was last. */
function cleanText(text: string): string {
  const lines = text.replace(ESCAPE_SEQUENCES, '').split('\n');
  return lines.map((line) => lastDrawn(line).replace(CONTROL_CHARACTERS, '')).join('\n');
}

function lastDrawn(line: string): string {
  const parts = line.split('\r');
  return parts.findLast((part) => part !== '') ?? '';
}
