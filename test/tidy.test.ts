// Keeps the house rules. Each message names the file, the line and what to do; each rule is shown to bite in tidy.rules.test.ts.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../src/commands/program.ts';
import { syntaxProblems, testProblems, timerProblems } from './rig/tidy/bans.ts';
import { docstringProblems, headProblems } from './rig/tidy/comments.ts';
import {
  commandProblems, eventListProblems, eventNames, interfaceKeys, keyListProblems, leakProblems, lengthProblems, linkProblems, lockfileProblems, scriptProblems,
} from './rig/tidy/docs.ts';
import { cycleProblems, importProblems } from './rig/tidy/imports.ts';
import { codeLines, fileSizeProblems, functionSizeProblems, parameterProblems } from './rig/tidy/size.ts';
import { listFiles, parseSource, readText, type Problem } from './rig/tidy/source.ts';

const top = join(import.meta.dirname, '..');
const codePaths = [
  ...listFiles(top, { folders: ['src', 'web', 'test', 'scripts'], endings: ['.ts', '.tsx', '.mjs'] }),
  'vitest.config.ts',
];
const sources = codePaths.map((path) => parseSource(path, readText(top, path)));
const docPaths = [
  ...['README.md', 'ARCHITECTURE.md', 'GLOSSARY.md', 'CONTRIBUTING.md', 'AGENTS.md', 'CHANGELOG.md'].filter((path) => existsSync(join(top, path))),
  ...listFiles(top, { folders: ['docs'], endings: ['.md'] }),
];
const docs = docPaths.map((path) => ({ path, text: readText(top, path) }));
const { scripts } = JSON.parse(readText(top, 'package.json')) as { scripts: Record<string, string> };

/** Fails with one line a problem, in the form editors make clickable. */
function expectNone(problems: readonly Problem[]): void {
  expect(problems.map(({ path, line, what, fix }) => `${path}:${line}: ${what}; ${fix}`)).toEqual([]);
}

describe('code', () => {
  it('finds the files it guards', () => {
    expect(codePaths).toEqual(expect.arrayContaining(['src/core/event.ts', 'src/world.ts', 'test/tidy.test.ts', 'scripts/build.mjs']));
  });
  it('imports only what its folder may know', () => expectNone(sources.flatMap(importProblems)));
  it('has no import cycles', () => expectNone(cycleProblems(sources)));
  it('has no long files', () => expectNone(sources.flatMap(fileSizeProblems)));
  it('has no long functions', () => expectNone(sources.flatMap(functionSizeProblems)));
  it('takes at most three positional parameters', () => expectNone(sources.flatMap(parameterProblems)));
  it('starts timers only in the clock adapter', () => expectNone(sources.flatMap(timerProblems)));
  it('has no any, empty catch, default export or postponed work', () => expectNone(sources.flatMap(syntaxProblems)));
  it('says at the head of each file what it is', () => expectNone(sources.flatMap(headProblems)));
  it('says a sentence on every exported thing', () => expectNone(sources.flatMap(docstringProblems)));
  it('keeps the main flow on a few screens', () => {
    const flow = sources.find(({ path }) => path === 'src/orchestrator.ts');
    expect(flow, 'src/orchestrator.ts is the main flow').toBeDefined();
    expect(flow === undefined ? 0 : codeLines(flow), 'lines of code in src/orchestrator.ts').toBeLessThanOrEqual(150);
  });
});

describe('tests', () => {
  it('are never skipped, focused, mocked, polled or without an assertion', () => expectNone(sources.flatMap(testProblems)));
});

describe('documents', () => {
  it('list exactly the events there are', () => {
    const names = eventNames(parseSource('src/core/event.ts', readText(top, 'src/core/event.ts')));
    expect(names).toContain('unit.merged');
    expectNone(eventListProblems(names, { path: 'docs/events.md', text: readText(top, 'docs/events.md') }));
  });
  it('list exactly the keys of the journal\'s header and of the lock', () => {
    const doc = { path: 'docs/events.md', text: readText(top, 'docs/events.md') };
    const keysOf = (path: string, name: string): readonly string[] => interfaceKeys(parseSource(path, readText(top, path)), name);
    const header = keysOf('src/adapters/journal-reader.ts', 'JournalHeader');
    expect(header).toContain('version');
    expectNone(keyListProblems(header, doc, 'The header'));
    expectNone(keyListProblems(keysOf('src/adapters/holder.ts', 'LockHolder'), doc, 'The lock and the fence'));
  });
  it('name only commands and flags that exist', () => {
    const program = buildProgram();
    expect(program.commands.length).toBeGreaterThan(5);
    expectNone(docs.flatMap((doc) => commandProblems(doc, program)));
  });
  it('name only scripts that exist', () => expectNone(docs.flatMap((doc) => scriptProblems(doc, new Set(Object.keys(scripts))))));
  it('link only to what is there', () => expectNone(docs.flatMap((doc) => linkProblems(doc, top))));
  it('keep the README short', () => expectNone(docs.filter(({ path }) => path === 'README.md').flatMap((doc) => lengthProblems(doc, 150))));
  it('name no machine, folder or registry of somebody', () => {
    const others = ['package.json', '.ci/run', 'test/all.sh', 'bin/choo'].map((path) => ({ path, text: readText(top, path) }));
    expectNone([...docs, ...sources, ...others].flatMap(leakProblems));
  });
  it('have a lockfile that any registry can serve', () => expectNone(lockfileProblems({ path: 'package-lock.json', text: readText(top, 'package-lock.json') })));
});
