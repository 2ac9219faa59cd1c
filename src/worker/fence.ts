// Watches what lies outside a unit: refs of others and the user's main checkout. Detects; prevents nothing.

import type { Clock, FenceSnapshot, Git } from '../world.ts';

/** A snapshot younger than this serves as the one before an attempt, ms: one attempt's end and the next one's beginning are the same moment. */
const FRESH_MS = 50;

/** The state of the outside before an attempt. */
export interface FenceToken {
  readonly before: FenceSnapshot;
}

/** Compares the outside before and after attempts. */
export interface Fence {
  before(): Promise<FenceToken>;
  /** What changed since `before`, as sentences' ends for people; what choo itself did is left out. */
  after(token: FenceToken): Promise<readonly string[]>;
  /** Choo itself moved a ref to this value (undefined: deleted it). */
  moved(ref: string, to: string | undefined): void;
  /** Runs something that changes the main checkout while no snapshot is taken. */
  hold<T>(change: () => Promise<T>): Promise<T>;
}

/** Takes the prefix of choo's own branches, which are judged by their own units, and which paths of the main checkout are choo's own output (`choo run > log`). */
export function openFence(o: { readonly git: Git; readonly clock: Clock; readonly ownPrefix: string; readonly isOutput: (path: string) => boolean }): Fence {
  const own = new Map<string, Set<string | undefined>>();
  let last: { readonly at: number; readonly snapshot: FenceSnapshot } | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work);
    turn = mine;
    return mine;
  };
  let waiting: Promise<FenceSnapshot> | undefined;
  // Whoever asks before a snapshot has begun may share it: it will show everything that has happened until now.
  const take = (): Promise<FenceSnapshot> => (waiting ??= inTurn(async () => {
    waiting = undefined;
    const at = o.clock.steady();
    const snapshot = await o.git.snapshot();
    last = { at, snapshot };
    return snapshot;
  }));
  return {
    before: async () => {
      const now = o.clock.steady();
      return { before: last !== undefined && now - last.at < FRESH_MS ? last.snapshot : await take() };
    },
    after: async (token) => compare({ before: token.before, after: await take(), own, ...o }),
    moved: (ref, to) => {
      const values = own.get(ref) ?? new Set();
      values.add(to);
      own.set(ref, values);
    },
    hold: inTurn,
  };
}

function compare(o: { readonly before: FenceSnapshot; readonly after: FenceSnapshot; readonly own: ReadonlyMap<string, ReadonlySet<string | undefined>>; readonly ownPrefix: string; readonly isOutput: (path: string) => boolean }): string[] {
  const changes: string[] = [];
  const refs = new Set([...o.before.refs.keys(), ...o.after.refs.keys()]);
  for (const ref of refs) {
    const was = o.before.refs.get(ref);
    const is = o.after.refs.get(ref);
    if (was === is || ref.startsWith(`${o.ownPrefix}unit/`) || o.own.get(ref)?.has(is) === true) continue;
    if (was === undefined && ref.startsWith('refs/tags/')) continue;
    changes.push(was === undefined ? `${ref} was made` : is === undefined ? `${ref} was deleted` : `${ref} moved to ${is.slice(0, 10)}`);
  }
  if (o.before.head !== o.after.head) changes.push(`the main checkout was switched to ${o.after.head}`);
  for (const [path, stamp] of o.after.dirty) if (o.before.dirty.get(path) !== stamp && !o.isOutput(path)) changes.push(`${path} in the main checkout`);
  for (const path of o.before.dirty.keys()) if (!o.after.dirty.has(path)) changes.push(`${path} in the main checkout`);
  return changes;
}
