// An observer that hands events to the thread which sends telemetry. It keeps nothing up: what the thread has not worked on beyond a
// bound is dropped and counted, and at the end it gets so long and no longer.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Event } from '../core/event.ts';
import { askedFor, callerOf } from '../telemetry/asked.ts';
import { VERSION } from '../version.ts';
import type { Clock } from '../world.ts';
import type { FromThread, Tally, ThreadData, ToThread } from './messages.ts';

/** Events that may wait for the thread. */
const WAITING = 10_000;
/** How long the end of a session waits for what is left to be sent, ms. */
const LAST = 5000;
/** Memory the thread may use, MiB. */
const MEMORY = 128;

/** What the sender needs of the outside. */
export interface SenderParts {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Absolute path of the run's journal; asked for with the first event. */
  readonly journal: () => string | undefined;
  /** Told once what went wrong, a line each. */
  readonly say: (line: string) => void;
}

/** Sends what happens. */
export interface Sender {
  readonly event: (event: Event) => void;
  /** Resolves when everything is sent, or when it took too long. Never rejects. */
  readonly end: () => Promise<void>;
}

/** A sender, where the environment asks for one. */
export function senderFor(parts: SenderParts): Sender | undefined {
  const asked = askedFor(parts.env);
  if (asked?.trouble !== undefined) parts.say(`telemetry: ${asked.trouble}; nothing is sent`);
  if (asked === undefined || (!asked.traces && !asked.metrics)) return undefined;
  const caller = callerOf(parts.env);
  return new ThreadSender(parts, { asked, version: VERSION, ...(caller === undefined ? {} : { caller }) });
}

class ThreadSender implements Sender {
  readonly #parts: SenderParts;
  readonly #data: ThreadData;
  #thread: { readonly worker: Worker; readonly over: Promise<void> } | undefined;
  #given = 0;
  #took = 0;
  #dropped = 0;
  #dead = false;
  #tally: { readonly spans: Tally; readonly metrics: Tally } | undefined;

  constructor(parts: SenderParts, data: ThreadData) {
    this.#parts = parts;
    this.#data = data;
  }

  event = (event: Event): void => {
    if (this.#dead || this.#given - this.#took >= WAITING) {
      this.#dropped++;
      return;
    }
    const journal = this.#given === 0 && event.seq > 1 ? this.#parts.journal() : undefined;
    if (journal !== undefined) this.#post({ journal, before: event.seq });
    this.#given++;
    this.#post({ event });
  };

  end = async (): Promise<void> => {
    if (this.#thread === undefined) return;
    const { worker, over } = this.#thread;
    const late = new AbortController();
    if (!this.#dead) {
      this.#post({ end: true });
      await Promise.race([over, this.#parts.clock.sleep(LAST, late.signal)]);
    }
    late.abort();
    await worker.terminate().catch(() => 0);
    this.#tell();
  };

  #post(message: ToThread): void {
    this.#thread ??= this.#start();
    this.#thread.worker.postMessage(message);
  }

  #start(): { readonly worker: Worker; readonly over: Promise<void> } {
    const worker = new Worker(join(dirname(fileURLToPath(import.meta.url)), 'otlp.js'), {
      workerData: this.#data, env: this.#parts.env, stdin: false, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: MEMORY },
    });
    worker.stdout.resume();
    worker.stderr.resume();
    // Nothing of it keeps the program alive.
    worker.unref();
    const over = new Promise<void>((resolve) => {
      const dead = (): void => {
        this.#dead = true;
        resolve();
      };
      worker.on('message', (message: FromThread) => {
        if ('took' in message) {
          this.#took = message.took;
          return;
        }
        this.#tally = message.over;
        resolve();
      });
      worker.on('error', dead);
      worker.on('exit', dead);
    });
    return { worker, over };
  }

  #tell(): void {
    const { say } = this.#parts;
    if (this.#dropped > 0) say(`telemetry: ${this.#dropped} events were left out${this.#dead ? '' : ', because they came faster than they were worked on'}`);
    if (this.#tally === undefined) return say(this.#dead ? 'telemetry: its thread ended before all was sent' : `telemetry: not all was sent within ${LAST / 1000} s of the end`);
    const { spans, metrics } = this.#tally;
    if (spans.sent < spans.made) say(`telemetry: ${spans.made - spans.sent} of ${spans.made} spans were not taken: ${spans.why ?? 'too many at once'}`);
    if (metrics.sent < metrics.made) say(`telemetry: metrics were not taken ${metrics.made - metrics.sent} of ${metrics.made} times: ${metrics.why ?? 'no answer'}`);
  }
}
