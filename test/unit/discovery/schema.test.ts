// The published JSON Schema, the documentation and the code say the same about `.choo.yaml` and the diagnostics.

import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { parseConfig } from '../../../src/discovery/config.ts';
import { jsonSchema, NOT_IN_EFFECT } from '../../../src/discovery/config-schema.ts';
import { AGENT_NAMES } from '../../../src/discovery/providers.ts';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  /** Of the values of a map whose keys are free. */
  readonly additionalProperties?: Node | boolean;
  readonly description?: string;
  readonly default?: unknown;
}

/** Keys without keys of their own, as dotted paths; `<model>` stands for a key that is free. */
function leaves(node: Node, path = ''): [string, Node][] {
  const values = typeof node.additionalProperties === 'object' ? node.additionalProperties : {};
  if (values.properties !== undefined) return leaves(values, `${path}.<model>`);
  if (node.properties === undefined) return [[path, node]];
  return Object.entries(node.properties).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

describe('the schema', () => {
  const schema = jsonSchema();
  const ajv = new Ajv2020({ strict: false });
  const validate = ajv.compile(schema);

  test('in the repository is the one of the code; `node scripts/schema.mjs` writes it', () => {
    expect(JSON.parse(read('schema/choo.schema.json'))).toEqual(schema);
  });

  test('describes every key', () => {
    for (const [path, node] of leaves(schema)) expect(`${path}: ${node.description ?? ''}`).toMatch(/.: .+\.$/);
  });

  test('accepts the examples of the documentation, and so does the code', () => {
    const examples = [...read('docs/configuration.md').matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '');
    expect(examples).toHaveLength(5);
    for (const example of examples) {
      validate(parse(example));
      expect(validate.errors).toBeNull();
      expect(parseConfig(example).diagnostics).toEqual([]);
    }
  });

  test.each(['paralelism: 1', 'limits: {check: 5}', 'worktree: {setup: [{if: x}]}', 'log_level: loud', 'agents: {claude: {modell: x}}', 'agents: {nobody: {}}', 'agents: {codex: {prices: {m: {input: 1}}}}', 'agents: {acp: {attempts: []}}', 'budget: {attempt: 3}', 'budget: {attempt: 3 EUR}'])('refuses %j, as the code does', (text) => {
    expect(validate(parse(text))).toBe(false);
    expect(parseConfig(text).diagnostics).not.toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  const written = [...read('docs/configuration.md').matchAll(/^\| `([a-z_.<>]+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map((row) => ({ key: row[1] ?? '', fallback: row[3]?.trim(), effect: row[4]?.trim() ?? '' }));
  // What is said of `<name>` is said of every agent.
  const rows = new Map(written.flatMap(({ key, ...row }) => (key.includes('<name>') ? AGENT_NAMES.map((name) => [key.replace('<name>', name), row] as const) : [[key, row] as const])));
  const keys = new Map(leaves(jsonSchema()));

  test('lists every key and no other', () => {
    expect([...rows.keys()].toSorted()).toEqual([...keys.keys()].toSorted());
    expect(new Set(written.map(({ key }) => key)).size, 'a key twice').toBe(written.length);
  });

  test('names every agent', () => {
    expect(read('docs/configuration.md')).toContain(`\`<name>\` is the name of an agent: ${AGENT_NAMES.slice(0, -1).map((name) => `\`${name}\``).join(', ')} or \`${AGENT_NAMES.at(-1) ?? ''}\`.`);
  });

  test('gives their defaults', () => {
    for (const [path, node] of keys) {
      if (node.default === undefined) continue;
      const written = typeof node.default === 'string' ? node.default : JSON.stringify(node.default);
      expect(`${path} ${rows.get(path)?.fallback ?? ''}`).toBe(`${path} \`${written}\``);
    }
  });

  test('says which keys have no effect', () => {
    const dead = [...keys.keys()].filter((path) => NOT_IN_EFFECT.some((key) => path === key || path.startsWith(`${key}.`)));
    expect([...rows].filter(([, { effect }]) => effect === 'Not in effect in this version.').map(([path]) => path)).toEqual(dead);
  });

  test('the defaults of the limits are those that hold', () => {
    const defaults = [...keys].filter(([path]) => path.startsWith('limits.')).map(([path, node]) => `  ${path.slice('limits.'.length)}: ${String(node.default)}`);
    expect(parseConfig(`limits:\n${defaults.join('\n')}`).config.limits).toEqual(DEFAULT_LIMITS);
  });
});

test('docs/spec-format.md lists the codes of the diagnostics of specs', () => {
  const folder = new URL('../../../src/discovery/', import.meta.url);
  const files = ['yaml.ts', 'fields.ts', 'frontmatter.ts', 'unit.ts', 'link.ts', 'discover.ts'];
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(files));
  const text = files.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
  const used = new Set([...text.matchAll(/(?:errorAt|warningAt|cycleError|refuse|report|#error|#warn|\.error|\.warn)\(\s*'([a-z0-9-]+)'/g)].map((match) => match[1] ?? ''));
  used.delete('unknown-unit');
  for (const problem of ['too-large', 'not-utf8', 'not-a-file']) used.add(`file-${problem}`);
  const table = read('docs/spec-format.md').split('| code | what |')[1] ?? '';
  const listed = [...table.matchAll(/^\| (`[^|]*) \|/gm)].flatMap((row) => [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((code) => code[1] ?? ''));
  expect(new Set(listed)).toEqual(used);
});
