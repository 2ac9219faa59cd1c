// Agents that cannot work: who waits, until when, who goes on; which agent and model an attempt gets. No world.

import { describe, expect, it } from 'vitest';
import type { Begun, EventBody, Settings } from '../../../src/core/event.ts';
import { isBegun } from '../../../src/core/event.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import type { Failure, TroubleKind } from '../../../src/core/failure.ts';
import { respond } from '../../../src/core/request.ts';
import { viewOf } from '../../../src/core/view.ts';
import { Game, RED, settings, troubled, unit } from './rig.ts';

const MINUTE = 60_000;
const OUTPUT = { tail: '', log: '/log' };

function trouble(kind: TroubleKind, until?: number): Extract<Failure, { kind: 'agent-trouble' }> {
  return { kind: 'agent-trouble', agent: 'sim', trouble: kind, text: `no more ${kind}`, output: OUTPUT, ...(until === undefined ? {} : { until }) };
}

function sim(more: Parameters<typeof settings>[0] = {}): Settings {
  return settings({ agents: { '*': 'sim' }, ...more });
}

const isAttempt = (b: Begun): b is Extract<Begun, { agent: string }> => 'agent' in b;

/** Its agent meets trouble at each attempt; others work. */
function meets(agent: string, failure: (b: Begun) => Extract<Failure, { kind: 'agent-trouble' }>): (b: Begun) => EventBody | undefined {
  return (b) => (isAttempt(b) && b.agent === agent ? troubled(b, { ...failure(b), agent }) : undefined);
}

const agents = (game: Game): string[] => game.events.flatMap((e) => (isBegun(e) && isAttempt(e) ? [`${e.unit}:${e.agent}`] : []));

describe('an agent that met trouble', () => {
  it('is held until the moment it named; then its unit goes on, and the attempt did not count', () => {
    let bad = true;
    const until = 1_000_000 + 90 * MINUTE;
    const game = new Game([unit('a')], sim({ limits: { attempts: 1 } })).play((b) => (bad ? meets('sim', () => trouble('quota', until))(b) : undefined));
    expect(game.of('agent.held')).toMatchObject([{ agent: 'sim', reason: 'quota', tries: 1, until: new Date(until).toISOString() }]);
    expect(game.of('unit.waiting')).toMatchObject([{ unit: 'a', for: 'quota', agent: 'sim', text: 'no more quota' }]);
    expect(game.wakeAt).toBe(until);
    expect(viewOf(game.state).units[0]).toMatchObject({ state: 'waiting', waiting: { for: 'quota', agent: 'sim', until: new Date(until).toISOString() } });
    bad = false;
    game.now = until - 1;
    expect(game.settle()).toEqual([]);
    game.now = until;
    expect(game.play().phase('a')).toBe('landed');
    expect(game.of('agent.released')).toHaveLength(1);
    expect(unitNamed(game.state, 'a').tasks[0]).toMatchObject({ used: 2, failed: 0 });
    expect(game.result).toMatchObject({ completedUnits: 1, waitingUnits: 0 });
    expect(viewOf(game.state).units[0]).not.toHaveProperty('waiting');
  });

  it.each([['quota', 1, 60], ['overload', 0.5, 15]] as const)('is tried again after longer and longer when it named no moment (%s)', (kind, first, longest) => {
    const game = new Game([unit('a')], sim());
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      game.play(meets('sim', () => trouble(kind)));
      waits.push(((game.wakeAt ?? 0) - game.now) / MINUTE);
      game.now = game.wakeAt ?? 0;
    }
    expect(waits.slice(0, 4)).toEqual([first, first * 2, first * 4, first * 8]);
    expect(waits.at(-1)).toBe(longest);
    expect(game.of('unit.failed')).toEqual([]);
    expect(game.of('agent.held').at(-1)).toMatchObject({ tries: 12 });
  });

  it.each([['over already', -MINUTE], ['no number', Number.NaN], ['beyond all reason', 1e15], ['minus infinity', -Infinity], ['infinity', Infinity]])('may name a moment that is %s', (_what, named) => {
    const game = new Game([unit('a')], sim()).play(meets('sim', () => trouble('quota', 1_000_000 + named)));
    expect((game.wakeAt ?? 0) - game.now).toBe(named > 0 ? 8 * 1440 * MINUTE : MINUTE);
  });

  it.each([['quota', [1, 60, 120, 240], 3600], ['overload', [1, 30, 60, 120], 900]] as const)('that names a near moment again and again is tried after longer and longer all the same (%s)', (kind, first, longest) => {
    const game = new Game([unit('a')], sim());
    const waits: number[] = [];
    for (let n = 0; n < 14; n++) {
      game.play(meets('sim', () => trouble(kind, game.now + 1000)));
      waits.push(((game.wakeAt ?? 0) - game.now) / 1000);
      game.now = game.wakeAt ?? 0;
    }
    expect(waits.slice(0, 4)).toEqual(first);
    expect(waits.at(-1)).toBe(longest);
    // A far one is believed whatever came before.
    game.play(meets('sim', () => trouble(kind, game.now + 300 * MINUTE)));
    expect((game.wakeAt ?? 0) - game.now).toBe(300 * MINUTE);
  });

  it('is told about once, however many of its attempts meet it at once, and after it worked the first wait is short again', () => {
    const units = ['a', 'b', 'c', 'd'].map((id) => unit(id, { tasks: 2 }));
    let bad = true;
    const game = new Game(units, sim()).play((b) => (bad ? meets('sim', () => trouble('overload'))(b) : undefined));
    expect(game.of('agent.held')).toHaveLength(1);
    expect(game.of('unit.waiting').map((e) => e.unit)).toEqual(['a', 'b', 'c', 'd']);
    expect(game.state.slots).toBe(0);
    game.now = game.wakeAt ?? 0;
    bad = false;
    game.play((b) => (isAttempt(b) && 'task' in b && b.task === 2 && b.attempt === 1 ? troubled(b, trouble('overload')) : undefined));
    expect(game.of('agent.held').map((e) => e.tries)).toEqual([1, 1]);
    game.now = game.wakeAt ?? 0;
    expect(game.play().result.completedUnits).toBe(4);
  });

  it('does not hold back units of other agents, and what depends on a waiting unit waits unblocked', () => {
    const game = new Game([unit('a'), unit('b'), unit('c', { dependsOn: ['a'] })], sim({ agents: { '*': 'sim', b: 'other' } })).play(meets('sim', () => trouble('login')));
    expect(['a', 'b', 'c'].map((id) => game.phase(id))).toEqual(['waiting', 'landed', 'pending']);
    expect(game.result).toMatchObject({ completedUnits: 1, failedUnits: 0, blockedUnits: 0, waitingUnits: 2, error: '1 unit waits for the agent sim' });
    expect(game.of('unit.waiting')).toMatchObject([{ for: 'person', text: 'no more login' }]);
    expect(game.state.count).toMatchObject({ waiting: 1, pending: 1, landed: 1, running: 0 });
  });

  it.each(['login', 'setup'] as const)('waits for a person who sees to it (%s): the session ends, the next one tries again', (kind) => {
    const game = new Game([unit('a')], sim()).play(meets('sim', () => trouble(kind, 5_000_000)));
    expect(game.of('agent.held')[0]).not.toHaveProperty('until');
    expect(game.events.at(-1)?.type).toBe('orch.failed');
    game.record({ type: 'orch.resumed', settings: sim() });
    expect(game.play().phase('a')).toBe('landed');
    expect(unitNamed(game.state, 'a').tasks[0]).toMatchObject({ failed: 0, cuts: 0 });
  });

  it('does not count against mending either', () => {
    let n = 0;
    const game = new Game([unit('a')], sim({ limits: { attempts: 1 } })).play((b) => {
      if (b.type === 'unit.verifying' && n++ === 0) return { type: 'unit.verify.failed', unit: 'a', failure: RED, notes: [] };
      return b.type === 'rework.started' && b.attempt === 1 ? troubled(b, trouble('quota')) : undefined;
    });
    game.now = game.wakeAt ?? 0;
    game.play();
    expect(game.of('rework.started').map((e) => [e.attempt, e.because])).toEqual([[1, RED], [2, RED]]);
    expect(game.of('rework.started')[1]).not.toHaveProperty('also');
    expect(game.phase('a')).toBe('landed');
  });

  it('ends the session although others would be free later, when a pause keeps all of them from beginning', () => {
    const game = new Game([unit('a'), unit('b'), unit('c')], sim({ parallelism: 1, limits: { failuresInARow: 1 }, agents: { a: 'sim', b: 'sim', c: 'other' } }));
    game.play((b) => (b.type === 'unit.started' && b.unit === 'a' ? { type: 'unit.prepare.failed', unit: 'a', failure: RED } : undefined));
    expect(game.result.error).toMatch(/^paused/);
    game.record({ type: 'orch.resumed', settings: sim({ parallelism: 2, agents: { '*': 'sim', c: 'other' }, limits: { failuresInARow: 1, attempts: 1 } }) });
    game.play((b) => {
      if (b.type === 'task.started' && b.unit === 'b') return troubled(b, trouble('quota'));
      return b.type === 'task.started' ? { type: 'task.attempt.failed', unit: b.unit, task: 1, attempt: 1, failure: RED, notes: [] } : undefined;
    });
    // b had begun: it is waited for in spite of the pause.
    expect([game.phase('b'), game.phase('c')]).toEqual(['waiting', 'failed']);
    expect(game.wakeAt).toBeDefined();
    game.now = game.wakeAt ?? 0;
    expect(game.play().phase('b')).toBe('landed');
  });
});

describe('a stop and a resume', () => {
  const waiting = (): Game => new Game([unit('a'), unit('b')], sim()).play(meets('sim', () => trouble('quota', 9_000_000)));

  it('end the wait', () => {
    const game = waiting();
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: game.now });
    expect(game.settle().map((e) => e.type)).toEqual(['orch.stopped']);
    expect(game.result).toMatchObject({ cancelledUnits: 2, waitingUnits: 0 });
    game.record({ type: 'orch.resumed', settings: sim() });
    expect(game.play().result).toMatchObject({ completedUnits: 2 });
    expect(game.state).toMatchObject({ slots: 0, inFlight: 0 });
    expect(game.state.parked.size).toBe(0);
  });

  it('tell of trouble that a crash kept from being told, and forget what was held', () => {
    const game = new Game([unit('a')], sim()).play(undefined, isAttempt);
    const [begun] = game.inFlight;
    if (begun === undefined || !isAttempt(begun)) throw new Error('no attempt');
    game.record(troubled(begun, trouble('login')));
    game.record({ type: 'orch.resumed', settings: sim() });
    game.play();
    expect(game.of('agent.held')).toHaveLength(1);
    expect(game.phase('a')).toBe('waiting');
    expect(game.state.count).toMatchObject({ waiting: 1, pending: 0, running: 0 });
  });
});

describe('a fallback', () => {
  const rules = { sim: { model: 'big', fallback: 'other' }, other: { model: 'small' } };

  it('takes over while the agent is held, with its own model, and gives back', () => {
    const game = new Game([unit('a', { tasks: 2 })], sim({ rules })).play((b) => (b.type === 'task.started' && b.agent === 'sim' && b.attempt === 1 && b.task === 1 ? troubled(b, trouble('quota')) : undefined), (b) => b.type === 'task.started' && b.task === 2);
    expect(game.of('task.started').map((e) => [e.agent, e.model])).toEqual([['sim', 'big'], ['other', 'small'], ['other', 'small']]);
    expect(game.of('unit.waiting')).toEqual([]);
    expect(game.play().phase('a')).toBe('landed');
  });

  it('that is held, too, is waited for together with the agent: whoever is back first goes on', () => {
    for (const [of, other, goes] of [['login', 'quota', 'other'], ['quota', 'login', 'sim'], ['quota', 'overload', 'other']] as const) {
      let bad = true;
      const game = new Game([unit('a')], sim({ rules })).play((b) => (bad ? meets('sim', () => trouble(of))(b) ?? meets('other', () => trouble(other))(b) : undefined));
      expect(game.of('unit.waiting')).toMatchObject([{ for: 'quota', agent: goes }]);
      bad = false;
      game.now = game.wakeAt ?? 0;
      expect(game.play().phase('a')).toBe('landed');
      expect(agents(game)).toEqual(['a:sim', 'a:other', `a:${goes}`]);
    }
  });

  it('that is the agent itself is none', () => {
    const game = new Game([unit('a')], sim({ rules: { sim: { fallback: 'sim' } } })).play(meets('sim', () => trouble('login')));
    expect(game.result.waitingUnits).toBe(1);
  });
});

describe('a list of attempts', () => {
  const rules = { sim: { model: 'own', attempts: [{ model: 'small' }, {}, { agent: 'other', model: 'large' }] }, other: { model: 'its own' } };
  const red = (most: number) => (b: Begun): EventBody | undefined => (b.type === 'task.backpressure' && b.attempt <= most ? { type: 'task.validation.fail', unit: b.unit, task: b.task, attempt: b.attempt, failure: RED, notes: [] } : undefined);

  it('says which agent and model each attempt gets, the last for all further ones', () => {
    const game = new Game([unit('a')], sim({ rules, limits: { attempts: 5 } })).play(red(4));
    expect([...game.of('task.started'), ...game.of('task.retry')].map((e) => [e.agent, e.model])).toEqual([['sim', 'small'], ['sim', 'own'], ['other', 'large'], ['other', 'large'], ['other', 'large']]);
  });

  it('is not moved along by trouble or cuts, and begins anew for a mending', () => {
    let n = 0;
    const game = new Game([unit('a')], sim({ rules })).play((b) => {
      if (b.type === 'task.started' && b.attempt === 1) return troubled(b, trouble('quota'));
      return b.type === 'unit.verifying' && n++ < 2 ? { type: 'unit.verify.failed', unit: 'a', failure: RED, notes: [] } : undefined;
    });
    game.now = game.wakeAt ?? 0;
    game.play((b) => (b.type === 'unit.verifying' && n++ < 2 ? { type: 'unit.verify.failed', unit: 'a', failure: RED, notes: [] } : undefined));
    expect(game.of('task.started').map((e) => e.model)).toEqual(['small', 'small']);
    expect(game.of('rework.started').map((e) => [e.agent, e.model])).toEqual([['sim', 'small'], ['sim', 'own']]);
  });

  it('knows rules only by their own names', () => {
    const game = new Game([unit('constructor')], settings({ agents: { '*': 'constructor' }, rules: {} })).play();
    expect(game.of('task.started')[0]).toMatchObject({ agent: 'constructor' });
  });
});

describe('retry of a unit that waits', () => {
  it('has its agents tried again, once each, and nothing else', () => {
    let bad = true;
    const game = new Game([unit('a'), unit('b')], sim({ rules: { sim: { fallback: 'other' } } })).play((b) => (bad ? meets('sim', () => trouble('login'))(b) ?? meets('other', () => trouble('setup'))(b) : undefined));
    const response = respond(game.state, { do: 'retry', units: ['a', 'b'] }, game.now);
    expect(response).toEqual({ events: [{ type: 'agent.released', agent: 'sim' }, { type: 'agent.released', agent: 'other' }], answer: 'tried again: sim, other' });
    expect(respond(game.state, { do: 'retry', units: [] }, game.now)).toEqual({ error: 'no unit has failed; `choo retry UNIT` has the agent that a unit waits for tried again' });
    bad = false;
    // At rest, as the session has ended; then the next one.
    for (const body of 'events' in response ? response.events : []) game.record(body);
    game.record({ type: 'orch.resumed', settings: sim() });
    expect(game.play().result.completedUnits).toBe(2);
  });

  it('live, while others work, brings it back at once', () => {
    const game = new Game([unit('a'), unit('b')], sim({ agents: { a: 'sim', b: 'other' } }));
    game.play((b) => meets('sim', () => trouble('login'))(b), (b) => isAttempt(b) && b.agent === 'other');
    game.record({ type: 'agent.released', agent: 'sim' });
    expect(game.settle().map((e) => e.type)).toEqual(['task.started']);
    expect(game.phase('a')).toBe('running');
    expect(game.play().result.completedUnits).toBe(2);
  });
});

describe('a waiting unit that a person discards', () => {
  it('waits no more and does not come back', () => {
    const game = new Game([unit('a'), unit('b'), unit('c', { dependsOn: ['a'] })], sim()).play(meets('sim', () => trouble('login')));
    game.record({ type: 'unit.discarded', unit: 'a', backups: [] });
    expect(game.state.parked.size).toBe(1);
    game.record({ type: 'agent.released', agent: 'sim' });
    game.record({ type: 'orch.resumed', settings: sim() });
    game.play();
    expect(['a', 'b', 'c'].map((id) => game.phase(id))).toEqual(['cancelled', 'landed', 'blocked']);
    expect(game.state.count).toMatchObject({ cancelled: 1, landed: 1, blocked: 1, waiting: 0, pending: 0, running: 0 });
  });
});
