// Measurements into the SDK's instruments, which it collects and sends from time to time and at the end.

import type { Attributes } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { SCHEMA_URL } from '../telemetry/names.ts';
import { METRICS } from '../telemetry/measure.ts';
import type { MetricName, Point } from '../telemetry/measure.ts';
import type { Tally } from './messages.ts';
import { reasonOf } from './reason.ts';

/** How often metrics are sent where `OTEL_METRIC_EXPORT_INTERVAL` does not say, and how long one sending may take, ms; as the specification has it. */
const INTERVAL = 60_000;
const TIMEOUT = 30_000;

/** Takes measurements. */
export interface Meter {
  readonly take: (point: Point) => void;
  /** Resolves when the last of them was taken or given up. */
  readonly end: () => Promise<Tally>;
}

/** Sends to where the SDK's variables say. */
export function meterFor(resource: Resource, version: string): Meter {
  const tally = { made: 0, sent: 0 } as { made: number; sent: number; why?: string };
  const exportIntervalMillis = numberOf('OTEL_METRIC_EXPORT_INTERVAL') ?? INTERVAL;
  const exportTimeoutMillis = Math.min(numberOf('OTEL_METRIC_EXPORT_TIMEOUT') ?? TIMEOUT, exportIntervalMillis);
  const reader = new PeriodicExportingMetricReader({ exporter: counting(new OTLPMetricExporter(), tally), exportIntervalMillis, exportTimeoutMillis });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter('choo', version, { schemaUrl: SCHEMA_URL });
  const instruments = new Map((Object.entries(METRICS) as [MetricName, { unit: string; description: string; buckets?: number[] }][]).map(([name, { buckets, ...about }]) => {
    const add = buckets === undefined
      ? adderOf(meter.createCounter(name, about)) : recorderOf(meter.createHistogram(name, { ...about, advice: { explicitBucketBoundaries: buckets } }));
    return [name, add];
  }));
  return {
    take: ({ metric, value, attributes }) => instruments.get(metric)?.(value, attributes),
    end: async () => {
      await provider.shutdown().catch((error: unknown) => { tally.why ??= reasonOf(error); });
      return tally;
    },
  };
}

type Add = (value: number, attributes: Attributes) => void;

function adderOf(counter: { add: Add }): Add {
  return (value, attributes) => counter.add(value, attributes);
}

function recorderOf(histogram: { record: Add }): Add {
  return (value, attributes) => histogram.record(value, attributes);
}

function numberOf(name: string): number | undefined {
  const value = Number(process.env[name]);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

/** Counts what the collector took. */
function counting(inner: OTLPMetricExporter, tally: { made: number; sent: number; why?: string }): PushMetricExporter {
  return {
    export: (metrics, done) => {
      tally.made++;
      inner.export(metrics, (result) => {
        if (result.error === undefined) tally.sent++;
        else tally.why = reasonOf(result.error);
        done(result);
      });
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
    selectAggregation: (type) => inner.selectAggregation(type),
    selectAggregationTemporality: (type) => inner.selectAggregationTemporality(type),
  };
}
