// What an agent prints may not steer the terminal it is read on.

import { describe, expect, it } from 'vitest';
import { shellWord } from '../../../src/core/clean.ts';
import { duration } from '../../../src/show/paint.ts';
import { safeOutput } from '../../../src/show/output.ts';

describe('output on a terminal', () => {
  it.each([
    ['plain text', 'plain text'],
    ['\u001b[31mred\u001b[0m', '\u001b[31mred\u001b[0m\u001b[0m'],
    ['\u001b[1;31mleft on', '\u001b[1;31mleft on\u001b[0m'],
    ['clear\u001b[2J\u001b[H', 'clear'],
    ['title\u001b]0;owned\u0007 set', 'title set'],
    ['link \u001b]8;;http://x\u001b\\text', 'link text'],
    ['\u001bPdevice control\u001b\\after', 'after'],
    ['\u001b7\u001b(Bsaved', 'saved'],
    ['10%\r50%\r100%\r', '100%'],
    ['bell\u0007 and \u202eback\u2066wards\u0000', 'bell and backwards'],
    ['c1 \u009b2Jclear', 'c1 clear'],
    ['tab\tstays', 'tab\tstays'],
  ])('%j is shown as %j', (line, shown) => expect(safeOutput(line)).toBe(shown));
});

describe('words', () => {
  it.each([[0, '0.0s'], [412, '0.4s'], [59_999, '60.0s'], [60_000, '1m00s'], [245_000, '4m05s'], [7_380_000, '2h03m']])('%d ms are %s', (ms, text) => expect(duration(ms)).toBe(text));
  it.each([['plain-1.0', 'plain-1.0'], ['a b', `'a b'`], [`it's`, `'it'\\''s'`], ['$(rm)', `'$(rm)'`]])('%s is pasted as %s', (word, quoted) => expect(shellWord(word)).toBe(quoted));
});
