// Finds the file behind a program's name the way execvp does, without starting anything.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** What POSIX searches when there is no PATH. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** An absolute path that can be executed, or the exit code a shell gives: 127 missing, 126 not executable. */
export type FoundProgram = { readonly path: string } | { readonly code: 126 | 127 };

/** Looks `name` up: with a `/` as a path seen from `cwd`, otherwise along `path` (a PATH; empty entries mean `cwd`). */
export function findProgram(name: string, where: { readonly cwd: string; readonly path: string | undefined }): FoundProgram {
  if (name === '' || name.includes('\0')) return { code: 127 };
  const folders = name.includes('/') ? [''] : (where.path ?? DEFAULT_PATH).split(delimiter);
  let code: 126 | 127 = 127;
  for (const folder of folders) {
    const candidate = isAbsolute(name) ? name : isAbsolute(folder) ? join(folder, name) : join(where.cwd, folder, name);
    const state = inspect(candidate);
    if (state === 'executable') return { path: candidate };
    if (state === 'not-executable') code = 126;
  }
  return { code };
}

function inspect(path: string): 'executable' | 'not-executable' | 'missing' {
  try {
    // Most folders of a PATH do not have it, and an exception for each would cost more than the looking.
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts === undefined) return 'missing';
    if (!facts.isFile()) return 'not-executable';
  } catch {
    return 'missing';
  }
  try {
    accessSync(path, constants.X_OK);
    return 'executable';
  } catch {
    return 'not-executable';
  }
}
