// Logs as the dashboard gives them: a piece, or a stream that goes on until what is logged has ended. A stream reads only as much as its
// reader takes; woken by the file system and by the run's events.

import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { Changes } from '../commands/changes.ts';
import { LogPieces } from '../commands/log-pieces.ts';
import type { Place } from '../commands/log-pieces.ts';
import type { Clock } from '../world.ts';
import { Clients, message } from './clients.ts';
import { isAnswered } from './detail.ts';
import type { Feed } from './feed.ts';
import { AT_ONCE, openText, placeText, startBefore, Tail } from './log-text.ts';
import type { Chunk, LogText, Translate } from './log-text.ts';

/** What is printed within so much time goes out together, ms. */
const MOMENT = 100;
/** Bytes that may wait for one reader. */
const MOST_WAITING = 1024 * 1024;
/** Characters of messages that go out together. */
const TOGETHER = 16 * 1024;
/** A reader that has not taken what waits for it at so many heartbeats in a row is cut. */
const PATIENCE = 2;

/** A log that somebody wants to read. */
export interface WantedLog {
  readonly path: string;
  /** Says what its messages say; undefined: its text is given as it is. */
  readonly translate: Translate | undefined;
}

/** What a stream asks of the run. */
type Followed = Pick<Feed, 'subscribe' | 'closed' | 'mayGoOn' | 'eventsOf'>;

/** A piece of a log and where it lies. */
export interface Piece {
  readonly text: string;
  readonly from: Place;
  readonly next: Place;
  /** How long the whole output is now, bytes. */
  readonly size: number;
}

/** A piece: what comes after `from`, or before `before`, or the log's end; undefined when there is no log. */
export async function pieceOf(o: WantedLog, at: { readonly from?: Place; readonly before?: Place }): Promise<Piece | undefined> {
  const size = await new LogPieces(o.path).size();
  if (size === undefined) return undefined;
  const until = at.from === undefined ? at.before?.at : undefined;
  const after = at.from ?? (o.translate === undefined ? await startBefore(o.path, at.before ?? { at: size }) : { ...at.before, at: 0 });
  const tail = new Tail(after);
  let length = 0;
  for await (const chunk of openText(o.path, { translate: o.translate, after, ...(until === undefined ? {} : { until }) }).read(true)) {
    if (chunk.end === undefined && (o.translate === undefined || at.from !== undefined)) continue;
    if (at.from !== undefined && length > 0 && length + chunk.text.length > AT_ONCE) break;
    length += chunk.text.length;
    tail.add(chunk);
  }
  return { text: tail.chunks.map(({ text }) => text).join(''), from: tail.from, next: tail.chunks.findLast(({ end }) => end !== undefined)?.end ?? after, size };
}

/** All who read logs as they grow. */
export class LogStreams {
  readonly #clock: Clock;
  readonly #clients = new Clients(MOST_WAITING);
  /** Those who have not taken what waits for them, and for how many heartbeats. */
  readonly #waiting = new Map<ServerResponse, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Says to all that the server is there, and cuts who takes nothing. */
  beat(): void {
    this.#clients.beat();
    for (const [response, beats] of this.#waiting) {
      this.#waiting.set(response, beats + 1);
      if (beats + 1 >= PATIENCE) this.#clients.cut(response);
    }
  }

  close(): void {
    this.#clients.close();
  }

  /** Streams the log that the event `seq` of a unit names, from `after` on or its end, until what it is of has ended. */
  async serve(o: WantedLog & { readonly feed: Followed; readonly unit: string; readonly seq: number; readonly after: Place | undefined }, response: ServerResponse): Promise<void> {
    const { feed, seq, unit } = o;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no', connection: 'close' });
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    this.#clients.add(response);
    this.#clients.send(response, 'retry: 1000\n\n');
    const changes = new Changes();
    const isOver = (): boolean => !feed.mayGoOn(seq) || isAnswered(feed.eventsOf(unit) ?? [], seq);
    const ends = [feed.subscribe(() => changes.tell())];
    response.once('close', () => changes.tell());
    try {
      if (!isOver()) {
        await mkdir(dirname(o.path), { recursive: true, mode: 0o700 });
        const watcher = watch(dirname(o.path), () => changes.tell());
        ends.push(() => watcher.close());
      }
      const text = await this.#begin(o, response);
      while (isOpen(response) && !feed.closed) {
        const over = isOver();
        const last = await this.#pass(text.read(over), response);
        if (over) return this.#clients.end(response, message('end', { id: undefined, data: { text: last } }));
        await changes.next();
        await this.#clock.sleep(MOMENT);
      }
    } finally {
      for (const end of ends) end();
      this.#clients.cut(response);
    }
  }

  /** Tells a new reader where it begins, and the end of what is there. */
  async #begin(o: WantedLog & { readonly after: Place | undefined }, response: ServerResponse): Promise<LogText> {
    const said = o.translate !== undefined;
    if (o.after !== undefined) return openText(o.path, { translate: o.translate, after: o.after });
    const after = said ? { at: 0 } : await startBefore(o.path, { at: await new LogPieces(o.path).size() ?? 0 });
    const text = openText(o.path, { translate: o.translate, after });
    const tail = new Tail(after);
    if (said) for await (const chunk of text.read(false)) tail.add(chunk);
    this.#clients.send(response, message('begin', { id: placeText(tail.from), data: { from: placeText(tail.from), said } }));
    await this.#pass(tail.chunks, response);
    return text;
  }

  /** Passes on what is read as it is taken; gives back what comes after all that has a place. */
  async #pass(chunks: AsyncIterable<Chunk> | Iterable<Chunk>, response: ServerResponse): Promise<string> {
    let text = '';
    let place: Place | undefined;
    const send = async (): Promise<void> => {
      if (place !== undefined) this.#clients.send(response, message('text', { id: placeText(place), data: { text } }));
      [text, place] = ['', undefined];
      await this.#taken(response);
    };
    for await (const chunk of chunks) {
      if (chunk.end === undefined) {
        await send();
        return chunk.text;
      }
      if (text.length > 0 && text.length + chunk.text.length > TOGETHER) await send();
      if (!isOpen(response)) return '';
      text += chunk.text;
      place = chunk.end;
    }
    await send();
    return '';
  }

  /** Resolves when what waits for a reader has gone out, or it has gone. */
  async #taken(response: ServerResponse): Promise<void> {
    if (!response.writableNeedDrain || !isOpen(response)) return;
    this.#waiting.set(response, 0);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    });
    this.#waiting.delete(response);
  }
}

function isOpen(response: ServerResponse): boolean {
  return !response.writableEnded && !response.destroyed;
}
