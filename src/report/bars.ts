// How a timeline is drawn, on a report's page and on the dashboard: what each doing is called, its shape, and the ticks of the axis. Knows no markup.

import { duration } from '../core/duration.ts';
import type { Doing } from './data.ts';
import type { Scale } from './scale.ts';

/** What each doing is called. */
export const WORDS: Readonly<Record<Doing, string>> = { agent: 'agent at work', checks: 'checks', landing: 'landing', other: 'worktree, commits, merges', waiting: 'waiting', rest: 'no session' };

/** Height of a unit's row, pixels. */
export const ROW = 26;

/** From the top of its row, and height: no two doings look the same without their colours. */
export const SHAPES: Readonly<Record<Doing, readonly [number, number]>> = { agent: [4, 14], checks: [4, 7], landing: [11, 7], other: [7, 8], waiting: [9, 4], rest: [10, 2] };

/** What lies below the bars of a unit on the critical path, in the same way. */
export const PATH: readonly [number, number] = [20, 3];

/** A line of the axis. */
export interface Tick {
  /** Where it stands in what is shown, ms. */
  readonly at: number;
  /** The time with sessions since the beginning, in words. */
  readonly label: string;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400].map((s) => s * 1000);

/** Lines at full times of what is shown, at most about `most`. */
export function ticksOf(scale: Scale, most: number): readonly Tick[] {
  const step = STEPS.find((one) => scale.total / one <= most) ?? Math.ceil(scale.total / most / 86_400_000) * 86_400_000;
  const hidden = scale.gaps.reduce((sum, gap) => sum + Math.min(Math.max(0, scale.total - gap.at), gap.shown), 0);
  // A tick behind a cut stands where so much time with sessions has passed.
  const place = (ms: number): number => scale.gaps.reduce((at, gap) => (gap.at < at ? at + gap.shown : at), ms);
  return Array.from({ length: Math.floor((scale.total - hidden) / step) + 1 }, (_, i) => ({ at: place(i * step), label: i === 0 ? '0' : shortly(i * step) }));
}

/** A time since the beginning, without what is nought. */
function shortly(ms: number): string {
  return ms < 60_000 ? `${ms / 1000}s` : duration(ms).replace(/(?<=[hm])00[ms]$/, '');
}
