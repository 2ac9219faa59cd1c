// The release knows nothing of the failpoints.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const top = join(import.meta.dirname, '..', '..');

it('is built for release without failpoints: no name, no call, no variable', () => {
  const points = readFileSync(join(top, 'src', 'failpoint.ts'), 'utf8');
  const names = [...points.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, name]) => name ?? '');
  expect(names).toEqual(expect.arrayContaining(['ref-moved', 'journalled', 'checkout-advanced']));
  const bundles = readdirSync(join(top, 'dist')).filter((name) => /\.c?js$/.test(name));
  expect(bundles).toContain('main.js');
  const found = bundles.flatMap((name) => {
    const text = readFileSync(join(top, 'dist', name), 'utf8');
    // A name in quotes: words of a sentence may be the same.
    return [/failpoint/i, ...names.map((point) => new RegExp(`["'\`]${point}["'\`]`))].filter((pattern) => pattern.test(text)).map((pattern) => `${name}: ${String(pattern)}`);
  });
  expect(found).toEqual([]);
});
