// Pieces of HTML. Every text from outside becomes markup here and nowhere else: a piece is text that was made safe, or made of such.

import { cleanLine } from '../core/clean.ts';

/** Markup that is safe as it is. */
export interface Markup {
  readonly html: string;
}

/** What may stand in a template: markup as it is, everything else as text. */
type Part = Markup | string | number | readonly Markup[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** One line of text from outside: nothing in it is markup, steers anything, or turns the direction of writing. */
function safe(text: string): string {
  return cleanLine(text).replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? '');
}

/** Markup with everything that is put in made safe, for elements and for quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return { html: parts.map((part, i) => part + (i < values.length ? render(values[i] ?? '') : '')).join('') };
}

function render(part: Part): string {
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return safe(part);
  return 'html' in part ? part.html : part.map((one) => one.html).join('');
}

/** Several lines of text from outside. */
export function lines(texts: readonly string[]): Markup {
  return { html: texts.map(safe).join('\n') };
}

/** Markup of nothing at all, where a part is left out. */
export const NONE: Markup = { html: '' };
