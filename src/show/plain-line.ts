// One line of progress before layout, and the levels that lines have.

import type { Style } from './paint.ts';

/** How much a line matters; those below the level asked for are left out. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** One of them. */
export type Level = (typeof LEVELS)[number];

/** One line of progress, before layout. */
export interface PlainLine {
  readonly level: Level;
  readonly text: string;
  readonly style?: Style;
}

/** A line of that level. */
export const debug = (text: string): PlainLine => ({ level: 'debug', text, style: 'dim' });
/** A line of that level. */
export const info = (text: string, style?: Style): PlainLine => ({ level: 'info', text, ...(style === undefined ? {} : { style }) });
/** A line of that level. */
export const warn = (text: string): PlainLine => ({ level: 'warn', text, style: 'yellow' });
/** A line of that level. */
export const error = (text: string): PlainLine => ({ level: 'error', text, style: 'red' });
