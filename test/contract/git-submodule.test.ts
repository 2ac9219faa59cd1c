// A submodule's commit is an object of another repository: a path like any other, and no reason to remove what a commit has.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeProgram, makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
let work: string;
let commit: string;
beforeEach(() => {
  repo = makeRepository();
  work = repo.worktree();
  for (const path of ['mod', 'in/ner']) {
    repo.git('init', '-q', join(work, path));
    repo.write(`${path}/file`, '1\n', work);
    inside(path, 'add', 'file');
    inside(path, 'commit', '-q', '-m', 'inside');
  }
  repo.git('-C', work, '-c', 'advice.addEmbeddedRepo=false', 'add', 'mod', 'in/ner');
  repo.git('-C', work, 'commit', '-q', '-m', 'with submodules');
  commit = repo.git('-C', work, 'rev-parse', 'HEAD');
});
afterEach(() => repo.close());

const inside = (path: string, ...args: readonly string[]): string => repo.git('-C', join(work, path), ...args);
const linksIn = (tree: string): readonly string[] => repo.git('ls-tree', '-r', tree).split('\n').filter((line) => line.startsWith('160000'));

/** A git as from 2.51 on, which says of a path that leads to a submodule's commit that it is one. */
function newerGit(): NodeJS.ProcessEnv {
  const real = execFileSync('sh', ['-c', 'command -v git'], { env: repo.env, encoding: 'utf8' }).trim();
  const told = linksIn(commit).map((line) => `s%^[0-9a-f]*:${line.split('\t')[1]} missing$%${line.split(' ')[2]?.split('\t')[0]} submodule%`).join('; ');
  return fakeProgram(repo, 'git', `case " $* " in *' --batch-command '*) '${real}' "$@" | LC_ALL=C sed -u -e '${told}';; *) exec '${real}' "$@";; esac`);
}

describe.each([['git here', () => repo.env], ['a git from 2.51 on', newerGit]] as const)('restoring a submodule (%s)', (_, env) => {
  it('puts its entry back as in the commit, and leaves what is in its folder', async () => {
    const git = repo.open({ env: env() });
    inside('mod', 'commit', '-q', '--allow-empty', '-m', 'further');
    const further = inside('mod', 'rev-parse', 'HEAD');
    repo.git('-C', work, 'add', 'mod');
    repo.git('-C', work, 'rm', '-q', '--cached', 'in/ner');
    repo.write('mod/file', 'dirty\n', work);
    repo.write('in/ner/new', 'new\n', work);
    repo.write('gone', 'x', work);
    await git.restorePaths(work, { commit, paths: ['mod', 'in/ner', 'gone', 'in/none', 'no/where'] });
    expect(linksIn(repo.git('-C', work, 'write-tree'))).toEqual(linksIn(commit));
    expect([readFileSync(join(work, 'mod/file'), 'utf8'), inside('mod', 'rev-parse', 'HEAD')]).toEqual(['dirty\n', further]);
    expect([existsSync(join(work, 'in/ner/new')), existsSync(join(work, 'gone'))]).toEqual([true, false]);
  });

  it('makes its folder where a file took the place', async () => {
    const git = repo.open({ env: env() });
    rmSync(join(work, 'mod'), { recursive: true });
    repo.write('mod', 'a file\n', work);
    await git.restorePaths(work, { commit, paths: ['mod'] });
    expect((await git.status(work)).entries).toEqual([]);
  });

  it('is asked of git where the tree above is not written as git does it', async () => {
    const line = linksIn(commit)[0]?.split(/[ \t]/) ?? [];
    const odd = Buffer.concat([Buffer.from('0160000 mod\0'), Buffer.from(line[2] ?? '', 'hex')]);
    const tree = execFileSync('git', ['-C', repo.root, 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], { input: odd, encoding: 'utf8' }).trim();
    const other = repo.git('commit-tree', '-m', 'odd', tree);
    await repo.open({ env: env() }).restorePaths(work, { commit: other, paths: ['mod'] });
    expect(existsSync(join(work, 'mod/file'))).toBe(true);
  });

  it('is nothing that can be read', async () => {
    const git = repo.open({ env: env() });
    expect(await git.readFile(commit, 'mod')).toBeUndefined();
    expect(await git.readFile(commit, 'README')).toBe('first\n');
  });
});
