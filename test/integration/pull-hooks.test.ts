// Webhooks that `choo web` receives: the run looks at once, however seldom it asks; one that comes twice, late or without a signature does no harm.

import { createHmac } from 'node:crypto';
import { expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { makeForge } from '../rig/forge.ts';
import { fetchFrom, linkOf } from '../rig/page.ts';

it('looks at once when a webhook says so', async ({ bed }) => {
  // Asked this seldom, it would wait for hours.
  const forge = await makeForge(bed, { a: {} }, { review: { poll_interval: '10h' } });
  const { github } = forge;
  github.setRules('main', { strict: true });
  const run = forge.start();
  await run.event('unit.waiting', { unit: 'a' });
  const { seq } = await run.event('pr.seen', { unit: 'a' });
  const number = forge.numberOf('a');
  const web = bed.start(['web', '--port', '0'], { env: { CHOO_GITHUB_WEBHOOK_SECRET: 's3cret' } });
  const link = await linkOf(web);
  const post = async (message: object, secret = 's3cret'): Promise<number> => {
    const body = JSON.stringify(message);
    const headers = { authorization: undefined, host: 'hooks.example.com', 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
    return (await fetchFrom(link, '/hooks/github', { method: 'POST', headers, body })).status;
  };
  github.setCheck(github.pull(number).headSha, { name: 'ci', conclusion: 'success' });
  expect(await post({ sha: github.pull(number).headSha, state: 'success' })).toBe(200);
  await run.event('pr.seen', { unit: 'a', after: seq });
  github.review(number, { by: 'ann', state: 'APPROVED' });
  expect(await post({ pull_request: { number } }, 'guessed')).toBe(401);
  // Late, for another one, twice.
  for (const message of [{ pull_request: { number: 99 } }, { pull_request: { number } }, { pull_request: { number } }]) expect(await post(message)).toBe(200);
  expectEnd(await run.ended, 0);
  // With nobody to tell it does no harm either.
  expect(await post({ pull_request: { number } })).toBe(200);
  web.signal('SIGINT');
  expect((await web.ended).code).toBe(0);
  await forge.close();
});
