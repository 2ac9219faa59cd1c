// A forge in trouble, and sessions that end in the middle of a pull request's steps, in core.

import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/core/failure.ts';
import { respond } from '../../../src/core/request.ts';
import { FORGE, Talk, escalated, pulls } from './pull.rig.ts';
import { CUT, Game, unit } from './rig.ts';

describe('a forge that cannot be used', () => {
  const trouble = (reason: 'unreachable' | 'login' | 'rate', until?: number): Failure => ({ kind: 'forge', reason, text: 'no', ...(until === undefined ? {} : { until }) });

  it('is left alone, longer each time; units wait, nothing is counted, and it goes on by itself', () => {
    const talk = new Talk({ units: [unit('a'), unit('z')] });
    talk.game.answer('pr.following', { type: 'pr.step.failed', unit: 'a', failure: trouble('unreachable') }, 'a');
    talk.game.answer('pr.following', { type: 'pr.step.failed', unit: 'z', failure: trouble('unreachable') }, 'z');
    expect(talk.game.of('forge.held')).toMatchObject([{ reason: 'unreachable', tries: 1, until: new Date(talk.game.now + 30_000).toISOString() }]);
    expect(talk.game.inFlight).toEqual([]);
    expect(talk.game.wakeAt).toBe(talk.game.now + 30_000);
    talk.game.now += 30_000;
    talk.game.settle();
    expect(talk.game.inFlight.map((b) => b.type)).toEqual(['pr.following', 'pr.following']);
    talk.game.answer('pr.following', { type: 'pr.step.failed', unit: 'a', failure: trouble('rate', talk.game.now + 500_000) }, 'a');
    expect(talk.game.of('forge.held').at(-1)).toMatchObject({ tries: 2, until: new Date(talk.game.now + 500_000).toISOString() });
    expect(escalated(talk.game)).toHaveLength(1);
  });

  it('that refuses the login waits for a person; other work goes on, and the run ends with what is left', () => {
    const game = new Game([unit('a'), unit('z')], pulls(), FORGE).play((b) => (b.type === 'pr.publishing' ? { type: 'pr.step.failed', unit: b.unit, failure: trouble('login') } : undefined));
    expect(game.of('forge.held')).toMatchObject([{ reason: 'login', tries: 1 }]);
    expect(game.of('task.completed')).toHaveLength(2);
    expect(game.result).toMatchObject({ waitingUnits: 2, failedUnits: 0, error: 'acme/shop on forge refuses the login or what it may do: no' });
    expect(escalated(game)).toEqual([expect.stringMatching(/^critical: acme\/shop on forge refuses the login/)]);
    game.record({ type: 'orch.resumed', settings: pulls() });
    game.play();
    expect(game.events.at(-1)?.type).toBe('orch.completed');
    expect(game.of('task.started')).toHaveLength(2);
  });

  it('that refuses the login while people are waited for ends the session: nobody waits until they are late', () => {
    const talk = new Talk();
    talk.game.answer('pr.following', { type: 'pr.step.failed', unit: 'a', failure: trouble('login') }, 'a');
    expect(talk.game.result).toMatchObject({ waitingUnits: 1, failedUnits: 0 });
  });

  it('is tried again when a person says so', () => {
    const talk = new Talk({ units: [unit('a'), unit('z')] });
    talk.game.answer('pr.following', { type: 'pr.step.failed', unit: 'a', failure: trouble('login') }, 'a');
    expect(respond(talk.game.state, { do: 'retry', units: ['a'] }, 0)).toEqual({ events: [{ type: 'forge.released' }], answer: 'the forge is tried again' });
  });

  it('that says no to one thing ends that unit alone', () => {
    const game = new Game([unit('a')], pulls(), FORGE).play((b) => (b.type === 'pr.publishing' ? { type: 'pr.step.failed', unit: b.unit, failure: { kind: 'forge', reason: 'refused', text: 'no commits between' } } : undefined));
    expect(game.of('unit.failed')).toMatchObject([{ failure: { kind: 'forge', text: 'no commits between' } }]);
    expect(game.of('forge.held')).toEqual([]);
  });
});

describe('a session that ends in the middle', () => {
  it.each(['pr.publishing', 'pr.proving', 'pr.following', 'pr.merging'] as const)('in %s: the step is done again, and nothing is counted', (type) => {
    const game = new Game([unit('a')], pulls(), FORGE).play(() => undefined, (b) => b.type === type);
    expect(game.inFlight.map((b) => b.type)).toEqual([type]);
    game.record({ type: 'orch.resumed', settings: pulls() });
    game.play();
    expect(game.events.at(-1)?.type).toBe('orch.completed');
    expect(game.of('task.started')).toHaveLength(1);
  });

  it('after a step failed and before that was told: nothing more is done for the unit', () => {
    const game = new Game([unit('a')], pulls(), FORGE).play(() => undefined, (b) => b.type === 'pr.proving');
    game.record({ type: 'pr.step.failed', unit: 'a', failure: { kind: 'target-gone', ref: 'refs/heads/main' } });
    game.record({ type: 'orch.resumed', settings: pulls() });
    game.play();
    expect(game.of('pr.proving')).toHaveLength(1);
    expect(game.phase('a')).toBe('failed');
  });

  it('by a stop: following ends at once', () => {
    const talk = new Talk();
    talk.game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: talk.game.now });
    talk.game.answer('pr.following', { type: 'pr.step.failed', unit: 'a', failure: CUT });
    expect(talk.game.events.at(-1)?.type).toBe('orch.stopped');
  });
});
