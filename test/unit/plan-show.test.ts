// The plan as text, JSON, Mermaid and DOT, to the character; and the plan document this project grew from.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../src/core/graph.ts';
import type { Unit } from '../../src/core/plan.ts';
import { discover } from '../../src/discovery/discover.ts';
import type { Linked } from '../../src/discovery/link.ts';
import { PLAN_FORMATS, renderPlan } from '../../src/show/plan.ts';
import type { PlanView } from '../../src/show/plan.ts';

function unit(id: string, dependsOn: readonly string[], more: Partial<Unit> & { readonly done?: number; readonly todo?: number } = {}): Unit {
  const { done = 0, todo = 1, ...rest } = more;
  const tasks = Array.from({ length: done + todo }, (_, i) => ({ number: i + 1, title: `Task ${i + 1}`, path: `${id}/0${i + 1}-x.md`, check: 'x', dependsOn: [], complete: i < done }));
  return { id, dir: id, planPath: `${id}/IMPLEMENTATION_PLAN.md`, dependsOn, tasks, checks: [], touches: [], ...rest };
}

function view(units: readonly Unit[], more: Partial<PlanView> = {}): PlanView {
  return { graph: buildGraph(units), parallelism: 4, checks: [], complete: [], warnings: [], ...more };
}

const DIAMOND = [
  unit('web', ['core', 'api']),
  unit('api', ['core'], { done: 1, provider: 'script' }),
  unit('core', [], { todo: 3 }),
  unit('Docs', [], { checks: [{ name: 'links', command: 'set -e\nlychee docs\n', pattern: 'docs/**' }] }),
];

describe('as text', () => {
  test('has exactly the form of the original design, then critical path, checks and warnings', () => {
    const checks = [{ name: 'npm test', command: 'npm test' }];
    expect(renderPlan(view(DIAMOND, { checks, warnings: ['one', 'two\n  more'] }), 'text')).toBe(`Execution Plan
==============

Units to execute: 4
Max parallelism: 4
Execution levels: 3

Level 1 (parallel):
  - Docs (1 tasks)
  - core (3 tasks)

Level 2 (parallel):
  - api (2 tasks)

Level 3 (parallel):
  - web (1 tasks)

Topological order:
  1. Docs
  2. core
  3. api
  4. web

Critical path (5 tasks to do): core → api → web

Baseline checks:
  - npm test
  - Docs: links: set -e; lychee docs (when docs/** changed)

Warnings:
  - one
  - two
      more
`);
  });

  test('of nothing', () => {
    expect(renderPlan(view([]), 'text')).toBe('Execution Plan\n==============\n\nUnits to execute: 0\nMax parallelism: 4\nExecution levels: 0\n\nTopological order:\n');
  });

  test('prints no control character of a check or warning', () => {
    const evil = '\u001b[2J\u202E\u0007';
    const text = renderPlan(view(DIAMOND, { checks: [{ name: evil, command: evil, pattern: evil }], warnings: [evil] }), 'text');
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/u);
  });
});

describe('as JSON', () => {
  const validate = new Ajv2020().compile(JSON.parse(readFileSync(new URL('../../schema/plan.schema.json', import.meta.url), 'utf8')) as object);

  test('has a version and everything of the text', () => {
    const data: unknown = JSON.parse(renderPlan(view(DIAMOND, { complete: ['old'], warnings: ['w'], checks: [{ name: 'a', command: 'b' }] }), 'json'));
    validate(data);
    expect(validate.errors).toBeNull();
    expect(data).toMatchObject({
      version: 1,
      parallelism: 4,
      levels: [['Docs', 'core'], ['api'], ['web']],
      order: ['Docs', 'core', 'api', 'web'],
      criticalPath: { units: ['core', 'api', 'web'], tasks: 5 },
      complete: ['old'],
      warnings: ['w'],
      checks: [{ name: 'a', command: 'b' }, { unit: 'Docs', name: 'links', command: 'set -e\nlychee docs\n', pattern: 'docs/**' }],
    });
    expect((data as { units: unknown[] }).units[2]).toEqual({
      id: 'api', path: 'api/IMPLEMENTATION_PLAN.md', dependsOn: ['core'], level: 2, provider: 'script',
      tasks: [{ number: 1, title: 'Task 1', complete: true }, { number: 2, title: 'Task 2', complete: false }],
    });
  });

  test('of nothing', () => {
    expect(JSON.parse(renderPlan(view([]), 'json'))).toMatchObject({ version: 1, units: [], criticalPath: { units: [], tasks: 0 } });
  });
});

describe('for drawing', () => {
  const ODD = [unit("a'#;b", []), unit('b%20&x', ["a'#;b"], { todo: 2 })];

  test('as Mermaid', () => {
    expect(renderPlan(view(ODD), 'mermaid')).toBe(`graph LR
  u1["a#39;#35;#59;b<br/>1 task"]
  u2["b#37;20#38;x<br/>2 tasks"]
  u1 --> u2
  classDef critical stroke-width:3px
  class u1,u2 critical
`);
  });

  test('as DOT', () => {
    expect(renderPlan(view([...ODD, unit('c"\\', [])]), 'dot')).toBe(`digraph choo {
  rankdir=LR;
  node [shape=box];
  "a'#;b" [label="a'#;b (1 task)", penwidth=3];
  "b%20&x" [label="b%20&x (2 tasks)", penwidth=3];
  "c\\"\\\\" [label="c\\"\\\\ (1 task)"];
  "a'#;b" -> "b%20&x";
}
`);
  });
});

describe('overlaps', () => {
  const overlaps: NonNullable<PlanView['overlap']>['overlaps'] = [
    { units: ['api', 'core'], reason: { by: 'touches', globs: ['src/api/**', 'src/api/**'] } },
    { units: ['Docs', 'web'], reason: { by: 'history', paths: ['src/api.ts', 'src/\u001broutes.ts'], together: 7, of: 9 } },
  ];
  const shown = (form: (typeof PLAN_FORMATS)[number], more: Partial<NonNullable<PlanView['overlap']>> = {}): string => renderPlan(view(DIAMOND, { overlap: { mode: 'order', overlaps, ...more } }), form);

  test('as text, with what is done about them', () => {
    expect(shown('text', { incomplete: 'too many' })).toContain(`
Overlaps (others are begun first):
  - api and core both mean to change src/api/**
  - Docs and web: src/api.ts and src/\uFFFDroutes.ts changed together in 7 of the last 9 commits that touched either
  - there may be others: too many
`);
    expect(shown('text', { mode: 'wait' })).toContain('Overlaps (one waits until the other has landed):');
    expect(shown('text', { mode: 'ignore' })).toContain('Overlaps (taken as they come):');
    expect(shown('text', { overlaps: [] })).toBe(renderPlan(view(DIAMOND), 'text'));
    expect(shown('text', { overlaps: Array.from({ length: 30 }, () => overlaps).flat() })).toContain('  - and 40 more, see --format json\n');
  });

  test('as JSON', () => {
    const validate = new Ajv2020().compile(JSON.parse(readFileSync(new URL('../../schema/plan.schema.json', import.meta.url), 'utf8')) as object);
    const data = JSON.parse(shown('json', { incomplete: 'x' })) as { readonly overlap: unknown };
    validate(data);
    expect(validate.errors).toBeNull();
    expect(data.overlap).toEqual({
      mode: 'order', incomplete: 'x',
      pairs: [
        { units: ['api', 'core'], by: 'touches', globs: ['src/api/**', 'src/api/**'], text: 'both mean to change src/api/**' },
        { units: ['Docs', 'web'], by: 'history', paths: ['src/api.ts', 'src/\u001broutes.ts'], together: 7, of: 9, text: 'src/api.ts and src/\u001broutes.ts changed together in 7 of the last 9 commits that touched either' },
      ],
    });
  });

  test('as dotted lines that do not move the graph, and not too many', () => {
    expect(shown('mermaid')).toContain('  u3 -.- u2\n  u1 -.- u4\n');
    expect(shown('dot')).toContain('  "api" -> "core" [dir=none, style=dashed, constraint=false];\n');
    const many = { overlaps: Array.from({ length: 60 }, () => overlaps).flat() };
    expect(shown('mermaid', many)).toContain('  %% 20 overlaps more\n');
    expect(shown('dot', many)).toContain('  // 20 overlaps more\n}');
  });
});

test('twice the same plan gives twice the same output, whatever the order of the units', () => {
  for (const format of PLAN_FORMATS) {
    expect(renderPlan(view(DIAMOND.toReversed()), format)).toBe(renderPlan(view(DIAMOND), format));
  }
});

describe('the plan document this project grew from', () => {
  const top = fileURLToPath(new URL('../fixtures/specs/orchestrator/', import.meta.url));
  const paths = readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`.slice(top.length).replace(/^\//, ''));
  const files = paths.filter((path) => path.endsWith('.md')).map((path) => ({ path, text: readFileSync(`${top}/${path}`, 'utf8') }));
  const linked: Linked = discover({ tasksDir: 'specs/tasks', files, knownPaths: new Set(paths) });

  test('is read without a word', () => {
    expect(linked.diagnostics).toEqual([]);
    expect(linked.plan?.units.map((u) => [u.id, u.dependsOn, u.tasks.length])).toEqual([['orchestrator', ['scheduler'], 6], ['scheduler', [], 1]]);
  });

  test('has its design spec and its pair of baseline checks', () => {
    const orchestrator = linked.plan?.units[0];
    expect(orchestrator?.specPath).toBe('specs/ORCHESTRATOR.md');
    expect(orchestrator?.checks).toEqual([{ name: 'baseline checks', command: 'set -e\nsh scripts/vet.sh\nsh scripts/test.sh' }]);
    expect(orchestrator?.tasks.map((t) => [t.number, t.title, t.dependsOn])).toEqual([
      [1, 'Types and constructor', []], [2, 'Run loop', [1]], [3, 'Events', [2]], [4, 'Graceful shutdown', [2]], [5, 'Dry run', [1]], [6, 'Command line', [3, 4, 5]],
    ]);
  });
});
