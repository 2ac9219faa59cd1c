// Numbers, times and states as words. Text only: nothing here makes markup.

import type { UnitView } from '../src/core/view.ts';
import type { Spent } from '../src/core/usage.ts';

/** States in the order that people look for them. */
export const STATES = ['failed', 'waiting', 'running', 'proving', 'landing', 'blocked', 'pending', 'landed', 'complete', 'cancelled'] as const;

/** A mark for each state, so that colour is never alone. */
export const MARKS: Readonly<Record<UnitView['state'], string>> = {
  pending: '·', running: '▶', proving: '◆', landing: '⇣', waiting: '⏸', landed: '✓', failed: '✗', blocked: '⊘', cancelled: '–', complete: '✓',
};

/** What was spent; empty when nothing. */
export function spentText(spent: Partial<Spent> | undefined): string {
  const parts = [];
  if ((spent?.usd ?? 0) > 0) parts.push(`$${(spent?.usd ?? 0).toFixed(2)}`);
  if ((spent?.tokens ?? 0) > 0) parts.push(`${compact(spent?.tokens ?? 0)} tokens`);
  return parts.join(', ');
}

/** A large number, shortened. */
export function compact(n: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact' }).format(n);
}

/** A span of time, from ms. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** Between two moments; until now when the second is missing. */
export function lasted(from: string | undefined, to: string | undefined): string {
  return from === undefined ? '' : span((to === undefined ? Date.now() : Date.parse(to)) - Date.parse(from));
}

/** A moment in the reader's own time. */
export function clock(time: string): string {
  return new Date(time).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** What a unit is at, in a few words. */
export function doing(unit: UnitView): string {
  return unit.failure?.message ?? unit.waiting?.text ?? unit.step ?? '';
}

/** Tasks done of all. */
export function tasksDone(unit: UnitView): string {
  return unit.tasks.length === 0 ? '' : `${unit.tasks.filter(({ state }) => state === 'complete').length}/${unit.tasks.length}`;
}
