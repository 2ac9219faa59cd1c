// Notices when the choo behind a control socket is gone, however it ended: the connection closes with it. Asks it nothing.

import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { systemClock } from '../adapters/clock.ts';
import type { Clock } from '../world.ts';
import type { Changes } from './changes.ts';

/** After a refusal the next look is so much later, ms, and each one after that twice as late. */
const FIRST_MS = 20;
/** Refusals in a row after which only other news leads to another look: a choo that has no socket, not one that is ending. */
const MOST_REFUSALS = 8;

/** A connection that tells `changes` when it closes or cannot be made. */
export class Lifeline {
  readonly #changes: Changes;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #over = new AbortController();
  #socket: Socket | undefined;
  #refusals = 0;
  #resting = false;

  constructor(changes: Changes, clock: Pick<Clock, 'sleep'> = systemClock()) {
    this.#changes = changes;
    this.#clock = clock;
  }

  /** Connects, unless it is connected or on its way. May be called at every change. */
  hold(path: string): void {
    if (this.#socket !== undefined || this.#resting || this.#over.signal.aborted) return;
    const socket = createConnection({ path });
    this.#socket = socket;
    let made = false;
    socket.on('connect', () => { made = true; });
    // Closing follows every error and is what counts.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#socket = undefined;
      if (made) {
        this.#refusals = 0;
        this.#changes.tell();
      } else void this.#rest();
    });
    socket.resume();
  }

  /** Lets go, for good. */
  close(): void {
    this.#over.abort();
    this.#socket?.destroy();
  }

  /** Nothing else tells of a program that has closed its socket and is not gone yet: the connection that closes is seen before its process ends. */
  async #rest(): Promise<void> {
    if (this.#refusals === MOST_REFUSALS) {
      this.#refusals = 0;
      return;
    }
    this.#resting = true;
    await this.#clock.sleep(FIRST_MS * 2 ** this.#refusals++, this.#over.signal);
    this.#resting = false;
    this.#changes.tell();
  }
}
