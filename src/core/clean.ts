// Makes text from outside (specs, file names, output) safe to print on a terminal. Does no layout.

// What joins letters (in emoji, in Persian) is part of words; what turns the direction of text or cannot be seen at all is not.
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Gives back one line that is safe to print: tabs become spaces, every other control, format or half character becomes U+FFFD. */
export function cleanLine(text: string): string {
  return text.replaceAll('\t', ' ').replace(UNSAFE, '\uFFFD');
}

/** A word for people to paste into a shell, quoted where it must be. */
export function shellWord(text: string): string {
  return /^[\w./@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
