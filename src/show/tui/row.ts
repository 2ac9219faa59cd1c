// Lines of a screen as pieces of text with looks, measured in terminal columns. Text from outside is made safe here, and only here.

import { cleanLine } from '../../core/clean.ts';
import { widthOf } from '../columns.ts';

/** Looks a piece can have; `loud` is bold. */
export type Look = 'loud' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'inverse';

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly look?: Look;
}

/** One line of the screen, no wider than it. */
export type Row = readonly Span[];

/** A piece with a look, or without one. The text may come from anywhere. */
export function span(text: string, look?: Look): Span {
  return look === undefined ? { text: cleanLine(text) } : { text: cleanLine(text), look };
}

const WORTH = 4;

/** The beginning of a text that fits into so many columns, with `…` where something is left out. Never splits what is seen as one character. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return '';
  // Plain characters take one column each.
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  // What is far too long is not measured to its end.
  const near = text.length > columns * WORTH + 64 ? text.slice(0, columns * WORTH + 64) : text;
  if (near === text && widthOf(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(near)) {
    const more = widthOf(segment);
    if (width + more > columns - 1) break;
    kept += segment;
    width += more;
  }
  return `${kept}…`;
}

/** A text in up to `most` lines of so many columns, broken where they end; cut where that is not enough. */
export function folded(text: string, columns: number, most: number): readonly string[] {
  const clean = cleanLine(text);
  // What has wider characters is seldom long enough.
  if (most <= 1 || columns <= 0 || clean.length <= columns || !/^[\u0020-\u007e]*$/.test(clean)) return [cut(clean, columns)];
  return [clean.slice(0, columns), ...folded(clean.slice(columns), columns, most - 1)];
}

/** Pieces cut to so many columns in all. */
export function fit(row: Row, columns: number): Row {
  const fitted: Span[] = [];
  let left = columns;
  for (const piece of row) {
    if (left <= 0) break;
    const text = cut(piece.text, left);
    left -= widthOf(text);
    if (text !== '') fitted.push(piece.look === undefined ? { text } : { text, look: piece.look });
  }
  return fitted;
}

/** A piece that takes exactly so many columns. */
export function cell(text: string, columns: number, look?: Look): Span {
  const shown = cut(cleanLine(text), columns);
  return span(shown + ' '.repeat(Math.max(0, columns - widthOf(shown))), look);
}

/** Pieces from the left and pieces that end at the right edge; the left ones give way. */
export function spread(left: Row, right: Row, columns: number): Row {
  const end = fit(right, columns);
  const taken = rowWidth(end);
  const room = columns - taken - (taken === 0 ? 0 : 1);
  const begin = fit(left, room);
  const gap = columns - taken - rowWidth(begin);
  return taken === 0 ? begin : [...begin, span(' '.repeat(Math.max(0, gap))), ...end];
}

/** Columns a line takes. */
export function rowWidth(row: Row): number {
  return row.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** The line without its looks. */
export function textOf(row: Row): string {
  return row.map(({ text }) => text).join('').trimEnd();
}

/** How old something is: `12s`, `4m05s`, `2h03m`, `3d04h`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(seconds / 86_400)}d${two(Math.floor(seconds / 3600) % 24)}h`;
}
