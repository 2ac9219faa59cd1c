// THE MAIN FLOW: open (discover, plan, pin or replay) → loop → result. Everything outside is behind the World it is given.

import { decide, resultOf } from './core/decide.ts';
import type { Event, EventBody, Result } from './core/event.ts';
import { isBegun } from './core/event.ts';
import { evolve } from './core/evolve.ts';
import type { Request } from './core/request.ts';
import { respond } from './core/request.ts';
import type { State } from './core/state.ts';
import { escalationOf } from './core/escalation.ts';
import type { Escalation } from './core/told.ts';
import { Inbox } from './inbox.ts';
import { perform } from './worker/perform.ts';
import type { Workplace } from './worker/workplace.ts';
import type { Escalator } from './world.ts';

/** How long the end of a session waits for people to be told, ms. */
const LAST_WORDS = 15_000;
/** And for an escalator to say what came of it when there is no more time, ms. */
const LAST_BREATH = 1000;

/** Sees every event right after it became durable and part of the state. Must return at once; what it throws is reported and changes nothing. */
export type Observer = (event: Event, state: State) => void;

/** A run that is ready to go: its state so far, its places, and the events that begin this session. */
export interface Session {
  readonly place: Workplace;
  readonly first: readonly EventBody[];
  readonly observers: readonly Observer[];
  readonly escalator: Escalator;
  /** Told of observers and escalators that throw. */
  readonly report: (message: string) => void;
}

/** One session of a run: the loop, and the one door through which a person's wishes come in. */
export class RunLoop {
  readonly #session: Session;
  readonly #state: State;
  readonly #inbox: Inbox;
  readonly #interrupt = new AbortController();
  readonly #kill = new AbortController();
  readonly #steps = new Set<Promise<void>>();
  /** Ends the step in flight of a batch that was given up. */
  readonly #batches = new Map<number, AbortController>();
  /** People being told. */
  readonly #telling = new Set<Promise<void>>();
  readonly #tellNoMore = new AbortController();

  constructor(session: Session) {
    this.#session = session;
    this.#state = session.place.state;
    this.#inbox = new Inbox(session.place.world.clock);
  }

  /** Asks something of the run; resolves with the answer once it is recorded, or rejects with the reason why not. */
  request(request: Request): Promise<string> {
    return this.#inbox.ask(request);
  }

  /** Runs until nothing can move. Rejects when the journal cannot be written, with FenceLost, or for a defect of choo; no process remains in any case. */
  async run(): Promise<Result> {
    const { clock } = this.#session.place.world;
    try {
      await this.#record(this.#session.first);
      for (const { escalation, to } of this.#state.untold.values()) this.#tell(escalation, new Set(to));
      for (;;) {
        const { next, wakeAt, done } = decide(this.#state, clock.steady());
        if (next.length > 0) {
          for (const event of await this.#record(next)) if (isBegun(event)) this.#begin(event);
          continue;
        }
        if (done) {
          const result = resultOf(this.#state, clock.steady());
          await this.#tellTheRest();
          return result;
        }
        await this.#receive(wakeAt);
      }
    } finally {
      this.#tellNoMore.abort();
      await this.#endSteps();
      await this.#session.place.pool.close();
      this.#inbox.close();
    }
  }

  /** Waits for answers or a request, and records what they come to. */
  async #receive(wakeAt: number | undefined): Promise<void> {
    const { answers, question } = await this.#inbox.next(wakeAt);
    try {
      if (answers.length > 0) await this.#record(answers);
      if (question === undefined) return;
      const response = respond(this.#state, question.request, this.#session.place.world.clock.steady());
      if ('error' in response) return question.refuse(new Error(response.error));
      await this.#record(response.events);
      question.answer(response.answer);
    } catch (error) {
      question?.refuse(new Error('the run has ended', { cause: error }));
      throw error;
    }
  }

  /** Durable, then true, then visible. */
  async #record(bodies: readonly EventBody[]): Promise<readonly Event[]> {
    const { place } = this.#session;
    const events = await place.world.journal.append(bodies, place.world.clock.now());
    for (const event of events) {
      evolve(this.#state, event);
      this.#publish(event);
      if (event.type === 'orch.stopping') this.#interrupt.abort();
      if (event.type === 'orch.killing') this.#kill.abort();
      if (event.type === 'pr.waking') place.waking.get(event.unit)?.abort();
      if (event.type === 'batch.dropped') this.#batches.get(event.batch)?.abort();
      if (event.type === 'batch.landed' || event.type === 'batch.dropped') this.#batches.delete(event.batch);
    }
    return events;
  }

  #begin(event: Parameters<typeof perform>[1]): void {
    const control = { interrupt: 'batch' in event ? this.#untilDropped(event.batch) : this.#interrupt.signal, kill: this.#kill.signal };
    const step = perform(this.#session.place, event, control).then((answer) => this.#inbox.put(answer), (why: unknown) => this.#inbox.fail(why));
    this.#steps.add(step);
    void step.finally(() => this.#steps.delete(step));
  }

  /** Aborts with the run or, before that, when the batch is given up. */
  #untilDropped(batch: number): AbortSignal {
    const own = new AbortController();
    this.#batches.set(batch, own);
    return AbortSignal.any([this.#interrupt.signal, own.signal]);
  }

  /** Observers and escalators are told; nothing they do comes back. */
  #publish(event: Event): void {
    const { observers, report } = this.#session;
    for (const observer of observers) {
      try {
        observer(event, this.#state);
      } catch (error) {
        report(`an observer failed on event ${event.seq}: ${String(error)}`);
      }
    }
    const escalation = escalationOf(this.#state, event);
    if (escalation !== undefined) this.#tell(escalation);
  }

  /** Beside the loop; what comes of it is recorded when it is known. `only`: a session before has told the others. */
  #tell(escalation: Escalation, only?: ReadonlySet<string>): void {
    const { escalator, report } = this.#session;
    const telling = Promise.resolve().then(() => escalator.escalate(escalation, { signal: this.#tellNoMore.signal, ...(only === undefined ? {} : { only }) })).then((deliveries) => {
      for (const { to, tries, trouble } of deliveries ?? []) {
        const about = { of: escalation.seq, to, tries };
        this.#inbox.put(trouble === undefined ? { type: 'escalation.delivered', ...about } : { type: 'escalation.failed', ...about, text: trouble });
      }
    }, (error: unknown) => report(`an escalation failed: ${String(error)}`));
    this.#telling.add(telling);
    void telling.finally(() => this.#telling.delete(telling));
  }

  /** The session is over but for people who are being told, for whom it waits a while. */
  async #tellTheRest(): Promise<void> {
    // A caller's own escalator is not waited for: nothing of it is recorded.
    if (this.#telling.size === 0 || this.#state.settings.tell === undefined) return;
    const { clock } = this.#session.place.world;
    const within = (ms: number): Promise<unknown> => {
      const cancel = new AbortController();
      return Promise.race([Promise.all(this.#telling), clock.sleep(ms, cancel.signal)]).finally(() => cancel.abort());
    };
    await within(this.#state.killing ? 0 : LAST_WORDS);
    this.#tellNoMore.abort();
    await within(LAST_BREATH);
    const said = this.#inbox.rest();
    if (said.length > 0) await this.#record(said);
  }

  /** Whatever ended the loop: nothing that was begun goes on behind its back. */
  async #endSteps(): Promise<void> {
    if (this.#steps.size === 0) return;
    this.#interrupt.abort();
    this.#kill.abort();
    await Promise.all(this.#steps);
  }
}
