// What the program and the thread that sends telemetry say to each other. Data only.

import type { Event } from '../core/event.ts';
import type { Asked, Caller } from '../telemetry/asked.ts';

/** What the thread is started with. */
export interface ThreadData {
  readonly asked: Asked;
  /** This session's parent. */
  readonly caller?: Caller;
  /** The version of choo. */
  readonly version: string;
}

/** To the thread: where the journal with everything before is, an event, or that nothing more comes. */
export type ToThread = { readonly journal: string; readonly before: number } | { readonly event: Event } | { readonly end: true };

/** How much of one signal was taken. */
export interface Tally {
  /** Spans, or collections of all metrics. */
  readonly made: number;
  readonly sent: number;
  /** Why the last of what was not taken was not: a code, never a text of somebody else's. */
  readonly why?: string;
}

/** From the thread: so many events were worked on, or everything is sent or given up. */
export type FromThread = { readonly took: number } | { readonly over: { readonly spans: Tally; readonly metrics: Tally } };
