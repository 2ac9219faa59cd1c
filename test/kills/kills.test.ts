// Some of the real kills at every `npm test`, and the promise that the release knows nothing of them. All of them: main.mjs.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const top = join(import.meta.dirname, '..', '..');

it('comes to the same end however often it is killed, at failpoints and at any moment', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.mjs'), '--runs', '2', '--kills', '10', '--seed', '20', '--jobs', '2'], { encoding: 'utf8' });
  expect(stdout + stderr).toMatch(/\d+ kills/);
  expect(status, `${stdout}${stderr}`).toBe(0);
});

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
