// What choo makes through an index of its own leaves nothing of it in the repository, also where the user's indices are in parts.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
beforeEach(() => {
  repo = makeRepository();
  repo.commit({ a: '1\n', b: '1\n' });
  repo.git('config', 'core.splitIndex', 'true');
});
afterEach(() => repo.close());

const parts = (): readonly string[] => readdirSync(join(repo.root, '.git'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('sharedindex.'));

it('a tree with paths of another commit', async () => {
  const git = repo.open();
  const [ours, theirs] = [repo.git('rev-parse', 'HEAD'), repo.commit({ a: 'theirs\n' })];
  const before = parts();
  const tree = await git.treeWith(await git.treeOf(ours), { commit: theirs, paths: ['a'] });
  expect(tree).toBe(repo.git('rev-parse', `${theirs}^{tree}`));
  expect(parts()).toEqual(before);
});

it('work that is kept', async () => {
  const git = repo.open();
  const work = repo.worktree();
  repo.write('b', 'changed\n', work);
  repo.write('new', 'new\n', work);
  repo.git('-C', work, 'add', 'b');
  const before = parts();
  expect(before).not.toEqual([]);
  const kept = await git.keep(work, { ref: 'refs/choo/kept/x', message: 'kept' });
  expect(repo.git('diff', '--name-only', 'main', kept).split('\n')).toEqual(['b', 'new']);
  expect(parts()).toEqual(before);
});
