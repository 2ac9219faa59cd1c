// Refs of choo's own at a remote, with real git: all or none, only forward, without the user's hooks, never by who lost the repository.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { GitError } from '../../src/world.ts';
import { makeRemote, type TestRemote } from '../rig/remote.ts';
import { makeRepository, type TestRepository } from '../rig/repo.ts';

const ORIGIN = { name: 'origin', limitMs: 60_000 };
const JOURNAL = 'refs/choo/1/journal';
const HEAD = 'refs/choo/1/heads/a';

describe('saved refs', () => {
  let repo: TestRepository;
  let remote: TestRemote;
  let git: OpenGit;
  let first = '';
  beforeEach(() => {
    repo = makeRepository();
    remote = makeRemote(repo);
    git = repo.open();
    first = repo.git('rev-parse', 'HEAD');
  });
  afterEach(() => repo.close());

  const push = (refs: Readonly<Record<string, string>>): ReturnType<OpenGit['pushAll']> => git.pushAll({ ...ORIGIN, refs: new Map(Object.entries(refs)) });

  it('come there together and go forward', async () => {
    const one = await git.makeSave({ first: 0, text: 'a\n', keeps: [first], message: 'one' });
    expect(await push({ [JOURNAL]: one, [HEAD]: first })).toEqual({ kind: 'pushed' });
    const next = repo.commit({ x: 'x\n' });
    const two = await git.makeSave({ parent: one, first: 1, text: 'b\n', keeps: [next], message: 'two' });
    expect(await push({ [JOURNAL]: two, [HEAD]: next })).toEqual({ kind: 'pushed' });
    expect(await push({ [JOURNAL]: two, [HEAD]: next })).toEqual({ kind: 'pushed' });
    expect(await git.remoteRefs({ ...ORIGIN, pattern: 'refs/choo/*/journal' })).toEqual(new Map([[JOURNAL, two]]));
    // What is there can be gone on with: nothing else of this repository is needed.
    const clone = join(repo.base, 'fresh');
    repo.git('clone', '-q', '--no-tags', remote.path, clone);
    repo.git('-C', clone, 'fetch', '-q', 'origin', JOURNAL);
    expect(repo.tryGit('-C', clone, 'cat-file', '-e', `${next}^{tree}`)).toBe(0);
    expect(repo.git('for-each-ref', '--format=%(refname)')).not.toContain('refs/choo');
  });

  it('come there not at all when one of them would go back', async () => {
    const one = await git.makeSave({ first: 0, text: 'a\n', keeps: [first], message: 'one' });
    await push({ [JOURNAL]: one, [HEAD]: first });
    const mine = await git.makeSave({ parent: one, first: 1, text: 'mine\n', keeps: [], message: 'mine' });
    const theirs = await git.makeSave({ parent: one, first: 1, text: 'theirs\n', keeps: [], message: 'theirs' });
    expect(await push({ [JOURNAL]: theirs })).toEqual({ kind: 'pushed' });
    const next = repo.commit({ x: 'x\n' });
    expect(await push({ [JOURNAL]: mine, [HEAD]: next })).toMatchObject({ kind: 'refused' });
    expect(remote.git('rev-parse', JOURNAL, HEAD).split('\n')).toEqual([theirs, first]);
  });

  it('are no business of the user\'s pre-push hook, nor signed', async () => {
    const hook = join(repo.root, '.git', 'hooks', 'pre-push');
    writeFileSync(hook, '#!/bin/sh\nexit 1\n');
    chmodSync(hook, 0o755);
    repo.git('config', 'commit.gpgsign', 'true');
    repo.git('config', 'gpg.program', '/nonexistent');
    const one = await git.makeSave({ first: 0, text: 'a\n', keeps: [first], message: 'one' });
    expect(await push({ [JOURNAL]: one })).toEqual({ kind: 'pushed' });
  });

  it('a remote that refuses says why; one that is away is an error', async () => {
    remote.hook('pre-receive', 'echo "choo may not" >&2; exit 1');
    expect(await push({ [JOURNAL]: first })).toMatchObject({ kind: 'refused', detail: expect.stringContaining('choo may not') as string });
    repo.git('remote', 'set-url', 'origin', join(repo.base, 'gone.git'));
    await expect(push({ [JOURNAL]: first })).rejects.toThrow(GitError);
    await expect(git.remoteRefs({ ...ORIGIN, pattern: 'refs/choo/*/journal' })).rejects.toThrow(GitError);
  });

  it('are not pushed by who lost the repository', async () => {
    const lost = new Error('lost');
    await git.takeFence({ nonce: 'one', lost: () => lost });
    repo.git('update-ref', '-d', 'refs/choo/fence');
    await expect(push({ [JOURNAL]: first })).rejects.toBe(lost);
    expect(remote.git('for-each-ref', 'refs/choo')).toBe('');
  });
});
