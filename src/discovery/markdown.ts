// The few things choo reads from the markdown below the front matter: title, design spec line, baseline fence. No markdown parser.

import type { Located } from './source.ts';

interface Line {
  readonly text: string;
  /** Offset in the whole file. */
  readonly start: number;
}

/** A fenced block of code under a heading. */
export interface Fence {
  /** First word of the info string, lower case. */
  readonly language: string;
  readonly code: string;
  readonly start: number;
  readonly end: number;
}

type Piece =
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'fence'; readonly fence: Fence };

const FENCE = /^( {0,3})(`{3,}|~{3,})(.*)$/s;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/s;
/** Part of a heading or `Design spec:` line that is looked at, so that a hostile line costs little. */
const LOOKED_AT = 1000;

/** Lines outside fenced code, and the fences whole; one that is never closed reaches to the end. */
function* pieces(text: string, from: number): Generator<Piece> {
  let open: OpenFence | undefined;
  let at = from;
  while (at < text.length) {
    const next = text.indexOf('\n', at);
    const end = next === -1 ? text.length : next;
    const line = { text: text.slice(at, end).replace(/\r$/, ''), start: at };
    if (open !== undefined) {
      if (closes(line.text, open.mark)) {
        yield { kind: 'fence', fence: { language: open.language, code: open.lines.join('\n'), start: open.start, end } };
        open = undefined;
      } else open.lines.push(stripIndent(line.text, open.indent));
    } else {
      open = opens(line);
      if (open === undefined) yield { kind: 'line', line };
    }
    at = end + 1;
  }
  if (open !== undefined) yield { kind: 'fence', fence: { language: open.language, code: open.lines.join('\n'), start: open.start, end: text.length } };
}

interface OpenFence {
  readonly mark: string;
  readonly indent: number;
  readonly language: string;
  readonly start: number;
  readonly lines: string[];
}

function opens(line: Line): OpenFence | undefined {
  const match = FENCE.exec(line.text);
  const mark = match?.[2] ?? '';
  const info = match?.[3] ?? '';
  if (match === null || (mark.startsWith('`') && info.includes('`'))) return undefined;
  const language = /^\S*/.exec(info.trim())?.[0].toLowerCase() ?? '';
  return { mark, indent: match[1]?.length ?? 0, language, start: line.start, lines: [] };
}

function closes(line: string, mark: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= mark.length && /^ {0,3}[`~]/.test(line) && trimmed === (mark[0] ?? '').repeat(trimmed.length);
}

function stripIndent(line: string, columns: number): string {
  let strip = 0;
  while (strip < columns && line[strip] === ' ') strip++;
  return line.slice(strip);
}

function heading(line: string): { readonly level: number; readonly text: string } | undefined {
  const match = HEADING.exec(line);
  if (match === null) return undefined;
  return { level: match[1]?.length ?? 0, text: (match[2] ?? '').slice(0, LOOKED_AT).replace(/(?:^|[ \t]+)#+[ \t]*$/, '').trim() };
}

/** Text of the first heading of level one outside fenced code, or undefined. */
export function firstTitle(text: string, body: number): string | undefined {
  for (const piece of pieces(text, body)) {
    const found = piece.kind === 'line' ? heading(piece.line.text) : undefined;
    if (found?.level === 1 && found.text !== '') return found.text;
  }
  return undefined;
}

const SPEC_LINE = /^[ \t]*(?:[-*+>][ \t]+)*(?:\*\*|__)?design spec(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]*/i;
const LINK = /^\[[^\]]*\]\((?:<([^>]*)>|([^)\s]*))(?:\s[^)]*)?\)/;

/** The path after `Design spec:` (markdown link, backticks or plain), as it is written, without a `#fragment`. */
export function designSpec(text: string, body: number): Located<string> | undefined {
  for (const piece of pieces(text, body)) {
    if (piece.kind === 'fence') continue;
    const label = SPEC_LINE.exec(piece.line.text)?.[0];
    if (label === undefined) continue;
    const rest = piece.line.text.slice(label.length, label.length + LOOKED_AT);
    const link = LINK.exec(rest);
    const written = link?.[1] ?? link?.[2] ?? /^`([^`]+)`/.exec(rest)?.[1] ?? /^\S+/.exec(rest)?.[0].replace(/[.,;]+$/, '') ?? '';
    const path = written.replace(/#.*$/, '').trim();
    if (path === '') continue;
    const start = piece.line.start + label.length + Math.max(0, rest.lastIndexOf(written, link === null ? undefined : link[0].length));
    return { value: path, start, end: start + written.length };
  }
  return undefined;
}

/** The heading `Baseline Checks` (any level) with its first `sh` or `bash` fence, if there is one before the next heading as high. */
export function baselineSection(text: string, body: number): { readonly heading: Located<string>; readonly fence?: Fence } | undefined {
  let section: { readonly level: number; readonly heading: Located<string> } | undefined;
  for (const piece of pieces(text, body)) {
    if (piece.kind === 'fence') {
      if (section !== undefined && (piece.fence.language === 'sh' || piece.fence.language === 'bash')) return { heading: section.heading, fence: piece.fence };
      continue;
    }
    const found = heading(piece.line.text);
    if (found === undefined) continue;
    if (section !== undefined && found.level <= section.level) break;
    if (section === undefined && found.text.toLowerCase() === 'baseline checks') {
      const { start, text: written } = piece.line;
      section = { level: found.level, heading: { value: found.text, start, end: start + written.length } };
    }
  }
  return section === undefined ? undefined : { heading: section.heading };
}
