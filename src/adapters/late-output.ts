// What a command prints once the head of its log is full, for those who look on while it runs: a file beside the log that begins
// anew when it has grown as long as the log's second half. At the end the log has its tail, and this file goes.

import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { errnoOf } from './errno.ts';

/** Path of that file. Its first line says at which byte of the whole output (counted from the log's beginning) the rest begins, and at which the log's head ends. */
export function lateName(log: string): string {
  return `${log}.now`;
}

/** Writes it. Never throws: who looks on sees less when the disk refuses. */
export class LateOutput {
  readonly #path: string;
  readonly #capacity: number;
  #file: number | undefined;
  #size = 0;
  #broken = false;
  /** Where the log's head ends: where the first of these bytes was. */
  #head: number | undefined;

  /** `capacity`: the longest it becomes, bytes. */
  constructor(log: string, capacity: number) {
    this.#path = lateName(log);
    this.#capacity = capacity;
  }

  /** Takes the next bytes; `at`: where in the whole output they begin. */
  write(chunk: Buffer, at: number): void {
    if (this.#broken || this.#capacity === 0) return;
    this.#head ??= at;
    const bytes = chunk.subarray(Math.max(0, chunk.length - this.#capacity));
    try {
      if (this.#file === undefined || this.#size + bytes.length > this.#capacity) this.#begin(at + chunk.length - bytes.length);
      this.#save(bytes);
      this.#size += bytes.length;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      this.#broken = true;
    }
  }

  /** The log has it all now. */
  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }

  /** Another file in the old one's place, so that nobody reads half of each. */
  #begin(at: number): void {
    const fresh = openSync(`${this.#path}~`, 'w', 0o600);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = fresh;
    this.#size = 0;
    this.#save(Buffer.from(`${at} ${this.#head ?? at}\n`));
    renameSync(`${this.#path}~`, this.#path);
  }

  #save(bytes: Buffer): void {
    if (this.#file === undefined) return;
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
  }
}
