// Events for programs, against their published schema.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { INTERNAL } from '../../../src/core/event.ts';
import { jsonLine } from '../../../src/show/json.ts';
import { Game, failing, unit } from '../core/rig.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../schema/events.schema.json'), 'utf8')) as { readonly properties: { readonly type: { readonly enum: readonly string[] } } };
const validate = new Ajv2020({ allErrors: true, strict: false, formats: { 'date-time': true } }).compile(schema);

test('a whole run with a failure and a blocked unit is valid line by line, internal events left out', () => {
  const game = new Game([unit('a', { tasks: 2 }), unit('b'), unit('c', { dependsOn: ['b'] })]).play(failing('b'));
  const lines = game.events.map(jsonLine);
  expect(lines.map((line) => line === undefined)).toEqual(game.events.map((e) => INTERNAL.has(e.type)));
  for (const line of lines.filter((l) => l !== undefined)) {
    expect(line.endsWith('\n') && line.indexOf('\n') === line.length - 1).toBe(true);
    validate(JSON.parse(line));
    expect({ line, errors: validate.errors ?? [] }).toEqual({ line, errors: [] });
  }
});

test('the schema names exactly the public events of the documentation', () => {
  const listed = [...readFileSync(join(import.meta.dirname, '../../../docs/events.md'), 'utf8').matchAll(/^\| `([a-z-]+\.[a-z.-]+)` \|/gm)].map((m) => m[1] ?? '');
  expect(schema.properties.type.enum.toSorted()).toEqual(listed.filter((name) => !INTERNAL.has(name as never)).toSorted());
});
