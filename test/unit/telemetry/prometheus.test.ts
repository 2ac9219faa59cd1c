// A page for Prometheus, read by a parser that knows only the published format.

import { describe, expect, it } from 'vitest';
import { METRICS } from '../../../src/telemetry/measure.ts';
import type { MetricName } from '../../../src/telemetry/measure.ts';
import { Registry } from '../../../src/telemetry/prometheus.ts';
import { readExposition } from '../../rig/exposition.ts';

describe('a page for Prometheus', () => {
  it('has every metric under the name that OpenTelemetry\'s rules give it, with its unit and type', () => {
    const registry = new Registry();
    for (const metric of Object.keys(METRICS) as MetricName[]) registry.take({ metric, value: 2, attributes: { 'error.type': 'x' } });
    const families = [...readExposition(registry.page({ run: 3 }, [])).values()].map(({ name, type }) => `${name} ${type}`);
    expect(families).toEqual([
      'choo_agent_cost_total counter', 'choo_attempts_total counter', 'choo_check_duration_seconds histogram', 'choo_landing_duration_seconds histogram', 'choo_units_total counter',
      'choo_wait_duration_seconds histogram', 'gen_ai_client_operation_duration_seconds histogram', 'gen_ai_client_token_usage histogram',
    ]);
  });

  it('adds up: sums, counts, buckets with their bounds', () => {
    const registry = new Registry();
    const values = [0.05, 0.1, 0.2, 60, 100_000];
    for (const value of values) registry.take({ metric: 'choo.check.duration', value, attributes: { 'choo.check.kind': 'task' } });
    const samples = readExposition(registry.page({ run: 3 }, [])).get('choo_check_duration_seconds')?.samples ?? [];
    const of = (name: string, le?: string) => samples.find((s) => s.name === `choo_check_duration_seconds_${name}` && s.labels['le'] === le);
    expect(of('bucket', '0.1')).toMatchObject({ value: 2, labels: { run: '3', choo_check_kind: 'task' } });
    expect([of('bucket', '0.5')?.value, of('bucket', '60')?.value, of('bucket', '14400')?.value, of('bucket', '+Inf')?.value, of('count')?.value, of('sum')?.value]).toEqual([3, 4, 4, 5, 5, values.reduce((a, b) => a + b)]);
  });

  it('gives labels back as they were, whatever is in them', () => {
    const registry = new Registry();
    const hostile = 'a "quoted" \\ back\nslash } 1\n# TYPE evil counter\\n';
    registry.take({ metric: 'choo.agent.cost', value: 0.25, attributes: { 'gen_ai.request.model': hostile } });
    const page = readExposition(registry.page({ run: 3 }, [{ name: 'choo_run_live', help: 'back \\ slash\nline', samples: [{ labels: {}, value: 1 }] }]));
    expect(page.get('choo_agent_cost_total')?.samples).toEqual([{ name: 'choo_agent_cost_total', labels: { run: '3', gen_ai_request_model: hostile }, value: 0.25 }]);
    expect(page.get('choo_run_live')).toMatchObject({ type: 'gauge', help: 'back \\ slash\nline', samples: [{ labels: { run: '3' }, value: 1 }] });
    expect(page.size).toBe(2);
  });

  it('stays small when names from outside are always new ones, and counts all of it', () => {
    const registry = new Registry();
    for (let n = 0; n < 5000; n++) registry.take({ metric: 'choo.agent.cost', value: 1, attributes: { 'gen_ai.response.model': `model-${n}` } });
    const samples = readExposition(registry.page({ run: 1 }, [])).get('choo_agent_cost_total')?.samples ?? [];
    expect(samples.length).toBe(201);
    expect(samples.find(({ labels }) => labels['otel_metric_overflow'] === 'true')?.value).toBe(4800);
    expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(5000);
  });
});

describe('the parser', () => {
  it.for([
    'choo_x 1', 'choo_x 1\n', '# TYPE a counter\na_total 1\n', '# TYPE a_total counter\na_total -1\n', '# TYPE a gauge\na{b="1",b="2"} 1\n', '# TYPE a gauge\na{b="\\x"} 1\n', '# TYPE a gauge\na 1\na 1\n',
    '# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{c="1"} 1\n', '# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n', '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    '# TYPE a gauge\na one\n', '# TYPE a gauge\na{1b="x"} 1\n', '# TYPE a thing\na 1\n', '# HELP a x\n',
  ])('refuses %j', (text) => expect(() => readExposition(text)).toThrow());
});
