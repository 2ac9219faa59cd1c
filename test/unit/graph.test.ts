// The order of units: levels, topological order, chains, critical path; and that all of it is linear.

import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../src/core/graph.ts';
import type { Graph } from '../../src/core/graph.ts';
import { ReadyHeap } from '../../src/core/heap.ts';
import type { Unit } from '../../src/core/plan.ts';

/** A unit from `id`, its dependencies and its number of tasks, of which some are complete. */
function unit(id: string, dependsOn: readonly string[] = [], counts: { readonly todo?: number; readonly done?: number } = {}): Unit {
  const { todo = 1, done = 0 } = counts;
  const tasks = Array.from({ length: todo + done }, (_, i) => ({ number: i + 1, title: 't', path: 'p', check: 'c', dependsOn: [], complete: i < done }));
  return { id, dir: id, planPath: `${id}/IMPLEMENTATION_PLAN.md`, dependsOn, tasks, checks: [], touches: [] };
}

function ids(graph: Graph, indices: readonly number[]): string {
  return indices.map((i) => graph.units[i]?.id).join(' ');
}

describe('the graph', () => {
  const graph = buildGraph([
    unit('web', ['core', 'api'], { todo: 2 }),
    unit('api', ['core'], { todo: 1, done: 5 }),
    unit('core', [], { todo: 3 }),
    unit('docs', ['gone'], { todo: 4 }),
    unit('Zed', ['core']),
  ]);

  test('has levels in code-unit order, capitals first', () => {
    expect(graph.levels.map((level) => ids(graph, level))).toEqual(['core docs', 'Zed api', 'web']);
    expect([...graph.level]).toEqual([2, 1, 0, 0, 1]);
  });

  test('has the topological order of Kahn with the first ready name first', () => {
    expect(ids(graph, graph.order)).toBe('core Zed api docs web');
  });

  test('has the incomplete tasks of the longest way to the end', () => {
    expect(Object.fromEntries(graph.units.map((u, i) => [u.id, graph.chain[i]]))).toEqual({ web: 2, api: 3, core: 6, docs: 4, Zed: 1 });
  });

  test('has the critical path', () => {
    expect(ids(graph, graph.critical)).toBe('core api web');
  });

  test('has edges both ways, without those to units that are not in it', () => {
    expect(graph.index.get('docs')).toBe(3);
    expect(graph.deps).toEqual([[2, 1], [2], [], [], [2]]);
    expect(graph.dependants).toEqual([[], [0], [0, 1, 4], [], []]);
  });

  test('of nothing is empty', () => {
    expect(buildGraph([])).toMatchObject({ levels: [], order: [], critical: [] });
  });

  test('takes the first name when two ways are as long', () => {
    const tie = buildGraph([unit('b'), unit('a'), unit('d', ['a', 'b']), unit('c', ['a', 'b'])]);
    expect(ids(tie, tie.critical)).toBe('a c');
  });

  test('does not depend on the order of the units', () => {
    const units = [unit('a'), unit('b', ['a']), unit('c', ['a']), unit('d', ['b', 'c'])];
    const names = (g: Graph): string[] => [ids(g, g.order), ids(g, g.critical), ...g.levels.map((level) => ids(g, level))];
    expect(names(buildGraph(units.toReversed()))).toEqual(names(buildGraph(units)));
  });

  test('refuses circles and double names as defects', () => {
    expect(() => buildGraph([unit('a', ['b']), unit('b', ['a'])])).toThrow('circle');
    expect(() => buildGraph([unit('a'), unit('a')])).toThrow('same id');
  });
});

describe('100,000 units with 300,000 edges', () => {
  let reads = 0;
  /** A dependency list that counts how often an edge of it is read. */
  class Counted extends Array<string> {
    override* [Symbol.iterator](): ArrayIterator<string> {
      for (let i = 0; i < this.length; i++) { reads++; yield this[i] ?? ''; }
    }
    override map<U>(change: (value: string, index: number, array: string[]) => U): U[] {
      return Array.from(this, (value, i) => change(value, i, this));
    }
  }
  const large = (size: number): Unit[] => Array.from({ length: size }, (_, i) =>
    unit(`u${i}`, Counted.from(i < 3 ? [] : [`u${i - 1}`, `u${i >> 1}`, `u${i % 3}`])));

  test('read each edge as often as in a graph of a tenth', () => {
    const readsOf = (size: number): number => {
      const units = large(size);
      reads = 0;
      expect(buildGraph(units).order).toHaveLength(size);
      return reads / (3 * (size - 3));
    };
    expect(readsOf(100_000)).toBeCloseTo(readsOf(10_000), 5);
  });

  test('in one chain need no stack', () => {
    const graph = buildGraph(Array.from({ length: 100_000 }, (_, i) => unit(`u${i}`, i === 0 ? [] : [`u${i - 1}`])));
    expect(graph.critical).toHaveLength(100_000);
    expect(graph.chain[0]).toBe(100_000);
  });
});

describe('the heap', () => {
  /** Numbers that look random and are the same in every run. */
  const numbers = (count: number): number[] => {
    let seed = 12345;
    return Array.from({ length: count }, () => (seed = (seed * 1103515245 + 12345) % 2147483648));
  };

  test('gives back in order what was put in', () => {
    const heap = new ReadyHeap<number>((a, b) => a - b);
    for (const n of numbers(1000)) heap.push(n);
    expect(heap.size).toBe(1000);
    expect(heap.peek()).toBe(Math.min(...numbers(1000)));
    expect(Array.from({ length: 1000 }, () => heap.pop())).toEqual(numbers(1000).toSorted((a, b) => a - b));
    expect([heap.pop(), heap.peek(), heap.size]).toEqual([undefined, undefined, 0]);
  });

  test('stays in order when pushes and pops alternate', () => {
    const heap = new ReadyHeap<number>((a, b) => a - b);
    const model: number[] = [];
    const popped: [number | undefined, number | undefined][] = [];
    for (const n of numbers(2000)) {
      if (n % 3 === 0) {
        model.sort((a, b) => a - b);
        popped.push([heap.pop(), model.shift()]);
      } else {
        heap.push(n);
        model.push(n);
      }
    }
    expect(popped.length).toBeGreaterThan(500);
    expect(popped.map(([one]) => one)).toEqual(popped.map(([, other]) => other));
  });

  test('gives any item up, and stays in order', () => {
    const heap = new ReadyHeap<number>((a, b) => a - b);
    const left = new Set(numbers(1500));
    for (const n of left) heap.push(n);
    for (const [i, n] of [...left].entries()) {
      if (i % 3 === 0) continue;
      heap.remove(n);
      heap.remove(n);
      left.delete(n);
      if (i % 7 === 0) { heap.push(n + 0.5); left.add(n + 0.5); }
    }
    expect([heap.size, heap.has([...left][3] ?? -1), heap.has(-1)]).toEqual([left.size, true, false]);
    expect(Array.from({ length: left.size }, () => heap.pop())).toEqual([...left].toSorted((a, b) => a - b));
    expect(heap.size).toBe(0);
  });

  test('compares a logarithmic number of times', () => {
    let compared = 0;
    const size = 100_000;
    const heap = new ReadyHeap<number>((a, b) => { compared++; return a - b; });
    for (const n of numbers(size)) heap.push(n);
    while (heap.pop() !== undefined) continue;
    expect(compared).toBeLessThan(size * 3 * Math.log2(size));
  });
});
