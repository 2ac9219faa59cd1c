// The log of the chosen unit: its newest lines or the part that is scrolled to, with what is searched for made visible.

import type { Drawn } from './header.ts';
import { widthOf } from '../columns.ts';
import { cut, fit, span, spread } from './row.ts';
import type { Row } from './row.ts';
import { hasFound } from './ui.ts';
import type { LogLook } from './ui.ts';

/** A log as it is known. */
export interface LogText {
  /** Whose and of which attempt. */
  readonly title: string;
  readonly lines: readonly string[];
  /** Lines before these that are no longer kept. */
  readonly dropped: number;
}

/** What is shown where there is no log yet. */
export const NO_LOG: LogText = { title: '', lines: [], dropped: 0 };

/** A title line and exactly `room - 1` lines of the log. */
export function logPane(o: Drawn, log: LogText, at: { readonly room: number; readonly look: LogLook }): readonly Row[] {
  const { columns, marks } = o;
  const page = at.room - 1;
  const last = Math.max(0, log.lines.length - page);
  const top = Math.min(at.look.top ?? last, last);
  const shown = log.lines.slice(top, top + page);
  const to = top + shown.length;
  const place = log.lines.length === 0 ? '' : `${log.dropped + top + 1}-${log.dropped + to} of ${log.dropped + log.lines.length}${at.look.top === undefined ? ', live' : ''}`;
  const title = `${marks.line}${marks.line} ${log.title === '' ? 'no log yet' : log.title} `;
  const head = spread([span(title, 'loud'), span(marks.line.repeat(Math.max(0, columns - widthOf(title) - widthOf(place) - 2)), 'dim')], [span(place, 'dim')], columns);
  const rows = shown.map((line) => logLine(line, { columns, find: at.look.find }));
  return [head, ...rows, ...Array.from({ length: page - rows.length }, (): Row => [])];
}

function logLine(line: string, o: { readonly columns: number; readonly find: string }): Row {
  const text = span(line).text;
  if (!hasFound(text, o.find)) return [{ text: cut(text, o.columns) }];
  const at = (o.find === o.find.toLowerCase() ? text.toLowerCase() : text).indexOf(o.find);
  return fit([{ text: text.slice(0, at) }, { text: text.slice(at, at + o.find.length), look: 'inverse' }, { text: text.slice(at + o.find.length) }], o.columns);
}
