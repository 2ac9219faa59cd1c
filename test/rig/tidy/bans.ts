// What may not be written at all: timers outside the clock, `any`, empty catches, default exports, postponed work,
// skipped or mocked tests, tests that prove nothing.

import { child, childList, dotted, importsOf, nameOf, nodesOf, problemAt, stringOf, type Node, type Problem, type Source } from './source.ts';

type Say = { readonly what: string; readonly fix: string };

/** The one file that may start timers. */
const CLOCK = 'src/adapters/clock.ts';

/** Timers anywhere but in the clock adapter. `test/bench` measures real time, `web/` is a page in a browser: exempt from all but setInterval. */
export function timerProblems(source: Source): readonly Problem[] {
  const exempt = source.path === CLOCK || source.path.startsWith('test/bench/') || source.path.startsWith('web/');
  const uses = [...nodesOf(source.program)].flatMap(({ node }) => {
    const name = nameOf(node);
    if (name === 'setInterval') return [problemAt(source, node.start, { what: 'setInterval', fix: 'wait for the event; nothing in choo polls' })];
    if (exempt) return [];
    if (name === 'setTimeout') return [problemAt(source, node.start, { what: 'setTimeout', fix: `${isTest(source) ? 'wait for the event itself' : `sleep on World's clock (${CLOCK} is the only timer)`}` })];
    const chain = node.type === 'MemberExpression' ? dotted(node) : undefined;
    return chain === 'AbortSignal.timeout' || chain === 'Atomics.wait' ? [problemAt(source, node.start, { what: chain, fix: 'it is a hidden timer; use World\'s clock' })] : [];
  });
  const imports = exempt ? [] : importsOf(source)
    .filter(({ from }) => /^(node:)?timers/.test(from))
    .map(({ from, at }) => problemAt(source, at, { what: `imports ${from}`, fix: `only ${CLOCK} has timers` }));
  return [...uses, ...imports];
}

/** Syntax that is never right here: `any`, an empty catch, a default export, a promise to do it later. */
export function syntaxProblems(source: Source): readonly Problem[] {
  const isConfig = /^[^/]+\.config\.ts$/.test(source.path);
  const inCode = [...nodesOf(source.program)].flatMap(({ node }) => {
    const say = badSyntax(node, isConfig);
    return say === undefined ? [] : [problemAt(source, node.start, say)];
  });
  const inComments = source.comments.flatMap((comment) => {
    const say = badComment(comment.text);
    return say === undefined ? [] : [problemAt(source, comment.start, say)];
  });
  return [...inCode, ...inComments];
}

/** In tests: skipped, focused or mocked ones, polling, and ones without an assertion. */
export function testProblems(source: Source): readonly Problem[] {
  if (!source.path.startsWith('test/')) return [];
  const asserting = helpersThatAssert(source);
  return [...nodesOf(source.program)].flatMap(({ node }) => {
    const say = badTest(node, asserting);
    return say === undefined ? [] : [problemAt(source, node.start, say)];
  });
}

function badSyntax(node: Node, isConfig: boolean): Say | undefined {
  if (node.type === 'TSAnyKeyword') return { what: '`any`', fix: 'say what it is; `unknown` and a check where it comes from outside' };
  if (node.type === 'CatchClause' && childList(child(node, 'body') ?? node, 'body').length === 0) {
    return { what: 'an empty catch', fix: 'handle it, or let it go up; ask for the one error you expect' };
  }
  if (node.type === 'ExportDefaultDeclaration' && !isConfig) return { what: 'a default export', fix: 'export it by name' };
  const text = node.type === 'TemplateElement' ? (node['value'] as { raw: string }).raw : stringOf(node);
  if (text !== undefined && /\bnot (yet )?implemented\b/i.test(text)) return { what: 'an unfinished part', fix: 'build it, or leave it out' };
  return undefined;
}

function badComment(text: string): Say | undefined {
  if (/\b(TODO|FIXME|XXX|HACK)\b/.test(text)) return { what: 'postponed work in a comment', fix: 'do it now, or file an issue' };
  if (/@ts-(ignore|nocheck)\b/.test(text)) return { what: 'a type check switched off', fix: 'make the types right' };
  if (/\b(ox|es)lint-disable/.test(text) && !/ -- \S/.test(text)) return { what: 'a lint rule switched off without a reason', fix: 'append ` -- why`' };
  return undefined;
}

function badTest(node: Node, asserting: ReadonlySet<string>): Say | undefined {
  const name = node.type === 'CallExpression' || node.type === 'MemberExpression' ? dotted(node) : undefined;
  if (name === undefined) return undefined;
  if (node.type === 'MemberExpression' && /^(it|test|describe|suite)\.(.*\.)?(skip|only|todo|fails|skipIf|runIf)$/.test(name)) {
    return { what: `a switched-off or focused test (${name})`, fix: 'run it always, or delete it' };
  }
  if (node.type === 'MemberExpression' && /^vi\.(mock|doMock|hoisted|importActual|importMock|unmock)$/.test(name)) {
    return { what: `a module mock (${name})`, fix: 'hand in another World' };
  }
  if (node.type === 'MemberExpression' && /^(vi\.waitFor|vi\.waitUntil|expect\.poll)$/.test(name)) {
    return { what: `polling (${name})`, fix: 'wait for the event itself' };
  }
  if (node.type !== 'CallExpression') return undefined;
  if (/^(xit|xtest|xdescribe|fit|fdescribe)$/.test(name)) return { what: `a switched-off or focused test (${name})`, fix: 'run it always, or delete it' };
  return isTestCall(node, name) && !asserts(node, asserting) ? { what: 'a test without an assertion', fix: 'call expect(), or name the helper that does expect…' } : undefined;
}

/** `it('…', …)`, `it.each(…)('…', …)`: a call of it/test that has a function among its arguments. */
function isTestCall(node: Node, name: string): boolean {
  return /^(it|test)(\.|$)/.test(name) && childList(node, 'arguments').some((a) => /Function/.test(a.type));
}

function asserts(node: Node, helpers: ReadonlySet<string>): boolean {
  return [...nodesOf(node)].some(({ node: inner }) => {
    if (inner.type !== 'CallExpression') return false;
    const last = dotted(child(inner, 'callee'))?.split('.') ?? [];
    return last.some((name) => /^(expect|assert)/.test(name) || helpers.has(name));
  });
}

/** Functions of this file that assert for their callers. */
function helpersThatAssert(source: Source): ReadonlySet<string> {
  const none: ReadonlySet<string> = new Set();
  return new Set([...nodesOf(source.program)].flatMap(({ node }) => {
    const isHelper = node.type === 'FunctionDeclaration' || (node.type === 'VariableDeclarator' && /Function/.test(child(node, 'init')?.type ?? ''));
    const name = nameOf(child(node, 'id'));
    return isHelper && name !== undefined && asserts(node, none) ? [name] : [];
  }));
}

function isTest(source: Source): boolean {
  return source.path.startsWith('test/');
}
