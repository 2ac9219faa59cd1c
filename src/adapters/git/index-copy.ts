// Copies of whole index files, and what can be told of one without understanding all of it: how many paths, and whether anything but
// plain files and links is in it. Changes no index.

import { closeSync, constants, copyFileSync, fstatSync, openSync, readSync, statSync, utimesSync } from 'node:fs';
import { errnoOf, isMissing } from '../errno.ts';
import { smallFile } from '../small-file.ts';

/** More is not read at once, bytes. */
const LARGEST_INDEX = 2 ** 31 - 1;
const HEADER_BYTES = 12;
const STAT_BYTES = 40;
const MODE_AT = 24;
const SUBMODULE = 0o160000;
/** Assume-unchanged, skip-worktree, intent-to-add and conflicts. */
const FLAGS = 0xf000;

/** Copies an index so that git will not believe files to be older than it that are not. */
export function copyIndex(from: string, to: string): void {
  const { mtimeMs } = statSync(from);
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  const second = Math.floor(mtimeMs) / 1000;
  utimesSync(to, second, second);
}

/** Paths that an index says it has; 0 for what is no index. */
export function countOf(path: string): number {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return fstatSync(file).isFile() && readSync(file, header) === HEADER_BYTES && header.toString('latin1', 0, 4) === 'DIRC' ? header.readUInt32BE(8) : 0;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    // A link or a socket is no index either.
    if (isMissing(error) || ['ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) return 0;
    throw error;
  }
}

/** True for an index of files and links only, without flags and without parts that lie elsewhere. */
export function isPlain(path: string, idBytes: number): boolean {
  const found = smallFile(path, { most: LARGEST_INDEX, links: 'odd' });
  if (typeof found === 'string' || found.content.length < HEADER_BYTES) return false;
  const file = found.content;
  const version = file.readUInt32BE(4);
  if (version < 2 || version > 4) return false;
  let at = HEADER_BYTES;
  for (let left = file.readUInt32BE(8); left > 0; left -= 1) {
    const flagsAt = at + STAT_BYTES + idBytes;
    if (flagsAt + 2 > file.length || file.readUInt32BE(at + MODE_AT) === SUBMODULE || (file.readUInt16BE(flagsAt) & FLAGS) !== 0) return false;
    const end = file.indexOf(0, version === 4 ? afterNumber(file, flagsAt + 2) : flagsAt + 2);
    if (end === -1) return false;
    at = version === 4 ? end + 1 : at + ((end - at + 8) & ~7);
  }
  while (at + 8 <= file.length - idBytes) {
    // Extensions that a reader has to understand begin with a small letter.
    if ((file[at] ?? 0) >= 0x61) return false;
    at += 8 + file.readUInt32BE(at + 4);
  }
  return true;
}

/** Where the bytes of a number of variable length end. */
function afterNumber(file: Buffer, at: number): number {
  let end = at;
  while (((file[end] ?? 0) & 0x80) !== 0) end += 1;
  return end + 1;
}
