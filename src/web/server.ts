// The dashboard's server: routes over node:http. Looks at journals and logs and never at the engine; what people ask for goes out
// through the functions it is given. Decides who may ask by guard.ts alone.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { isAbsolute, join, normalize } from 'node:path';
import type { AddressInfo } from 'node:net';
import { listRuns, newestRun } from '../adapters/runs.ts';
import { errnoOf } from '../adapters/errno.ts';
import type { Place } from '../commands/log-pieces.ts';
import { parseRequest } from '../core/request.ts';
import type { Request } from '../core/request.ts';
import { CONTENT_TYPE } from '../telemetry/prometheus.ts';
import { GitError } from '../world.ts';
import type { Clock } from '../world.ts';
import { commitsOf, detailOf, logNamed } from './detail.ts';
import { Feed } from './feed.ts';
import type { Asset } from './files.ts';
import { HEADERS, hasToken, isCrossSite, isToken, proofOf, refusedHost, refusedOrigin } from './guard.ts';
import type { Door } from './guard.ts';
import { isSigned, worthALook } from './hook.ts';
import type { Worth } from './hook.ts';
import { placeOf, placeText } from './log-text.ts';
import type { Translate } from './log-text.ts';
import { LogStreams, pieceOf } from './logs.ts';
import type { WantedLog } from './logs.ts';
import { Metrics } from './metrics.ts';
import type { Answer } from './protocol.ts';

/** A request's body is at most so long, bytes. */
const LONGEST_BODY = 64 * 1024;
/** And that of a webhook. */
const LONGEST_HOOK = 5 * 1024 * 1024;
/** A difference is shown up to so many characters. */
const LONGEST_DIFF = 512 * 1024;
/** Runs that are followed at once; one more costs the one nobody looks at its place. */
const MOST_FEEDS = 8;
/** So often silent streams say that they are there, ms. */
const HEARTBEAT = 15_000;
/** Addresses are paths; where they would lead is nobody's business. */
const BASE = 'http://choo.invalid';

/** What the server needs of the outside. */
export interface ServerOptions {
  readonly commonDir: string;
  readonly runDir: (run: number) => string;
  readonly socket: string | undefined;
  readonly clock: Clock;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly listen: string;
  readonly port: number;
  readonly token: string;
  readonly cookie: string;
  /** Puts a request to the run; gives what was done, or throws an Error with the reason. */
  readonly act: (request: Exclude<Request, { readonly do: 'look' }>) => Promise<string>;
  /** Says what the messages of that agent say, without secrets; undefined for one whose output is text. */
  readonly translate: (agent: string, unit: string) => Translate | undefined;
  readonly diff: (from: string, to: string) => Promise<string>;
  /** Takes webhooks that are signed with this secret; absent: none are taken. */
  readonly hook?: { readonly secret: string; readonly look: (worth: Worth) => Promise<void> };
  readonly say: (line: string) => void;
  /** Bytes that may wait for one client. */
  readonly bound?: number;
}

/** A server that listens. */
export interface WebServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens; throws the system's error when it cannot. */
export async function serveWeb(o: ServerOptions): Promise<WebServer> {
  const over = new AbortController();
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 20_000, maxHeaderSize: 16 * 1024 });
  server.listen({ host: o.listen, port: o.port });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const site = new Site(o, { listen: o.listen, port, token: o.token, cookie: o.cookie });
  server.on('request', (request, response) => { void site.answer(request, response); });
  const beats = beat(site, o.clock, over.signal);
  return { port, close: () => closeAll(server, { site, end: () => over.abort(), beats }) };
}

async function beat(site: Site, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(HEARTBEAT, signal);
    if (signal.aborted) return;
    site.beat();
  }
}

async function closeAll(server: Server, o: { readonly site: Site; readonly end: () => void; readonly beats: Promise<void> }): Promise<void> {
  o.end();
  const closed = once(server, 'close');
  server.close();
  await o.site.close();
  server.closeAllConnections();
  await Promise.all([closed, o.beats]);
}

/** A refusal with its status. */
class Refused extends Error {
  override name = 'Refused';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

class Site {
  readonly #o: ServerOptions;
  readonly #door: Door;
  readonly #feeds = new Map<number, Promise<Feed>>();
  readonly #logs: LogStreams;
  readonly #numbers: Metrics;

  constructor(o: ServerOptions, door: Door) {
    this.#o = o;
    this.#door = door;
    this.#logs = new LogStreams(o.clock);
    this.#numbers = new Metrics(o.commonDir);
  }

  beat(): void {
    this.#logs.beat();
    for (const feed of this.#feeds.values()) void feed.then(({ clients }) => clients.beat(), () => undefined);
  }

  async close(): Promise<void> {
    this.#logs.close();
    await Promise.allSettled([...this.#feeds.values()].map(async (feed) => (await feed).close()));
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      await this.#route(request, response);
    } catch (error) {
      if (error instanceof Refused) return refuseWith(response, error);
      if (!(error instanceof Error)) throw error;
      this.#o.say(`choo web: ${error.message}`);
      refuseWith(response, new Refused(500, 'this could not be read; the terminal of choo web says more'));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method } = request;
    // Whoever passes it on may call this machine as they like: its signature is what counts.
    if (method === 'POST' && request.url === '/hooks/github') return this.#hook(request, response);
    const no = refusedHost(headers, this.#door);
    if (no !== undefined) throw new Refused(421, no);
    const foreign = refusedOrigin(headers, method === 'POST');
    if (foreign !== undefined) throw new Refused(403, foreign);
    if (!URL.canParse(request.url ?? '/', BASE)) throw new Refused(400, 'this is no address');
    const url = new URL(request.url ?? '/', BASE);
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') throw new Refused(405, 'only GET and POST');
    if (url.pathname === '/' && method !== 'POST') return this.#page(url, request, response);
    if (isCrossSite(headers)) throw new Refused(403, 'another site asks');
    if (url.pathname === '/proof' && method !== 'POST') return this.#prove(url.searchParams.get('of') ?? '', response);
    if (!hasToken(headers, this.#door)) throw new Refused(401, 'open the link that choo web printed');
    const steps = url.pathname.split('/').slice(1).map(decode);
    if (method === 'POST') return this.#act(steps, request, response);
    if (url.pathname === '/metrics') return this.#metrics(response);
    if (steps[0] === 'api') return this.#api(steps.slice(1), { url, request, response });
    const asset = steps.length === 1 ? this.#o.assets.get(steps[0] ?? '') : undefined;
    if (asset === undefined) throw new Refused(404, 'there is no such page');
    send(response, asset.type, asset.body);
  }

  async #metrics(response: ServerResponse): Promise<void> {
    const there = await newestRun(this.#o.commonDir) !== undefined;
    send(response, CONTENT_TYPE, Buffer.from(await this.#numbers.page(there ? (await this.#feed('newest')).snapshot().head : undefined)));
  }

  /** Shows another choo of this repository that this is its dashboard, before that one has shown the token. */
  #prove(nonce: string, response: ServerResponse): void {
    if (!/^[\w-]{16,128}$/.test(nonce)) throw new Refused(400, '`of` is a random text');
    send(response, 'text/plain; charset=utf-8', Buffer.from(proofOf(this.#door, nonce)));
  }

  /** The page itself; the link's token becomes a cookie, which scripts cannot read and other sites cannot send. */
  #page(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const given = url.searchParams.get('token');
    if (given !== null && isToken(given, this.#door)) {
      response.setHeader('set-cookie', `${this.#door.cookie}=${this.#door.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000`);
    } else if (!hasToken(request.headers, this.#door)) {
      throw new Refused(401, 'open the link that choo web printed');
    }
    const page = this.#o.assets.get('index.html');
    if (page === undefined) throw new Refused(404, 'there is no page');
    send(response, page.type, page.body);
  }

  async #api(steps: readonly string[], o: { readonly url: URL; readonly request: IncomingMessage; readonly response: ServerResponse }): Promise<void> {
    const { response, url } = o;
    const [kind, name, what, ...more] = steps;
    if (kind !== 'runs') throw new Refused(404, 'there is no such thing');
    if (name === undefined) return json(response, (await listRuns(this.#o.commonDir)).map((run) => ({ run })));
    const feed = await this.#feed(name);
    if (what === undefined) return json(response, feed.snapshot());
    if (what === 'stream' && more.length === 0) return stream(feed, o);
    if (what === 'report') return report(feed, more, response);
    const [unit = '', part, number, step, ...rest] = more;
    const events = what === 'units' && rest.length === 0 && (step === undefined || (part === 'logs' && step === 'stream')) ? feed.eventsOf(unit) : undefined;
    if (events === undefined) throw new Refused(404, 'there is no such thing');
    if (part === undefined) return json(response, detailOf(unit, events));
    if (part === 'diff' && number === undefined) return this.#diff(commitsOf(events), response);
    const log = part === 'logs' && /^\d{1,9}$/.test(number ?? '') ? logNamed(events, Number(number)) : undefined;
    const path = log === undefined || normalize(log.log).startsWith('..') || isAbsolute(log.log) ? undefined : join(this.#o.runDir(feed.run), log.log);
    if (log === undefined || path === undefined) throw new Refused(404, 'the journal names no such log');
    const translate = log.agent === undefined || !url.searchParams.has('said') ? undefined : this.#o.translate(log.agent, unit);
    if (step === 'stream') return this.#logs.serve({ path, translate, feed, unit, seq: log.seq, after: placeOf(String(o.request.headers['last-event-id'] ?? '')) ?? place(url, 'after') }, response);
    return this.#log({ path, translate }, o);
  }

  async #log(o: WantedLog, { url, response }: { readonly url: URL; readonly response: ServerResponse }): Promise<void> {
    const [from, before] = [place(url, 'from'), place(url, 'before')];
    const piece = await pieceOf(o, { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) });
    if (piece === undefined) throw new Refused(404, 'nothing was printed yet');
    response.setHeader('x-choo-from', placeText(piece.from));
    response.setHeader('x-choo-next', placeText(piece.next));
    response.setHeader('x-choo-size', String(piece.size));
    send(response, 'text/plain; charset=utf-8', Buffer.from(piece.text));
  }

  async #diff(commits: { readonly base: string; readonly head: string } | undefined, response: ServerResponse): Promise<void> {
    if (commits === undefined) throw new Refused(404, 'there is nothing to compare yet');
    try {
      const text = await this.#o.diff(commits.base, commits.head);
      send(response, 'text/plain; charset=utf-8', Buffer.from(text.length > LONGEST_DIFF ? `${text.slice(0, LONGEST_DIFF)}\n[the rest is left out]\n` : text));
    } catch (error) {
      if (error instanceof GitError) throw new Refused(404, 'its commits are no longer here');
      throw error;
    }
  }

  async #hook(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { hook } = this.#o;
    if (hook === undefined) throw new Refused(404, 'webhooks are taken when CHOO_GITHUB_WEBHOOK_SECRET is set');
    const body = await bytesOf(request, LONGEST_HOOK);
    const signature = request.headers['x-hub-signature-256'];
    if (!isSigned(body, { signature: typeof signature === 'string' ? signature : undefined, secret: hook.secret })) throw new Refused(401, 'it is not signed with the secret');
    const worth = worthALook(parsed(body));
    if (worth.pulls.length + worth.heads.length > 0) await hook.look(worth);
    json(response, { ok: true });
  }

  async #act(steps: readonly string[], request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (steps.join('/') !== 'api/actions') throw new Refused(404, 'there is no such thing');
    if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) throw new Refused(415, 'an action is JSON');
    const wish = parseRequest(await bodyOf(request));
    if (wish === undefined || wish.do === 'look') throw new Refused(400, 'this is no request: stop, retry or approve');
    try {
      json(response, { ok: await this.#o.act(wish) } satisfies Answer);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      response.statusCode = 409;
      json(response, { error: error.message } satisfies Answer);
    }
  }

  /** The feed of a run by its number or `newest`. */
  async #feed(name: string): Promise<Feed> {
    const newest = await newestRun(this.#o.commonDir);
    const run = name === 'newest' ? newest : /^[1-9]\d{0,8}$/.test(name) ? Number(name) : undefined;
    if (run === undefined || !(await listRuns(this.#o.commonDir)).includes(run)) throw new Refused(404, 'there is no such run');
    const open = this.#feeds.get(run);
    if (open !== undefined) return open;
    await this.#makeRoom();
    const feed = Feed.open({
      commonDir: this.#o.commonDir, run, clock: this.#o.clock, socket: this.#o.socket, ...(this.#o.bound === undefined ? {} : { bound: this.#o.bound }),
    }, (error) => {
      this.#feeds.delete(run);
      this.#o.say(`choo web: run ${run} is no longer followed: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#feeds.set(run, feed);
    feed.catch(() => this.#feeds.delete(run));
    return feed;
  }

  async #makeRoom(): Promise<void> {
    if (this.#feeds.size < MOST_FEEDS) return;
    for (const [run, opening] of this.#feeds) {
      const feed = await opening;
      if (feed.used) continue;
      this.#feeds.delete(run);
      return feed.close();
    }
    throw new Refused(503, 'too many runs are looked at');
  }
}

function stream(feed: Feed, { url, request, response }: { readonly url: URL; readonly request: IncomingMessage; readonly response: ServerResponse }): void {
  const last = request.headers['last-event-id'] ?? url.searchParams.get('after') ?? '';
  const known = /^(\d{1,9}):(\d{1,15})$/.exec(String(last));
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no', connection: 'close' });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  feed.clients.add(response);
  feed.clients.send(response, `retry: 1000\n\n${feed.greeting(known !== null && Number(known[1]) === feed.run ? Number(known[2]) : undefined)}`);
}

/** The run in outline, or one unit's timeline. */
async function report({ reports }: Feed, more: readonly string[], response: ServerResponse): Promise<void> {
  const [unit, ...rest] = more;
  const told = rest.length > 0 ? undefined : unit === undefined ? await reports.outline() : await reports.unit(unit);
  if (told === undefined) throw new Refused(404, 'there is no such thing, or nothing has happened to it yet');
  if (told instanceof Buffer) send(response, 'application/json; charset=utf-8', told);
  else json(response, told);
}

/** A place in a log that the address names. */
function place(url: URL, name: 'from' | 'before' | 'after'): Place | undefined {
  const text = url.searchParams.get(name);
  const found = text === null ? undefined : placeOf(text);
  if (text !== null && found === undefined) throw new Refused(400, `\`${name}\` is a place in the log: a number of bytes, or what an id or a header says`);
  return found;
}

/** A step of the path; one that cannot be read is one that nothing is named by. */
function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch (error) {
    if (error instanceof URIError) return '\0';
    throw error;
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  return parsed(await bytesOf(request, LONGEST_BODY));
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refused(400, 'this is no JSON');
    throw error;
  }
}

async function bytesOf(request: IncomingMessage, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > most) throw new Refused(413, 'this is too long');
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (errnoOf(error) === 'ECONNRESET') throw new Refused(400, 'it broke off');
    throw error;
  }
}

function json(response: ServerResponse, value: unknown): void {
  send(response, 'application/json; charset=utf-8', Buffer.from(JSON.stringify(value)));
}

function send(response: ServerResponse, type: string, body: Buffer): void {
  response.setHeader('content-type', type);
  response.setHeader('content-length', body.length);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function refuseWith(response: ServerResponse, { status, message }: Refused): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  send(response, 'text/plain; charset=utf-8', Buffer.from(`${message}\n`));
}
