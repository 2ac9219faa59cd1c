// Chance from a seed: the same seed gives the same scenario, and the same choices as long as things happen in the same order.

/** A source of chance. */
export interface Chance {
  /** A number from 0 up to, not including, 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number;
  /** True with that probability. */
  maybe(probability: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** One of the names, in proportion to its weight; undefined when all weigh nothing. */
  weighed<T>(list: readonly (readonly [T, number])[]): T | undefined;
}

/** Takes any whole number as the seed. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next, whole,
    maybe: (probability) => next() < probability,
    pick: (list) => {
      const one = list[whole(0, list.length - 1)];
      if (one === undefined) throw new Error('a choice from nothing');
      return one;
    },
    weighed: (list) => {
      let at = next() * list.reduce((sum, [, weight]) => sum + weight, 0);
      return list.find(([, weight]) => (at -= weight) < 0)?.[0];
    },
  };
}
