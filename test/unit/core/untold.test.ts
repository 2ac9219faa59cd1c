// Who has not been told yet: kept over sessions until it is delivered or no longer so.

import { describe, expect, it } from 'vitest';
import type { EventBody, Settings } from '../../../src/core/event.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { must } from '../../../src/core/bug.ts';
import { Game, RED, failing, settings, unit } from './rig.ts';

const TELL: Settings['tell'] = { info: ['slack'], warning: ['slack'], critical: ['slack', 'webhook'], blocking: ['webhook'] };
const LIMITS = { limits: { attempts: 1 } };
const untold = (game: Game): readonly (readonly [string, readonly string[]])[] => [...game.state.untold.values()].map(({ escalation, to }) => [escalation.title.replace(/:.*/, ''), [...to]]);
const delivered = (game: Game, to: string): EventBody => ({ type: 'escalation.delivered', of: must(game.of('unit.failed')[0], 'a failure').seq, to, tries: 1 });

describe('an escalation', () => {
  it('is remembered where it is to be told, by severity, and the end of the session too', () => {
    const game = new Game([unit('a'), unit('b')], settings({ tell: TELL, ...LIMITS })).play(failing('a'));
    expect(untold(game)).toEqual([['unit a failed', ['slack', 'webhook']], ['run 1', ['slack']]]);
  });

  it('costs nothing where nobody is to be told', () => {
    expect(untold(new Game([unit('a')], settings(LIMITS)).play(failing('a')))).toEqual([]);
    expect(untold(new Game([unit('a')], settings({ tell: { ...TELL, critical: [], warning: [] }, ...LIMITS })).play(failing('a')))).toEqual([]);
  });

  it('is over when it is delivered everywhere; what was refused is left for the next session', () => {
    const game = new Game([unit('a')], settings({ tell: TELL, ...LIMITS })).play(failing('a'));
    game.record({ ...delivered(game, 'webhook'), type: 'escalation.failed', text: 'it answers 500' } as EventBody);
    expect(untold(game)[0]).toEqual(['unit a failed', ['slack', 'webhook']]);
    game.record(delivered(game, 'slack'));
    expect(untold(game)[0]).toEqual(['unit a failed', ['webhook']]);
    game.record(delivered(game, 'webhook'));
    expect(untold(game)).toEqual([['run 1', ['slack']]]);
  });

  it('that nobody heard is told by the next session when it is still so, and not when it is over', () => {
    const tell = settings({ tell: TELL, ...LIMITS });
    const still = new Game([unit('a')], tell).play(failing('a'));
    still.record({ type: 'orch.resumed', settings: tell });
    expect(untold(still)).toEqual([['unit a failed', ['slack', 'webhook']], ['run 1', ['slack']]]);
    const over = new Game([unit('a'), unit('b')], tell).play(failing('a'));
    over.record({ type: 'unit.retried', unit: 'a' });
    over.record({ type: 'orch.resumed', settings: tell });
    expect(untold(over).map(([title]) => title)).toEqual(['run 1']);
  });

  it('has a line for each thing told, whatever line breaks are in names and commands', () => {
    const said = (failure: Failure): readonly (readonly [string, readonly string[]])[] => {
      const game = new Game([unit('a')], settings({ tell: TELL, ...LIMITS })).play(failing('a', failure));
      return [...game.state.untold.values()].filter(({ escalation }) => escalation.unit === 'a').map(({ escalation: { title, detail } }) => [title, detail]);
    };
    expect(said({ kind: 'check-failed', check: 'task 1', command: 'set -e\ntrue\n\n  false\n', ending: { code: 1 }, output: { tail: 'red', log: '/log' } })).toEqual([['unit a failed: the check `set -e; true; false` failed with exit code 1', expect.arrayContaining(['| red'])]]);
    expect(said({ kind: 'outside-the-fence', changes: ['x\r\nCRITICAL all landed/'] })[0]?.[0]).toBe('unit a failed: something outside the unit\'s worktree and branch changed while the agent ran: x; CRITICAL all landed/');
    const game = new Game([unit('a')], settings({ tell: TELL, ...LIMITS }), { base: 'ignore', protect: 'approve', protected: ['x*'] }).play((b) => (b.type === 'unit.verifying' ? { type: 'unit.verified', unit: 'a', commit: 'c', parent: 'c', merged: false, protected: { paths: ['x\ny'], base: 'base', head: 'c', approved: false }, notes: [] } : undefined));
    expect([...game.state.untold.values()].find(({ escalation }) => escalation.unit === 'a')?.escalation.detail[0]).toBe('x; y');
  });

  it('names what is left and the next command at the end', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] }), unit('c')], settings({ tell: TELL, ...LIMITS })).play(failing('a', RED));
    const end = [...game.state.untold.values()].at(-1)?.escalation;
    expect(end).toMatchObject({ severity: 'warning', end: true, title: 'run 1: 1 of 3 units landed (1 unit failed)' });
    expect(end?.detail).toEqual(['landed: c', 'failed: a', 'blocked: b', 'look: choo status', 'again: choo retry --failed && choo resume']);
  });
});
