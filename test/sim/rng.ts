// The one source of chance in a simulation: a small generator from a seed. The same seed gives the same numbers for ever.

/** Weights by name; a name is drawn as often as its share of the sum. */
export type Weights<K extends string> = Readonly<Record<K, number>>;

/** A stream of numbers from a seed (mulberry32). */
export class Rng {
  #state: number;

  /** Takes any integer; its upper and lower half both count. */
  constructor(seed: number) {
    this.#state = (Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b) ^ Math.imul(seed % 2 ** 32, 0x9e3779b1)) >>> 0;
    this.next();
  }

  /** From 0 up to but not 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to but not `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** One item of a list that is not empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** One name by its weight. */
  weighted<K extends string>(weights: Weights<K>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return (entries.at(-1) as [K, number])[0];
  }

  /** A list in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }
}
