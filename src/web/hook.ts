// Webhooks of GitHub: that something about a pull request is worth a look, sooner than the next question would tell. The signature says who
// sends it; nothing in it is believed but which one to look at, so that one which comes twice, late or in the wrong order does no harm.

import { createHmac, timingSafeEqual } from 'node:crypto';

/** What is to be looked at: numbers of pull requests, commits that one may be at. */
export interface Worth { readonly pulls: readonly number[]; readonly heads: readonly string[] }

/** Of one message. */
const MOST = 50;

/** True for a body that was signed with the secret, by GitHub's header `X-Hub-Signature-256` (`sha256=` and an HMAC in hex). */
export function isSigned(body: Buffer, o: { readonly signature: string | undefined; readonly secret: string }): boolean {
  const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(o.signature ?? '') ?? [];
  return hex !== undefined && timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', o.secret).update(body).digest());
}

/** What a message is about; a message of any kind may be about none. */
export function worthALook(message: unknown): Worth {
  const of = asRecord(message);
  const check = asRecord(of['check_run'] ?? of['check_suite']);
  const listed: unknown[] = Array.isArray(check['pull_requests']) ? check['pull_requests'] : [];
  const pulls = [of['pull_request'], of['issue'], ...listed].map((one) => asRecord(one)['number']).filter((n) => typeof n === 'number' && Number.isSafeInteger(n) && n > 0);
  const heads = [of['sha'], check['head_sha'], asRecord(check['check_suite'])['head_sha']].filter((id) => typeof id === 'string' && /^[0-9a-f]{40,64}$/.test(id));
  return { pulls: [...new Set(pulls)].slice(0, MOST) as number[], heads: [...new Set(heads)].slice(0, MOST) as string[] };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
