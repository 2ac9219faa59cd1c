// The hidden first line by which choo knows its own texts again. Whose text it is in is for others to look at: anybody can write one.

/** Longer words are no markers, characters. */
const LONGEST = 200;
const FIRST_LINE = new RegExp(String.raw`^<!-- choo:([^\s<>]{1,${LONGEST}}) -->[ \t]*(?:\r?\n|$)`);
const UNFIT = /[^\w.:=/+@-]/g;

/** A text with its marker. What a marker cannot hold is left out of the word. */
export function marked(word: string, body: string): string {
  return `<!-- choo:${fitting(word)} -->\n${body}`;
}

/** The word that a text is marked with. */
export function markerOf(text: string): string | undefined {
  return FIRST_LINE.exec(text)?.[1];
}

/** True when a text bears just this marker. */
export function hasMarker(text: string, word: string): boolean {
  return markerOf(text) === fitting(word);
}

/** A text without its marker. */
export function unmarked(text: string): string {
  return text.replace(FIRST_LINE, '');
}

/** The marker of the answer to some feedback. */
export function answerWord(feedback: string): string {
  return `answer:${feedback}`;
}

function fitting(word: string): string {
  // Two hyphens would end the comment in some readers of HTML.
  return word.replace(UNFIT, '').replace(/-{2,}/g, '-').slice(0, LONGEST);
}
