// Words and marks of the screen: one sign and look for each state, in characters that every font has or in plain ones.

import type { UnitView } from '../../core/view.ts';
import type { Look } from './row.ts';

/** What a terminal can show. */
export interface Marks {
  readonly states: Readonly<Record<UnitView['state'], string>>;
  readonly chosen: string;
  readonly full: string;
  readonly empty: string;
  readonly dot: string;
  readonly line: string;
  readonly upDown: string;
}

const NICE: Marks = {
  states: { pending: '○', running: '●', proving: '◆', landing: '◆', waiting: '◷', landed: '✓', complete: '✓', failed: '✗', blocked: '⊘', cancelled: '–' },
  chosen: '▸', full: '█', empty: '░', dot: '·', line: '─', upDown: '↑↓',
};

const PLAIN: Marks = {
  states: { pending: '.', running: '*', proving: '+', landing: '+', waiting: '~', landed: 'v', complete: 'v', failed: 'x', blocked: '-', cancelled: '-' },
  chosen: '>', full: '#', empty: '.', dot: '-', line: '-', upDown: 'up/down',
};

/** The marks for a terminal that shows Unicode, or for one that does not. */
export function marks(unicode: boolean): Marks {
  return unicode ? NICE : PLAIN;
}

const LOOKS: Readonly<Partial<Record<UnitView['state'], Look>>> = {
  running: 'cyan', proving: 'cyan', landing: 'cyan', waiting: 'yellow', landed: 'green', complete: 'green', failed: 'red', blocked: 'yellow', pending: 'dim', cancelled: 'dim',
};

/** The look of a state. */
export function lookOf(state: UnitView['state']): Look {
  return LOOKS[state] ?? 'dim';
}
