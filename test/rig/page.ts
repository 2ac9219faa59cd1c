// Asks a running `choo web` over plain HTTP, with every header in the hand, and reads its streams. Knows none of its code.

import { request as ask } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { Running } from './choo.ts';

/** Where a server is and how to get in. */
export interface Link {
  readonly port: number;
  readonly token: string;
}

/** An answer. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** One server-sent event. */
export interface Sent {
  readonly event: string;
  readonly id?: string;
  readonly data: {
    readonly run?: number;
    readonly seq?: number;
    readonly head?: { readonly at: string; readonly newest: number; readonly closed: boolean; readonly counts: Readonly<Record<string, number>> };
    readonly units?: readonly { readonly id: string; readonly state: string }[];
    /** Of the stream of a log. */
    readonly text?: string;
    readonly from?: string;
    readonly said?: boolean;
  };
}

/** The link that the program prints, once it has. */
export async function linkOf(running: Running): Promise<Link> {
  const text = await running.printed(/http:\/\/\S+:(\d+)\/\?token=([\w-]+)/);
  return { port: Number(text[1]), token: text[2] ?? '' };
}

/** What a request is made of; the token goes along as a bearer's unless headers say otherwise. */
export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

/** Asks once. The path goes out as it is written. */
export async function fetchFrom(link: Link, path: string, o: Asking = {}): Promise<Answered> {
  const response = await open(link, path, o);
  let text = '';
  for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) text += part;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

async function open(link: Link, path: string, o: Asking): Promise<IncomingMessage> {
  const all = { authorization: `Bearer ${link.token}`, ...o.headers };
  const headers = Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined));
  const sent = ask({ host: '127.0.0.1', port: link.port, path, method: o.method ?? 'GET', headers, agent: false });
  sent.end(o.body);
  const [response] = await once(sent, 'response') as [IncomingMessage];
  return response;
}

/** A stream of a run or of a log. */
export class Stream {
  readonly #response: IncomingMessage;
  readonly #sent: AsyncGenerator<Sent>;
  /** All that came. */
  readonly all: Sent[] = [];

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.#sent = events(response);
  }

  /** Of a run, or what is at `path`. */
  static async open(link: Link, o: { readonly run?: string; readonly path?: string; readonly after?: string | undefined } = {}): Promise<Stream> {
    return new Stream(await open(link, o.path ?? `/api/runs/${o.run ?? 'newest'}/stream`, { headers: { 'last-event-id': o.after } }));
  }

  /** Of a log: all of its text that came. */
  get text(): string {
    return this.all.map(({ data }) => data.text ?? '').join('');
  }

  /** The next event that fits; undefined when the stream has ended. */
  async until(fits: (sent: Sent) => boolean): Promise<Sent | undefined> {
    for (;;) {
      const next = await this.#sent.next();
      if (next.done === true) return undefined;
      this.all.push(next.value);
      if (fits(next.value)) return next.value;
    }
  }

  /** The same, also when it has come already: what happens at once is told at once. */
  async has(fits: (sent: Sent) => boolean): Promise<Sent | undefined> {
    return this.all.find(fits) ?? this.until(fits);
  }

  close(): void {
    this.#response.destroy();
  }
}

async function* events(response: IncomingMessage): AsyncGenerator<Sent> {
  let rest = '';
  try {
    for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) {
      const blocks = (rest + part).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
        const [event, id] = [fields.get('event'), fields.get('id')];
        if (event !== undefined) yield { event, ...(id === undefined ? {} : { id }), data: JSON.parse(fields.get('data') ?? '{}') as Sent['data'] };
      }
    }
  } catch (error) {
    // The server has gone.
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
  }
}
