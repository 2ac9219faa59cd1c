// `review.stack` in core: units that begin on top of an open pull request, and what becomes of them when that lands, closes or fails.

import { describe, expect, it } from 'vitest';
import type { Begun, EventBody, Settings } from '../../../src/core/event.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import { baseOf } from '../../../src/core/pull.ts';
import type { PullFacts } from '../../../src/core/pull-facts.ts';
import { DEFAULT_PULL } from '../../../src/core/pull-rules.ts';
import type { ForgeTarget } from '../../../src/core/pull-rules.ts';
import type { Unit } from '../../../src/core/plan.ts';
import { BROKEN, Game, pullFacts, settings, unit } from './rig.ts';

const FORGE: ForgeTarget = { repository: 'acme/shop on forge', remote: 'origin', ref: 'refs/heads/main', mark: '0a1b' };
const STACK: Settings = settings({ pull: { ...DEFAULT_PULL, stack: true } });
const CHAIN = [unit('a'), unit('b', { dependsOn: ['a'] }), unit('c', { dependsOn: ['b'] })];

/** Plays until everything waits for people; a unit that is woken is told what is known of it already. */
function play(game: Game, answers: (b: Begun) => EventBody | undefined = () => undefined): Game {
  game.play(answers, (b) => b.type === 'pr.following');
  for (const woken of game.of('pr.waking')) {
    const waiting = game.inFlight.find((b) => b.type === 'pr.following' && b.unit === woken.unit && b.seq < woken.seq);
    if (waiting === undefined) continue;
    say(game, woken.unit, unitNamed(game.state, woken.unit).pull?.facts ?? {});
  }
  return game;
}

function say(game: Game, id: string, facts: Partial<PullFacts>): void {
  const u = unitNamed(game.state, id);
  game.answer('pr.following', { type: 'pr.seen', unit: id, facts: pullFacts({ head: u.head ?? '', base: u.pull?.base ?? '', ...facts }) }, id);
  play(game);
}

function begun(units: readonly Unit[], s: Settings = STACK): Game {
  return play(new Game(units, s, FORGE));
}

describe('a stack of pull requests', () => {
  it('each begins as soon as the one below is open for review, and names its branch', () => {
    const game = begun(CHAIN);
    expect(game.of('unit.started').map((e) => e.unit)).toEqual(['a', 'b', 'c']);
    expect(game.of('pr.published').filter((e) => e.ready).map((e) => [e.unit, e.base])).toEqual([['a', 'main'], ['b', 'choo/unit/a/1-0a1b'], ['c', 'choo/unit/b/1-0a1b']]);
    expect(['a', 'b', 'c'].map((id) => game.phase(id))).toEqual(['waiting', 'waiting', 'waiting']);
  });

  it('without it, nothing begins before what it depends on has landed', () => {
    expect(begun(CHAIN, settings({ pull: DEFAULT_PULL })).of('unit.started').map((e) => e.unit)).toEqual(['a']);
  });

  it('an approved one waits until the one below has landed; then it goes to the target and is merged', () => {
    const game = begun(CHAIN);
    say(game, 'b', { approvedBy: ['ann'] });
    expect(game.of('pr.merging')).toEqual([]);
    say(game, 'a', { approvedBy: ['ann'] });
    expect(game.phase('a')).toBe('landed');
    expect(baseOf(game.state, unitNamed(game.state, 'b'))).toBe('main');
    expect(game.of('pr.published').filter((e) => e.unit === 'b').at(-1)?.base).toBe('main');
    // With another base it is read anew.
    say(game, 'b', { approvedBy: ['ann'] });
    expect(game.phase('b')).toBe('landed');
    say(game, 'c', { approvedBy: ['ann'] });
    expect(game.events.at(-1)?.type).toBe('orch.completed');
  });

  it('the branch of one that landed stays as long as one that stands on it is just being opened there', () => {
    const game = new Game(CHAIN.slice(0, 2), STACK, FORGE);
    const held = (b: Begun): boolean => b.type === 'pr.following' || (b.type === 'pr.publishing' && b.unit === 'b');
    game.play(undefined, held);
    const [a, b] = ['a', 'b'].map((id) => unitNamed(game.state, id));
    game.answer('pr.following', { type: 'pr.seen', unit: 'a', facts: pullFacts({ head: a?.head ?? '', base: 'main', approvedBy: ['ann'] }) }, 'a');
    game.play(undefined, held);
    expect(game.phase('a')).toBe('landed');
    expect(game.of('unit.finishing')).toEqual([]);
    game.answer('pr.publishing', { type: 'pr.published', unit: 'b', commit: b?.head ?? '', number: 2, url: 'https://forge/pull/2', ready: false, created: true, base: 'choo/unit/a/1-0a1b', answered: [], notes: [] }, 'b');
    play(game);
    expect(game.of('unit.finishing').map((e) => e.unit)).toEqual(['a']);
    expect(game.of('pr.published').filter((e) => e.unit === 'b').map((e) => e.base)).toEqual(['choo/unit/a/1-0a1b', 'main']);
  });

  it('one with two dependencies begins when only one of them has not landed', () => {
    const game = begun([unit('a'), unit('b'), unit('z', { dependsOn: ['a', 'b'] })]);
    expect(game.of('unit.started').map((e) => e.unit)).toEqual(['a', 'b']);
    say(game, 'a', { approvedBy: ['ann'] });
    expect(game.of('unit.started').map((e) => e.unit)).toEqual(['a', 'b', 'z']);
    expect(unitNamed(game.state, 'z').stackedOn).toBe('b');
    say(game, 'b', { approvedBy: ['ann'] });
    say(game, 'z', { approvedBy: ['ann'] });
    expect(game.events.at(-1)?.type).toBe('orch.completed');
    expect(game.of('unit.queued').map((e) => e.unit)).toEqual(['a', 'b', 'z']);
  });

  it('closed below: what stands on it is a person\'s, what had not begun is blocked', () => {
    const game = begun(CHAIN.slice(0, 2));
    say(game, 'a', { state: 'closed' });
    expect(game.phase('a')).toBe('cancelled');
    expect(game.of('unit.failed')).toMatchObject([{ unit: 'b', failure: { kind: 'not-merged', text: 'the pull request that it stands on, of a, was closed' } }]);
    const slow = play(new Game(CHAIN.slice(0, 2), { ...STACK, parallelism: 1 }, FORGE), (b) => (b.type === 'unit.started' && b.unit === 'b' ? { type: 'unit.prepare.failed', unit: 'b', failure: BROKEN } : undefined));
    expect(slow.phase('b')).toBe('failed');
  });

  it('failed below before it had begun: it is blocked, and begins when that is open again', () => {
    const game = new Game([unit('a'), unit('x'), unit('b', { dependsOn: ['a'] })], { ...STACK, parallelism: 1 }, FORGE);
    // While x has the only slot, a is open for review, and b waits for its turn.
    game.play(() => undefined, (b) => b.type === 'pr.following' || (b.type === 'task.started' && b.unit === 'x'));
    expect(game.of('unit.queued').map((e) => e.unit)).toContain('b');
    game.answer('pr.following', { type: 'pr.step.failed', unit: 'a', failure: { kind: 'yielded', url: 'u', branch: 'b' } }, 'a');
    expect([game.phase('a'), game.phase('b')]).toEqual(['failed', 'blocked']);
    play(game);
    expect(game.of('unit.started').map((e) => e.unit)).toEqual(['a', 'x']);
    game.record({ type: 'unit.retried', unit: 'a' });
    play(game);
    expect(game.of('unit.started').map((e) => e.unit)).toEqual(['a', 'x', 'b']);
  });
});
