// A thread of its own that makes spans and measurements of a run's events and sends them with OpenTelemetry's SDK. Whatever the
// collector does to it (it is slow, away, answers without end), the program that runs agents is another thread.

import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { readJournal } from '../adapters/journal.ts';
import type { Event } from '../core/event.ts';
import { Tracer } from '../telemetry/trace.ts';
import type { Span } from '../telemetry/span.ts';
import { pointsOf } from '../telemetry/measure.ts';
import { identify } from './identity.ts';
import { meterFor } from './metrics.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { resourceFor } from './resource.ts';
import { spanSender } from './spans.ts';

/** One session's telemetry. */
class Work {
  readonly #tracer = new Tracer();
  readonly #data: ThreadData;
  readonly #resource: ReturnType<typeof resourceFor>;
  readonly #meter: ReturnType<typeof meterFor> | undefined;
  #sender: ReturnType<typeof spanSender> | undefined;
  /** Spans that ended in sessions before were sent by these. */
  #live = false;

  constructor(data: ThreadData) {
    this.#data = data;
    this.#resource = resourceFor(data.version);
    this.#meter = data.asked.metrics ? meterFor(this.#resource, data.version) : undefined;
  }

  /** What came before this session: only spans that its predecessor left open when it died are still to be sent. */
  async remember(o: { readonly journal: string; readonly before: number }): Promise<void> {
    const { events } = await readJournal(o.journal);
    for (const event of events) if (event.seq < o.before) this.#tracer.take(event);
  }

  take(event: Event): void {
    this.#live ||= event.type === 'orch.started' || event.type === 'orch.resumed';
    for (const span of this.#tracer.take(event)) this.#ended(span);
  }

  async end(): Promise<FromThread> {
    for (const span of this.#tracer.end()) this.#ended(span);
    const [spans, metrics] = await Promise.all([this.#sender?.end(), this.#meter?.end()]);
    return { over: { spans: spans ?? { made: 0, sent: 0 }, metrics: metrics ?? { made: 0, sent: 0 } } };
  }

  #ended(span: Span): void {
    if (!this.#live) return;
    if (span.ended !== 'crash') for (const point of pointsOf(span)) this.#meter?.take(point);
    const { seed } = this.#tracer;
    if (!this.#data.asked.traces || seed === undefined) return;
    const identity = identify({ seed, caller: this.#data.caller, digest: (text) => createHash('sha256').update(text).digest('hex') });
    this.#sender ??= spanSender({ resource: this.#resource, identity, version: this.#data.version });
    this.#sender.send(span);
  }
}

async function listen(port: MessagePort, work: Work): Promise<void> {
  let took = 0;
  let chain = Promise.resolve();
  const say = (message: FromThread): void => port.postMessage(message);
  await new Promise<void>((resolve, reject) => {
    port.on('message', (message: ToThread) => {
      chain = chain.then(async () => {
        if ('journal' in message) return work.remember(message);
        if ('end' in message) {
          say(await work.end());
          return resolve();
        }
        work.take(message.event);
        say({ took: ++took });
      });
      chain.catch(reject);
    });
  });
  port.close();
}

if (parentPort !== null) await listen(parentPort, new Work(workerData as ThreadData));
