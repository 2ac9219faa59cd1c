// What agents are seen doing, as lines of text. Knows no agent.

import type { Activity } from '../core/activity.ts';
import { cleanLine } from '../core/clean.ts';
import { describeSpent, tokensOf } from '../core/usage.ts';
import type { Usage } from '../core/usage.ts';
import { painter } from './paint.ts';

/** Width of the word in front. */
const WORD = 8;

/** One activity as a line without its end: `command  npm test`. */
export function renderActivity({ kind, text }: Activity, o: { readonly color: boolean }): string {
  const paint = painter(o.color);
  return `${paint(kind === 'text' ? 'dim' : 'cyan', kind.padEnd(WORD))} ${cleanLine(text)}`;
}

/** Why an agent could not go on, as a line without its end. */
export function renderTrouble(trouble: { readonly kind: string; readonly text: string }, o: { readonly color: boolean }): string {
  return `${painter(o.color)('red', trouble.kind.padEnd(WORD))} ${cleanLine(trouble.text)}`;
}

/** What a session used, as a line without its end. */
export function renderUsage(u: Usage, o: { readonly color: boolean }): string {
  const number = (n: number): string => Math.round(n).toLocaleString('en-US');
  const parts = [
    describeSpent({ usd: u.usd ?? 0, tokens: tokensOf(u) }) || 'nothing',
    `(${number(u.input)} in, ${number(u.output)} out, ${number(u.cacheRead)} from cache, ${number(u.cacheWrite)} into it)`,
    ...(u.model === undefined ? [] : [cleanLine(u.model)]),
  ];
  return `${painter(o.color)('dim', 'used'.padEnd(WORD))} ${parts.join(' ')}`;
}
