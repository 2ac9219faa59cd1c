// What a person is told to do about a run at rest: the same wherever it is told, and a command that does something.

import { expect, it } from 'vitest';
import { adviceFor, describeAdvice } from '../../../src/core/advice.ts';
import type { Begun, EventBody } from '../../../src/core/event.ts';
import { BY_HAND } from '../../../src/core/failure.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { isOpen } from '../../../src/core/open.ts';
import { viewOf } from '../../../src/core/view.ts';
import { renderStatus } from '../../../src/show/status.ts';
import { renderSummary } from '../../../src/show/summary.ts';
import { Game, candidate, failing, settings, unit } from './rig.ts';

const advice = ({ state }: Game): readonly string[] => adviceFor(viewOf(state)).map(describeAdvice);
const status = ({ state, now }: Game): string => renderStatus({ view: viewOf(state), at: 'rest', now }, { color: false });
const summary = ({ state, result, now }: Game): string => renderSummary({ view: viewOf(state), result, now, color: false });
const CONFLICT: Failure = { kind: 'conflict', conflict: 'foreign-change', paths: ['x'], onto: '0a1b2c' };
const SETUP: EventBody = { type: 'trial.failed', failure: { kind: 'setup-failed', command: 'npm ci\nmake\n', ending: { code: 1 }, output: { tail: 'no network', log: '/run/trial.log' } } };

const TELL = settings({ tell: { info: [], warning: ['x'], critical: [], blocking: [] } });

function discard(game: Game, id: string): Game {
  game.record({ type: 'unit.discarded', unit: id, backups: [] });
  game.record({ type: 'orch.resumed', settings: TELL });
  return game.play();
}

it('a unit that failed gets its attempts back; where others can move they need not wait for that', () => {
  const units = [unit('a'), unit('b', { dependsOn: ['a'] }), unit('c')];
  expect(advice(new Game(units).play(failing('a')))).toEqual(['to try failed units again: choo retry --failed && choo resume']);
  expect(advice(new Game(units).play(failing('a'), (b) => 'unit' in b && b.unit === 'c'))).toEqual(['to try failed units again: choo retry --failed && choo resume', 'to go on without them: choo resume']);
});

it('what depends on a unit that was given up is given up, too, and not retried', () => {
  const game = discard(new Game([unit('a'), unit('b', { dependsOn: ['a'] })], TELL).play(failing('a')), 'a');
  const told = ['what is blocked depends on what was given up; to end the run: choo cleanup --discard b', 'to begin anew: choo run --new'];
  expect(advice(game)).toEqual(told);
  expect(status(game)).toContain(`\n${told.join('\n')}\n`);
  expect([...game.state.untold.values()].at(-1)?.escalation.detail.slice(-2)).toEqual(told);
});

it('of many that are to be given up ten are named, in a command that can be typed as it is', () => {
  const units = [unit('a'), ...Array.from({ length: 12 }, (_, i) => unit(`it's${i + 10}`, { dependsOn: ['a'] }))];
  const game = discard(new Game(units).play(failing('a')), 'a');
  const [first] = adviceFor(viewOf(game.state));
  expect(first?.to).toBe('what is blocked depends on what was given up; to end the run, with 2 more after these');
  expect(first?.command).toBe(`choo cleanup ${Array.from({ length: 10 }, (_, i) => `--discard 'it'\\''s${i + 10}'`).join(' ')}`);
});

it('what landed beside the target is brought there by the same command when some were given up', () => {
  const beside = (b: Begun): EventBody | undefined => {
    if (b.type === 'run.advancing') return { type: 'run.not-advanced', text: 'local changes', fastForward: true };
    if (b.type === 'batch.landing') return { type: 'batch.landed', batch: b.batch, commit: 'c', ref: 'refs/heads/choo/run/1', diverted: 'local changes' };
    return failing('b')(b);
  };
  const game = new Game([unit('a'), unit('b')], TELL).play(beside);
  game.record({ type: 'unit.discarded', unit: 'b', backups: [] });
  game.record({ type: 'orch.resumed', settings: TELL });
  game.play(beside);
  const told = 'all that landed is on choo/run/1; to bring it to the target: git merge --ff-only choo/run/1';
  expect(advice(game)).toEqual([told]);
  expect(status(game)).toContain(`\n${told}\n`);
  expect([...game.state.untold.values()].at(-1)?.escalation.detail.at(-1)).toBe(told);
  expect(summary(game).split('\n').filter((line) => /choo resume|git merge/.test(line))).toEqual(['what landed is on choo/run/1; when the target is free:  git merge --ff-only choo/run/1']);
});

it('a session that died before it had cleared up after what landed has left something to do, for everybody who asks', () => {
  const game = new Game([unit('a')]).play(undefined, (b) => b.type === 'unit.finishing');
  expect(game.phase('a')).toBe('landed');
  expect([isOpen(game.state), viewOf(game.state).closed]).toEqual([true, false]);
  expect(advice(game)).toEqual(['to go on: choo resume']);
  expect(status(game)).toMatch(/: at rest, 1 of 1 unit landed[^]*\nto go on: choo resume\n/);
  game.answer('unit.finishing', { type: 'unit.completed', unit: 'a', notes: [] });
  expect([isOpen(game.state), viewOf(game.state).closed]).toEqual([false, true]);
});

it('a conflict can be resolved by hand, and that is told wherever the run is looked at', () => {
  const tell = settings({ tell: { info: [], warning: [], critical: [], blocking: ['x'] } });
  const game = new Game([unit('a')], tell).play((b) => (b.type === 'batch.merging' ? { ...candidate({ ...b, units: [] }), failed: [{ unit: 'a', failure: CONFLICT }] } : undefined));
  expect(advice(game)).toEqual([
    `to resolve the conflict of a by hand (${BY_HAND}): cd /w/a && git merge 0a1b2c`,
    'then, or to have agents try again: choo retry --failed && choo resume',
  ]);
  expect([...game.state.untold.values()].flatMap(({ escalation }) => escalation.detail)).toContain(`  (${BY_HAND})`);
  expect(viewOf(game.state).units[0]?.failure?.byHand).toBe('cd /w/a && git merge 0a1b2c');
  for (const text of [status(game), summary(game)]) expect(text).toMatch(/by hand.*: +cd \/w\/a && git merge 0a1b2c\n/);
});

it('a setup command that fails is named with its log, and what waits is called what it is', () => {
  const game = new Game([unit('a')]).play((b) => (b.type === 'trial.started' ? SETUP : undefined));
  const why = 'paused: the trial worktree could not be made ready: the setup command `npm ci; make` failed with exit code 1';
  expect(status(game)).toContain(`\n${why}\nlog: /run/trial.log\nmend the cause, then: choo resume\n`);
  expect(summary(game)).toContain(`0 of 1 unit landed, 1 pending, 0.0s (${why})`);
  expect(summary(game)).toContain('\nlog:    /run/trial.log\nmend the cause, then:  choo resume\n');
});

it('one that waits for approval is told apart from one that is behind it', () => {
  const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] })], settings(), { base: 'ignore', protect: 'approve', protected: ['x'] })
    .play((b) => (b.type === 'unit.verifying' ? { type: 'unit.verified', unit: 'a', commit: 'c', parent: 'c', merged: false, protected: { paths: ['x'], base: 'base', head: 'c', approved: false }, notes: [] } : undefined));
  expect(summary(game)).toMatch(/0 of 2 units landed, 1 waiting, 1 pending,[^]*waiting +a[^]*pending +b/);
  expect(advice(game)).toEqual(['to let it land: choo approve a && choo resume']);
});
