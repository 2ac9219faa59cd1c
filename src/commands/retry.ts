// `choo retry`: gives failed units their attempts back, in the live run or in the one at rest.

import { askRun } from './ask.ts';
import type { Io } from './io.ts';

/** Retries the units, or all failed ones when none is named. */
export function retry(units: readonly string[], io: Io): Promise<number> {
  return askRun({ do: 'retry', units }, io, { code: 'cannot-retry', live: 'the run goes on with them', rest: 'to go on: choo resume' });
}
