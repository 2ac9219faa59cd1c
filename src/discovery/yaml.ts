// YAML of a stretch of a file as plain nodes that know where they are. Bounded in depth and aliases; knows no schema.

import { Composer, isAlias, isMap, isScalar, isSeq, Parser } from 'yaml';
import type { Alias, CST, Document, ParsedNode, YAMLMap } from 'yaml';
import { BOUNDS } from '../core/limits.ts';
import { errorAt, warningAt } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Source, Span } from './source.ts';

/** A value with its place. `text` of a scalar is what is written, without quotes. */
export type YamlNode = YamlScalar | YamlList | YamlMap;

/** A string, number, boolean or null. */
export interface YamlScalar extends Span {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly text: string;
}

/** A sequence. */
export interface YamlList extends Span {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
}

/** A mapping; keys are unique. */
export interface YamlMap extends Span {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
}

/** One key of a mapping with its value. */
export interface YamlEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: YamlNode;
}

/** Deepest nesting that is read; real files need five. */
const MAX_DEPTH = 50;
/** Syntax errors told of one file. */
const MAX_ERRORS = 10;

/** Parses `span` of the source. `root` is absent when the text is empty or has errors. */
export function parseYaml(source: Source, span: Span): { readonly root?: YamlNode; readonly diagnostics: readonly Diagnostic[] } {
  const tokens = [...new Parser().parse(source.text.slice(span.start, span.end))];
  // The composer of the library calls itself for each level: deep nesting would end the process, not throw.
  if (isTooDeep(tokens)) {
    const message = `the YAML is nested deeper than ${MAX_DEPTH} levels`;
    return { diagnostics: [errorAt('yaml-too-deep', message, { place: source.place({ start: span.start, end: span.start + 1 }) })] };
  }
  const ending = tokens.find((token) => token.type === 'doc-end');
  if (ending !== undefined) {
    const at = span.start + ending.offset;
    return { diagnostics: [errorAt('yaml-documents', 'a line `...` ends the YAML; take it away', { place: source.place({ start: at, end: at + 3 }) })] };
  }
  const composer = new Composer({ uniqueKeys: false, logLevel: 'silent', version: '1.2' });
  const documents = [...composer.compose(tokens, true, span.end - span.start)];
  const document = documents[0];
  if (document === undefined) return { diagnostics: [] };
  const conversion = new Conversion(source, span.start, document);
  for (const error of document.errors.slice(0, MAX_ERRORS)) {
    conversion.report('yaml-syntax', firstLine(error.message), { start: error.pos[0], end: error.pos[1] });
  }
  const second = documents[1];
  if (second !== undefined) conversion.report('yaml-documents', 'there is more than one YAML document', { start: second.range[0], end: second.range[0] + 3 });
  if (conversion.diagnostics.length > 0 || document.contents === null) return { diagnostics: conversion.diagnostics };
  const root = conversion.node(document.contents);
  for (const warning of document.warnings.slice(0, MAX_ERRORS)) conversion.warn(firstLine(warning.message), { start: warning.pos[0], end: warning.pos[1] });
  return root === undefined || conversion.failed ? { diagnostics: conversion.diagnostics } : { root, diagnostics: conversion.diagnostics };
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function isTooDeep(tokens: readonly CST.Token[]): boolean {
  const open: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) return true;
    if (token.type === 'document' && token.value !== undefined) open.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const item of token.items) {
      if (item.key !== undefined && item.key !== null) open.push({ token: item.key, depth: depth + 1 });
      if (item.value !== undefined) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return false;
}

type Range = readonly [number, number, number] | null | undefined;

/** Turns the nodes of one document into ours, expanding aliases within the bound. */
class Conversion {
  readonly diagnostics: Diagnostic[] = [];
  failed = false;
  #aliases = 0;
  readonly #source: Source;
  readonly #offset: number;
  readonly #document: Document.Parsed;

  constructor(source: Source, offset: number, document: Document.Parsed) {
    this.#source = source;
    this.#offset = offset;
    this.#document = document;
  }

  report(code: string, message: string, relative: Span): void {
    this.failed = true;
    this.diagnostics.push(errorAt(code, message, { place: this.#source.place(this.#shift(relative)) }));
  }

  warn(message: string, relative: Span): void {
    this.diagnostics.push(warningAt('yaml-syntax', message, { place: this.#source.place(this.#shift(relative)) }));
  }

  node(node: ParsedNode): YamlNode | undefined {
    if (isAlias(node)) return this.#alias(node);
    const span = this.#span(node.range);
    if (isSeq<ParsedNode>(node)) {
      const items = node.items.map((item) => this.node(item)).filter((item) => item !== undefined);
      return { kind: 'list', items, ...span };
    }
    if (isMap<ParsedNode, ParsedNode | null>(node)) return this.#map(node, span);
    const value = scalarValue(node.value);
    return { kind: 'scalar', value, text: typeof value === 'string' ? value : (node.source ?? ''), ...span };
  }

  #alias(node: Alias): YamlNode | undefined {
    const span = { start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 0 };
    if (this.failed) return undefined;
    // Counting every expansion, nested ones too, also ends an alias that contains itself.
    if (++this.#aliases > BOUNDS.yamlAliases) {
      this.report('yaml-aliases', `more than ${BOUNDS.yamlAliases} aliases would be expanded`, span);
      return undefined;
    }
    const target = node.resolve(this.#document);
    if (target === undefined) {
      this.report('yaml-syntax', `there is no anchor \`${node.source}\``, span);
      return undefined;
    }
    const value = this.node(target as ParsedNode);
    // Its place is where it is used: a rewrite must not touch what the anchor is on.
    return value === undefined ? undefined : { ...value, ...this.#shift(span) };
  }

  #map(map: YAMLMap<ParsedNode, ParsedNode | null>, span: Span): YamlMap {
    const entries: YamlEntry[] = [];
    const seen = new Map<string, Span>();
    for (const pair of map.items) {
      const keySpan = this.#span(pair.key.range);
      if (!isScalar(pair.key) || pair.key.value === null || pair.key.value === '__proto__') {
        this.failed = true;
        this.diagnostics.push(errorAt('yaml-key', 'a key must be a plain word', { place: this.#source.place(keySpan) }));
        continue;
      }
      const key = typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? '');
      const first = seen.get(key);
      if (first !== undefined) this.#duplicate(key, first, keySpan);
      seen.set(key, first ?? keySpan);
      const nothing: YamlScalar = { kind: 'scalar', value: null, text: '', start: keySpan.end, end: keySpan.end };
      const value = pair.value === null ? nothing : this.node(pair.value);
      if (value !== undefined) entries.push({ key, keySpan, value });
    }
    return { kind: 'map', entries, ...span };
  }

  #duplicate(key: string, first: Span, second: Span): void {
    this.failed = true;
    const related = [{ message: 'the first one is here', place: this.#source.place(first) }];
    this.diagnostics.push(errorAt('duplicate-key', `the key \`${key}\` is there twice`, { place: this.#source.place(second), related }));
  }

  #span(range: Range): Span {
    return this.#shift({ start: range?.[0] ?? 0, end: range?.[1] ?? 0 });
  }

  #shift(span: Span): Span {
    return { start: this.#offset + span.start, end: this.#offset + Math.max(span.end, span.start) };
  }
}

function scalarValue(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** The value without places, as `JSON.parse` would give it. */
export function plainValue(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainValue);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, plainValue(entry.value)]));
}

/** The node at a path of keys and indices, or the deepest one on the way to it. */
export function nodeAt(root: YamlNode, path: readonly PropertyKey[]): YamlNode {
  let node = root;
  for (const step of path) {
    const next = node.kind === 'map' ? entryOf(node, String(step))?.value : node.kind === 'list' ? node.items[Number(step)] : undefined;
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** The entry of a mapping with that key. */
export function entryOf(map: YamlMap, key: string): YamlEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}
