// A run's events and standing into a report. Pure; the moment up to which it is told is handed in.

import type { Event, EventOf } from '../core/event.ts';
import type { State } from '../core/state.ts';
import { byCodeUnit } from '../core/plan.ts';
import { viewOf } from '../core/view.ts';
import type { RunView, UnitView } from '../core/view.ts';
import { shellWord } from '../core/clean.ts';
import { waitCommand } from '../show/waiting.ts';
import type { Span } from '../telemetry/span.ts';
import { CHOO } from '../telemetry/names.ts';
import { Tracer } from '../telemetry/trace.ts';
import { attemptsOf, batchesOf, reportFailure } from './attempts.ts';
import type { Made } from './attempts.ts';
import { criticalPath } from './critical.ts';
import type { Way } from './critical.ts';
import type { ForPeople, Report, ReportAttempt, ReportCheck, ReportFailure, ReportUnit } from './data.ts';
import { durationsOf, partsOf, together } from './timeline.ts';

/** What a report is made of. */
export interface Material {
  readonly events: readonly Event[];
  /** What these events come to. */
  readonly state: State;
  readonly at: Report['at'];
  /** ms since 1970; told of what is still going on while the run is live. */
  readonly now: number;
}

/** Everything that is known of one unit. */
interface Facts {
  readonly spans: readonly Span[];
  readonly queued?: number;
  readonly merged?: EventOf<'unit.merged'>;
  readonly ended?: number;
  readonly failure?: ReportFailure;
}

/** The report on a run that has begun. */
export function reportOf(m: Material): Report {
  const view = viewOf(m.state);
  const [first, last] = [m.events[0], m.events.at(-1)];
  const asOf = m.at === 'live' ? Math.max(m.now, Date.parse(last?.time ?? '')) : Date.parse(last?.time ?? '');
  const spans = spansOf(m.events, asOf);
  const sessions = spans.filter((span) => span.kind === 'session');
  const facts = factsOf(m.events, spans);
  const made = attemptsOf(m.events, iso(asOf));
  const began = view.units.filter((u) => u.state !== 'complete');
  const path = criticalPath(began.flatMap((u) => wayOf(u, facts.get(u.id), asOf) ?? []));
  const critical = new Set(path.map(({ unit }) => unit));
  const units = began.map((u) => unitOf(u, { facts: facts.get(u.id), made: made.filter((one) => one.unit === u.id), asOf, sessions, critical: critical.has(u.id) }));
  return {
    version: 1, run: m.state.run, at: m.at, target: view.target ?? m.state.pinned.targetRef, base: m.state.pinned.base, mode: m.state.pinned.mode,
    startedAt: first?.time ?? iso(asOf), asOf: iso(asOf), closed: view.closed,
    sessions: sessions.map((span) => ({ from: iso(span.start), to: iso(span.end), kind: span.attributes[CHOO.session] === 'resume' ? 'resume' : 'run', ended: endOf(span, m.at) })),
    counts: view.counts, ...(view.spent === undefined ? {} : { spent: view.spent }), ...(view.budget === undefined ? {} : { budget: view.budget }),
    durations: together(units.map((u) => u.durations)), wall: Math.max(0, asOf - Date.parse(first?.time ?? iso(asOf))),
    units, checks: spans.filter((span) => span.kind === 'check').toSorted((a, b) => a.start - b.start || byCodeUnit(a.key, b.key)).map((span) => checkOf(span, m.at)),
    batches: batchesOf(m.events, { until: iso(asOf), live: m.at === 'live' }),
    criticalPath: path.map((step) => ({ unit: step.unit, from: iso(step.from), to: iso(step.to), because: step.because })),
    flaky: m.events.flatMap((e) => ('notes' in e ? e.notes.filter((note) => note.kind === 'flaky-check').map((note) => ({ ...('unit' in e ? { unit: e.unit } : {}), ...(note.command === undefined ? {} : { command: note.command }), text: note.text })) : [])),
    failures: failuresOf(m, units), people: peopleOf(view, m.at),
  };
}

/** All spans; those that are open end now while the run is live, else with its last event. */
function spansOf(events: readonly Event[], asOf: number): readonly Span[] {
  const tracer = new Tracer();
  const done = events.flatMap((e) => tracer.take(e));
  return [...done, ...tracer.open(asOf)];
}

function factsOf(events: readonly Event[], spans: readonly Span[]): ReadonlyMap<string, Facts> {
  const facts = new Map<string, { -readonly [K in keyof Facts]: Facts[K] }>();
  const of = (unit: string): { -readonly [K in keyof Facts]: Facts[K] } => {
    const known = facts.get(unit) ?? { spans: [] };
    facts.set(unit, known);
    return known;
  };
  const byUnit = new Map<string, Span[]>();
  for (const span of spans) {
    if (span.unit === undefined) continue;
    const own = byUnit.get(span.unit);
    if (own === undefined) byUnit.set(span.unit, [span]);
    else own.push(span);
  }
  for (const [unit, own] of byUnit) of(unit).spans = own;
  for (const e of events) {
    if (!('unit' in e)) continue;
    const one = of(e.unit);
    if (e.type === 'unit.queued') one.queued ??= Date.parse(e.time);
    if (e.type === 'unit.merged') Object.assign(one, { merged: e, ended: Date.parse(e.time) });
    if (e.type === 'unit.failed') Object.assign(one, { failure: reportFailure(e.failure), ended: Date.parse(e.time) });
    if (e.type === 'unit.discarded') one.ended = Date.parse(e.time);
    if (e.type === 'unit.retried') {
      delete one.failure;
      delete one.ended;
    }
  }
  return facts;
}

const WORK: ReadonlySet<Span['kind']> = new Set(['agent', 'check', 'step']);

function wayOf(u: UnitView, facts: Facts | undefined, asOf: number): Way | undefined {
  const work = (facts?.spans ?? []).filter((span) => WORK.has(span.kind));
  if (facts === undefined || work.length === 0) return undefined;
  const began = Math.min(...work.map((span) => span.start));
  const ended = facts.ended ?? asOf;
  const landing = facts.spans.filter((span) => span.kind === 'landing').map((span) => span.start);
  return { id: u.id, dependsOn: u.dependsOn, ready: Math.min(facts.queued ?? began, began), began, left: landing.length === 0 ? ended : Math.max(...landing), ended };
}

interface About {
  readonly facts: Facts | undefined;
  readonly made: readonly Made[];
  readonly asOf: number;
  readonly sessions: readonly Span[];
  readonly critical: boolean;
}

function unitOf(u: UnitView, o: About): ReportUnit {
  const starts = [...(o.facts?.queued === undefined ? [] : [o.facts.queued]), ...(o.facts?.spans ?? []).map((span) => span.start)];
  const [from, to] = [starts.length === 0 ? undefined : Math.min(...starts), o.facts?.ended ?? o.asOf];
  const parts = from === undefined ? [] : partsOf({ from, to: Math.max(from, to), spans: o.facts?.spans ?? [], sessions: o.sessions });
  const { merged, failure } = o.facts ?? {};
  return {
    id: u.id, state: u.state, dependsOn: u.dependsOn, ...(from === undefined ? {} : { from: iso(from), to: iso(Math.max(from, to)) }),
    tasks: u.tasks.map(({ number, title, state, commit, spent }) => ({
      number, title, state, ...(commit === undefined ? {} : { commit }), ...(spent === undefined ? {} : { spent }),
      attempts: o.made.filter((one) => one.task === number).map(plainAttempt),
    })),
    attempts: o.made.filter((one) => one.task === undefined).map(plainAttempt),
    durations: durationsOf(parts), timeline: parts.map((part) => ({ doing: part.doing, from: iso(part.from), to: iso(part.to) })), critical: o.critical,
    ...(u.spent === undefined ? {} : { spent: u.spent }),
    ...(merged === undefined ? {} : { landed: { commit: merged.commit, at: merged.time, ref: merged.ref } }),
    ...(u.state !== 'failed' || failure === undefined ? {} : { failure }),
    ...(u.pull === undefined ? {} : { pull: { number: u.pull.number, url: u.pull.url } }),
    ...(u.worktree === undefined ? {} : { worktree: u.worktree }), ...(u.branch === undefined ? {} : { branch: u.branch }),
  };
}

function plainAttempt({ unit: _unit, task: _task, ...attempt }: Made): ReportAttempt {
  return attempt;
}

function checkOf(span: Span, at: Report['at']): ReportCheck {
  const batch = span.attributes[CHOO.batch];
  return {
    kind: String(span.attributes[CHOO.check]) as ReportCheck['kind'], ...(span.unit === undefined ? {} : { unit: span.unit }), ...(span.task === undefined ? {} : { task: span.task }),
    ...(typeof batch === 'number' ? { batch } : {}), from: iso(span.start), to: iso(span.end),
    result: span.ended !== 'event' ? (span.ended === 'cut' && at === 'live' ? 'running' : 'cut') : span.error === undefined ? 'passed' : span.error === 'cut' ? 'cut' : 'failed',
    ...(span.attributes[CHOO.flaky] === true ? { flaky: true } : {}),
  };
}

function endOf(span: Span, at: Report['at']): Report['sessions'][number]['ended'] {
  const result = span.attributes[CHOO.result];
  if (result === 'completed') return 'complete';
  if (result === 'failed' || result === 'stopped') return result;
  return at === 'live' && span.ended === 'cut' ? 'running' : 'crash';
}

/** Of units that have failed now, and of the machine. */
function failuresOf(m: Material, units: readonly ReportUnit[]): Report['failures'] {
  const { trialFailure } = m.state;
  return [
    ...(trialFailure === undefined ? [] : [reportFailure(trialFailure)]),
    ...units.flatMap((u) => (u.failure === undefined ? [] : [{ unit: u.id, ...u.failure }])),
  ];
}

function peopleOf(view: RunView, at: Report['at']): readonly ForPeople[] {
  const then = at === 'live' ? '' : ' && choo resume';
  const failed = view.units.filter((u) => u.state === 'failed');
  return [
    ...(view.paused === undefined ? [] : [{ for: 'pause' as const, text: view.paused, command: 'mend the cause, then: choo resume' }]),
    ...(view.held ?? []).filter((held) => held.until === undefined).map((held) => ({ for: 'agent' as const, text: `${held.agent}: ${held.text}`, command: 'mend that, then: choo resume' })),
    ...failed.map((u) => ({ unit: u.id, for: 'failure' as const, text: u.failure?.message ?? 'it failed', command: `choo retry ${shellWord(u.id)}${then}` })),
    ...view.units.flatMap((u): ForPeople[] => {
      const command = u.waiting === undefined ? undefined : waitCommand(u.waiting, u.id);
      return u.waiting === undefined || command === undefined ? [] : [{ unit: u.id, for: u.waiting.for, text: u.waiting.text, command }];
    }),
  ];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
