// Approvals, refusals and known failures in core: who waits, who goes back, what is known. No world.

import { describe, expect, it } from 'vitest';
import type { EventBody, Guard, ProtectedChange } from '../../../src/core/event.ts';
import { diffCommand } from '../../../src/core/approval.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import { compareRed, redOf } from '../../../src/core/red.ts';
import { parseRequest, respond } from '../../../src/core/request.ts';
import { viewOf } from '../../../src/core/view.ts';
import { Game, settings, unit } from './rig.ts';
import type { Answers } from './rig.ts';

const guard = (more: Partial<Guard>): Guard => ({ base: 'ignore', protect: 'report', protected: ['ci/**'], ...more });
const CHANGE: ProtectedChange = { base: 'base', head: 'a-verified', paths: ['ci/x'] };

/** Unit a changes a protected path each time it is verified; `approved` says whether a person has seen that. */
function changing(approved = (): boolean => false, times = Infinity): Answers {
  let n = 0;
  return (b): EventBody | undefined => (b.type === 'unit.verifying' && b.unit === 'a' && n++ < times
    ? { type: 'unit.verified', unit: 'a', commit: 'a-verified', parent: 'base', merged: false, notes: [], protected: { ...CHANGE, approved: approved() } } : undefined);
}

function approve(game: Game, ...units: string[]): void {
  const response = respond(game.state, { do: 'approve', units }, game.now);
  if ('error' in response) throw new Error(response.error);
  for (const event of response.events) game.record(event);
}

describe('a unit that changes what is protected', () => {
  it('lands and is told of where that is only reported', () => {
    const game = new Game([unit('a')], settings(), guard({})).play(changing());
    expect(game.phase('a')).toBe('landed');
    expect(viewOf(game.state).units[0]).toMatchObject({ protected: { paths: ['ci/x'], approved: false } });
  });

  it('waits without a slot while others go on; when nothing else can move the run ends, and a new session leaves it waiting', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] }), unit('c')], settings({ parallelism: 1 }), guard({ protect: 'approve' })).play(changing());
    expect(['a', 'b', 'c'].map((id) => game.phase(id))).toEqual(['waiting', 'pending', 'landed']);
    expect(game.of('unit.waiting')).toMatchObject([{ unit: 'a', for: 'approval', change: CHANGE }]);
    expect(game.result).toMatchObject({ completedUnits: 1, waitingUnits: 2, error: '1 unit waits for approval' });
    expect(game.state.slots).toBe(0);
    game.record({ type: 'orch.resumed', settings: settings() });
    game.play(changing());
    expect(game.phase('a')).toBe('waiting');
    expect(game.of('unit.waiting')).toHaveLength(1);
    expect(respond(game.state, { do: 'retry', units: ['a'] }, 0)).toEqual({ error: '`a` waits for approval: `choo approve a`' });
    approve(game, 'a');
    game.record({ type: 'orch.resumed', settings: settings() });
    game.play();
    expect(['a', 'b'].map((id) => game.phase(id))).toEqual(['landed', 'landed']);
    expect(unitNamed(game.state, 'a').approval).toEqual(CHANGE);
  });

  it('can be approved only while it waits', () => {
    const game = new Game([unit('a'), unit('b')], settings(), guard({ protect: 'approve' })).play(changing());
    expect(respond(game.state, { do: 'approve', units: ['b'] }, 0)).toEqual({ error: '`b` does not wait for approval, it is landed' });
    expect(respond(game.state, { do: 'approve', units: ['x'] }, 0)).toEqual({ error: 'run 1 has no unit `x`' });
    expect(respond(game.state, { do: 'approve', units: [] }, 0)).toEqual({ error: 'name the units to approve' });
    expect(respond(game.state, { do: 'approve', units: ['a', 'a'] }, 0)).toEqual({ events: [{ type: 'unit.approved', unit: 'a', change: CHANGE }], answer: 'approved: a (ci/x)' });
    expect(parseRequest({ do: 'approve', units: ['a'] })).toEqual({ do: 'approve', units: ['a'] });
    expect(parseRequest({ do: 'approve', units: [1] })).toBeUndefined();
  });

  it('waits no more once it is given up', () => {
    const game = new Game([unit('a')], settings(), guard({ protect: 'approve' })).play(changing());
    game.record({ type: 'unit.discarded', unit: 'a', backups: [] });
    expect(game.state.awaiting.size).toBe(0);
    expect(game.phase('a')).toBe('cancelled');
  });

  it('goes back to its agent where that is refused, as often as there are attempts, and lands when it is put back', () => {
    const mended = new Game([unit('a')], settings(), guard({ protect: 'refuse' })).play(changing(undefined, 1));
    expect(mended.of('rework.started')).toMatchObject([{ reason: 'baseline', because: { kind: 'protected-paths', paths: ['ci/x'], base: 'base' } }]);
    expect(mended.phase('a')).toBe('landed');
    const never = new Game([unit('a')], settings({ limits: { attempts: 2 } }), guard({ protect: 'refuse' })).play(changing());
    expect(never.of('rework.started')).toHaveLength(2);
    expect(never.of('unit.failed')).toMatchObject([{ failure: { kind: 'protected-paths' } }]);
  });

  it('is shown by a command that no name of a file can break', () => {
    expect(diffCommand(CHANGE)).toBe('git diff base a-verified -- ci/x');
    expect(diffCommand({ ...CHANGE, paths: ["it's", ':(top)x'] })).toBe("git --literal-pathspecs diff base a-verified -- 'it'\\''s' ':(top)x'");
    expect(diffCommand({ ...CHANGE, paths: ['a\nb'] })).toBe('git diff base a-verified');
  });
});

const CHECK = { name: 'tests', command: 'tests' };
const TAP = (...failing: string[]): { text: string; whole: boolean } => ({ text: `${failing.map((name, i) => `not ok ${i + 1} - ${name}\n`).join('')}1..${failing.length}\n`, whole: true });

describe('a failure that was there before', () => {
  it('is the same by its exit code, and by its tests where they are told', () => {
    const named = { ...CHECK, recogniser: 'tap' as const };
    const red = { code: 1, failing: ['a', 'b'] };
    expect(compareRed(red, CHECK, { ending: { code: 1 } })).toEqual({ still: { code: 1 } });
    expect(compareRed(red, CHECK, { ending: { code: 2 } })).toEqual({ beyond: { was: 1 } });
    expect(compareRed(red, CHECK, { ending: { code: null, signal: 'SIGKILL' } })).toEqual({ beyond: { was: 1 } });
    expect(compareRed(red, CHECK, { ending: { code: 1, limit: 'total' } })).toEqual({ beyond: { was: 1 } });
    expect(compareRed(red, named, { ending: { code: 1 }, output: TAP('b') })).toEqual({ still: { code: 1, failing: ['b'] } });
    expect(compareRed(red, named, { ending: { code: 1 }, output: TAP('b', 'b') })).toEqual({ beyond: { was: 1, fresh: ['b #2'] } });
    expect(compareRed(red, named, { ending: { code: 1 } })).toMatchObject({ beyond: { unclear: 'its output could not be kept' } });
    expect(redOf(CHECK, { ending: { code: null, limit: 'total' } })).toHaveProperty('unclear');
    expect(redOf(named, { ending: { code: 1 }, output: TAP('a') })).toEqual({ failing: ['a'] });
  });

  it('is known only where the base is recorded and it can be compared', () => {
    const checks = [{ name: 'x', command: 'x', ending: { code: 1 } }, { name: 'y', command: 'y', ending: { code: 0 } }, { name: 'z', command: 'z', ending: { code: 1 }, unclear: 'no' }];
    const trial: Answers = (b) => (b.type === 'trial.started' ? { type: 'trial.ok', checks, notes: [] } : undefined);
    expect([...new Game([unit('a')], settings(), guard({ base: 'record' })).play(trial).state.red.base.keys()]).toEqual(['x']);
    expect(new Game([unit('a')], settings(), guard({})).play(trial).state.red.base.size).toBe(0);
  });

  it('is not known any more once what landed has mended it, and a batch that was proved upon the old knowledge is proved again', () => {
    const red: Answers = (b) => (b.type === 'trial.started' ? { type: 'trial.ok', checks: [{ name: 'x', command: 'x', ending: { code: 1 }, failing: ['p', 'q'] }], notes: [] } : undefined);
    const game = new Game([unit('a'), unit('b')], settings({ land: { checks: 'proof', history: 'each', strategy: 'merge', batch: 1, speculate: 2, env: [], reuse: true, push: 'never' } }), guard({ base: 'record' }));
    game.play(red, (b) => b.type === 'batch.proving');
    const [a, b] = game.inFlight.flatMap((step) => (step.type === 'batch.proving' ? [step] : []));
    if (a === undefined || b === undefined) throw new Error('two proofs should be under way');
    game.answer('batch.proving', { type: 'batch.proved', batch: a.batch, commit: a.commit, passed: [], reused: 0, notes: [{ kind: 'mended', text: '', command: 'x', failing: ['q'] }] });
    game.answer('batch.proving', { type: 'batch.proved', batch: b.batch, commit: b.commit, passed: [], reused: 0, notes: [{ kind: 'known-failure', text: '', command: 'x', failing: ['p'] }] });
    game.play(undefined, (step) => step.type === 'batch.proving');
    expect(game.phase('a')).toBe('landed');
    expect(game.state.red.landing.get('x')).toEqual({ code: 1, failing: ['q'] });
    expect(game.inFlight).toMatchObject([{ type: 'batch.proving', batch: b.batch }]);
    game.answer('batch.proving', { type: 'batch.proved', batch: b.batch, commit: b.commit, passed: [], reused: 0, notes: [{ kind: 'mended', text: '', command: 'x' }] });
    game.play();
    expect(game.phase('b')).toBe('landed');
    expect(viewOf(game.state).known).toEqual([{ command: 'x', code: 1, tests: 2, mended: true }]);
  });
});
