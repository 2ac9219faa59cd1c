// Whether and how OpenTelemetry is asked for, by its standard environment variables. What the SDK reads by itself (headers, resource
// attributes, time limits, sampling, sizes of queues) is not here.

/** What is to be sent. */
export interface Asked {
  readonly traces: boolean;
  readonly metrics: boolean;
  /** What was asked for and is not to be had, for people. */
  readonly trouble?: string;
}

/** The caller's span, of which this session is a part. */
export interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** `TRACESTATE` as it is; empty when there is none. */
  readonly state: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The one protocol that is spoken. */
const PROTOCOL = 'http/protobuf';

/** What the environment asks for; undefined: nothing. */
export function askedFor(env: Environment): Asked | undefined {
  if (set(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const wants = { traces: wanted(env, 'TRACES'), metrics: wanted(env, 'METRICS') };
  const wrong = (['TRACES', 'METRICS'] as const).flatMap((signal) => (wants[signal === 'TRACES' ? 'traces' : 'metrics'] ? troubleOf(env, signal) : []));
  if (!wants.traces && !wants.metrics) return undefined;
  const spoken = wrong.length === 0;
  return { traces: wants.traces && spoken, metrics: wants.metrics && spoken, ...(wrong[0] === undefined ? {} : { trouble: wrong[0] }) };
}

/** The caller's span from `TRACEPARENT`; undefined when there is none that can be read. */
export function callerOf(env: Environment): Caller | undefined {
  const [, version, traceId = '', spanId = '', flags = '0', rest] = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(set(env, 'TRACEPARENT') ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1, state: set(env, 'TRACESTATE') ?? '' };
}

function wanted(env: Environment, signal: 'TRACES' | 'METRICS'): boolean {
  if (set(env, `OTEL_${signal}_EXPORTER`)?.toLowerCase() === 'none') return false;
  return (set(env, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) ?? set(env, 'OTEL_EXPORTER_OTLP_ENDPOINT')) !== undefined;
}

function troubleOf(env: Environment, signal: 'TRACES' | 'METRICS'): string[] {
  const exporter = set(env, `OTEL_${signal}_EXPORTER`)?.toLowerCase() ?? 'otlp';
  const protocol = set(env, `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) ?? set(env, 'OTEL_EXPORTER_OTLP_PROTOCOL') ?? PROTOCOL;
  const endpoint = set(env, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) ?? set(env, 'OTEL_EXPORTER_OTLP_ENDPOINT') ?? '';
  if (!exporter.split(',').map((one) => one.trim()).includes('otlp')) return [`OTEL_${signal}_EXPORTER asks for what choo has not: only otlp and none`];
  if (protocol !== PROTOCOL) return [`OTEL_EXPORTER_OTLP_PROTOCOL asks for what choo does not speak: only ${PROTOCOL}`];
  return /^https?:\/\/[^/]/i.test(endpoint) ? [] : [`the address for OTLP is none that can be used: it begins with http:// or https://`];
}

/** By the specification an empty variable is one that is not set. */
function set(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}
