// The tools as they are published: docs/mcp.md lists exactly these, and their schemas are strict and closed.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WRITES } from '../../../src/mcp/permissions.ts';
import { TOOLS } from '../../../src/mcp/server.ts';

const top = new URL('../../../', import.meta.url);
const doc = readFileSync(new URL('docs/mcp.md', top), 'utf8');
const rows = [...doc.matchAll(/^\| `(choo_\w+)` \|.*\| (always|`[^`]+`) \|$/gm)].map(([, name, listed]) => [name, listed]);

describe('docs/mcp.md', () => {
  it('lists every tool, and what allows it', () => {
    const flag = (needs: string | undefined): string => (needs === undefined ? 'always' : needs === 'approve' ? '`--allow-approve`' : `\`--allow ${needs}\``);
    expect(rows).toEqual(TOOLS.map((t) => [t.name, flag(t.needs)]));
    expect(TOOLS.flatMap((t) => (t.needs === undefined || t.needs === 'approve' ? [] : [t.needs]))).toEqual(WRITES);
  });

  it('has configurations that are what they say', () => {
    const json = [...doc.matchAll(/```json\n([^]*?)```/g)].map((match) => JSON.parse(match[1] ?? '') as unknown);
    expect(json).toHaveLength(2);
    for (const one of json) expect(JSON.stringify(one)).toContain('"command":"choo","args":["mcp"');
  });
});

describe('a tool', () => {
  it.each(TOOLS.map((t) => [t.name, t] as const))('%s takes nothing it does not know, and says what it does to the world', (_, t) => {
    expect(t.input).toMatchObject({ type: 'object', additionalProperties: false });
    expect(t.hints.readOnlyHint).toBe(t.needs === undefined);
    expect(t.description.length).toBeLessThan(600);
    const output: unknown = typeof t.output === 'string' ? JSON.parse(readFileSync(new URL(`schema/${t.output}.schema.json`, top), 'utf8')) : t.output;
    expect(output).toMatchObject({ type: 'object' });
  });
});
