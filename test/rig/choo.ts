// Starts the built program, as a user's shell would, and listens to it. Shares nothing with the code under test.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Event, EventOf, EventType } from '../../src/core/event.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');

/** How a run of the program ended, with all it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The events of `--json`; empty otherwise. */
  readonly events: readonly Event[];
}

/** Where and with what the program starts. */
export interface Start {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Shell and script that start it in another way: the program is `$0`, its arguments are `$@`. */
  readonly through?: readonly [shell: string, script: string];
}

interface Waiter {
  readonly matches: (event: Event) => boolean;
  readonly resolve: (event: Event) => void;
  readonly reject: (why: Error) => void;
}

/** The program while it runs. */
export class Running {
  readonly #child: ChildProcess;
  readonly #events: Event[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #printed: { stdout: string; stderr: string } = { stdout: '', stderr: '' };
  #rest = '';
  #heard: () => void = () => undefined;
  #over = false;
  /** Resolves when it has ended and all its output was read. */
  readonly ended: Promise<Ended>;

  constructor(argv: readonly string[], start: Start) {
    // Another build of it, where a test has made one.
    const built = start.env['RIG_PROGRAM'] ?? program;
    const [command, ...before] = start.through === undefined ? [process.execPath, built] : [start.through[0], '-c', start.through[1], built];
    const child = spawn(command, [...before, ...argv], { cwd: start.cwd, env: { ...start.env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#printed.stderr += text;
      this.#heard();
    });
    // A program that ends without reading its input closes the pipe.
    child.stdin.on('error', (error) => { this.#printed.stderr += `(stdin: ${error.message})`; });
    child.stdin.end(start.input ?? '');
    this.ended = once(child, 'close').then(([code, signal]: unknown[]) => this.#end(code as number | null, signal as string | null));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All it has printed so far. */
  get output(): string {
    return this.#printed.stdout + this.#printed.stderr;
  }

  /** What it has printed, once that matches. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      if (this.#over) throw this.#missing();
      await new Promise<void>((resolve) => { this.#heard = resolve; });
    }
  }

  /** Signals the program alone, as `kill` does. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The first event of that type, said already or to come, about that unit (and task) if one is named, behind the one with the number `after`. */
  event<T extends EventType>(type: T, about: { readonly unit?: string; readonly task?: number; readonly after?: number } = {}): Promise<EventOf<T>> {
    const matches = (e: Event): e is EventOf<T> => e.type === type && e.seq > (about.after ?? 0)
      && (about.unit === undefined || ('unit' in e && e.unit === about.unit)) && (about.task === undefined || ('task' in e && e.task === about.task));
    const said = this.#events.find(matches);
    if (said !== undefined) return Promise.resolve(said);
    if (this.#over) return Promise.reject(this.#missing());
    return new Promise((resolve, reject) => { this.#waiters.push({ matches, resolve: resolve as (e: Event) => void, reject }); });
  }

  #hear(text: string): void {
    this.#printed.stdout += text;
    this.#heard();
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{"')) this.#tell(JSON.parse(line) as Event);
  }

  #tell(event: Event): void {
    this.#events.push(event);
    for (const waiter of this.#waiters.filter((one) => one.matches(event))) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.resolve(event);
    }
  }

  #end(code: number | null, signal: string | null): Ended {
    this.#over = true;
    this.#heard();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#missing());
    return { code, signal, ...this.#printed, events: this.#events };
  }

  #missing(): Error {
    return new Error(`choo ended before the event came; it printed:\n${this.output}`);
  }
}
