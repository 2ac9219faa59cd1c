// What zod found wrong with `.choo.yaml`, in choo's words and at its place. Decides nothing.

import type { core } from 'zod';
import { cleanLine } from '../core/clean.ts';
import { ConfigFile } from './config-schema.ts';
import { errorAt } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import { kindOf } from './fields.ts';
import type { Source, Span } from './source.ts';
import { didYouMean } from './suggest.ts';
import { entryOf, nodeAt } from './yaml.ts';
import type { YamlNode } from './yaml.ts';

/** Unknown keys told of one mapping. */
const UNKNOWN_TOLD = 20;
/** Issues told of a file. */
const ISSUES_TOLD = 500;

interface File {
  readonly source: Source;
  readonly root: YamlNode;
}

type Issue = core.$ZodIssue;

/** One diagnostic for each issue, and for each unknown key; of very many the first. */
export function explainIssues(issues: readonly Issue[], file: File): Diagnostic[] {
  return issues.slice(0, ISSUES_TOLD).flatMap((issue) => explain(issue, file));
}

function explain(issue: Issue, file: File): Diagnostic[] {
  const meant = issue.code === 'invalid_union' ? meantBranch(issue) : undefined;
  if (meant !== undefined) return meant.flatMap((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] }, file));
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, UNKNOWN_TOLD).map((name) => unknownKey(name, { path: issue.path, file }));
  const node = nodeAt(file.root, issue.path);
  const name = dotted(issue.path);
  const what = name === '' ? 'the file' : `\`${name}\``;
  const missing = issue.code === 'invalid_type' && isMissing(file.root, issue.path);
  const { text, hint } = missing ? { text: 'is missing', hint: undefined } : expectation(issue, node);
  const code = missing ? 'missing-key' : issue.code === 'invalid_type' || issue.code === 'invalid_union' ? 'wrong-type' : 'bad-value';
  return [errorAt(code, `${what} ${text}`, { place: file.source.place(node), hint })];
}

/** Of the forms that a value may have, the one it nearly has: whose own type fits, but not something inside. */
function meantBranch(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] | undefined {
  return issue.errors.find((branch) => branch.length > 0 && branch.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'));
}

function unknownKey(name: string, o: { readonly path: readonly PropertyKey[]; readonly file: File }): Diagnostic {
  const owner = nodeAt(o.file.root, o.path);
  const span: Span = (owner.kind === 'map' ? entryOf(owner, name)?.keySpan : undefined) ?? owner;
  const parent = dotted(o.path);
  return errorAt('unknown-key', `there is no key \`${cleanLine(parent === '' ? name : `${parent}.${name}`)}\``, {
    place: o.file.source.place(span),
    hint: didYouMean(name, keysAt(o.path)),
  });
}

function isMissing(root: YamlNode, path: readonly PropertyKey[]): boolean {
  const parent = nodeAt(root, path.slice(0, -1));
  return parent.kind === 'map' && entryOf(parent, String(path[path.length - 1])) === undefined;
}

function expectation(issue: Issue, node: YamlNode): { readonly text: string; readonly hint: string | undefined } {
  const not = `not ${kindOf(node)}`;
  switch (issue.code) {
    case 'invalid_value': {
      const values = issue.values.map(String);
      const near = node.kind === 'scalar' ? didYouMean(node.text, values) : undefined;
      return { text: `must be one of ${values.join(', ')}, ${not}`, hint: near };
    }
    case 'invalid_format': return { text: `must be ${formatOf(issue.pattern)}, ${not}`, hint: undefined };
    case 'too_small': return issue.origin === 'string' || issue.origin === 'array'
      ? { text: 'must not be empty', hint: undefined }
      : { text: `must be at least ${issue.minimum}, ${not}`, hint: undefined };
    case 'too_big': return { text: `must be at most ${issue.maximum}, ${not}`, hint: undefined };
    case 'invalid_union': return isDuration(issue)
      ? { text: `must be a duration like 90s or 1h30m, ${not}`, hint: undefined }
      : { text: `must be a text or a mapping of keys, ${not}`, hint: quoting(node) };
    case 'invalid_type': return { text: `must be ${typeOf(issue)}, ${not}`, hint: issue.expected === 'string' ? quoting(node) : undefined };
    default: return { text: `is wrong: ${issue.message}`, hint: undefined };
  }
}

function formatOf(pattern: string | undefined): string {
  if (pattern?.includes('KiB') === true) return 'a size like 10MiB';
  return pattern?.includes('tokens') === true ? 'an amount like "20 USD", "$0.50" or "300k tokens"' : 'a duration like 90s or 1h30m';
}

const TYPES: Readonly<Record<string, string>> = { string: 'a text', object: 'a mapping of keys', record: 'a mapping of keys', array: 'a list', int: 'a whole number' };

function typeOf(issue: Extract<Issue, { code: 'invalid_type' }>): string {
  // A text where a whole number is meant is told of as if any number would do.
  if (issue.expected === 'number') return definition(typeAt(issue.path)).format === undefined ? 'a number' : 'a whole number';
  return TYPES[issue.expected] ?? issue.expected;
}

function isDuration(issue: Extract<Issue, { code: 'invalid_union' }>): boolean {
  return issue.errors.flat().some((branch) => branch.code === 'invalid_value');
}

function quoting(node: YamlNode): string | undefined {
  const plain = node.kind === 'scalar' && (typeof node.value === 'number' || typeof node.value === 'boolean');
  return plain && /^[\w.+-]+$/.test(node.text) ? `quote it: "${node.text}"` : undefined;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`), '');
}

/** Keys that the schema knows at a path. */
function keysAt(path: readonly PropertyKey[]): string[] {
  return Object.keys(shapeOf(typeAt(path)) ?? {});
}

/** The schema's own part for a path. */
function typeAt(path: readonly PropertyKey[]): unknown {
  let type: unknown = ConfigFile;
  for (const step of path) {
    const fields = shapeOf(type);
    type = fields === undefined ? elementOf(type) : fields[String(step)];
  }
  return type;
}

interface Definition {
  readonly innerType?: unknown;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  /** Of the values of a map whose keys are free. */
  readonly valueType?: unknown;
  /** Of a number: that it is whole. */
  readonly format?: unknown;
  readonly options?: readonly unknown[];
}

function definition(type: unknown): Definition {
  const found = typeof type === 'object' && type !== null && 'def' in type ? type.def as Definition : {};
  return found.innerType === undefined ? found : definition(found.innerType);
}

function shapeOf(type: unknown): Readonly<Record<string, unknown>> | undefined {
  const { shape, options } = definition(type);
  return shape ?? options?.map(shapeOf).find((found) => found !== undefined);
}

function elementOf(type: unknown): unknown {
  const { element, valueType } = definition(type);
  return element ?? valueType;
}
