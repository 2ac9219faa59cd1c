// The queue: order, emptiness, iteration.

import { describe, expect, it } from 'vitest';
import { Queue } from '../../../src/core/queue.ts';

describe('queue', () => {
  it('gives back what was pushed, first in first out, however pushes and shifts alternate', () => {
    const queue = new Queue<number>();
    const plain: number[] = [];
    for (let i = 0; i < 200; i++) {
      queue.push(i);
      plain.push(i);
      const taken = i % 3 === 0 ? [] : [queue.shift(), plain.shift()];
      expect(taken[0]).toBe(taken[1]);
      expect(queue.first).toBe(plain[0]);
      expect(queue.length).toBe(plain.length);
    }
    expect([...queue]).toEqual(plain);
    expect(queue.length).toBe(plain.length);
  });

  it('is empty at first and after the last shift', () => {
    const queue = new Queue<string>();
    expect([queue.shift(), queue.first, queue.length]).toEqual([undefined, undefined, 0]);
    queue.push('a');
    expect([queue.shift(), queue.shift(), queue.length]).toEqual(['a', undefined, 0]);
  });
});
