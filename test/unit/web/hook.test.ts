// Webhooks: whose they are, and what they say is worth a look.

import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSigned, worthALook } from '../../../src/web/hook.ts';

const body = Buffer.from('{"zen":"x"}');
const sign = (secret: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

describe('a webhook', () => {
  it('is GitHub\'s when it is signed with the secret, and nobody\'s otherwise', () => {
    expect(isSigned(body, { signature: sign('s3'), secret: 's3' })).toBe(true);
    for (const signature of [undefined, '', 'sha256=', sign('other'), sign('s3').replace('sha256', 'sha1'), `${sign('s3')}0`, sign('s3').toUpperCase()]) {
      expect(isSigned(body, { signature, secret: 's3' })).toBe(false);
    }
    expect(isSigned(Buffer.from('{"zen":"y"}'), { signature: sign('s3'), secret: 's3' })).toBe(false);
  });

  it.each([
    ['a pull request', { pull_request: { number: 3 } }, { pulls: [3], heads: [] }],
    ['a comment below one', { issue: { number: 4, pull_request: {} } }, { pulls: [4], heads: [] }],
    ['a check', { check_run: { head_sha: 'a'.repeat(40), pull_requests: [{ number: 5 }, { number: 5 }] } }, { pulls: [5], heads: ['a'.repeat(40)] }],
    ['a suite of checks', { check_suite: { head_sha: 'b'.repeat(40), pull_requests: [] } }, { pulls: [], heads: ['b'.repeat(40)] }],
    ['a status', { sha: 'c'.repeat(40), state: 'success' }, { pulls: [], heads: ['c'.repeat(40)] }],
    ['nothing that is known', { zen: 'x' }, { pulls: [], heads: [] }],
    ['what no webhook says', { pull_request: { number: '../1' }, sha: '--upload-pack', check_run: 7 }, { pulls: [], heads: [] }],
    ['a list', [1], { pulls: [], heads: [] }],
  ])('about %s', (_, message, worth) => {
    expect(worthALook(message)).toEqual(worth);
  });
});
