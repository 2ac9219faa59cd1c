// A bare repository to push to, beside a bed's own, and other clones of it. Runs git directly.

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Bed } from './bed.ts';
import type { Ended } from './choo.ts';
import { expectNothingLeft } from './facts.ts';
import type { TestRepository } from './repo.ts';

/** The remote `origin` of a test's repository. */
export interface TestRemote {
  readonly path: string;
  /** Runs git in it. */
  git(...args: readonly string[]): string;
  /** Gives it a hook (undefined takes it away). */
  hook(name: string, script: string | undefined): void;
  /** Commits files in another clone and pushes; gives back the commit. */
  commit(files: Readonly<Record<string, string>>): string;
  /** Starts another clone that commits, rebases and pushes in a loop until `end` is called, which gives how often its push went through. */
  loop(): { readonly end: () => Promise<number> };
}

const LOOP = `cd "$0" || exit 1
n=0; ok=0
while [ ! -e "$1" ]; do
  n=$((n+1))
  echo "$n" > "other-$n.txt" && git add -A && git commit -qm "other $n" || exit 1
  git fetch -q origin && git rebase -q origin/main || exit 1
  git push -q origin HEAD:main 2>/dev/null && ok=$((ok+1))
done
git fetch -q origin && git rebase -q origin/main && git push -q origin HEAD:main && ok=$((ok+1))
echo "$ok $n"`;

/** Makes `origin` for a repository that has its first commits, pushes `main` to it and follows it. */
export function makeRemote(repo: TestRepository): TestRemote {
  const path = join(repo.base, 'origin.git');
  const git = (...args: readonly string[]): string => execFileSync('git', ['-C', path, ...args], { env: repo.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  execFileSync('git', ['init', '-q', '--bare', path], { env: repo.env });
  repo.git('remote', 'add', 'origin', path);
  repo.git('push', '-q', '-u', 'origin', 'main');
  let clones = 0;
  const clone = (): { readonly folder: string; readonly run: (...args: readonly string[]) => string } => {
    clones += 1;
    const folder = join(repo.base, `clone-${clones}`);
    execFileSync('git', ['clone', '-q', path, folder], { env: repo.env });
    return { folder, run: (...args) => execFileSync('git', ['-C', folder, ...args], { env: repo.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim() };
  };
  return {
    path, git,
    hook: (name, script) => {
      mkdirSync(join(path, 'hooks'), { recursive: true });
      writeFileSync(join(path, 'hooks', name), `#!/bin/sh\n${script ?? 'exit 0'}\n`);
      chmodSync(join(path, 'hooks', name), 0o755);
    },
    commit: (files) => {
      const { folder, run } = clone();
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      run('add', '-A');
      run('commit', '-q', '-m', `theirs: ${Object.keys(files).join(' ')}`);
      run('push', '-q', 'origin', 'main');
      return run('rev-parse', 'HEAD');
    },
    loop: () => {
      const { folder } = clone();
      const flag = join(repo.base, 'enough');
      const child = spawn('sh', ['-c', LOOP, folder, flag], { env: repo.env, stdio: ['ignore', 'pipe', 'inherit'] });
      return {
        end: () => {
          writeFileSync(flag, '');
          return counted(child);
        },
      };
    },
  };
}

/** Everything that landed is at the remote, and nothing is left here. */
export function expectPushed(bed: Bed, remote: TestRemote): void {
  expect(remote.git('rev-parse', 'main')).toBe(bed.git('rev-parse', 'main'));
  expectNothingLeft(bed, ['refs/heads/main', 'refs/remotes/origin/main']);
}

/** The events of one type, as data. */
export function eventsOf(ended: Ended, type: string): readonly { readonly [key: string]: unknown }[] {
  return ended.events.filter((e) => e.type === type) as unknown as readonly { readonly [key: string]: unknown }[];
}

function counted(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => { out += chunk.toString('utf8'); });
    child.on('error', reject);
    child.on('close', (code) => {
      const [ok = '0', all = '-1'] = out.trim().split(' ');
      // Its last push, when nobody else pushes, brings everything that is left.
      if (code === 0 && Number(ok) > 0) resolve(Number(all));
      else reject(new Error(`the other clone ended ${code}: ${out}`));
    });
  });
}
