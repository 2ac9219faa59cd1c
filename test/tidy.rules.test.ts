// Shows each house rule on a small text that breaks it and one that does not, so that no rule can fall asleep unnoticed.

import { describe, expect, it } from 'vitest';
import { syntaxProblems, testProblems, timerProblems } from './rig/tidy/bans.ts';
import { docstringProblems, headProblems } from './rig/tidy/comments.ts';
import {
  commandProblems, eventListProblems, eventNames, interfaceKeys, keyListProblems, leakProblems, lengthProblems, linkProblems, lockfileProblems, scriptProblems, type CommandLike,
} from './rig/tidy/docs.ts';
import { cycleProblems, importProblems } from './rig/tidy/imports.ts';
import { codeLines, fileSizeProblems, functionSizeProblems, parameterProblems } from './rig/tidy/size.ts';
import { parseSource, type Problem, type Source } from './rig/tidy/source.ts';

type Rule = (source: Source) => readonly Problem[];
interface Example { readonly name: string; readonly rule: Rule; readonly path: string; readonly bad: string; readonly says: string; readonly good: string }

const long = (lines: number): string => 'work();\n'.repeat(lines);
const test = 'test/unit/a.test.ts';

const EXAMPLES: readonly Example[] = [
  { name: 'core imports only core', rule: importProblems, path: 'src/core/a.ts', bad: 'import { x } from "../world.ts";', says: '1: imports ../world.ts', good: 'import { x } from "./plan.ts";' },
  { name: 'core imports no Node', rule: importProblems, path: 'src/core/a.ts', bad: 'import fs from "node:fs";', says: 'imports node:fs', good: 'export const a = 1;' },
  { name: 'core imports no package, not even its types', rule: importProblems, path: 'src/core/a.ts', bad: 'export type { Z } from "zod";', says: 'imports zod', good: 'export type { Plan } from "./plan.ts";' },
  { name: 'discovery reads no files', rule: importProblems, path: 'src/discovery/a.ts', bad: 'import "node:fs";', says: 'imports node:fs', good: 'import { parse } from "yaml"; import type { Plan } from "../core/plan.ts";' },
  { name: 'show cannot steer', rule: importProblems, path: 'src/show/a.ts', bad: 'import { x } from "../orchestrator.ts";', says: 'observers only look', good: 'import { x } from "../core/view.ts"; import { y } from "./plain.ts";' },
  { name: 'adapters know no engine', rule: importProblems, path: 'src/adapters/a.ts', bad: 'import { x } from "../worker/perform.ts";', says: 'imports ../worker/perform.ts', good: 'import { spawn } from "node:child_process"; import "../world.ts";' },
  { name: 'a worker touches no process', rule: importProblems, path: 'src/worker/a.ts', bad: 'const cp = await import("node:child_process");', says: 'imports node:child_process', good: 'import { setStatus } from "../discovery/frontmatter.ts";' },
  { name: 'a worker knows no other part of discovery', rule: importProblems, path: 'src/worker/a.ts', bad: 'import { x } from "../discovery/config.ts";', says: 'imports ../discovery/config.ts', good: 'import { x } from "../agents/agent.ts";' },
  { name: 'the main flow sees only the World', rule: importProblems, path: 'src/orchestrator.ts', bad: 'import { x } from "./adapters/git.ts";', says: 'through the World', good: 'import type { World } from "./world.ts";' },
  { name: 'imports name the file', rule: importProblems, path: 'src/core/a.ts', bad: 'import { x } from "./plan.js";', says: 'its ending .ts', good: 'import { x } from "./plan.ts";' },
  { name: 'every file has a folder', rule: importProblems, path: 'src/helpers/a.ts', bad: 'work();', says: 'in no folder of the house', good: '' },
  { name: 'file size', rule: fileSizeProblems, path: 'src/core/a.ts', bad: long(401), says: ':401: has 401 lines', good: long(400) },
  { name: 'function size', rule: functionSizeProblems, path: 'src/core/a.ts', bad: `function f() {\n${long(69)}}`, says: 'a function of 71 lines', good: `function f() {\n${long(68)}}` },
  { name: 'a switch counts as its longest arm only when its arms only call', rule: functionSizeProblems, path: 'src/core/a.ts', bad: `function f(x) { switch (x) {\n${'case 1: if (x) { work(); }\nbreak;\n'.repeat(40)}} }`, says: 'a function of 82 lines', good: `function f(x) { switch (x) {\n${'case 1: {\nwork(x);\nreturn; }\n'.repeat(40)}} }` },
  { name: 'a suite is a list', rule: functionSizeProblems, path: test, bad: `it("x", () => {\n${long(80)}});`, says: 'a function of 82 lines', good: `describe.each([1])("x", () => {\n${long(80)}});` },
  { name: 'parameters', rule: parameterProblems, path: 'src/core/a.ts', bad: 'const f = (a, b, c, d) => a;', says: 'takes 4 positional parameters', good: 'function f(this: A, a: B, b: B, c: B) { return a; }' },
  { name: 'parameters of signatures', rule: parameterProblems, path: 'src/world.ts', bad: 'interface G { move(a: A, b: A, c: A, d: A): void }', says: 'options object', good: 'interface G { move(o: O): void }' },
  { name: 'timers in the source', rule: timerProblems, path: 'src/worker/a.ts', bad: 'setTimeout(f, 1);', says: 'World\'s clock', good: 'await clock.sleep(1);' },
  { name: 'timers in tests', rule: timerProblems, path: test, bad: '\nawait new Promise((r) => setTimeout(r, 5));', says: ':2: setTimeout; wait for the event', good: 'await agent.next("started");' },
  { name: 'timers by import', rule: timerProblems, path: 'src/adapters/git.ts', bad: 'import { x } from "node:timers/promises";', says: 'only src/adapters/clock.ts', good: '' },
  { name: 'hidden timers', rule: timerProblems, path: 'src/adapters/git.ts', bad: 'f(AbortSignal.timeout(5));', says: 'hidden timer', good: 'f(AbortSignal.any([a]));' },
  { name: 'intervals, even in the clock', rule: timerProblems, path: 'src/adapters/clock.ts', bad: 'setInterval(f, 1);', says: 'nothing in choo polls', good: 'setTimeout(f, 1);' },
  { name: 'any', rule: syntaxProblems, path: 'src/core/a.ts', bad: 'const a = b as any;', says: '`any`', good: 'const a: unknown = "any";' },
  { name: 'empty catch', rule: syntaxProblems, path: 'src/core/a.ts', bad: 'try { f(); } catch { /* fine */ }', says: 'an empty catch', good: 'try { f(); } catch (e) { g(e); }' },
  { name: 'default export', rule: syntaxProblems, path: 'src/core/a.ts', bad: 'export default 1;', says: 'by name', good: 'export const a = 1;' },
  { name: 'postponed work', rule: syntaxProblems, path: 'src/core/a.ts', bad: '// TODO later', says: 'postponed', good: 'const status = "TODO";' },
  { name: 'unfinished parts', rule: syntaxProblems, path: 'src/core/a.ts', bad: ['throw new Error(`x: not', 'implemented`);'].join(' '), says: 'unfinished', good: 'throw new Error("not in effect in this version");' },
  { name: 'switched-off checks', rule: syntaxProblems, path: 'src/core/a.ts', bad: '// @ts-ignore', says: 'make the types right', good: '// oxlint-disable-next-line no-bitwise -- mode bits' },
  { name: 'lint switched off without a reason', rule: syntaxProblems, path: 'src/core/a.ts', bad: '// oxlint-disable-next-line no-bitwise', says: 'without a reason', good: '' },
  { name: 'skipped tests', rule: testProblems, path: test, bad: 'describe.skip("x", () => {});', says: 'describe.skip', good: 'describe("x", () => {});' },
  { name: 'focused tests', rule: testProblems, path: test, bad: 'it.only("x", () => { expect(1).toBe(1); });', says: 'it.only', good: 'it("x", () => { expect(1).toBe(1); });' },
  { name: 'the old way of skipping', rule: testProblems, path: test, bad: 'xit("x", () => { expect(1).toBe(1); });', says: '(xit)', good: '' },
  { name: 'module mocks', rule: testProblems, path: test, bad: 'vi.mock("node:fs");', says: 'another World', good: 'const f = vi.fn();' },
  { name: 'polling', rule: testProblems, path: test, bad: 'await vi.waitFor(f);', says: 'wait for the event', good: 'await once(f, "x");' },
  { name: 'tests without an assertion', rule: testProblems, path: test, bad: 'it("x", () => { f(); });', says: 'without an assertion', good: 'const f = (a) => { expect(a).toBe(1); };\nit("x", () => f(1));\nit.each([1])("y", (a) => expectSame(a));' },
  { name: 'head comment', rule: headProblems, path: 'src/core/a.ts', bad: 'export const a = 1;', says: 'no comment at its head', good: '#!/usr/bin/env node\n// What it is.\nwork();' },
  { name: 'long head comment', rule: headProblems, path: 'src/core/a.ts', bad: '// a\n// b\n// c\n// d\nwork();', says: '4 lines of comment', good: '// a\n// b\n// c\nwork();' },
  { name: 'docstrings', rule: docstringProblems, path: 'src/core/a.ts', bad: '// not this\nexport const a = 1;', says: ':2: a is exported', good: '/** Number of tries. */\nexport const a = 1;\nexport { b } from "./b.ts";' },
  { name: 'docstrings of types', rule: docstringProblems, path: 'test/rig/a.ts', bad: '/** Far away. */\n\n\nexport interface A { readonly x: 1 }', says: 'A is exported', good: '/** A pair of things. */\nexport type A = 1;' },
];

describe('each rule on code', () => {
  it.each(EXAMPLES)('$name', ({ rule, path, bad, says, good }) => {
    expect(told(rule(parseSource(path, bad)))).toEqual([expect.stringContaining(says)]);
    const fine = path.startsWith('src/helpers/') ? 'src/core/a.ts' : path;
    expect(told(rule(parseSource(fine, good)))).toEqual([]);
  });

  it('sees cycles, through types too, once each', () => {
    const a = parseSource('src/core/a.ts', 'import type { B } from "./b.ts";');
    const b = parseSource('src/core/b.ts', 'export * from "./a.ts";');
    expect(told(cycleProblems([a, b]))).toEqual([expect.stringContaining('src/core/a.ts → src/core/b.ts → src/core/a.ts')]);
    expect(cycleProblems([a, parseSource('src/core/b.ts', '')])).toEqual([]);
  });

  it('counts lines of code without blanks and comments', () => {
    expect(codeLines(parseSource('a.ts', '// head\n\n/** doc\n * more */\nconst a = 1; // why\n'))).toBe(1);
  });

  it('refuses a file that does not parse, naming it', () => {
    expect(() => parseSource('src/core/a.ts', 'const = ;')).toThrow(/^src\/core\/a\.ts: /);
  });
});

describe('each rule on documents', () => {
  const doc = (text: string): { path: string; text: string } => ({ path: 'README.md', text });
  const command = (name: string, flags: readonly string[], commands: readonly CommandLike[] = []): CommandLike => ({
    name: () => name, aliases: () => [], commands, options: flags.map((long) => ({ long })),
  });
  const program = command('choo', ['--version'], [command('run', ['--unit', '-n'])]);

  it('events: missing, invented and doubled ones', () => {
    const names = eventNames(parseSource('e.ts', 'export type EventBody = { readonly type: "unit.a" } & U | { type: "unit.b"; by: "new" };'));
    expect(names).toEqual(['unit.a', 'unit.b']);
    expect(eventListProblems(names, doc('| `unit.a` | x |\n| `unit.b` | y |\nsee `unit.c`'))).toEqual([]);
    expect(told(eventListProblems(names, doc('- `unit.a`\n- `unit.a`\n- `unit.c`')))).toEqual([
      expect.stringContaining('does not list `unit.b`'), expect.stringContaining('README.md:2: lists `unit.a` twice'), expect.stringContaining('`unit.c`, which is no event'),
    ]);
  });

  it('keys of a file format: missing, invented and doubled ones, in their own section', () => {
    const keys = interfaceKeys(parseSource('j.ts', '/** x */\nexport interface Header { readonly version: number; run?: number }\nexport interface Other { z: 1 }'), 'Header');
    expect(keys).toEqual(['version', 'run']);
    const table = '## Head\n| key | is |\n|---|---|\n| `version` | 1 |\n| `run` | 2 |\n## Next\n| `other` | x |';
    expect(keyListProblems(keys, doc(table), 'Head')).toEqual([]);
    expect(told(keyListProblems(keys, doc(table.replace('| `run` | 2 |', '| `walk` | 2 |\n| `version` | 1 |')), 'Head'))).toEqual([
      expect.stringContaining('README.md:1: does not list `run`'), expect.stringContaining('lists `walk`'), expect.stringContaining('lists `version`'),
    ]);
    expect(told(keyListProblems(keys, doc(table), 'Elsewhere'))).toHaveLength(2);
  });

  it('commands: verbs and flags that do not exist', () => {
    expect(commandProblems(doc('`choo run -n UNIT` and\n```sh\n$ choo --version && choo run --unit=a # choo fly\n```\nchoo is `choo/run/1`'), program)).toEqual([]);
    expect(told(commandProblems(doc('`choo fly`\n```sh\nnpm ci && bin/choo run --fast\n```'), program))).toEqual([
      expect.stringContaining('README.md:1: names `choo fly`'), expect.stringContaining('README.md:3: names `choo run --fast`, which has no --fast'),
    ]);
  });

  it('scripts, links, leaks, lengths and the lockfile', () => {
    expect(told(scriptProblems(doc('`npm run fly`, `npm run demo`'), new Set(['demo'])))).toEqual([expect.stringContaining('npm run fly')]);
    expect(told(linkProblems(doc('[a](missing.md) [b](#here) [c](https://example.org) [d](package.json#x)'), process.cwd()))).toEqual([expect.stringContaining('missing.md')]);
    expect(told(linkProblems(doc('[a](../package.json)'), process.cwd()))).toHaveLength(1);
    expect(told(leakProblems(doc(`in ${'/'}root/x\nsrc/worker/a.ts and $` + '{dir}/work/a')))).toEqual([expect.stringContaining('README.md:1')]);
    expect(told(lengthProblems(doc('a\nb\n'), 1))).toEqual([expect.stringContaining('has 2 lines')]);
    expect(lengthProblems(doc('a\n'), 1)).toEqual([]);
    expect(told(lockfileProblems(doc('{ "packages": { "node_modules/a": {\n"resolved": "https://example.org/a.tgz" } } }')))).toEqual([expect.stringContaining('README.md:2: has `resolved`')]);
    const lock = (packages: readonly string[]): { path: string; text: string } => doc(JSON.stringify({
      packages: { 'node_modules/a': { optionalDependencies: { 'a-win32-x64': '1.0.0' } }, ...Object.fromEntries(packages.map((name) => [name, {}])) },
    }));
    expect(lockfileProblems(lock(['node_modules/a-win32-x64']))).toEqual([]);
    expect(told(lockfileProblems(lock([])))).toEqual([expect.stringContaining('lacks a-win32-x64')]);
  });
});

function told(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ path, line, what, fix }) => `${path}:${line}: ${what}; ${fix}`);
}
