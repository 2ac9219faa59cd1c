// Units that are expected to change the same files: pairs, their reasons in words, and what State remembers of them. How pairs are
// predicted is discovery's, what follows from them is crowd.ts's.

import { ReadyHeap } from './heap.ts';

/** What is done about units that are predicted to change the same files. */
export const OVERLAP_MODES = ['ignore', 'order', 'wait'] as const;

/** `order`: one that overlaps another at work begins after those that do not; `wait`: only when that one is over. */
export type OverlapMode = (typeof OVERLAP_MODES)[number];

/** Why two units are expected to change the same files. Globs and paths in the order of the pair's units. */
export type OverlapReason =
  /** Their globs can match one path; `path` is one there now that both match. */
  | { readonly by: 'touches'; readonly globs: readonly [string, string]; readonly path?: string }
  /** Files that the first unit and the second one mean to change were changed by one commit in `together` of the `of` newest commits that changed either. */
  | { readonly by: 'history'; readonly paths: readonly [string, string]; readonly together: number; readonly of: number };

/** Two units of which neither waits for the other, and why they may conflict. */
export interface Overlap {
  /** Ids, in code-unit order. */
  readonly units: readonly [string, string];
  readonly reason: OverlapReason;
}

/** The reason as the end of "a and b: …" or "waits for a: …". */
export function describeOverlap(reason: OverlapReason): string {
  if (reason.by === 'history') {
    const [a, b] = reason.paths;
    return `${a} and ${b} changed together in ${reason.together} of the last ${reason.of} commits that touched either`;
  }
  const [a, b] = reason.globs;
  if (a === b) return `both mean to change ${a}`;
  return reason.path === undefined ? `both may change the same files (${a} and ${b})` : `both mean to change ${reason.path} (${a} and ${b})`;
}

interface Neighbour {
  readonly index: number;
  readonly reason: OverlapReason;
}

/** What State remembers of overlaps. Units without any cost nothing here. */
export interface Overlaps {
  /** Unit → those that it overlaps with. */
  readonly neighbours: ReadonlyMap<number, readonly Neighbour[]>;
  /** Units that have begun and not landed, failed or been discarded; only those that have neighbours. */
  readonly atWork: Set<number>;
  /** Unit → how many of its neighbours are at work; absent: none. */
  readonly busy: Map<number, number>;
  /** Ready units that overlap one at work, best first. */
  readonly crowded: ReadyHeap<number>;
  /** Those of them that were told to wait. */
  readonly kept: Set<number>;
  /** Units that were told so in this session; they are not told twice. */
  readonly told: Set<number>;
}

/** The overlaps of a plan, before anything has begun. Pairs of units that the plan lacks are left out. */
export function overlapsOf(pairs: readonly Overlap[], o: { readonly index: ReadonlyMap<string, number>; readonly better: (a: number, b: number) => number }): Overlaps {
  const neighbours = new Map<number, Neighbour[]>();
  const add = (of: number, neighbour: Neighbour): void => {
    const list = neighbours.get(of);
    if (list === undefined) neighbours.set(of, [neighbour]);
    else list.push(neighbour);
  };
  for (const { units, reason } of pairs) {
    const [a, b] = [o.index.get(units[0]), o.index.get(units[1])];
    if (a === undefined || b === undefined) continue;
    add(a, { index: b, reason });
    add(b, { index: a, reason });
  }
  return { neighbours, atWork: new Set(), busy: new Map(), crowded: new ReadyHeap(o.better), kept: new Set(), told: new Set() };
}
