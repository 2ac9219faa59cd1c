// What the comment on a pull request is to say: the newest trouble of its unit, and that it is over; of nothing else.

import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/core/event.ts';
import type { PullFacts } from '../../../src/core/pull-facts.ts';
import { DEFAULT_PULL } from '../../../src/core/pull-rules.ts';
import { failing, Game, pullFacts, RED, settings, unit } from './rig.ts';

const FORGE = { repository: 'acme/shop on forge', remote: 'origin', ref: 'refs/heads/main', mark: '0a1b' };
const HERE = ['pull-request'];
const TELL: NonNullable<Settings['tell']> = { info: ['slack'], warning: HERE, critical: [...HERE, 'slack'], blocking: HERE };

/** Until the unit waits for people. */
function reviewing(more: Partial<Settings> = {}): Game {
  return new Game([unit('a')], settings({ pull: DEFAULT_PULL, tell: TELL, ...more }), FORGE).play(() => undefined, (b) => b.type === 'pr.following');
}
const say = (game: Game, facts: Partial<PullFacts>): Game => {
  game.answer('pr.following', { type: 'pr.seen', unit: 'a', facts: pullFacts({ head: game.state.units[0]?.head ?? '', ...facts }) });
  return game;
};
const late = (game: Game): Game => {
  game.record({ type: 'pr.late', unit: 'a' });
  return game;
};
const APPROVED: Partial<PullFacts> = { approvedBy: ['ann'] };
const untold = (game: Game): readonly unknown[] => [...game.state.untold.values()].map(({ escalation: { title, pull, over }, to }) => [title.split(/[:;]/)[0], pull, over ?? false, [...to]]);

describe('what a pull request is told', () => {
  it('is about a unit that has one', () => {
    expect(untold(late(reviewing()))).toEqual([['unit a waits for a review longer than review.timeout', 1, false, HERE]]);
  });

  it('is nothing of a unit without one, of the run or of its end', () => {
    const game = new Game([unit('a')], settings({ pull: DEFAULT_PULL, tell: { ...TELL, warning: [...HERE, 'slack'] }, limits: { attempts: 1 } }), FORGE).play(failing('a'));
    expect(untold(game)).toEqual([['unit a failed', undefined, false, ['slack']], ['run 1', undefined, false, ['slack']]]);
  });

  it('is the newest: what nobody was told there before need not be told any more', () => {
    const game = say(late(reviewing()), APPROVED);
    game.answer('pr.merging', { type: 'pr.refused', unit: 'a', text: 'a rule' });
    expect(untold(game)).toEqual([['the forge does not merge the pull request of unit a', 1, false, HERE]]);
    // Elsewhere both are told.
    expect(untold(late(reviewing({ tell: { ...TELL, warning: [...HERE, 'slack'] } }))).at(-1)).toMatchObject({ 3: [...HERE, 'slack'] });
  });

  it('is over when the unit goes on', () => {
    const game = say(late(reviewing()), { feedback: [{ id: 'x', kind: 'comment', who: 'ann', text: 'rename it' }], refusedBy: ['ann'] });
    expect(game.of('rework.started')).toHaveLength(1);
    expect(untold(game)).toEqual([['unit a goes on', 1, true, HERE]]);
  });

  it('is over when it landed, once, and that outlives the session', () => {
    const game = say(late(reviewing()), APPROVED);
    game.play();
    expect(untold(game)).toEqual([[expect.stringMatching(/^unit a landed as /), 1, true, HERE], ['run 1', undefined, false, ['slack']]]);
    game.record({ type: 'orch.resumed', settings: settings({ pull: DEFAULT_PULL, tell: TELL }) });
    expect(untold(game)[0]).toMatchObject({ 1: 1, 2: true });
  });

  it('is not over when what landed is red, and says nothing where there was nothing', () => {
    const red = say(late(reviewing()), APPROVED);
    red.play((b) => (b.type === 'pr.merging' ? { type: 'pr.merged', unit: 'a', number: 1, commit: 'c', head: red.state.units[0]?.head ?? '', red: RED, notes: [] } : undefined));
    expect(untold(red)[0]).toEqual(['unit a was merged by the forge as c, and its proof fails there', 1, false, [...HERE, 'slack']]);
    const well = say(reviewing(), APPROVED);
    well.play();
    expect(untold(well)).toHaveLength(1);
  });
});
