// Traces and metrics of a session, where the environment asks for them. The code for it is only loaded then.

import { systemClock } from '../adapters/clock.ts';
import type { Event } from '../core/event.ts';
import { askedFor } from '../telemetry/asked.ts';
import type { Io } from './io.ts';

/** Takes events; `end` resolves within seconds, whatever the collector does. */
export interface Telemetry {
  readonly event: (event: Event) => void;
  readonly end: () => Promise<void>;
}

/** Nothing is sent. */
const NONE: Telemetry = { event: () => undefined, end: () => Promise.resolve() };

/** What takes the events of this session. `journal`: path of the run's journal, once there is one. */
export async function telemetryFor(io: Io, journal: () => string | undefined): Promise<Telemetry> {
  if (askedFor(io.env) === undefined) return NONE;
  const { senderFor } = await import('../otlp/sender.ts');
  return senderFor({ env: io.env, clock: systemClock(), journal, say: (line) => io.err.write(`choo: ${line}\n`) }) ?? NONE;
}
