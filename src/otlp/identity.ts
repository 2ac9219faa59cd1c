// The ids of traces and spans. They are derived, not drawn: a run that goes on in another session, or in another clone, goes on in
// the same trace, and a span that was left open has the id that its children named. Pure.

import type { Caller } from '../telemetry/asked.ts';

/** Ids of one session's spans. */
export interface Identity {
  /** Names the run for ever. */
  readonly run: string;
  /** The trace of what is sent now: the caller's, or the run's own. */
  readonly traceId: string;
  /** The trace of sessions that no caller had. */
  readonly ownTraceId: string;
  readonly caller?: Caller;
  /** The id of a span by its key. */
  readonly spanId: (key: string) => string;
}

/** `digest` gives 64 hexadecimal digits. */
export function identify(o: { readonly seed: string; readonly caller: Caller | undefined; readonly digest: (text: string) => string }): Identity {
  const run = o.digest(`choo run ${o.seed}`).slice(0, 32);
  return { run, ownTraceId: run, traceId: o.caller?.traceId ?? run, ...(o.caller === undefined ? {} : { caller: o.caller }), spanId: (key) => o.digest(`choo span ${o.seed} ${key}`).slice(0, 16) };
}
