// Puts a person's request to the run of this repository: to the live one over its socket, or as events into the journal of the one at rest.

import { beside } from '../adapters/beside.ts';
import { callControl, ControlError } from '../adapters/control.ts';
import type { Request } from '../core/request.ts';
import { refuseSteering } from '../opening/inside.ts';
import { refuse } from '../opening/refusal.ts';
import { askAtRest, lookAt } from '../opening/rest.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** What is asked for on behalf of a person. */
export type Wish = Extract<Request, { readonly units: readonly string[] }>;

/** Asks it and prints the answer; `live` and `rest` say what follows. Exit code 0, or 2 when the run cannot do it. */
export async function askRun(request: Wish, io: Io, o: { readonly code: string; readonly live: string; readonly rest: string }): Promise<number> {
  try {
    const { answer, live } = await putWish(request, io, o.code);
    io.out.write(`${answer}; ${live ? o.live : o.rest}\n`);
    return 0;
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

/** Asks it: what was done, and whether a live run did it. Throws a Refusal with this code when the run cannot do it. */
export async function putWish(request: Wish, where: Pick<Io, 'cwd' | 'env'>, code: string): Promise<{ readonly answer: string; readonly live: boolean }> {
  // An agent may not approve its own work.
  refuseSteering(where.env);
  const look = await lookAt(where.cwd, where.env);
  try {
    if (look.holder?.state === 'live' && look.socket !== undefined) return { answer: answerOf(await ask(look.socket, { request, code })), live: true };
    return { answer: await askAtRest(look, { request, code }), live: false };
  } finally {
    await look.repository.git.close();
  }
}

async function ask(socket: string, { request, code }: { readonly request: Request; readonly code: string }): Promise<unknown> {
  try {
    const answer = await callControl(socket, request);
    if (typeof answer !== 'object' || answer === null || !('prove' in answer)) return answer;
    const nonce = String(answer.prove);
    return await beside(nonce, (pid) => callControl(socket, { ...request, nonce, pid }));
  } catch (error) {
    if (error instanceof ControlError && error.reason === 'refused') throw refuse(code, error.message, 'see: choo status');
    throw error;
  }
}

function answerOf(answer: unknown): string {
  return typeof answer === 'object' && answer !== null && 'ok' in answer ? String(answer.ok) : 'asked';
}
