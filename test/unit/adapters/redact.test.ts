// Secrets in output: none gets through, whole or in half, however the bytes are cut, and nothing else is lost.

import { describe, expect, it } from 'vitest';
import { makeRedactor } from '../../../src/adapters/redact.ts';
import type { Redactor } from '../../../src/adapters/redact.ts';
import { SHAPES, secretsOf } from '../../../src/adapters/secrets.ts';

const TOKEN = 'fJ3/kq+9Zx_17"vW\\8éY';
const KEY_BLOCK = ['-----BEGIN OPENSSH PRIVATE KEY-----', 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2', 'gtZWQyNTUxOQAAACD0Hq4j7mY7', '-----END OPENSSH PRIVATE KEY-----'].join('\n');
const ENV = { MY_TOKEN: TOKEN, OTHER_PASSWORD: 'correct horse battery', LONGER_SECRET: 'correct horse battery staple', PATH: '/usr/bin:/bin', DEPLOY_KEY: KEY_BLOCK };

/** Shapes, written in pieces so that no scanner takes this file for a leak. */
const shaped = (...parts: readonly string[]): string => parts.join('');
const BODY = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';
const KEYS = [
  shaped('sk-', 'ant-', 'api03-', BODY), shaped('sk-', 'proj-', BODY), shaped('gh', 'p_', BODY), shaped('gh', 'o_', BODY), shaped('gh', 's_', BODY), shaped('github', '_pat_', BODY),
  shaped('xox', 'b-123456789012-', BODY), shaped('AK', 'IA', 'IOSFODNN7EXAMPLE'), shaped('AI', 'za', BODY), shaped('gl', 'pat-', 'abcdefghij0123456789'), shaped('np', 'm_', BODY),
  shaped('https://hooks.', 'slack.com/services/T000/B000/', BODY),
];

function redactor(env: Readonly<Record<string, string>> = ENV): Redactor {
  return makeRedactor({ literals: secretsOf([env]), shapes: SHAPES });
}

/** What comes out of a stream when the bytes arrive in these pieces. */
function streamed(r: Redactor, pieces: readonly Buffer[]): Buffer {
  const out: Buffer[] = [];
  const stream = r.stream((bytes) => out.push(Buffer.from(bytes)));
  for (const piece of pieces) stream.push(piece);
  stream.end();
  return Buffer.concat(out);
}

const whole = (r: Redactor, text: string | Buffer): string => streamed(r, [Buffer.from(text)]).toString('latin1');

describe('a value of the environment', () => {
  const b64 = (text: string): string => Buffer.from(text).toString('base64');
  it.each([
    ['as it is', `before ${TOKEN} behind`],
    ['in a JSON text', `{"text":${JSON.stringify(`got ${TOKEN}.`)}}`],
    ['in a JSON text in a JSON text', JSON.stringify({ input: JSON.stringify({ command: `echo ${TOKEN}` }) })],
    ['in an address', `https://example.org/?t=${encodeURIComponent(TOKEN)}&x=1`],
    ['in base64', `token: ${b64(TOKEN)}`],
    ['in base64 behind a user\'s name', `Basic: ${b64(`me:${TOKEN}`)}`],
    ['in base64 with a line end', `${b64(`${TOKEN}\n`)}`],
    ['in base64 for addresses', Buffer.from(`xy${TOKEN}`).toString('base64url')],
  ])('is taken out %s', (_, text) => {
    const out = whole(redactor(), text);
    expect(out).toContain('[redacted]');
    for (const part of [TOKEN.slice(0, 8), b64(TOKEN).slice(0, 8), 'Zx_17', encodeURIComponent(TOKEN).slice(0, 8)]) expect(out).not.toContain(part);
  });

  it('leaves all else as it was', () => {
    expect(whole(redactor(), `a ${TOKEN} b`)).toBe('a [redacted] b');
    expect(whole(redactor(), 'correct horse battery')).toBe('[redacted]');
    expect(whole(redactor(), 'a correct horse battery staple, a correct horse battery.')).toBe('a [redacted], a [redacted].');
    const clean = 'an author of tests, -----BEGIN CERTIFICATE-----, npm_config_cache, sk-antics, authorization: none\n';
    expect(whole(redactor(), clean)).toBe(clean);
  });

  it.each([
    ['ANTHROPIC_API_KEY', true], ['OPENAIKEY', true], ['npm_config__authToken', true], ['GH_PAT', true], ['DB_PASS', true], ['MYSQL_PWD', true], ['AWS_SECRET_ACCESS_KEY', true],
    ['SERVICE_CREDENTIALS', true], ['SLACK_WEBHOOK_URL', true], ['PWD', false], ['OLDPWD', false], ['GIT_AUTHOR_NAME', false], ['XAUTHORITY', false], ['PATH', false], ['KEYBOARD', false], ['COMPASS_HOME', false],
  ])('is known by its name: %s', (name, secret) => {
    expect(whole(redactor({ [name]: 'some-value-of-it' }), 'some-value-of-it')).toBe(secret ? '[redacted]' : 'some-value-of-it');
  });

  it('that says where something is stays, a password in an address does not', () => {
    expect(whole(redactor({ SSH_AUTH_SOCK: '/tmp/agent.123', MY_KEY_FILE: '~/key.pem' }), '/tmp/agent.123 ~/key.pem')).toBe('/tmp/agent.123 ~/key.pem');
    expect(whole(redactor({ DATABASE: 'postgres://me:hunter2hunter2@db/x' }), 'hunter2hunter2@db')).toBe('[redacted]@db');
  });

  it('that holds headers for a collector: each of their values, as written and as sent', () => {
    const r = redactor({ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=first-of-all,Authorization=Bearer%20second-of-all,x-short=abc', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'k=third-of-all' });
    expect(r.text('first-of-all; Bearer%20second-of-all; Bearer second-of-all; second-of-all; third-of-all; abc; api-key')).toBe('[redacted]; [redacted]; [redacted]; [redacted]; [redacted]; abc; api-key');
  });

  it('of seven bytes is a word', () => {
    expect(whole(redactor({ A_TOKEN: '1234567' }), '1234567')).toBe('1234567');
  });
});

describe('well-known shapes', () => {
  it.each(KEYS)('%s', (key) => {
    for (const text of [key, `"${key}"`, `\\n${key}\\n`, `x=${key} y`]) {
      const out = whole(redactor({}), text);
      expect(out).toContain('[redacted]');
      expect(out).not.toContain(BODY.slice(4, 12));
      expect(out).not.toContain(key.slice(-8));
    }
  });

  it.each(['Authorization: Bearer abcdefgh', 'authorization: bearer abcdefgh', '"Authorization": "Basic abcdefgh="', String.raw`\"authorization\":\"Bearer abcdefgh\"`, "Authorization=token 'x'; Authorization: token abcdefgh"])('%s', (text) => {
    expect(whole(redactor({}), text)).not.toContain('abcdefgh');
  });

  it('a private key as a file, a JSON text and a numbered listing', () => {
    const listing = KEY_BLOCK.split('\n').map((line, i) => `     ${i + 1}→${line}`).join('\n');
    for (const text of [KEY_BLOCK, JSON.stringify({ out: KEY_BLOCK }), JSON.stringify(JSON.stringify({ out: KEY_BLOCK })), listing, KEY_BLOCK.replaceAll('\n', '\r\n')]) {
      const out = whole(redactor({}), `${text}\nafter`);
      expect(out).not.toMatch(/b3Blb|gtZWQ|7mY7/);
      expect(out).toMatch(/after$/);
    }
    expect(whole(redactor({}), 'const s = "-----BEGIN PRIVATE KEY-----"; call(s);')).toMatch(/call\(s\);$/);
  });
});

describe('cut anywhere', () => {
  const text = Buffer.concat([
    Buffer.from(`start ${TOKEN}${TOKEN} sk-a gh ghp ${KEYS.join(' ')} ${KEYS.join('')}\n${JSON.stringify({ a: TOKEN, b: KEY_BLOCK })}\n`),
    Buffer.from([0xff, 0xfe, 0xc3]), Buffer.from(`correct horse battery stap Authorization:  Bearer  ${BODY} ${Buffer.from(`me:${TOKEN}`).toString('base64')}=\n${KEY_BLOCK}\n`), Buffer.from([0x80, 0xe2, 0x82]),
  ]);

  it('in two gives the same as whole', () => {
    const r = redactor();
    const expected = streamed(r, [text]);
    expect(expected.toString('latin1')).not.toContain(BODY.slice(4, 12));
    for (let cut = 0; cut <= text.length; cut += 1) expect(streamed(r, [text.subarray(0, cut), text.subarray(cut)]).equals(expected)).toBe(true);
  });

  it('into pieces of any size gives the same as whole', () => {
    const r = redactor();
    const expected = streamed(r, [text]);
    for (const size of [1, 2, 3, 5, 7, 11, 64, 100]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.subarray(i * size, (i + 1) * size));
      expect(streamed(r, pieces).equals(expected)).toBe(true);
    }
  });

  it('and never gone on with shows no half of a secret', () => {
    const r = redactor();
    for (const secret of [TOKEN, ENV.LONGER_SECRET, ...KEYS]) {
      const bytes = Buffer.from(`see ${secret}`);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const out = streamed(r, [bytes.subarray(0, cut)]).toString('latin1');
        // The beginning of a shape is known to everybody.
        const seen = KEYS.includes(secret) ? out.match(/[a-zA-Z0-9]{24,}/) : out.length > 4 + Buffer.byteLength(secret) / 2 && !out.includes('[redacted]');
        expect(seen === null || seen === false ? 'no half' : out).toBe('no half');
      }
    }
  });

  it('in a text with an ellipsis shows no half of a secret', () => {
    expect(redactor().text(`command: echo ${ENV.LONGER_SECRET.slice(0, 20)}…`)).toBe('command: echo [redacted]…');
    expect(redactor().text('nothing to see…')).toBe('nothing to see…');
    expect(redactor().text('lone \ud800 half')).toBe('lone \ud800 half');
  });
});

describe('random texts', () => {
  /** A small generator of numbers, so that a failure can be had again. */
  function numbers(seed: number): (below: number) => number {
    let x = seed;
    return (below) => {
      x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((x / 2 ** 32) * below);
    };
  }

  it.each(Array.from({ length: 60 }, (_, i) => i + 1))('of secrets, halves and borders, in random pieces (seed %i)', (seed) => {
    const next = numbers(seed);
    const r = redactor({ A_TOKEN: 'abababababab', B_TOKEN: 'ababababac', C_TOKEN: 'bacabacabab', D_TOKEN: 'aaaaaaaaaaaaaaaaaaaaaaaa' });
    const words = ['ab', 'ba', 'aa', 'ac', 'abababababab', 'ababababac', 'bacabacabab', 'aaaaaaaaaaaaaaaaaaaaaaaa', ' ', '\n', 'ghp_', 'sk-ant-', BODY, 'AKIA', '-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', 'Authorization: Bearer ', 'auth'];
    const text = Buffer.from(Array.from({ length: 60 }, () => words[next(words.length)]).join(''));
    const expected = streamed(r, [text]);
    const pieces: Buffer[] = [];
    for (let at = 0; at < text.length;) {
      const size = 1 + next(20);
      pieces.push(text.subarray(at, at + size));
      at += size;
    }
    expect(streamed(r, pieces).toString('latin1')).toBe(expected.toString('latin1'));
    for (const secret of ['abababababab', 'ababababac', 'bacabacabab', 'aaaaaaaaaaaaaaaaaaaaaaaa']) expect(expected.toString('latin1')).not.toContain(secret);
  });
});

describe('cost', () => {
  it.each([
    ['one byte', 'a'], ['two bytes', 'ab'], ['nearly a secret', `${'a'.repeat(3999)}b`], ['beginnings of keys', 'sk-ant-'], ['keys in keys', shaped('gh', 'p_')], ['keys that never end', 'AKIA'], ['key blocks in key blocks', '-----BEGIN PRIVATE KEY-----\n'],
    ['headers', 'Authorization: Bearer '], ['half secrets', 'correct horse battery stapl'], ['dashes', '-'], ['base64', 'QUJD'],
  ])('of four megabytes of %s in a line is in proportion', (_, unit) => {
    const r = redactor({ ...ENV, A_TOKEN: 'a'.repeat(4000), B_TOKEN: 'ab'.repeat(1500) });
    const stream = r.stream(() => undefined);
    const chunk = Buffer.from(unit.repeat(Math.ceil(65_536 / unit.length)));
    const began = process.cpuUsage();
    for (let i = 0; i < 64; i += 1) stream.push(chunk);
    stream.end();
    const { user } = process.cpuUsage(began);
    // Quadratic would be minutes.
    expect(user / 1e6).toBeLessThan(10);
  });
});
