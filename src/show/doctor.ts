// What the doctor found, as text or data. Looks at nothing itself.

import { cleanLine } from '../core/clean.ts';
import type { Finding } from '../core/doctor.ts';
import { counted, painter } from './paint.ts';

const COLORS = { ok: 'green', warning: 'yellow', error: 'red' } as const;

/** The findings for programs; described by schema/doctor.schema.json. */
export function doctorData(findings: readonly Finding[]): unknown {
  return { version: 1, ok: !findings.some(({ level }) => level === 'error'), findings };
}

/** A line for each finding with what mends it, and the sum; ends in a line break. */
export function renderDoctor(findings: readonly Finding[], o: { readonly color: boolean }): string {
  const paint = painter(o.color);
  const lines = findings.map(({ level, about, text, mend }) => `${paint(COLORS[level], level.padEnd(7))}  ${cleanLine(about)}: ${cleanLine(text)}${mend === undefined ? '' : `  →  ${cleanLine(mend)}`}`);
  const [errors, warnings] = (['error', 'warning'] as const).map((level) => findings.filter((f) => f.level === level).length);
  const sum = errors === 0 && warnings === 0 ? 'nothing is missing' : `${counted(errors ?? 0, 'error')}, ${counted(warnings ?? 0, 'warning')}`;
  return `${[...lines, '', sum].join('\n')}\n`;
}
