// Spans into the SDK's batches. It keeps so many for so long, as its variables say, and drops the rest; that is counted.

import { createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { Context, Link } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { IdGenerator, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { CHOO, SCHEMA_URL } from '../telemetry/names.ts';
import type { Span } from '../telemetry/span.ts';
import type { Identity } from './identity.ts';
import type { Tally } from './messages.ts';
import { reasonOf } from './reason.ts';

/** Takes spans that have ended. */
export interface SpanSender {
  readonly send: (span: Span) => void;
  /** Resolves when everything was taken or given up. */
  readonly end: () => Promise<Tally>;
}

/** Gives out the ids that it was told to give. */
class Ids implements IdGenerator {
  readonly #traceId: string;
  next = '';

  constructor(traceId: string) {
    this.#traceId = traceId;
  }

  generateTraceId = (): string => this.#traceId;
  generateSpanId = (): string => this.next;
}

/** Sends to where the SDK's variables say. */
export function spanSender(o: { readonly resource: Resource; readonly identity: Identity; readonly version: string }): SpanSender {
  const tally = { made: 0, sent: 0 } as { made: number; sent: number; why?: string };
  const ids = new Ids(o.identity.traceId);
  const processor = new BatchSpanProcessor(counting(new OTLPTraceExporter(), tally));
  const provider = new BasicTracerProvider({ resource: o.resource, idGenerator: ids, spanProcessors: [processor] });
  const tracer = provider.getTracer('choo', o.version, { schemaUrl: SCHEMA_URL });
  const top = contextOf(o.identity);
  // Whether the whole trace is sampled is asked once: by the caller's word, else by the run's trace id.
  ids.next = o.identity.spanId('sampled');
  const { traceFlags } = tracer.startSpan('sampled', {}, top).spanContext();
  return {
    send: (span) => {
      if ((traceFlags & TraceFlags.SAMPLED) === 0) return;
      tally.made++;
      ids.next = o.identity.spanId(span.key);
      const parent = span.parent === undefined ? top : trace.setSpanContext(ROOT_CONTEXT, { traceId: o.identity.traceId, spanId: o.identity.spanId(span.parent), traceFlags });
      const started = tracer.startSpan(span.name, {
        startTime: span.start, kind: SpanKind.INTERNAL, links: linksOf(span, o.identity), attributes: { ...span.attributes, [CHOO.runId]: o.identity.run },
      }, parent);
      if (span.error !== undefined) started.setStatus({ code: SpanStatusCode.ERROR, message: span.error });
      started.end(span.end);
    },
    end: async () => {
      await provider.shutdown().catch((error: unknown) => { tally.why ??= reasonOf(error); });
      return tally;
    },
  };
}

/** The session of a run before this one was in the run's own trace, unless a caller had it. */
function linksOf(span: Span, { ownTraceId, traceId, spanId }: Identity): Link[] {
  const of = span.kind === 'session' ? ownTraceId : traceId;
  return span.links.map((key) => ({ context: { traceId: of, spanId: spanId(key), traceFlags: TraceFlags.NONE } }));
}

function contextOf({ caller }: Identity): Context {
  if (caller === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, sampled, state } = caller;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId, spanId, isRemote: true, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, ...(state === '' ? {} : { traceState: createTraceState(state) }),
  });
}

/** Counts what the collector took. */
function counting(inner: SpanExporter, tally: { sent: number; why?: string }): SpanExporter {
  return {
    export: (spans, done) => inner.export(spans, (result) => {
      if (result.error === undefined) tally.sent += spans.length;
      else tally.why = reasonOf(result.error);
      done(result);
    }),
    forceFlush: () => inner.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => inner.shutdown(),
  };
}
