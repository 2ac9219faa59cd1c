// Following a pull request: what wakes, what it costs, that nothing is lost on the way, and what happens when GitHub has trouble.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullFacts } from '../../src/core/pull-facts.ts';
import { ForgeError, type Forge } from '../../src/forge.ts';
import { DRAFT, makeRig, POLL, type Rig } from './github.rig.ts';

let rig: Rig;

beforeEach(async () => { rig = await makeRig(); });
afterEach(async () => {
  expect(rig.github.violations).toEqual([]);
  await rig.close();
});

/** Follows until something is found, letting time pass whenever somebody waits for it. */
class Following {
  readonly result: Promise<PullFacts | Error>;
  readonly #stop = new AbortController();
  readonly #over: Promise<'over'>;
  /** Intervals that were waited for, ms. */
  readonly waits: number[] = [];

  constructor(forge: Forge, known: PullFacts) {
    this.result = forge.follow(known, this.#stop.signal).then((facts) => facts, (error: unknown) => error as Error);
    this.#over = this.result.then(() => 'over');
  }

  /** Lets so many intervals pass, then waits until the next has begun; false: it has found something before. */
  async pass(intervals = 1): Promise<boolean> {
    for (let i = 0; i < intervals; i += 1) {
      const next = await Promise.race([this.#over, rig.clock.asleep().then((ms) => ms)]);
      if (next === 'over') return false;
      this.waits.push(next);
      await rig.clock.pass();
    }
    return await Promise.race([this.#over, rig.clock.asleep()]) !== 'over';
  }

  /** Lets time pass until something is found. */
  async found(): Promise<PullFacts> {
    expect(await this.pass(8)).toBe(false);
    return await this.result as PullFacts;
  }

  stop(why: Error): void {
    this.#stop.abort(why);
  }
}

function conditional(): number {
  return rig.github.requests.filter((request) => request.conditional).length;
}

function polls(): number {
  return ['issues/get', 'checks/list-for-ref', 'repos/get-combined-status-for-ref'].reduce((sum, operation) => sum + rig.asked(operation), 0);
}

/** What was asked after the last answer of 502 to a query. */
function afterFailure(): readonly (string | undefined)[] {
  const { requests } = rig.github;
  return requests.slice(requests.findLastIndex(({ status }) => status === 502) + 1).map(({ operation }) => operation).filter((operation) => operation !== 'repos/get-collaborator-permission-level');
}

async function stopped(following: Following): Promise<void> {
  const why = new Error('enough');
  following.stop(why);
  expect(await following.result).toBe(why);
}

describe('what wakes', () => {
  const changes: readonly (readonly [string, (number: number, head: string) => void, (facts: PullFacts) => unknown, unknown])[] = [
    ['a comment', (number) => rig.github.comment(number, 'ann', 'hello'), ({ feedback }) => feedback.length, 1],
    ['a review', (number) => rig.github.review(number, { by: 'bob', state: 'APPROVED' }), ({ approvedBy }) => approvedBy, ['bob']],
    ['a thumbs up', (number) => rig.github.react(number, 'ann', '+1'), ({ approvedBy }) => approvedBy, ['ann']],
    ['eyes', (number) => rig.github.react(number, 'ann', 'eyes'), ({ looking }) => looking, ['ann']],
    ['a check that begins', (_, head) => rig.github.setCheck(head, { name: 'unit' }), ({ checks }) => checks, 'pending'],
    ['a check that fails', (_, head) => rig.github.setCheck(head, { name: 'unit', conclusion: 'failure' }), ({ checks }) => checks, 'failed'],
    ['a status', (_, head) => rig.github.setStatus(head, { context: 'old', state: 'success' }), ({ checks }) => checks, 'passed'],
    ['a close', (number) => rig.github.closePull(number), ({ state }) => state, 'closed'],
    ['a merge', (number) => rig.github.merge(number, 'bob'), ({ state }) => state, 'merged'],
    ['a stranger', (number) => rig.github.comment(number, 'eve', 'hello'), ({ ignored }) => ignored.length, 1],
    ['a push', () => rig.push('choo/a', { 'more.txt': 'more\n' }), ({ state }) => state, 'open'],
    ['another base tip that conflicts', () => rig.push('main', { 'choo-a.txt': 'theirs\n' }), ({ conflict }) => conflict, true],
  ];

  it.each(changes)('%s', async (_, ...[change, look, expected]) => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const following = new Following(forge, known);
    expect(await following.pass(7)).toBe(true);
    change(known.number, known.head);
    const facts = await following.found();
    expect(facts).not.toEqual(known);
    expect(look(facts)).toEqual(expected);
  });

  it('what happened between reading and following', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    rig.github.comment(known.number, 'ann', 'hello');
    const found = await new Following(forge, known).found();
    expect(found.feedback).toHaveLength(1);
    // In another session nothing is known yet, and nothing is waited for.
    const other = await rig.open();
    const [quick, waits] = [new Following(other, known), rig.clock.passed.length];
    expect(await quick.result).toEqual(found);
    expect([quick.waits.length, rig.clock.passed.length]).toEqual([0, waits]);
  });

  it('what is known is older than what was read last', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    rig.github.comment(known.number, 'ann', 'hello');
    const newer = await forge.read(known.number);
    expect(await new Following(forge, known).result).toEqual(newer);
  });

  it('a change of which the reading that follows it fails', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const following = new Following(forge, known);
    await following.pass(5);
    rig.github.comment(known.number, 'ann', 'hello');
    const trouble = rig.github.misbehave({ kind: 'answer', status: 502 }, { path: '/graphql', times: 3 });
    expect((await following.found()).feedback).toHaveLength(1);
    expect(trouble.hits).toBe(3);
    expect(afterFailure()[0]).toBe('graphql');
  });

  it('a change that is announced while an older reading is still under way', async () => {
    const forge = await rig.open({ pollMs: 8000 });
    const known = await rig.pull(forge);
    const following = new Following(forge, known);
    await following.pass(5);
    const held = rig.github.hold({ operation: 'graphql', after: true });
    const older = forge.read(known.number);
    await held.arrived;
    rig.github.comment(known.number, 'ann', 'hello');
    const trouble = rig.github.misbehave({ kind: 'answer', status: 502 }, { operation: 'graphql', times: 3 });
    while (trouble.hits < 3) await following.pass(1);
    held.release();
    expect((await older).feedback).toEqual([]);
    expect((await following.found()).feedback).toHaveLength(1);
    expect(afterFailure()[0]).toBe('graphql');
  });

  it('a change that is announced and not to be seen yet is looked for again', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const following = new Following(forge, known);
    await following.pass(5);
    const before = rig.github.requests.length;
    // Nothing of this is in the facts, as if what is read lagged behind.
    rig.github.edit(known.number, { title: 'Another' });
    while (rig.asked('graphql') === 0 || !rig.github.requests.slice(before).some(({ operation }) => operation === 'graphql')) await following.pass(1);
    await following.pass(1);
    const asked = rig.github.requests.slice(before).map(({ operation }) => operation);
    expect(asked.slice(asked.indexOf('graphql'))).toEqual(['graphql', 'graphql']);
    await stopped(following);
  });

  it('mergeability that is not known yet is looked at again soon', async () => {
    const forge = await rig.open();
    rig.push('choo/a', { README: 'mine\n' });
    const { number } = await forge.open(DRAFT);
    await forge.read(number);
    rig.push('main', { README: 'theirs\n' });
    rig.github.delayMergeability(1);
    const known = await forge.read(number);
    expect(known.conflict).toBe(false);
    const following = new Following(forge, known);
    expect(await following.pass(1)).toBe(false);
    expect(await following.result).toMatchObject({ conflict: true });
  });
});

describe('what it costs', () => {
  it('one request an interval at most, and nothing of the limit while nothing changes', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const following = new Following(forge, known);
    await following.pass(5);
    const before = rig.github.requests.length;
    await following.pass(20);
    const after = rig.github.requests.slice(before);
    expect(conditional()).toBeGreaterThan(10);
    expect(polls()).toBeLessThanOrEqual(25);
    expect(after.length).toBeLessThanOrEqual(20);
    // Every seventh is a reading, which sees what conditional requests do not show.
    expect(after.filter(({ counted }) => counted).length).toBeLessThanOrEqual(3);
    expect(after.filter((request) => request.conditional).every(({ status }) => status === 304)).toBe(true);
    await stopped(following);
  });

  it('intervals get longer when it is quiet, up to ten times', async () => {
    const forge = await rig.open();
    const following = new Following(forge, await rig.pull(forge));
    await following.pass(30);
    const [first = 0, ...later] = following.waits;
    expect(first).toBeLessThan(POLL);
    expect(later.slice(0, 9).every((ms) => ms === POLL)).toBe(true);
    expect(later.every((ms, i) => i === 0 || ms >= (later[i - 1] ?? 0))).toBe(true);
    expect(later.at(-1)).toBe(10 * POLL);
    await stopped(following);
  });

  it('many are not asked about at the same moment', async () => {
    const forge = await rig.open();
    const all = [await rig.pull(forge, 'choo/a'), await rig.pull(forge, 'choo/b'), await rig.pull(forge, 'choo/c')];
    const stop = new AbortController();
    const why = new Error('enough');
    const following = all.map((known) => forge.follow(known, stop.signal).catch((error: unknown) => error));
    await rig.clock.asleep(3);
    const begin = rig.clock.now();
    const moments: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await rig.clock.asleep(3);
      await rig.clock.pass();
      moments.push(rig.clock.now() - begin);
    }
    expect(new Set(moments).size).toBe(3);
    expect(moments.every((at) => at < POLL)).toBe(true);
    stop.abort(why);
    expect(await Promise.all(following)).toEqual([why, why, why]);
  });

  it('a signal that ends very many is no leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => { warnings.push(warning); };
    process.on('warning', note);
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const stop = new AbortController();
    const why = new Error('enough');
    const all = Array.from({ length: 30 }, () => forge.follow(known, stop.signal).catch((error: unknown) => error));
    await rig.clock.asleep(30);
    stop.abort(why);
    expect(new Set(await Promise.all(all))).toEqual(new Set([why]));
    // Warnings come a turn later.
    await new Promise((resolve) => { setImmediate(resolve); });
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('a follow after a follow does not ask sooner', async () => {
    const forge = await rig.open();
    let known = await rig.pull(forge);
    const waits: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const following = new Following(forge, known);
      await following.pass(1);
      rig.github.comment(known.number, 'ann', `hello ${i}`);
      known = await following.found();
      waits.push(...following.waits);
    }
    expect(known.feedback).toHaveLength(4);
    expect(waits.slice(1).every((ms) => ms === POLL)).toBe(true);
  });
});

describe('trouble while following', () => {
  it('is waited out five times', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const following = new Following(forge, known);
    await following.pass(5);
    const trouble = rig.github.misbehave({ kind: 'answer', status: 502 }, { times: 15 });
    await following.pass(10);
    expect(trouble.hits).toBe(15);
    rig.github.comment(known.number, 'ann', 'hello');
    expect((await following.found()).feedback).toHaveLength(1);
  });

  it('that does not end is told', async () => {
    const forge = await rig.open();
    const following = new Following(forge, await rig.pull(forge));
    await following.pass(5);
    rig.github.misbehave({ kind: 'reset' }, { times: Infinity });
    expect(await following.pass(30)).toBe(false);
    expect(await following.result).toMatchObject({ reason: 'unreachable' });
  });

  it('a rest that is wanted is taken to its end', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const following = new Following(forge, known);
    await following.pass(5);
    rig.github.misbehave({ kind: 'secondary-limit', retryAfter: 7200 });
    await following.pass(3);
    expect(following.waits).toContain(7_200_000);
    rig.github.comment(known.number, 'ann', 'hello');
    expect((await following.found()).feedback).toHaveLength(1);
  });

  it('a login that is refused is told at once', async () => {
    const forge = await rig.open();
    const following = new Following(forge, await rig.pull(forge));
    await following.pass(3);
    rig.github.revoke(rig.github.token);
    expect(await following.pass(1)).toBe(false);
    const error = await following.result;
    expect(error).toBeInstanceOf(ForgeError);
    expect(error).toMatchObject({ reason: 'login' });
  });

  it('who stops is not kept waiting, asleep or asking', async () => {
    const forge = await rig.open();
    const known = await rig.pull(forge);
    const asleep = new Following(forge, known);
    await asleep.pass(1);
    await stopped(asleep);
    const asking = new Following(forge, known);
    const held = rig.github.hold({ method: 'GET', times: Infinity });
    await rig.clock.pass();
    await held.arrived;
    await stopped(asking);
    held.release();
    const closing = new Following(forge, known);
    await rig.clock.asleep();
    forge.close();
    expect(await closing.result).toMatchObject({ reason: 'unreachable' });
    const before = new AbortController();
    const why = new Error('before');
    before.abort(why);
    expect(await forge.follow(known, before.signal).catch((error: unknown) => error)).toBe(why);
  });
});
