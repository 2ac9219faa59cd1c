// Posts one message. Follows nothing, trusts no answer, and says what went wrong without the address, which may be the secret.

import type { Sent } from './channel.ts';

/** Nobody is waited for longer because he asks for it, ms. */
const LONGEST_WAIT = 60_000;

/** Posts a body once. Success is a status of 2xx. */
export async function post(o: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly signal: AbortSignal }): Promise<Sent> {
  try {
    const answer = await fetch(o.url, {
      method: 'POST', body: o.body, headers: { 'content-type': 'application/json', 'user-agent': 'choo', ...o.headers },
      // A redirect would take the message, and what is in its address, somewhere else.
      redirect: 'manual', signal: o.signal,
    });
    await answer.body?.cancel();
    if (answer.ok) return { ok: true };
    const why = answer.status === 0 || (answer.status >= 300 && answer.status < 400) ? 'it answers with a redirect, which is not followed' : `it answers ${answer.status}`;
    const again = answer.status === 408 || answer.status === 429 || answer.status >= 500;
    return again ? { ok: false, why, ...wanted(answer.headers.get('retry-after')) } : { ok: false, why, final: true };
  } catch (error) {
    if (o.signal.aborted) return { ok: false, why: 'it does not answer in time' };
    return { ok: false, why: reason(error) };
  }
}

/** `Retry-After` in seconds; dates are not worth their trouble here. */
function wanted(header: string | null): { readonly after?: number } {
  return header !== null && /^\d{1,6}$/.test(header) ? { after: Math.min(Number(header) * 1000, LONGEST_WAIT) } : {};
}

/** The code of what happened below `fetch`, whose own message names the address. */
function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return `it cannot be reached (${cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'no connection'})`;
}
