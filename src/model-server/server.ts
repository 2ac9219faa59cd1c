// The scripted model server: HTTP on 127.0.0.1, any number of model protocols, one scenario. Keeps what it was asked, so
// that a test can look at it. What a turn looks like in a protocol is that protocol's file.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../world.ts';
import { play, type Play, type Scenario } from './scenario.ts';
import { BadRequest, type Asked, type HttpAnswer, type HttpRequest, type Protocol, type Spent, type Turn } from './turn.ts';

/** A larger request is refused, bytes. */
const LARGEST_BODY = 64 * 1024 * 1024;

/** What an answer claims to have used, unless told otherwise. */
const SPENT: Spent = { input: 1000, output: 50, cacheRead: 0, cacheWrite: 0 };

/** What a server is made of. */
export interface ModelServerOptions {
  readonly protocols: readonly Protocol[];
  readonly scenario: Scenario;
  /** For `slow`. */
  readonly clock: Clock;
  /** What each answer claims to have used. */
  readonly spent?: Spent;
  /** Default: any free one. */
  readonly port?: number;
}

/** One request as it came, and what became of it. */
export interface Seen {
  readonly request: HttpRequest;
  /** Undefined: no protocol knows the request. */
  readonly protocol?: Protocol['name'];
  /** Undefined: it did not ask for an answer of the model. */
  readonly asked?: Asked;
  /** What the scenario said; undefined with `asked`. */
  readonly turn?: Turn;
  /** Set for what the real interface would refuse. */
  readonly bad?: string;
}

/** A server that runs. */
export interface ModelServer {
  /** `http://127.0.0.1:PORT`, without a slash at its end. */
  readonly url: string;
  /** Every request so far, in the order in which they came. */
  readonly seen: readonly Seen[];
  /** What the real interface would have refused, a sentence each; a good agent leaves it empty. */
  readonly bad: readonly string[];
  /** Resolves with the first request that fits, now or later; rejects when the server is closed before. */
  arrived(fits: (seen: Seen) => boolean): Promise<Seen>;
  /** Drops every connection and ends. */
  close(): Promise<void>;
}

/** Starts a server. It does not keep its program alive. */
export async function openModelServer(o: ModelServerOptions): Promise<ModelServer> {
  const desk = new Desk(o);
  const server = createServer((incoming, response) => {
    desk.serve(incoming, response).catch((error: unknown) => {
      // A defect of the server itself must not look like a busy model.
      desk.bad.push(`the model server failed: ${String(error)}`);
      response.destroy();
    });
  });
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(o.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`, seen: desk.seen, bad: desk.bad,
    arrived: (fits) => desk.arrived(fits),
    close: () => new Promise((resolve) => {
      desk.close();
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

interface Waiter {
  readonly fits: (seen: Seen) => boolean;
  readonly resolve: (seen: Seen) => void;
  readonly reject: (error: Error) => void;
}

/** Where requests are read, noted and answered. */
class Desk {
  readonly seen: Seen[] = [];
  readonly bad: string[] = [];
  readonly #o: ModelServerOptions;
  readonly #play: Play;
  readonly #closing = new AbortController();
  #waiters: Waiter[] = [];

  constructor(o: ModelServerOptions) {
    this.#o = o;
    this.#play = play(o.scenario);
  }

  async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    if (request === undefined) {
      response.destroy();
      return;
    }
    const protocol = this.#o.protocols.find((p) => p.mine(request));
    if (protocol === undefined) {
      this.#note({ request });
      await write(response, plain(404, `nothing is served at ${request.path}`));
      return;
    }
    const read = ask(protocol, request);
    if ('bad' in read) {
      this.bad.push(`${protocol.name}: ${request.method} ${request.path}: ${read.bad}`);
      this.#note({ request, protocol: protocol.name, bad: read.bad });
      await write(response, plain(400, read.bad));
    } else if ('status' in read) {
      this.#note({ request, protocol: protocol.name });
      await write(response, read);
    } else {
      const turn = this.#play.next(read);
      this.#note({ request, protocol: protocol.name, asked: read, turn });
      await this.#perform(turn, { protocol, asked: read, request, response });
    }
  }

  arrived(fits: (seen: Seen) => boolean): Promise<Seen> {
    const before = this.seen.find(fits);
    if (before !== undefined) return Promise.resolve(before);
    return new Promise((resolve, reject) => { this.#waiters.push({ fits, resolve, reject }); });
  }

  close(): void {
    this.#closing.abort();
    for (const { reject } of this.#waiters) reject(new Error(`the model server was closed; it was asked:\n${this.seen.map(lineOf).join('\n')}`));
    this.#waiters = [];
  }

  #note(seen: Seen): void {
    this.seen.push(seen);
    const now = this.#waiters.filter(({ fits }) => fits(seen));
    this.#waiters = this.#waiters.filter((waiter) => !now.includes(waiter));
    for (const { resolve } of now) resolve(seen);
  }

  async #perform(turn: Turn, o: { readonly protocol: Protocol; readonly asked: Asked; readonly request: HttpRequest; readonly response: ServerResponse }): Promise<void> {
    if (turn.do === 'hang') return;
    if (turn.do === 'slow') {
      await this.#o.clock.sleep(turn.ms, this.#closing.signal);
      await this.#perform(turn.then, o);
      return;
    }
    await write(o.response, o.protocol.answer(turn, { asked: o.asked, request: o.request, spent: this.#o.spent ?? SPENT }));
  }
}

function lineOf({ request, turn, bad }: Seen): string {
  return `${request.method} ${request.path} → ${turn?.do ?? bad ?? 'beside the model'}`;
}

function ask(protocol: Protocol, request: HttpRequest): Asked | HttpAnswer | { readonly bad: string } {
  try {
    return protocol.read(request);
  } catch (error) {
    if (error instanceof BadRequest) return { bad: error.message };
    throw error;
  }
}

/** Undefined when the client went away or sends too much. */
async function readRequest(incoming: IncomingMessage): Promise<HttpRequest | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BODY) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return undefined;
    throw error;
  }
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  return { method: incoming.method ?? 'GET', path: url.pathname, query: url.searchParams, headers: incoming.headers, body: parse(Buffer.concat(chunks).toString('utf8')) };
}

/** The body as data; a text that is no JSON stays a text, which no protocol accepts. */
function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** An error that clients of every protocol can read. */
function plain(status: 400 | 404, message: string): HttpAnswer {
  const [type, name] = status === 400 ? ['invalid_request_error', 'INVALID_ARGUMENT'] : ['not_found_error', 'NOT_FOUND'];
  const body = { type: 'error', error: { type, code: status, status: name, message } };
  return { status, headers: { 'content-type': 'application/json' }, pieces: [JSON.stringify(body)] };
}

/** Writes the pieces one by one; gives up quietly when the client has gone away. */
async function write(response: ServerResponse, answer: HttpAnswer): Promise<void> {
  response.writeHead(answer.status, answer.headers);
  for (const piece of answer.pieces) {
    if (response.destroyed) return;
    await new Promise<void>((resolve) => { response.write(piece, () => resolve()); });
  }
  if (answer.drop === true) response.destroy();
  else response.end();
}
