// Whether two globs can meet: by examples, and against picomatch on random globs and paths, where a no must never be wrong.

import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { meet, shapeOf } from '../../../src/discovery/globs.ts';

const met = (a: string, b: string): boolean => meet(shapeOf(a), shapeOf(b));

describe('two globs', () => {
  test.each([
    ['src/api/**', 'src/api/**'], ['src/**', 'src/api/x.ts'], ['**/*.ts', 'src/api/**'], ['src/*.ts', 'src/a*'], ['*', 'package.json'],
    ['src/**/index.ts', 'src/index.ts'], ['a/**/b', '**/c/b'], ['{src,lib}/x.ts', 'lib/*'], ['src/[ab].ts', 'src/a.ts'], ['!docs/**', 'src/a.ts'],
    ['./src/a', 'src/a'], ['src/@(a|b)/c', 'src/a/c'], ['a?c', 'abc'], ['a+b', 'a+b'], ['{a/b,c}/d', 'c/d'], ['!(x)', 'a/b'], ['"a"', 'a'],
  ])('%s and %s can meet', (a, b) => {
    expect([met(a, b), met(b, a)]).toEqual([true, true]);
  });

  test.each([
    ['src/api/**', 'src/web/**'], ['src/*.ts', 'src/a/*.ts'], ['*.ts', '*.md'], ['docs/**', 'src/**'], ['src/a*', 'src/b*'], ['a/**/b', 'a/**/c'],
    ['src/a?', 'src/abc'], ['src/*', 'src'], ['src/{a,b}.ts', 'lib/a.ts'], ['README.md', 'readme.md'], ['src/a', 'src/a/b'],
  ])('%s and %s cannot', (a, b) => {
    expect([met(a, b), met(b, a)]).toEqual([false, false]);
  });

  test('is soon known of long ones', () => {
    expect(met(`${'**/a/'.repeat(5000)}b`, `${'**/b/'.repeat(5000)}a`)).toBe(true);
    expect(met(`${'*a'.repeat(120)}x`, `${'*b'.repeat(120)}y`)).toBe(false);
  });

  test('a no is right: no path of many is matched by both', () => {
    let seed = 20260101;
    const below = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    const pieces = ['a', 'b', '*', '**', '?', 'a*', '*b', '{a,b}', '[ab]', '[!a]', '!(a)', '@(a|b)', '+(a)', '?(a)b', 'a**', '\\*', 'a!', '!', '.', '{a,**}', '{a', 'b}', '(a|b)', '"a"', '"a', '}{a', '{\\}', '*.a', '.a', ''];
    const some = (from: readonly string[], most: number): string => Array.from({ length: 1 + below(most) }, () => from[below(from.length)] ?? '').join('/');
    const names = ['a', 'b', 'ab', 'aa', '.a', '*', 'a!', 'b.a', '!'];
    const paths = [...new Set(Array.from({ length: 400 }, () => some(names, 4)))];
    let no = 0;
    for (let n = 0; n < 6000; n++) {
      const [a, b] = [some(pieces, 4), some(pieces, 4)];
      if (a === '' || b === '' || met(a, b)) continue;
      no++;
      const [x, y] = [picomatch(a, { dot: true }), picomatch(b, { dot: true })];
      expect([a, b, paths.filter((p) => x(p) && y(p))]).toEqual([a, b, []]);
    }
    expect(no).toBeGreaterThan(200);
  });
});
