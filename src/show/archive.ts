// What an archiving moved, as text or data, with the commit to make. Asks nobody.

import { cleanLine, shellWord } from '../core/clean.ts';
import type { ArchiveReport, Stayed } from '../core/archive.ts';
import { counted, painter } from './paint.ts';

/** The report for programs; described by schema/archive.schema.json. */
export function archiveData(report: ArchiveReport): unknown {
  const commit = commitCommand(report);
  return { version: 1, ...report, ...(commit === undefined ? {} : { commit }) };
}

/** The report as text, ending in a line break. */
export function renderArchive(report: ArchiveReport, o: { readonly color: boolean }): string {
  const paint = painter(o.color);
  const { moved, kept, failed, dryRun } = report;
  const commit = commitCommand(report);
  const parts = [
    section(paint('bold', dryRun ? 'would be moved:' : 'moved:'), moved.map((m) => `  ${cleanLine(m.from)} → ${cleanLine(m.to)}`)),
    section(paint('bold', 'kept:'), kept.map(line)),
    section(paint('red', 'could not be moved:'), failed.map(line)),
    ...(commit !== undefined ? [['staged, not committed; the commit to make:', `  ${commit}`]] : []),
    ...(moved.length + kept.length + failed.length === 0 ? [['nothing to archive: no unit is complete']] : []),
  ];
  return `${parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function line(thing: Stayed): string {
  return `  ${cleanLine(thing.path)}  (${cleanLine(thing.unit)}: ${cleanLine(thing.because)})`;
}

/** Units that a commit's subject names one by one. */
const NAMED = 5;

/** Names every path, because the index may hold other things of the user's. */
function commitCommand({ moved, dryRun, top }: ArchiveReport): string | undefined {
  if (dryRun || moved.length === 0) return undefined;
  const units = [...new Set(moved.map((m) => m.unit))];
  const subject = `specs: archive ${units.length > NAMED ? counted(units.length, 'unit') : units.join(', ')}`;
  const paths = moved.flatMap((m) => [m.from, m.to]);
  // Names may look like patterns.
  const literal = paths.some((path) => /[*?[\\]|^:/.test(path)) ? ' --literal-pathspecs' : '';
  return `git -C ${shellWord(top)}${literal} commit -m ${shellWord(subject)} -- ${paths.map(shellWord).join(' ')}`;
}
