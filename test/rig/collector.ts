// A collector of OpenTelemetry on this machine: takes OTLP over HTTP and decodes it with the published definitions (otlp/), by a decoder
// that the program knows nothing of. It can be slow, refuse, or never answer.

import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import protobuf from 'protobufjs';

/** A value of an attribute. */
export type Value = string | number | boolean;

/** A span as it was received; times in ms since 1970. */
export interface GotSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string;
  readonly name: string;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: string;
  readonly resource: Readonly<Record<string, Value>>;
  readonly scope: { readonly name: string; readonly version: string; readonly schema: string };
}

/** A point of a metric; a histogram has `count` and `sum`, a sum `value`. */
export interface GotPoint {
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly value?: number;
  readonly count?: number;
  readonly sum?: number;
  readonly bounds?: readonly number[];
  readonly resource: Readonly<Record<string, Value>>;
}

/** What it does with a request. */
export type Manner = 'take' | 'refuse' | 'silent' | 'flood';

interface KeyValue { readonly key: string; readonly value?: Readonly<Record<string, unknown>> }
interface RawSpan {
  readonly traceId: Buffer; readonly spanId: Buffer; readonly parentSpanId?: Buffer; readonly name: string; readonly kind: string; readonly startTimeUnixNano: string; readonly endTimeUnixNano: string;
  readonly attributes?: readonly KeyValue[]; readonly links?: readonly { readonly traceId: Buffer; readonly spanId: Buffer }[]; readonly status?: { readonly code?: string };
}
interface RawScope { readonly name: string; readonly version: string }
interface Traces { readonly resourceSpans: readonly { readonly resource: { readonly attributes: readonly KeyValue[] }; readonly scopeSpans: readonly { readonly scope: RawScope; readonly schemaUrl: string; readonly spans: readonly RawSpan[] }[] }[] }
interface RawPoint { readonly attributes?: readonly KeyValue[]; readonly asDouble?: number; readonly asInt?: string; readonly count?: string; readonly sum?: number; readonly explicitBounds?: readonly number[] }
interface RawMetric { readonly name: string; readonly unit: string; readonly sum?: { readonly dataPoints: readonly RawPoint[] }; readonly histogram?: { readonly dataPoints: readonly RawPoint[] } }
interface Metrics { readonly resourceMetrics: readonly { readonly resource: { readonly attributes: readonly KeyValue[] }; readonly scopeMetrics: readonly { readonly metrics: readonly RawMetric[] }[] }[] }

const folder = join(import.meta.dirname, 'otlp');

function definitions(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(folder, target);
  return root.loadSync(['trace', 'metrics'].map((signal) => `opentelemetry/proto/collector/${signal}/v1/${signal}_service.proto`));
}

/** Takes what is sent to `address`. */
export class Collector {
  readonly #server: Server;
  readonly #root = definitions();
  readonly spans: GotSpan[] = [];
  /** Of the last collection. */
  points: readonly GotPoint[] = [];
  /** Of every request, with its path. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
  /** What it does with what comes from now on. */
  manner: Manner;

  private constructor(manner: Manner) {
    this.manner = manner;
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        this.requests.push({ path: request.url ?? '', headers: request.headers });
        this.#answer(response, { path: request.url ?? '', body: Buffer.concat(parts) });
      });
    });
  }

  static async open(manner: Manner = 'take'): Promise<Collector> {
    const collector = new Collector(manner);
    await new Promise<void>((resolve) => { collector.#server.listen(0, '127.0.0.1', resolve); });
    return collector;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Closes all connections; it may be closed already. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => { this.#server.close(resolve); });
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(response: ServerResponse, o: { readonly path: string; readonly body: Buffer }): void {
    if (this.manner === 'silent') return;
    if (this.manner === 'refuse') {
      response.writeHead(500, 'a secret of somebody else\u0027s').end('no');
      return;
    }
    if (this.manner === 'flood') {
      const more = (): void => { while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 0x78))) continue; };
      response.on('drain', more);
      more();
      return;
    }
    if (o.path === '/v1/traces') this.spans.push(...this.#traces(o.body));
    else this.points = this.#metrics(o.body);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }

  #decode(type: string, body: Buffer): unknown {
    const message = this.#root.lookupType(`opentelemetry.proto.collector.${type}`);
    return message.toObject(message.decode(body), { longs: String, enums: String, bytes: Buffer, arrays: true });
  }

  #traces(body: Buffer): GotSpan[] {
    const { resourceSpans } = this.#decode('trace.v1.ExportTraceServiceRequest', body) as Traces;
    return resourceSpans.flatMap(({ resource, scopeSpans }) => scopeSpans.flatMap(({ scope, schemaUrl, spans }) => spans.map((span) => ({
      traceId: span.traceId.toString('hex'), spanId: span.spanId.toString('hex'), parent: span.parentSpanId?.toString('hex') ?? '', name: span.name, kind: span.kind,
      start: ms(span.startTimeUnixNano), end: ms(span.endTimeUnixNano), attributes: values(span.attributes), status: span.status?.code ?? 'STATUS_CODE_UNSET',
      links: (span.links ?? []).map((link) => ({ traceId: link.traceId.toString('hex'), spanId: link.spanId.toString('hex') })),
      resource: values(resource.attributes), scope: { name: scope.name, version: scope.version, schema: schemaUrl },
    }))));
  }

  #metrics(body: Buffer): GotPoint[] {
    const { resourceMetrics } = this.#decode('metrics.v1.ExportMetricsServiceRequest', body) as Metrics;
    return resourceMetrics.flatMap(({ resource, scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics.flatMap(({ name, unit, sum, histogram }) => [
      ...(sum?.dataPoints ?? []).map((p) => ({ metric: name, unit, attributes: values(p.attributes), value: p.asDouble ?? Number(p.asInt), resource: values(resource.attributes) })),
      ...(histogram?.dataPoints ?? []).map((p) => ({ metric: name, unit, attributes: values(p.attributes), count: Number(p.count), sum: p.sum ?? 0, bounds: p.explicitBounds ?? [], resource: values(resource.attributes) })),
    ])));
  }
}

function ms(nano: string): number {
  return Number(BigInt(nano) / 1_000_000n);
}

function values(list: readonly KeyValue[] | undefined): Readonly<Record<string, Value>> {
  return Object.fromEntries((list ?? []).map(({ key, value = {} }) => {
    const [[kind, one] = ['', '']] = Object.entries(value);
    return [key, kind === 'intValue' ? Number(one) : one as Value];
  }));
}
