// What is counted and measured of a run: points for metrics, from the spans that ended. Pure.

import type { Attributes, Span } from './span.ts';
import { ATTR, CHOO } from './names.ts';

/** One measurement. */
export interface Point {
  readonly metric: MetricName;
  readonly value: number;
  readonly attributes: Attributes;
}

/** Bounds for times of seconds up to hours, s. */
const TIMES = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];
/** As the conventions want it. */
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];

/** Every metric there is. `buckets`: bounds of its histogram; without them it is a sum that only grows. */
export const METRICS = {
  'gen_ai.client.token.usage': { unit: '{token}', description: 'Number of input and output tokens used.', buckets: TOKENS },
  'gen_ai.client.operation.duration': { unit: 's', description: 'GenAI operation duration.', buckets: TIMES },
  'choo.agent.cost': { unit: '{USD}', description: 'What agents reported to have cost.' },
  'choo.attempts': { unit: '{attempt}', description: 'Attempts that ended, by what they were for and how they ended.' },
  'choo.check.duration': { unit: 's', description: 'How long checks took.', buckets: TIMES },
  'choo.units': { unit: '{unit}', description: 'Units that landed, failed or were given up.' },
  'choo.landing.duration': { unit: 's', description: 'From joining a batch or publishing a pull request to being landed or sent back.', buckets: TIMES },
  'choo.wait.duration': { unit: 's', description: 'How long units waited for quota, budget, people or each other.', buckets: TIMES },
} as const satisfies Record<string, { readonly unit: string; readonly description: string; readonly buckets?: readonly number[] }>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;

/** What a span that ended adds to the metrics. */
export function pointsOf(span: Span): readonly Point[] {
  const seconds = (span.end - span.start) / 1000;
  const failed = { ...pick(span.attributes, [ATTR.errorType]), ...(span.ended === 'event' ? {} : { [CHOO.ended]: span.ended }) };
  switch (span.kind) {
    case 'agent': return ofAgent(span, { seconds, failed });
    case 'attempt': return [{ metric: 'choo.attempts', value: 1, attributes: { ...pick(span.attributes, [CHOO.purpose]), ...failed } }];
    case 'check': return [{ metric: 'choo.check.duration', value: seconds, attributes: { ...pick(span.attributes, [CHOO.check]), ...failed } }];
    case 'landing': return [{ metric: 'choo.landing.duration', value: seconds, attributes: failed }];
    case 'wait': return [{ metric: 'choo.wait.duration', value: seconds, attributes: pick(span.attributes, [CHOO.waitFor]) }];
    case 'unit': return CHOO.result in span.attributes ? [{ metric: 'choo.units', value: 1, attributes: { ...pick(span.attributes, [CHOO.result]), ...pick(span.attributes, [ATTR.errorType]) } }] : [];
    default: return [];
  }
}

function ofAgent(span: Span, o: { readonly seconds: number; readonly failed: Attributes }): readonly Point[] {
  const who = pick(span.attributes, [ATTR.operation, ATTR.provider, ATTR.requestModel, ATTR.responseModel, ATTR.agent]);
  const tokens = ([['input', ATTR.inputTokens], ['output', ATTR.outputTokens]] as const).flatMap(([type, key]): Point[] => {
    const value = span.attributes[key];
    return typeof value === 'number' ? [{ metric: 'gen_ai.client.token.usage', value, attributes: { ...who, [ATTR.tokenType]: type } }] : [];
  });
  const usd = span.attributes[CHOO.usd];
  return [
    { metric: 'gen_ai.client.operation.duration', value: o.seconds, attributes: { ...who, ...o.failed } }, ...tokens,
    ...(typeof usd === 'number' && usd > 0 ? [{ metric: 'choo.agent.cost' as const, value: usd, attributes: who }] : []),
  ];
}

function pick(from: Attributes, keys: readonly string[]): Attributes {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));
}
