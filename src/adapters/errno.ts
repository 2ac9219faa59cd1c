// Reads the code of a system error, and gives it the path that a call on an open file does not name; classifies nothing.

/** Gives the `code` of a system error (`ENOENT`, …), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True for the errors that mean "there is nothing at that path". */
export function isMissing(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
}

/** Gives the error back; a system error that names no path (a write to an open file) names `path` from now on. */
export function about(error: unknown, path: string): unknown {
  if (error instanceof Error && errnoOf(error) !== undefined && !('path' in error)) Object.assign(error, { path });
  return error;
}
