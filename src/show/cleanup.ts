// What a cleanup found and did, as text or data. Asks nobody.

import { cleanLine, shellWord } from '../core/clean.ts';
import type { CleanupReport, Leftover } from '../core/cleanup.ts';
import { branchName, counted, painter } from './paint.ts';

/** The report for programs; described by schema/cleanup.schema.json. */
export function cleanupData(report: CleanupReport): unknown {
  return { version: 1, ...report, bytesFreed: bytesOf(report) };
}

function bytesOf(report: CleanupReport): number {
  return report.removed.reduce((sum, thing) => sum + (thing.bytes ?? 0), 0);
}

/** The report as text, ending in a line break. `asked`: what the user wanted to give up, `unit` or `unit/run`. */
export function renderCleanup(report: CleanupReport, o: { readonly color: boolean; readonly asked: readonly string[] }): string {
  const paint = painter(o.color);
  const { removed, kept, failed, backups, discarded, dryRun } = report;
  const parts = [
    section(paint('bold', dryRun ? 'would be removed:' : 'removed:'), removed.map(line)),
    section(paint('bold', dryRun ? 'would be saved first:' : 'saved first:'), backups.map((b) => `  ${cleanLine(b.ref)}  (${about(b)})`)),
    section(paint('yellow', dryRun ? 'would be discarded:' : 'discarded:'), discarded.map((d) => `  ${about(d)}${d.blocks.length === 0 ? '' : `; cannot start any more: ${d.blocks.map(cleanLine).join(', ')}`}`)),
    section(paint('bold', 'kept:'), kept.map(line)),
    section(paint('red', 'could not be removed:'), failed.map(line)),
    [summary(report)],
    advice(report, o.asked),
  ];
  return `${parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function about(o: { readonly run?: number; readonly unit?: string }): string {
  return [...(o.unit === undefined ? [] : [cleanLine(o.unit)]), ...(o.run === undefined ? [] : [`run ${o.run}`])].join(', ');
}

function line(thing: Leftover): string {
  const what = thing.kind === 'branch' ? branchName(thing.what) : thing.what;
  const of = about(thing);
  const size = thing.bytes === undefined ? '' : `, ${sizeText(thing.bytes)}`;
  return `  ${thing.kind.padEnd(8)}  ${cleanLine(what)}  (${of === '' ? '' : `${of}: `}${cleanLine(thing.because)}${size})`;
}

function sizeText(bytes: number): string {
  for (const [unit, of] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]] as const) {
    if (bytes >= of) return `${(bytes / of).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

function summary(report: CleanupReport): string {
  const { removed, kept, failed, saved, dryRun } = report;
  if (removed.length + kept.length + failed.length === 0) return `nothing to clean up${saved === 0 ? '' : `; ${savedRefs(saved)}`}`;
  const facts = [
    `${counted(removed.length, 'thing')} ${dryRun ? 'would be removed' : 'removed'}`, `${kept.length} kept`,
    ...(failed.length === 0 ? [] : [`${failed.length} could not be removed`]),
    `${sizeText(bytesOf(report))} ${dryRun ? 'would be freed' : 'freed'}`, ...(saved === 0 ? [] : [savedRefs(saved)]),
  ];
  return facts.join(', ');
}

function savedRefs(saved: number): string {
  return `${counted(saved, 'saved state')} under refs/choo/ (git for-each-ref refs/choo)`;
}

/** What is kept of a unit that is just being given up, giving it up once more does not take away. */
function advice({ kept, discarded }: CleanupReport, asked: readonly string[]): readonly string[] {
  const done = ({ unit = '', run = 0 }: Leftover): boolean => asked.includes(unit) || asked.includes(`${unit}/${run}`) || discarded.some((d) => d.unit === unit && d.run === run);
  const unit = kept.find((thing) => thing.unit !== undefined && !done(thing))?.unit;
  return unit === undefined ? [] : [`to give a unit up (a backup ref is made first): choo cleanup --discard ${shellWord(unit)}`];
}
