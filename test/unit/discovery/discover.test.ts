// All units together: names, dependencies, circles, archive, selection, and the plan that comes of them.

import { describe, expect, test } from 'vitest';
import { discover, selectUnits } from '../../../src/discovery/discover.ts';
import { hasErrors } from '../../../src/discovery/diagnostic.ts';
import { linkUnits } from '../../../src/discovery/link.ts';
import { unitIdProblem } from '../../../src/discovery/names.ts';
import { Source } from '../../../src/discovery/source.ts';
import type { UnitDraft } from '../../../src/discovery/unit.ts';
import { codes, found, plan, printed, task } from './rig.ts';

/** Files of units, each with one task, from their dependencies. */
function units(deps: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(deps).flatMap(([id, list]) => [
    [`${id}/IMPLEMENTATION_PLAN.md`, plan(`depends_on: [${list}]`)],
    [`${id}/01-a.md`, task(1)],
  ]));
}

describe('the plan', () => {
  test('is in code-unit order, whatever the order of the files', () => {
    const files = units({ b: 'a', a: '', B: '', é: 'b', _x: '' });
    const forwards = found(Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith('B/'))));
    const backwards = found(Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith('B/')).toReversed()));
    expect(forwards.plan?.units.map((unit) => unit.id)).toEqual(['_x', 'a', 'b', 'é']);
    expect(backwards).toEqual(forwards);
  });

  test('leaves out complete units, and dependencies on them', () => {
    const files = { ...units({ a: '', b: 'a', c: 'a, b' }), 'a/01-a.md': task(1, 'status: complete\n') };
    const { plan: linked, all } = found(files);
    expect(linked?.complete).toEqual(['a']);
    expect(linked?.units.map((unit) => [unit.id, unit.dependsOn])).toEqual([['b', []], ['c', ['b']]]);
    expect(all.map((unit) => [unit.id, unit.dependsOn])).toEqual([['a', []], ['b', ['a']], ['c', ['a', 'b']]]);
  });

  test('of nothing is empty', () => {
    expect(found({})).toEqual({ plan: { units: [], complete: [] }, all: [], diagnostics: [] });
  });

  test('is not given when there is an error, and what could be read is', () => {
    const linked = found(units({ a: 'nope', b: '' }));
    expect(linked.plan).toBeUndefined();
    expect(linked.all.map((unit) => unit.id)).toEqual(['a', 'b']);
  });

  test.each(['specs/tasks', './specs/tasks/', 'specs//tasks'])('does not depend on how the folder is written: %s', (tasksDir) => {
    const files = Object.entries(units({ a: '' })).map(([path, text]) => ({ path: `specs/tasks/${path}`, text }));
    expect(discover({ tasksDir, files, knownPaths: new Set() }).plan?.units[0]?.dir).toBe('specs/tasks/a');
  });

  test('of a folder at the top of the repository', () => {
    const files = Object.entries(units({ a: '' })).map(([path, text]) => ({ path, text }));
    expect(discover({ tasksDir: '.', files, knownPaths: new Set() }).plan?.units[0]?.planPath).toBe('a/IMPLEMENTATION_PLAN.md');
  });
});

describe('dependencies', () => {
  test('unknown ones are told with the nearest name', () => {
    expect(printed(found(units({ core: '', web: 'corre, database' })).diagnostics)).toBe([
      'specs/tasks/web/IMPLEMENTATION_PLAN.md:2:14: error: the unit `web` depends on `corre`, which does not exist [unknown-dependency]',
      '    depends_on: [corre, database]',
      '                 ~~~~~',
      '  hint: did you mean `core`?',
      'specs/tasks/web/IMPLEMENTATION_PLAN.md:2:21: error: the unit `web` depends on `database`, which does not exist [unknown-dependency]',
      '    depends_on: [corre, database]',
      '                        ~~~~~~~~',
    ].join('\n'));
  });

  test('on itself, and twice on the same', () => {
    expect(codes(found(units({ a: 'a', b: 'a, a' })).diagnostics)).toEqual(['error self-dependency', 'warning duplicate-dependency']);
  });

  test('on a unit whose files cannot be read are not unknown as well', () => {
    expect(codes(found({ ...units({ a: 'b' }), 'b/IMPLEMENTATION_PLAN.md': plan() }).diagnostics)).toEqual(['error missing-tasks']);
  });

  test('a circle is told whole, each edge with its place', () => {
    expect(printed(found(units({ a: 'b', b: 'x, c', c: 'a', x: '' })).diagnostics)).toBe([
      'specs/tasks/a/IMPLEMENTATION_PLAN.md:2:14: error: units depend on each other in a circle: a → b → c → a [unit-cycle]',
      '    depends_on: [b]',
      '                 ~',
      '  specs/tasks/b/IMPLEMENTATION_PLAN.md:2:17: `b` depends on `c`',
      '      depends_on: [x, c]',
      '                      ~',
      '  specs/tasks/c/IMPLEMENTATION_PLAN.md:2:14: `c` depends on `a`',
      '      depends_on: [a]',
      '                   ~',
      '  hint: take one of these dependencies away',
    ].join('\n'));
  });

  test('every circle is told, each once', () => {
    const { diagnostics } = found(units({ a: 'b', b: 'a', c: 'd, a', d: 'c', e: 'c' }));
    expect(diagnostics.map((d) => d.message)).toEqual(['units depend on each other in a circle: a → b → a', 'units depend on each other in a circle: c → d → c']);
  });

  test('between tasks: unknown, self, twice and a circle', () => {
    const { diagnostics } = found({ 'u/IMPLEMENTATION_PLAN.md': plan(), 'u/01-a.md': task(1, 'depends_on: [2, 1]\n'), 'u/02-b.md': task(2, 'depends_on: [1, 1, 7]\n') });
    expect(printed(diagnostics)).toBe([
      'specs/tasks/u/01-a.md:4:14: error: tasks of the unit `u` depend on each other in a circle: 1 → 2 → 1 [task-cycle]',
      '    depends_on: [2, 1]',
      '                 ~',
      '  specs/tasks/u/02-b.md:4:14: task 2 depends on task 1',
      '      depends_on: [1, 1, 7]',
      '                   ~',
      '  hint: take one of these dependencies away',
      'specs/tasks/u/01-a.md:4:17: error: task 1 depends on itself [self-dependency]',
      '    depends_on: [2, 1]',
      '                    ~',
      'specs/tasks/u/02-b.md:4:17: warning: task 1 is named twice [duplicate-dependency]',
      '    depends_on: [1, 1, 7]',
      '                    ~',
      'specs/tasks/u/02-b.md:4:20: error: the unit `u` has no task 7 [unknown-dependency]',
      '    depends_on: [1, 1, 7]',
      '                       ~',
      '  hint: it has tasks 1 to 2',
    ].join('\n'));
  });

  test('on an archived unit are satisfied when it is complete', () => {
    const archived = (status: string): Record<string, string> => ({
      '/specs/completed/tasks/old/IMPLEMENTATION_PLAN.md': plan(),
      '/specs/completed/tasks/old/01-a.md': task(1, `status: ${status}\n`),
    });
    const done = found({ ...units({ new: 'old' }), ...archived('complete') });
    expect(done.diagnostics).toEqual([]);
    expect(done.plan).toMatchObject({ complete: [], units: [{ id: 'new', dependsOn: [] }] });
    expect(printed(found({ ...units({ new: 'old' }), ...archived('pending') }).diagnostics)).toBe([
      'specs/tasks/new/IMPLEMENTATION_PLAN.md:2:14: error: the unit `old` is under specs/completed/tasks/ but is not complete [incomplete-dependency]',
      '    depends_on: [old]',
      '                 ~~~',
      '  hint: move it back, or set the status of its tasks',
    ].join('\n'));
  });

  test('an agent that is not there is told at its place', () => {
    const files = Object.entries({ ...units({ a: '' }), 'a/IMPLEMENTATION_PLAN.md': plan('provider: clod') }).map(([path, text]) => ({ path: `specs/tasks/${path}`, text }));
    const linked = discover({ tasksDir: 'specs/tasks', files, knownPaths: new Set(), providerProblem: (name) => `there is no agent \`${name}\`` });
    expect(printed(linked.diagnostics)).toBe('specs/tasks/a/IMPLEMENTATION_PLAN.md:2:11: error: there is no agent `clod` [unknown-provider]\n    provider: clod\n              ~~~~');
  });
});

describe('names', () => {
  test.each(['a', 'unit-1', 'Unit_2', 'été', '單位', 'a.b', 'x'.repeat(100), 'console', 'command', 'constructor', '@x'])('%s can be a unit', (id) => {
    expect(unitIdProblem(id)).toBeUndefined();
  });

  test.each([
    '.hidden', 'a.', 'a.lock', 'a..b', 'a@{b', 'a b', 'a\tb', 'a\u0000b', 'a\u202Eb', 'a~', 'a^', 'a:', 'a?', 'a*', 'a[', 'a\\b', '-a', '<a>', 'a"b', 'a|b',
    'con', 'NUL', 'com1', 'LPT9.txt', 'aux.x', '__proto__', 'x'.repeat(101), 'é'.repeat(51), '\uD800',
  ])('%j cannot', (id) => {
    expect(unitIdProblem(id)).toBeDefined();
  });

  test('a bad one is told with its folder', () => {
    expect(printed(found(units({ 'a~b': '' })).diagnostics)).toBe('specs/tasks/a~b: error: the name of the unit `a~b` contains `~`, which git refuses in a branch name [unit-name]\n  hint: rename the folder');
  });

  test.each([['web', 'Web'], ['é', 'e\u0301'], ['straße', 'STRASSE']])('%s and %s are one folder on some file systems', (one, two) => {
    expect(codes(found(units({ [one]: '', [two]: '' })).diagnostics)).toEqual(['error unit-case']);
  });
});

describe('selecting units', () => {
  const linked = found({ ...units({ a: '', b: 'a', c: 'b', d: '', e: 'd' }), 'd/01-a.md': task(1, 'status: complete\n') }).plan ?? { units: [], complete: [] };
  const ids = (...names: string[]): string[] => selectUnits(linked, names).plan.units.map((unit) => unit.id);

  test('takes what they depend on', () => {
    expect(ids('b')).toEqual(['a', 'b']);
    expect(ids('e', 'a', 'a')).toEqual(['a', 'e']);
    expect(ids()).toEqual(['a', 'b', 'c', 'e']);
  });

  test('complete ones add nothing, unknown ones are told', () => {
    expect(ids('d')).toEqual([]);
    expect(selectUnits(linked, ['d']).diagnostics).toEqual([]);
    expect(printed(selectUnits(found(units({ core: '' })).plan ?? linked, ['coer']).diagnostics)).toBe('error: there is no unit `coer` [unknown-unit]\n  hint: did you mean `core`?');
  });
});

describe('a graph of 100,000 units', () => {
  const size = 100_000;
  const source = new Source('specs/tasks/x/IMPLEMENTATION_PLAN.md', 'depends_on: []\n');
  const id = (i: number): string => `unit-${String(i).padStart(6, '0')}`;
  const draft = (i: number, deps: readonly number[]): UnitDraft => ({
    id: id(i), dir: `specs/tasks/${id(i)}`, plan: source, checks: [], touches: [], complete: false,
    dependsOn: deps.map((dep) => ({ value: id(dep), start: 0, end: 10 })),
    tasks: [{ source, dependsOn: [], task: { number: 1, title: 't', path: 'p', check: 'x', dependsOn: [], complete: false } }],
  });
  const context = { archived: (): undefined => undefined };

  test('with 300,000 edges links', () => {
    const drafts = Array.from({ length: size }, (_, i) => draft(i, i === 0 ? [] : [...new Set([i - 1, i >> 1, i % 977].filter((dep) => dep < i))]));
    const linked = linkUnits(drafts, context);
    expect(linked.diagnostics).toEqual([]);
    expect(linked.plan?.units).toHaveLength(size);
  });

  test('in one circle is told, without running out of stack', () => {
    const { diagnostics } = linkUnits(Array.from({ length: size }, (_, i) => draft(i, [(i + 1) % size])), context);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]?.related).toHaveLength(size - 1);
    expect(diagnostics[0]?.message).toBe(`units depend on each other in a circle: ${Array.from({ length: 8 }, (_, i) => id(i)).join(' → ')} → … (100000 in all) → unit-000000`);
  });

  test('all of them depending on unknown names is told', () => {
    const { diagnostics } = linkUnits(Array.from({ length: size }, (_, i) => draft(i, [size + i])), context);
    expect(diagnostics).toHaveLength(size);
    expect(hasErrors(diagnostics)).toBe(true);
  });
});
