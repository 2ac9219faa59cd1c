// Sizes: lines of a file, lines of a function, positional parameters.

import { child, childList, lineAt, nameOf, nodesOf, problemAt, type Node, type Problem, type Source } from './source.ts';

const FILE_LINES = 400;
const FUNCTION_LINES = 70;
const PARAMETERS = 3;

/** A file longer than 400 lines. */
export function fileSizeProblems(source: Source): readonly Problem[] {
  const lines = source.text.trimEnd().split('\n').length;
  return lines <= FILE_LINES ? [] : [{ path: source.path, line: FILE_LINES + 1, what: `has ${lines} lines`, fix: `at most ${FILE_LINES}: find the second subject in it and give it a file` }];
}

/** Lines of code of a file: without blank lines and comments. */
export function codeLines(source: Source): number {
  const bare = source.comments.toReversed().reduce((text, { start, end }) => text.slice(0, start) + text.slice(end), source.text);
  return bare.split('\n').filter((line) => line.trim() !== '').length;
}

/** A function longer than 70 lines; a `describe` block is a list, not a function. */
export function functionSizeProblems(source: Source): readonly Problem[] {
  return [...nodesOf(source.program)].flatMap(({ node, ancestors }) => {
    if (child(node, 'body') === undefined || !isFunction(node) || isSuite(ancestors[0])) return [];
    const lines = span(source, node) - switchDiscount(source, node);
    return lines <= FUNCTION_LINES ? [] : [problemAt(source, node.start, {
      what: `a function of ${lines} lines`,
      fix: `at most ${FUNCTION_LINES}: name its steps as functions of their own`,
    })];
  });
}

/** More than 3 positional parameters, in functions and in signatures. */
export function parameterProblems(source: Source): readonly Problem[] {
  return [...nodesOf(source.program)].flatMap(({ node }) => {
    if (!isFunction(node) && !/^TS(MethodSignature|CallSignatureDeclaration|ConstructSignatureDeclaration|FunctionType|ConstructorType|DeclareFunction)$/.test(node.type)) return [];
    const count = childList(node, 'params').filter((p) => nameOf(p) !== 'this').length;
    return count <= PARAMETERS ? [] : [problemAt(source, node.start, {
      what: `takes ${count} positional parameters`,
      fix: `at most ${PARAMETERS}: take one options object`,
    })];
  });
}

function isFunction(node: Node): boolean {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

function isSuite(parent: Node | undefined): boolean {
  if (parent?.type !== 'CallExpression') return false;
  let callee = child(parent, 'callee');
  while (callee?.type === 'CallExpression' || callee?.type === 'MemberExpression') callee = child(callee, callee.type === 'CallExpression' ? 'callee' : 'object');
  return nameOf(callee) === 'describe';
}

function span(source: Source, node: Node): number {
  return lineAt(source.text, node.end) - lineAt(source.text, node.start) + 1;
}

/** A switch whose arms only call is a table: it counts as its longest arm. */
function switchDiscount(source: Source, node: Node): number {
  const tables = [...nodesOf(node)].filter(({ node: inner }) => inner.type === 'SwitchStatement' && childList(inner, 'cases').every(onlyCalls));
  return tables.reduce((sum, { node: table }) => {
    const longest = Math.max(0, ...childList(table, 'cases').map((arm) => span(source, arm)));
    return sum + span(source, table) - longest;
  }, 0);
}

function onlyCalls(arm: Node): boolean {
  const statements = childList(arm, 'consequent').flatMap((s) => (s.type === 'BlockStatement' ? childList(s, 'body') : [s]));
  const leaves = statements.at(-1);
  const steps = leaves !== undefined && /^(Break|Continue)Statement$/.test(leaves.type) ? statements.slice(0, -1) : statements;
  return steps.length <= 2 && steps.every((s) => s.type === 'ReturnStatement' || s.type === 'ExpressionStatement');
}
