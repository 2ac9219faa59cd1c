// What the standard environment variables ask for.

import { describe, expect, it } from 'vitest';
import { askedFor, callerOf } from '../../../src/telemetry/asked.ts';

const to = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('what is asked for', () => {
  it.each([
    ['nothing', {}, undefined],
    ['an empty variable', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, undefined],
    ['disabled', { ...to, OTEL_SDK_DISABLED: 'TRUE' }, undefined],
    ['both', to, { traces: true, metrics: true }],
    ['both over TLS', { OTEL_EXPORTER_OTLP_ENDPOINT: 'HTTPS://127.0.0.1' }, { traces: true, metrics: true }],
    ['traces only', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: to.OTEL_EXPORTER_OTLP_ENDPOINT }, { traces: true, metrics: false }],
    ['no metrics', { ...to, OTEL_METRICS_EXPORTER: 'none' }, { traces: true, metrics: false }],
    ['no exporter', { ...to, OTEL_METRICS_EXPORTER: 'none', OTEL_TRACES_EXPORTER: 'none' }, undefined],
    ['among others otlp', { ...to, OTEL_TRACES_EXPORTER: 'console, otlp' }, { traces: true, metrics: true }],
    ['the protocol that is spoken', { ...to, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, { traces: true, metrics: true }],
    ['another one', { ...to, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, { traces: false, metrics: false, trouble: expect.stringContaining('only http/protobuf') as string }],
    ['another one for traces alone', { ...to, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc', OTEL_TRACES_EXPORTER: 'none' }, { traces: false, metrics: true }],
    ['another exporter', { ...to, OTEL_TRACES_EXPORTER: 'zipkin' }, { traces: false, metrics: false, trouble: expect.stringContaining('OTEL_TRACES_EXPORTER') as string }],
    ['no address', { OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318' }, { traces: false, metrics: false, trouble: expect.stringContaining('http://') as string }],
  ])('%s', (_, env, asked) => {
    expect(askedFor(env)).toEqual(asked);
  });
});

describe('the caller', () => {
  const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

  it.each([
    [`00-${trace}-${span}-01`, { traceId: trace, spanId: span, sampled: true, state: '' }],
    [`00-${trace}-${span}-00`, { traceId: trace, spanId: span, sampled: false, state: '' }],
    [`01-${trace}-${span}-03-more`, { traceId: trace, spanId: span, sampled: true, state: '' }],
    [`00-${trace}-${span}-01-more`, undefined], [`ff-${trace}-${span}-01`, undefined], [`00-${'0'.repeat(32)}-${span}-01`, undefined], [`00-${trace}-${'0'.repeat(16)}-01`, undefined],
    [`00-${trace.toUpperCase()}-${span}-01`, undefined], ['', undefined],
  ])('by TRACEPARENT %s', (TRACEPARENT, caller) => {
    expect(callerOf({ TRACEPARENT })).toEqual(caller);
  });

  it('comes with its state', () => {
    expect(callerOf({ TRACEPARENT: `00-${trace}-${span}-01`, TRACESTATE: 'a=1' })?.state).toBe('a=1');
  });
});
