// People are told elsewhere: once for each problem, and once at the end; recorded, and made up for by the next session.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { expectEnd, expectRefusal } from '../rig/facts.ts';

interface Message { readonly id: string; readonly type: string; readonly severity: string; readonly unit?: string; readonly title: string; readonly detail: readonly string[] }

let server: Server;
let url = '';
let status = 200;
let messages: Message[] = [];

beforeEach(async () => {
  const mine: Message[] = [];
  [messages, status] = [mine, 200];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
      if (status === 200) mine.push(JSON.parse(body) as Message);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
});

const AGENT = `if [ "$CHOO_UNIT" = a ]; then exit 1; else ${DOES_IT}; fi`;

describe('a run that nobody watches', () => {
  it('tells of what failed and how it ended, each once, and records that; the terminal has it, too', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: AGENT, limits: { attempts: 1 }, escalation: { webhook: { url, secret_env: 'MY_SECRET' } } });
    const ended = await bed.choo(['run', '--json'], { env: { MY_SECRET: 'a-long-secret' } });
    expectEnd(ended, 1);
    expect(messages.map(({ type, severity, unit }) => [type, severity, unit])).toEqual([['escalation', 'critical', 'a'], ['run.ended', 'warning', undefined]]);
    expect(messages[1]?.detail).toEqual(['landed: b', 'failed: a', 'look: choo status', 'again: choo retry --failed && choo resume']);
    const told = ended.events.filter((e) => e.type === 'escalation.delivered');
    expect(told.map((e) => `${ended.events.find(({ seq }) => seq === e.of)?.type} at ${e.to}`)).toEqual(['unit.failed at webhook', 'orch.failed at webhook']);
    expect(ended.stderr).toMatch(/^CRITICAL a: unit a failed/m);
    expect(`${ended.stdout}${ended.stderr}${JSON.stringify(messages)}`).not.toContain('a-long-secret');
  });

  it('whose messenger is down goes on and ends as it would; the next session tells what is still so, under the same name', async ({ bed }) => {
    status = 404;
    bed.specs({ a: {}, b: {} }, { agent: AGENT, limits: { attempts: 1 }, escalation: { webhook: { url } } });
    const ended = await bed.choo(['run']);
    expectEnd(ended, 1);
    expect(ended.stdout).toMatch(/b +landed/);
    expect(ended.stdout).toContain('nobody could be told at webhook: it answers 404');
    expect(messages).toEqual([]);
    status = 200;
    expectEnd(await bed.choo(['resume']), 1);
    expect(messages.filter(({ unit }) => unit === 'a')).toHaveLength(1);
    expect(messages.filter(({ type }) => type === 'run.ended')).toHaveLength(2);
    const before = messages.length;
    expectEnd(await bed.choo(['resume']), 1);
    expect(messages.slice(before).map(({ type }) => type)).toEqual(['run.ended']);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
  });

  it('tells only what its routes say', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: AGENT, limits: { attempts: 1 }, escalation: { webhook: { url }, routes: { critical: ['webhook'], warning: [] } } });
    const ended = await bed.choo(['run']);
    expectEnd(ended, 1);
    expect(messages.map(({ type }) => type)).toEqual(['escalation']);
    expect(ended.stderr).not.toContain('CRITICAL');
  });
});

describe('a messenger that cannot be', () => {
  it('without its secrets is refused before anything runs, by the name of the variable', async ({ bed }) => {
    bed.specs({ a: {} }, { escalation: { slack: {}, webhook: { url, secret_env: 'MY_SECRET' } } });
    expectRefusal(bed, await bed.choo(['run']), /CHOO_SLACK_URL is not set[^]*MY_SECRET is not set/);
    expectRefusal(bed, await bed.choo(['run'], { env: { CHOO_SLACK_URL: 'http://example.com/services/T0/secret-part', MY_SECRET: 'x' } }), /CHOO_SLACK_URL does not hold an address that can be used: it must begin with https/);
    expect((await bed.choo(['run'], { env: { CHOO_SLACK_URL: 'http://example.com/services/T0/secret-part', MY_SECRET: 'x' } })).stderr).not.toContain('secret-part');
  });

  it('that is routed to and not configured, or has an address in the open, is an error with its place', async ({ bed }) => {
    bed.specs({ a: {} }, { escalation: { webhook: { url: 'http://example.com/' }, routes: { info: ['slack'] } } });
    expectRefusal(bed, await bed.choo(['run']), /`escalation.webhook.url` must begin with https[^]*`slack` is not configured/);
  });
});
