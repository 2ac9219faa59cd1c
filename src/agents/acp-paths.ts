// Whether a path is inside a folder, with symbolic links followed. For the answers to an agent's requests; a fence it is not.

import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isMissing } from '../adapters/errno.ts';

/** Gives a test for paths, absolute or seen from `top`; what does not exist yet is where its nearest existing folder is. */
export function insideOf(top: string): (path: string) => boolean {
  return (path) => {
    if (path.includes('\0')) return false;
    const way = relative(real(top), real(resolve(top, path)));
    return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`);
  };
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const above = dirname(path);
    if (!isMissing(error) || above === path) return path;
    return join(real(above), basename(path));
  }
}
