// Pull requests in core: what follows from what people, checks and the forge say. How they are made is tried against a forge that does not lie.

import { describe, expect, it } from 'vitest';
import type { Begun, EventBody } from '../../../src/core/event.ts';
import { DEFAULT_LAND } from '../../../src/core/event.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { escalationOf } from '../../../src/core/escalation.ts';
import { isOpen } from '../../../src/core/open.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import { viewOf } from '../../../src/core/view.ts';
import { DEFAULT_PULL } from '../../../src/core/pull-rules.ts';
import { BOTH, FORGE, Talk, escalated, published, pulls, thread } from './pull.rig.ts';
import { Game, RED, unit } from './rig.ts';

describe('a unit of a run with a forge', () => {
  it('is pushed as a draft, proved, opened for review, followed, merged; its dependants begin only then', () => {
    const talk = new Talk({ units: BOTH });
    expect(talk.types()).toEqual(['pr.publishing', 'pr.published', 'pr.proving', 'pr.proved', 'pr.publishing', 'pr.published', 'pr.following']);
    expect(talk.game.of('pr.publishing').map((e) => e.ready)).toEqual([false, true]);
    expect(talk.game.of('unit.waiting')).toMatchObject([{ unit: 'a', for: 'review' }]);
    expect(talk.game.phase('a')).toBe('waiting');
    expect(talk.game.phase('b')).toBe('pending');
    talk.say({}).say({ approvedBy: ['ann'] });
    expect(talk.game.of('pr.merging')).toMatchObject([{ unit: 'a', commit: talk.head() }]);
    expect(talk.game.phase('a')).toBe('landed');
    expect(talk.game.of('unit.merged')).toMatchObject([{ unit: 'a', commit: 'a-merged' }]);
    expect(talk.game.phase('b')).toBe('waiting');
    talk.say({ approvedBy: ['ann'] }, 'b');
    expect(talk.game.events.at(-1)?.type).toBe('orch.completed');
    expect(isOpen(talk.game.state)).toBe(false);
    expect(talk.game.of('batch.merging')).toEqual([]);
  });

  it.each([
    ['nobody approved', {}, false], ['somebody approved', { approvedBy: ['ann'] }, true], ['somebody else refuses', { approvedBy: ['ann'], refusedBy: ['bob'] }, false],
    ['checks are pending', { approvedBy: ['ann'], checks: 'pending' }, false], ['the forge demands more reviews', { approvedBy: ['ann'], decision: 'required' }, false],
    ['the forge says approved', { decision: 'approved' }, true], ['the forge says changes are wanted', { approvedBy: ['ann'], decision: 'changes-requested' }, false],
    ['somebody made a draft of it', { approvedBy: ['ann'], draft: true }, false], ['there are no checks at all', { approvedBy: ['ann'], checks: 'none' }, true],
  ] as const)('%s: %o', (_, facts, merges) => {
    expect(new Talk().say(facts).game.of('pr.merging')).toHaveLength(merges ? 1 : 0);
  });

  it('--skip-review: merged when its checks pass, whoever says what', () => {
    const talk = new Talk({ settings: pulls({ skipReview: true }) }).say({ checks: 'pending' });
    expect(talk.game.phase('a')).toBe('waiting');
    expect(talk.say({}).game.phase('a')).toBe('landed');
  });

  it('that the forge does not merge is told once, and tried again although nothing about it changed', () => {
    let no = 2;
    const talk = new Talk({ answers: (b) => (b.type === 'pr.merging' && no-- > 0 ? { type: 'pr.refused', unit: 'a', text: 'not now' } : undefined) }).say({ approvedBy: ['ann'] });
    expect(talk.game.inFlight.map((b) => b.type)).toEqual(['pr.following']);
    expect(unitNamed(talk.game.state, 'a').pull?.refused).toEqual({ text: 'not now', times: 1 });
    expect(escalated(talk.game)).toHaveLength(1);
    talk.say({ approvedBy: ['ann'] });
    expect(unitNamed(talk.game.state, 'a').pull?.refused?.times).toBe(2);
    expect(escalationOf(talk.game.state, talk.game.of('pr.refused')[1] ?? talk.game.record({ type: 'forge.released' }))).toBeUndefined();
    expect(talk.say({ approvedBy: ['ann'] }).game.phase('a')).toBe('landed');
  });

  it('in the merge queue: waits until it is merged', () => {
    const talk = new Talk({ answers: (b) => (b.type === 'pr.merging' && !merged ? (merged = true, { type: 'pr.queued', unit: 'a' }) : undefined) });
    let merged = false;
    talk.say({ approvedBy: ['ann'] });
    expect(talk.game.phase('a')).toBe('landing');
    talk.say({ approvedBy: ['ann'], queued: true }).say({ state: 'merged', merge: 'm' });
    expect(talk.game.phase('a')).toBe('landed');
  });

  it('out of the merge queue three times with the same head: a person has to see why; a retry puts it in again', () => {
    const talk = new Talk({ answers: (b) => (b.type === 'pr.merging' ? { type: 'pr.queued', unit: 'a' } : undefined) }).say({ approvedBy: ['ann'] });
    // The forge only shows it there late: that is none.
    talk.say({ approvedBy: ['ann'] });
    for (let times = 0; times < 3; times++) {
      expect(talk.game.phase('a')).toBe('landing');
      talk.game.now += DEFAULT_PULL.poll;
      talk.say({ approvedBy: ['ann'] });
    }
    expect(talk.game.of('pr.merging')).toHaveLength(4);
    expect(escalated(talk.game)).toEqual([expect.stringMatching(/^blocking: unit a failed: https:\S+ does not land: it came out of the merge queue 3 times/)]);
    talk.game.record({ type: 'orch.resumed', settings: pulls() });
    talk.game.record({ type: 'unit.retried', unit: 'a' });
    talk.game.play(() => undefined, (b) => b.type === 'pr.following');
    expect(talk.say({ approvedBy: ['ann'] }).game.phase('a')).toBe('landing');
  });

  it('merged by a person: it landed; closed by one: it is cancelled, and what depends on it blocked', () => {
    expect(new Talk().say({ state: 'merged', merge: 'm' }).game.phase('a')).toBe('landed');
    const talk = new Talk({ units: BOTH }).say({ state: 'closed' });
    expect([talk.game.phase('a'), talk.game.phase('b')]).toEqual(['cancelled', 'blocked']);
    expect(talk.game.of('unit.blocked')).toMatchObject([{ unit: 'b', by: 'a' }]);
    expect(escalated(talk.game)).toEqual(['warning: the pull request of unit a was closed without being merged: https://forge/1']);
    expect(talk.game.result).toMatchObject({ cancelledUnits: 1, blockedUnits: 1 });
  });

  it('two heads are proved side by side, and two merges are not', () => {
    const game = new Game([unit('a'), unit('b'), unit('c')], pulls({}, { land: { ...DEFAULT_LAND, speculate: 2 } }), FORGE).play(() => undefined, (b) => b.type === 'pr.proving');
    expect(game.of('pr.proving').map((e) => e.place)).toEqual([0, 1]);
    game.play(() => undefined, (b) => b.type === 'pr.merging');
    expect(game.inFlight.map((b) => b.type)).toEqual(['pr.merging']);
    game.play();
    expect(game.events.at(-1)?.type).toBe('orch.completed');
  });
});

describe('what people say', () => {
  it('goes to the agent with place and words, is answered with the next push, and waits again', () => {
    const talk = new Talk().say({ feedback: [thread('rename it')], refusedBy: ['ann'] });
    expect(talk.game.of('rework.started')).toMatchObject([{ reason: 'feedback', because: { kind: 'feedback', feedback: [{ text: 'rename it', path: 'a.ts', line: 3 }] } }]);
    expect(talk.game.of('unit.verifying').at(-1)).toMatchObject({ scope: 'proof' });
    // Its text says that the new head is proved, too.
    expect(talk.game.of('pr.publishing').map((e) => [e.commit, e.ready])).toEqual([['a-1', false], ['a-1', true], ['a-2', false], ['a-2', true]]);
    expect(talk.game.phase('a')).toBe('waiting');
    // What was answered is not worked on twice, although the forge still shows it.
    answered(talk);
    talk.say({ feedback: [thread('rename it')] });
    expect(talk.game.of('rework.started')).toHaveLength(1);
    talk.say({ approvedBy: ['ann'], feedback: [thread('rename it')] });
    expect(talk.game.phase('a')).toBe('landed');
  });

  it('approval does not outweigh what is still to be answered', () => {
    expect(new Talk().say({ approvedBy: ['ann'], feedback: [thread('but')] }).game.of('rework.started')).toHaveLength(1);
  });

  it('so many rounds, then a person; a retry gives them back', () => {
    const talk = new Talk({ settings: pulls({ rounds: 1 }), answers: (b, game) => (b.type === 'pr.publishing' ? published(b, game) : undefined) });
    talk.say({ feedback: [thread('one')] }).say({ feedback: [thread('two')] });
    expect(talk.game.phase('a')).toBe('failed');
    expect(talk.game.of('unit.failed')).toMatchObject([{ failure: { kind: 'feedback', enough: 'rounds' } }]);
    expect(escalated(talk.game)[0]).toMatch(/^blocking: unit a failed: people or checks still want something changed after as many rounds/);
    talk.game.record({ type: 'orch.resumed', settings: pulls({ rounds: 1 }) });
    talk.game.record({ type: 'unit.retried', unit: 'a' });
    talk.game.play((b) => (b.type === 'pr.publishing' ? published(b, talk.game) : undefined), (b) => b.type === 'pr.following');
    // A person may have merged it, or taken it back: it is read before an agent is asked.
    expect(talk.game.of('rework.started')).toHaveLength(1);
    talk.say({ feedback: [thread('two')] });
    expect(talk.game.of('rework.started')).toHaveLength(2);
    expect(talk.game.phase('a')).toBe('waiting');
  });

  it('with no rounds at all, a retry is one', () => {
    const answers = (b: Begun, game: Game): EventBody | undefined => (b.type === 'pr.publishing' ? published(b, game) : undefined);
    const talk = new Talk({ settings: pulls({ rounds: 0 }), answers }).say({ feedback: [thread('one')] });
    expect(talk.game.phase('a')).toBe('failed');
    talk.game.record({ type: 'orch.resumed', settings: pulls({ rounds: 0 }) });
    talk.game.record({ type: 'unit.retried', unit: 'a' });
    talk.game.play(() => undefined, (b) => b.type === 'pr.following');
    talk.say({ feedback: [thread('one')] });
    expect(talk.game.of('rework.started')).toHaveLength(1);
  });

  it('the same finding a third time is a person\'s, whatever numbers are in it', () => {
    const talk = new Talk({ answers: (b, game) => (b.type === 'pr.publishing' ? published(b, game) : undefined) });
    for (const n of [1, 2, 3]) talk.say({ checks: 'failed', feedback: [{ id: `check-${n}`, kind: 'check', who: 'ci', text: `line ${n}: expected 7f3${n}` }] });
    expect(talk.game.of('rework.started')).toHaveLength(2);
    expect(talk.game.of('unit.failed')).toMatchObject([{ failure: { kind: 'feedback', enough: 'same' } }]);
  });

  it('late: told once, not failed; again after the next push', () => {
    const talk = new Talk({ settings: pulls({ timeout: 1000 }) });
    expect(talk.game.wakeAt).toBe(talk.game.now + 1000);
    talk.game.now += 1000;
    talk.game.settle();
    expect(talk.game.of('pr.late')).toHaveLength(1);
    expect(talk.game.wakeAt).toBeUndefined();
    expect(talk.game.phase('a')).toBe('waiting');
    expect(escalated(talk.game)).toEqual([expect.stringContaining('waits for a review longer than review.timeout')]);
    talk.say({ feedback: [thread('at last')] });
    expect(talk.game.wakeAt).toBe(talk.game.now + 1000);
    expect(new Talk({ settings: pulls({ timeout: 0 }) }).game.wakeAt).toBeUndefined();
  });

  it('--no-wait waits for checks that are under way, and not for people after them', () => {
    const talk = new Talk({ settings: pulls({}, { wait: false }) });
    talk.say({ checks: 'pending' });
    expect(talk.game.inFlight.map((b) => b.type)).toEqual(['pr.following']);
    expect(() => talk.game.result).toThrow('has not ended');
    talk.say({ checks: 'passed' });
    expect(talk.game.result).toMatchObject({ waitingUnits: 1 });
  });

  it('--no-wait: the session ends when only people can move it, and the next one follows again', () => {
    const talk = new Talk({ units: [unit('a'), unit('z')], settings: pulls({}, { wait: false }) });
    expect(talk.game.inFlight.map((b) => b.type)).toEqual(['pr.following', 'pr.following']);
    talk.say({}, 'a').say({}, 'z');
    expect(talk.game.events.at(-1)?.type).toBe('orch.failed');
    expect(talk.game.result).toMatchObject({ waitingUnits: 2, error: '2 units wait for review' });
    expect(viewOf(talk.game.state).units[0]).toMatchObject({ state: 'waiting', waiting: { for: 'review', text: 'https://forge/1' }, pull: { number: 1, draft: false } });
    talk.game.record({ type: 'orch.resumed', settings: pulls() });
    talk.game.play(() => undefined, (b) => b.type === 'pr.following');
    expect(talk.game.inFlight.map((b) => b.type)).toEqual(['pr.following', 'pr.following']);
    expect(talk.game.of('task.started')).toHaveLength(2);
  });

  it('--no-wait: what was said before the session is seen and acted upon before it ends', () => {
    const wait = pulls({}, { wait: false });
    const talk = new Talk({ settings: wait }).say({});
    talk.game.record({ type: 'orch.resumed', settings: wait });
    talk.game.play(() => undefined, (b) => b.type === 'pr.following');
    talk.say({ approvedBy: ['ann'] });
    expect(talk.game.events.at(-1)?.type).toBe('orch.completed');
    expect(new Talk({ settings: pulls({ skipReview: true }, { wait: false }) }).say({}).game.phase('a')).toBe('landed');
  });
});

/** The step that answers has told what it answered. */
function answered(talk: Talk): void {
  expect(unitNamed(talk.game.state, 'a').pull?.answering.map((f) => f.id) ?? []).toEqual([]);
}

describe('the base', () => {
  it.each([['open', 'somebody gave it the base release'], ['merged', 'it was merged into release']] as const)('given to it by a person, %s: nothing is merged, and the unit is theirs until it is back', (state, text) => {
    const talk = new Talk({ units: BOTH }).say({ state, base: 'release', merge: 'm', approvedBy: ['ann'] });
    expect(talk.game.of('pr.merging')).toEqual([]);
    expect([talk.game.phase('a'), talk.game.phase('b')]).toEqual(['failed', 'blocked']);
    expect(escalated(talk.game)).toEqual([expect.stringContaining(text)]);
    talk.game.record({ type: 'orch.resumed', settings: pulls() });
    talk.game.record({ type: 'unit.retried', unit: 'a' });
    talk.game.play(() => undefined, (b) => b.type === 'pr.following');
    expect(talk.say({ approvedBy: ['ann'] }).game.phase('a')).toBe('landed');
  });
});

describe('the branch', () => {
  it('with commits of people on top is taken in, checked and proved like the unit\'s own', () => {
    const talk = new Talk().say({ head: 'theirs' });
    expect(talk.game.of('pr.taking')).toMatchObject([{ any: false }]);
    const after = talk.game.events.slice(talk.game.events.findIndex((e) => e.type === 'pr.taken')).map((e) => e.type);
    expect(after).toContain('unit.verifying');
    expect(after.indexOf('pr.proving')).toBeGreaterThan(after.indexOf('unit.verified'));
  });

  it('rewritten by a person is theirs: the unit stops, and a retry takes it as it is', () => {
    const yielded: Failure = { kind: 'yielded', url: 'https://forge/a', branch: 'choo/unit/a/1-0a1b', at: 'f'.repeat(40) };
    let times = 0;
    const answers = (b: Begun): EventBody | undefined => (b.type === 'pr.taking' && times++ === 0 ? { type: 'pr.step.failed', unit: 'a', failure: yielded } : undefined);
    const talk = new Talk({ units: BOTH, answers }).say({ head: 'rewritten' });
    expect([talk.game.phase('a'), talk.game.phase('b')]).toEqual(['failed', 'blocked']);
    expect(escalated(talk.game)).toEqual([expect.stringMatching(/^blocking: unit a failed: somebody rewrote the branch/)]);
    talk.game.record({ type: 'orch.resumed', settings: pulls() });
    talk.game.record({ type: 'unit.retried', unit: 'a' });
    talk.game.play(answers, (b) => b.type === 'pr.following');
    expect(talk.game.of('pr.taking').map((e) => e.any)).toEqual([false, true]);
    expect(talk.game.phase('a')).toBe('waiting');
  });

  it('that the forge only sees late costs no round: it is followed on', () => {
    const talk = new Talk({ answers: (b, game) => (b.type === 'pr.taking' ? { type: 'pr.taken', unit: 'a', commit: unitNamed(game.state, 'a').head ?? '', notes: [] } : undefined) });
    talk.say({ head: 'old' });
    expect(talk.game.of('pr.taking')).toHaveLength(1);
    expect(talk.game.inFlight.map((b) => b.type)).toEqual(['pr.following']);
  });

  it('outdated when it is to be merged: the target is merged in, then it is checked, pushed and proved again, and merged as it was approved', () => {
    let outdated = false;
    const talk = new Talk({ answers: (b) => (b.type === 'pr.merging' && !outdated ? (outdated = true, { type: 'pr.outdated', unit: 'a', onto: 'newer' }) : undefined) });
    talk.say({ approvedBy: ['ann'] });
    expect(talk.game.of('unit.refreshing')).toHaveLength(1);
    talk.say({ approvedBy: ['ann'] });
    expect(talk.game.phase('a')).toBe('landed');
    expect(talk.game.of('pr.proving')).toHaveLength(2);
  });

  it('in conflict by the word of the forge: the remote is asked, and the target merged in when it has moved; once while the forge says so', () => {
    let outdated = false;
    const talk = new Talk({ answers: (b) => (b.type === 'pr.proving' && outdated ? (outdated = false, { type: 'pr.outdated', unit: 'a', onto: 'newer' }) : undefined) });
    talk.say({ conflict: true }).say({ conflict: true, looking: ['ann'] });
    expect(talk.game.of('pr.proving')).toHaveLength(2);
    expect(talk.game.of('unit.refreshing')).toEqual([]);
    outdated = true;
    talk.say({}).say({ conflict: true });
    expect(talk.game.of('unit.refreshing')).toHaveLength(1);
    expect(talk.game.phase('a')).toBe('waiting');
  });

  it('red together with the target goes back to the agent', () => {
    let red = true;
    const talk = new Talk({ answers: (b) => (b.type === 'pr.proving' && red ? (red = false, { type: 'pr.proof.failed', unit: 'a', commit: b.commit, failure: RED, notes: [] }) : undefined) });
    expect(talk.game.of('rework.started')).toMatchObject([{ reason: 'proof' }]);
    expect(talk.game.of('pr.publishing').map((e) => e.ready)).toEqual([false, false, true]);
  });

  it('red where the forge merged it: landed, noted, and a person told at once', () => {
    const talk = new Talk({ answers: (b) => (b.type === 'pr.merging' ? { type: 'pr.merged', unit: 'a', number: 1, commit: 'm', head: b.commit, red: RED, notes: [] } : undefined) }).say({ approvedBy: ['ann'] });
    expect(talk.game.phase('a')).toBe('landed');
    expect(escalated(talk.game)).toEqual([expect.stringMatching(/^critical: unit a was merged by the forge as m, and its proof fails there/)]);
  });
});
