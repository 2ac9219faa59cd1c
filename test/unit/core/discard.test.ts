// A unit that a person gave up for good: what the run does without it, from wherever it stood. No world.

import { describe, expect, it } from 'vitest';
import { viewOf } from '../../../src/core/view.ts';
import { respond } from '../../../src/core/request.ts';
import { Game, failing, settings, unit, unprepared } from './rig.ts';

const DIAMOND = [unit('a'), unit('b', { dependsOn: ['a'] }), unit('c', { dependsOn: ['a'] }), unit('d', { dependsOn: ['b', 'c'] })];

function discard(game: Game, id: string): Game {
  game.record({ type: 'unit.discarded', unit: id, backups: [`refs/choo/backup/1/${id}/1`] });
  return game;
}

function resume(game: Game): Game {
  game.record({ type: 'orch.resumed', settings: settings() });
  return game.play();
}

describe('a discarded unit', () => {
  it('is cancelled, and with all others landed the run is over', () => {
    const game = discard(new Game([unit('a'), unit('b')]).play(failing('b')), 'b');
    expect(game.phase('b')).toBe('cancelled');
    expect(viewOf(game.state)).toMatchObject({ closed: true, counts: { landed: 1, cancelled: 1, failed: 0 } });
    expect(viewOf(game.state).units[1]).not.toHaveProperty('failure');
  });

  it('leaves what depends on it blocked, all the way down; the run ends and is not over', () => {
    const game = resume(discard(new Game(DIAMOND).play(unprepared(['a'])), 'a'));
    expect(['b', 'c', 'd'].map((id) => game.phase(id))).toEqual(['blocked', 'blocked', 'blocked']);
    expect(game.result).toMatchObject({ blockedUnits: 3, cancelledUnits: 1, failedUnits: 0, error: '3 units are blocked' });
    expect(viewOf(game.state).closed).toBe(false);
    for (const id of ['d', 'c', 'b']) discard(game, id);
    expect(viewOf(game.state).closed).toBe(true);
  });

  it('that had not begun is never begun, and blocks', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] }), unit('c')]);
    resume(discard(game, 'a'));
    expect(game.of('unit.started').map((e) => e.unit)).toEqual(['c']);
    expect(game.of('unit.blocked')).toMatchObject([{ unit: 'b', by: 'a' }]);
    resume(discard(game, 'b'));
    expect(game.events.at(-1)).toMatchObject({ type: 'orch.completed', result: { totalUnits: 3, completedUnits: 1, cancelledUnits: 2 } });
  });

  it('cannot be retried, landed or discarded again', () => {
    const game = discard(new Game([unit('a'), unit('b')]).play(failing('b')), 'b');
    expect(respond(game.state, { do: 'retry', units: ['b'] }, 0)).toEqual({ error: '`b` has not failed, it is cancelled' });
    expect(() => discard(game, 'b')).toThrow('b was discarded but is cancelled');
    expect(() => discard(game, 'a')).toThrow('a was discarded but is landed');
  });

  it('is forgotten wherever a crash left it, and the others land', () => {
    const units = [unit('a', { tasks: 2 }), unit('b'), unit('c')];
    const whole = new Game(units).play();
    for (let at = 3; at < whole.events.length; at++) {
      const game = new Game(units);
      for (const { seq, time: _, run: __, ...body } of whole.events.slice(2, at)) if (seq > 2) game.record(body);
      if (game.phase('a') === 'landed') continue;
      resume(discard(game, 'a'));
      expect([game.phase('b'), game.phase('c')], `after ${whole.events[at - 1]?.type} (${at})`).toEqual(['landed', 'landed']);
      expect(game.events.at(-1)?.type, `after ${whole.events[at - 1]?.type} (${at})`).toBe('orch.completed');
      expect(game.events.slice(at + 1).filter((e) => 'unit' in e && e.unit === 'a' && e.type !== 'unit.discarded'), `after ${whole.events[at - 1]?.type} (${at})`).toEqual([]);
      expect(game.state, `after ${whole.events[at - 1]?.type} (${at})`).toMatchObject({ inFlight: 0, slots: 0, count: { landed: 2, cancelled: 1, pending: 0, running: 0 } });
    }
  });
});
