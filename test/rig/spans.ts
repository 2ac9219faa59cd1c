// Spans beside the events of the same run: written down once more by hand, so that it agrees with the program only when both are right.

import type { Event } from '../../src/core/event.ts';
import type { GotSpan } from './collector.ts';

/** When an event was, ms; NaN when there was none. */
export const at = (e: Event | undefined): number => Date.parse(e?.time ?? '');

/** Steps as the public events tell them: what begins one, what ends it, and the name of its span. */
const STEPS: readonly { readonly begins: readonly Event['type'][]; readonly ends: readonly Event['type'][]; readonly name: RegExp }[] = [
  { begins: ['task.started', 'task.retry'], ends: ['task.attempted', 'task.attempt.failed'], name: /^invoke_agent / },
  { begins: ['task.backpressure'], ends: ['task.validation.ok', 'task.validation.fail'], name: /^check task$/ },
  { begins: ['unit.started'], ends: ['unit.prepared', 'unit.prepare.failed'], name: /^prepare worktree$/ },
  { begins: ['unit.verifying'], ends: ['unit.verified', 'unit.verify.failed'], name: /^check unit$/ },
  { begins: ['batch.proving'], ends: ['batch.proved', 'batch.proof.failed'], name: /^prove batch$/ },
  { begins: ['batch.landing'], ends: ['batch.landed', 'batch.land.failed'], name: /^move target$/ },
  { begins: ['trial.started'], ends: ['trial.ok', 'trial.failed'], name: /^trial$/ },
];

/** Every step that the events tell of: unit, begin and end; by name. */
export function stepsOf(events: readonly Event[]): readonly string[] {
  return STEPS.flatMap(({ begins, ends, name }) => events.filter((e) => begins.includes(e.type)).map((begun) => {
    const same = (e: Event): boolean => ('unit' in begun ? 'unit' in e && e.unit === begun.unit : !('batch' in begun) || ('batch' in e && e.batch === begun.batch));
    const end = events.find((e) => e.seq > begun.seq && ends.includes(e.type) && same(e));
    return `${name.source} ${'unit' in begun ? begun.unit : ''} ${at(begun)} ${at(end)}`;
  })).toSorted();
}

/** The same of spans. */
export function stepsGot(spans: readonly GotSpan[]): readonly string[] {
  return STEPS.flatMap(({ name }) => spans.filter((span) => name.test(span.name)).map((span) => `${name.source} ${String(span.attributes['choo.unit.id'] ?? '')} ${span.start} ${span.end}`)).toSorted();
}

/** Names from the session down to the span. */
export function wayTo(span: GotSpan, spans: readonly GotSpan[]): string {
  const parent = spans.find((one) => one.spanId === span.parent);
  return parent === undefined ? span.name : `${wayTo(parent, spans)} > ${span.name}`;
}
