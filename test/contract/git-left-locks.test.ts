// Locks that a killed git left on the target and in the checkout that has it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { makeRepository } from '../rig/repo.ts';

const repository = makeRepository();
let git: OpenGit;
beforeAll(() => { git = repository.open(); });
afterAll(() => repository.close());

function lock(name: string, seconds = 10): string {
  const path = join(repository.root, '.git', name);
  writeFileSync(path, '');
  const then = Date.now() / 1000 - seconds;
  utimesSync(path, then, then);
  return path;
}

describe('locks that a killed git left', () => {
  it('on the target and in its checkout are removed, others are not', async () => {
    const left = ['index.lock', 'HEAD.lock', 'refs/heads/main.lock'].map((name) => lock(name));
    const other = lock('refs/heads/other.lock');
    expect((await git.releaseLeftLocks(['refs/heads/main'])).toSorted()).toEqual(left.toSorted());
    expect(left.some((path) => existsSync(path))).toBe(false);
    expect(existsSync(other)).toBe(true);
  });

  it('stay while a git of somebody else works there', async () => {
    const path = lock('HEAD.lock');
    const child = spawn('git', ['cat-file', '--batch'], { cwd: repository.root, env: repository.env, stdio: ['pipe', 'ignore', 'ignore'] });
    expect(await git.releaseLeftLocks(['refs/heads/main'])).toEqual([]);
    expect(existsSync(path)).toBe(true);
    const over = once(child, 'exit');
    child.stdin.end();
    await over;
    expect(await git.releaseLeftLocks(['refs/heads/main'])).toEqual([path]);
  });

  it('stay when they change while they are looked at', async () => {
    const path = lock('HEAD.lock', 0);
    const never = new Promise<void>(() => {});
    const relock = (): Promise<void> => { lock('HEAD.lock', 0.5); return Promise.resolve(); };
    // Longer sleeps are the time limits of commands.
    const again = repository.open({ sleep: (ms) => (ms > 1000 ? never : relock()) });
    expect(await again.releaseLeftLocks(['refs/heads/main'])).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });
});
