// What a person may ask of a run, live or at rest, and which events that becomes. Pure.

import { unreachable } from './bug.ts';
import type { EventBody } from './event.ts';
import type { State } from './state.ts';

/** A request from the command line, the control socket or a screen. */
export type Request =
  /** `now`: kill at once instead of asking first. `by` names the signal or the command. */
  | { readonly do: 'stop'; readonly by: string; readonly now: boolean }
  /** Gives failed units their attempts back, and has the agents tried again that waiting ones wait for; no names: all failed ones. */
  | { readonly do: 'retry'; readonly units: readonly string[] };

/** The events a request becomes and what the asker is told, or why it cannot be. */
export type Response =
  | { readonly events: readonly EventBody[]; readonly answer: string }
  | { readonly error: string };

/** Judges a request against the state at the session's steady time (ms); changes nothing. */
export function respond(state: State, request: Request, now: number): Response {
  switch (request.do) {
    case 'stop': return { events: [{ type: 'orch.stopping', by: request.by, now: request.now, at: now }], answer: request.now ? 'killing' : 'stopping' };
    case 'retry': return retry(state, request.units);
    default: return unreachable(request);
  }
}

function retry(state: State, names: readonly string[]): Response {
  const wanted = names.length === 0 ? state.units.filter((u) => u.phase === 'failed').map((u) => u.unit.id) : [...new Set(names)];
  if (wanted.length === 0) return { error: `no unit has failed${state.parked.size > 0 ? '; `choo retry UNIT` has the agent that a unit waits for tried again' : ''}` };
  const failed: string[] = [];
  const agents = new Set<string>();
  for (const name of wanted) {
    const index = state.graph.index.get(name);
    const u = index === undefined ? undefined : state.units[index];
    if (u === undefined) return { error: `run ${state.run} has no unit \`${name}\`` };
    const parked = state.parked.get(u.index);
    if (parked?.for === 'budget') return { error: `\`${name}\` waits for the budget: ${parked.text}; raise it in the configuration, then \`choo resume\`` };
    if (parked !== undefined) for (const agent of parked.agents) agents.add(agent);
    else if (u.phase === 'failed') failed.push(name);
    else return { error: `\`${name}\` has not failed, it is ${u.phase}` };
  }
  const answers = [failed.length === 0 ? '' : `attempts given back to ${failed.join(', ')}`, agents.size === 0 ? '' : `tried again: ${[...agents].join(', ')}`];
  return {
    events: [...failed.map((unit): EventBody => ({ type: 'unit.retried', unit })), ...[...agents].map((agent): EventBody => ({ type: 'agent.released', agent }))],
    answer: answers.filter((text) => text !== '').join('; '),
  };
}

/** A request from outside, checked; undefined when it is none. */
export function parseRequest(value: unknown): Request | undefined {
  if (typeof value !== 'object' || value === null || !('do' in value)) return undefined;
  if (value.do === 'stop') return { do: 'stop', by: 'choo stop', now: 'now' in value && value.now === true };
  if (value.do !== 'retry' || !('units' in value) || !Array.isArray(value.units)) return undefined;
  const units: unknown[] = value.units;
  return units.every((u) => typeof u === 'string') ? { do: 'retry', units } : undefined;
}
