// Makes text from outside (specs, file names, output) safe to print on a terminal. Does no layout.

// What joins letters (in emoji, in Persian) is part of words; what turns the direction of text or cannot be seen at all is not.
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Gives back one line that is safe to print: tabs become spaces, every other control, format or half character becomes U+FFFD. */
export function cleanLine(text: string): string {
  return text.replaceAll('\t', ' ').replace(UNSAFE, '\uFFFD');
}

/** The lines of a text as one, joined by `;` as a shell would take them; a text of one line stays as it is. */
export function joinLines(text: string): string {
  if (!/[\r\n]/.test(text)) return text;
  return text.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => line !== '').join('; ');
}

/** A text from outside as one safe line: the lines of a shell command are joined by `;`. */
export function oneLine(text: string): string {
  return cleanLine(joinLines(text).trim());
}

/** A word for people to paste into a shell, quoted where it must be. */
export function shellWord(text: string): string {
  return /^[\w./@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
