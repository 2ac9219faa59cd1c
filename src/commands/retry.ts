// `choo retry`: gives failed units their attempts back, in the live run or in the one at rest.

import { callControl, ControlError } from '../adapters/control.ts';
import { refuse } from '../opening/refusal.ts';
import { lookAt, retryAtRest } from '../opening/rest.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** Retries the units, or all failed ones when none is named. */
export async function retry(units: readonly string[], io: Io): Promise<number> {
  try {
    const look = await lookAt(io.cwd, io.env);
    try {
      if (look.holder?.state === 'live' && look.socket !== undefined) {
        io.out.write(`${answerOf(await ask(look.socket, units))}; the run goes on with them\n`);
      } else {
        io.out.write(`${await retryAtRest(look, units)}; to go on: choo resume\n`);
      }
      return 0;
    } finally {
      await look.repository.git.close();
    }
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

async function ask(socket: string, units: readonly string[]): Promise<unknown> {
  try {
    return await callControl(socket, { do: 'retry', units });
  } catch (error) {
    if (error instanceof ControlError && error.reason === 'refused') throw refuse('cannot-retry', error.message, 'see: choo status');
    throw error;
  }
}

function answerOf(answer: unknown): string {
  return typeof answer === 'object' && answer !== null && 'ok' in answer ? String(answer.ok) : 'asked';
}
