// Which pairs of units are predicted: by what they touch, by the files that are there, by what changed together; and the bounds.

import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../../src/core/graph.ts';
import { describeOverlap } from '../../../src/core/overlap.ts';
import type { Unit } from '../../../src/core/plan.ts';
import { Order } from '../../../src/discovery/order.ts';
import { OVERLAP_BOUNDS, predictOverlaps } from '../../../src/discovery/overlap.ts';
import type { Prediction } from '../../../src/discovery/overlap.ts';
import { changedTogether } from '../../../src/discovery/together.ts';

function unit(id: string, touches: readonly string[] = [], dependsOn: readonly string[] = []): Unit {
  return { id, dir: id, planPath: id, dependsOn, tasks: [], checks: [], touches };
}

let matched = 0;
function predict(units: readonly Unit[], o: { readonly paths?: readonly string[]; readonly commits?: readonly (readonly string[])[] } = {}): Prediction {
  const matcher = (glob: string): ((path: string) => boolean) | undefined => {
    if (glob.trim() === '') return undefined;
    const matches = picomatch(glob, { dot: true });
    return (path) => {
      matched++;
      return matches(path);
    };
  };
  return predictOverlaps({ graph: buildGraph(units), paths: o.paths ?? [], commits: o.commits ?? [], matcher });
}

const told = (p: Prediction): string[] => p.overlaps.map(({ units: [a, b], reason }) => `${a} ${b}: ${describeOverlap(reason)}`);
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);

describe('by what units touch', () => {
  test('pairs are told with their globs, and with a file that is there', () => {
    const units = [unit('b', ['src/api/**']), unit('a', ['src/api/**', 'x']), unit('c', ['src/**/*.md']), unit('d', ['docs/**']), unit('e')];
    expect(told(predict(units, { paths: ['src/web/b.md', 'src/api/a.md', 'docs/a.md'] }))).toEqual([
      'a b: both mean to change src/api/**',
      'a c: both mean to change src/api/a.md (src/api/** and src/**/*.md)',
      'b c: both mean to change src/api/a.md (src/api/** and src/**/*.md)',
    ]);
    expect(told(predict(units)).at(-1)).toBe('b c: both may change the same files (src/api/** and src/**/*.md)');
  });

  test('not of units that wait for each other anyway, however far', () => {
    const units = [unit('a', ['x']), unit('b', [], ['a']), unit('c', ['x'], ['b']), unit('d', ['x'], ['a'])];
    expect(told(predict(units))).toEqual(['c d: both mean to change x']);
  });

  test('of nothing, of one, and of globs that are none', () => {
    expect([predict([]), predict([unit('a', ['**']), unit('b')]), predict([unit('a', ['', ' ']), unit('b', ['**'])])]).toEqual([{ overlaps: [] }, { overlaps: [] }, { overlaps: [] }]);
  });

  test('ids of any kind are theirs', () => {
    expect(told(predict([unit('constructor', ['__proto__/**']), unit('__proto__', ['__proto__/a'])]))).toEqual(['__proto__ constructor: both may change the same files (__proto__/a and __proto__/**)']);
  });
});

describe('by the history', () => {
  const paths = ['src/api.ts', 'src/routes.ts', 'CHANGELOG.md', 'a', 'b'];
  const units = [unit('a', ['src/api.ts']), unit('b', ['src/r*.ts'])];

  test('files that changed together make a pair, with the numbers', () => {
    const commits = [...times(7, ['src/api.ts', 'src/routes.ts', 'CHANGELOG.md']), ['src/api.ts'], ['src/routes.ts', 'gone']];
    expect(told(predict(units, { paths, commits }))).toEqual(['a b: src/api.ts and src/routes.ts changed together in 7 of the last 9 commits that touched either']);
    expect(told(predict([unit('a', ['src/r*.ts']), unit('b', ['src/api.ts'])], { paths, commits }))[0]).toMatch(/^a b: src\/routes\.ts and src\/api\.ts changed/);
    expect(told(predict([unit('a', ['src/api.ts']), unit('b', ['src/r*.ts'], ['a'])], { paths, commits }))).toEqual([]);
  });

  test('what units touch is the stronger reason', () => {
    expect(told(predict([...units, unit('c', ['src/**'])], { paths, commits: times(5, paths.slice(0, 2)) }))).toEqual([
      'a b: src/api.ts and src/routes.ts changed together in 5 of the last 5 commits that touched either',
      'a c: both mean to change src/api.ts (src/api.ts and src/**)', 'b c: both mean to change src/routes.ts (src/r*.ts and src/**)',
    ]);
  });

  test.each([
    ['too few commits', times(2, ['src/api.ts', 'src/routes.ts'])],
    ['too few of those that changed either', [...times(3, ['src/api.ts', 'src/routes.ts']), ...times(4, ['src/api.ts'])]],
    ['commits that changed everything', times(9, [...paths, ...times(60, 0).map((_, i) => `f${i}`)])],
    ['files that are gone', times(9, ['gone', 'src/routes.ts'])],
    ['commits of long ago', [...times(500, ['a']), ...times(9, ['src/api.ts', 'src/routes.ts'])]],
  ])('%s make none', (_name, commits) => {
    expect(told(predict(units, { paths, commits }))).toEqual([]);
  });

  test('a file that only both of them would bring in makes none', () => {
    expect(told(predict([unit('a', ['a']), unit('b', ['b'])], { paths, commits: [...times(3, ['a', 'CHANGELOG.md']), ...times(3, ['b', 'CHANGELOG.md'])] }))).toEqual([]);
    expect(changedTogether(times(3, ['b', 'a', 'b']), new Set(['a', 'b'])).get('a')).toEqual([{ path: 'b', together: 3, of: 3 }]);
  });
});

describe('bounds', () => {
  test('a hundred thousand units without touches cost nothing but a look at each', () => {
    const units = [...Array.from({ length: 100_000 }, (_, i) => unit(`u${i}`)), unit('x', ['**'])];
    const graph = buildGraph(units);
    const paths = { [Symbol.iterator](): Iterator<string> { throw new Error('nobody looks at the files'); } };
    expect(predictOverlaps({ graph, paths, commits: [], matcher: () => undefined })).toEqual({ overlaps: [] });
  });

  test('two thousand units that touch things of their own and share one compare few globs and match few paths', () => {
    const units = Array.from({ length: 2000 }, (_, i) => unit(`u${String(i).padStart(4, '0')}`, [`src/m${i}/**`, `test/m${i}/*.ts`, i % 1000 === 0 ? 'docs/**' : `docs/m${i}.md`]));
    const paths = Array.from({ length: 80_000 }, (_, i) => `src/m${i % 2000}/f${i}.ts`);
    matched = 0;
    const from = performance.now();
    const p = predict(units, { paths, commits: times(500, paths.slice(0, 50)) });
    expect(p.incomplete).toBeUndefined();
    // Two units of docs/** with one another and with each of the others; the first fifty with each other.
    expect(p.overlaps.filter((o) => o.reason.by === 'touches').length).toBe(1 + 2 * 1998);
    expect(p.overlaps.filter((o) => o.reason.by === 'history').length).toBe((49 * 48) / 2);
    expect(matched).toBeLessThan(OVERLAP_BOUNDS.matches);
    expect(performance.now() - from).toBeLessThan(20_000);
  });

  test('two thousand units that all touch everything end at a bound that is told', () => {
    const units = Array.from({ length: 2000 }, (_, i) => unit(`u${i}`, [`${'*'.repeat(1 + (i % 2))}/a${i}*/*.ts`, '**']));
    const p = predict(units);
    expect([p.overlaps.length, p.incomplete]).toEqual([OVERLAP_BOUNDS.pairs, `more than ${OVERLAP_BOUNDS.pairs} pairs of units`]);
  });

  test('globs that are all different, in one folder and never meeting, end at a bound that is told', () => {
    const units = Array.from({ length: 1200 }, (_, i) => unit(`u${i}`, [`*/a${i}-*/x.ts`]));
    expect(predict(units)).toEqual({ overlaps: [], incomplete: `more than ${OVERLAP_BOUNDS.comparisons} pairs of globs` });
  });

  test('more units than are compared are told', () => {
    const units = Array.from({ length: OVERLAP_BOUNDS.units + 1 }, (_, i) => unit(`u${i}`, [`d${i}/**`]));
    expect(predict(units)).toEqual({ overlaps: [], incomplete: `only the first ${OVERLAP_BOUNDS.units} units with touches were compared` });
  });
});

test('who waits for whom is the same as by walking the graph', () => {
  let seed = 7;
  const below = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const units = Array.from({ length: 2500 }, (_, i) => unit(`u${i}`, [], [...new Set([below(Math.max(1, i)), below(Math.max(1, i))])].filter((d) => d < i && below(3) > 0).map((d) => `u${d}`)));
  const graph = buildGraph(units);
  const looked = Array.from({ length: 1100 }, (_, i) => i * 2 + (i % 2));
  const order = new Order(graph, looked);
  const behind = (unit_: number): ReadonlySet<number> => {
    const seen = new Set<number>();
    const open = [unit_];
    for (let at = open.pop(); at !== undefined; at = open.pop()) for (const d of graph.deps[at] ?? []) if (!seen.has(d)) { seen.add(d); open.push(d); }
    return seen;
  };
  for (let n = 0; n < 300; n++) {
    const a = below(1100);
    const waits = behind(looked[a] ?? 0);
    for (let m = 0; m < 20; m++) {
      const b = below(1100);
      expect(order.ordered(a, b)).toBe(waits.has(looked[b] ?? 0) || behind(looked[b] ?? 0).has(looked[a] ?? 0));
    }
  }
});
