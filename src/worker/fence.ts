// Watches what lies outside a unit: refs of others and the user's main checkout. Detects; prevents nothing.

import type { Clock, FenceSnapshot, Git } from '../world.ts';

/** A snapshot younger than this serves as the one before an attempt, ms: one attempt's end and the next one's beginning are the same moment. */
const FRESH_MS = 50;
const STASH = 'refs/stash';

/** The state of the outside before an attempt. */
export interface FenceToken {
  readonly before: Look;
}

interface Look {
  readonly snapshot: FenceSnapshot;
  /** When it was taken, ms of the steady clock. */
  readonly at: number;
  /** How many looks were begun before it. */
  readonly number: number;
}

/** Of a branch, the number of the first look after its unit's last step (infinite: a step is in flight); of a ref, what choo gave to it. */
interface Known {
  readonly busy: Map<string, number>;
  readonly own: Map<string, Set<string | undefined>>;
}

/** Compares the outside before and after attempts. */
export interface Fence {
  before(): Promise<FenceToken>;
  /** What changed since `before`, as sentences' ends for people; what choo itself did is left out. */
  after(token: FenceToken): Promise<readonly string[]>;
  /** Runs a step of a unit, whose branch is its own business meanwhile. */
  during<T>(branch: string, step: () => Promise<T>): Promise<T>;
  /** Choo itself moves a ref to this value (undefined: deletes it). */
  moved(ref: string, to: string | undefined): void;
  /** It is there now, while no snapshot is taken (`hold`): back at a value before this one, somebody else has put it. */
  settled(ref: string, to: string | undefined): void;
  /** Runs something that changes the main checkout while no snapshot is taken. */
  hold<T>(change: () => Promise<T>): Promise<T>;
}

/** Takes which paths of the main checkout are choo's own output (`choo run > log`), and which branches are units'. */
export function openFence(o: { readonly git: Git; readonly clock: Clock; readonly isOutput: (path: string) => boolean; readonly isUnits: (branch: string) => boolean }): Fence {
  const known: Known = { busy: new Map(), own: new Map() };
  let last: Look | undefined;
  let looks = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work);
    turn = mine;
    return mine;
  };
  let waiting: Promise<Look> | undefined;
  // Whoever asks before a snapshot has begun may share it: it will show everything that has happened until now.
  const take = (): Promise<Look> => (waiting ??= inTurn(async () => {
    waiting = undefined;
    const [at, number] = [o.clock.steady(), looks++];
    last = { at, number, snapshot: await o.git.snapshot() };
    return last;
  }));
  return {
    before: async () => {
      const now = o.clock.steady();
      return { before: last !== undefined && now - last.at < FRESH_MS ? last : await take() };
    },
    after: async ({ before }) => compare(before, (await take()).snapshot, { ...known, isOutput: o.isOutput, isUnits: o.isUnits }),
    during: async (branch, step) => {
      known.busy.set(branch, Number.POSITIVE_INFINITY);
      try {
        return await step();
      } finally {
        known.busy.set(branch, looks);
      }
    },
    moved: (ref, to) => {
      const values = known.own.get(ref) ?? new Set();
      values.add(to);
      known.own.set(ref, values);
    },
    settled: (ref, to) => { known.own.set(ref, new Set([to])); },
    hold: inTurn,
  };
}

function compare(before: Look, after: FenceSnapshot, o: Known & { readonly isOutput: (path: string) => boolean; readonly isUnits: (branch: string) => boolean }): string[] {
  const { snapshot: then, number } = before;
  const changes: string[] = [];
  for (const ref of new Set([...then.refs.keys(), ...after.refs.keys()])) {
    const [was, is] = [then.refs.get(ref), after.refs.get(ref)];
    // Of a step that was in flight at the earlier look or began since, the branch is judged by its own unit.
    if (was === is || (o.busy.get(ref) ?? -1) > number || o.own.get(ref)?.has(is) === true) continue;
    if (ref === STASH || was === undefined && ref.startsWith('refs/tags/')) continue;
    changes.push(was === undefined ? `${ref} was made` : is === undefined ? `${ref} was deleted` : `${ref} moved to ${is.slice(0, 10)}`);
  }
  // All worktrees share one stash. What is made in units' worktrees, or on no branch, is agents' to take back; anything else is a person's.
  for (const [id, branch] of then.stash) {
    if (branch !== undefined && !o.isUnits(branch) && !after.stash.has(id)) changes.push(`a stash entry was dropped (git stash apply ${id} still finds it)`);
  }
  if (then.head !== after.head) changes.push(`the main checkout was switched to ${after.head}`);
  for (const [path, stamp] of after.dirty) if (then.dirty.get(path) !== stamp && !o.isOutput(path)) changes.push(`${path} in the main checkout`);
  for (const path of then.dirty.keys()) if (!after.dirty.has(path)) changes.push(`${path} in the main checkout`);
  return changes;
}
