// Where history is cut off, choo finds in it what git finds.

import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
beforeEach(() => {
  repo = makeRepository();
});
afterEach(() => repo.close());

const base = (a: string, b: string): string | undefined => {
  try {
    return repo.git('merge-base', a, b);
  } catch {
    return undefined;
  }
};

it('the commit two have in common is the one git names, as history is cut off, deeper, and whole again', async () => {
  const work = repo.worktree();
  const ids = ['1', '2', '3', '4'].map((text) => repo.commit({ a: text }));
  repo.git('-C', work, 'reset', '-q', '--hard', ids[1] ?? '');
  repo.git('-C', work, 'commit', '-q', '--allow-empty', '-m', 'side');
  const side = repo.git('rev-parse', 'linked');
  const git = repo.open();
  const shallow = join(repo.root, '.git/shallow');
  const compare = async (): Promise<readonly (string | undefined)[]> => {
    const found = [];
    for (const a of [...ids, side]) for (const b of [...ids, side]) {
      found.push(await git.mergeBase(a, b));
      expect(found.at(-1), `${a} ${b}`).toBe(base(a, b));
    }
    return found;
  };
  const whole = await compare();
  expect(whole).not.toContain(undefined);
  // Everything is remembered now, which is worth nothing here.
  writeFileSync(shallow, `${ids[2] ?? ''}\n${side}\n`);
  expect(await compare()).toContain(undefined);
  // Its first commit is the first of all: what is in it is new.
  expect([...(await git.ownPaths(ids[0] ?? '', ids[3] ?? ''))].toSorted()).toEqual(['README', 'a']);
  writeFileSync(shallow, `${ids[1] ?? ''}\n`);
  await compare();
  rmSync(shallow);
  symlinkSync(join(repo.base, 'list'), shallow);
  writeFileSync(join(repo.base, 'list'), `${ids[2] ?? ''}\n`);
  await compare();
  writeFileSync(join(repo.base, 'list'), `${side}\n`);
  await compare();
  rmSync(shallow);
  expect(await compare()).toEqual(whole);
});

it('a list that choo does not read leaves every question to git', async () => {
  const [first, second] = [repo.git('rev-parse', 'HEAD'), repo.commit({ a: '1' })];
  const git = repo.open();
  expect(await git.mergeBase(second, first)).toBe(first);
  writeFileSync(join(repo.root, '.git/shallow'), Array.from({ length: 120_000 }, () => second).join('\n'));
  expect(await git.mergeBase(second, first)).toBe(base(second, first));
  expect(base(second, first)).toBeUndefined();
});
