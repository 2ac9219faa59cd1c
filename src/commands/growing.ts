// A file that grows, read piece by piece. Waits for nothing.

import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { errnoOf } from '../adapters/errno.ts';

/** Each read gives what was added since the last one. */
export class Growing {
  readonly #path: string;
  #decoder = new StringDecoder('utf8');
  #offset = 0;
  #file: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** What was added; nothing while there is no file. `anew`: another file has taken its place, or it was cut: this is its text from the beginning. */
  async read(): Promise<{ readonly text: string; readonly anew: boolean }> {
    let text = '';
    const file = await open(this.#path, 'r').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return { text, anew: false };
    try {
      const { dev, ino, size } = await file.stat();
      const name = `${dev}:${ino}`;
      const anew = this.#file !== undefined && (this.#file !== name || size < this.#offset);
      if (anew) {
        this.#offset = 0;
        this.#decoder = new StringDecoder('utf8');
      }
      this.#file = name;
      const buffer = Buffer.allocUnsafe(64 * 1024);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
        if (bytesRead === 0) return { text, anew };
        this.#offset += bytesRead;
        text += this.#decoder.write(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }
}
