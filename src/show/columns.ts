// How many columns of a terminal a text takes, and columns of texts. Texts are safe already.

import stringWidth from 'string-width';

/** Columns a safe text takes. */
export function widthOf(text: string): number {
  return /^[\u0020-\u007e]*$/.test(text) ? text.length : stringWidth(text);
}

/** The columns that the widest of some texts takes: at least `least`, at most `most`. */
export function widest(texts: readonly string[], o: { readonly least: number; readonly most: number }): number {
  return Math.min(o.most, texts.reduce((most, text) => Math.max(most, widthOf(text)), o.least));
}

/** The text with spaces after it up to so many columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}
