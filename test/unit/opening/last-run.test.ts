// What a new run says about an open one: why it does not begin beside it, and what it does first instead.

import { describe, expect, it } from 'vitest';
import type { Begun, EventBody, Guard } from '../../../src/core/event.ts';
import { DEFAULT_LAND } from '../../../src/core/event.ts';
import { leftToDo, openRunRefusal } from '../../../src/opening/last-run.ts';
import { BROKEN, Game, failing, settings, unit } from '../core/rig.ts';

const hint = ({ state }: Game): string => openRunRefusal(state).diagnostics[0]?.hint ?? '';

const GUARD: Guard = { base: 'ignore', protect: 'approve', protected: ['x'] };
const CHANGES: EventBody = { type: 'unit.verified', unit: 'a', commit: 'c', parent: 'c', merged: false, protected: { paths: ['x'], base: 'base', head: 'c', approved: false }, notes: [] };

describe('the refusal to begin beside an open run', () => {
  const games: Readonly<Record<string, () => Game>> = {
    'nothing has failed': () => new Game([unit('a')]),
    'one failed': () => new Game([unit('a')]).play(failing('a')),
    'one waits for approval': () => new Game([unit('a')], settings(), GUARD).play((b) => (b.type === 'unit.verifying' ? CHANGES : undefined)),
    'it is paused': () => new Game([unit('a')]).play((b) => (b.type === 'trial.started' ? { type: 'trial.failed', failure: BROKEN } : undefined)),
    'all that is left depends on what was given up': () => {
      const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] })]).play(failing('a'));
      game.record({ type: 'unit.discarded', unit: 'a', backups: [] });
      return game;
    },
  };

  it.each(Object.keys(games))('names resume, retry and a new run, each once, when %s', (what) => {
    const text = hint(games[what]?.() ?? new Game([]));
    for (const command of ['choo resume', 'choo retry --failed', 'choo run --new']) expect(text.split(command)).toHaveLength(2);
  });

  it('begins with what is to be done', () => {
    expect(hint(games['one waits for approval']?.() ?? new Game([]))).toBe('to let it land: choo approve a && choo resume · to give failed units their attempts back: choo retry --failed · to leave it and begin anew: choo run --new');
    expect(hint(games['one failed']?.() ?? new Game([]))).toBe('to try failed units again: choo retry --failed && choo resume · to leave it and begin anew: choo run --new');
  });
});

describe('what a new run does first about a run whose units are all done with', () => {
  const landed = (o: { readonly diverted?: string }) => (b: Begun): EventBody | undefined => {
    if (b.type === 'run.advancing') return { type: 'run.not-advanced', text: 'local changes', fastForward: true };
    if (b.type === 'run.pushing') return { type: 'run.push.refused', reason: 'refused', text: 'no' };
    return b.type === 'batch.landing' ? { type: 'batch.landed', batch: b.batch, commit: 'c', ref: 'refs/heads/main', ...o } : undefined;
  };

  it('is what is really left to do', () => {
    const pushing = settings({ remote: { name: 'origin', ref: 'refs/heads/main' }, land: { ...DEFAULT_LAND, push: 'at-end' } });
    expect(leftToDo(new Game([unit('a')]).play(landed({ diverted: 'local changes' })).state)).toMatch(/^run 1 landed beside its target; /);
    expect(leftToDo(new Game([unit('a')], pushing).play(landed({})).state)).toMatch(/^what run 1 landed is not pushed; /);
    expect(leftToDo(new Game([unit('a')]).play(undefined, (b) => b.type === 'unit.finishing').state)).toBe('run 1 ended before it had cleared up after what it landed; finishing that first (then: choo run)');
  });
});
