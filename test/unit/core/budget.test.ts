// Budgets: what is set aside, charged and given back, who waits for it, and how it goes on. No world.

import { describe, expect, it } from 'vitest';
import { nextRelease } from '../../../src/core/agents.ts';
import type { Begun, EventBody, Settings } from '../../../src/core/event.ts';
import { evolve, stamp, unitNamed } from '../../../src/core/evolve.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { respond } from '../../../src/core/request.ts';
import type { Budget, Usage } from '../../../src/core/usage.ts';
import { NOTHING_USED, amountOf, charged, describeSpent, NOTHING_SPENT, priced } from '../../../src/core/usage.ts';
import { BROKEN, Game, RED, settings, troubled, unit } from './rig.ts';

const OUTPUT = { tail: '', log: '/log' };
const QUOTA: Failure = { kind: 'agent-trouble', agent: 'sim', trouble: 'quota', text: 'no more', output: OUTPUT };

function sim(budget: Budget | undefined, more: Parameters<typeof settings>[0] = {}): Settings {
  return settings({ agents: { '*': 'sim' }, ...(budget === undefined ? {} : { budget }), ...more });
}

const tokens = (n: number): Usage => ({ input: n, output: 0, cacheRead: 0, cacheWrite: 0 });
const dollars = (n: number): Usage => ({ ...tokens(1), usd: n });
const isAttempt = (b: Begun): b is Extract<Begun, { agent: string }> => 'agent' in b;

/** Attempts that work and used this much. */
function using(usage: Usage | undefined): (b: Begun) => EventBody | undefined {
  return (b) => (b.type === 'task.started' || b.type === 'task.retry'
    ? { type: 'task.attempted', unit: b.unit, task: b.task, attempt: b.attempt, ending: { code: 0 }, passedBefore: false, notes: [], ...(usage === undefined ? {} : { usage }) } : undefined);
}

const begun = (game: Game): number => game.events.filter((e) => 'cap' in e).length;

describe('the budget of a run', () => {
  const units = ['a', 'b', 'c', 'd'].map((id) => unit(id));

  it('sets the whole cap of each attempt aside, also of several begun in one breath, and begins none that does not fit', () => {
    const game = new Game(units, sim({ in: 'tokens', attempt: 10, run: 25 })).play(undefined, isAttempt);
    expect(game.state).toMatchObject({ reserved: 20, spent: { tokens: 0 } });
    expect(game.inFlight.map((b) => ('cap' in b ? b.cap : undefined))).toEqual([{ in: 'tokens', amount: 10 }, { in: 'tokens', amount: 10 }]);
    expect(game.of('unit.waiting').map((e) => [e.unit, e.for, e.text])).toEqual([
      ['c', 'budget', 'the run has used 0 tokens of budget.run (25 tokens), 20 tokens are set aside for running attempts, and an attempt may use 10 tokens'],
      ['d', 'budget', 'the run has used 0 tokens of budget.run (25 tokens), 20 tokens are set aside for running attempts, and an attempt may use 10 tokens'],
    ]);
    expect(game.state.slots).toBe(2);
    expect(nextRelease(game.state)).toBeUndefined();
  });

  it('gives back what an attempt did not use, and one that waited goes on', () => {
    const game = new Game(units, sim({ in: 'tokens', attempt: 10, run: 25 })).play(using(tokens(3)));
    expect(game.result).toMatchObject({ completedUnits: 4 });
    expect(game.state).toMatchObject({ reserved: 0, spent: { tokens: 12, usd: 0 } });
  });

  it('lets as many go on as there is room for, whichever of them cannot', () => {
    // a and b run; c has no room in its own budget any more; d and e have.
    const five = [...units, unit('e')].map((u) => (u.id === 'c' ? unit('c', { tasks: 2 }) : u));
    const game = new Game(five, sim({ in: 'tokens', attempt: 10, run: 62, unit: 19 }, { parallelism: 2 })).play(using(tokens(10)));
    expect(game.result).toMatchObject({ completedUnits: 4, waitingUnits: 1 });
    expect(game.of('unit.waiting').filter((e) => e.unit === 'c').at(-1)?.text).toMatch(/^the unit has used 10 tokens of budget.unit \(19 tokens\)/);
  });

  it('is asked again for the next one when the one that had room came to nothing', () => {
    const game = new Game(units, sim({ in: 'tokens', attempt: 10, run: 12 }, { parallelism: 4, limits: { failuresInARow: 9 } })).play((b) => {
      if (b.type === 'unit.started' && b.unit !== 'd') return b.unit === 'a' ? undefined : { type: 'unit.prepare.failed', unit: b.unit, failure: BROKEN };
      return using(tokens(1))(b);
    });
    expect(['a', 'b', 'c', 'd'].map((id) => game.phase(id))).toEqual(['landed', 'failed', 'failed', 'landed']);
    const again = new Game(units, sim({ in: 'tokens', attempt: 10, run: 12 })).play((b) => (isAttempt(b) && b.unit === 'b' ? troubled(b, QUOTA, { usage: NOTHING_USED }) : using(tokens(0))(b)));
    // b took its turn and met trouble, which holds the agent of all others, too.
    expect(again.of('unit.waiting').filter((e) => e.agent === 'sim').map((e) => e.unit).toSorted()).toEqual(['b', 'c', 'd']);
    again.now = again.wakeAt ?? 0;
    expect(again.play(using(tokens(0))).result.completedUnits).toBe(4);
  });

  it('charges the cap where usage could not be seen, and more than the cap where that was used', () => {
    const game = new Game(units, sim({ in: 'usd', attempt: 1, run: 2.9 })).play((b) => using(isAttempt(b) && b.unit === 'a' ? tokens(1000) : dollars(1.4))(b));
    expect(game.state.spent.usd).toBeCloseTo(2.4);
    expect(begun(game)).toBe(2);
    expect(game.result).toMatchObject({ completedUnits: 2, waitingUnits: 2, error: '2 units wait for the budget' });
    expect(game.result).toMatchObject({ failedUnits: 0 });
  });

  it('counts to the cent, however the fractions fall', () => {
    const ten = Array.from({ length: 10 }, (_, i) => unit(`u${i}`));
    const game = new Game(ten, sim({ in: 'usd', attempt: 0.1, run: 1 }, { parallelism: 1 })).play(using(dollars(0.1)));
    expect(game.result.completedUnits).toBe(10);
    expect(begun(game)).toBe(10);
    const more = new Game([...ten, unit('v')], sim({ in: 'usd', attempt: 0.1, run: 1 }, { parallelism: 3 })).play(using(dollars(0.1)));
    expect(more.result).toMatchObject({ completedUnits: 10, waitingUnits: 1 });
  });

  it('says what failed beside what waits', () => {
    const game = new Game(units, sim({ in: 'tokens', attempt: 10, run: 10 })).play((b) => (b.type === 'unit.started' && b.unit === 'b' ? { type: 'unit.prepare.failed', unit: 'b', failure: BROKEN } : using(tokens(10))(b)));
    expect(game.result).toMatchObject({ completedUnits: 1, failedUnits: 1, waitingUnits: 2, error: '1 unit failed, 2 units wait for the budget' });
  });

  it('keeps those that had not begun back while dispatch is paused', () => {
    const game = new Game(units, sim({ in: 'tokens', attempt: 10, run: 10 }, { limits: { failuresInARow: 1, attempts: 1 } }));
    game.play((b) => (b.type === 'task.backpressure' ? { type: 'task.validation.fail', unit: b.unit, task: 1, attempt: 1, failure: RED, notes: [] } : using(tokens(0))(b)), (b) => b.type === 'unit.started' && b.unit === 'd');
    expect(game.of('orch.paused')).toHaveLength(1);
    game.play(using(tokens(0)));
    expect(game.events.at(-1)?.type).toBe('orch.failed');
    expect(game.state).toMatchObject({ slots: 0, inFlight: 0, reserved: 0 });
  });
});

describe('a session after', () => {
  const after = (game: Game, budget: Budget | undefined): Game => {
    game.record({ type: 'orch.resumed', settings: sim(budget) });
    return game;
  };

  it('one that crashed charges the cap of every attempt that was at work', () => {
    const game = new Game([unit('a'), unit('b')], sim({ in: 'tokens', attempt: 10, run: 29 })).play(undefined, isAttempt);
    after(game, { in: 'tokens', attempt: 10, run: 29 }).settle();
    expect(game.state).toMatchObject({ reserved: 0, spent: { tokens: 20 } });
    expect(unitNamed(game.state, 'a')).toMatchObject({ spent: { tokens: 10 }, tasks: [{ spent: { tokens: 10 }, cuts: 1 }] });
    expect(game.play().result.error).toBe('2 units wait for the budget');
  });

  it('a raised budget goes on, and one that was taken away, too', () => {
    for (const budget of [{ in: 'tokens', attempt: 10, run: 40 } as const, { in: 'tokens', attempt: 2, run: 20 } as const, undefined]) {
      const game = new Game([unit('a'), unit('b'), unit('c')], sim({ in: 'tokens', attempt: 10, run: 12 })).play(using(tokens(10)));
      expect(game.result).toMatchObject({ completedUnits: 1, waitingUnits: 2 });
      expect(after(game, budget).play(using(tokens(2))).result.completedUnits).toBe(3);
    }
  });

  it('a budget in another currency counts what was seen in that', () => {
    const game = new Game([unit('a'), unit('b'), unit('c')], sim({ in: 'tokens', attempt: 100, run: 150 })).play(using({ ...tokens(100), usd: 2 }));
    after(game, { in: 'usd', attempt: 1, run: 3.7 }).play(using(dollars(0.6)));
    expect(game.state.spent.usd).toBeCloseTo(3.2);
    expect(game.state.reserved).toBe(0);
    expect(game.result).toMatchObject({ completedUnits: 3 });
  });

  it('a new plan keeps what was spent, of units that are gone and of what a crash cut, too', () => {
    const game = new Game([unit('a'), unit('b'), unit('c')], sim({ in: 'tokens', attempt: 10, run: 30 }, { parallelism: 2 })).play(using(tokens(7)), (b) => isAttempt(b) && b.unit !== 'a');
    expect(game.state).toMatchObject({ reserved: 20, spent: { tokens: 7 } });
    const pinned = { ...game.state.pinned, plan: { units: [unit('a'), unit('b')], complete: [] } };
    const s = evolve(game.state, stamp({ type: 'run.replanned', pinned, changes: { added: [], removed: ['c'], changed: [] } }, { seq: game.state.seq + 1, run: 1, now: 1 }));
    expect(s).toMatchObject({ reserved: 0, spent: { tokens: 27 } });
    expect(unitNamed(s, 'a').spent.tokens).toBe(7);
    expect(unitNamed(s, 'b')).toMatchObject({ spent: { tokens: 10 }, tasks: [{ spent: { tokens: 10 } }] });
    expect(s.parked.size).toBe(0);
  });

  it('keeps the number of troubles in a row through a new plan, holds nobody, and queues what waited', () => {
    const game = new Game([unit('a'), unit('b')], sim(undefined)).play((b) => (isAttempt(b) ? troubled(b, QUOTA) : undefined));
    const s = evolve(game.state, stamp({ type: 'run.replanned', pinned: game.state.pinned, changes: { added: [], removed: [], changed: [] } }, { seq: game.state.seq + 1, run: 1, now: 1 }));
    expect(s.held.get('sim')).toMatchObject({ active: false, tries: 1, waiting: new Set() });
    expect(s.count).toMatchObject({ waiting: 0, running: 2 });
  });
});

describe('a unit', () => {
  it('has a budget of its own, which mending uses, too', () => {
    let red = 0;
    const game = new Game([unit('a'), unit('b')], sim({ in: 'tokens', attempt: 10, unit: 25 })).play((b) => {
      if (b.type === 'unit.verifying' && b.unit === 'a' && red++ < 9) return { type: 'unit.verify.failed', unit: 'a', failure: RED, notes: [] };
      if (b.type === 'rework.started') return { type: 'rework.attempted', unit: b.unit, reason: b.reason, attempt: b.attempt, ending: { code: 0 }, notes: [], usage: tokens(9) };
      return using(tokens(8))(b);
    });
    expect(game.of('rework.started')).toHaveLength(1);
    expect(unitNamed(game.state, 'a').spent.tokens).toBe(17);
    expect(game.result).toMatchObject({ completedUnits: 1, waitingUnits: 1, error: '1 unit waits for the budget' });
  });

  it('that waits for the budget is not retried, but told what to do', () => {
    const game = new Game([unit('a')], sim({ in: 'usd', attempt: 10, run: 9 })).play();
    expect(respond(game.state, { do: 'retry', units: ['a'] }, 0)).toEqual({
      error: '`a` waits for the budget: the run has used $0.00 of budget.run ($9.00), and an attempt may use $10.00; raise it in the configuration, then `choo resume`',
    });
  });

  it('that is discarded after a crash is charged for the attempt that was at work', () => {
    const game = new Game([unit('a'), unit('b')], sim({ in: 'tokens', attempt: 10, run: 20 })).play(undefined, isAttempt);
    game.record({ type: 'unit.discarded', unit: 'a', backups: [] });
    expect(game.state).toMatchObject({ reserved: 10, spent: { tokens: 10 } });
    game.record({ type: 'orch.resumed', settings: sim({ in: 'tokens', attempt: 10, run: 30 }) });
    expect(game.play(using(tokens(1))).state).toMatchObject({ reserved: 0, spent: { tokens: 21 } });
    expect(game.phase('b')).toBe('landed');
  });

  it('that waits for room and is discarded leaves it to the next', () => {
    const game = new Game([unit('a'), unit('b'), unit('c')], sim({ in: 'tokens', attempt: 10, run: 10 })).play(undefined, isAttempt);
    expect(game.of('unit.waiting').map((e) => e.unit)).toEqual(['b', 'c']);
    game.record({ type: 'unit.discarded', unit: 'b', backups: [] });
    game.play(using(tokens(0)));
    expect(['a', 'b', 'c'].map((id) => game.phase(id))).toEqual(['landed', 'cancelled', 'landed']);
  });
});

describe('usage', () => {
  it.each([['NaN', Number.NaN], ['negative', -5], ['endless', Infinity]])('that is %s is none, so that the cap is charged', (_what, n) => {
    expect(charged(NOTHING_SPENT, { usage: { ...tokens(n), usd: n }, cap: { in: 'usd', amount: 3 } })).toEqual({ usd: 3, tokens: 0 });
    expect(amountOf(tokens(n), 'tokens')).toBeUndefined();
  });

  it('in money alone says nothing of tokens, and nothing used is nothing in both', () => {
    expect(amountOf({ ...tokens(0), usd: 1 }, 'tokens')).toBeUndefined();
    expect(charged({ usd: 1, tokens: 2 }, { usage: { ...tokens(0), usd: 1 }, cap: { in: 'tokens', amount: 50 } })).toEqual({ usd: 2, tokens: 52 });
    expect(charged({ usd: 1, tokens: 2 }, { usage: NOTHING_USED, cap: { in: 'tokens', amount: 50 } })).toEqual({ usd: 1, tokens: 2 });
  });

  it('gets its money from the table of prices where the agent names none', () => {
    const price = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 4 };
    expect(priced({ input: 1e6, output: 5e5, cacheRead: 1e6, cacheWrite: 25e4 }, price).usd).toBeCloseTo(3.1);
    expect(priced(dollars(7), price).usd).toBe(7);
    expect(priced(tokens(1), undefined)).not.toHaveProperty('usd');
    expect([describeSpent(NOTHING_SPENT), describeSpent({ usd: 0.012, tokens: 1234 })]).toEqual(['', '$0.0120, 1,234 tokens']);
  });
});
