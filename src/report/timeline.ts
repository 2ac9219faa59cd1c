// What each moment of a unit was spent on: its spans, laid one upon the other. Every moment counts once.

import type { Span } from '../telemetry/span.ts';
import { DOINGS } from './data.ts';
import type { Doing, Durations } from './data.ts';

/** A part of a unit's time, ms since 1970. */
export interface Part {
  readonly doing: Doing;
  readonly from: number;
  readonly to: number;
}

/** What is needed of a span. */
type Took = Pick<Span, 'kind' | 'name' | 'start' | 'end'>;

/** What counts when several are going on at the same time. */
const BEFORE: readonly Doing[] = ['agent', 'checks', 'other', 'landing', 'waiting'];

/** The parts of the time from `from` to `to`, without gaps. `spans`: those of the unit; `sessions`: when somebody worked on the run. */
export function partsOf(o: { readonly from: number; readonly to: number; readonly spans: readonly Took[]; readonly sessions: readonly Took[] }): readonly Part[] {
  const marks = [
    ...o.spans.flatMap((span) => [...edges(span, doingOf(span), o)]), ...o.sessions.flatMap((span) => [...edges(span, 'session', o)]),
    { at: o.from, what: undefined, by: 0 }, { at: o.to, what: undefined, by: 0 },
  ].toSorted((a, b) => a.at - b.at);
  const open = new Map<Doing | 'session', number>();
  const parts: Part[] = [];
  let last = o.from;
  for (const { at, what, by } of marks) {
    if (at > last) add(parts, { doing: BEFORE.find((one) => (open.get(one) ?? 0) > 0) ?? ((open.get('session') ?? 0) > 0 ? 'waiting' : 'rest'), from: last, to: at });
    last = Math.max(last, at);
    if (what !== undefined) open.set(what, (open.get(what) ?? 0) + by);
  }
  return parts;
}

/** The parts by what they were spent on, ms. */
export function durationsOf(parts: readonly Part[]): Durations {
  const sums: Record<Doing, number> = { agent: 0, checks: 0, landing: 0, other: 0, waiting: 0, rest: 0 };
  for (const { doing, from, to } of parts) sums[doing] += to - from;
  return sums;
}

/** Durations of all units together. */
export function together(all: readonly Durations[]): Durations {
  const sums: Record<Doing, number> = { agent: 0, checks: 0, landing: 0, other: 0, waiting: 0, rest: 0 };
  for (const one of all) for (const doing of DOINGS) sums[doing] += one[doing];
  return sums;
}

function* edges(span: Took, what: Doing | 'session' | undefined, o: { readonly from: number; readonly to: number }): Iterable<{ readonly at: number; readonly what: Doing | 'session'; readonly by: number }> {
  const [from, to] = [Math.max(span.start, o.from), Math.min(span.end, o.to)];
  if (what === undefined || to <= from) return;
  yield { at: from, what, by: 1 };
  yield { at: to, what, by: -1 };
}

/** Waiting for people and checks of a forge is a step, and waiting all the same. */
function doingOf(span: Took): Doing | undefined {
  switch (span.kind) {
    case 'agent': return 'agent';
    case 'check': return 'checks';
    case 'landing': return 'landing';
    case 'wait': return 'waiting';
    case 'step': return span.name === 'follow pull request' ? 'waiting' : /pull request|pushed commits/.test(span.name) ? 'landing' : 'other';
    default: return undefined;
  }
}

function add(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (last?.doing === part.doing) parts[parts.length - 1] = { ...last, to: part.to };
  else parts.push(part);
}

/** The same time in at most about so many parts: of what lasted too short to be seen, each piece is what most of it was. */
export function coarse(parts: readonly Part[], most: number): readonly Part[] {
  const [first, last] = [parts[0], parts.at(-1)];
  if (parts.length <= most || first === undefined || last === undefined) return parts;
  const piece = (last.to - first.from) / most;
  const fewer: Part[] = [];
  let at = 0;
  for (let i = 0; i < most; i++) {
    const [from, to] = [first.from + Math.round(i * piece), first.from + Math.round((i + 1) * piece)];
    const within: Record<Doing, number> = { agent: 0, checks: 0, landing: 0, other: 0, waiting: 0, rest: 0 };
    for (; at < parts.length; at++) {
      const part = parts[at];
      if (part === undefined || part.from >= to) break;
      within[part.doing] += Math.min(part.to, to) - Math.max(part.from, from);
      if (part.to > to) break;
    }
    const doing = DOINGS.reduce((best, one) => (within[one] > within[best] ? one : best));
    if (to > from) add(fewer, { doing, from, to });
  }
  return fewer;
}
