// Named pipes for the output of programs. Node's own "pipes" are sockets, and a socket cannot be opened as /dev/stderr,
// which scripts do (`echo … >/dev/stderr`).

import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, open, rm, unlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Pipes made with one start of mkfifo. */
const BATCH = 8;

/** A pipe with our end to read from and a descriptor for the program to write to. */
export interface OutputPipe {
  readonly reader: Socket;
  /** Descriptor of the writing end; close it with `started` once the program has it. */
  readonly writer: number;
  /** Closes our copy of the writing end, so that the reader sees the end when the program's copies are closed. */
  started(): void;
  /** Closes the reading end and gives the pipe back; one that `ended` is used again. */
  done(o: { readonly ended: boolean }): void;
}

/** A private folder with pipes to borrow and standard input files. */
export interface Pipes {
  readonly folder: string;
  take(): Promise<OutputPipe>;
  /** An open, unlinked file holding `text`, to be given as standard input and then closed by the caller. */
  input(text: string): Promise<number>;
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

  async take(): Promise<OutputPipe> {
    let path = this.#free.pop();
    while (path === undefined) {
      await this.#make();
      path = this.#free.pop();
    }
    return borrow(path, (clean) => this.#giveBack(path, clean));
  }

  async input(text: string): Promise<number> {
    const path = this.#name('input');
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    const descriptor = openSync(path, constants.O_RDONLY);
    await unlink(path);
    return descriptor;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
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

  #giveBack(path: string, clean: boolean): void {
    // Somebody may still hold the other end of an unclean one: it is left to `close` and never used again.
    if (clean) this.#free.push(path);
  }
}

function borrow(path: string, giveBack: (clean: boolean) => void): OutputPipe {
  // Neither open waits: the first does not ask for a writer, the second finds the reader there.
  const readEnd = openSync(path, constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  const reader = new Socket({ fd: readEnd, readable: true, writable: false });
  return {
    reader,
    writer,
    started: () => closeSync(writer),
    done: ({ ended }) => {
      // The descriptor must be closed before the next borrower opens the same pipe.
      reader.once('close', () => giveBack(ended));
      reader.destroy();
    },
  };
}
