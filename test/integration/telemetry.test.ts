// Traces and metrics as a collector gets them, decoded by a decoder of its own, against the events of the same run.

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { Collector } from '../rig/collector.ts';
import { expectEnd, expectNothingLeft } from '../rig/facts.ts';
import { at, stepsGot, stepsOf, wayTo } from '../rig/spans.ts';

async function collector(): Promise<Collector> {
  const one = await Collector.open();
  onTestFinished(() => one.close());
  return one;
}

/** Claude Code, played: 900 tokens in, 100 more from a cache, 40 out; its first attempt at the task of `b` does nothing. */
const AGENT = `#!/bin/sh
[ "$1" = --version ] && { echo '2.1.330 (Claude Code)'; exit 0; }
read -r line
if [ "$CHOO_UNIT" != b ] || [ "$CHOO_ATTEMPT" != 1 ]; then ${DOES_IT}; fi
echo 'the-agent-said-this' >&2
echo '${JSON.stringify({ type: 'assistant', message: { id: 'm1', role: 'assistant', model: 'claude-test', content: [{ type: 'text', text: 'the-agent-said-this' }], usage: { input_tokens: 900, output_tokens: 40, cache_read_input_tokens: 100 } } })}'
echo '${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, num_turns: 2, result: 'Done.', session_id: 's', total_cost_usd: 0.25, usage: { input_tokens: 900, output_tokens: 40, cache_read_input_tokens: 100 } })}'
`;

function played(bed: Bed): { readonly provider: unknown; readonly agents: unknown } {
  const path = join(bed.base, 'claude');
  bed.write('../claude', AGENT);
  chmodSync(path, 0o755);
  return { provider: { type: 'claude', providers: { claude: { command: path } } }, agents: { claude: { model: 'claude-test' } } };
}

describe('a run with a collector', () => {
  it('sends every step as a span, at the times of its events, in one tree; and metrics that add up to the events', async ({ bed }) => {
    const to = await collector();
    bed.specs({ a: { tasks: 2 }, b: {}, c: { dependsOn: ['a'] } }, { agent: DOES_IT, ...played(bed) });
    const ended = await bed.choo(['run', '--json', '-p', '2'], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: to.address, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=hidden-key', OTEL_SERVICE_NAME: 'nightly', OTEL_RESOURCE_ATTRIBUTES: 'team=blue,deployment.environment.name=test' },
    });
    expectEnd(ended, 0);
    expectNothingLeft(bed);
    const { spans, points } = to;
    expect(stepsGot(spans)).toEqual(stepsOf(ended.events));
    expect(stepsGot(spans).length).toBeGreaterThan(20);
    expect(new Set(spans.map((span) => span.traceId)).size).toBe(1);
    expect(new Set(spans.map((span) => span.spanId)).size).toBe(spans.length);
    const ways = new Set(spans.map((span) => wayTo(span, spans)));
    for (const way of ['choo run', 'choo run > unit > task > attempt > invoke_agent claude', 'choo run > unit > task > attempt > check task', 'choo run > unit > land', 'choo run > prove batch', 'choo run > unit > check unit']) expect(ways).toContain(way);
    expect([...ways].filter((way) => !way.startsWith('choo run'))).toEqual([]);
    const retried = spans.filter((span) => span.name.startsWith('invoke_agent') && span.attributes['choo.unit.id'] === 'b');
    expect(new Set(retried.map((span) => span.attributes['choo.attempt.number']))).toEqual(new Set([1, 2]));
    expect(retried[0]?.attributes).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent', 'gen_ai.provider.name': 'anthropic', 'gen_ai.agent.name': 'claude', 'gen_ai.request.model': 'claude-test',
      'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 40, 'gen_ai.usage.cache_read.input_tokens': 100, 'choo.usage.cost': 0.25,
    });
    expect(spans.find((span) => span.name === 'attempt' && span.status === 'STATUS_CODE_ERROR')?.attributes).toMatchObject({ 'choo.unit.id': 'b', 'error.type': 'check-failed' });
    expect(spans[0]).toMatchObject({ resource: { 'service.name': 'nightly', team: 'blue', 'telemetry.sdk.language': 'nodejs' }, scope: { name: 'choo', schema: 'https://opentelemetry.io/schemas/1.41.0' } });
    for (const { headers } of to.requests) expect(headers).toMatchObject({ 'api-key': 'hidden-key', 'content-type': 'application/x-protobuf' });
    expect(JSON.stringify(spans)).not.toMatch(/the-agent-said-this|hidden-key|grep|\.txt/);

    const attempts = ended.events.filter((e) => e.type === 'task.started' || e.type === 'task.retry').length;
    const of = (metric: string, attributes: object): number => points.filter((p) => p.metric === metric && Object.entries(attributes).every(([key, value]) => p.attributes[key] === value)).reduce((sum, p) => sum + (p.value ?? p.sum ?? 0), 0);
    expect(of('gen_ai.client.token.usage', { 'gen_ai.token.type': 'input' })).toBe(attempts * 1000);
    expect(of('gen_ai.client.token.usage', { 'gen_ai.token.type': 'output' })).toBe(attempts * 40);
    expect(of('choo.attempts', {})).toBe(attempts);
    expect(of('choo.attempts', { 'error.type': 'check-failed' })).toBe(1);
    expect(of('choo.agent.cost', {})).toBeCloseTo(attempts * 0.25);
    expect(of('choo.units', { 'choo.result': 'landed' })).toBe(3);
    expect(points.find((p) => p.metric === 'gen_ai.client.token.usage')).toMatchObject({ unit: '{token}', bounds: [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864] });
    const took = ended.events.flatMap((e) => (e.type === 'task.started' || e.type === 'task.retry' ? [at(ended.events.find((end) => end.seq > e.seq && end.type === 'task.attempted' && end.unit === e.unit)) - at(e)] : [])).reduce((sum, one) => sum + one, 0);
    expect(of('gen_ai.client.operation.duration', {})).toBeCloseTo(took / 1000);
  });
});
