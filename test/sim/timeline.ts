// Virtual time: what is to happen, in order. Nothing here waits for real time, and between two happenings every promise that can
// move has moved.

import { ReadyHeap } from '../../src/core/heap.ts';

/** Something that will happen. */
export interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** The simulated machine's monotonic time, ms. */
export class Timeline {
  /** Milliseconds since the simulation began. */
  now = 0;
  #order = 0;
  readonly #waiting = new ReadyHeap<Timer>((a, b) => a.at - b.at || a.order - b.order);

  /** Lets something happen after this many ms; those due at the same moment happen in the order they were asked for. */
  after(ms: number, run: () => void): Timer {
    const timer: Timer = { at: this.now + ms, order: this.#order++, run };
    this.#waiting.push(timer);
    return timer;
  }

  /** Lets the next thing happen; false when nothing is left. */
  #step(): boolean {
    for (let timer = this.#waiting.pop(); timer !== undefined; timer = this.#waiting.pop()) {
      if (timer.run === undefined) continue;
      this.now = timer.at;
      const { run } = timer;
      timer.run = undefined;
      run();
      return true;
    }
    return false;
  }

  /** Lets things happen until `done`, until nothing is left or until the moment `limit` has passed. Gives back whether `done`. */
  drive(done: () => boolean, limit: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (done()) return resolve(true);
          if (this.now > limit || !this.#step()) return resolve(done());
        } catch (error) {
          return reject(error instanceof Error ? error : new Error(String(error)));
        }
        // A tick asked for by a microtask comes only when no microtask is left.
        queueMicrotask(() => process.nextTick(turn));
      };
      process.nextTick(turn);
    });
  }
}
