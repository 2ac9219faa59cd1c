// Tells people where the configuration says, by severity: each channel by itself, tried again after a while, never in the way of the run.

import { placesOf } from '../core/told.ts';
import type { Escalation } from '../core/told.ts';
import type { Severity } from '../core/failure.ts';
import type { Clock, Delivery, Escalator } from '../world.ts';
import type { Channel, Sent } from './channel.ts';

/** Waits between tries, ms; one more try than waits. */
const WAITS = [1000, 5000, 25_000] as const;

/** One try takes at most, ms. */
const PATIENCE = 10_000;

/** Where what is told; `terminal` is the escalator that the caller has. */
export type Routes = Readonly<Record<Severity, readonly string[]>>;

/** Puts the terminal and all channels together. */
export function messenger(o: { readonly routes: Routes; readonly channels: ReadonlyMap<string, Channel>; readonly terminal: Escalator; readonly clock: Pick<Clock, 'sleep'>; /** Takes secrets out of what leaves the machine. */ readonly redact: (text: string) => string }): Escalator {
  return {
    escalate: async (e, { only, signal = new AbortController().signal } = {}) => {
      const names = placesOf(o.routes, e).filter((name) => only?.has(name) ?? true);
      const outside = { ...e, title: o.redact(e.title), detail: e.detail.map(o.redact) };
      const others = names.flatMap((name) => {
        const channel = o.channels.get(name);
        return channel === undefined ? [] : [deliver(outside, { name, channel, signal, clock: o.clock })];
      });
      // First, and whatever becomes of the others.
      const told = names.includes('terminal') ? o.terminal.escalate(e, { signal, ...(only === undefined ? {} : { only }) }) : undefined;
      const [deliveries] = await Promise.all([Promise.all(others), told]);
      return deliveries;
    },
  };
}

interface Way { readonly name: string; readonly channel: Channel; readonly signal: AbortSignal; readonly clock: Pick<Clock, 'sleep'> }

async function deliver(e: Escalation, o: Way): Promise<Delivery> {
  for (let tries = 1; ; tries += 1) {
    const sent = await tryOnce(e, o);
    if (sent.ok) return { to: o.name, tries };
    const wait = WAITS[tries - 1];
    if (sent.final === true || wait === undefined || o.signal.aborted) return { to: o.name, tries, trouble: sent.why };
    await o.clock.sleep(Math.max(wait, sent.after ?? 0), o.signal);
  }
}

async function tryOnce(e: Escalation, { channel, signal, clock }: Way): Promise<Sent> {
  const over = new AbortController();
  const done = new AbortController();
  const patience = clock.sleep(PATIENCE, done.signal).then(() => over.abort());
  try {
    return await channel.send(e, AbortSignal.any([signal, over.signal]));
  } finally {
    done.abort();
    await patience;
  }
}
