// Telemetry of runs that are killed and resumed, that is not wanted, and with collectors that are away, refuse, never answer or answer
// without end.

import { describe, expect, onTestFinished } from 'vitest';
import { it } from '../rig/bed.ts';
import { Collector } from '../rig/collector.ts';
import { expectEnd, expectNothingLeft } from '../rig/facts.ts';
import { at, stepsGot, stepsOf, wayTo } from '../rig/spans.ts';

async function collector(manner?: Collector['manner']): Promise<Collector> {
  const one = await Collector.open(manner);
  onTestFinished(() => one.close());
  return one;
}

describe('a run with a collector', () => {
  it('goes on in the same trace when it is resumed, also after kill -9; what was open then is sent by the next session', async ({ bed }) => {
    const to = await collector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: to.address };
    bed.specs({ a: { tasks: 2 } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json'], { env });
    await (await bed.hand.next({ task: 1 })).finish();
    const cut = await bed.hand.next({ task: 2 });
    run.signal('SIGKILL');
    const died = await run.ended;
    expect(to.spans.filter((span) => span.name === 'choo run')).toEqual([]);
    const again = bed.start(['resume', '--json'], { env });
    await (await bed.hand.next({ task: 2, attempt: 2 })).finish();
    const ended = await again.ended;
    expectEnd(ended, 0);
    await cut.gone;
    const [first, second] = [to.spans.find((span) => span.name === 'choo run'), to.spans.find((span) => span.name === 'choo resume')];
    expect(second?.links).toEqual([{ traceId: first?.traceId, spanId: first?.spanId }]);
    expect(new Set(to.spans.map((span) => span.traceId)).size).toBe(1);
    const lost = to.spans.filter((span) => span.attributes['choo.ended'] === 'crash');
    expect(lost.map((span) => wayTo(span, to.spans)).toSorted()).toEqual(['choo run', 'choo run > unit', 'choo run > unit > task', 'choo run > unit > task > attempt', 'choo run > unit > task > attempt > invoke_agent command']);
    expect(lost.every((span) => span.end === at(died.events.at(-1)))).toBe(true);
    expect(stepsGot(to.spans.filter((span) => span.start >= (second?.start ?? 0)))).toEqual(stepsOf(ended.events));
  });

  it('is a part of its caller\'s trace, by TRACEPARENT', async ({ bed }) => {
    const to = await collector();
    bed.specs({ a: {} });
    const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    expectEnd(await bed.choo(['run'], { env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${to.address}/v1/traces`, TRACEPARENT: `00-${trace}-${span}-01` } }), 0);
    expect(to.spans.find((one) => one.name === 'choo run')).toMatchObject({ traceId: trace, parent: span });
    expect(new Set(to.spans.map((one) => one.traceId))).toEqual(new Set([trace]));
    expect(to.requests.map(({ path }) => path)).not.toContain('/v1/metrics');
  });

  it('sends nothing when it is not to: disabled, no exporter, a caller that samples nothing', async ({ bed }) => {
    const to = await collector();
    bed.specs({ a: {} });
    const never: Readonly<Record<string, string>>[] = [{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }, { TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', OTEL_METRICS_EXPORTER: 'none' }];
    for (const env of never) {
      bed.specs({ [`u${never.indexOf(env)}`]: {} });
      expectEnd(await bed.choo(['run'], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: to.address, ...env } }), 0);
    }
    expect(to.requests).toEqual([]);
  });
});

describe('a collector that does not do its part', () => {
  it.for(['away', 'refuse', 'silent', 'flood'] as const)('%s: the run is as it is without one, and says once what was lost', async (manner, { bed }) => {
    const to = await collector(manner === 'away' ? 'take' : manner);
    const { address } = to;
    if (manner === 'away') await to.close();
    bed.specs({ a: { tasks: 2 }, b: {} });
    const began = performance.now();
    const ended = await bed.choo(['run', '--json'], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: address } });
    const took = performance.now() - began;
    expectEnd(ended, 0);
    expectNothingLeft(bed);
    const last = Date.parse(ended.events.at(-1)?.time ?? '') - Date.parse(ended.events[0]?.time ?? '');
    expect(took - last).toBeLessThan(15_000);
    const lines = ended.stderr.split('\n').filter((line) => line.includes('telemetry'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(3);
    expect(ended.stderr).not.toContain('somebody else');
    if (manner === 'refuse') expect(lines.join('\n')).toMatch(/spans were not taken: it answers HTTP 500/);
  });

  it('a failing run keeps its exit code, with a protocol that is not spoken', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'exit 1', limits: { attempts: 1 } });
    const ended = await bed.choo(['run'], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } });
    expectEnd(ended, 1);
    expect(ended.stderr).toContain('only http/protobuf; nothing is sent');
  });
});
