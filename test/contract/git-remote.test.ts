// The real git adapter against a real bare remote: where it is, what is pushed, who asks nobody for a password. Each test names what it protects.

import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitError } from '../../src/world.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { makeRemote } from '../rig/remote.ts';
import type { TestRemote } from '../rig/remote.ts';
import { makeRepository } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

const MAIN = 'refs/heads/main';
const ORIGIN = { name: 'origin', ref: MAIN, limitMs: 30_000 };
let repo: TestRepository;
let remote: TestRemote;
let git: OpenGit;
beforeEach(() => {
  repo = makeRepository();
  remote = makeRemote(repo);
  git = repo.open();
});
afterEach(() => repo.close());

const refs = (): string => repo.git('for-each-ref', '--format=%(refname) %(objectname)');
const unlike = async (work: Promise<unknown>): Promise<GitError> => {
  const error: unknown = await work.then(() => undefined, (why: unknown) => why);
  if (!(error instanceof GitError)) throw new Error(`no GitError but ${String(error)}`);
  return error;
};

describe('where the remote is', () => {
  it('is told with its commits fetched, and no ref, no FETCH_HEAD and no tag is written', async () => {
    const before = refs();
    const theirs = remote.commit({ theirs: 'x\n' });
    remote.git('tag', 'theirs', theirs);
    expect(await git.remoteTip(ORIGIN)).toBe(theirs);
    expect(await git.readFile(theirs, 'theirs')).toBe('x\n');
    expect(refs()).toBe(before);
    expect(() => repo.git('rev-parse', '-q', '--verify', 'FETCH_HEAD')).toThrow();
  });

  it('nothing for a branch that is not there; another branch that ends alike is another', async () => {
    remote.git('update-ref', 'refs/heads/x/refs/heads/no', remote.git('rev-parse', 'main'));
    expect(await git.remoteTip({ ...ORIGIN, ref: 'refs/heads/no' })).toBeUndefined();
  });

  it('an error for one that is gone, without the password in its address', async () => {
    repo.git('remote', 'set-url', 'origin', 'http://me:hunter2@127.0.0.1:9/x');
    const { command, detail } = await unlike(git.remoteTip(ORIGIN));
    expect(command + detail).not.toContain('hunter2');
  });

  it('asks nobody for a password: it is refused, not waited for', async () => {
    let asked = 0;
    const server = createServer((_, answer) => {
      asked += 1;
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    try {
      repo.git('remote', 'set-url', 'origin', `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`);
      repo.git('config', 'core.askPass', `${repo.base}/never`);
      writeFileSync(join(repo.base, 'never'), `#!/bin/sh\ntouch '${repo.base}/was-asked'; sleep 60\n`);
      chmodSync(join(repo.base, 'never'), 0o755);
      expect((await unlike(git.remoteTip(ORIGIN))).detail).toMatch(/could not read Username|terminal prompts disabled|Authentication failed/);
      expect(() => execFileSync('test', ['-e', join(repo.base, 'was-asked')])).toThrow();
      expect(asked).toBeGreaterThan(0);
    } finally {
      await new Promise((resolve) => { server.close(resolve); });
    }
  });

  it('is ended by a signal', async () => {
    const stop = new AbortController();
    stop.abort();
    expect((await unlike(git.remoteTip({ ...ORIGIN, signal: stop.signal }))).detail).toContain('ended by a stop');
  });
});

describe('a push', () => {
  it('brings exactly this commit, no tag, and git\'s own branch for it follows', async () => {
    const commit = repo.commit({ mine: '1\n' });
    repo.git('tag', '-a', '-m', 'mine', 'mine');
    repo.git('config', 'push.followTags', 'true');
    repo.commit({ mine: '2\n' });
    expect(await git.push({ ...ORIGIN, commit })).toEqual({ kind: 'pushed' });
    expect(remote.git('rev-parse', 'main')).toBe(commit);
    expect(remote.git('tag')).toBe('');
    expect(repo.git('rev-parse', 'origin/main')).toBe(commit);
  });

  it('never rewinds or overwrites, whatever the configuration says of force', async () => {
    const theirs = remote.commit({ theirs: 'x\n' });
    repo.git('config', 'remote.origin.push', '+refs/heads/main:refs/heads/main');
    const commit = repo.commit({ mine: 'x\n' });
    expect(await git.push({ ...ORIGIN, commit })).toMatchObject({ kind: 'refused', detail: expect.stringContaining('rejected') as string });
    expect(remote.git('rev-parse', 'main')).toBe(theirs);
  });

  it('refused by a hook over there tells what the hook said', async () => {
    remote.hook('pre-receive', 'echo "main is protected" >&2; exit 1');
    expect(await git.push({ ...ORIGIN, commit: repo.commit({ mine: 'x\n' }) })).toMatchObject({ kind: 'refused', detail: expect.stringContaining('main is protected') as string });
  });

  it('runs the user\'s pre-push hook, in the main checkout', async () => {
    const hook = join(repo.root, '.git', 'hooks', 'pre-push');
    writeFileSync(hook, '#!/bin/sh\npwd > "$HOME/where"; exit 1\n');
    chmodSync(hook, 0o755);
    expect((await git.push({ ...ORIGIN, commit: repo.commit({ mine: 'x\n' }) })).kind).toBe('refused');
    expect(execFileSync('cat', [join(repo.base, 'home', 'where')], { encoding: 'utf8' }).trim()).toBe(repo.root);
  });

  it('does nothing for who lost the repository', async () => {
    const lost = new Error('lost');
    await git.takeFence({ nonce: 'one', lost: () => lost });
    repo.git('update-ref', '-d', 'refs/choo/fence');
    const was = remote.git('rev-parse', 'main');
    await expect(git.push({ ...ORIGIN, commit: repo.commit({ mine: 'x\n' }) })).rejects.toBe(lost);
    expect(remote.git('rev-parse', 'main')).toBe(was);
  });
});

describe('where people push to', () => {
  const cases: readonly (readonly [config: readonly (readonly [string, string])[], found: unknown])[] = [
    [[], { name: 'origin', ref: MAIN, known: true }],
    [[['branch.main.merge', 'refs/heads/trunk']], { name: 'origin', ref: 'refs/heads/trunk', known: true }],
    [[['remote.fork.url', '/fork'], ['branch.main.pushRemote', 'fork'], ['branch.main.merge', 'refs/heads/trunk']], { name: 'fork', ref: MAIN, known: true }],
    [[['remote.fork.url', '/fork'], ['remote.pushDefault', 'fork']], { name: 'fork', ref: MAIN, known: true }],
    [[['branch.main.remote', '.']], { name: 'origin', ref: MAIN, known: true }],
    [[['branch.main.pushRemote', '../fork.git']], { name: '../fork.git', ref: MAIN, known: true }],
    [[['branch.main.pushRemote', 'https://me:hunter2@example.org/x']], { name: 'https://example.org/x', ref: MAIN, known: false }],
    [[['branch.main.pushRemote', 'gone']], { name: 'gone', ref: MAIN, known: false }],
  ];
  for (const [config, found] of cases) {
    it(`${config.map((pair) => pair.join('=')).join(' ')}: where git would push`, async () => {
      for (const [key, value] of config) repo.git('config', key, value);
      expect(await git.findRemote(MAIN)).toEqual(found);
    });
  }

  it('nowhere without a remote', async () => {
    repo.git('remote', 'remove', 'origin');
    expect(await git.findRemote(MAIN)).toBeUndefined();
  });
});
