// The durable list of events of one run: JSON lines, one writer. Knows nothing of what the events mean.

import { randomUUID } from 'node:crypto';
import { link, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Event, EventBody } from '../core/event.ts';
import type { Journal } from '../world.ts';
import { errnoOf } from './errno.ts';

/** The version this choo writes, and the newest it reads. */
const VERSION = 1;
const CHUNK = 1024 * 1024;
const NEWLINE = 0x0a;

/** First line of a journal. */
export interface JournalHeader {
  readonly choo: 'journal';
  readonly version: number;
  /** The run's number. */
  readonly run: number;
  /** ISO 8601, UTC. */
  readonly created: string;
}

/** A journal that cannot be used. `line` counts from 1. */
export class JournalError extends Error {
  override name = 'JournalError';
  readonly path: string;
  readonly line: number | undefined;
  readonly reason: 'missing' | 'exists' | 'not-a-journal' | 'newer' | 'damaged';
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
  /** Bytes of a last line that was never finished; 0 usually. Nothing in it had been acted upon. */
  readonly torn: number;
}

/** Makes the journal of a new run, header and all, durably; throws JournalError `exists` when there is one. `now` in ms since 1970. */
export async function createJournal(path: string, o: { readonly run: number; readonly now: number }): Promise<Journal> {
  const header: JournalHeader = { choo: 'journal', version: VERSION, run: o.run, created: new Date(o.now).toISOString() };
  const temporary = `${path}.${randomUUID()}`;
  const file = await open(temporary, 'ax', 0o600);
  try {
    await file.appendFile(`${JSON.stringify(header)}\n`);
    await file.sync();
    await link(temporary, path);
  } catch (error) {
    await file.close();
    if (errnoOf(error) === 'EEXIST') throw new JournalError(path, { reason: 'exists', detail: 'the run already has a journal' });
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
  return new FileJournal({ path, file, run: o.run, seq: 0 });
}

/** Opens a journal to go on writing; a torn last line is cut off. The caller holds the repository's lock. Throws JournalError. */
export async function openJournal(path: string): Promise<JournalContent & { readonly journal: Journal }> {
  const { end, ...content } = await scan(path);
  const file = await open(path, 'a', 0o600);
  try {
    if (content.torn > 0) {
      await file.truncate(end);
      await file.sync();
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { ...content, journal: new FileJournal({ path, file, run: content.header.run, seq: content.events.length }) };
}

/** Reads a journal, also one that is being written; changes nothing. Throws JournalError. */
export async function readJournal(path: string): Promise<JournalContent> {
  const { header, events, torn } = await scan(path);
  return { header, events, torn };
}

class FileJournal implements Journal {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #run: number;
  #seq: number;
  #last: Promise<unknown> = Promise.resolve();
  #trouble: Error | undefined;

  constructor(o: { readonly path: string; readonly file: FileHandle; readonly run: number; readonly seq: number }) {
    this.path = o.path;
    this.#file = o.file;
    this.#run = o.run;
    this.#seq = o.seq;
  }

  append(bodies: readonly EventBody[], now: number): Promise<readonly Event[]> {
    const time = new Date(now).toISOString();
    const events = bodies.map((body): Event => ({ seq: (this.#seq += 1), time, run: this.#run, ...body }));
    const written = this.#last.then(() => this.#write(events));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  async #write(events: readonly Event[]): Promise<readonly Event[]> {
    // After a failed write half a line may be there; more must not follow it.
    if (this.#trouble !== undefined) throw this.#trouble;
    try {
      if (events.length > 0) {
        await this.#file.appendFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
        await this.#file.datasync();
      }
      return events;
    } catch (error) {
      this.#trouble = new Error(`the journal ${this.path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      throw this.#trouble;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

// ---------------------------------------------------------------- reading

/** `end`: offset after the last whole line. */
async function scan(path: string): Promise<JournalContent & { readonly end: number }> {
  const file = await openToRead(path);
  const reader = new Reader(path);
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(CHUNK);
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return reader.finish();
      reader.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new JournalError(path, { reason: 'missing', detail: 'there is no journal' });
    throw error;
  }
}

class Reader {
  readonly #path: string;
  readonly #events: Event[] = [];
  #header: JournalHeader | undefined;
  #rest: Buffer[] = [];
  #line = 0;
  #end = 0;
  /** A line that could not be read: torn when nothing follows, damage otherwise. */
  #bad: { readonly line: number; readonly bytes: number } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      this.#rest.push(chunk.subarray(start, at));
      this.#take(Buffer.concat(this.#rest));
      this.#rest = [];
      start = at + 1;
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start));
  }

  finish(): JournalContent & { readonly end: number } {
    const unfinished = this.#rest.reduce((sum, part) => sum + part.length, 0);
    if (this.#bad !== undefined && unfinished > 0) this.#refuse();
    if (this.#header === undefined) throw new JournalError(this.#path, { reason: 'not-a-journal', line: 1, detail: 'this is no journal of choo' });
    return { header: this.#header, events: this.#events, torn: unfinished + (this.#bad?.bytes ?? 0), end: this.#end };
  }

  #take(bytes: Buffer): void {
    if (this.#bad !== undefined) this.#refuse();
    this.#line += 1;
    const value = parse(bytes);
    if (this.#header === undefined) this.#header = this.#asHeader(value ?? {});
    else if (value === undefined) {
      this.#bad = { line: this.#line, bytes: bytes.length + 1 };
      return;
    } else {
      const mistake = this.#mistake(value);
      if (mistake !== undefined) this.#refuse(mistake);
      // What follows the stamp was written by choo and is believed.
      this.#events.push(value as unknown as Event);
    }
    this.#end += bytes.length + 1;
  }

  #asHeader(value: Readonly<Record<string, unknown>>): JournalHeader {
    const { version, run, created } = value;
    if (value['choo'] !== 'journal' || typeof version !== 'number' || typeof run !== 'number' || typeof created !== 'string') {
      throw new JournalError(this.#path, { reason: 'not-a-journal', line: 1, detail: 'this is no journal of choo' });
    }
    if (version > VERSION) {
      throw new JournalError(this.#path, { reason: 'newer', line: 1, detail: `written by a newer choo (journal version ${version}, this one reads ${VERSION})` });
    }
    return { choo: 'journal', version, run, created };
  }

  #mistake(value: Readonly<Record<string, unknown>>): string | undefined {
    const expected = this.#events.length + 1;
    if (typeof value['type'] !== 'string' || typeof value['time'] !== 'string') return 'not an event';
    if (value['seq'] !== expected) return `event ${String(value['seq'])} where ${expected} belongs`;
    return value['run'] === this.#header?.run ? undefined : 'an event of another run';
  }

  #refuse(mistake = 'not an event'): never {
    const line = this.#bad?.line ?? this.#line;
    throw new JournalError(this.#path, { reason: 'damaged', line, detail: `damaged (${mistake}); what follows cannot be trusted` });
  }
}

/** The object in a line, an empty one for another value, undefined for what is no JSON. */
function parse(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return undefined;
  }
}
