// Reads a file that may have been replaced by anything: a pipe nobody writes to, a device, a link to one of the endless files in /proc.
// Waits for nothing and reads no more than was asked for. Changes nothing.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { errnoOf, isMissing } from './errno.ts';

/** A file as it was read, with its stat at that moment. */
export interface SmallFile {
  readonly content: Buffer;
  readonly stat: Stats;
}

/** How to read: bytes from which on a file is no file for the one who asks, and whether a link in its place is one (default: it is). */
export interface SmallFileOptions {
  readonly most: number;
  readonly links?: 'followed' | 'odd';
}

/** Files that tell no size (procfs) are read this far, bytes: without the size nobody knows where one ends. */
const MOST_UNSIZED = 1024 * 1024;
const CHUNK = 4096;

/**
 * The content of a regular file; `missing` when nothing is there, `odd` for what is no regular file, is larger than `most` bytes, or whose content the
 * system does not give. Throws what the system says of the path itself (EACCES, ENAMETOOLONG).
 */
export function smallFile(path: string | Buffer, o: SmallFileOptions): SmallFile | 'missing' | 'odd' {
  const file = openRegular(path, o.links === 'odd' ? constants.O_NOFOLLOW : 0);
  if (typeof file === 'string') return file;
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > o.most) return 'odd';
    const content = stat.size > 0 ? readSized(file, stat.size) : readUnsized(file, Math.min(o.most, MOST_UNSIZED));
    return content === undefined ? 'odd' : { content, stat };
  } catch (error) {
    // Some files in /proc refuse every read.
    if (errnoOf(error) === undefined) throw error;
    return 'odd';
  } finally {
    closeSync(file);
  }
}

function openRegular(path: string | Buffer, flags: number): number | 'missing' | 'odd' {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (error) {
    if (isMissing(error)) return 'missing';
    // A link that is not followed or leads in a circle; a socket, a device without its driver.
    if (['ELOOP', 'ENXIO', 'ENODEV'].includes(errnoOf(error) ?? '')) return 'odd';
    throw error;
  }
}

function readSized(file: number, size: number): Buffer {
  const content = Buffer.allocUnsafe(size);
  let at = 0;
  while (at < size) {
    const read = readSync(file, content, at, size - at, null);
    if (read === 0) break;
    at += read;
  }
  return content.subarray(0, at);
}

function readUnsized(file: number, most: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let bytes = 0; bytes <= most;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const read = readSync(file, chunk, 0, CHUNK, null);
    if (read === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, read));
    bytes += read;
  }
  return undefined;
}
