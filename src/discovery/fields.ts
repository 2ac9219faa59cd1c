// Typed reading of a mapping key by key, with a diagnostic for each value of the wrong type. Knows no particular key.

import { cleanLine } from '../core/clean.ts';
import type { Check } from '../core/plan.ts';
import { RECOGNISERS } from '../core/recognise.ts';
import { errorAt, warningAt } from './diagnostic.ts';
import type { Diagnostic, DiagnosticDetail } from './diagnostic.ts';
import type { Located, Source, Span } from './source.ts';
import { didYouMean } from './suggest.ts';
import { entryOf } from './yaml.ts';
import type { YamlEntry, YamlMap, YamlNode } from './yaml.ts';

/** Unknown keys told of one mapping. */
const UNKNOWN_TOLD = 20;
/** Longest name that a check gets from its command, characters. */
const NAME_LIMIT = 60;

/** A name for a check that has none of its own: the start of its command, on one line. */
export function checkName(command: string): string {
  const line = cleanLine(command.trim().split('\n', 1)[0] ?? '').trim();
  const characters = Array.from(line.slice(0, 4 * NAME_LIMIT));
  return characters.length > NAME_LIMIT ? `${characters.slice(0, NAME_LIMIT - 1).join('')}…` : line;
}

/** Reads the keys of one mapping and collects what is wrong with them. An absent mapping has no keys. */
export class Fields {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: Source;
  readonly #map: YamlMap | undefined;

  constructor(source: Source, map: YamlMap | undefined) {
    this.#source = source;
    this.#map = map;
  }

  /** The entry of a key, whatever its value. */
  entry(key: string): YamlEntry | undefined {
    return this.#map === undefined ? undefined : entryOf(this.#map, key);
  }

  /** Reports an error at a span. */
  error(code: string, message: string, o: { readonly at: Span } & Omit<DiagnosticDetail, 'place'>): void {
    this.diagnostics.push(errorAt(code, message, { ...o, place: this.#source.place(o.at) }));
  }

  /** Reports a warning at a span. */
  warn(code: string, message: string, o: { readonly at: Span } & Omit<DiagnosticDetail, 'place'>): void {
    this.diagnostics.push(warningAt(code, message, { ...o, place: this.#source.place(o.at) }));
  }

  /** The text of a scalar, as written; undefined when the key is absent or empty (`null`). */
  text(key: string): Located<string> | undefined {
    const value = this.entry(key)?.value;
    return value === undefined || isNull(value) ? undefined : this.#text(value, key);
  }

  /** A whole number of at least 1; undefined when the key is absent or wrong. */
  count(key: string): Located<number> | undefined {
    const value = this.entry(key)?.value;
    return value === undefined ? undefined : this.#count(value, `\`${key}\``);
  }

  /** A list of texts, called `what` when it is none; empty when the key is absent. */
  texts(key: string, what: string): Located<string>[] {
    return this.#items(key, what).map((item) => this.#text(item, `${key}[]`)).filter((item) => item !== undefined);
  }

  /** A list of whole numbers of at least 1; empty when the key is absent. */
  counts(key: string): Located<number>[] {
    return this.#items(key, 'numbers').map((item) => this.#count(item, `an item of \`${key}\``)).filter((item) => item !== undefined);
  }

  /** A list of checks, each a command or `{name, command, pattern, retries, recogniser}`; undefined when the key is absent. */
  checks(key: string): Check[] | undefined {
    if (this.entry(key) === undefined) return undefined;
    return this.#items(key, 'checks').map((item) => this.#check(item, key)).filter((check) => check !== undefined);
  }

  /** Warns of each key that is not among the known ones. */
  unknown(known: readonly string[], what: string): void {
    const strangers = (this.#map?.entries ?? []).filter((entry) => !known.includes(entry.key));
    for (const { key, keySpan } of strangers.slice(0, UNKNOWN_TOLD)) {
      this.warn('unknown-key', `\`${key}\` is no key of ${what}; it is kept and has no effect`, { at: keySpan, hint: didYouMean(key, known) });
    }
  }

  #items(key: string, what: string): readonly YamlNode[] {
    const value = this.entry(key)?.value;
    if (value === undefined || isNull(value)) return [];
    if (value.kind === 'list') return value.items;
    const written = value.kind === 'scalar' ? `write \`${key}: [${cleanLine(value.text)}]\`` : undefined;
    this.error('wrong-type', `\`${key}\` must be a list of ${what}`, { at: value, hint: written });
    return [];
  }

  #text(value: YamlNode, key: string): Located<string> | undefined {
    if (value.kind === 'scalar' && value.value !== null) return { value: value.text, start: value.start, end: value.end };
    this.error('wrong-type', `\`${key}\` must be a text, not ${kindOf(value)}`, { at: value });
    return undefined;
  }

  #count(value: YamlNode, what: string): Located<number> | undefined {
    if (value.kind === 'scalar' && typeof value.value === 'number' && Number.isSafeInteger(value.value) && value.value >= 1) {
      return { value: value.value, start: value.start, end: value.end };
    }
    this.error('wrong-type', `${what} must be a whole number from 1, not ${kindOf(value)}`, { at: value });
    return undefined;
  }

  #check(item: YamlNode, key: string): Check | undefined {
    if (item.kind !== 'map') {
      const command = this.#text(item, `${key}[]`);
      if (command === undefined || this.#isEmpty(command)) return undefined;
      return { name: checkName(command.value), command: command.value };
    }
    const fields = new Fields(this.#source, item);
    const command = fields.text('command');
    const name = fields.text('name')?.value.trim();
    const pattern = fields.text('pattern')?.value;
    const retries = fields.#retries();
    const recogniser = fields.#oneOf('recogniser', RECOGNISERS);
    fields.unknown(['name', 'command', 'pattern', 'retries', 'recogniser'], 'a check');
    this.diagnostics.push(...fields.diagnostics);
    if (command === undefined && !fields.diagnostics.some((d) => d.severity === 'error')) this.error('missing-key', 'a check needs a `command`', { at: item });
    if (command === undefined || this.#isEmpty(command)) return undefined;
    return {
      name: name === undefined || name === '' ? checkName(command.value) : cleanLine(name),
      command: command.value,
      ...(pattern === undefined || pattern === '' ? {} : { pattern }),
      ...(retries === undefined ? {} : { retries }), ...(recogniser === undefined ? {} : { recogniser }),
    };
  }

  #retries(): number | undefined {
    const value = this.entry('retries')?.value;
    if (value === undefined || isNull(value)) return undefined;
    return value.kind === 'scalar' && value.value === 0 ? 0 : this.#count(value, '`retries`')?.value;
  }

  #oneOf<T extends string>(key: string, known: readonly T[]): T | undefined {
    const written = this.text(key);
    const found = known.find((each) => each === written?.value);
    if (written !== undefined && found === undefined) this.error('bad-value', `\`${key}\` must be one of ${known.join(', ')}`, { at: written, hint: didYouMean(written.value, known) });
    return found;
  }

  #isEmpty(command: Located<string>): boolean {
    if (command.value.trim() !== '') return false;
    this.error('empty-check', 'the check is empty: it would prove nothing', { at: command, hint: 'write a command that fails as long as the work is not done' });
    return true;
  }
}

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** What a value is, as the end of a sentence: `a list`, `the text "x"`, `nothing`. */
export function kindOf(node: YamlNode): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a mapping';
  if (node.value === null) return 'nothing';
  const shown = cleanLine(node.text.length > NAME_LIMIT ? `${node.text.slice(0, NAME_LIMIT)}…` : node.text);
  return typeof node.value === 'string' ? `the text "${shown}"` : `the ${typeof node.value} ${shown}`;
}
