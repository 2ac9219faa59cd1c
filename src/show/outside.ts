// What changed outside the fence, as lines for people: what it is, and in which attempts.

import { cleanLine } from '../core/clean.ts';
import type { OutsideView } from '../core/outside.ts';
import { counted, oneLine } from './paint.ts';

/** Suspects that a line names. */
const NAMED = 5;

/** One line a change, at most `most`; and how many more there are. Nothing when nothing changed. */
export function outsideLines(outside: OutsideView | undefined, most: number): readonly string[] {
  if (outside === undefined) return [];
  const { changes, more } = outside;
  const left = more + Math.max(0, changes.length - most);
  return [
    ...changes.slice(0, most).map(({ change, during }) => {
      const named = during.slice(0, NAMED).map((s) => `${cleanLine(s.unit)}, ${s.what}, attempt ${s.attempt}`);
      return `${oneLine(change)}  (${named.join('; ')}${during.length > NAMED ? `; ${during.length - NAMED} more` : ''})`;
    }),
    ...(left === 0 ? [] : [`and ${left} more, in the journal`]),
  ];
}

/** The same in one line for who has no room, with the first change; undefined when nothing changed. */
export function outsideBrief(outside: OutsideView | undefined): string | undefined {
  const [first] = outside?.changes ?? [];
  if (outside === undefined || first === undefined) return undefined;
  const more = outside.changes.length - 1 + outside.more;
  return `outside the fence: ${oneLine(first.change)}${more === 0 ? '' : ` and ${counted(more, 'more change')}`}`;
}

/** What is said above such lines. */
export const OUTSIDE = 'changed outside the fence while agents ran, and left as it is; look at it:';
