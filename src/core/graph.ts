// The order of a plan's units: levels, topological order, longest chains, critical path. Linear but for sorting ids; no recursion.

import { Bug } from './bug.ts';
import { ReadyHeap } from './heap.ts';
import { byCodeUnit } from './plan.ts';
import type { Unit } from './plan.ts';

/** A plan's units by index, with everything that follows from their dependencies. */
export interface Graph {
  readonly units: readonly Unit[];
  /** Unit id → index in `units` and all arrays here. */
  readonly index: ReadonlyMap<string, number>;
  /** What each unit depends on; ids that are not among the units are left out. */
  readonly deps: readonly (readonly number[])[];
  /** What depends on each unit. */
  readonly dependants: readonly (readonly number[])[];
  /** Incomplete tasks on the longest way from the start of this unit to the end of the run. */
  readonly chain: Float64Array;
  /** 0 for units that depend on nothing, else one more than the deepest dependency. */
  readonly level: Int32Array;
  /** The units of each level, in code-unit order of id. */
  readonly levels: readonly (readonly number[])[];
  /** Kahn's algorithm, of the ready units always the first in code-unit order. */
  readonly order: readonly number[];
  /** The way through the graph with the most incomplete tasks. */
  readonly critical: readonly number[];
}

/** Orders units. Throws a Bug when ids are not unique or depend on each other in a circle: discovery has refused that. */
export function buildGraph(units: readonly Unit[]): Graph {
  const index = new Map(units.map((unit, i) => [unit.id, i]));
  if (index.size !== units.length) throw new Bug('two units of the graph have the same id');
  const deps = units.map((unit) => unit.dependsOn.map((id) => index.get(id)).filter((i) => i !== undefined));
  const dependants: number[][] = units.map(() => []);
  deps.forEach((list, i) => list.forEach((dep) => dependants[dep]?.push(i)));
  const rank = rankById(units);
  const order = kahn({ deps, dependants, rank });
  const level = levelOf(order, deps);
  const chain = chains({ units, order, dependants });
  return { units, index, deps, dependants, chain, level, levels: byLevel({ level, rank }), order, critical: criticalPath({ chain, rank, deps, dependants }) };
}

function rankById(units: readonly Unit[]): Int32Array {
  const rank = new Int32Array(units.length);
  const sorted = units.map((unit, i) => ({ id: unit.id, i })).toSorted((a, b) => byCodeUnit(a.id, b.id));
  sorted.forEach(({ i }, position) => { rank[i] = position; });
  return rank;
}

type Edges = readonly (readonly number[])[];

function kahn(o: { readonly deps: Edges; readonly dependants: Edges; readonly rank: Int32Array }): number[] {
  const open = Int32Array.from(o.deps, (list) => list.length);
  const ready = new ReadyHeap<number>((a, b) => (o.rank[a] ?? 0) - (o.rank[b] ?? 0));
  open.forEach((count, i) => { if (count === 0) ready.push(i); });
  const order: number[] = [];
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    order.push(next);
    for (const dependant of o.dependants[next] ?? []) {
      const left = (open[dependant] ?? 0) - 1;
      open[dependant] = left;
      if (left === 0) ready.push(dependant);
    }
  }
  if (order.length !== o.deps.length) throw new Bug('units of the graph depend on each other in a circle');
  return order;
}

function levelOf(order: readonly number[], deps: Edges): Int32Array {
  const level = new Int32Array(order.length);
  for (const i of order) {
    let deepest = -1;
    for (const dep of deps[i] ?? []) deepest = Math.max(deepest, level[dep] ?? 0);
    level[i] = deepest + 1;
  }
  return level;
}

function byLevel(o: { readonly level: Int32Array; readonly rank: Int32Array }): number[][] {
  const byRank = new Int32Array(o.rank.length);
  o.rank.forEach((position, i) => { byRank[position] = i; });
  const levels: number[][] = [];
  for (const i of byRank) (levels[o.level[i] ?? 0] ??= []).push(i);
  return levels;
}

function chains(o: { readonly units: readonly Unit[]; readonly order: readonly number[]; readonly dependants: Edges }): Float64Array {
  const chain = new Float64Array(o.units.length);
  for (const i of o.order.toReversed()) {
    let longest = 0;
    for (const dependant of o.dependants[i] ?? []) longest = Math.max(longest, chain[dependant] ?? 0);
    const own = o.units[i]?.tasks.filter((task) => !task.complete).length ?? 0;
    chain[i] = own + longest;
  }
  return chain;
}

function criticalPath(o: { readonly chain: Float64Array; readonly rank: Int32Array; readonly deps: Edges; readonly dependants: Edges }): number[] {
  const longest = (nodes: Iterable<number>): number | undefined => {
    let best: number | undefined;
    for (const i of nodes) {
      if (best === undefined || comesFirst(i, best)) best = i;
    }
    return best;
  };
  const comesFirst = (a: number, b: number): boolean => {
    const difference = (o.chain[a] ?? 0) - (o.chain[b] ?? 0);
    return difference > 0 || (difference === 0 && (o.rank[a] ?? 0) < (o.rank[b] ?? 0));
  };
  const path: number[] = [];
  const roots = [...o.deps.keys()].filter((i) => o.deps[i]?.length === 0);
  for (let at = longest(roots); at !== undefined; at = longest(o.dependants[at] ?? [])) path.push(at);
  return path;
}
