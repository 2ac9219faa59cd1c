// One text with its path, and the way from offsets in it to lines and columns. Reads nothing.

import { Bug } from '../core/bug.ts';

/** A file as the caller found it; `problem` says why there is no text. */
export type SourceFile =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly text: undefined; readonly problem: FileProblem };

/** Why a file has no text: too large, bytes that are no UTF-8, or a symbolic link or other thing that is no regular file. */
export type FileProblem = 'too-large' | 'not-utf8' | 'not-a-file';

/** A stretch of a text: UTF-16 offsets, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A value with the stretch of text it came from. */
export interface Located<T> extends Span {
  readonly value: T;
}

/** Where something is, for people and editors. Line and column start at 1; column and length count UTF-16 units. */
export interface Place {
  /** Repository path. */
  readonly path: string;
  readonly line: number;
  readonly col: number;
  /** 0 when the whole file (or folder) is meant. */
  readonly length: number;
  /** The line as it is in the file, at most its first 2,000 units. */
  readonly sourceLine: string;
}

const LINE_LIMIT = 2000;
const BOM = '\uFEFF';

/** The place that means a whole file or folder. */
export function wholeFile(path: string): Place {
  return { path, line: 1, col: 1, length: 0, sourceLine: '' };
}

/** A text with its repository path. */
export class Source {
  readonly path: string;
  readonly text: string;
  #lines: number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** The place of a span. A span over several lines is cut at the end of its first line. A byte order mark does not count as a column. */
  place(span: Span): Place {
    const lines = (this.#lines ??= lineStarts(this.text));
    const line = lineOf(lines, span.start);
    const start = lines[line];
    if (start === undefined) throw new Bug(`no line at offset ${span.start} of ${this.path}`);
    const next = lines[line + 1];
    const raw = this.text.slice(start, next === undefined ? undefined : next - 1).replace(/\r$/, '');
    const mark = raw.startsWith(BOM) ? 1 : 0;
    const col = Math.min(span.start - start, raw.length);
    const length = Math.max(1, Math.min(span.end, start + raw.length) - span.start);
    return { path: this.path, line: line + 1, col: Math.max(1, col - mark + 1), length, sourceLine: raw.slice(mark, mark + LINE_LIMIT) };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Length of a text in UTF-8 bytes. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** A folder as repository paths have it: without empty and `.` parts, so without a slash at its ends; the top is ''. */
export function folderPath(path: string): string {
  return path.split('/').filter((part) => part !== '' && part !== '.').join('/');
}
