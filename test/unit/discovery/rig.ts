// Small repositories as text for the discovery tests, and their diagnostics as printed lines.

import { discover } from '../../../src/discovery/discover.ts';
import { renderDiagnostic } from '../../../src/discovery/diagnostic.ts';
import type { Diagnostic } from '../../../src/discovery/diagnostic.ts';
import type { Linked } from '../../../src/discovery/link.ts';
import type { SourceFile } from '../../../src/discovery/source.ts';

/** A task file. */
export function task(number: number, more = ''): string {
  return `---\ntask: ${number}\nbackpressure: test -f ${number}\n${more}---\n# Task ${number}\n`;
}

/** A plan file. */
export function plan(frontMatter = ''): string {
  return frontMatter === '' ? '# Plan\n' : `---\n${frontMatter}\n---\n# Plan\n`;
}

/** Discovers in files given by their path below `specs/tasks/` (or, with a leading `/`, below the top). */
export function found(files: Readonly<Record<string, string>>, more: { readonly known?: readonly string[]; readonly extra?: readonly SourceFile[] } = {}): Linked {
  const all = Object.entries(files).map(([path, text]) => ({ path: path.startsWith('/') ? path.slice(1) : `specs/tasks/${path}`, text }));
  return discover({
    tasksDir: 'specs/tasks',
    files: [...all, ...(more.extra ?? [])],
    knownPaths: new Set([...all.map((file) => file.path), ...(more.known ?? [])]),
  });
}

/** Diagnostics as people see them, without colours, one text. */
export function printed(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((d) => renderDiagnostic(d, { color: false })).join('\n');
}

/** Codes with severity, for tests that are not about the words. */
export function codes(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map((d) => `${d.severity} ${d.code}`);
}
