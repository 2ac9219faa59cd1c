// Git commands of a choo that is gone: the next one waits until they have ended, and ends none of them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { readProcess } from '../../src/adapters/process-table.ts';
import { untilGitEnds } from '../../src/adapters/git/stragglers.ts';
import { must } from '../../src/core/bug.ts';
import { fakeProgram, makeRepository } from '../rig/repo.ts';

const us = must(readProcess(process.pid), 'this process');
const clock = systemClock();
const namespace = readlinkSync('/proc/self/ns/pid');
/** A choo that has ended: our number, but another start. */
const dead = `${us.pid}-${us.start + 1}-${namespace}`;
const repository = makeRepository();
afterAll(() => repository.close());

/** A git command that runs until its input ends, started by the ordinary runner's environment. */
function straggler(owner = dead): { readonly pid: number; readonly end: () => Promise<void> } {
  const child = spawn('git', ['cat-file', '--batch'], { cwd: repository.root, env: { ...process.env, CHOO_GIT: owner }, stdio: ['pipe', 'ignore', 'ignore'] });
  const over = once(child, 'exit');
  return { pid: must(child.pid, 'a pid'), end: async () => { child.stdin.end(); await over; } };
}


describe('git commands of a choo that is gone', () => {
  it('are waited for', async () => {
    const one = straggler();
    const waiting = untilGitEnds({ clock, limitMs: 60_000 });
    await one.end();
    expect(await waiting).toEqual([]);
  });

  it('are named when they do not end in time, and still run', async () => {
    const one = straggler();
    expect(await untilGitEnds({ clock, limitMs: 0 })).toEqual([one.pid]);
    expect(readProcess(one.pid)).toBeDefined();
    await one.end();
  });

  it.each([['alive', `${us.pid}-${us.start}-${namespace}`], ['in another PID namespace', `${us.pid}-${us.start + 1}-pid:[1]`]])('of one that is %s are nobody’s business', async (_, owner) => {
    const one = straggler(owner);
    expect(await untilGitEnds({ clock, limitMs: 0 })).toEqual([]);
    await one.end();
  });

  it('carry their owner in their environment', async () => {
    const seen = join(repository.base, 'seen');
    const real = repository.git('--exec-path');
    const env = fakeProgram(repository, 'git', `printenv CHOO_GIT >> '${seen}'; exec '${real}/git' "$@"`);
    const git = repository.open({ env });
    await git.status(repository.worktree());
    await git.snapshot();
    await git.close();
    expect(new Set(readFileSync(seen, 'utf8').trim().split('\n'))).toEqual(new Set([`${us.pid}-${us.start}-${namespace}`]));
  });
});
