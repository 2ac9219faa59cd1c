// The YAML between two rules at the top of a markdown file: splitting, reading, and rewriting one value of it.
// Knows no keys but `status`.

import { Bug } from '../core/bug.ts';
import { BOUNDS } from '../core/limits.ts';
import { errorAt } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import { byteLength, Source } from './source.ts';
import type { Span } from './source.ts';
import { entryOf, parseYaml } from './yaml.ts';
import type { YamlEntry, YamlMap } from './yaml.ts';

/** The front matter of a file. `map` is absent when there is none, when it is empty and when it has errors. */
export interface FrontMatter {
  readonly map?: YamlMap;
  /** The opening rule, or the empty start of the file when there is no front matter. */
  readonly opening: Span;
  /** Offset of the markdown after it. */
  readonly body: number;
  readonly diagnostics: readonly Diagnostic[];
}

interface Split {
  /** The opening rule without its line break. */
  readonly opening: Span;
  /** The text between the rules. */
  readonly yaml: Span;
  readonly body: number;
  readonly closed: boolean;
}

const OPENING = /^\uFEFF?---[ \t]*(?:\r?\n|$)/;
const CLOSING = /^---[ \t]*\r?$/;

function split(text: string): Split | undefined {
  const opening = OPENING.exec(text)?.[0];
  if (opening === undefined) return undefined;
  const start = opening.startsWith('\uFEFF') ? 1 : 0;
  const rule = { start, end: start + 3 };
  for (let at = opening.length; at < text.length; ) {
    const next = text.indexOf('\n', at);
    const end = next === -1 ? text.length : next + 1;
    const line = text.slice(at, next === -1 ? end : next);
    if (CLOSING.test(line)) return { opening: rule, yaml: { start: opening.length, end: at }, body: end, closed: true };
    at = end;
  }
  return { opening: rule, yaml: { start: opening.length, end: opening.length }, body: text.length, closed: false };
}

/** What `complete` may add to a front matter of just the largest size, bytes. */
const COMPLETE_BYTES = 64;

function isComplete(map: YamlMap): boolean {
  const value = entryOf(map, 'status')?.value;
  return value?.kind === 'scalar' && value.value === 'complete';
}

/** Splits and parses the front matter of a file; a file without any is fine here. */
export function readFrontMatter(source: Source): FrontMatter {
  const found = split(source.text);
  const mark = source.text.startsWith('\uFEFF') ? 1 : 0;
  if (found === undefined) return { opening: { start: mark, end: mark }, body: mark, diagnostics: [] };
  const { opening, body } = found;
  const refuse = (code: string, message: string, hint?: string): FrontMatter =>
    ({ opening, body, diagnostics: [errorAt(code, message, { place: source.place(opening), hint })] });
  if (!found.closed) return refuse('front-matter-open', 'the front matter that begins here is never closed', 'end it with a line `---`');
  const tooLarge = (): FrontMatter => refuse('front-matter-too-large', `the front matter is larger than ${BOUNDS.frontMatter / 1024} KiB`);
  const size = byteLength(source.text.slice(found.yaml.start, found.yaml.end));
  if (size > BOUNDS.frontMatter + COMPLETE_BYTES) return tooLarge();
  const { root, diagnostics } = parseYaml(source, found.yaml);
  if (size > BOUNDS.frontMatter && !(root?.kind === 'map' && isComplete(root))) return tooLarge();
  if (root === undefined || (root.kind === 'scalar' && root.start === root.end)) return { opening, body, diagnostics };
  if (root.kind === 'map') return { map: root, opening, body, diagnostics };
  const wrong = errorAt('wrong-type', 'front matter must be `key: value` lines', { place: source.place(root) });
  return { opening, body, diagnostics: [...diagnostics, wrong] };
}

/**
 * Gives back the text with the value of `status` in its front matter replaced, or the key added; every other byte stays.
 * Takes only texts whose front matter reads without errors; throws a Bug for others.
 */
export function setStatus(text: string, status: 'complete'): string {
  const source = new Source('', text);
  const front = readFrontMatter(source);
  const found = split(text);
  if (front.diagnostics.some((d) => d.severity === 'error')) throw new Bug(`status of a file with errors: ${front.diagnostics[0]?.message ?? ''}`);
  const entry = front.map === undefined ? undefined : entryOf(front.map, 'status');
  const result = entry === undefined ? addStatus(text, { found, map: front.map, status }) : replaceStatus(text, entry, status);
  const written = readFrontMatter(new Source('', result)).map;
  const value = written === undefined ? undefined : entryOf(written, 'status')?.value;
  if (value?.kind !== 'scalar' || value.value !== status) throw new Bug('the status could not be rewritten');
  return result;
}

/** True when two texts of a spec differ in no more than the value of `status`; undefined: there is no such file. Texts whose front matter has errors are the same only to the letter. */
export function sameButStatus(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || !isSound(a) || !isSound(b)) return false;
  return setStatus(a, 'complete') === setStatus(b, 'complete');
}

/** True when the value of `status` can be written: the front matter reads without errors. */
export function isSound(text: string): boolean {
  return !readFrontMatter(new Source('', text)).diagnostics.some((d) => d.severity === 'error');
}

function replaceStatus(text: string, { keySpan, value }: YamlEntry, status: string): string {
  const put = (start: number, end: number, replacement: string): string => text.slice(0, start) + replacement + text.slice(end);
  if (value.end > value.start) {
    const old = text.slice(value.start, value.end);
    const quote = /^["']/.exec(old)?.[0] ?? '';
    // A block scalar's stretch includes its last line break.
    const lineBreak = quote === '' ? (/\r?\n$/.exec(old)?.[0] ?? '') : '';
    return put(value.start, value.end, quote + status + quote + lineBreak);
  }
  const colon = /^["']?[ \t]*:/.exec(text.slice(keySpan.end));
  if (colon !== null) return put(keySpan.end + colon[0].length, keySpan.end + colon[0].length, ` ${status}`);
  const explicit = /\?[ \t]*$/.exec(text.slice(0, keySpan.start));
  if (explicit === null) return put(keySpan.end, keySpan.end, `: ${status}`);
  const lineBreak = /\r?\n/.exec(text)?.[0] ?? '\n';
  const quote = /^["']/.exec(text.slice(keySpan.end))?.[0].length ?? 0;
  return put(keySpan.end + quote, keySpan.end + quote, `${lineBreak}${indentOf(text, explicit.index)}: ${status}`);
}

function addStatus(text: string, o: { readonly found: Split | undefined; readonly map: YamlMap | undefined; readonly status: string }): string {
  const { found, map, status } = o;
  const lineBreak = /\r?\n/.exec(text)?.[0] ?? '\n';
  if (found === undefined) {
    const start = text.startsWith('\uFEFF') ? 1 : 0;
    return `${text.slice(0, start)}---${lineBreak}status: ${status}${lineBreak}---${lineBreak}${text.slice(start)}`;
  }
  if (map !== undefined && text[map.start] === '{') {
    const rest = map.entries.length === 0 ? '' : ',';
    return `${text.slice(0, map.start + 1)}status: ${status}${rest}${rest === '' ? '' : ' '}${text.slice(map.start + 1)}`;
  }
  const indent = map === undefined ? '' : indentOf(text, map.start);
  return `${text.slice(0, found.yaml.end)}${indent}status: ${status}${lineBreak}${text.slice(found.yaml.end)}`;
}

/** The spaces that the line of an offset begins with; a stray byte order mark there is no indentation. */
function indentOf(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^\uFEFF?( *)/.exec(line)?.[1] ?? '';
}
