// Reads the journal of a run, line by line: what was acknowledged is given back or the file is refused; what a crash left
// unfinished at its end is told apart from damage. Writes nothing, and knows nothing of what the events mean.

import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Event } from '../core/event.ts';
import { errnoOf } from './errno.ts';

/** The version this choo writes, and the newest it reads. */
export const VERSION = 2;
/** The first byte of everything that was written and flushed in one piece. Space before a JSON text means nothing to who parses it. */
export const GROUP_MARK = ' ';

const CHUNK = 1024 * 1024;
const NEWLINE = 0x0a;
const MARK = GROUP_MARK.charCodeAt(0);

/** First line of a journal. */
export interface JournalHeader {
  readonly choo: 'journal';
  readonly version: number;
  /** The run's number. */
  readonly run: number;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** SHA-256 of plan and checks as the first event has them, hex; absent in journals of early development. */
  readonly plan?: string;
}

/** A journal that cannot be used. `line` counts from 1. */
export class JournalError extends Error {
  override name = 'JournalError';
  readonly path: string;
  readonly line: number | undefined;
  readonly reason: 'missing' | 'exists' | 'unreadable' | 'not-a-journal' | 'newer' | 'older' | 'damaged';
  constructor(path: string, o: { readonly reason: JournalError['reason']; readonly detail: string; readonly line?: number }) {
    super(`${path}${o.line === undefined ? '' : `:${o.line}`}: ${o.detail}`);
    this.path = path;
    this.line = o.line;
    this.reason = o.reason;
  }
}

/** What is in a journal. */
export interface JournalContent {
  readonly header: JournalHeader;
  readonly events: readonly Event[];
  /** Bytes at the end that were never finished; 0 usually. Nothing in them had been acted upon. */
  readonly torn: number;
}

/** A journal's file with all that is in it, still open for reading. `end`: offset after the last whole line. */
export interface Scanned extends JournalContent {
  readonly file: FileHandle;
  readonly end: number;
}

/** Reads a whole journal. The caller closes `file`. Throws JournalError, or the system's error. */
export async function scanJournal(path: string): Promise<Scanned> {
  const file = await openToRead(path);
  const reader = new Reader(path);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return { ...reader.finish(), file };
      reader.push(buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens a plain file and nothing else: a link could lead anywhere, and a pipe would wait for ever. */
async function openToRead(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new JournalError(path, { reason: 'missing', detail: 'there is no journal' });
    if (code === 'ELOOP') throw new JournalError(path, { reason: 'not-a-journal', detail: 'this is a symbolic link, which choo never makes here' });
    if (code === 'EACCES' || code === 'EPERM') throw new JournalError(path, { reason: 'unreadable', detail: 'this user may not read it' });
    throw error;
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new JournalError(path, { reason: 'not-a-journal', detail: stat.isDirectory() ? 'this is a folder' : 'this is no plain file' });
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

class Reader {
  readonly #path: string;
  readonly #events: Event[] = [];
  #header: JournalHeader | undefined;
  /** The parts of a line whose end has not come yet. */
  readonly #rest: Buffer[] = [];
  #line = 0;
  /** Bytes of all whole lines so far, and of those among them that are good. */
  #read = 0;
  #end = 0;
  /** The writer marks where groups begin. */
  #marks = false;
  /** The first line that could not be read: torn when nothing that was acknowledged follows, damage otherwise. */
  #bad: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the next bytes; the buffer may be used again afterwards. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      if (this.#rest.length === 0) this.#take(chunk, start, at);
      else {
        const line = Buffer.concat([...this.#rest.splice(0), chunk.subarray(start, at)]);
        this.#take(line, 0, line.length);
      }
      start = at + 1;
    }
    if (start < chunk.length) this.#rest.push(Buffer.from(chunk.subarray(start)));
  }

  finish(): JournalContent & { readonly end: number } {
    const unfinished = this.#rest.reduce((sum, part) => sum + part.length, 0);
    if (unfinished > 0) this.#judge(this.#rest[0]?.[0]);
    if (this.#header === undefined) this.#refuseHeader(unfinished === 0 ? 'it is empty' : 'its first line is not whole');
    return { header: this.#header, events: this.#events, torn: this.#read + unfinished - this.#end, end: this.#end };
  }

  /** One line, without its end. */
  #take(bytes: Buffer, start: number, end: number): void {
    this.#line += 1;
    this.#read += end - start + 1;
    if (this.#bad !== undefined) return this.#judge(bytes[start]);
    const value = parse(bytes, start, end);
    if (this.#header === undefined) {
      this.#header = this.#asHeader(value);
      this.#marks = this.#header.plan !== undefined;
    } else if (value === undefined) {
      // What a power cut leaves unwritten reads as zeros, which choo never writes; a whole line with anything else wrong is damage.
      if (bytes.indexOf(0, start) === -1 || bytes.indexOf(0, start) >= end) this.#refuse('not an event');
      this.#bad = this.#line;
      return;
    } else {
      this.#check(value);
      // What follows the stamp was written by choo and is believed.
      this.#events.push(value as unknown as Event);
      this.#marks ||= bytes[start] === MARK;
    }
    this.#end = this.#read;
  }

  /**
   * After a line that cannot be read. A group is flushed before it is acknowledged and before the next one is written: as long as no
   * other group begins, what is here belongs to the last one, which a power cut may have left with holes.
   */
  #judge(first: number | undefined): void {
    if (this.#bad !== undefined && (!this.#marks || first === MARK)) this.#refuse('not an event');
  }

  #asHeader(value: Readonly<Record<string, unknown>> = {}): JournalHeader {
    const { choo, version, run, created, plan } = value;
    if (choo !== 'journal' || typeof version !== 'number' || typeof run !== 'number' || typeof created !== 'string') this.#refuseHeader('its first line is not that of one');
    if (version > VERSION) {
      throw new JournalError(this.#path, { reason: 'newer', line: 1, detail: `written by a newer choo (journal version ${version}, this one reads ${VERSION})` });
    }
    if (version < VERSION) {
      throw new JournalError(this.#path, { reason: 'older', line: 1, detail: `written by an older choo (journal version ${version}, this one reads ${VERSION}); finish the run with that one, or leave it with: choo run --new` });
    }
    return { choo, version, run, created, ...(typeof plan === 'string' ? { plan } : {}) };
  }

  #check(value: Readonly<Record<string, unknown>>): void {
    const expected = this.#events.length + 1;
    if (typeof value['type'] !== 'string' || typeof value['time'] !== 'string') this.#refuse('not an event');
    if (value['seq'] !== expected) this.#refuse(`event ${String(value['seq'])} where ${expected} belongs`);
    if (value['run'] !== this.#header?.run) this.#refuse('an event of another run');
  }

  #refuseHeader(why: string): never {
    throw new JournalError(this.#path, { reason: 'not-a-journal', line: 1, detail: `this is no journal of choo: ${why}` });
  }

  #refuse(mistake: string): never {
    throw new JournalError(this.#path, { reason: 'damaged', line: this.#bad ?? this.#line, detail: `damaged (${mistake}); what follows cannot be trusted` });
  }
}

/** The object in a line, an empty one for another value, undefined for what is no JSON or no UTF-8. */
function parse(bytes: Buffer, start: number, end: number): Readonly<Record<string, unknown>> | undefined {
  const text = bytes.toString('utf8', start, end);
  // Bytes that are no text become this character, and would pass for what somebody wrote.
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return undefined;
  }
}
