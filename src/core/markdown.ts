// Foreign text in Markdown that people or agents read: it mentions nobody, links nowhere, is no HTML and ends no quotation.

import { cleanLine, joinLines } from './clean.ts';

/** Characters of a text within a line. */
const LONGEST = 300;
/** What is not seen, or changes the direction of what follows; line ends stay. */
const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text within a line or a cell of a table: no cell ends, nobody is mentioned, nothing is a link, an image or HTML. */
export function plainText(text: string, longest = LONGEST): string {
  return line(text, longest).replaceAll(/[\\`*_{}[\]()<>#|~!&$-]/g, '\\$&').replaceAll('@', '@\u2060').replaceAll('://', ':\u2060//');
}

/** A command or name as code, also in a table. */
export function code(text: string): string {
  const shown = line(joinLines(text), LONGEST).replaceAll('|', '\\|');
  const fence = '`'.repeat(longestRun(shown) + 1);
  return fence.length === 1 ? `${fence}${shown}${fence}` : `${fence} ${shown} ${fence}`;
}

/** Gives the text fenced with more backquotes than the text has in a row, so that no text can end its own quotation. */
export function quoted(info: string, text: string): string {
  const fence = '`'.repeat(Math.max(2, longestRun(text)) + 1);
  return `${fence}${info}\n${text.replace(/\n$/, '')}\n${fence}`;
}

/** Lines as people may read them: no control characters, nothing unseen. */
export function plainLines(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll('\t', '  ').replaceAll(UNSEEN, '\uFFFD');
}

function line(text: string, longest: number): string {
  return cleanLine(text.replaceAll(/\s+/g, ' ').trim().slice(0, longest));
}

function longestRun(text: string): number {
  let longest = 0;
  for (const run of text.matchAll(/`+/g)) longest = Math.max(longest, run[0].length);
  return longest;
}
