// Who follows a run: streams of server-sent events with a bound on what waits for each. A slow one is cut; nobody waits for it.

import type { ServerResponse } from 'node:http';

/** Bytes that may wait for one client; one that has more is cut. A whole run of 1,000 units has less. */
const MOST_WAITING = 4 * 1024 * 1024;
/** Clients at once; one more costs the oldest its stream. */
const MOST_CLIENTS = 64;

/** All who follow one run. */
export class Clients {
  readonly #all = new Set<ServerResponse>();
  /** Cut, with something still on its way to them. */
  #leaving = new Set<ServerResponse>();
  readonly #bound: number;

  constructor(bound = MOST_WAITING) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Takes a client in. */
  add(client: ServerResponse): void {
    this.#all.add(client);
    client.once('close', () => this.#all.delete(client));
    const [oldest] = this.#all;
    if (this.#all.size > MOST_CLIENTS && oldest !== undefined) this.cut(oldest);
  }

  /** Sends all of them what happened. */
  tell(message: string): void {
    for (const client of this.#all) this.send(client, message);
  }

  /** Sends one of them something, or cuts it when too much waits for it already. */
  send(client: ServerResponse, message: string): void {
    if (!this.#all.has(client)) return;
    if (client.writableLength + message.length > this.#bound && client.writableLength > 0) this.cut(client);
    else client.write(message);
  }

  /** Says to all that the server is there; ends those that were cut before the last time and have not read what was left. */
  beat(): void {
    for (const client of this.#leaving) client.destroy();
    this.#leaving = new Set();
    this.tell(': here\n\n');
  }

  /** Ends all streams; what was sent goes out as far as it is read soon. */
  close(): void {
    for (const client of this.#leaving) client.destroy();
    for (const client of this.#all) this.end(client, undefined);
  }

  /** Tells it to begin again, and gives it nothing more. */
  cut(client: ServerResponse): void {
    this.end(client, message('resync', { id: undefined, data: {} }));
  }

  /** Gives it a last message, if any. What waits goes out when it reads. */
  end(client: ServerResponse, last: string | undefined): void {
    if (!this.#all.delete(client)) return;
    this.#leaving.add(client);
    client.once('close', () => this.#leaving.delete(client));
    client.end(last);
  }
}

/** One server-sent event. */
export function message(event: string, o: { readonly id: string | undefined; readonly data: unknown }): string {
  // JSON has no line ends of its own.
  return `event: ${event}\n${o.id === undefined ? '' : `id: ${o.id}\n`}data: ${JSON.stringify(o.data)}\n\n`;
}
