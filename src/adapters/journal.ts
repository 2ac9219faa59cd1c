// The durable list of events of one run: JSON lines, one writer. Making, going on and appending; reading is journal-reader.ts.

import { randomUUID } from 'node:crypto';
import { link, open, readdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Event, EventBody } from '../core/event.ts';
import { FenceLost } from '../world.ts';
import { failpoint } from '../failpoint.ts';
import type { Journal } from '../world.ts';
import { errnoOf } from './errno.ts';
import { GROUP_MARK, JournalError, scanJournal, VERSION } from './journal-reader.ts';
import type { JournalContent, JournalHeader, Scanned } from './journal-reader.ts';

export { JournalError } from './journal-reader.ts';

const CHUNK = 1024 * 1024;

/** The calls by which a journal reaches the disk. */
export type JournalFile = Pick<FileHandle, 'write' | 'datasync' | 'close'>;

/** What a writer may be given. */
export interface WriterOptions {
  /** Throws when the repository is no longer ours; asked before each write and before it is acknowledged. */
  readonly check?: () => void;
  /** Stands between the journal and its file; for tests. */
  readonly through?: (file: JournalFile) => JournalFile;
}

/** Makes the journal of a new run, header and all, durably; throws JournalError `exists` when there is one. `now` in ms since 1970, `plan` the digest of what is pinned. */
export async function createJournal(path: string, o: WriterOptions & { readonly run: number; readonly now: number; readonly plan: string }): Promise<Journal> {
  const header: JournalHeader = { choo: 'journal', version: VERSION, run: o.run, created: new Date(o.now).toISOString(), plan: o.plan };
  const temporary = `${path}.${randomUUID()}`;
  const file = await open(temporary, 'ax', 0o600);
  try {
    await writeAll(file, Buffer.from(`${JSON.stringify(header)}\n`));
    await file.sync();
    await link(temporary, path);
    await syncFolder(dirname(path));
    failpoint('journal-made');
  } catch (error) {
    await file.close();
    if (errnoOf(error) === 'EEXIST') throw new JournalError(path, { reason: 'exists', detail: 'the run already has a journal' });
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return new FileJournal({ ...o, path, file, seq: 0 });
}

/**
 * Opens a journal to go on writing, without what was torn at its end. The caller holds the repository's lock. It goes on in a new file
 * put in the old one's place, so that a writer who lost the lock, and does not know it yet, writes where nobody reads. Throws JournalError.
 */
export async function openJournal(path: string, o: WriterOptions = {}): Promise<JournalContent & { readonly journal: Journal }> {
  const scanned = await scanJournal(path);
  try {
    const file = await continueIn(path, scanned);
    const { header, events, torn } = scanned;
    return { header, events, torn, journal: new FileJournal({ ...o, path, file, run: header.run, seq: events.length }) };
  } finally {
    await scanned.file.close();
  }
}

/** Reads a journal, also one that is being written; changes nothing. Throws JournalError. */
export async function readJournal(path: string): Promise<JournalContent> {
  const { header, events, torn, file } = await scanJournal(path);
  await file.close();
  return { header, events, torn };
}

/** Copies what is good of a journal into a new file, durably, and puts that in its place; gives it back open for appending. */
async function continueIn(path: string, scanned: Scanned): Promise<FileHandle> {
  const folder = dirname(path);
  // Left by one who was killed right here.
  for (const name of await readdir(folder)) if (name.startsWith(`${basename(path)}.`)) await rm(join(folder, name), { force: true });
  const temporary = `${path}.${randomUUID()}`;
  const file = await open(temporary, 'ax', 0o600);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, scanned.end));
    for (let at = 0; at < scanned.end;) {
      const { bytesRead } = await scanned.file.read(buffer, 0, Math.min(buffer.length, scanned.end - at), at);
      if (bytesRead === 0) throw new JournalError(path, { reason: 'damaged', detail: 'it became shorter while it was read' });
      await writeAll(file, buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    await file.sync();
    await rename(temporary, path);
    await syncFolder(folder);
    return file;
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Events that wait for their place on the disk. */
interface Waiting {
  readonly events: readonly Event[];
  readonly resolve: (events: readonly Event[]) => void;
  readonly reject: (why: Error) => void;
}

class FileJournal implements Journal {
  readonly path: string;
  readonly #file: JournalFile;
  readonly #check: () => void;
  readonly #run: number;
  #seq: number;
  /** What is to be written next, all in one piece. */
  #waiting: Waiting[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Once something failed half a line may be there: nothing may follow it, now or ever. */
  #trouble: Error | undefined;

  constructor(o: WriterOptions & { readonly path: string; readonly file: JournalFile; readonly run: number; readonly seq: number }) {
    this.path = o.path;
    this.#file = o.through?.(o.file) ?? o.file;
    this.#check = o.check ?? ((): void => undefined);
    this.#run = o.run;
    this.#seq = o.seq;
  }

  append(bodies: readonly EventBody[], now: number): Promise<readonly Event[]> {
    if (bodies.length === 0) return Promise.resolve([]);
    const time = new Date(now).toISOString();
    const events = bodies.map((body): Event => ({ seq: (this.#seq += 1), time, run: this.#run, ...body }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, resolve, reject });
      // Whoever asks while a write is under way shares the next one.
      if (this.#waiting.length === 1) this.#writing = this.#writing.then(() => this.#writeWaiting());
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #writeWaiting(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    try {
      await this.#write(GROUP_MARK + group.flatMap(({ events }) => events.map((event) => `${JSON.stringify(event)}\n`)).join(''));
    } catch (error) {
      this.#trouble ??= error instanceof FenceLost ? error
        : new Error(`the journal ${this.path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      for (const { reject } of group) reject(this.#trouble);
      return;
    }
    for (const { events, resolve } of group) resolve(events);
  }

  async #write(text: string): Promise<void> {
    if (this.#trouble !== undefined) throw this.#trouble;
    this.#check();
    await writeAll(this.#file, Buffer.from(text));
    await this.#file.datasync();
    failpoint('journalled');
    // Whoever took the repository meanwhile may have read the journal before this was in it: then it never happened.
    this.#check();
  }
}

async function writeAll(file: Pick<JournalFile, 'write'>, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at);
    if (bytesWritten === 0) throw new Error('nothing was written');
    at += bytesWritten;
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
