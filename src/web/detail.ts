// What the journal tells of one unit: its attempts with their logs, its history, its two commits to compare. Pure.

import type { AttemptBegun, Event } from '../core/event.ts';
import { isAttempt } from '../core/event.ts';
import { describeFailure } from '../core/failure.ts';
import { isAnswer } from '../telemetry/steps.ts';
import type { AttemptLine, UnitDetail } from './protocol.ts';

/** Events of a unit's history that are told at most. */
const HISTORY = 500;

/** A unit's page, from its events in order. */
export function detailOf(unit: string, events: readonly Event[]): UnitDetail {
  const history = events.slice(-HISTORY).map(({ seq, time, type }) => ({ seq, time, type }));
  return { unit, attempts: attemptsOf(events), history, diff: commitsOf(events) !== undefined };
}

/** A log that an event names. */
export interface NamedLog {
  /** Path within the run's folder. */
  readonly log: string;
  readonly seq: number;
  /** Whose messages it has; absent: it is the output of a check. */
  readonly agent?: string;
}

/** The log that the event with that number names; undefined when it names none. */
export function logNamed(events: readonly Event[], seq: number): NamedLog | undefined {
  const event = events.find((e) => e.seq === seq);
  return event !== undefined && 'log' in event ? { log: event.log, seq, ...(isAttempt(event) ? { agent: event.agent } : {}) } : undefined;
}

/** True when what the event with that number began has been answered. */
export function isAnswered(events: readonly Event[], seq: number): boolean {
  return events.some((e) => e.seq > seq && isAnswer(e));
}

/** The commits between which the unit's own work lies. */
export function commitsOf(events: readonly Event[]): { readonly base: string; readonly head: string } | undefined {
  let base: string | undefined;
  let head: string | undefined;
  for (const e of events) {
    if (e.type === 'unit.prepared') base = e.base;
    if (e.type === 'unit.refreshed') base = e.onto;
    if (e.type === 'task.committed' || e.type === 'unit.committed') head = e.commit;
  }
  return base === undefined || head === undefined ? undefined : { base, head };
}

function attemptsOf(events: readonly Event[]): readonly AttemptLine[] {
  const lines: AttemptLine[] = [];
  for (const e of events) {
    if (isAttempt(e)) lines.push(begun(e));
    const last = lines.at(-1);
    if (last === undefined) continue;
    const more = whatFollows(e);
    if (more !== undefined && (last.state === 'running' || last.state === 'checking')) lines[lines.length - 1] = { ...last, ...more };
  }
  return lines;
}

function begun(e: AttemptBegun): AttemptLine {
  const what = e.type === 'review.started' ? 'review' : e.type === 'rework.started' ? `rework: ${e.reason}` : `task ${e.task}`;
  return {
    seq: e.seq, what, attempt: e.attempt, agent: e.agent, startedAt: e.time, state: 'running',
    ...('task' in e ? { task: e.task } : {}), ...(e.model === undefined ? {} : { model: e.model }),
  };
}

/** What an event says of the attempt that is under way. */
function whatFollows(e: Event): Partial<AttemptLine> | undefined {
  switch (e.type) {
    case 'task.attempted': return { state: 'checking', endedAt: e.time, ...usedIn(e) };
    case 'rework.attempted': case 'review.ended': return { state: 'passed', endedAt: e.time, ...usedIn(e) };
    case 'task.attempt.failed': case 'rework.attempt.failed': case 'review.attempt.failed': return { state: 'failed', endedAt: e.time, text: describeFailure(e.failure), ...usedIn(e) };
    case 'task.backpressure': return { check: e.seq };
    case 'task.validation.ok': return { state: 'passed', endedAt: e.time };
    case 'task.validation.fail': return { state: 'failed', endedAt: e.time, text: describeFailure(e.failure) };
    default: return undefined;
  }
}

function usedIn(e: Event): Pick<AttemptLine, 'usd' | 'tokens'> {
  if (!('usage' in e) || e.usage === undefined) return {};
  const { usd, input, output } = e.usage;
  return { tokens: input + output, ...(usd === undefined ? {} : { usd }) };
}
