// What `choo status --watch` writes on a terminal: over the last status, within its size, nothing left of what was longer.

import { describe, expect, it } from 'vitest';
import { drawOver } from '../../../src/commands/screen.ts';

const plain = (drawn: string): readonly string[] => drawn.replace('\u001b[H', '').replace('\u001b[J', '').replaceAll('\u001b[K', '').trimEnd().split('\n');
const text = (n: number): string => `${Array.from({ length: n }, (_, i) => `line ${i + 1}`).join('\n')}\n`;

describe('a status on a screen', () => {
  it('is drawn line over line; the rest of each, and what was below, is cleared', () => {
    expect(drawOver('a\nb\n', { rows: 24, columns: 80 }, false)).toBe('\u001b[Ha\u001b[K\nb\u001b[K\n\u001b[J');
  });

  it.each([
    [text(5), [10, 80], text(5).trimEnd().split('\n')],
    [text(9), [10, 80], text(9).trimEnd().split('\n')],
    [text(10), [10, 80], [...text(8).trimEnd().split('\n'), '… 2 more lines']],
    [text(10), [undefined, undefined], text(10).trimEnd().split('\n')],
    ['x'.repeat(25).concat('\nb\nc\nd\n'), [5, 10], ['x'.repeat(25), '… 3 more lines']],
    ['\u001b[31mred\u001b[0m\nb\nc\n', [4, 3], ['\u001b[31mred\u001b[0m', 'b', 'c']],
    [text(10), [1, 80], ['line 1', '… 9 more lines']],
  ] as const)('%j in rows and columns %j', (all, [rows, columns], shown) => expect(plain(drawOver(all, { rows, columns }, false))).toEqual(shown));

  it('that is the last one is whole', () => expect(plain(drawOver(text(50), { rows: 10, columns: 80 }, true))).toHaveLength(50));
});
