// A way to a server that can be cut: DevTools' "offline" refuses new connections and leaves open ones as they are, while a network that is
// gone ends those, too. Passes bytes on, nothing more.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** Passes on what comes to the same port of another loopback address. */
export class Relay {
  /** Where to connect. */
  static readonly host = '127.0.0.2';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on the port of the server that is to be reached. */
  static async open(port: number): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server);
    server.on('connection', (socket) => {
      const there = connect(port, '127.0.0.1');
      for (const [one, other] of [[socket, there], [there, socket]] as const) {
        relay.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          relay.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    server.listen(port, Relay.host);
    await once(server, 'listening');
    return relay;
  }

  /** Ends every connection that is open. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
