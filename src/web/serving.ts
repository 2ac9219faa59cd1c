// Finds the dashboard that serves this repository already. It has to prove that it knows the token: the port it had may be somebody
// else's by now, who must not be shown the token.

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Clock } from '../world.ts';
import { proofOf } from './guard.ts';
import { readPass } from './pass.ts';

/** A server that answers later than this is none, ms. */
const PATIENCE = 2000;

/** Where a page is. */
export interface Place {
  readonly listen: string;
  readonly port: number;
  readonly token: string;
}

/** The address of the page, with the token in it. */
export function linkTo({ listen, port, token }: Place): string {
  return `http://${hostOf(listen)}:${port}/?token=${token}`;
}

/** The link to the server of this repository; undefined when none answers as one of it would. Never rejects for what answers. */
export async function findServing(commonDir: string, clock: Clock): Promise<string | undefined> {
  const { token, port, listen = '127.0.0.1' } = await readPass(commonDir);
  if (port === undefined) return undefined;
  const nonce = randomBytes(24).toString('base64url');
  const expected = proofOf({ token, port }, nonce);
  const over = new AbortController();
  const answer = ask({ host: listen === '0.0.0.0' ? '127.0.0.1' : listen, port, path: `/proof?of=${nonce}` }, { most: expected.length, signal: over.signal });
  const tooLate = clock.sleep(PATIENCE, over.signal).then(() => undefined);
  const told = await Promise.race([answer, tooLate]);
  over.abort();
  return told === expected ? linkTo({ listen, port, token }) : undefined;
}

/** What is answered; undefined when that is no success, too long, or nobody is there. */
function ask(o: { readonly host: string; readonly port: number; readonly path: string }, { most, signal }: { readonly most: number; readonly signal: AbortSignal }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request({ ...o, headers: { host: `${hostOf(o.host)}:${o.port}` }, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > most) sent.destroy();
      });
      response.on('close', () => resolve(response.statusCode === 200 && response.complete ? text : undefined));
    });
    sent.on('error', () => resolve(undefined));
    sent.end();
  });
}

function hostOf(listen: string): string {
  if (listen === '0.0.0.0') return '127.0.0.1';
  return listen.includes(':') ? `[${listen}]` : listen;
}
