// Measurements as a page in Prometheus' text format 0.0.4, named by OpenTelemetry's rules for it: `choo.attempts` is `choo_attempts_total`,
// `choo.check.duration` in `s` is `choo_check_duration_seconds`. Pure; counts what it is given.

import { METRICS } from './measure.ts';
import type { MetricName, Point } from './measure.ts';
import { byCodeUnit } from '../core/plan.ts';

/** Series of one metric; what comes after is counted together, under the label that OpenTelemetry has for it. Names of models come from outside. */
const MOST_SERIES = 200;
const OVERFLOW = { 'otel.metric.overflow': true };

/** The type of a page, for its header. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Names of labels with their values. */
type Labels = Readonly<Record<string, string | number | boolean>>;

/** Something as it stands now. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

interface Series { readonly labels: Labels; sum: number; count: number; readonly buckets: number[] }

/** What was measured of one run. */
export class Registry {
  readonly #metrics = new Map<MetricName, Map<string, Series>>();

  /** Adds a measurement. */
  take({ metric, value, attributes }: Point): void {
    const all = this.#metrics.get(metric) ?? new Map<string, Series>();
    this.#metrics.set(metric, all);
    const bounds = boundsOf(metric);
    const labels = all.size < MOST_SERIES || all.has(keyOf(attributes)) ? attributes : OVERFLOW;
    const key = keyOf(labels);
    const series = all.get(key) ?? { labels, sum: 0, count: 0, buckets: bounds.map(() => 0) };
    all.set(key, series);
    series.sum += value;
    series.count++;
    for (const [i, bound] of bounds.entries()) if (value <= bound) series.buckets[i] = (series.buckets[i] ?? 0) + 1;
  }

  /** All of it as a page; `labels` are on every series, `gauges` come first. */
  page(labels: Labels, gauges: readonly Gauge[]): string {
    const of = ([metric, series]: readonly [MetricName, ReadonlyMap<string, Series>]): readonly string[] => family(metric, { series: [...series.values()], labels });
    const metrics = [...this.#metrics].toSorted(([a], [b]) => byCodeUnit(a, b)).flatMap(of);
    return `${[...gauges.flatMap((gauge) => stands(gauge, labels)), ...metrics].join('\n')}\n`;
  }
}

function stands({ name, help, samples }: Gauge, common: Labels): readonly string[] {
  return samples.length === 0 ? [] : [...head(name, { help, type: 'gauge' }), ...samples.map(({ labels, value }) => sample(name, { ...common, ...labels }, value))];
}

function family(metric: MetricName, o: { readonly series: readonly Series[]; readonly labels: Labels }): readonly string[] {
  const { description, unit } = METRICS[metric];
  const bounds = boundsOf(metric);
  const base = `${metric.replaceAll(/[^a-zA-Z0-9_]/g, '_')}${unit === 's' ? '_seconds' : ''}`;
  if (bounds.length === 0) return [...head(`${base}_total`, { help: description, type: 'counter' }), ...o.series.map(({ labels, sum }) => sample(`${base}_total`, { ...o.labels, ...labels }, sum))];
  return [...head(base, { help: description, type: 'histogram' }), ...o.series.flatMap(({ labels, sum, count, buckets }) => {
    const all = { ...o.labels, ...labels };
    return [
      ...bounds.map((bound, i) => sample(`${base}_bucket`, { ...all, le: bound }, buckets[i] ?? 0)),
      sample(`${base}_bucket`, { ...all, le: '+Inf' }, count), sample(`${base}_sum`, all, sum), sample(`${base}_count`, all, count),
    ];
  })];
}

function head(name: string, o: { readonly help: string; readonly type: 'counter' | 'gauge' | 'histogram' }): readonly string[] {
  return [`# HELP ${name} ${o.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${o.type}`];
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label.replaceAll(/[^a-zA-Z0-9_]/g, '_')}="${escaped(String(text))}"`);
  return `${name}{${pairs.join(',')}} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function boundsOf(metric: MetricName): readonly number[] {
  const about = METRICS[metric];
  return 'buckets' in about ? about.buckets : [];
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => byCodeUnit(a, b)));
}
