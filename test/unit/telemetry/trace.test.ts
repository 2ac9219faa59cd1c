// Events to spans, on the stories of the simulator: sessions, crashes, stops, retries, pull requests.

import { describe, expect, it } from 'vitest';
import { isBegun } from '../../../src/core/event.ts';
import type { Event } from '../../../src/core/event.ts';
import { stamp, unitNamed } from '../../../src/core/evolve.ts';
import { DEFAULT_PULL } from '../../../src/core/pull-rules.ts';
import { pointsOf } from '../../../src/telemetry/measure.ts';
import type { Span } from '../../../src/telemetry/span.ts';
import { isAnswer, laneOf, STEPS } from '../../../src/telemetry/steps.ts';
import { Tracer } from '../../../src/telemetry/trace.ts';
import { Game, pullFacts, settings, unit } from '../core/rig.ts';
import type { Machine } from '../../sim/machine.ts';
import { simulate } from '../../sim/simulate.ts';

/** The events of one seed, from its first session to its last. */
async function story(seed: number): Promise<readonly Event[]> {
  let machine: Machine | undefined;
  await simulate({ seed, afterBad: (m) => { machine = m; } });
  return machine?.journal.events() ?? [];
}

function spansOf(events: readonly Event[]): readonly Span[] {
  const tracer = new Tracer();
  return [...events.flatMap((e) => tracer.take(e)), ...tracer.end()];
}

/** Seeds of the test; between them they have every kind of step. */
const SEEDS = [...Array.from({ length: 24 }, (_, i) => i + 1), 40];

describe('the spans of simulated runs', () => {
  const seen = new Set<string>();

  it.each(SEEDS)('seed %d: each begun step has one span, which ends with its answer; parents hold their children; nothing stays open', async (seed) => {
    const events = await story(seed);
    for (const e of events) if (isBegun(e)) seen.add(e.type);
    const spans = spansOf(events);
    expect(new Set(spans.map((span) => span.key)).size).toBe(spans.length);
    for (const e of events.filter(isBegun)) {
      const own = spans.filter((span) => span.key === `${e.seq}:${STEPS[e.type].kind}:${e.type}`);
      const answer = answerOf(e, events);
      expect(own.map((span) => [span.start, span.ended === 'event' ? span.end : 'cut'])).toEqual([[Date.parse(e.time), answer === undefined ? 'cut' : Math.max(Date.parse(answer.time), Date.parse(e.time))]]);
      expect(own[0]?.error).toBe(answer !== undefined && 'failure' in answer ? answer.failure.kind : undefined);
    }
    expect(misplaced(spans, events)).toEqual([]);
    expect(spansOf(events)).toEqual(spans);
  });

  it('have seen every kind of step that a run without a forge can take', () => {
    expect(Object.keys(STEPS).filter((type) => !seen.has(type) && !type.startsWith('pr.'))).toEqual([]);
  });
});

/** What a span of a kind may be a part of. */
const PARENTS: Readonly<Partial<Record<Span['kind'], RegExp>>> = {
  unit: /^session$/, task: /^unit$/, attempt: /^(task|unit)$/, agent: /^attempt$/, landing: /^unit$/, wait: /^unit$/, check: /^(attempt|task|unit|session|landing)$/, step: /^(session|unit|task|attempt|landing)$/,
};

/** Spans whose parent is of a wrong kind or does not hold them, and links that lead nowhere. A clock that is set back makes what began later seem to have begun before. */
function misplaced(spans: readonly Span[], events: readonly Event[]): readonly Span[] {
  const byKey = new Map(spans.map((span) => [span.key, span]));
  const steady = events.every((e, i) => e.time >= (events[i - 1]?.time ?? ''));
  return spans.filter((span) => {
    const parent = span.parent === undefined ? undefined : byKey.get(span.parent);
    const held = parent === undefined ? span.kind === 'session' : PARENTS[span.kind]?.test(parent.kind) === true && (!steady || parent.start <= span.start) && parent.end >= span.end;
    return !held || !span.links.every((link) => byKey.has(link));
  });
}

/** The event that answers a step: the next one on its lane, when that is no new session and no other step. */
function answerOf(begun: Event, events: readonly Event[]): Event | undefined {
  const lane = laneOf(begun);
  const later = events.filter((e) => e.seq > begun.seq);
  const next = later.find((e) => laneOf(e) === lane || e.type === 'orch.resumed' || ('unit' in begun && (e.type === 'unit.failed' || e.type === 'unit.discarded') && e.unit === begun.unit));
  return next !== undefined && laneOf(next) === lane && isAnswer(next) ? next : undefined;
}

describe('a run with a forge', () => {
  const FORGE = { repository: 'acme/shop on forge', remote: 'origin', ref: 'refs/heads/main', mark: '0a1b' };

  /** One unit, followed until somebody approves it. */
  function followed(): Game {
    const game = new Game([unit('a')], settings({ pull: DEFAULT_PULL }), FORGE);
    const play = (): unknown => game.play(undefined, (b) => b.type === 'pr.following');
    play();
    for (const approvedBy of [[], ['ann']]) {
      game.answer('pr.following', { type: 'pr.seen', unit: 'a', facts: pullFacts({ head: unitNamed(game.state, 'a').head ?? '', approvedBy }) }, 'a');
      play();
    }
    return game;
  }

  it('has the landing from the first push to the merge, with every step about the pull request below it', () => {
    const { events } = followed();
    expect(events.at(-1)?.type).toBe('orch.completed');
    const spans = spansOf(events);
    expect(misplaced(spans, events)).toEqual([]);
    const landings = spans.filter((span) => span.kind === 'landing');
    expect(landings).toMatchObject([{ unit: 'a', start: time(events, 'pr.publishing'), end: time(events, 'unit.merged'), attributes: { 'vcs.change.id': '1' } }]);
    const below = spans.filter((span) => span.parent === landings[0]?.key).map((span) => span.name);
    expect(new Set(below)).toEqual(new Set(['publish pull request', 'prove pull request', 'follow pull request', 'merge pull request']));
    expect(below.length).toBe(events.filter((e) => e.type.startsWith('pr.') && isBegun(e)).length);
  });

  function time(events: readonly Event[], type: Event['type']): number {
    return Date.parse(events.find((e) => e.type === type)?.time ?? '');
  }
});

describe('a run by hand', () => {
  const at = (second: number): number => Date.parse('2026-01-01T00:00:00.000Z') + second * 1000;

  it('measures tokens as the conventions count them, cost, attempts and checks', async () => {
    const spans = spansOf(await story(1));
    const points = spans.flatMap(pointsOf);
    expect(points.filter((p) => p.metric === 'choo.attempts')).toHaveLength(spans.filter((s) => s.kind === 'attempt').length);
    const agent: Span = {
      key: '1', kind: 'agent', name: 'invoke_agent claude', start: at(0), end: at(90), links: [], ended: 'event',
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.provider.name': 'anthropic', 'gen_ai.usage.input_tokens': 1200, 'gen_ai.usage.output_tokens': 30, 'choo.usage.cost': 0.5 },
    };
    const who = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.provider.name': 'anthropic' };
    expect(pointsOf(agent)).toEqual([
      { metric: 'gen_ai.client.operation.duration', value: 90, attributes: who },
      { metric: 'gen_ai.client.token.usage', value: 1200, attributes: { ...who, 'gen_ai.token.type': 'input' } },
      { metric: 'gen_ai.client.token.usage', value: 30, attributes: { ...who, 'gen_ai.token.type': 'output' } },
      { metric: 'choo.agent.cost', value: 0.5, attributes: who },
    ]);
  });

  it('takes events that belong to no session without a word', () => {
    expect(spansOf([stamp({ type: 'unit.retried', unit: 'a' }, { seq: 1, run: 1, now: at(0) })])).toEqual([]);
  });
});
