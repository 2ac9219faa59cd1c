// Thousands of odd files, the same in every run: nothing throws, and setting a status changes nothing else.

import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/discovery/config.ts';
import { renderDiagnostic } from '../../../src/discovery/diagnostic.ts';
import { readFrontMatter, setStatus } from '../../../src/discovery/frontmatter.ts';
import { Source } from '../../../src/discovery/source.ts';
import { plainValue } from '../../../src/discovery/yaml.ts';
import { found } from './rig.ts';

const PIECES = [
  '---', '\n', '\n', '\n', '\r\n', ' ', '  ', '\t', 'task', 'status', 'backpressure', 'depends_on', 'limits', 'provider', ':', ': ', ': ', '1', '2', 'pending', 'complete', '"pending"', "'x'",
  '[', ']', '{', '}', ', ', '- ', '? ', '# c', '|', '>-', '&a ', '*a', '!!str ', '!t ', '~', 'null', '"', "'", '\uFEFF', '\u2028', '😀', '\uD800', '\\', '%', '@', '`', '```', 'sh', '## Baseline Checks', 'Design spec: ', '<<', '...',
];

/** Numbers from 0 to below `limit` that look random and are the same in every run. */
function dice(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function odd(roll: (limit: number) => number): string {
  return Array.from({ length: 1 + roll(30) }, () => PIECES[roll(PIECES.length)] ?? '').join('');
}

/** Front matter of lines that are mostly valid, with or without a status, in some order. */
function oddKeys(roll: (limit: number) => number): string {
  const lines = ['task: 1', 'backpressure: "a # b"', 'list:\n  - x\n  -  y', 'text: |\n  a\n\n  b', 'kept: |+\n  a\n\n', 'folded: >-\n  a\n  b', 'two: a\n  b', '# comment', '', '"q": \'it\'\'s\'', 'map: { a: 1,  b: [2,3] }', 'empty:', 'anchor: &n {x: 1}'];
  const status = ['status: pending', 'status:   "failed"  # c', "'status': 'pending'", 'status:', 'status: # c', 'status: |-\n  pending', 'status: >\n  pending\n', 'status: !!str pending', 'status: in\n  progress', '? status\n: pending'];
  const chosen = lines.filter(() => roll(2) === 0);
  if (roll(4) > 0) chosen.splice(roll(chosen.length + 1), 0, status[roll(status.length)] ?? '');
  const lineBreak = roll(2) === 0 ? '\n' : '\r\n';
  return `${roll(2) === 0 ? '\uFEFF' : ''}---\n${chosen.map((line) => `${line}\n`).join('')}---${roll(3) === 0 ? '' : '\n# T\n\nstatus: pending\n'}`.replaceAll('\n', lineBreak);
}

function valuesBesideStatus(text: string): unknown {
  const { map, body } = readFrontMatter(new Source('a.md', text));
  const values = map === undefined ? {} : plainValue(map) as Record<string, unknown>;
  return { ...values, status: undefined, body: text.slice(body) };
}

test('whatever a file holds, it is read or told, and what is told can be printed', () => {
  const roll = dice(1);
  for (let i = 0; i < 3000; i++) {
    const text = (roll(2) === 0 ? '---\n' : '') + odd(roll) + (roll(2) === 0 ? '\n---\n' : '') + odd(roll);
    const { diagnostics } = found({ 'u/IMPLEMENTATION_PLAN.md': text, 'u/01-a.md': text });
    for (const d of [...diagnostics, ...parseConfig(text).diagnostics]) expect(renderDiagnostic(d, { color: false })).toContain(d.code);
  }
});

test('setting a status keeps all other values and the text below', () => {
  const roll = dice(2);
  for (let i = 0; i < 3000; i++) {
    const text = oddKeys(roll);
    const after = setStatus(text, 'complete');
    expect([text, valuesBesideStatus(after)]).toEqual([text, valuesBesideStatus(text)]);
    expect(setStatus(after, 'complete')).toBe(after);
  }
});

test('setting a status in whatever reads without error neither fails nor touches the text below', () => {
  const roll = dice(3);
  let valid = 0;
  for (let i = 0; i < 4000; i++) {
    const text = `---\n${odd(roll)}\n---\n${odd(roll)}`;
    const front = readFrontMatter(new Source('a.md', text));
    if (front.diagnostics.length > 0) continue;
    valid++;
    expect(setStatus(text, 'complete').endsWith(text.slice(front.body))).toBe(true);
  }
  expect(valid).toBeGreaterThan(50);
});
