// The engine's `Forge` over a simulated one. Every call passes the gate, where it may be late, fail, or be the last one.

import type { PullFacts } from '../../src/core/pull-facts.ts';
import { sameFacts } from '../../src/core/pull-facts.ts';
import { ForgeError } from '../../src/forge.ts';
import type { Forge } from '../../src/forge.ts';
import type { CallOptions, SessionGate } from './gate.ts';
import type { Host, HostedPull } from './hosted.ts';
import { urlOf } from './hosted.ts';
import type { Rng } from './rng.ts';
import type { Timeline } from './timeline.ts';

interface Parts {
  readonly host: Host;
  readonly gate: SessionGate;
  readonly timeline: Timeline;
  /** The wall clock. */
  readonly now: () => number;
  /** The forge does not answer. */
  readonly away: () => boolean;
  readonly events: () => number;
  readonly rng: Rng;
}

/** How often a pull request that is followed is looked at, at most, ms. */
const LOOK = 30_000;

/** The forge as one session of choo has it. */
export function simForge(o: Parts): Forge {
  const { host } = o;
  const fault: CallOptions = { error: (rng) => trouble(rng, o.now()) };
  const ask = async <T>(call: string, effect: () => T, signal: AbortSignal | undefined): Promise<T> => {
    signal?.throwIfAborted();
    const value = await o.gate.pass(`forge.${call}`, () => {
      if (o.away()) throw new ForgeError('unreachable', 'no answer');
      return effect();
    }, fault);
    signal?.throwIfAborted();
    return value;
  };
  const told = (pull: HostedPull): PullFacts => {
    const facts = host.facts(pull);
    pull.told = facts;
    return facts;
  };
  return {
    name: 'acme/shop on a simulated forge',
    url: urlOf,
    rules: (_branch, signal) => ask('rules', () => ({ queue: host.hosting.queue, strict: false }), signal),
    find: (branch, signal) => ask('find', () => host.pulls.findLast((pull) => pull.branch === branch)?.number, signal),
    open: (draft, signal) => ask('open', () => {
      const there = host.pulls.find((pull) => pull.branch === draft.branch && pull.state === 'open') ?? host.open(draft);
      return { number: there.number, left: [] };
    }, signal),
    body: (number, signal) => ask('body', () => host.pull(number).body, signal),
    edit: (number, { body, ready }, signal) => ask('edit', () => {
      const pull = host.pull(number);
      if (body !== undefined) pull.body = body;
      if (ready === true && pull.state === 'open') host.ready(pull);
    }, signal),
    read: (number, signal) => ask('read', () => told(host.pull(number)), signal),
    follow: (known, signal) => follow(o, { known, look: () => ask('follow', () => told(host.pull(known.number)), signal), signal }),
    comment: (number, _o, signal) => ask('comment', () => { host.pull(number); }, signal),
    answer: (number, { id }, signal) => ask('answer', () => host.answer(host.pull(number), id), signal),
    merge: (number, { head, method, title, message }, signal) => ask('merge', () => {
      const pull = host.pull(number);
      const order = { head, method, message: `${title}\n\n${message}\n` };
      if (pull.merged !== undefined) return { kind: 'merged', commit: pull.merged.commit };
      if (host.tipOf(pull) !== head) return { kind: 'refused', reason: 'head-moved', detail: 'its branch is elsewhere' };
      const obstacle = host.obstacle(pull);
      if (obstacle !== undefined) return { kind: 'refused', reason: 'not-mergeable', detail: obstacle };
      pull.asks = { facts: pull.told, at: o.events() };
      if (!host.hosting.queue) return host.merge(pull, { by: 'choo', ...order });
      host.enqueue(pull, order);
      return { kind: 'queued' };
    }, signal),
  };
}

/** Looks again some time after each change, until what it sees is another. */
async function follow({ host, rng, timeline }: Parts, o: { readonly known: PullFacts; readonly look: () => Promise<PullFacts>; readonly signal: AbortSignal }): Promise<PullFacts> {
  for (;;) {
    let changed = false;
    const notice = (): void => { changed = true; };
    host.listeners.add(notice);
    try {
      const facts = await o.look();
      if (!sameFacts(facts, o.known)) return facts;
      if (!changed) await nextChange(host, o.signal);
    } finally {
      host.listeners.delete(notice);
    }
    await new Promise<void>((resolve) => { timeline.after(rng.below(LOOK), resolve); });
  }
}

function nextChange(host: Host, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      host.listeners.delete(noticed);
      signal.removeEventListener('abort', aborted);
    };
    const noticed = (): void => { end(); resolve(); };
    const aborted = (): void => { end(); reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')); };
    host.listeners.add(noticed);
    signal.addEventListener('abort', aborted, { once: true });
  });
}

function trouble(rng: Rng, now: number): ForgeError {
  const reason = rng.weighted({ unreachable: 5, rate: 3, login: 1, refused: 1 });
  return new ForgeError(reason, 'a fault of the simulation', reason === 'rate' ? now + rng.between(1, 600_000) : undefined);
}
