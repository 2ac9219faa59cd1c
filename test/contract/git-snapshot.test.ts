// The real git adapter: whether a snapshot tells what steers git (configuration, hooks, info/) from the same written anew.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
beforeEach(() => {
  repo = makeRepository();
});
afterEach(() => repo.close());

describe('what steers git, in a snapshot', () => {
  const hook = (): string => join(repo.root, '.git/hooks/pre-push');
  const found = async (git: ReturnType<TestRepository['open']>, change: () => void): Promise<readonly string[]> => {
    const { dirty: before } = await git.snapshot();
    change();
    const { dirty: after } = await git.snapshot();
    return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
  };

  it('is the same when it was only written anew: by git config, by branches that come and go, by git gc, by an installer of hooks', async () => {
    repo.git('config', 'core.hooksPath', '.husky/_');
    writeFileSync(hook(), '#!/bin/sh\n', { mode: 0o755 });
    mkdirSync(join(repo.root, '.git/info'), { recursive: true });
    writeFileSync(join(repo.root, '.git/info/exclude'), 'x\n');
    const git = repo.open();
    const written = statSync(join(repo.root, '.git/config')).ino;
    expect(await found(git, () => repo.git('config', 'core.hooksPath', '.husky/_'))).toEqual([]);
    expect(statSync(join(repo.root, '.git/config')).ino).not.toBe(written);
    expect(await found(git, () => { repo.git('branch', 'tmp'); repo.git('branch', '-q', '-D', 'tmp'); })).toEqual([]);
    expect(await found(git, () => { repo.git('gc', '-q'); repo.git('update-server-info'); })).toEqual([]);
    expect(await found(git, () => { rmSync(hook()); writeFileSync(hook(), '#!/bin/sh\n', { mode: 0o755 }); })).toEqual([]);
    expect(await found(git, () => writeFileSync(join(repo.root, '.git/info/exclude'), 'x\n'))).toEqual([]);
  });

  it('is another with other content, a new or vanished hook, one that may be run now, other excludes, attributes or grafts', async () => {
    writeFileSync(hook(), '#!/bin/sh\n', { mode: 0o644 });
    mkdirSync(join(repo.root, '.git/info'), { recursive: true });
    const git = repo.open();
    expect(await found(git, () => repo.git('config', 'core.hooksPath', '/tmp/x'))).toEqual(['.git/config']);
    expect(await found(git, () => chmodSync(hook(), 0o755))).toEqual(['.git/hooks/pre-push']);
    expect(await found(git, () => writeFileSync(hook(), '#!/bin/zh\n'))).toEqual(['.git/hooks/pre-push']);
    expect(await found(git, () => { renameSync(hook(), `${repo.base}/aside`); symlinkSync(`${repo.base}/aside`, hook()); })).toEqual(['.git/hooks/pre-push']);
    expect(await found(git, () => writeFileSync(`${repo.base}/aside`, '#!/bin/ls\n'))).toEqual(['.git/hooks/pre-push']);
    expect(await found(git, () => rmSync(hook()))).toEqual(['.git/hooks/pre-push']);
    expect(await found(git, () => writeFileSync(join(repo.root, '.git/hooks/pre-commit'), 'x', { mode: 0o755 }))).toEqual(['.git/hooks/pre-commit']);
    for (const name of ['attributes', 'exclude', 'grafts', 'sparse-checkout']) {
      expect(await found(git, () => writeFileSync(join(repo.root, '.git/info', name), '# x\n'))).toEqual([`.git/info/${name}`]);
    }
  });

  it('waits for nothing that an agent puts there, and knows by its stamp what is too large to read', async () => {
    const git = repo.open();
    expect(await found(git, () => execFileSync('mkfifo', [hook()]))).toEqual(['.git/hooks/pre-push']);
    rmSync(hook());
    writeFileSync(hook(), Buffer.alloc(3 << 20), { mode: 0o755 });
    expect(await found(git, () => truncateSync(hook(), 2 << 20))).toEqual(['.git/hooks/pre-push']);
    expect(await found(git, () => truncateSync(hook(), 0))).toEqual(['.git/hooks/pre-push']);
  });

  it('tells what refuses to be read, as a link into /proc does, by its stamp', async () => {
    const git = repo.open();
    expect(await found(git, () => symlinkSync('/proc/self/mem', hook()))).toEqual(['.git/hooks/pre-push']);
    expect(await found(git, () => undefined)).toEqual([]);
  });

  it('is another where history is cut off or objects come from elsewhere', async () => {
    const git = repo.open();
    expect(await found(git, () => writeFileSync(join(repo.root, '.git/shallow'), `${repo.git('rev-parse', 'HEAD')}\n`))).toEqual(['.git/shallow']);
    expect(await found(git, () => writeFileSync(join(repo.root, '.git/objects/info/alternates'), `${repo.base}/objects\n`))).toEqual(['.git/objects/info/alternates']);
  });
});
