// When the times of a file can be trusted to tell of its next change, and how its content is read without being led elsewhere.

import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { errnoOf, isMissing } from '../errno.ts';

/** A time younger than this may be shared by a later change, ms: the clocks of file systems tick as slowly as every 10. */
export const YOUNG_MS = 40;

/** Content of a regular file with its stat at that moment; undefined when there is none (any more), or it may not be read. */
export function readRegular(path: string): { readonly content: Buffer; readonly stat: BigIntStats } | undefined {
  return unlessOdd(() => {
    // Never through a link, and never waiting for the other end of a pipe.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file, { bigint: true });
      return stat.isFile() ? { content: readFileSync(file), stat } : undefined;
    } finally {
      closeSync(file);
    }
  });
}

/** Where a symbolic link points, as bytes; undefined when there is none. */
export function readLink(path: string): Buffer | undefined {
  return unlessOdd(() => readlinkSync(path, 'buffer'));
}

function unlessOdd<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isMissing(error) || ['EACCES', 'ELOOP', 'EINVAL', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
