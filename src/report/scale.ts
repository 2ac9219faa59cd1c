// Where a moment is in the picture. Time in which no session worked on the run is cut short, so that a night at rest does not hide the day.

import type { Stretch } from './data.ts';

/** A time without a session that is shown shorter than it was, ms. */
interface Gap {
  /** Where it begins in what is shown. */
  readonly at: number;
  readonly shown: number;
  readonly took: number;
}

/** Moments (ms since 1970) to what is shown of the time since the beginning (ms). */
export interface Scale {
  readonly of: (moment: number) => number;
  /** All that is shown. */
  readonly total: number;
  readonly gaps: readonly Gap[];
}

/** Of the time with sessions, so much is shown of a time without. */
const SHORT = 0.04;

/** The scale of a report, or of a part of its time. */
export function scaleOf(report: { readonly startedAt: string; readonly asOf: string; readonly sessions: readonly Stretch[] }): Scale {
  const [from, to] = [Date.parse(report.startedAt), Math.max(Date.parse(report.asOf), Date.parse(report.startedAt) + 1)];
  const sessions = report.sessions.map((one) => [Date.parse(one.from), Date.parse(one.to)] as const).toSorted((a, b) => a[0] - b[0]);
  const short = Math.max(1, sessions.reduce((sum, [begin, end]) => sum + end - begin, 0) * SHORT);
  const pieces: { readonly from: number; readonly to: number; readonly at: number; readonly shown: number }[] = [];
  const gaps: Gap[] = [];
  let [last, at] = [from, 0];
  const add = (until: number, rests: boolean): void => {
    if (until <= last) return;
    const shown = rests ? Math.min(until - last, short) : until - last;
    pieces.push({ from: last, to: until, at, shown });
    if (shown < until - last) gaps.push({ at, shown, took: until - last });
    [last, at] = [until, at + shown];
  };
  for (const [begin, end] of sessions) {
    add(begin, true);
    add(end, false);
  }
  add(to, true);
  return {
    total: Math.max(1, at), gaps,
    of: (moment) => {
      const piece = pieces.find((one) => moment <= one.to) ?? pieces.at(-1);
      if (piece === undefined) return 0;
      return piece.at + Math.min(1, Math.max(0, (moment - piece.from) / (piece.to - piece.from))) * piece.shown;
    },
  };
}
