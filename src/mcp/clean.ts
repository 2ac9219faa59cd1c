// Makes what came from specs, agents and programs fit for an assistant: no characters that nobody sees, nothing without an end.

/** Controls, format characters, half characters, and selectors that can carry hidden text; line ends and tabs stay. */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{E0100}-\u{E01EF}]/gu;

/** Longest text of one value, characters. */
const LONGEST_TEXT = 4000;
/** Longest list that is no list of units. */
const LONGEST_LIST = 200;
/** Deeper values are none of choo's. */
const DEEPEST = 20;

/** The text with U+FFFD for every character that nobody sees. */
export function cleanText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN, '\uFFFD');
}

/** A copy of some JSON, its texts cleaned and cut, its lists cut; `cuts` says how often something was cut. `whole`: names of lists and texts that are not cut. */
export function cleanData(value: unknown, whole: readonly string[] = []): { readonly data: unknown; readonly cuts: number } {
  let cuts = 0;
  const text = (raw: string): string => {
    if (raw.length <= LONGEST_TEXT) return cleanText(raw);
    cuts += 1;
    // A cut in the midst of a character leaves a half of it, which is cleaned away.
    return `${cleanText(raw.slice(0, LONGEST_TEXT))}…`;
  };
  const copy = (one: unknown, depth: number, name = ''): unknown => {
    if (typeof one === 'string') return whole.includes(name) ? cleanText(one) : text(one);
    if (typeof one !== 'object' || one === null) return one;
    if (depth > DEEPEST) return null;
    if (!Array.isArray(one)) return Object.fromEntries(Object.entries(one).map(([key, inner]) => [cleanText(key), copy(inner, depth + 1, key)]));
    const list: readonly unknown[] = one;
    if (list.length > LONGEST_LIST && !whole.includes(name)) cuts += 1;
    return (whole.includes(name) ? list : list.slice(0, LONGEST_LIST)).map((inner) => copy(inner, depth + 1));
  };
  return { data: copy(value, 0), cuts };
}
