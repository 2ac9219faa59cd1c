// Holds agents and checks by the hand: each one says on a socket that it is there, and does nothing but what the test tells it.
// So interleavings are chosen, never hoped for. Starts no program itself.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const program = join(import.meta.dirname, 'programs', 'hand.mjs');

/** What an agent or check said when it began. */
interface Hello {
  /** `agent`, or the name of a check. */
  readonly name: string;
  readonly pid: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What came on stdin; empty for a check. */
  readonly prompt: string;
}

/** How a command that a held program ran has ended. */
export interface Ran {
  readonly code: number | null;
  readonly signal: string | null;
  readonly error?: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Which held program is meant; what is not named may be anything. */
export interface Who {
  readonly name?: string;
  readonly unit?: string;
  /** A task's number, or the reason of a rework. */
  readonly task?: number | string;
  readonly attempt?: number;
}

type Message = { readonly answer: unknown } | { readonly error: string } | { readonly got: string };

/** One agent or check that waits for orders. Paths are relative to its folder, or absolute. */
export class Held {
  readonly name: string;
  readonly pid: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly prompt: string;
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;

  constructor(hello: Hello, o: { readonly socket: Socket; readonly lines: AsyncIterator<string> }) {
    ({ name: this.name, pid: this.pid, cwd: this.cwd, env: this.env, prompt: this.prompt } = hello);
    this.#socket = o.socket;
    this.#lines = o.lines;
    this.gone = o.socket.closed ? Promise.resolve() : once(o.socket, 'close').then(() => undefined);
  }

  get unit(): string {
    return this.env['CHOO_UNIT'] ?? '';
  }

  get task(): string {
    return this.env['CHOO_TASK'] ?? '';
  }

  get attempt(): number {
    return Number(this.env['CHOO_ATTEMPT'] ?? 0);
  }

  is(who: Who): boolean {
    return this.name === (who.name ?? 'agent') && (who.unit ?? this.unit) === this.unit
      && String(who.task ?? this.task) === this.task && (who.attempt ?? this.attempt) === this.attempt;
  }

  write(path: string, text = `${path}\n`): Promise<void> {
    return this.#order<void>({ do: 'write', path, text });
  }

  append(path: string, text: string): Promise<void> {
    return this.#order<void>({ do: 'append', path, text });
  }

  remove(path: string): Promise<void> {
    return this.#order<void>({ do: 'remove', path });
  }

  read(path: string): Promise<string> {
    return this.#order<string>({ do: 'read', path });
  }

  print(text: string): Promise<void> {
    return this.#order<void>({ do: 'print', text });
  }

  /** From now on these signals do nothing to it. */
  ignore(...signals: string[]): Promise<void> {
    return this.#order<void>({ do: 'ignore', signals });
  }

  /** Runs a shell script to its end, whatever that is. */
  sh(script: string): Promise<Ran> {
    return this.#order<Ran>({ do: 'run', argv: ['sh', '-c', script] });
  }

  /** Runs git; throws when it fails; gives back what it printed, trimmed. */
  async git(...argv: string[]): Promise<string> {
    const ran = await this.#order<Ran>({ do: 'run', argv: ['git', ...argv] });
    if (ran.code !== 0) throw new Error(`git ${argv.join(' ')} ended ${ran.code}: ${ran.stderr}`);
    return ran.stdout.trim();
  }

  /** Stages everything and commits it, as an agent would. */
  async commit(message: string): Promise<string> {
    await this.git('add', '-A');
    await this.git('commit', '-q', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }

  /** Writes the file that the default check of its task looks for. */
  work(task: string = this.task): Promise<void> {
    return this.write(`${this.unit}-${task}.txt`, `done in attempt ${this.attempt}\n`);
  }

  /** Ends it with that exit code. */
  async exit(code = 0): Promise<void> {
    await this.#order({ do: 'exit', code });
    await this.gone;
  }

  /** Writes the file that its check looks for and ends. */
  async finish(): Promise<void> {
    await this.work();
    await this.exit();
  }

  async #order<T>(order: { readonly do: string; readonly [more: string]: unknown }): Promise<T> {
    this.#socket.write(`${JSON.stringify(order)}\n`);
    for (;;) {
      const next = await this.#lines.next();
      if (next.done === true) throw new Error(`${this.name} ${this.unit} ${this.task} ended before it could ${order.do}`);
      const message = JSON.parse(next.value) as Message;
      if ('error' in message) throw new Error(`${order.do}: ${message.error}`);
      if ('answer' in message) return message.answer as T;
    }
  }
}

interface Waiter {
  readonly who: Who;
  readonly resolve: (held: Held) => void;
  readonly reject: (why: Error) => void;
}

/** The test's end of the socket. */
export class Hand {
  readonly #path: string;
  readonly #server: Server;
  readonly #waiting: Held[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #sockets = new Set<Socket>();
  #over: Error | undefined;

  private constructor(path: string, server: Server) {
    this.#path = path;
    this.#server = server;
    server.on('connection', (socket) => {
      this.#greet(socket).catch((error: unknown) => this.over(new Error('a held program could not be greeted', { cause: error })));
    });
  }

  /** Listens in that folder; its path must be short enough for a socket. */
  static async open(folder: string): Promise<Hand> {
    const path = join(folder, 'hand');
    const server = createServer();
    const hand = new Hand(path, server);
    server.listen(path);
    await once(server, 'listening');
    return hand;
  }

  /** The shell command of an agent that this hand holds. */
  get agent(): string {
    return `exec '${process.execPath}' '${program}' '${this.#path}'`;
  }

  /** The shell command of a check that this hand holds. */
  check(name: string): string {
    return `${this.agent} ${name}`;
  }

  /** The next program of that kind that is there, or will be; each is given once. Rejects when choo ends first. */
  next(who: Who = {}): Promise<Held> {
    const at = this.#waiting.findIndex((held) => held.is(who));
    const [held] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (held !== undefined) return Promise.resolve(held);
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => { this.#waiters.push({ who, resolve, reject }); });
  }

  /** Programs that wait and were not asked for. */
  get unasked(): readonly Held[] {
    return this.#waiting;
  }

  /** Nothing more will come: whoever waits is told why. `undefined`: something may come again. */
  over(why: Error | undefined): void {
    this.#over = why;
    if (why !== undefined) for (const waiter of this.#waiters.splice(0)) waiter.reject(why);
  }

  /** Lets go of everything. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  async #greet(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    // A program that is killed resets its connection; `gone` tells the test.
    socket.on('error', (error) => socket.destroy(error));
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) return;
    const { hello } = JSON.parse(first.value) as { hello: Hello };
    const held = new Held(hello, { socket, lines });
    const at = this.#waiters.findIndex((waiter) => held.is(waiter.who));
    const [waiter] = at < 0 ? [] : this.#waiters.splice(at, 1);
    if (waiter === undefined) this.#waiting.push(held);
    else waiter.resolve(held);
  }
}
