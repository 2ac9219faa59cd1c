// Messages held against the shapes that their receivers publish, whatever is in names and output.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { Escalation } from '../../src/core/told.ts';
import { commentText } from '../../src/escalation/pull-request.ts';
import { slackMessage } from '../../src/escalation/slack.ts';
import { webhookMessage } from '../../src/escalation/webhook.ts';

const schemaAt = (...path: readonly string[]): object => JSON.parse(readFileSync(join(import.meta.dirname, ...path), 'utf8')) as object;
const ajv = new Ajv2020({ allErrors: true });
const isSlack = ajv.compile(schemaAt('slack-message.schema.json'));
const isWebhook = ajv.compile({ ...schemaAt('..', '..', 'schema', 'escalation.schema.json'), additionalProperties: false });

/** What is wrong with a message as it is on the wire. */
function problems(validate: ValidateFunction, message: object): readonly string[] {
  validate(JSON.parse(JSON.stringify(message)));
  return (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message ?? ''}`);
}

const HOSTILE = [
  '<!channel>', '<!subteam^S1|all>', '<@U123>', '<https://evil.example|click>', '&lt;!here&gt;', '&amp;', '*bold*', '_it_', '~no~', '`code`', '```', '``````', '> quote', '# head', ':tada:', '@channel', '@acme/all', '#12',
  '\u202Eeno', '\u2066x', '\u200F', '\u200B', '\u0000', '\u001b[31m', '\r', '\r\n', '\n', '\t', '\ud800', '\udc00', '👩‍👩‍👧', '"', '\\', '{"a":1}', '</script>', '<!-- choo:told -->', '-->', '[x](javascript:1)', '![i](http://x)', '| a |', '$x$', '\u2028', 'plain', ' ', '',
];

/** A small generator of numbers, so that a failure can be had again. */
function numbers(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((x / 2 ** 32) * below);
  };
}

/** Something to tell with hostile words in every text of it. */
function made(seed: number): { readonly escalation: Escalation; readonly repository: string } {
  const next = numbers(seed);
  const text = (): string => Array.from({ length: next(12) }, () => HOSTILE[next(HOSTILE.length)]).join(next(2) === 0 ? '' : ' ');
  const long = (): string => (next(6) === 0 ? text().padEnd(10, '<').repeat(Math.ceil(100_000 / 10)).slice(0, 100_000) : text());
  const severity = (['info', 'warning', 'critical', 'blocking'] as const)[next(4)] ?? 'info';
  return {
    repository: long(),
    escalation: { severity, run: 1 + next(9), seq: 1 + next(999), ...(next(3) === 0 ? {} : { unit: long(), pull: 7 }), ...(next(4) === 0 ? { end: true as const } : {}), title: long(), detail: next(5) === 0 ? Array.from({ length: 400 }, text) : Array.from({ length: next(4) }, long) },
  };
}

/** Characters that nobody sees and that change what others look like; lone halves of characters. */
const UNSEEN = /[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}|(?!\n)\p{Cc}/u;

/** Every text of a value. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

const SEEDS = Array.from({ length: 80 }, (_, i) => i + 1);

describe('Slack', () => {
  it.each(SEEDS)('gets blocks of its shape, in which nothing is markup (seed %i)', (seed) => {
    const { escalation, repository } = made(seed);
    const message = slackMessage(escalation, repository);
    expect(problems(isSlack, message)).toEqual([]);
    expect(textsOf(message).filter((text) => UNSEEN.test(text))).toEqual([]);
  });

  it('has a shape that markup does not fit in', () => {
    const block = (text: object): object => ({ text: 'x', blocks: [{ type: 'header', text }] });
    expect(problems(isSlack, block({ type: 'plain_text', text: 'x' }))).toEqual([]);
    expect(problems(isSlack, block({ type: 'mrkdwn', text: 'x' }))).not.toEqual([]);
    expect(problems(isSlack, block({ type: 'plain_text', text: 'x'.repeat(151) }))).not.toEqual([]);
    expect(problems(isSlack, { ...block({ type: 'plain_text', text: 'x' }), text: '<!here>' })).not.toEqual([]);
    expect(problems(isSlack, { text: 'x', blocks: Array.from({ length: 51 }, () => ({ type: 'header', text: { type: 'plain_text', text: 'x' } })) })).not.toEqual([]);
    const rich = (element: object): object => ({ text: 'x', blocks: [{ type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [element] }] }] });
    expect(problems(isSlack, rich({ type: 'text', text: 'x' }))).toEqual([]);
    expect(problems(isSlack, rich({ type: 'link', url: 'http://x' }))).not.toEqual([]);
    expect(problems(isSlack, rich({ type: 'broadcast', range: 'channel' }))).not.toEqual([]);
  });
});

describe('a webhook', () => {
  it.each(SEEDS)('gets a message of its schema that says what was said (seed %i)', (seed) => {
    const { escalation, repository } = made(seed);
    const message = webhookMessage(escalation, repository);
    expect(problems(isWebhook, message)).toEqual([]);
    expect(JSON.parse(JSON.stringify(message))).toMatchObject({ title: escalation.title, detail: escalation.detail, run: escalation.run, seq: escalation.seq });
  });
});

describe('a comment on a pull request', () => {
  it.each(SEEDS)('is one line of text, one fence and one line of choo\'s (seed %i)', (seed) => {
    const { escalation } = made(seed);
    const text = commentText(escalation, undefined);
    expect(text.length).toBeLessThan(65_536);
    expect(text).not.toMatch(UNSEEN);
    const [title = '', ...rest] = text.split('\n');
    // Whatever would begin something is behind a backslash.
    expect(title.replaceAll(/\\[^a-zA-Z0-9\s]/g, '')).not.toMatch(/[\\`*_{}[\]()<>#|~!&$]|@[\w/]|:\/\//);
    const fence = /^(`{3,})text$/.exec(rest[1] ?? '')?.[1];
    const inside = rest.slice(2, -3);
    expect(fence === undefined ? rest.length === 2 : rest.at(-3) === fence && !inside.some((line) => line.trimStart().startsWith(fence))).toBe(true);
    expect(rest.at(-1)).toBe(`Run ${escalation.run}, event ${escalation.seq}. This comment is changed in place.`);
  });
});
