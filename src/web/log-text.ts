// A log as the text that a reader gets, in pieces that each say how far they go: as it is, or as the messages of its agent say it.
// A piece ends at a whole character; one of messages ends at a whole line. Waits for nothing.

import { StringDecoder } from 'node:string_decoder';
import { wentBy } from '../commands/live-log.ts';
import { LogPieces } from '../commands/log-pieces.ts';
import type { LogPiece, Place } from '../commands/log-pieces.ts';

/** Characters of a log that are given at once at most, but for a single message that is longer. */
export const AT_ONCE = 256 * 1024;
/** Bytes of one piece. */
const PIECE = 16 * 1024;
/** So many bytes are left out to begin with a line. */
const SOON = 4096;

/** Text of a log. */
export interface Chunk {
  readonly text: string;
  /** Reading goes on from here; undefined: there is nothing more. */
  readonly end: Place | undefined;
}

/** Takes the text of a log and writes what its messages say. */
export type Translate = (write: (text: string) => void) => { readonly take: (text: string) => void; readonly end: () => void };

/** How a place is written, in ids and addresses. */
export function placeText({ at, head }: Place): string {
  return head === undefined ? String(at) : `${at}:${head}`;
}

/** The place that is written so; undefined when it is none. */
export function placeOf(text: string): Place | undefined {
  const [, at, head] = /^(\d{1,15})(?::(\d{1,15}))?$/.exec(text) ?? [];
  return at === undefined ? undefined : { at: Number(at), ...(head === undefined ? {} : { head: Number(head) }) };
}

/** Reads a log on, piece by piece. */
export interface LogText {
  /** What came since; `over`: nothing more will be written. */
  read(over: boolean): AsyncGenerator<Chunk>;
}

/** The log at `path` from `after` on, up to the byte `until`. What messages say depends on those before them: with `translate` it is read from its beginning. */
export function openText(path: string, o: { readonly translate: Translate | undefined; readonly after: Place; readonly until?: number }): LogText {
  const { translate, after, until = Infinity } = o;
  return translate === undefined ? new RawText(new LogPieces(path, after), until) : new SaidText(new LogPieces(path, { ...after, at: 0 }), { translate, after: after.at, until });
}

/** Where the last pieces before the byte `before` begin: at a line, where one begins soon. */
export async function startBefore(path: string, before: Place): Promise<Place> {
  const at = Math.max(0, before.at - AT_ONCE);
  if (at === 0) return { ...before, at };
  for await (const { bytes, end, lost } of new LogPieces(path, { ...before, at }).read()) {
    const begins = end.at - bytes.length;
    if (lost > 0) return { ...end, at: Math.min(begins, before.at) };
    const line = bytes.subarray(0, SOON).indexOf(0x0a);
    return { ...end, at: Math.min(begins + (line < 0 ? restAtStart(bytes) : line + 1), before.at) };
  }
  return { ...before, at };
}

/** Bytes at the beginning that end a character. */
function restAtStart(bytes: Buffer): number {
  const first = bytes.subarray(0, 3).findIndex((byte) => byte < 0x80 || byte >= 0xc0);
  return first < 0 ? Math.min(3, bytes.length) : first;
}

/** The bytes as they are. */
class RawText implements LogText {
  readonly #pieces: LogPieces;
  readonly #until: number;
  /** A character's beginning, whose rest has not come. */
  #open: Buffer = Buffer.alloc(0);

  constructor(pieces: LogPieces, until: number) {
    this.#pieces = pieces;
    this.#until = until;
  }

  async *read(over: boolean): AsyncGenerator<Chunk> {
    for await (const piece of over ? this.#pieces.end() : this.#pieces.read()) {
      if (piece.end.at - piece.bytes.length >= this.#until) return;
      yield* this.#chunks(piece);
    }
    if (over && this.#open.length > 0) yield { text: this.#open.toString('utf8'), end: undefined };
  }

  *#chunks(piece: LogPiece): Generator<Chunk> {
    const { end, lost } = piece;
    // Of a character whose beginning is lost the rest is, too.
    const bytes = lost > 0 ? piece.bytes.subarray(restAtStart(piece.bytes)) : piece.bytes;
    if (lost > 0) {
      const more = piece.bytes.length - bytes.length + this.#open.length;
      this.#open = Buffer.alloc(0);
      yield { text: wentBy(lost + more), end: { ...end, at: end.at - bytes.length } };
    }
    const before = end.at - bytes.length - this.#open.length;
    const all = Buffer.concat([this.#open, bytes]).subarray(0, this.#until - before);
    let from = 0;
    while (from < all.length) {
      const part = all.subarray(from, from + PIECE);
      const whole = part.subarray(0, part.length - openAtEnd(part));
      if (whole.length === 0) break;
      from += whole.length;
      yield { text: whole.toString('utf8'), end: { ...end, at: before + from } };
    }
    this.#open = Buffer.from(all.subarray(from));
  }
}

/** What the messages say, line by line. */
class SaidText implements LogText {
  readonly #pieces: LogPieces;
  readonly #after: number;
  readonly #until: number;
  readonly #machine: ReturnType<Translate>;
  readonly #decoder = new StringDecoder('utf8');
  #said = '';

  constructor(pieces: LogPieces, o: { readonly translate: Translate; readonly after: number; readonly until: number }) {
    this.#pieces = pieces;
    this.#after = o.after;
    this.#until = o.until;
    this.#machine = o.translate((text) => { this.#said += text; });
  }

  async *read(over: boolean): AsyncGenerator<Chunk> {
    for await (const piece of over ? this.#pieces.end() : this.#pieces.read()) {
      if (piece.end.at - piece.bytes.length >= this.#until) return;
      yield* this.#chunks(piece);
    }
    if (!over || this.#until < Infinity) return;
    this.#machine.take(this.#decoder.end());
    this.#machine.end();
    yield { text: this.#taken(), end: undefined };
  }

  *#chunks({ bytes, end, lost }: LogPiece): Generator<Chunk> {
    if (lost > 0) this.#machine.take(this.#decoder.end() + wentBy(lost));
    const begins = end.at - bytes.length;
    for (let from = 0; from < bytes.length;) {
      const line = bytes.indexOf(0x0a, from);
      const to = line < 0 ? bytes.length : line + 1;
      this.#machine.take(this.#decoder.write(bytes.subarray(from, to)));
      from = to;
      const at = begins + to;
      const text = line < 0 ? '' : this.#taken();
      if (text !== '' && at > this.#after && at <= this.#until) yield { text, end: { ...end, at } };
    }
  }

  #taken(): string {
    const said = this.#said;
    this.#said = '';
    return said;
  }
}

/** Bytes at the end that begin a character and do not end it. */
function openAtEnd(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** The last pieces, as many as are given at once, and where they begin. */
export class Tail {
  #chunks: Chunk[] = [];
  #length = 0;
  /** Where what is kept begins. */
  from: Place;

  constructor(from: Place) {
    this.from = from;
  }

  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#length += chunk.text.length;
    while (this.#length > AT_ONCE && this.#chunks.length > 1) {
      const first = this.#chunks.shift();
      this.#length -= first?.text.length ?? 0;
      this.from = first?.end ?? this.from;
    }
  }

  get chunks(): readonly Chunk[] {
    return this.#chunks;
  }
}
