// Comments that must be there: one at the head of every file, one sentence on every exported thing.

import { child, childList, lineAt, problemAt, type Comment, type Node, type Problem, type Source } from './source.ts';

const HEAD_LINES = 3;

/** A file that does not begin with one to three `//` lines. */
export function headProblems(source: Source): readonly Problem[] {
  const start = source.text.startsWith('#!') ? source.text.indexOf('\n') + 1 : 0;
  const head = source.text.slice(start).split('\n');
  const lines = head.findIndex((line) => !line.startsWith('//'));
  const count = lines === -1 ? head.length : lines;
  if (count >= 1 && count <= HEAD_LINES) return [];
  return [{
    path: source.path,
    line: 1,
    what: count === 0 ? 'has no comment at its head' : `has ${count} lines of comment at its head`,
    fix: `one to ${HEAD_LINES} lines of // that say what the file is and what it does not do`,
  }];
}

/** An export of src/, web/ or of the test rig without a sentence above it. */
export function docstringProblems(source: Source): readonly Problem[] {
  if (!/^(src|web|test\/rig)\/.*\.tsx?$/.test(source.path)) return [];
  const documented = new Set<string>();
  return childList(source.program, 'body').flatMap((statement) => {
    const declaration = child(statement, 'declaration');
    if (statement.type !== 'ExportNamedDeclaration' || declaration === undefined) return [];
    const name = exportedName(declaration);
    if (hasSentence(source, statement)) documented.add(name);
    // Overloads: the first one speaks for all.
    if (documented.has(name)) return [];
    return [problemAt(source, statement.start, { what: `${name} is exported without a sentence`, fix: 'put /** what it takes and gives, units, errors */ right above it' })];
  });
}

function exportedName(declaration: Node): string {
  const named = child(declaration, 'id') ?? child(childList(declaration, 'declarations')[0] ?? declaration, 'id');
  return typeof named?.['name'] === 'string' ? named['name'] : declaration.type;
}

function hasSentence(source: Source, statement: Node): boolean {
  return source.comments.some((comment) => isDocstring(comment)
    && comment.end <= statement.start
    && lineAt(source.text, statement.start) - lineAt(source.text, comment.end) <= 1
    && source.text.slice(comment.end, statement.start).trim() === '');
}

function isDocstring(comment: Comment): boolean {
  return comment.type === 'Block' && comment.text.startsWith('*') && /\w+\s+\S+/.test(comment.text);
}
