// Telling people elsewhere: what a webhook and Slack get on the wire, what is tried again, and what a desktop's program is given.

import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { must } from '../../src/core/bug.ts';
import type { Escalation } from '../../src/core/told.ts';
import { desktopChannel } from '../../src/escalation/desktop.ts';
import { messenger, type Routes } from '../../src/escalation/messenger.ts';
import { slackChannel, slackMessage } from '../../src/escalation/slack.ts';
import { webhookChannel } from '../../src/escalation/webhook.ts';
import type { Escalator } from '../../src/world.ts';

const HOSTILE = '<!channel> <https://evil.example|click> *bold* `x` ``` & \u202E\n# title';
const FAILED: Escalation = { severity: 'critical', run: 3, seq: 41, unit: 'a', title: `unit a failed: ${HOSTILE}`, detail: ['| red', 'again: choo retry a && choo resume'] };

interface Got { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string | undefined }
type Answer = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | 'hang' | 'drop';

let server: Server;
let url = '';
let got: Got[] = [];
let answers: Answer[] = [];
let waits: number[] = [];
/** Waits between tries are over at once; the time that a try has is over when a test says so, or the try is. */
let patience = (): void => undefined;
const clock = {
  sleep: (ms: number, signal?: AbortSignal): Promise<void> => {
    if (ms !== 10_000) {
      waits.push(ms);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      patience = resolve;
      signal?.addEventListener('abort', () => resolve());
    });
  },
};

beforeEach(async () => {
  const mine: Got[] = [];
  [got, answers, waits] = [mine, [], []];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
      mine.push({ headers: request.headers, body, path: request.url });
      const answer = answers.shift() ?? { status: 200 };
      if (answer === 'drop') request.socket.destroy();
      else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end('thanks');
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
});

const SILENT: Escalator = { escalate: () => undefined };
const all = (names: readonly string[]): Routes => ({ info: names, warning: names, critical: names, blocking: names });
const open = (secret?: string): Escalator => messenger({ routes: all(['webhook']), channels: new Map([['webhook', webhookChannel({ url, secret, repository: 'shop' })]]), terminal: SILENT, clock, redact: (text) => text.replaceAll('hunter2', '***') });

describe('a webhook', () => {
  it('gets one signed message that names itself, as the schema says', async () => {
    expect(await open('s3cret').escalate(FAILED)).toEqual([{ to: 'webhook', tries: 1 }]);
    const { headers, body } = must(got[0], 'a message');
    expect(headers['x-choo-signature-256']).toBe(`sha256=${createHmac('sha256', 's3cret').update(body).digest('hex')}`);
    expect(headers['x-choo-delivery']).toBe('shop/3/41');
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'schema', 'escalation.schema.json'), 'utf8')) as object;
    const validate = new Ajv2020({ allErrors: true }).compile({ ...schema, additionalProperties: false });
    const message: unknown = JSON.parse(body);
    validate(message);
    expect(validate.errors ?? []).toEqual([]);
    expect(message).toEqual({ version: 1, id: 'shop/3/41', type: 'escalation', severity: 'critical', repository: 'shop', run: 3, seq: 41, unit: 'a', title: FAILED.title, detail: FAILED.detail });
  });

  it('is not signed without a secret, and never holds one', async () => {
    await open().escalate({ ...FAILED, title: 'hunter2', detail: ['the password is hunter2'] });
    expect(got[0]?.headers).not.toHaveProperty('x-choo-signature-256');
    expect(got[0]?.body).not.toContain('hunter2');
  });

  it('is tried again while it is busy, as late as it asks, with the same name', async () => {
    answers = [{ status: 503 }, 'drop', { status: 429, headers: { 'retry-after': '30' } }, { status: 200 }];
    expect(await open().escalate(FAILED)).toEqual([{ to: 'webhook', tries: 4 }]);
    expect(waits).toEqual([1000, 5000, 30_000]);
    expect(new Set(got.map(({ headers }) => headers['x-choo-delivery'])).size).toBe(1);
  });

  it.each([[{ status: 404 }, 1, 'it answers 404'], [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 1, 'it answers with a redirect, which is not followed'], [{ status: 500 }, 4, 'it answers 500'], ['drop', 4, 'it cannot be reached (']] as const)('that answers %j: nobody was told, and why, without its address', async (answer, tries, why) => {
    answers = Array.from({ length: 4 }, () => answer as Answer);
    const [delivery] = await open().escalate(FAILED) ?? [];
    expect(delivery).toMatchObject({ to: 'webhook', tries, trouble: expect.stringContaining(why) as string });
    expect(delivery?.trouble).not.toContain('127.0.0.1');
    expect(got).toHaveLength(tries);
  });

  it('that does not answer in time is tried again', async () => {
    answers = ['hang', { status: 200 }];
    server.once('request', () => patience());
    expect(await open().escalate(FAILED)).toEqual([{ to: 'webhook', tries: 2 }]);
  });

  it('that never answers is given up when there is no more time', async () => {
    answers = ['hang'];
    const over = new AbortController();
    server.on('request', () => over.abort());
    expect(await open().escalate(FAILED, { signal: over.signal })).toEqual([{ to: 'webhook', tries: 1, trouble: 'it does not answer in time' }]);
  });
});

describe('Slack', () => {
  it('gets blocks of plain text within its limits, in which nothing is markup', async () => {
    const long = { ...FAILED, title: `${HOSTILE} ${'x'.repeat(400)}`, detail: Array.from({ length: 500 }, (_, n) => `line ${n} ${HOSTILE}`) };
    const told = messenger({ routes: all(['slack']), channels: new Map([['slack', slackChannel({ url, repository: 'shop' })]]), terminal: SILENT, clock, redact: (text) => text });
    expect(await told.escalate(long)).toEqual([{ to: 'slack', tries: 1 }]);
    const message = JSON.parse(must(got[0], 'a message').body) as { readonly text: string; readonly blocks: readonly Readonly<Record<string, unknown>>[] };
    expect(message.text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    expect(message.blocks.map(({ type }) => type)).toEqual(['header', 'context', 'rich_text']);
    const [header, context, rich] = message.blocks as readonly { readonly text?: { readonly type: string; readonly text: string }; readonly elements?: readonly { readonly type: string; readonly text?: string; readonly elements?: readonly { readonly type: string; readonly text: string }[] }[] }[];
    expect(header?.text?.type).toBe('plain_text');
    expect(header?.text?.text.length).toBeLessThanOrEqual(150);
    expect(context?.elements).toEqual([{ type: 'plain_text', text: 'shop, run 3, unit a', emoji: false }]);
    expect(rich?.elements?.[0]?.type).toBe('rich_text_preformatted');
    expect(rich?.elements?.[0]?.elements?.map(({ type }) => type)).toEqual(['text']);
    expect(rich?.elements?.[0]?.elements?.[0]?.text.length).toBeLessThanOrEqual(3000);
  });

  it('gets no empty block', () => {
    expect((slackMessage({ ...FAILED, detail: [] }, 'shop') as { readonly blocks: readonly unknown[] }).blocks).toHaveLength(2);
  });
});

describe('the desktop', () => {
  let folder = '';
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'choo-test-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  const program = (body: string): NodeJS.ProcessEnv => {
    writeFileSync(join(folder, 'notify-send'), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, 'notify-send'), 0o755);
    return { PATH: `${folder}:/usr/bin:/bin`, SEEN: join(folder, 'seen') };
  };
  const show = (env: NodeJS.ProcessEnv): ReturnType<ReturnType<typeof desktopChannel>['send']> => desktopChannel({ env, platform: 'linux', repository: '-shop' }).send({ ...FAILED, title: '--help $(touch x)' }, new AbortController().signal);

  it('shows texts as they are, as arguments that are no options and no script', async () => {
    expect(await show(program('printf "%s\\n" "$@" > "$SEEN"'))).toEqual({ ok: true });
    expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe('--app-name=choo\n--\nchoo: -shop\n--help $(touch x)\n| red\nagain: choo retry a && choo resume\n');
  });

  it('that cannot be shown says why', async () => {
    expect(await show(program('exit 3'))).toEqual({ ok: false, why: 'notify-send failed with exit code 3' });
    expect(await show({ PATH: folder.replace('choo-test', 'nowhere') })).toEqual({ ok: false, why: 'notify-send is not installed', final: true });
  });
});

it('each severity goes where its route says, the terminal included, and what was told before is not told again', async () => {
  const seen: string[] = [];
  const channel = (name: string): { readonly send: () => Promise<{ readonly ok: true }> } => ({ send: () => { seen.push(name); return Promise.resolve({ ok: true }); } });
  const told = messenger({
    routes: { ...all([]), critical: ['terminal', 'slack', 'webhook'], info: ['slack'] }, channels: new Map([['slack', channel('slack')], ['webhook', channel('webhook')]]),
    terminal: { escalate: (_, o) => { seen.push(o?.only === undefined ? 'terminal' : 'terminal again'); } }, clock, redact: (text) => text,
  });
  await told.escalate(FAILED);
  await told.escalate({ ...FAILED, severity: 'info' });
  await told.escalate({ ...FAILED, severity: 'warning' });
  await told.escalate(FAILED, { only: new Set(['webhook']) });
  expect(seen.toSorted()).toEqual(['slack', 'slack', 'terminal', 'webhook', 'webhook']);
});
