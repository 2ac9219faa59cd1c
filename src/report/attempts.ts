// Attempts and batches of a run, from its events: when, by whom, what it used, how it ended.

import type { Event } from '../core/event.ts';
import { isAttempt } from '../core/event.ts';
import { describeFailure, outputOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { ReportAttempt, ReportBatch, ReportFailure } from './data.ts';

/** Lines of a failed command's output that a report has. */
const LINES = 20;

/** A failure as a report has it. */
export function reportFailure(failure: Failure): ReportFailure {
  const { tail, log } = outputOf(failure) ?? {};
  const lines = (tail ?? '').trimEnd().split('\n').slice(-LINES);
  return { kind: failure.kind, message: describeFailure(failure), ...(tail === undefined || tail.trim() === '' ? {} : { tail: lines }), ...(log === undefined ? {} : { log }) };
}

/** An attempt, and what it is at. */
export interface Made extends ReportAttempt {
  readonly unit: string;
  /** Absent: the whole unit. */
  readonly task?: number;
}

type Open = { -readonly [K in keyof Made]: Made[K] };

/** All attempts in the order in which they began; one whose end is not known lasts until `until`. */
export function attemptsOf(events: readonly Event[], until: string): readonly Made[] {
  const all: Open[] = [];
  const open = new Map<string, Open>();
  let last = '';
  for (const e of events) {
    if (e.type === 'orch.resumed') for (const [unit, one] of open) close(open, { unit, one, at: last, result: 'cut' });
    if (isAttempt(e)) {
      const one: Open = {
        unit: e.unit, ...('task' in e ? { task: e.task } : {}), number: e.attempt, purpose: e.type === 'rework.started' ? e.reason : e.type === 'review.started' ? 'code-review' : 'task',
        agent: e.agent, ...(e.model === undefined ? {} : { model: e.model }), from: e.time, to: until, result: 'running',
      };
      all.push(one);
      open.set(e.unit, one);
    } else answered(open, e);
    last = e.time;
  }
  return all;
}

function answered(open: Map<string, Open>, e: Event): void {
  if (!('unit' in e)) return;
  const one = open.get(e.unit);
  if (one === undefined) return;
  if ('usage' in e && e.usage !== undefined) one.usage = e.usage;
  switch (e.type) {
    // The agent has ended; whether it did it is what the check says.
    case 'task.attempted': one.to = e.time; return;
    case 'rework.attempted': case 'review.ended': one.to = e.time; return close(open, { unit: e.unit, one, at: e.time, result: 'passed' });
    case 'task.validation.ok': return close(open, { unit: e.unit, one, at: e.time, result: 'passed' });
    case 'task.attempt.failed': case 'task.validation.fail': case 'rework.attempt.failed': case 'review.attempt.failed': {
      // An agent whose check was cut has done its part, and is not begun again.
      if (e.type === 'task.validation.fail' && e.failure.kind === 'cut') return;
      one.failure = reportFailure(e.failure);
      return close(open, { unit: e.unit, one, at: e.time, result: e.failure.kind === 'cut' ? 'cut' : 'failed' });
    }
    default:
  }
}

function close(open: Map<string, Open>, o: { readonly unit: string; readonly one: Open; readonly at: string; readonly result: ReportAttempt['result'] }): void {
  open.delete(o.unit);
  o.one.result = o.result;
  o.one.to = o.at;
}

type Batch = { -readonly [K in keyof ReportBatch]: ReportBatch[K] };

/** Batches in the order in which they began. One of which nothing more is heard has come to nothing. */
export function batchesOf(events: readonly Event[], o: { readonly until: string; readonly live: boolean }): readonly ReportBatch[] {
  const all: Batch[] = [];
  const open = new Map<number, Batch>();
  const end = (batch: Batch, result: 'landed' | 'not-landed'): void => {
    batch.result = result;
    open.delete(batch.batch);
  };
  for (const e of events) {
    if (e.type === 'orch.resumed' || e.type === 'orch.completed' || e.type === 'orch.failed' || e.type === 'orch.stopped') for (const batch of open.values()) end(batch, 'not-landed');
    if (!('batch' in e)) continue;
    const known = open.get(e.batch);
    const batch: Batch = known ?? { batch: e.batch, units: [], from: e.time, to: e.time, proofs: 0, result: 'running' };
    if (known === undefined) {
      open.set(e.batch, batch);
      all.push(batch);
    }
    batch.to = e.time;
    if (e.type === 'batch.merging') batch.units = e.units;
    if (e.type === 'batch.proving') batch.proofs++;
    if (e.type === 'batch.landed') Object.assign(batch, { ref: e.ref });
    if (e.type === 'batch.landed') end(batch, 'landed');
    if (e.type === 'batch.dropped' || e.type === 'batch.merge.failed' || e.type === 'batch.land.failed') end(batch, 'not-landed');
  }
  for (const batch of open.values()) {
    if (o.live) batch.to = o.until;
    else batch.result = 'not-landed';
  }
  return all;
}
