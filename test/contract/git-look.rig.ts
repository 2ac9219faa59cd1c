// What tests of choo's own reading and writing of a worktree share: one worktree, git's word on it, and a way to make things old.

import { expect } from 'vitest';
import { execFileSync } from 'node:child_process';
import { lstatSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitPaths } from '../../src/adapters/git/names.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import type { DetailedStatus } from '../../src/adapters/git/memory.ts';
import { makeRepository, notingGit } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

/** Commands that stay and are started only once. */
const STANDING = new Set(['cat-file']);

/** A repository with one worktree, opened so that every start of git is noted. */
export interface Bed {
  readonly repo: TestRepository;
  readonly git: OpenGit;
  readonly base: string;
  readonly work: string;
  readonly indexFile: string;
  /** Runs git in the worktree, not through the adapter. */
  inWork(...args: readonly string[]): string;
  /** Spins until the file system's clock has moved on by `ms`: what was written before is then surely older. */
  later(ms?: number): void;
  /** Makes everything older than the index and than any doubt, and lets choo see it: from here on only differences can tell. */
  settled(): Promise<void>;
  /** The git commands a step needed, standing ones left out. */
  asked(step: () => Promise<unknown>): Promise<readonly string[]>;
  /** Expects the adapter's status of the worktree to be git's. */
  expectSame(): Promise<void>;
}

/** Returns when the file system's clock has gone on by more than so many ms: what is there is older by then. */
export function letPass(folder: string, ms: number): void {
  const probe = join(folder, 'probe');
  writeFileSync(probe, '');
  const from = lstatSync(probe).mtimeMs;
  do writeFileSync(probe, 'x'); while (lstatSync(probe).mtimeMs <= from + ms);
}

/** Makes one; `close` of its repository removes everything. */
export async function makeBed(): Promise<Bed> {
  const repo = makeRepository();
  const base = repo.commit({ a: '1\n', b: '2\n', 'dir/c': '3\n', 'dir/sub/d': '4\n', 'run.sh': 'echo\n' });
  const { env, starts } = notingGit(repo);
  const git = repo.open({ env });
  const work = join(repo.base, 'work', 'unit-a');
  const indexFile = join(repo.root, '.git/worktrees/unit-a/index');
  await git.addWorktree({ path: work, commit: base, branch: 'refs/heads/unit' });
  const bed: Bed = {
    repo, git, base, work, indexFile,
    inWork: (...args) => repo.git('-C', work, ...args),
    later: (ms = 0) => letPass(repo.base, ms),
    settled: async () => {
      bed.later();
      utimesSync(indexFile, new Date(), new Date());
      bed.later(50);
      await git.status(work);
      expect(await bed.asked(() => git.status(work))).toEqual([]);
    },
    asked: async (step) => {
      const before = starts().length;
      await step();
      return starts().slice(before).map((line) => line.split(' ')[1] ?? '').filter((verb) => !STANDING.has(verb));
    },
    expectSame: async () => {
      const status = await git.status(work) as DetailedStatus;
      expect([status.head, status.branch ?? '(detached)', ...status.entries.map((e) => `${e.code} ${e.path}`)]).toEqual(truth(bed));
    },
  };
  return bed;
}

/** What git says, read without the adapter. */
function truth({ repo, work }: Bed): string[] {
  const out = execFileSync('git', ['--no-optional-locks', 'status', '--porcelain=v2', '--branch', '-z', '-uall', '--no-renames', '--ignore-submodules=none', '--no-ahead-behind'], { cwd: work, env: { ...repo.env, GIT_DIR: join(repo.root, '.git', 'worktrees/unit-a'), GIT_WORK_TREE: work } });
  const records = splitPaths(out);
  const head = records.find((r) => r.startsWith('# branch.oid '))?.slice(13) ?? '';
  const branch = records.find((r) => r.startsWith('# branch.head '))?.slice(14) ?? '';
  return [head, branch === '(detached)' ? branch : `refs/heads/${branch}`, ...records.filter((r) => !r.startsWith('#'))];
}

/** Sets a file's times back to what they were before `change`. */
export function keepingTimes(path: string, change: () => void): void {
  const { atime, mtime } = lstatSync(path);
  change();
  utimesSync(path, atime, mtime);
}
