// Whether a path leads where it says. Asked before choo acts on a path beside which agents work, who may have put a symbolic link in it.

import { lstatSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoOf, isMissing } from './errno.ts';

/** Where what exists of an absolute path leads to, when a symbolic link in it or at its end leads anywhere else; undefined for a path that is what it says. */
export function strayLink(path: string): string | undefined {
  for (let at = resolve(path); ; at = dirname(at)) {
    const real = realOf(at);
    if (real !== undefined) return real === at ? undefined : real;
  }
}

/** The real path; of a link that leads nowhere the link itself and a word; undefined when nothing is there. */
function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP' && !isMissing(error)) throw error;
    return isLink(path) ? 'nowhere' : undefined;
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch (error) {
    if (errnoOf(error) === 'ELOOP' || isMissing(error)) return false;
    throw error;
  }
}
