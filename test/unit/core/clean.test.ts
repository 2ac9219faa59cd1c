// Text from outside on one line of a terminal: what steers or hides goes, what belongs to words stays.

import { describe, expect, it } from 'vitest';
import { cleanLine } from '../../../src/core/clean.ts';

describe('a cleaned line', () => {
  it.each([
    ['a family', '👩‍👩‍👧‍👦'], ['Persian with a joint left open', 'می‌خواهم'], ['wide letters', '日本'], ['letters with marks', 'é ñ'],
  ])('keeps %s', (_, text) => {
    expect(cleanLine(text)).toBe(text);
  });

  it.each([
    ['an escape', '\u001b[31m'], ['a line break', 'a\nb'], ['what turns the direction', 'a\u202eb'], ['an isolate', 'a\u2066b'], ['what nobody sees', 'a\u00adb\ufeffc'], ['a half character', 'a\ud800b'], ['a tag', 'a\u{e0041}b'],
  ])('shows that there was %s', (_, text) => {
    const cleaned = cleanLine(text);
    expect(cleaned).toContain('\uFFFD');
    expect(Array.from(cleaned).filter((letter) => !/^[ -~\uFFFD]$/.test(letter))).toEqual([]);
  });
});
