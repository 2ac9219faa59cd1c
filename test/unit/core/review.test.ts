// Reviews by another agent, in memory: when one is due, what findings lead to, and who never reviews.

import { describe, expect, it } from 'vitest';
import type { Begun, EventBody, EventOf, ReviewRules } from '../../../src/core/event.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import type { Failure, Finding } from '../../../src/core/failure.ts';
import { CUT, Game, RED, settings, troubled, unit } from './rig.ts';

const RULES: ReviewRules = { agent: 'critic', mode: 'advisory', rounds: 1, verbose: true };
const MUST: Finding = { severity: 'must', path: 'a.ts', line: 3, text: 'it forgets zero' };
const ADVICE: Finding = { severity: 'advice', text: 'a shorter name' };
const SILENT: Failure = { kind: 'no-review', agent: 'critic', detail: 'there is no file', output: { tail: '', log: '/l' } };

const reviewed = (rules: Partial<ReviewRules> = {}, more: Parameters<typeof settings>[0] = {}): ReturnType<typeof settings> => settings({ ...more, review: { ...RULES, ...rules } });
const finds = (b: EventOf<'review.started'>, findings: readonly Finding[]): EventBody => ({ type: 'review.ended', unit: b.unit, attempt: b.attempt, findings, notes: [] });
const order = (game: Game, ...types: readonly string[]): readonly string[] => game.events.filter((e) => types.includes(e.type)).map((e) => e.type);

describe('a finished unit', () => {
  it('is reviewed once, after its checks and before it lands, by the reviewing agent and its model', () => {
    const game = new Game([unit('a', { tasks: 2 })], reviewed({ model: 'big' })).play(() => undefined);
    expect(order(game, 'unit.verified', 'review.started', 'review.ended', 'unit.merged')).toEqual(['unit.verified', 'review.started', 'review.ended', 'unit.merged']);
    expect(game.of('review.started')).toMatchObject([{ unit: 'a', attempt: 1, agent: 'critic', model: 'big', log: 'logs/a/review-1.log' }]);
    expect(game.of('task.started').map((e) => e.agent)).toEqual(['command', 'command']);
  });

  it('is not reviewed where nobody asked for it', () => {
    expect(new Game([unit('a')]).play(() => undefined).of('review.started')).toEqual([]);
  });

  it('lands with advice, and no agent is bothered', () => {
    const game = new Game([unit('a')], reviewed({ mode: 'blocking' })).play((b) => (b.type === 'review.started' ? finds(b, [ADVICE]) : undefined));
    expect(game.of('rework.started')).toEqual([]);
    expect(game.phase('a')).toBe('landed');
  });

  it('goes back to its own agent with what must be mended, is proved, reviewed again and lands', () => {
    const game = new Game([unit('a')], reviewed()).play((b) => (b.type === 'review.started' ? finds(b, b.attempt === 1 ? [MUST, ADVICE] : []) : undefined));
    expect(game.of('rework.started')).toMatchObject([{ reason: 'review', agent: 'command', because: { kind: 'review', agent: 'critic', findings: [MUST] } }]);
    expect(game.of('unit.verifying').map((e) => e.scope)).toEqual(['baseline', 'proof']);
    expect(game.of('review.started')).toHaveLength(2);
    expect(game.phase('a')).toBe('landed');
  });

  it.each([['advisory', 'landed'], ['blocking', 'failed']] as const)('whose findings are not mended: %s, so it has %s', (mode, phase) => {
    const game = new Game([unit('a')], reviewed({ mode, rounds: 2 })).play((b) => (b.type === 'review.started' ? finds(b, [MUST]) : undefined));
    expect(game.of('rework.started')).toHaveLength(2);
    expect(game.of('review.started')).toHaveLength(3);
    expect(game.phase('a')).toBe(phase);
    expect(game.of('unit.failed').map((e) => e.failure)).toEqual(phase === 'failed' ? [{ kind: 'review', agent: 'critic', findings: [MUST] }] : []);
  });

  it('that failed its review and is retried is reviewed again, with all rounds given back', () => {
    const game = new Game([unit('a')], reviewed({ mode: 'blocking' })).play((b) => (b.type === 'review.started' ? finds(b, [MUST]) : undefined));
    game.record({ type: 'unit.retried', unit: 'a' });
    game.record({ type: 'orch.resumed', settings: reviewed({ mode: 'blocking' }) });
    game.play((b) => (b.type === 'review.started' && b.attempt < 4 ? finds(b, [MUST]) : undefined));
    expect(game.of('review.started').map((e) => e.attempt)).toEqual([1, 2, 3, 4]);
    expect(game.phase('a')).toBe('landed');
  });
});

describe('what an agent writes after a review', () => {
  it.each([['blocking', 2], ['advisory', 1]] as const)('to mend what a proof found: %s reviews make it %d', (mode, count) => {
    let red = true;
    const game = new Game([unit('a')], reviewed({ mode })).play((b) => {
      if (b.type === 'rework.started') red = false;
      return b.type === 'batch.proving' && red ? { type: 'batch.proof.failed', batch: b.batch, commit: b.commit, failure: RED, notes: [] } : undefined;
    });
    expect(game.of('review.started')).toHaveLength(count);
    expect(game.phase('a')).toBe('landed');
  });
});

describe('a reviewer', () => {
  const silent = (b: Begun): EventBody | undefined => (b.type === 'review.started' ? troubled(b, SILENT) : undefined);

  it('that leaves no review is asked again; then the unit lands, and that is told', () => {
    const game = new Game([unit('a')], reviewed({}, { limits: { attempts: 2 } })).play(silent);
    expect(game.of('review.started')).toHaveLength(2);
    expect(game.phase('a')).toBe('landed');
    expect(unitNamed(game.state, 'a').notes).toMatchObject([{ kind: 'not-reviewed', text: expect.stringContaining('critic') as string }]);
  });

  it('that leaves no review where reviews block: the unit fails and stays reviewable', () => {
    const game = new Game([unit('a')], reviewed({ mode: 'blocking' }, { limits: { attempts: 2 } })).play(silent);
    expect(game.phase('a')).toBe('failed');
    expect(game.of('unit.failed')).toMatchObject([{ failure: SILENT }]);
    expect(unitNamed(game.state, 'a').next).toEqual({ step: 'review' });
  });

  it('that is cut costs nothing and is begun again', () => {
    const game = new Game([unit('a')], reviewed({ mode: 'blocking' }, { limits: { attempts: 1 } })).play((b) => (b.type === 'review.started' && b.attempt === 1 ? troubled(b, CUT) : undefined));
    expect(game.of('review.started')).toHaveLength(2);
    expect(game.phase('a')).toBe('landed');
  });

  it('in trouble is waited for, and its fallback, which may have written it, does not step in', () => {
    const trouble: Failure = { kind: 'agent-trouble', agent: 'critic', trouble: 'login', text: 'who are you', output: { tail: '', log: '/l' } };
    const rules = { critic: { fallback: 'command' } };
    const game = new Game([unit('a'), unit('b')], reviewed({}, { rules, parallelism: 1 })).play((b) => (b.type === 'review.started' ? troubled(b, trouble) : undefined));
    expect(game.of('review.started').map((e) => e.agent)).toEqual(['critic']);
    expect(game.of('unit.waiting')).toMatchObject([{ unit: 'a', for: 'person', agent: 'critic' }, { unit: 'b', for: 'person', agent: 'critic' }]);
    expect(game.of('task.started')).toHaveLength(2);
  });

  it('has its cap set aside and is charged like every other session', () => {
    const budget = { in: 'tokens' as const, attempt: 100, run: 250 };
    const game = new Game([unit('a')], reviewed({}, { budget })).play((b) => {
      if (b.type === 'task.started') return { type: 'task.attempted', unit: 'a', task: 1, attempt: 1, ending: { code: 0 }, passedBefore: false, notes: [], usage: { input: 60, output: 0, cacheRead: 0, cacheWrite: 0 } };
      return b.type === 'review.started' ? { ...finds(b, []), usage: { input: 30, output: 0, cacheRead: 0, cacheWrite: 0 } } as EventBody : undefined;
    });
    expect(game.of('review.started')).toMatchObject([{ cap: { in: 'tokens', amount: 100 } }]);
    expect(game.state.spent.tokens).toBe(90);
    expect(game.state.reserved).toBe(0);
  });

  it('that was switched off meanwhile keeps nobody waiting', () => {
    const game = new Game([unit('a')], reviewed()).play((b) => (b.type === 'review.started' ? troubled(b, { ...SILENT, kind: 'agent-trouble', trouble: 'login', text: 'no' }) : undefined));
    expect(game.phase('a')).toBe('waiting');
    game.record({ type: 'orch.resumed', settings: settings() });
    game.play(() => undefined);
    expect(game.phase('a')).toBe('landed');
  });
});
