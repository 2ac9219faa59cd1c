// A webhook of the user's own: the escalation as JSON, signed so that whoever gets it knows that it is choo's and unchanged. The format is
// schema/escalation.schema.json.

import { createHmac } from 'node:crypto';
import type { Escalation } from '../core/told.ts';
import type { Channel } from './channel.ts';
import { post } from './http.ts';

/** Posts to `url`; with a `secret`, signed as GitHub signs (`sha256=` and the HMAC of the body, hex). `repository` names where it happened. */
export function webhookChannel(o: { readonly url: string; readonly secret: string | undefined; readonly repository: string }): Channel {
  return {
    send: (e, signal) => {
      const body = JSON.stringify(webhookMessage(e, o.repository));
      const signature = o.secret === undefined ? {} : { 'x-choo-signature-256': `sha256=${createHmac('sha256', o.secret).update(body).digest('hex')}` };
      return post({ url: o.url, headers: { 'x-choo-delivery': idOf(e, o.repository), ...signature }, body, signal });
    },
  };
}

/** The message, of schema/escalation.schema.json. */
export function webhookMessage(e: Escalation, repository: string): object {
  const { severity, run, seq, unit, title, detail, end } = e;
  return { version: 1, id: idOf(e, repository), type: end === true ? 'run.ended' : 'escalation', severity, repository, run, seq, ...(unit === undefined ? {} : { unit }), title, detail };
}

/** The same whenever it is sent again, so that who gets it twice can tell. */
function idOf({ run, seq }: Escalation, repository: string): string {
  return `${encodeURIComponent(repository.replaceAll(/\p{Cs}/gu, '\uFFFD'))}/${run}/${seq}`;
}
