// Tells a person in the terminal. Prints once and keeps nothing.

import { joinLines } from '../core/clean.ts';
import type { Severity } from '../core/failure.ts';
import type { Escalation } from '../core/told.ts';
import type { Escalator } from '../world.ts';

const COLORS: Readonly<Record<Severity, string>> = { info: '36', warning: '33', critical: '31', blocking: '1;31' };

/** Control and text-direction characters: titles carry file names and output of programs. */
const UNSAFE = new RegExp(String.raw`[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]`, 'g');

/** Writes each new escalation in one piece: severity, unit and title on a line, the details indented below. The end is the summary's to tell. */
export function terminalEscalator(write: (text: string) => void, options: { readonly color: boolean }): Escalator {
  return {
    escalate: (escalation, { only } = {}) => {
      if (only === undefined && escalation.end !== true) write(format(escalation, options.color));
    },
  };
}

function format({ severity, unit, title, detail }: Escalation, color: boolean): string {
  const word = severity.toUpperCase();
  const shown = color ? `\u001b[${COLORS[severity]}m${word}\u001b[0m` : word;
  const subject = unit === undefined ? '' : `${unit}: `;
  const lines = [`${shown} ${safe(subject + title)}`, ...detail.map((line) => `  ${safe(line)}`)];
  return `${lines.join('\n')}\n`;
}

function safe(line: string): string {
  return joinLines(line).replace(UNSAFE, '');
}
