// A run in outline for the dashboard: what each unit's time was spent on, the critical path, the numbers to compare. Folded event by event, so
// that each look costs what is new and not the whole run. Pure.

import { isAttempt } from '../core/event.ts';
import type { Event } from '../core/event.ts';
import type { Spent } from '../core/usage.ts';
import type { Counts, RunView, UnitView } from '../core/view.ts';
import { CHOO } from '../telemetry/names.ts';
import type { Span } from '../telemetry/span.ts';
import { Tracer } from '../telemetry/trace.ts';
import { criticalPath } from './critical.ts';
import type { Way } from './critical.ts';
import { DOINGS } from './data.ts';
import type { CriticalStep, Report, Stretch } from './data.ts';
import { coarse, durationsOf, partsOf } from './timeline.ts';

/** One unit in outline. */
export interface OutlineUnit {
  readonly id: string;
  readonly state: UnitView['state'];
  /** When it could begin, ms since the run began; absent: nothing has happened to it. */
  readonly from?: number;
  /** From then on without a gap: an index into `DOINGS` and ms, by turns. */
  readonly parts: readonly number[];
  /** Time from when it could begin to when it ended, without that in which no session worked on the run, ms. */
  readonly took: number;
  /** Starts of agents. */
  readonly attempts: number;
  readonly spent?: Spent;
  readonly critical?: true;
}

/** A run in outline. Times are ISO 8601, durations ms. */
export interface Outline {
  readonly run: number;
  /** Number of the last event that it knows. */
  readonly seq: number;
  readonly at: Report['at'];
  readonly startedAt: string;
  /** Up to when this is told. */
  readonly asOf: string;
  readonly sessions: readonly Stretch[];
  /** Time with a session. */
  readonly took: number;
  readonly counts: Counts;
  readonly spent?: Spent;
  readonly units: readonly OutlineUnit[];
  readonly criticalPath: readonly CriticalStep[];
}

/** Something that took time in a unit. */
export interface UnitBar extends Stretch {
  readonly kind: 'attempt' | 'check' | 'landing' | 'wait';
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'cut' | 'running';
}

/** The timeline of one unit, the newest bars. */
export interface UnitOutline extends Stretch {
  readonly unit: string;
  readonly sessions: readonly Stretch[];
  readonly bars: readonly UnitBar[];
  /** When it was on the critical path. */
  readonly critical: readonly Stretch[];
}

/** What an outline is made of besides events. */
export interface Standing {
  readonly view: RunView;
  readonly seq: number;
  readonly at: Report['at'];
  /** ms since 1970. */
  readonly now: number;
}

/** Parts of all units together that an outline has at most, about; and of one unit at least. */
const MOST_PARTS = 60_000;
const FEW_PARTS = 24;
/** Bars that a unit's timeline has at most. */
const MOST_BARS = 500;

type Took = Pick<Span, 'kind' | 'name' | 'start' | 'end' | 'task' | 'attempt' | 'error' | 'ended'> & { readonly about: string };
interface Row { readonly from: number; readonly parts: readonly number[]; readonly took: number; readonly way: Omit<Way, 'id' | 'dependsOn'> | undefined }
interface OfUnit { readonly spans: Took[]; queued?: number; ended?: number; attempts: number; /** It is over, and no longer moves. */ row?: Row }

const KEPT: ReadonlySet<Span['kind']> = new Set(['attempt', 'agent', 'check', 'landing', 'wait', 'step']);
const WORK: ReadonlySet<Span['kind']> = new Set(['agent', 'check', 'step']);

/** Folds the events of a run in their order. */
export class Outliner {
  readonly #tracer = new Tracer();
  readonly #units = new Map<string, OfUnit>();
  readonly #sessions: Span[] = [];
  /** Units that ended and whose row is not made yet. */
  readonly #over = new Set<string>();
  #first: string | undefined;
  #last = 0;

  /** The next event. */
  take(e: Event): void {
    this.#first ??= e.time;
    this.#last = Date.parse(e.time);
    for (const span of this.#tracer.take(e)) {
      if (span.kind === 'session') this.#sessions.push(span);
      if (span.unit !== undefined && KEPT.has(span.kind)) this.#changed(span.unit).spans.push(short(span));
    }
    if (!('unit' in e)) return;
    const one = this.#changed(e.unit);
    if (e.type === 'unit.queued') one.queued ??= this.#last;
    if (isAttempt(e)) one.attempts++;
    if (e.type === 'unit.merged' || e.type === 'unit.failed' || e.type === 'unit.discarded') one.ended = this.#last;
    if (e.type === 'unit.retried') delete one.ended;
    if (one.ended === undefined) this.#over.delete(e.unit);
    else this.#over.add(e.unit);
  }

  #changed(unit: string): OfUnit {
    const one = this.#units.get(unit) ?? { spans: [], attempts: 0 };
    this.#units.set(unit, one);
    delete one.row;
    if (one.ended !== undefined) this.#over.add(unit);
    return one;
  }

  /** Makes the rows of up to so many units that are over; true while there are more. A row costs the same whenever it is made. */
  settle(count: number): boolean {
    const open = this.#open(this.#last);
    let left = count;
    for (const unit of this.#over) {
      if (left-- === 0) return true;
      this.#over.delete(unit);
      const one = this.#units.get(unit);
      const row = one === undefined || open.units.has(unit) ? undefined : this.#row(one, { open, asOf: this.#last, most: this.#most() });
      if (one !== undefined && row !== undefined) one.row = row;
    }
    return false;
  }

  /** The run up to the last event; undefined before the first one. */
  outline({ view, seq, at, now }: Standing): Outline | undefined {
    if (this.#first === undefined) return undefined;
    const asOf = at === 'live' ? Math.max(now, this.#last) : this.#last;
    const began = Date.parse(this.#first);
    const open = this.#open(asOf);
    const rows = new Map(view.units.filter((u) => u.state !== 'complete').map((u) => [u.id, this.#rowOf(u.id, open, asOf)]));
    const path = pathOf(view, rows);
    const critical = new Set(path.map(({ unit }) => unit));
    const sessions = open.sessions.map(stretch);
    return {
      run: view.run ?? 0, seq, at, startedAt: this.#first, asOf: iso(asOf), sessions, took: open.sessions.reduce((sum, span) => sum + span.end - span.start, 0),
      counts: view.counts, ...(view.spent === undefined ? {} : { spent: view.spent }), criticalPath: path,
      units: view.units.filter((u) => rows.has(u.id)).map((u) => {
        const row = rows.get(u.id);
        return {
          id: u.id, state: u.state, ...(row === undefined ? {} : { from: row.from - began }), parts: row?.parts ?? [], took: row?.took ?? 0,
          attempts: this.#units.get(u.id)?.attempts ?? 0, ...(u.spent === undefined ? {} : { spent: u.spent }), ...(critical.has(u.id) ? { critical: true } : {}),
        };
      }),
    };
  }

  /** The timeline of one unit; undefined while nothing has happened to it. */
  unit(id: string, { view, at, now }: Standing): UnitOutline | undefined {
    const one = this.#units.get(id);
    const asOf = at === 'live' ? Math.max(now, this.#last) : this.#last;
    const open = this.#open(asOf);
    const row = this.#rowOf(id, open, asOf);
    if (one === undefined || row === undefined) return undefined;
    const to = row.from + durationOf(row.parts);
    const rows = new Map(view.units.map((u) => [u.id, this.#rowOf(u.id, open, asOf)]));
    const bars = [...one.spans, ...open.units.get(id) ?? []].flatMap((span) => barOf(span, at)).toSorted((a, b) => Date.parse(a.from) - Date.parse(b.from));
    return { unit: id, from: iso(row.from), to: iso(to), sessions: open.sessions.map(stretch), bars: bars.slice(-MOST_BARS), critical: pathOf(view, rows).filter((step) => step.unit === id).map(({ from, to: end }) => ({ from, to: end })) };
  }

  #open(asOf: number): Open {
    const units = new Map<string, Took[]>();
    const sessions = [...this.#sessions];
    for (const span of this.#tracer.open(asOf)) {
      if (span.kind === 'session') sessions.push(span);
      if (span.unit === undefined || !KEPT.has(span.kind)) continue;
      const own = units.get(span.unit);
      if (own === undefined) units.set(span.unit, [short(span)]);
      else own.push(short(span));
    }
    return { units, sessions };
  }

  #most(): number {
    return Math.max(FEW_PARTS, Math.floor(MOST_PARTS / Math.max(1, this.#units.size)));
  }

  #rowOf(id: string, open: Open, asOf: number): Row | undefined {
    const one = this.#units.get(id);
    return one === undefined ? undefined : one.row ?? this.#row(one, { open, asOf, most: this.#most(), own: open.units.get(id) });
  }

  #row(one: OfUnit, o: { readonly open: Open; readonly asOf: number; readonly most: number; readonly own?: readonly Took[] | undefined }): Row | undefined {
    const spans = [...one.spans, ...o.own ?? []];
    const from = spans.reduce((first, span) => Math.min(first, span.start), one.queued ?? Infinity);
    if (from === Infinity) return undefined;
    const to = Math.max(from, one.ended ?? o.asOf);
    const parts = partsOf({ from, to, spans, sessions: o.open.sessions });
    return {
      from, took: to - from - durationsOf(parts).rest, way: wayOf(one, spans, to),
      parts: coarse(parts, o.most).flatMap((part) => [DOINGS.indexOf(part.doing), part.to - part.from]),
    };
  }
}

interface Open { readonly units: ReadonlyMap<string, readonly Took[]>; readonly sessions: readonly Span[] }

function wayOf(one: OfUnit, spans: readonly Took[], ended: number): Row['way'] {
  const began = spans.reduce((first, span) => (WORK.has(span.kind) ? Math.min(first, span.start) : first), Infinity);
  if (began === Infinity) return undefined;
  const landing = spans.reduce((last, span) => (span.kind === 'landing' ? Math.max(last, span.start) : last), -Infinity);
  return { ready: Math.min(one.queued ?? began, began), began, left: landing === -Infinity ? ended : landing, ended };
}

function pathOf(view: RunView, rows: ReadonlyMap<string, Row | undefined>): readonly CriticalStep[] {
  const ways = view.units.flatMap(({ id, dependsOn }) => {
    const way = rows.get(id)?.way;
    return way === undefined ? [] : [{ id, dependsOn, ...way }];
  });
  return criticalPath(ways).map(({ unit, from, to, because }) => ({ unit, from: iso(from), to: iso(to), because }));
}

/** Only what is drawn is kept: of 100,000 events many are spans. */
function short({ kind, name, start, end, task, attempt, error, ended, attributes }: Span): Took {
  const about = String(attributes[kind === 'check' ? CHOO.check : kind === 'attempt' ? CHOO.purpose : CHOO.waitFor] ?? '');
  return { kind, name, start, end, ended, about, ...(task === undefined ? {} : { task }), ...(attempt === undefined ? {} : { attempt }), ...(error === undefined ? {} : { error }) };
}

function barOf(span: Took, at: Report['at']): readonly UnitBar[] {
  const { kind } = span;
  if (kind !== 'attempt' && kind !== 'check' && kind !== 'landing' && kind !== 'wait') return [];
  const result = span.ended !== 'event' ? (span.ended === 'cut' && at === 'live' ? 'running' : 'cut') : span.error === undefined ? 'passed' : span.error === 'cut' ? 'cut' : 'failed';
  return [{ kind, name: nameOf(span), from: iso(span.start), to: iso(span.end), result }];
}

function nameOf({ kind, name, task, attempt, about }: Took): string {
  if (kind === 'attempt') return `${task === undefined ? about : `task ${task}`}, attempt ${attempt ?? 0}`;
  if (kind === 'check') return task === undefined ? name : `check of task ${task}`;
  return name;
}

function durationOf(parts: readonly number[]): number {
  return parts.reduce((sum, n, i) => (i % 2 === 1 ? sum + n : sum), 0);
}

function stretch(span: Span): Stretch {
  return { from: iso(span.start), to: iso(span.end) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
