// `--until`: when a run is to stop by itself. Reads what the user wrote, and waits for that moment by the clock on the wall.

import { LONGEST_DURATION, parseDuration } from '../discovery/quantity.ts';
import type { Clock } from '../world.ts';

/** The longest wait at a time, ms: a machine that slept or whose clock was set is late by no more than this. */
const PIECE = 60_000;

/** A moment to stop at. */
export interface Until {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The same for people, in local time. */
  readonly text: string;
}

/** Reads `07:30` (the next such local time), `2026-11-23T07:30` (local) or a duration (`8h`) from `now` on, ms since 1970. Gives the reason when it is none of these or not in the future. */
export function parseUntil(written: string, now: number): Until | { readonly problem: string } {
  const at = momentOf(written, now);
  if (at === undefined) return { problem: `It must be a time (07:30), a date and time (2026-11-23T07:30), both local, or a duration (8h, 1h30m, at most ${LONGEST_DURATION / 3_600_000}h).` };
  if (at <= now) return { problem: `That is in the past: it is ${localText(now)}.` };
  return { at, text: localText(at) };
}

function momentOf(written: string, now: number): number | undefined {
  const duration = parseDuration(written);
  if (duration !== undefined) return now + duration;
  const [, year, month, day, hour, minute] = /^(?:(\d{4})-(\d{2})-(\d{2})T)?(\d{2}):(\d{2})$/.exec(written)?.map(Number) ?? [];
  if (hour === undefined || minute === undefined || hour > 23 || minute > 59) return undefined;
  if (year !== undefined && !Number.isNaN(year)) {
    const date = new Date(year, (month ?? 0) - 1, day, hour, minute);
    // 30 February would become a day in March.
    return date.getMonth() === (month ?? 0) - 1 && date.getDate() === day ? date.getTime() : undefined;
  }
  const today = new Date(now);
  const next = new Date(today.getFullYear(), today.getMonth(), today.getDate(), hour, minute);
  if (next.getTime() <= now) next.setDate(next.getDate() + 1);
  return next.getTime();
}

function localText(at: number): string {
  const d = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** Resolves true when the moment has come, false when `signal` aborts before. */
export async function waitUntil(at: number, o: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<boolean> {
  for (let left = at - o.clock.now(); left > 0 && !o.signal.aborted; left = at - o.clock.now()) await o.clock.sleep(Math.min(left, PIECE), o.signal);
  return !o.signal.aborted;
}
