// Where the loop waits: answers of steps and wishes of people, in order of arrival.

import type { EventBody } from './core/event.ts';
import type { Request } from './core/request.ts';
import type { Clock } from './world.ts';

/** A request with the way to answer it. */
export interface Question {
  readonly request: Request;
  readonly answer: (text: string) => void;
  readonly refuse: (why: Error) => void;
}

/** What arrived: all answers that are there, and at most one question, to be judged after them. */
export interface Arrived {
  readonly answers: readonly EventBody[];
  readonly question?: Question;
}

/** One reader, many writers. */
export class Inbox {
  readonly #clock: Clock;
  readonly #answers: EventBody[] = [];
  readonly #questions: Question[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #trouble: Error | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts a step's answer in. */
  put(answer: EventBody): void {
    this.#answers.push(answer);
    this.#wake?.();
  }

  /** Puts in that a step ended without an answer: whoever reads next gets this error. */
  fail(why: unknown): void {
    this.#trouble ??= why instanceof Error ? why : new Error(String(why));
    this.#wake?.();
  }

  /** Puts a question in; resolves with its answer, rejects when it is refused or the run has ended. */
  ask(request: Request): Promise<string> {
    if (this.#closed) return Promise.reject(new Error('the run has ended'));
    return new Promise((answer, refuse) => {
      this.#questions.push({ request, answer, refuse });
      this.#wake?.();
    });
  }

  /** Waits until something is there or `wakeAt` (steady ms) has come; then possibly with nothing. Rejects with what `fail` was told. */
  async next(wakeAt: number | undefined): Promise<Arrived> {
    if (this.#answers.length === 0 && this.#questions.length === 0 && this.#trouble === undefined) await this.#wait(wakeAt);
    if (this.#trouble !== undefined) throw this.#trouble;
    const question = this.#questions.shift();
    const answers = this.#answers.splice(0);
    return question === undefined ? { answers } : { answers, question };
  }

  /** Takes out all answers that are there. */
  rest(): readonly EventBody[] {
    return this.#answers.splice(0);
  }

  /** Refuses everything that is still asked. */
  close(): void {
    this.#closed = true;
    for (const q of this.#questions.splice(0)) q.refuse(new Error('the run has ended'));
  }

  async #wait(wakeAt: number | undefined): Promise<void> {
    const arrived = new Promise<void>((resolve) => { this.#wake = resolve; });
    if (wakeAt === undefined) await arrived;
    else await this.#orUntil(arrived, wakeAt);
    this.#wake = undefined;
  }

  async #orUntil(arrived: Promise<void>, wakeAt: number): Promise<void> {
    const cancel = new AbortController();
    await Promise.race([arrived, this.#clock.sleep(Math.max(0, wakeAt - this.#clock.steady()), cancel.signal)]);
    cancel.abort();
  }
}
