// What is sent under which ids, and what is said of a collector that did not take it.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { identify } from '../../../src/otlp/identity.ts';
import { reasonOf } from '../../../src/otlp/reason.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('ids', () => {
  it('are of the run and of the span, the same in every session; with a caller the trace is the caller\'s', () => {
    const [one, again, other] = [identify({ seed: 'a', caller: undefined, digest }), identify({ seed: 'a', caller: undefined, digest }), identify({ seed: 'b', caller: undefined, digest })];
    expect(one.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(one.spanId('7:unit:x')).toMatch(/^[0-9a-f]{16}$/);
    expect([again.traceId, again.spanId('7:unit:x')]).toEqual([one.traceId, one.spanId('7:unit:x')]);
    expect(new Set([one.traceId, other.traceId, one.spanId('1'), one.spanId('2'), other.spanId('1')]).size).toBe(5);
    const called = identify({ seed: 'a', caller: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), sampled: true, state: '' }, digest });
    expect([called.traceId, called.run, called.spanId('1')]).toEqual(['c'.repeat(32), one.traceId, one.spanId('1')]);
  });
});

describe('the reason', () => {
  it.each([
    [Object.assign(new Error('connect to somewhere'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error('outside', { cause: Object.assign(new Error('inside'), { code: 'ENOTFOUND' }) }), 'ENOTFOUND'],
    [new AggregateError([Object.assign(new Error('one'), { code: 'EHOSTUNREACH' })], 'all'), 'EHOSTUNREACH'],
    [Object.assign(new Error('your key is hunter2'), { code: 401 }), 'it answers HTTP 401'],
    [Object.assign(new Error('x'), { code: 'your key is hunter2' }), 'it does not take them in time'],
    ['your key is hunter2', 'it does not take them in time'],
  ])('%#: is a code, never a text of the collector\'s', (error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});
