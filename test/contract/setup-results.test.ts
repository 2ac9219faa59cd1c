// What setup commands made, kept and copied by the real file system and `cp`.

import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { realSetupResults } from '../../src/adapters/setup-results.ts';
import type { SetupResults } from '../../src/world.ts';

let top = '';
let results: SetupResults;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'choo-test-'));
  results = realSetupResults(join(top, 'results'), process.env);
});
afterEach(() => rmSync(top, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), text);
}

/** A worktree with what a package manager makes. */
function installed(): { readonly worktree: string; readonly paths: readonly string[] } {
  put('a/deps/pkg/run.sh', '#!/bin/sh\n');
  chmodSync(join(top, 'a/deps/pkg/run.sh'), 0o755);
  mkdirSync(join(top, 'a/deps/bin'));
  symlinkSync('../pkg/run.sh', join(top, 'a/deps/bin/run'));
  put('a/made.txt', 'made');
  return { worktree: join(top, 'a'), paths: ['deps', 'made.txt'] };
}

describe('a result', () => {
  test('is copied with modes and links, and shares no file with any other copy', async () => {
    const from = installed();
    linkSync(join(top, 'a/made.txt'), join(top, 'elsewhere'));
    expect(await results.keep('k', from)).toBeUndefined();
    for (const name of ['b', 'c']) {
      mkdirSync(join(top, name));
      expect(await results.take('k', { ...from, worktree: join(top, name) })).toBe(true);
      expect(readFileSync(join(top, name, 'deps/pkg/run.sh'), 'utf8')).toBe('#!/bin/sh\n');
      expect(statSync(join(top, name, 'deps/pkg/run.sh')).mode % 0o1000).toBe(0o755);
      expect(readlinkSync(join(top, name, 'deps/bin/run'))).toBe('../pkg/run.sh');
    }
    writeFileSync(join(top, 'b/made.txt'), 'changed');
    expect(readFileSync(join(top, 'c/made.txt'), 'utf8')).toBe('made');
    expect(readFileSync(join(top, 'elsewhere'), 'utf8')).toBe('made');
    expect(statSync(join(top, 'c/made.txt')).nlink).toBe(1);
  });

  test('is neither kept nor taken through a link in the place of the folder or of an entry', async () => {
    const from = installed();
    put('mine/text', 'mine');
    symlinkSync(join(top, 'mine'), join(top, 'results'));
    expect(await results.keep('k', from)).toContain('a symbolic link leads from');
    expect(readdirSync(join(top, 'mine'))).toEqual(['text']);
    rmSync(join(top, 'results'));
    mkdirSync(join(top, 'results'));
    symlinkSync(join(top, 'mine'), join(top, 'results/k'));
    mkdirSync(join(top, 'b'));
    expect(await results.take('k', { ...from, worktree: join(top, 'b') })).toBe(false);
  });

  test('that nobody kept is not there, and nothing is made for it', async () => {
    mkdirSync(join(top, 'b'));
    expect(await results.take('k', { worktree: join(top, 'b'), paths: ['deps'] })).toBe(false);
    expect(readdirSync(top)).toEqual(['b']);
  });

  test('is not kept when the command did not make all of it, and then none of it is', async () => {
    const { worktree } = installed();
    expect(await results.keep('k', { worktree, paths: ['deps', 'never'] })).toBe('it did not make never');
    symlinkSync('/etc', join(top, 'a/link'));
    expect(await results.keep('k', { worktree, paths: ['link'] })).toBe('it did not make link');
    expect(readdirSync(join(top, 'results'))).toEqual([]);
  });

  test('stays away from what stands there already', async () => {
    const from = installed();
    await results.keep('k', from);
    put('b/made.txt', 'mine');
    expect(await results.take('k', { ...from, worktree: join(top, 'b') })).toBe(false);
    expect(readFileSync(join(top, 'b/made.txt'), 'utf8')).toBe('mine');
    expect(existsSync(join(top, 'b/deps'))).toBe(false);
  });

  test('is never written through a link of the worktree', async () => {
    put('a/sub/deps/x', 'x');
    expect(await results.keep('k', { worktree: join(top, 'a'), paths: ['sub/deps'] })).toBeUndefined();
    mkdirSync(join(top, 'outside'));
    mkdirSync(join(top, 'b'));
    symlinkSync(join(top, 'outside'), join(top, 'b/sub'));
    expect(await results.take('k', { worktree: join(top, 'b'), paths: ['sub/deps'] })).toBe(false);
    expect(readdirSync(join(top, 'outside'))).toEqual([]);
  });

  test('whose copy fails leaves nothing behind', async () => {
    const from = installed();
    await results.keep('k', from);
    rmSync(join(top, 'results/k/1'));
    mkdirSync(join(top, 'b'));
    expect(await results.take('k', { ...from, worktree: join(top, 'b') })).toBe(false);
    expect(readdirSync(join(top, 'b'))).toEqual([]);
  });
});

describe('the folder', () => {
  test('keeps the eight that were used last, and nothing that a crash left half made', async () => {
    const from = installed();
    for (let n = 1; n <= 9; n += 1) {
      if (n === 9) mkdirSync(join(top, 'results/making-by-a-dead-one/0'), { recursive: true });
      expect(await results.keep(`k${n}`, from)).toBeUndefined();
      utimesSync(join(top, `results/k${n}`), n, n);
      if (n !== 3) continue;
      mkdirSync(join(top, 'b'));
      await results.take('k1', { ...from, worktree: join(top, 'b') });
    }
    expect(readdirSync(join(top, 'results')).toSorted()).toEqual(['k1', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9']);
    expect(lstatSync(join(top, 'results/k9/0')).isDirectory()).toBe(true);
  });
});

test('a key changes with the command, the paths and the content of each file, and with nothing else', async () => {
  put('a/lock', 'one');
  put('b/lock', 'one');
  const o = { worktree: join(top, 'a'), command: 'make deps', by: ['lock', 'other'], makes: ['deps'] };
  const key = await results.key(o);
  expect(await results.key({ ...o, worktree: join(top, 'b') })).toBe(key);
  put('b/unnamed', 'whatever');
  expect(await results.key({ ...o, worktree: join(top, 'b') })).toBe(key);
  put('b/other', '');
  const others = [
    await results.key({ ...o, worktree: join(top, 'b') }),
    await results.key({ ...o, command: 'make  deps' }),
    await results.key({ ...o, makes: ['deps', 'more'] }),
    await results.key({ ...o, by: ['other', 'lock'] }),
  ];
  mkdirSync(join(top, 'a/other'));
  others.push(await results.key(o));
  expect(new Set([key, ...others]).size).toBe(6);
});
