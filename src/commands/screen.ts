// Draws a text over the last one on a terminal: no flicker, as many lines as there is room for. Knows nothing of what it draws.

import { stripVTControlCharacters } from 'node:util';

/** The terminal's size, as far as it is known. */
export interface Size {
  readonly rows: number | undefined;
  readonly columns: number | undefined;
}

const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** What draws the text over what was there; `whole`: it is the last, and may scroll. */
export function drawOver(text: string, size: Size, whole: boolean): string {
  const lines = text.trimEnd().split('\n');
  const shown = whole ? lines : fitting(lines, size);
  return `${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`;
}

/** So that the terminal does not scroll; a line that is too long takes several rows. */
function fitting(lines: readonly string[], { rows, columns }: Size): readonly string[] {
  if (rows === undefined) return lines;
  const heights = lines.map((line) => (columns === undefined ? 1 : Math.max(1, Math.ceil([...stripVTControlCharacters(line)].length / columns))));
  // The last row stays free for the cursor.
  const room = rows - 1;
  if (heights.reduce((sum, height) => sum + height, 0) <= room) return lines;
  let used = 1;
  const end = heights.findIndex((height) => (used += height) > room);
  const shown = Math.max(1, end);
  return [...lines.slice(0, shown), `… ${lines.length - shown} more lines`];
}
