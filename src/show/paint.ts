// Colours, columns and words for terminals. Decides nothing about whether colour is wanted.

import { oneLine } from '../core/clean.ts';
import { duration } from '../core/duration.ts';
import type { UnitView } from '../core/view.ts';

export { duration, oneLine };

/** Looks a text can have. */
const STYLES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;

/** The name of a look. */
export type Style = keyof typeof STYLES;

/** Gives a text a look. */
export type Paint = (style: Style, text: string) => string;

/** A painter that paints, or one that leaves every text as it is. */
export function painter(color: boolean): Paint {
  return color ? (style, text) => `\u001b[${STYLES[style]}m${text}\u001b[0m` : (_style, text) => text;
}

/** `1 unit`, `2 units`. */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** The start of a commit id as people know it. */
export function short(commit: string): string {
  return commit.slice(0, 7);
}

/** A branch as people write it. */
export function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

/** A moment for people, in the time of where the program runs: `in 12m05s (14:30)`; of another day with its date. Both ISO 8601. */
export function when(moment: string, now: string): string {
  const [at, from] = [new Date(moment), new Date(now)];
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const left = at.getTime() - from.getTime();
  return `${left <= 0 ? 'now' : `in ${duration(left)}`} (${at.toDateString() === from.toDateString() ? '' : `${date} `}${time})`;
}

/** The state of a unit while nobody works on it: what was running has been stopped. */
export function restWord(state: UnitView['state']): string {
  return state === 'running' || state === 'proving' || state === 'landing' ? 'stopped' : state;
}
