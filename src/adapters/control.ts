// The control socket: JSON lines from another terminal to the running choo. What requests mean is the caller's.

import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { BOUNDS } from '../core/limits.ts';
import { errnoOf } from './errno.ts';
import { chooFolder } from './runs.ts';

/** The longest path a socket can have on every system, bytes. */
const LONGEST_PATH = 103;
/** Clients at once; one more costs the oldest its connection, so that silent ones cannot keep others out. */
const MOST_CLIENTS = 64;

/** A request that got no good answer, or a socket that cannot be. `refused` carries the running choo's own words. */
export class ControlError extends Error {
  override name = 'ControlError';
  readonly reason: 'path-too-long' | 'not-private' | 'not-running' | 'no-answer' | 'malformed' | 'too-large' | 'refused';
  constructor(reason: ControlError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The socket's path: in choo's folder of the repository, or in `runtimeDir` ($XDG_RUNTIME_DIR) where that path is too long. Throws ControlError. */
export function controlPath(commonDir: string, runtimeDir: string | undefined): string {
  const hash = createHash('sha256').update(commonDir).digest('hex').slice(0, 16);
  const candidates = [join(chooFolder(commonDir), 'control.sock')];
  if (runtimeDir !== undefined && runtimeDir !== '') candidates.push(join(runtimeDir, `choo-${hash}.sock`));
  const path = candidates.find((candidate) => Buffer.byteLength(candidate) <= LONGEST_PATH);
  if (path !== undefined) return path;
  throw new ControlError('path-too-long', `no place for the control socket: ${candidates.join(' and ')} are longer than ${LONGEST_PATH} bytes; set XDG_RUNTIME_DIR to a shorter folder`);
}

/** A socket that listens. */
export interface ControlServer {
  /** Cuts all connections and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens at `path`, replacing what an earlier choo left there: only for the holder of the repository's lock. `handle`
 * gets each request, one at a time per client, and gives back a JSON value; its throw becomes the answer `{error}`.
 */
export async function serveControl(o: { readonly path: string; readonly handle: (request: unknown) => unknown }): Promise<ControlServer> {
  await makePrivate(dirname(o.path));
  await rm(o.path, { force: true });
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    clients.add(socket);
    socket.once('close', () => clients.delete(socket));
    const [oldest] = clients;
    if (clients.size > MOST_CLIENTS) oldest?.destroy();
    serveClient(socket, o.handle);
  });
  server.listen(o.path);
  await once(server, 'listening');
  await chmod(o.path, 0o600);
  return { close: () => closeServer(server, clients) };
}

/** Sends one request and gives back the answer; throws ControlError. An abort of `signal` gives up waiting. */
export async function callControl(path: string, request: unknown, signal?: AbortSignal): Promise<unknown> {
  const line = `${JSON.stringify(request)}\n`;
  if (Buffer.byteLength(line) > BOUNDS.controlMessage) throw new ControlError('too-large', 'the request is too large');
  if (signal?.aborted === true) throw new ControlError('no-answer', 'nobody waits for the answer');
  const socket = createConnection({ path });
  try {
    signal?.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.write(line);
    const answer = parseAnswer(await firstLine(socket));
    if (typeof answer === 'object' && answer !== null && 'error' in answer) throw new ControlError('refused', String(answer.error));
    return answer;
  } finally {
    socket.destroy();
  }
}

/** The folder is what keeps others away in the moment between the socket's birth and its chmod. */
async function makePrivate(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(folder);
  if (made === undefined && (mode % 0o100 !== 0 || uid !== process.getuid?.())) {
    throw new ControlError('not-private', `${folder} is open to other users: \`chmod 700 ${folder}\` and try again`);
  }
}

function closeServer(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  // Node removes the socket's file when the server closes.
  const closed = once(server, 'close').then(() => undefined);
  server.close();
  for (const client of clients) client.destroy();
  return closed;
}

function serveClient(socket: Socket, handle: (request: unknown) => unknown): void {
  socket.on('error', () => socket.destroy());
  let before: Promise<void> = Promise.resolve();
  const lines = new BoundedLines(
    (line) => {
      socket.pause();
      before = before.then(async () => send(socket, await answerTo(line, handle))).then(() => { socket.resume(); });
    },
    () => {
      before = before.then(() => {
        send(socket, JSON.stringify({ error: `a request is at most ${BOUNDS.controlMessage} bytes` }));
        socket.end();
      });
    },
  );
  socket.on('data', (chunk: Buffer) => lines.push(chunk));
  socket.once('end', () => {
    before = before.then(() => { socket.end(); });
  });
}

function send(socket: Socket, answer: string): void {
  if (!socket.writable) return;
  socket.write(`${answer}\n`);
  // A client that asks and does not read may not fill our memory.
  if (socket.writableLength > 2 * BOUNDS.controlMessage) socket.destroy();
}

async function answerTo(line: string, handle: (request: unknown) => unknown): Promise<string> {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    return JSON.stringify({ error: 'a request is one line of JSON' });
  }
  try {
    const answer = JSON.stringify((await handle(request)) ?? null);
    return Buffer.byteLength(answer) < BOUNDS.controlMessage ? answer : JSON.stringify({ error: 'the answer is too large' });
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = new BoundedLines(resolve, () => reject(new ControlError('too-large', 'the answer is too large')));
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.once('error', (error) => reject(isAbsent(error)
      ? new ControlError('not-running', 'no choo runs in this repository')
      : new ControlError('no-answer', `the running choo cannot be reached: ${error.message}`)));
    socket.once('close', () => reject(new ControlError('no-answer', 'the running choo ended without an answer')));
  });
}

function isAbsent(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ECONNREFUSED';
}

function parseAnswer(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new ControlError('malformed', 'the answer of the running choo cannot be understood');
  }
}

/** Cuts bytes into lines of at most `BOUNDS.controlMessage` bytes; after a longer one it takes nothing more. */
class BoundedLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #take: (line: string) => void;
  readonly #tooLong: () => void;
  #rest = '';
  #broken = false;

  constructor(take: (line: string) => void, tooLong: () => void) {
    this.#take = take;
    this.#tooLong = tooLong;
  }

  push(chunk: Buffer): void {
    if (this.#broken) return;
    const [first = '', ...more] = this.#decoder.write(chunk).split('\n');
    this.#rest += first;
    for (const part of more) {
      if (this.#check()) this.#take(this.#rest);
      this.#rest = part;
    }
    this.#check();
  }

  #check(): boolean {
    if (!this.#broken && Buffer.byteLength(this.#rest) > BOUNDS.controlMessage) {
      this.#broken = true;
      this.#rest = '';
      this.#tooLong();
    }
    return !this.#broken;
  }
}
