// Takes secrets out of text and of streams of bytes before they reach a file or a person: `[redacted]` stands in their place.
// What is a secret is secrets.ts. Only as much of a stream is held back as may still turn out to be one.

import { LONGEST_HEAD } from './secrets.ts';
import type { ByteClass, Literal, Shape } from './secrets.ts';

/** What stands in the place of a secret. */
const MARK = '[redacted]';
/** Every secret is found by its first bytes; this many. */
const ANCHOR = 4;
/** A block of several lines (`Shape.until`) that has not ended after this many bytes is over. */
const LONGEST_BLOCK = 32 * 1024;
/** Bytes of a block that are remembered for its end, which may come in pieces. */
const BLOCK_END = 96;
/** An end that is the beginning of a secret is taken for a half of it from this many bytes on, or from half of it on. */
const HALF_AT_END = 8;
/** In the middle of a text a beginning counts as a half of a secret from half of it on, but not below this many bytes. */
const HALF_WITHIN = 12;

/** Comparing so many bytes again is worth remembering that they were. */
const LONG = 64;

/** Takes out secrets. */
export interface Redactor {
  /** The text without secrets; also without one that the text's end, or an ellipsis there, cuts off. */
  text(text: string): string;
  /** A stream of its own; `take` gets what may be seen, in order. Invalid UTF-8 passes as it is. */
  stream(take: (bytes: Buffer) => void): RedactedStream;
}

/** Bytes on their way. */
export interface RedactedStream {
  push(chunk: Buffer): void;
  /** Nothing more comes: gives out what was held back. */
  end(): void;
}

/** Makes what takes out these literals and shapes. */
export function makeRedactor(o: { readonly literals: readonly Literal[]; readonly shapes: readonly Shape[] }): Redactor {
  const finder = new Finder(o);
  return {
    text: (text) => {
      const cut = text.endsWith('…');
      const bytes = Buffer.from(cut ? text.slice(0, -1) : text);
      const { ranges } = finder.scan(bytes, NOTHING, true);
      if (ranges.length === 0) return text;
      const parts: Buffer[] = [];
      emit({ bytes, ranges, hold: bytes.length, take: (part) => parts.push(part) });
      return Buffer.concat(parts).toString('utf8') + (cut ? '…' : '');
    },
    stream: (take) => new Stream(finder, take),
  };
}

/** Bytes from `start` to `end` (exclusive) that are not to be seen; `told`: their mark stands there already. */
interface Range { readonly start: number; end: number; readonly told: boolean }

/** What of the bytes before is still going on. */
interface Carry {
  /** So many bytes at the front belong to a secret whose mark stands there already. */
  readonly covered: number;
  /** Bodies that may go on. */
  readonly open: readonly Body[];
}

const NOTHING: Carry = { covered: 0, open: [] };
const EMPTY = Buffer.alloc(0);

/** The body of a secret that may go on. */
interface Body {
  readonly what: { readonly body: ByteClass; readonly until?: RegExp };
  /** Of a block: its length so far and its last bytes. */
  readonly length: number;
  readonly last: string;
}

/** What was found; `hold`: from here on nothing is certain yet. */
interface Found { readonly ranges: readonly Range[]; readonly hold: number; readonly carry: Carry }

class Stream implements RedactedStream {
  readonly #finder: Finder;
  readonly #take: (bytes: Buffer) => void;
  #held = EMPTY;
  #carry = NOTHING;

  constructor(finder: Finder, take: (bytes: Buffer) => void) {
    this.#finder = finder;
    this.#take = take;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#go(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]), false);
  }

  end(): void {
    this.#go(this.#held, true);
  }

  #go(bytes: Buffer, last: boolean): void {
    const { ranges, hold, carry } = this.#finder.scan(bytes, this.#carry, last);
    emit({ bytes, ranges, hold, take: this.#take });
    // A copy, because the chunk may be a part of something large.
    this.#held = hold === bytes.length ? EMPTY : Buffer.from(bytes.subarray(hold));
    this.#carry = carry;
  }
}

function emit(o: { readonly bytes: Buffer; readonly ranges: readonly Range[]; readonly hold: number; readonly take: (bytes: Buffer) => void }): void {
  let at = 0;
  const upTo = (end: number): void => {
    if (end > at) o.take(o.bytes.subarray(at, end));
  };
  for (const range of o.ranges) {
    upTo(range.start);
    if (!range.told) o.take(Buffer.from(MARK));
    at = range.end;
  }
  upTo(o.hold);
}

/** Something to look for, found by its first four bytes. */
type Wanted = WantedLiteral | { readonly begins: Buffer; readonly shape: Shape };

interface WantedLiteral {
  readonly begins: Buffer;
  readonly literal: Literal;
  /** By an index into it: how many bytes from there on are the same as from its beginning. */
  readonly repeats: () => Uint32Array;
}

/** Where a secret that begins here ends, at least; `body`: it goes on as that does. */
interface Match { readonly end: number; readonly body?: Body }

/** `more`: cannot be told before more bytes have come. */
type Told = Match | 'more' | undefined;

/** Finds secrets in bytes, skipping three at a time where no first bytes of one can be. */
class Finder {
  readonly #wanted = new Map<number, Wanted[]>();
  /** Beginnings of first bytes, as Latin-1: what the last bytes of a chunk may be. */
  readonly #fronts = new Set<string>();
  /** By the last two of four bytes: how far to go on. */
  readonly #shift = new Uint8Array(65_536).fill(ANCHOR - 1);

  constructor(o: { readonly literals: readonly Literal[]; readonly shapes: readonly Shape[] }) {
    for (const literal of o.literals) {
      let repeats: Uint32Array | undefined;
      this.#want({ begins: literal.bytes, literal, repeats: () => (repeats ??= repeatsIn(literal.bytes)) });
    }
    for (const shape of o.shapes) for (const begins of shape.begins) this.#want({ begins: Buffer.from(begins, 'latin1'), shape });
  }

  #want(wanted: Wanted): void {
    const { begins } = wanted;
    const key = begins.readInt32BE(0);
    this.#wanted.set(key, [...(this.#wanted.get(key) ?? []), wanted]);
    for (let length = 1; length < ANCHOR; length += 1) {
      this.#fronts.add(begins.toString('latin1', 0, length));
      const block = begins.readUInt16BE(length - 1);
      this.#shift[block] = Math.min(this.#shift[block] ?? 0, ANCHOR - 1 - length);
    }
  }

  /** `last`: nothing comes after these bytes. */
  scan(bytes: Buffer, before: Carry, last: boolean): Found {
    const bodies = new Bodies(bytes);
    const ranges: Range[] = [];
    const cover = (start: number, match: Match, told: boolean): void => {
      const end = match.body === undefined ? match.end : bodies.endOf(match.body, match.end);
      const range = ranges.at(-1);
      if (range !== undefined && start < range.end) range.end = Math.max(range.end, end);
      else if (end > start) ranges.push({ start, end, told });
    };
    cover(0, { end: before.covered }, true);
    for (const body of before.open) cover(0, { end: before.covered, body }, true);
    const compared: Compared = new Map();
    let hold = bytes.length;
    for (let at = this.#next(bytes, 0); at >= 0; at = this.#next(bytes, at + 1)) {
      const matches = this.#matchesAt({ bytes, at, last, compared });
      if (matches === 'more') {
        hold = at;
        break;
      }
      for (const match of matches) cover(at, match, false);
    }
    if (hold === bytes.length && !last) hold -= this.#frontAtEnd(bytes);
    // Bytes held back that are covered by what was found before them.
    const covered = Math.max(0, (ranges.at(-1)?.end ?? 0) - hold);
    return { ranges: ranges.filter((r) => r.start < hold || r.told), hold, carry: { covered, open: bodies.open } };
  }

  /** The next place at which four bytes are first bytes of something wanted; -1 when there is none. */
  #next(bytes: Buffer, from: number): number {
    const shift = this.#shift;
    const { length } = bytes;
    for (let at = from + ANCHOR - 1; at < length;) {
      const skip = shift[((bytes[at - 1] ?? 0) << 8) | (bytes[at] ?? 0)] ?? 0;
      if (skip === 0) {
        if (this.#wanted.has(bytes.readInt32BE(at - ANCHOR + 1))) return at - ANCHOR + 1;
        at += 1;
      } else {
        at += skip;
      }
    }
    return -1;
  }

  #frontAtEnd(bytes: Buffer): number {
    for (let length = Math.min(ANCHOR - 1, bytes.length); length > 0; length -= 1) {
      if (this.#fronts.has(bytes.toString('latin1', bytes.length - length))) return length;
    }
    return 0;
  }

  /** All that begins here; while one may still come to match, nothing can be told. */
  #matchesAt(place: Place): readonly Match[] | 'more' {
    const matches: Match[] = [];
    for (const wanted of this.#wanted.get(place.bytes.readInt32BE(place.at)) ?? []) {
      const match = 'literal' in wanted ? matchLiteral(wanted, place) : matchShape(wanted, place);
      if (match === 'more') return 'more';
      if (match !== undefined) matches.push(match);
    }
    return matches;
  }
}

/** The Z function of a text. */
function repeatsIn(text: Buffer): Uint32Array {
  const z = new Uint32Array(text.length);
  let from = 0;
  let to = 0;
  for (let i = 1; i < text.length; i += 1) {
    let same = i < to ? Math.min(to - i, z[i - from] ?? 0) : 0;
    while (i + same < text.length && text[same] === text[i + same]) same += 1;
    z[i] = same;
    if (i + same > to) [from, to] = [i, i + same];
  }
  return z;
}

/** Where a literal was last compared, and how many bytes were the same. */
type Compared = Map<Literal, { readonly at: number; readonly same: number }>;

interface Place { readonly bytes: Buffer; readonly at: number; readonly last: boolean; readonly compared: Compared }

function matchLiteral({ literal, repeats }: WantedLiteral, { bytes, at, last, compared }: Place): Told {
  const wanted = literal.bytes;
  const here = Math.min(wanted.length, bytes.length - at);
  // What was found to be the literal's is not looked at again, so that one that repeats itself costs no more than others.
  const before = compared.get(literal);
  const inside = before === undefined ? 0 : before.at + before.same - at;
  let same = inside > 0 ? Math.min(inside, repeats()[at - (before?.at ?? at)] ?? 0) : ANCHOR;
  if (inside <= 0 || same === inside) while (same < here && wanted[same] === bytes[at + same]) same += 1;
  if (same >= LONG) compared.set(literal, { at, same });
  const half = Math.ceil(wanted.length / 2);
  if (same === wanted.length) return { end: at + same, ...(literal.body === undefined ? {} : { body: bodyOf({ body: literal.body }) }) };
  if (at + same < bytes.length) return same >= Math.max(HALF_WITHIN, half) ? { end: at + same } : undefined;
  if (!last) return 'more';
  return same >= Math.min(HALF_AT_END, half) ? { end: at + same } : undefined;
}

function matchShape({ begins, shape }: { readonly begins: Buffer; readonly shape: Shape }, { bytes, at, last }: Place): Told {
  const head = shape.head === undefined ? headLength(begins, bytes, at) : headOf(shape, bytes, at);
  if (head === 'more') return last ? undefined : 'more';
  if (head === undefined) return undefined;
  const start = at + head;
  let end = start;
  while (end < bytes.length && end - start < shape.least && shape.body[bytes[end] ?? 0] === 1) end += 1;
  if (end - start >= shape.least) return { end, body: bodyOf(shape) };
  if (end < bytes.length) return undefined;
  if (!last) return 'more';
  return end - start >= Math.min(HALF_AT_END, Math.ceil(shape.least / 2)) ? { end } : undefined;
}

function headLength(begins: Buffer, bytes: Buffer, at: number): number | 'more' | undefined {
  const here = Math.min(begins.length, bytes.length - at);
  for (let i = ANCHOR; i < here; i += 1) if (begins[i] !== bytes[at + i]) return undefined;
  return here === begins.length ? here : 'more';
}

function headOf(shape: Shape, bytes: Buffer, at: number): number | 'more' | undefined {
  const text = bytes.toString('latin1', at, at + LONGEST_HEAD);
  if (shape.head === undefined) return undefined;
  shape.head.lastIndex = 0;
  const found = shape.head.exec(text);
  if (found !== null) return found[0].length;
  return text.length < LONGEST_HEAD && shape.maybe?.test(text) === true ? 'more' : undefined;
}

function bodyOf(what: Body['what']): Body {
  return { what, length: 0, last: '' };
}

/** How far bodies go in some bytes. One that was followed is not followed again from inside of it: the cost stays in proportion to the bytes. */
class Bodies {
  readonly #bytes: Buffer;
  readonly #known = new Map<ByteClass, { readonly from: number; readonly end: number }>();
  /** Those that reach the end of the bytes and may go on. */
  readonly open: Body[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  endOf(body: Body, from: number): number {
    const table = body.what.body;
    const known = this.#known.get(table);
    if (known !== undefined && from >= known.from && from <= known.end) return known.end;
    const most = body.what.until === undefined ? this.#bytes.length : Math.min(this.#bytes.length, from + LONGEST_BLOCK - body.length);
    let end = from;
    while (end < most && table[this.#bytes[end] ?? 0] === 1) end += 1;
    end = body.what.until === undefined ? this.#plain(body, end) : this.#block(body, { from, end });
    this.#known.set(table, { from, end });
    return end;
  }

  #plain(body: Body, end: number): number {
    if (end === this.#bytes.length) this.open.push(body);
    return end;
  }

  /** A block ends at its end line, where the bytes are no more a part of it, or when it is too long. */
  #block(body: Body, o: { readonly from: number; readonly end: number }): number {
    const text = body.last + this.#bytes.toString('latin1', o.from, o.end);
    const found = body.what.until?.exec(text);
    if (found !== null && found !== undefined) return o.from + found.index + found[0].length - body.last.length;
    const length = body.length + o.end - o.from;
    if (o.end === this.#bytes.length && length < LONGEST_BLOCK) this.open.push({ ...body, length, last: text.slice(-BLOCK_END) });
    return o.end;
  }
}
