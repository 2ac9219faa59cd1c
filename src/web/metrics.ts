// The newest run for Prometheus: what was measured since it began, and how it stands. Its journal is read on when somebody asks, and only then.

import { journalPath } from '../adapters/runs.ts';
import { eventOf, Growing } from '../commands/growing.ts';
import type { Event } from '../core/event.ts';
import { pointsOf } from '../telemetry/measure.ts';
import { Registry } from '../telemetry/prometheus.ts';
import type { Gauge } from '../telemetry/prometheus.ts';
import { Tracer } from '../telemetry/trace.ts';
import type { Head } from './protocol.ts';

/** Measurements of one run at a time. */
export class Metrics {
  readonly #commonDir: string;
  #run = 0;
  #journal: Growing | undefined;
  #tracer = new Tracer();
  #registry = new Registry();
  /** One reads at a time. */
  #turn: Promise<void> = Promise.resolve();

  constructor(commonDir: string) {
    this.#commonDir = commonDir;
  }

  /** The page; without a run it says nothing but that. */
  async page(head: Head | undefined): Promise<string> {
    if (head === undefined) return new Registry().page({}, [{ name: 'choo_run_number', help: 'Number of the newest run; 0: there was none.', samples: [{ labels: {}, value: 0 }] }]);
    const read = this.#turn.then(() => this.#read(head.run));
    // What cannot be read is read from its beginning the next time, and told again.
    this.#turn = read.catch(() => { this.#journal = undefined; });
    await read;
    return this.#registry.page({ run: head.run }, gaugesOf(head));
  }

  async #read(run: number): Promise<void> {
    if (this.#journal === undefined || this.#run !== run) {
      this.#journal = new Growing(journalPath(this.#commonDir, run));
      this.#run = run;
      this.#begin();
    }
    const { lines, anew } = await this.#journal.read();
    if (anew) this.#begin();
    for (const line of lines) this.#take(eventOf(line));
  }

  #begin(): void {
    this.#tracer = new Tracer();
    this.#registry = new Registry();
  }

  #take(event: Event | undefined): void {
    if (event === undefined) return;
    // A span that a session which died left open ended nobody knows when.
    for (const span of this.#tracer.take(event)) if (span.ended !== 'crash') for (const point of pointsOf(span)) this.#registry.take(point);
  }
}

/** How a run stands. */
function gaugesOf(head: Head): readonly Gauge[] {
  const { spent, budget } = head;
  const one = (value: number | undefined): Gauge['samples'] => (value === undefined ? [] : [{ labels: {}, value }]);
  return [
    { name: 'choo_run_number', help: 'Number of the newest run; 0: there was none.', samples: one(head.run) },
    { name: 'choo_run_live', help: '1 while a choo works on the run, on this machine or elsewhere.', samples: one(head.at === 'rest' ? 0 : 1) },
    { name: 'choo_run_closed', help: '1 when every unit has landed or was discarded, or a new run has begun.', samples: one(head.closed ? 1 : 0) },
    { name: 'choo_run_paused', help: '1 while nothing new is begun.', samples: one(head.paused === undefined ? 0 : 1) },
    { name: 'choo_run_units', help: 'Units by state.', samples: Object.entries(head.counts).map(([state, value]) => ({ labels: { state }, value })) },
    { name: 'choo_run_start_time_seconds', help: 'When the run began, since 1970.', samples: one(head.startedAt === undefined ? undefined : Date.parse(head.startedAt) / 1000) },
    { name: 'choo_run_spent_usd', help: 'What all attempts were charged, in US dollars.', samples: one(spent?.usd ?? 0) },
    { name: 'choo_run_spent_tokens', help: 'What all attempts were charged, in tokens.', samples: one(spent?.tokens ?? 0) },
    { name: `choo_run_budget_${budget?.in ?? 'usd'}`, help: 'What the run may cost.', samples: one(budget?.run) },
    { name: `choo_run_reserved_${budget?.in ?? 'usd'}`, help: 'What is set aside of the budget for attempts in flight.', samples: one(budget?.reserved) },
  ];
}
