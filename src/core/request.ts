// What a person may ask of a run, live or at rest, and which events that becomes. Pure.

import { unreachable } from './bug.ts';
import type { EventBody } from './event.ts';
import type { State } from './state.ts';

/** A request from the command line, the control socket or a screen. */
export type Request =
  /** `now`: kill at once instead of asking first. `by` names the signal or the command. */
  | { readonly do: 'stop'; readonly by: string; readonly now: boolean }
  /** Gives failed units their attempts back, and has the agents tried again that waiting ones wait for; no names: all failed ones. */
  | { readonly do: 'retry'; readonly units: readonly string[] }
  /** Something about these pull requests, or those at these commits, may have changed: they are read now. */
  | { readonly do: 'look'; readonly pulls: readonly number[]; readonly heads: readonly string[] }
  /** Lets units land although they change protected paths. */
  | { readonly do: 'approve'; readonly units: readonly string[] };

/** Paths that an answer names of one unit. */
const SHOWN_PATHS = 5;

/** The events a request becomes and what the asker is told, or why it cannot be. */
export type Response =
  | { readonly events: readonly EventBody[]; readonly answer: string }
  | { readonly error: string };

/** Judges a request against the state at the session's steady time (ms); changes nothing. */
export function respond(state: State, request: Request, now: number): Response {
  switch (request.do) {
    case 'stop': return { events: [{ type: 'orch.stopping', by: request.by, now: request.now, at: now }], answer: request.now ? 'killing' : 'stopping' };
    case 'retry': return retry(state, request.units);
    case 'approve': return approve(state, request.units);
    case 'look': return look(state, request);
    default: return unreachable(request);
  }
}

function retry(state: State, names: readonly string[]): Response {
  const wanted = names.length === 0 ? state.units.filter((u) => u.phase === 'failed').map((u) => u.unit.id) : [...new Set(names)];
  if (wanted.length === 0) return { error: `no unit has failed${state.parked.size > 0 ? '; `choo retry UNIT` has the agent that a unit waits for tried again' : ''}` };
  const failed: string[] = [];
  const agents = new Set<string>();
  let forge = false;
  for (const name of wanted) {
    const index = state.graph.index.get(name);
    const u = index === undefined ? undefined : state.units[index];
    if (u === undefined) return { error: `run ${state.run} has no unit \`${name}\`` };
    const parked = state.parked.get(u.index);
    if (state.awaiting.has(u.index)) return { error: `\`${name}\` waits for approval: \`choo approve ${name}\`` };
    if (parked?.for === 'budget') return { error: `\`${name}\` waits for the budget: ${parked.text}; raise it in the configuration, then \`choo resume\`` };
    if (state.forge?.active === true && u.next.step === 'pull') forge = true;
    else if (parked !== undefined) for (const agent of parked.agents) agents.add(agent);
    else if (u.phase === 'failed') failed.push(name);
    else return { error: `\`${name}\` has not failed, it is ${u.phase}` };
  }
  const answers = [failed.length === 0 ? '' : `attempts given back to ${failed.join(', ')}`, agents.size === 0 ? '' : `tried again: ${[...agents].join(', ')}`, forge ? 'the forge is tried again' : ''];
  return {
    events: [...failed.map((unit): EventBody => ({ type: 'unit.retried', unit })), ...[...agents].map((agent): EventBody => ({ type: 'agent.released', agent })), ...(forge ? [{ type: 'forge.released' } as const] : [])],
    answer: answers.filter((text) => text !== '').join('; '),
  };
}

function approve(state: State, names: readonly string[]): Response {
  const events: EventBody[] = [];
  const answers: string[] = [];
  for (const name of new Set(names)) {
    const index = state.graph.index.get(name);
    const u = index === undefined ? undefined : state.units[index];
    if (u === undefined) return { error: `run ${state.run} has no unit \`${name}\`` };
    if (!state.awaiting.has(u.index) || u.protected === undefined) return { error: `\`${name}\` does not wait for approval, it is ${u.phase}` };
    const { base, head, paths } = u.protected;
    events.push({ type: 'unit.approved', unit: name, change: { base, head, paths } });
    answers.push(`${name} (${paths.length > SHOWN_PATHS ? `${paths.slice(0, SHOWN_PATHS).join(', ')} and ${paths.length - SHOWN_PATHS} more` : paths.join(', ')})`);
  }
  return events.length === 0 ? { error: 'name the units to approve' } : { events, answer: `approved: ${answers.join('; ')}` };
}

/** Those that are waited for are read at once; of all others the next step asks anyway. */
function look(state: State, o: Extract<Request, { do: 'look' }>): Response {
  const meant = state.units.filter(({ pull, next, inFlight }) => inFlight !== undefined && next.step === 'pull' && next.do === 'follow' && pull !== undefined
    && ((pull.number !== undefined && o.pulls.includes(pull.number)) || (pull.pushed !== undefined && o.heads.includes(pull.pushed))));
  return { events: meant.map((u): EventBody => ({ type: 'pr.waking', unit: u.unit.id })), answer: `${meant.length} pull requests are read` };
}

/** A request from outside, checked; undefined when it is none. */
export function parseRequest(value: unknown): Request | undefined {
  if (typeof value !== 'object' || value === null || !('do' in value)) return undefined;
  if (value.do === 'stop') return { do: 'stop', by: 'choo stop', now: 'now' in value && value.now === true };
  if (value.do === 'look') return parseLook(value);
  if ((value.do !== 'retry' && value.do !== 'approve') || !('units' in value) || !Array.isArray(value.units)) return undefined;
  const units: unknown[] = value.units;
  return units.every((u) => typeof u === 'string') ? { do: value.do, units } : undefined;
}

function parseLook(value: object): Request | undefined {
  const { pulls, heads }: { pulls?: unknown; heads?: unknown } = value;
  if (!Array.isArray(pulls) || !Array.isArray(heads) || !pulls.every((n) => typeof n === 'number') || !heads.every((id) => typeof id === 'string')) return undefined;
  return { do: 'look', pulls, heads };
}
