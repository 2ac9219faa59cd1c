// Named pipes for the output of programs. Node's own "pipes" are sockets, and a socket cannot be opened as /dev/stderr,
// which scripts do (`echo … >/dev/stderr`).

import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Pipes made with one start of mkfifo. */
const BATCH = 8;

/** A pipe for a program's output, with our end to read from. */
export interface OutputPipe {
  /** Where the program's end is opened for writing; does not wait until `begun`. */
  readonly path: string;
  readonly reader: Socket;
  /** A descriptor of the program's end, to be inherited; closed by `begun`. */
  readonly writer: number;
  /** The program has its end, or never will: closes our copy, so that the reader sees the end when the program's copies are closed. */
  begun(): void;
  /** Closes the reading end and gives the pipe back; one that `ended` is used again. */
  done(o: { readonly ended: boolean }): void;
}

/** Where a program reads its standard input. */
export interface Input {
  /** Opened for reading; does not wait until `begun`. */
  readonly path: string;
  /** Our end of a conversation, null when there is none. */
  readonly writer: Writable | null;
  /** The program has opened it, or never will. */
  begun(): void;
  /** The program has ended. */
  done(): void;
}

/** The standard input of a program that gets none. */
export const NO_INPUT: Input = { path: '/dev/null', writer: null, begun: () => undefined, done: () => undefined };

/** A private folder with pipes to borrow and standard input files. */
export interface Pipes {
  readonly folder: string;
  output(): Promise<OutputPipe>;
  /** A file that holds `text`; it can be read as slowly as the program likes, or not at all, and nobody waits. */
  file(text: string): Promise<Input>;
  /** A pipe to write to for as long as the program reads. */
  conversation(): Promise<Input>;
  close(): Promise<void>;
}

/** Makes the folder under the system's temporary one, readable by this user only. */
export async function openPipes(): Promise<Pipes> {
  return new PipeFolder(await mkdtemp(join(tmpdir(), 'choo-pipes-')));
}

class PipeFolder implements Pipes {
  readonly folder: string;
  readonly #free: string[] = [];
  #made = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  async output(): Promise<OutputPipe> {
    const path = await this.#take();
    return borrow(path, (clean) => {
      // Somebody may still hold the other end of an unclean one: it is left to `close` and never used again.
      if (clean) this.#free.push(path);
    });
  }

  async file(text: string): Promise<Input> {
    const path = this.#name('input');
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return { ...NO_INPUT, path, begun: () => unlinkSync(path) };
  }

  async conversation(): Promise<Input> {
    const path = await this.#take();
    // A reader must be there for a writer to be opened without waiting; ours goes when the program's has come.
    const placeholder = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = new Socket({ fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), readable: false, writable: true });
    return {
      path,
      writer,
      begun: () => {
        closeSync(placeholder);
        unlinkSync(path);
      },
      done: () => { writer.destroy(); },
    };
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #take(): Promise<string> {
    let path = this.#free.pop();
    while (path === undefined) {
      await this.#make();
      path = this.#free.pop();
    }
    return path;
  }

  async #make(): Promise<void> {
    const paths = Array.from({ length: BATCH }, () => this.#name('output'));
    await run('mkfifo', ['-m', '600', ...paths]);
    this.#free.push(...paths);
  }

  #name(kind: string): string {
    this.#made += 1;
    return join(this.folder, `${kind}-${this.#made}`);
  }
}

function borrow(path: string, giveBack: (clean: boolean) => void): OutputPipe {
  // Neither open waits: the first does not ask for a writer, the second finds the reader there.
  const readEnd = openSync(path, constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  const reader = new Socket({ fd: readEnd, readable: true, writable: false });
  return {
    path,
    reader,
    writer,
    begun: () => closeSync(writer),
    done: ({ ended }) => {
      // The descriptor must be closed before the next borrower opens the same pipe; at its end a reader closes by itself.
      if (reader.closed) giveBack(ended);
      else reader.once('close', () => giveBack(ended)).destroy();
    },
  };
}
