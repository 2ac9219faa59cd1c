// What the definitions of commands have in common: where they print, their examples, the numbers in their flags.

import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Io } from './io.ts';

/** The command line that a command is added to, where it prints, and who is told its exit code. */
export interface Shell {
  readonly program: Command;
  readonly io: Io;
  readonly exit: (code: number) => void;
}

/** Lines of a help with what they do. */
export function examples(lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`).join('\n')}\n`;
}

/** A number of a flag, from 1 on; a wrong one ends the program with its words. */
export function count(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

/** A port of a flag. */
export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new InvalidArgumentError('It must be a port: 0 to 65535.');
  return Number(text);
}

/** A flag that may be repeated: its second parameter is what such a one is known by. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], text];
}
