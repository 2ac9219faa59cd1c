// Folds the events of a run, in their order, into spans: session → unit → task → attempt → agent and check; landing and waits
// beside the tasks. Pure: what is not in the events is not in the spans, and the same events give the same ones.

import { isAttempt, isBegun } from '../core/event.ts';
import type { AttemptBegun, Begun, Event, EventOf } from '../core/event.ts';
import { atBegin, atEnd, ofResult, shortText } from './about.ts';
import { ATTR, CHOO } from './names.ts';
import type { OpenSpan, Span, SpanKind } from './span.ts';
import { isAnswer, laneOf, STEPS } from './steps.ts';

/** What a span is opened with. */
interface Opening {
  readonly kind: SpanKind;
  readonly name: string;
  readonly parent?: OpenSpan | undefined;
  readonly unit?: string;
  readonly task?: number;
  readonly attempt?: number;
  readonly attributes?: OpenSpan['attributes'];
  readonly links?: readonly string[];
}

/** What is open of a unit. */
interface OfUnit {
  readonly unit: OpenSpan;
  task?: OpenSpan;
  attempt?: OpenSpan;
  landing?: OpenSpan;
  wait?: OpenSpan;
}

type SessionEnd = EventOf<'orch.completed' | 'orch.failed' | 'orch.stopped'>;

/** Makes spans of events. */
export class Tracer {
  /** By the lane of the step. */
  readonly #steps = new Map<string, OpenSpan>();
  readonly #units = new Map<string, OfUnit>();
  readonly #titles = new Map<string, string>();
  #session: OpenSpan | undefined;
  #before: string | undefined;
  #done: Span[] = [];
  /** Time of the last event, ms. */
  #now = 0;
  /** The latest that any event of the session had: a clock may be set back, and what holds others ends after them all the same. */
  #latest = 0;
  #seed: string | undefined;
  #about: OpenSpan['attributes'] = {};

  /** What tells this run from all others, in whichever clone it goes on; undefined before its first event. */
  get seed(): string | undefined {
    return this.#seed;
  }

  /** Takes the next event; gives back the spans that ended with it, children before their parents. */
  take(e: Event): readonly Span[] {
    const at = Date.parse(e.time);
    if (e.type === 'run.pinned' || e.type === 'run.replanned') this.#pinned(e);
    if (e.type === 'orch.started' || e.type === 'orch.resumed') this.#begin(e, at);
    this.#now = at;
    this.#latest = Math.max(this.#latest, at);
    const lane = laneOf(e);
    if (lane !== undefined && isAnswer(e)) this.#answer(lane, e);
    if (isBegun(e)) this.#step(e);
    else this.#told(e);
    if (e.type === 'orch.completed' || e.type === 'orch.failed' || e.type === 'orch.stopped') this.#end(e);
    return this.#taken();
  }

  /** Ends everything that is open with the last event, as when the session is over. */
  end(): readonly Span[] {
    this.#closeAll('cut');
    return this.#taken();
  }

  /** What is open, as if it ended at that moment; nothing changes. */
  open(at: number): readonly Span[] {
    return this.#opened().map((span) => closed(span, { at: Math.max(at, span.start), ended: 'cut' }));
  }

  #opened(): readonly OpenSpan[] {
    const units = [...this.#units.values()].flatMap(({ unit, task, attempt, landing, wait }) => [wait, attempt, task, landing, unit]);
    return [...this.#steps.values(), ...units, this.#session].filter((span) => span !== undefined);
  }

  #taken(): readonly Span[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  #pinned(e: EventOf<'run.pinned' | 'run.replanned'>): void {
    this.#seed ??= `${e.pinned.digest}:${e.pinned.base}:${e.time}`;
    this.#about = { [CHOO.run]: e.run, [CHOO.mode]: e.pinned.mode, [ATTR.baseName]: shortText((e.pinned.forge?.ref ?? e.pinned.targetRef).replace('refs/heads/', '')), [ATTR.baseRevision]: e.pinned.base };
    for (const { id, tasks } of e.pinned.plan.units) for (const { number, title } of tasks) this.#titles.set(`${id} ${number}`, title);
  }

  /** Whatever is open yet belonged to a session that died. */
  #begin(e: EventOf<'orch.started' | 'orch.resumed'>, at: number): void {
    this.#closeAll('crash');
    this.#now = at;
    this.#latest = at;
    this.#session = this.#openSpan(e, {
      kind: 'session', name: e.type === 'orch.started' ? 'choo run' : 'choo resume', ...(this.#before === undefined ? {} : { links: [this.#before] }),
      attributes: { ...this.#about, [CHOO.run]: e.run, [CHOO.session]: e.type === 'orch.started' ? 'run' : 'resume' },
    });
    this.#before = this.#session.key;
  }

  #end(e: SessionEnd): void {
    if (this.#session !== undefined) Object.assign(this.#session.attributes, ofResult(e));
    const session = this.#session;
    this.#session = undefined;
    this.#closeAll('cut');
    if (session !== undefined) this.#close(session, { ended: 'event', ...(e.type === 'orch.failed' ? { error: 'run-failed' } : {}) });
  }

  // ---------------------------------------------------------------- steps

  #step(e: Begun): void {
    const lane = laneOf(e) ?? '';
    const { kind, name } = STEPS[e.type];
    const about = { kind, name, attributes: atBegin(e) };
    const old = this.#steps.get(lane);
    if (old !== undefined) this.#close(old, { ended: 'cut' });
    if (!('unit' in e)) {
      if (e.type === 'batch.merging') for (const unit of e.units) this.#toLand(e, unit);
      const links = 'units' in e ? e.units.map((unit) => this.#units.get(unit)?.landing?.key).filter((key) => key !== undefined) : [];
      this.#steps.set(lane, this.#openSpan(e, { ...about, parent: this.#session, links }));
      return;
    }
    const of = this.#ofUnit(e, e.unit);
    this.#stopWaiting(of);
    if (of.landing !== undefined && sendsBack(e)) this.#closePart(of, 'landing', { ended: 'event', error: 'not-landed' });
    if (e.type.startsWith('pr.')) this.#toLand(e, e.unit);
    const parent = this.#parentOf(of, e);
    this.#steps.set(lane, this.#openSpan(e, {
      ...about, parent, unit: e.unit, ...('task' in e ? { task: e.task } : {}), ...(isAttempt(e) ? { attempt: e.attempt, name: `${name} ${shortText(e.agent)}` } : {}),
    }));
  }

  /** Where in its unit a step belongs; opens the task and the attempt that it begins. */
  #parentOf(of: OfUnit, e: Extract<Begun, { readonly unit: string }>): OpenSpan {
    if ('task' in e) {
      this.#ofTask(of, e);
      if (isAttempt(e)) this.#beginAttempt(of, e);
      return (e.type === 'task.committing' ? of.task : of.attempt ?? of.task) ?? of.unit;
    }
    if (isAttempt(e)) return this.#beginAttempt(of, e);
    return (e.type.startsWith('pr.') ? of.landing : undefined) ?? of.unit;
  }

  #ofTask(of: OfUnit, e: Event & { readonly unit: string; readonly task: number }): void {
    if (of.task?.task === e.task) return;
    this.#closeTask(of, { ended: 'cut' });
    const title = this.#titles.get(`${e.unit} ${e.task}`);
    of.task = this.#openSpan(e, {
      kind: 'task', name: 'task', parent: of.unit, unit: e.unit, task: e.task,
      attributes: { [CHOO.task]: e.task, ...(title === undefined ? {} : { [CHOO.title]: shortText(title) }) },
    });
  }

  #beginAttempt(of: OfUnit, e: AttemptBegun): OpenSpan {
    this.#closePart(of, 'attempt', { ended: 'cut' });
    of.attempt = this.#openSpan(e, {
      kind: 'attempt', name: 'attempt', parent: of.task ?? of.unit, unit: e.unit, ...('task' in e ? { task: e.task } : {}), attempt: e.attempt,
      attributes: { [CHOO.attempt]: e.attempt, [CHOO.purpose]: String(atBegin(e)[CHOO.purpose]) },
    });
    return of.attempt;
  }

  #answer(lane: string, e: Event): void {
    const step = this.#steps.get(lane);
    const error = 'failure' in e ? e.failure.kind : undefined;
    if (step !== undefined) {
      this.#steps.delete(lane);
      Object.assign(step.attributes, atEnd(e));
      this.#close(step, { ended: 'event', ...(error === undefined ? {} : { error }) });
    }
    const of = 'unit' in e ? this.#units.get(e.unit) : undefined;
    if (of === undefined) return;
    if (endsAttempt(e)) this.#closePart(of, 'attempt', { ended: 'event', ...(error === undefined ? {} : { error }) });
  }

  // ---------------------------------------------------------------- what is told of units

  #told(e: Event): void {
    if (!('unit' in e)) return;
    const of = this.#units.get(e.unit);
    if (e.type === 'unit.waiting' && e.for !== 'review') return this.#wait(e);
    if (of === undefined) return;
    switch (e.type) {
      case 'unit.approved': return this.#stopWaiting(of);
      case 'task.completed':
        if (of.task !== undefined) of.task.attributes[CHOO.attempts] = e.attempts;
        return this.#closeTask(of, { ended: 'event' });
      case 'task.failed': return this.#closeTask(of, { ended: 'event', error: e.failure.kind });
      case 'pr.published': if (of.landing !== undefined) of.landing.attributes[ATTR.change] = String(e.number); return;
      case 'unit.merged':
        if (of.landing !== undefined) of.landing.attributes[ATTR.headRevision] = e.commit;
        of.unit.attributes[CHOO.result] = 'landed';
        return this.#closePart(of, 'landing', { ended: 'event' });
      case 'unit.completed': return this.#closeUnit(e.unit, { ended: 'event' });
      case 'unit.failed':
        of.unit.attributes[CHOO.result] = 'failed';
        return this.#closeUnit(e.unit, { ended: 'event', error: e.failure.kind });
      case 'unit.discarded':
        of.unit.attributes[CHOO.result] = 'cancelled';
        return this.#closeUnit(e.unit, { ended: 'event' });
      default:
    }
  }

  #wait(e: EventOf<'unit.waiting'>): void {
    const of = this.#ofUnit(e, e.unit);
    this.#stopWaiting(of);
    of.wait = this.#openSpan(e, { kind: 'wait', name: `wait for ${e.for}`, parent: of.unit, unit: e.unit, attributes: { [CHOO.waitFor]: e.for, ...(e.agent === undefined ? {} : { [ATTR.agent]: shortText(e.agent) }) } });
  }

  #stopWaiting(of: OfUnit): void {
    this.#closePart(of, 'wait', { ended: 'event' });
  }

  #toLand(e: Event, unit: string): void {
    const of = this.#ofUnit(e, unit);
    this.#stopWaiting(of);
    of.landing ??= this.#openSpan(e, { kind: 'landing', name: 'land', parent: of.unit, unit });
    if ('batch' in e) of.landing.attributes[CHOO.batch] = e.batch;
  }

  #ofUnit(e: Event, unit: string): OfUnit {
    const known = this.#units.get(unit);
    if (known !== undefined) return known;
    const of: OfUnit = { unit: this.#openSpan(e, { kind: 'unit', name: 'unit', parent: this.#session, unit }) };
    this.#units.set(unit, of);
    return of;
  }

  // ---------------------------------------------------------------- opening and closing

  /** The key holds the event's number, and what else may begin with that event. */
  #openSpan(e: Event, o: Opening): OpenSpan {
    const { parent, attributes = {}, links = [], ...rest } = o;
    return {
      key: `${e.seq}:${o.kind}:${o.kind === 'step' || o.kind === 'check' || o.kind === 'agent' ? e.type : o.unit ?? ''}`, seq: e.seq, start: Date.parse(e.time), ...rest,
      ...(parent === undefined ? {} : { parent: parent.key }),
      attributes: { ...(o.unit === undefined ? {} : { [CHOO.unit]: shortText(o.unit) }), ...(o.task === undefined ? {} : { [CHOO.task]: o.task }), ...attributes }, links: [...links],
    };
  }

  #close(span: OpenSpan, o: { readonly ended: Span['ended']; readonly error?: string }): void {
    const holds = span.kind !== 'step' && span.kind !== 'check' && span.kind !== 'agent';
    this.#done.push(closed(span, { ...o, at: Math.max(holds ? this.#latest : this.#now, span.start) }));
  }

  #closePart(of: OfUnit, part: Exclude<keyof OfUnit, 'unit'>, o: { readonly ended: Span['ended']; readonly error?: string }): void {
    const span = of[part];
    if (span === undefined) return;
    delete of[part];
    this.#close(span, o);
  }

  #closeTask(of: OfUnit, o: { readonly ended: Span['ended']; readonly error?: string }): void {
    this.#closePart(of, 'attempt', { ended: 'cut' });
    this.#closePart(of, 'task', o);
  }

  #closeUnit(unit: string, o: { readonly ended: Span['ended']; readonly error?: string }): void {
    const of = this.#units.get(unit);
    if (of === undefined) return;
    const lane = `unit:${unit}`;
    const step = this.#steps.get(lane);
    const rest = o.ended === 'event' ? { ended: 'cut' as const } : { ended: o.ended };
    this.#steps.delete(lane);
    if (step !== undefined) this.#close(step, rest);
    for (const part of ['wait', 'attempt', 'task', 'landing'] as const) this.#closePart(of, part, rest);
    this.#units.delete(unit);
    this.#close(of.unit, o);
  }

  #closeAll(ended: 'cut' | 'crash'): void {
    for (const unit of this.#units.keys()) this.#closeUnit(unit, { ended });
    for (const step of this.#steps.values()) this.#close(step, { ended });
    this.#steps.clear();
    if (this.#session !== undefined) this.#close(this.#session, { ended });
    this.#session = undefined;
  }
}

function closed({ seq: _, ...span }: OpenSpan, o: { readonly at: number; readonly ended: Span['ended']; readonly error?: string }): Span {
  const attributes = { ...span.attributes, ...(o.ended === 'event' ? {} : { [CHOO.ended]: o.ended }), ...(o.error === undefined ? {} : { [ATTR.errorType]: o.error }) };
  return { ...span, attributes, end: o.at, ended: o.ended, ...(o.error === undefined ? {} : { error: o.error }) };
}

/** A step that is due because the unit did not land as it was. */
function sendsBack(e: Begun): boolean {
  return !e.type.startsWith('pr.') && e.type !== 'unit.finishing';
}

/** The end of an attempt: of one at a task with its check, of any other with its agent. */
function endsAttempt(e: Event): boolean {
  switch (e.type) {
    case 'task.attempt.failed': case 'task.validation.ok': case 'task.validation.fail': case 'rework.attempted': case 'rework.attempt.failed':
    case 'review.ended': case 'review.attempt.failed': return true;
    default: return false;
  }
}
