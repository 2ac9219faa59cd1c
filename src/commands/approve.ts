// `choo approve`: lets units land although they change protected paths, in the live run or in the one at rest.

import { askRun } from './ask.ts';
import type { Io } from './io.ts';

/** Approves what the units change of what is protected, as it is shown by `choo status`. */
export function approve(units: readonly string[], io: Io): Promise<number> {
  return askRun({ do: 'approve', units }, io, { code: 'cannot-approve', live: 'the run goes on with it', rest: 'to go on: choo resume' });
}
