// Where choo holds agents in PID namespaces it takes approvals only from outside of them. No barrier: docs/configuration.md says what an agent could do.

import { randomUUID } from 'node:crypto';
import { isBeside } from '../adapters/beside.ts';

/** Words that wait to be used; one more takes the oldest its use. */
const MOST = 64;

/** The handler of a control socket, for approvals in two steps: the first is answered `{prove}`, the second has that word and the number of a process that shows it (`beside`). */
export function approvedFromOutside(handle: (request: unknown) => unknown): (request: unknown) => unknown {
  const given = new Set<string>();
  return (request) => {
    if (typeof request !== 'object' || request === null || !('do' in request) || request.do !== 'approve') return handle(request);
    const asked: object = request;
    const { nonce, pid }: { nonce?: unknown; pid?: unknown } = asked;
    if (nonce === undefined) {
      const [oldest] = given;
      if (given.size >= MOST && oldest !== undefined) given.delete(oldest);
      const fresh = randomUUID();
      given.add(fresh);
      return { prove: fresh };
    }
    if (typeof nonce === 'string' && typeof pid === 'number' && given.delete(nonce) && isBeside(pid, nonce)) return handle(request);
    throw new Error('an approval comes from where this choo runs, not from an agent, another container or another user: a person approves in a terminal of their own');
  };
}
