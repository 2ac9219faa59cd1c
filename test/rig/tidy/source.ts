// A parsed source file and the few ways the tidy rules look at it: nodes, comments, lines. Knows no rule.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'rolldown/utils';

/** A node of the syntax tree (ESTree with TypeScript's nodes); offsets in UTF-16 code units. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A comment; `text` is without its marks. */
export interface Comment {
  readonly type: 'Line' | 'Block';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** One source file. `path` is seen from the repository's top, `/`-separated. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly comments: readonly Comment[];
}

/** A broken rule: where, what is wrong, what to do. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly what: string;
  readonly fix: string;
}

/** Parses one file's text; throws an Error naming the file when it does not parse. */
export function parseSource(path: string, text: string): Source {
  const lang = path.endsWith('.tsx') ? 'tsx' : path.endsWith('.ts') ? 'ts' : 'js';
  const parsed = parseSync(path, text, { lang, sourceType: 'module' });
  const [first] = parsed.errors;
  if (first !== undefined) throw new Error(`${path}: ${first.message}`);
  return {
    path,
    text,
    program: parsed.program as unknown as Node,
    comments: parsed.comments.map((c) => ({ type: c.type, text: c.value, start: c.start, end: c.end })),
  };
}

/** Reads every file under `folders` of the repository at `top` whose name ends in one of `endings`; in code-unit order. */
export function listFiles(top: string, o: { readonly folders: readonly string[]; readonly endings: readonly string[] }): readonly string[] {
  return o.folders
    .filter((folder) => existsSync(join(top, folder)))
    .flatMap((folder) => readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && o.endings.some((ending) => entry.name.endsWith(ending)))
      .map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1).replaceAll('\\', '/')))
    .filter((path) => !/(^|\/)(node_modules|fixtures|recorded)\//.test(path))
    .toSorted();
}

/** Text of a file of the repository at `top`. */
export function readText(top: string, path: string): string {
  return readFileSync(join(top, path), 'utf8');
}

/** Line number, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** A problem at a node or offset of a source. */
export function problemAt(source: Source, offset: number, say: { readonly what: string; readonly fix: string }): Problem {
  return { path: source.path, line: lineAt(source.text, offset), ...say };
}

/** Every node of the tree in order of the text, each with its ancestors, nearest first. */
export function* nodesOf(root: Node, ancestors: readonly Node[] = []): Generator<{ readonly node: Node; readonly ancestors: readonly Node[] }> {
  yield { node: root, ancestors };
  const within = [root, ...ancestors];
  for (const child of childrenOf(root)) yield* nodesOf(child, within);
}

/** The nodes directly under a node. */
function childrenOf(node: Node): readonly Node[] {
  return Object.values(node).flatMap((value) => (Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []));
}

/** The child under `key`, when it is a node. */
export function child(node: Node, key: string): Node | undefined {
  const value = node[key];
  return isNode(value) ? value : undefined;
}

/** The children under `key`, when it is a list. */
export function childList(node: Node, key: string): readonly Node[] {
  const value = node[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The value of a string literal, else undefined. */
export function stringOf(node: Node | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined;
}

/** The name of an identifier, else undefined. */
export function nameOf(node: Node | undefined): string | undefined {
  return node?.type === 'Identifier' && typeof node['name'] === 'string' ? node['name'] : undefined;
}

/** `a.b.c` for a chain of names (calls in it are skipped), or undefined for anything else. */
export function dotted(node: Node | undefined): string | undefined {
  if (node?.type === 'CallExpression') return dotted(child(node, 'callee'));
  if (node?.type !== 'MemberExpression') return nameOf(node);
  const object = dotted(child(node, 'object'));
  const property = nameOf(child(node, 'property'));
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

/** Everything this file names as a module: imports, re-exports, `import()` of a literal. Types too. */
export function importsOf(source: Source): readonly { readonly from: string; readonly at: number }[] {
  return [...nodesOf(source.program)].flatMap(({ node }) => {
    if (!/^(Import|Export(Named|All)Declaration|TSImportType)/.test(node.type)) return [];
    const from = stringOf(child(node, 'source'));
    return from === undefined ? [] : [{ from, at: node.start }];
  });
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}
