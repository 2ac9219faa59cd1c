// Which of some units waits for which, directly or through others: a bit for each two of them. Linear in the graph for each
// thousand of them.

import type { Graph } from '../core/graph.ts';

/** Units whose bits are found in one pass over the graph. */
const AT_ONCE = 1024;
const WORDS = AT_ONCE / 32;

/** Answers for the given units, by their places in the list. */
export class Order {
  /** For each unit a row: those that it waits for. */
  readonly #rows: Uint32Array;
  readonly #words: number;

  constructor(graph: Pick<Graph, 'units' | 'order' | 'deps'>, units: readonly number[]) {
    this.#words = Math.ceil(units.length / 32);
    this.#rows = new Uint32Array(units.length * this.#words);
    for (let from = 0; from < units.length; from += AT_ONCE) this.#pass(graph, { units, from });
  }

  /** Whether one of the two waits for the other. */
  ordered(a: number, b: number): boolean {
    return this.#waits(a, b) || this.#waits(b, a);
  }

  #waits(a: number, b: number): boolean {
    return (((this.#rows[a * this.#words + (b >>> 5)] ?? 0) >>> (b & 31)) & 1) === 1;
  }

  /** Carries the bits of up to a thousand units along the dependencies. */
  #pass(graph: Pick<Graph, 'units' | 'order' | 'deps'>, o: { readonly units: readonly number[]; readonly from: number }): void {
    const place = new Map(o.units.slice(o.from, o.from + AT_ONCE).map((unit, i) => [unit, i]));
    const bits = new Uint32Array(graph.units.length * WORDS);
    for (const unit of graph.order) {
      const row = unit * WORDS;
      for (const dep of graph.deps[unit] ?? []) {
        for (let w = 0; w < WORDS; w++) bits[row + w] = (bits[row + w] ?? 0) | (bits[dep * WORDS + w] ?? 0);
        const own = place.get(dep);
        if (own !== undefined) bits[row + (own >>> 5)] = (bits[row + (own >>> 5)] ?? 0) | (1 << (own & 31));
      }
    }
    o.units.forEach((unit, i) => {
      for (let w = 0; w < WORDS && o.from / 32 + w < this.#words; w++) this.#rows[i * this.#words + o.from / 32 + w] = bits[unit * WORDS + w] ?? 0;
    });
  }
}
