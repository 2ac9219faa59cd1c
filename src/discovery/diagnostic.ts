// What is wrong with the user's files, as data, and how it is printed. Diagnostics are collected, never thrown.

import { cleanLine } from '../core/clean.ts';
import { byCodeUnit } from '../core/plan.ts';
import type { Place } from './source.ts';

/** One thing to tell about a file. `code` is a stable kebab-case word that scripts may rely on. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** One sentence without a full stop. */
  readonly message: string;
  readonly place?: Place;
  readonly related: readonly Related[];
  /** What to do about it. */
  readonly hint?: string;
}

/** A second place that belongs to a diagnostic. */
export interface Related {
  readonly message: string;
  readonly place: Place;
}

/** The parts of a diagnostic that are not always there. */
export interface DiagnosticDetail {
  readonly place?: Place;
  readonly related?: readonly Related[];
  readonly hint?: string | undefined;
}

/** Makes a diagnostic that stops a run. */
export function errorAt(code: string, message: string, detail: DiagnosticDetail = {}): Diagnostic {
  return make({ code, severity: 'error', message }, detail);
}

/** Makes a diagnostic that stops nothing. */
export function warningAt(code: string, message: string, detail: DiagnosticDetail = {}): Diagnostic {
  return make({ code, severity: 'warning', message }, detail);
}

function make(head: Pick<Diagnostic, 'code' | 'severity' | 'message'>, detail: DiagnosticDetail): Diagnostic {
  return {
    ...head,
    ...(detail.place === undefined ? {} : { place: detail.place }),
    related: detail.related ?? [],
    ...(detail.hint === undefined ? {} : { hint: detail.hint }),
  };
}

/** True when at least one of them stops a run. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}

/** Orders diagnostics by file, then by place in it. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return byCodeUnit(a.place?.path ?? '', b.place?.path ?? '') || (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.col ?? 0) - (b.place?.col ?? 0);
}

const COLORS = { error: '31', warning: '33', mark: '36', place: '1' } as const;
/** Widest part of a source line that is printed, columns. */
const WINDOW = 100;
/** Related places printed of one diagnostic. */
const RELATED_SHOWN = 20;

/** The diagnostic as lines for people, without a final line break. Whatever the files contain, no control character reaches the output but colours. */
export function renderDiagnostic(d: Diagnostic, o: { readonly color: boolean }): string {
  const paint = (style: keyof typeof COLORS, text: string): string => (o.color ? `\u001b[${COLORS[style]}m${text}\u001b[0m` : text);
  const where = d.place === undefined ? '' : `${paint('place', position(d.place))}: `;
  const lines = [`${where}${paint(d.severity, d.severity)}: ${cleanLine(d.message)} [${d.code}]`];
  if (d.place !== undefined) lines.push(...excerpt(d.place, '    ', (mark) => paint('mark', mark)));
  for (const related of d.related.slice(0, RELATED_SHOWN)) {
    lines.push(`  ${position(related.place)}: ${cleanLine(related.message)}`);
    lines.push(...excerpt(related.place, '      ', (mark) => paint('mark', mark)));
  }
  if (d.related.length > RELATED_SHOWN) lines.push(`  … and ${d.related.length - RELATED_SHOWN} more`);
  if (d.hint !== undefined) lines.push(`  hint: ${cleanLine(d.hint)}`);
  return lines.join('\n');
}

function position(place: Place): string {
  const path = cleanLine(place.path);
  return place.length === 0 ? path : `${path}:${place.line}:${place.col}`;
}

interface Cell { readonly text: string; readonly width: number; readonly marked: boolean }

function excerpt(place: Place, indent: string, paint: (mark: string) => string): string[] {
  if (place.length === 0) return [];
  const cells = cellsOf(place);
  const { from, to } = visiblePart(cells);
  const shown = cells.slice(from, to);
  const before = from > 0 ? '…' : '';
  const line = before + shown.map((cell) => cell.text).join('') + (to < cells.length ? '…' : '');
  const first = shown.findIndex((cell) => cell.marked);
  // The end of a line can be marked, where there is no character; beyond what was kept of a long line there is nothing to mark.
  if (first === -1 && place.col !== place.sourceLine.length + 1) return [indent + line];
  const lead = widthOf(first === -1 ? shown : shown.slice(0, first)) + before.length;
  const length = Math.max(1, widthOf(shown.filter((cell) => cell.marked)));
  return [(indent + line).trimEnd(), indent + ' '.repeat(lead) + paint('~'.repeat(length))];
}

function cellsOf(place: Place): Cell[] {
  const cells: Cell[] = [];
  let offset = 1;
  for (const char of place.sourceLine) {
    const text = char === '\t' ? '  ' : cleanLine(char);
    const marked = offset >= place.col && offset < place.col + place.length;
    cells.push({ text, width: char === '\t' ? 2 : columns(text), marked });
    offset += char.length;
  }
  return cells;
}

function visiblePart(cells: readonly Cell[]): { readonly from: number; readonly to: number } {
  const marked = Math.max(0, cells.findIndex((cell) => cell.marked));
  let from = 0;
  if (widthOf(cells) > WINDOW && widthOf(cells.slice(0, marked)) > WINDOW / 2) from = marked - WINDOW / 4;
  let width = 0;
  let to = from;
  for (; to < cells.length; to++) {
    width += cells[to]?.width ?? 0;
    if (width > WINDOW) break;
  }
  return { from, to };
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, cell) => sum + cell.width, 0);
}

const WIDE = /^[\u1100-\u115F\u2E80-\u303E\u3041-\u4DBF\u4E00-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|^\p{Emoji_Presentation}/u;
const COMBINING = /^\p{M}/u;

function columns(char: string): number {
  return COMBINING.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
}
