// What choo's one comment on a pull request says: the newest trouble of its unit and, when that is over, so much.

import type { Event } from './event.ts';
import type { State } from './state.ts';
import type { PullState } from './pull-state.ts';
import { PULL_REQUEST } from './told.ts';
import type { Escalation } from './told.ts';

/** By these a unit goes on, whatever was the matter with it. */
const GOING_ON: ReadonlySet<Event['type']> = new Set(['unit.retried', 'unit.approved', 'rework.started']);

/** The event was folded: whether the trouble that the comment tells of is over by it. */
export function noteOver(s: State, event: Event): void {
  const pull = pullOf(s, event);
  if (pull?.trouble === undefined) return;
  if (!GOING_ON.has(event.type) && !(event.type === 'pr.merged' && event.red === undefined)) return;
  pull.over = event.seq;
  delete pull.trouble;
}

/** What the comment says then; undefined for every other event. */
export function overWords(s: State, event: Event): (Pick<Escalation, 'severity' | 'title' | 'detail'> & { readonly unit: string; readonly over: true }) | undefined {
  if (!('unit' in event) || pullOf(s, event)?.over !== event.seq) return undefined;
  const { unit } = event;
  const now = event.type === 'pr.merged' ? `landed as ${event.commit.slice(0, 10)}` : 'goes on';
  return { severity: 'info', unit, title: `unit ${unit} ${now}; what was said here before is over`, detail: [], over: true };
}

/** The comment is to say something new: what was not delivered there as yet need not be any more. */
export function noteTrouble(s: State, e: Escalation, to: ReadonlySet<string>): void {
  if (!to.has(PULL_REQUEST)) return;
  for (const [seq, older] of s.untold) {
    if (older.escalation.unit === e.unit && older.to.delete(PULL_REQUEST) && older.to.size === 0) s.untold.delete(seq);
  }
  const pull = e.unit === undefined || e.over === true ? undefined : s.units[s.graph.index.get(e.unit) ?? -1]?.pull;
  if (pull !== undefined) pull.trouble = e.seq;
}

function pullOf(s: State, event: Event): PullState | undefined {
  return 'unit' in event ? s.units[s.graph.index.get(event.unit) ?? -1]?.pull : undefined;
}
