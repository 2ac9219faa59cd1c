// What the written frame promises, held against the code: events listed, commands that exist, links that lead somewhere.

import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { child, childList, nameOf, nodesOf, stringOf, type Problem, type Source } from './source.ts';

/** A text file of the repository. */
export interface Text {
  readonly path: string;
  readonly text: string;
}

/** A command of the program as the rules need it; `commander`'s own type fits. */
export interface CommandLike {
  name(): string;
  aliases(): readonly string[];
  readonly commands: readonly CommandLike[];
  readonly options: readonly { readonly short?: string | undefined; readonly long?: string | undefined }[];
}

/** Names of the events in the union `EventBody` of the given source. */
export function eventNames(source: Source): readonly string[] {
  const union = childList(source.program, 'body')
    .map((statement) => child(statement, 'declaration'))
    .find((declaration) => declaration !== undefined && nameOf(child(declaration, 'id')) === 'EventBody');
  return [...(union === undefined ? [] : nodesOf(union))].flatMap(({ node }) => {
    if (node.type !== 'TSPropertySignature' || nameOf(child(node, 'key')) !== 'type') return [];
    return [...nodesOf(node)].flatMap(({ node: inner }) => stringOf(inner) ?? []);
  });
}

/** Events without an entry in the document, entries without an event, and doubles. An entry is a name in backticks that begins a table row, a heading or a list item. */
export function eventListProblems(names: readonly string[], doc: Text): readonly Problem[] {
  const entries = doc.text.split('\n').flatMap((text, i) => {
    const name = /^(?:\|\s*|#+\s+|[-*]\s+)`([a-z]+(?:\.[a-z-]+)+)`/.exec(text)?.[1];
    return name === undefined ? [] : [{ name, line: i + 1 }];
  });
  const listed = new Set(entries.map((entry) => entry.name));
  const missing = names.filter((name) => !listed.has(name)).map((name) => ({
    path: doc.path, line: 1, what: `does not list \`${name}\``, fix: 'add a row that begins with the name in backticks',
  }));
  const wrong = entries.filter(({ name }, i) => !names.includes(name) || entries.findIndex((e) => e.name === name) !== i).map(({ name, line }) => ({
    path: doc.path, line, what: names.includes(name) ? `lists \`${name}\` twice` : `lists \`${name}\`, which is no event`, fix: 'take the row out, or mend src/core/event.ts',
  }));
  return [...missing, ...wrong];
}

/** Keys of the interface of that name in the given source, those of its own alone. */
export function interfaceKeys(source: Source, name: string): readonly string[] {
  const found = childList(source.program, 'body')
    .map((statement) => child(statement, 'declaration'))
    .find((declaration) => declaration?.type === 'TSInterfaceDeclaration' && nameOf(child(declaration, 'id')) === name);
  const body = found === undefined ? undefined : child(found, 'body');
  return body === undefined ? [] : childList(body, 'body').flatMap((member) => nameOf(child(member, 'key')) ?? []);
}

/** Keys without a row in the table below the heading, and rows that are no key. A row begins with the key in backticks. */
export function keyListProblems(keys: readonly string[], doc: Text, heading: string): readonly Problem[] {
  const lines = doc.text.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line));
  const section = start === -1 ? [] : lines.slice(start + 1, length === -1 ? undefined : start + 1 + length);
  const rows = section.flatMap((line) => /^\|\s*`([^`]+)`/.exec(line)?.[1] ?? []);
  const problem = (what: string): Problem => ({ path: doc.path, line: start + 1, what, fix: `mend the table below \`${heading}\`, or the code` });
  return [
    ...keys.filter((key) => !rows.includes(key)).map((key) => problem(`does not list \`${key}\``)),
    ...rows.filter((row, i) => !keys.includes(row) || rows.indexOf(row) !== i).map((row) => problem(`lists \`${row}\`, which is no key or is listed already`)),
  ];
}

/** Commands and flags named in code of a Markdown file that the program does not have. */
export function commandProblems(doc: Text, program: CommandLike): readonly Problem[] {
  return codeOf(doc).flatMap(({ code, line }) => commandLines(code).flatMap((words) => {
    const what = wrongCommand(words, program);
    return what === undefined ? [] : [{ path: doc.path, line, what, fix: 'name what `choo --help` lists' }];
  }));
}

/** `npm run …` in a Markdown file without such a script in package.json. */
export function scriptProblems(doc: Text, scripts: ReadonlySet<string>): readonly Problem[] {
  return codeOf(doc).flatMap(({ code, line }) => [...code.matchAll(/\bnpm run ([\w:-]+)/g)].flatMap(([, script]) => (
    script === undefined || scripts.has(script) ? [] : [{ path: doc.path, line, what: `names npm run ${script}`, fix: 'name a script of package.json' }]
  )));
}

/** Relative links of a Markdown file that lead nowhere or out of the repository at `top`. */
export function linkProblems(doc: Text, top: string): readonly Problem[] {
  return proseOf(doc).flatMap(({ text, line }) => [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => {
    const file = link?.split('#')[0] ?? '';
    if (file === '' || /^[a-z]+:/.test(file)) return [];
    const path = posix.join(posix.dirname(doc.path), file);
    const fine = !path.startsWith('..') && existsSync(join(top, path));
    return fine ? [] : [{ path: doc.path, line, what: `links to ${file}, which is not there`, fix: 'mend the link or write the file' }];
  }));
}

/** Words that only make sense on the machine where the file was written. */
export function leakProblems(doc: Text): readonly Problem[] {
  const patterns: readonly (readonly [RegExp, string])[] = [
    [/(?<![\w.})*-])\/(root|work)\//, 'a path of somebody\'s machine'],
    [/\bshared\/(design|[a-z]+\.md)/, 'a path outside the repository'],
    [/\bregistry\.[a-z]+\.(org|com|io)\b/, 'the host of a package registry'],
  ];
  return doc.text.split('\n').flatMap((text, i) => patterns.flatMap(([pattern, what]) => (
    pattern.test(text) ? [{ path: doc.path, line: i + 1, what: `names ${what}`, fix: 'say it in terms of this repository' }] : []
  )));
}

/** What makes a lockfile fit one registry or one platform only: addresses it was downloaded from, optional packages left out. */
export function lockfileProblems(lock: Text): readonly Problem[] {
  const line = lock.text.split('\n').findIndex((text) => /"resolved":\s*"https?:/.test(text)) + 1;
  const addresses = line === 0 ? [] : [{ path: lock.path, line, what: 'has `resolved` addresses', fix: 'npm install --package-lock-only with this folder\'s .npmrc' }];
  const { packages = {} } = JSON.parse(lock.text) as { packages?: Record<string, { optionalDependencies?: Record<string, string> }> };
  const places = Object.keys(packages);
  const asked = new Set(Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {})));
  const missing = [...asked].filter((name) => !places.some((place) => place.endsWith(`node_modules/${name}`)));
  return [...addresses, ...missing.map((name) => ({ path: lock.path, line: 1, what: `lacks ${name}, so npm ci refuses it`, fix: 'node scripts/lockfile.mjs' }))];
}

/** A text with more lines than it may have. */
export function lengthProblems(doc: Text, limit: number): readonly Problem[] {
  const lines = doc.text.trimEnd().split('\n').length;
  return lines <= limit ? [] : [{ path: doc.path, line: limit + 1, what: `has ${lines} lines`, fix: `at most ${limit}: move detail to docs/` }];
}

interface Piece { readonly text: string; readonly line: number; readonly fenced: boolean }

function pieces(doc: Text): readonly Piece[] {
  let fence: string | undefined;
  return doc.text.split('\n').flatMap((text, i) => {
    const mark = /^\s*(```+|~~~+)/.exec(text)?.[1];
    if (mark !== undefined) {
      fence = fence === undefined ? mark : undefined;
      return [];
    }
    return [{ text, line: i + 1, fenced: fence !== undefined }];
  });
}

function proseOf(doc: Text): readonly Piece[] {
  return pieces(doc).filter((piece) => !piece.fenced);
}

/** Fenced lines whole, and the code spans of the others. */
function codeOf(doc: Text): readonly { readonly code: string; readonly line: number }[] {
  return pieces(doc).flatMap(({ text, line, fenced }) => (
    fenced ? [{ code: text, line }] : [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => ({ code: code ?? '', line }))
  ));
}

/** The words after each `choo` that stands where a shell would run it. */
function commandLines(code: string): readonly (readonly string[])[] {
  const bare = code.replace(/^\s*\$ /, '').replace(/(^|\s)#.*$/, '');
  return bare.split(/&&|\|\||[;|]/).flatMap((part) => {
    const words = part.trim().split(/\s+/);
    return /^((\.\/)?bin\/)?choo$/.test(words[0] ?? '') ? [words.slice(1)] : [];
  });
}

function wrongCommand(words: readonly string[], program: CommandLike): string | undefined {
  const [verb] = words;
  const isVerb = verb !== undefined && /^[a-z]/.test(verb);
  const command = isVerb ? program.commands.find((c) => c.name() === verb || c.aliases().includes(verb)) : program;
  if (command === undefined) return verb === 'help' ? undefined : `names \`choo ${verb}\`, which does not exist`;
  const known = new Set([...command.options, ...program.options].flatMap((o) => [o.short, o.long]));
  const asked = words.flatMap((word) => word.replaceAll(/[[\]]/g, '').split(/=|\/(?=-)/)).filter((word) => /^--?[a-z]/i.test(word));
  const wrong = asked.find((flag) => !known.has(flag) && !['-h', '--help'].includes(flag));
  return wrong === undefined ? undefined : `names \`choo ${words.join(' ')}\`, which has no ${wrong}`;
}
