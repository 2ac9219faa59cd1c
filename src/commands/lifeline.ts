// Notices when the choo behind a control socket is gone, however it ended: the connection closes with it. Asks it nothing.

import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import type { Changes } from './changes.ts';

/** A connection that tells `changes` when it closes or cannot be made. */
export class Lifeline {
  readonly #changes: Changes;
  #socket: Socket | undefined;
  #refused = false;
  #closed = false;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** Connects, unless it is connected or on its way. May be called at every change: after a refusal it waits for other news than its own. */
  hold(path: string): void {
    if (this.#socket !== undefined || this.#closed) return;
    if (this.#refused) {
      this.#refused = false;
      return;
    }
    const socket = createConnection({ path });
    this.#socket = socket;
    let made = false;
    socket.on('connect', () => { made = true; });
    // Closing follows every error and is what counts.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#socket = undefined;
      this.#refused = !made;
      this.#changes.tell();
    });
    socket.resume();
  }

  /** Lets go, for good. */
  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }
}
