// How a diagnostic is printed, to the character.

import { describe, expect, test } from 'vitest';
import { errorAt, renderDiagnostic, warningAt } from '../../../src/discovery/diagnostic.ts';
import { Source, wholeFile } from '../../../src/discovery/source.ts';
import type { Place } from '../../../src/discovery/source.ts';

function placeOf(text: string, word: string): Place {
  const start = text.indexOf(word);
  return new Source('a.md', text).place({ start, end: start + word.length });
}

function print(text: string, word: string): string {
  return renderDiagnostic(errorAt('some-code', 'it is wrong', { place: placeOf(text, word) }), { color: false });
}

describe('places', () => {
  test('count lines and columns from 1, with either line break', () => {
    expect(placeOf('one\r\ntwo three\r\n', 'three')).toEqual({ path: 'a.md', line: 2, col: 5, length: 5, sourceLine: 'two three' });
    expect(placeOf('one\ntwo', 'one')).toEqual({ path: 'a.md', line: 1, col: 1, length: 3, sourceLine: 'one' });
  });

  test('do not count a byte order mark', () => {
    expect(placeOf('\uFEFFone', 'one')).toEqual({ path: 'a.md', line: 1, col: 1, length: 3, sourceLine: 'one' });
  });

  test('end where their first line ends', () => {
    expect(new Source('a.md', 'one\r\ntwo').place({ start: 1, end: 8 })).toMatchObject({ line: 1, col: 2, length: 2 });
  });

  test('keep only the start of an endless line', () => {
    const place = placeOf(`${'x'.repeat(100_000)}!`, '!');
    expect(place.sourceLine).toHaveLength(2000);
    expect(place.col).toBe(100_001);
  });
});

describe('printing', () => {
  test('path, line, column, source line, squiggle, code, related places, hint', () => {
    const text = 'depends_on: [corre]\nother: 1\n';
    const d = errorAt('unknown-dependency', 'there is no `corre`', {
      place: placeOf(text, 'corre'),
      related: [{ message: 'the other', place: placeOf(text, 'other') }],
      hint: 'did you mean `core`?',
    });
    expect(renderDiagnostic(d, { color: false })).toBe([
      'a.md:1:14: error: there is no `corre` [unknown-dependency]',
      '    depends_on: [corre]',
      '                 ~~~~~',
      '  a.md:2:1: the other',
      '      other: 1',
      '      ~~~~~',
      '  hint: did you mean `core`?',
    ].join('\n'));
  });

  test('a whole file has no line', () => {
    expect(renderDiagnostic(warningAt('odd', 'it is odd', { place: wholeFile('dir') }), { color: false })).toBe('dir: warning: it is odd [odd]');
    expect(renderDiagnostic(errorAt('none', 'nowhere'), { color: false })).toBe('error: nowhere [none]');
  });

  test('tabs and wide characters keep the squiggle in place', () => {
    expect(print('\tkey: bad', 'bad')).toBe('a.md:1:7: error: it is wrong [some-code]\n      key: bad\n           ~~~');
    expect(print('键: 値段 x', '値段')).toBe('a.md:1:4: error: it is wrong [some-code]\n    键: 値段 x\n        ~~~~');
    expect(print('e\u0301: bad', 'bad')).toBe('a.md:1:5: error: it is wrong [some-code]\n    e\u0301: bad\n       ~~~');
  });

  test('the end of a line can be marked', () => {
    const place = new Source('a.md', 'key:\nnext').place({ start: 4, end: 4 });
    expect(renderDiagnostic(errorAt('c', 'm', { place }), { color: false })).toBe('a.md:1:5: error: m [c]\n    key:\n        ~');
  });

  test('control characters of a hostile file never reach the terminal', () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u202Ereversed\u2028x';
    const place = { ...placeOf(`${evil} bad`, 'bad'), path: `dir/${evil}.md` };
    const output = renderDiagnostic(errorAt('c', evil, { place, hint: evil, related: [{ message: evil, place }] }), { color: false });
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028]/u);
    expect(output).toContain('\uFFFD[2J\uFFFDreversed');
  });

  test('a long line is cut around the place', () => {
    const output = print(`${'x'.repeat(300)}bad${'y'.repeat(300)}`, 'bad');
    expect(output).toBe(`a.md:1:301: error: it is wrong [some-code]\n    …${'x'.repeat(25)}bad${'y'.repeat(72)}…\n    ${' '.repeat(26)}~~~`);
  });

  test('a place beyond what is kept of a line is not marked', () => {
    expect(print(`${'x'.repeat(100_000)}!`, '!').split('\n')).toHaveLength(2);
  });

  test('colours mark severity and squiggle when asked for', () => {
    const output = renderDiagnostic(errorAt('c', 'm', { place: placeOf('bad', 'bad') }), { color: true });
    expect(output).toBe('\u001b[1ma.md:1:1\u001b[0m: \u001b[31merror\u001b[0m: m [c]\n    bad\n    \u001b[36m~~~\u001b[0m');
  });

  test('a circle of 100,000 edges prints the first twenty', () => {
    const place = placeOf('bad', 'bad');
    const related = Array.from({ length: 100_000 }, () => ({ message: 'edge', place }));
    const output = renderDiagnostic(errorAt('c', 'm', { place, related }), { color: false });
    expect(output.split('\n')).toHaveLength(3 + 20 * 3 + 1);
    expect(output).toMatch(/… and 99980 more$/);
  });
});
