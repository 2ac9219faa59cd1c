// The real git adapter: locks, limits and the repository as it is found. Each test names what it protects.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { constants, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.ts';
import { gitRunner } from '../../src/adapters/git/exec.ts';
import { inspectRepository } from '../../src/adapters/git/facts.ts';
import type { RepositoryFacts, RepositoryRefusal } from '../../src/adapters/git/facts.ts';
import { BOUNDS } from '../../src/core/limits.ts';
import { fakeProgram, makeRepository, sleepless } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
beforeEach(() => {
  repo = makeRepository();
});
afterEach(() => repo.close());

const { sleep } = systemClock();
const inspect = (o: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<RepositoryFacts | RepositoryRefusal> =>
  inspectRepository({ cwd: o.cwd ?? repo.root, env: o.env ?? repo.env, sleep });
const facts = async (o: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<RepositoryFacts> => {
  const found = await inspect(o);
  if (found.kind !== 'ok') throw new Error(`refused: ${found.kind} ${found.detail}`);
  return found;
};

describe('locks and limits', () => {
  it('waits for a lock a bounded number of times, longer each time, then names the file and leaves it', async () => {
    const pauses: number[] = [];
    const git = repo.open({ sleep: sleepless((ms) => pauses.push(ms)) });
    const work = repo.worktree();
    const lock = join(repo.root, '.git', 'worktrees', 'linked', 'index.lock');
    writeFileSync(lock, '');
    repo.write('a', '1', work);
    await expect(git.stage(work, ['a'])).rejects.toThrow(lock);
    expect(pauses).toHaveLength(BOUNDS.gitLockTries - 1);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(existsSync(lock)).toBe(true);
  });

  it('tells a locked ref from a stale one', async () => {
    const git = repo.open({ sleep: sleepless() });
    const head = repo.git('rev-parse', 'HEAD');
    const next = repo.git('commit-tree', '-p', head, '-m', 'x', `${head}^{tree}`);
    writeFileSync(join(repo.root, '.git', 'refs', 'heads', 'main.lock'), '');
    await expect(git.moveRef({ ref: 'refs/heads/main', to: next, from: head, reason: 'r' })).rejects.toThrow('main.lock');
    expect(await git.moveRef({ ref: 'refs/heads/main', to: next, from: next, reason: 'r' })).toBe(false);
  });

  it('ends a command at its time limit, with everything it started', async () => {
    const [ready, held] = [join(repo.base, 'ready'), join(repo.base, 'held')];
    execFileSync('mkfifo', [ready, held]);
    const env = fakeProgram(repo, 'git', `cat '${held}' & echo > '${ready}'; wait`);
    // The limit comes when the program has said that its child is there; the pause before SIGKILL never passes.
    let sleeps = 0;
    const untilReady = sleepless();
    const git = gitRunner({ env, sleep: async (ms, signal) => {
      sleeps += 1;
      if (sleeps === 1) await readFile(ready);
      else await untilReady(ms, signal);
    } });
    await expect(git.run({ at: { cwd: repo.root }, args: ['status'] })).rejects.toThrow('ended after');
    // Opened for writing without a reader: nobody holds the other end any more.
    await expect(open(held, constants.O_WRONLY | constants.O_NONBLOCK)).rejects.toThrow('ENXIO');
  });

  it('scrubs GIT_* of the environment, also for filters that git starts (GIT_DIR leaks)', async () => {
    repo.git('config', 'filter.note.clean', `env | grep ^GIT_ > '${repo.base}/seen'; cat`);
    repo.commit({ '.gitattributes': '*.txt filter=note\n' });
    const git = repo.open({ env: { ...repo.env, GIT_DIR: '/nowhere', GIT_INDEX_FILE: '/nowhere', GIT_AUTHOR_NAME: 'leak', GIT_SSH_COMMAND: 'leak' } });
    const work = repo.worktree();
    repo.write('a.txt', '1', work);
    await git.stage(work, ['a.txt']);
    expect(readFileSync(join(repo.base, 'seen'), 'utf8')).not.toMatch(/leak|nowhere/);
  });

  it('writes nothing to the user\'s configuration', async () => {
    const before = [readFileSync(join(repo.root, '.git', 'config'), 'utf8'), readFileSync(join(repo.base, 'home', '.gitconfig'), 'utf8')];
    const git = repo.open();
    const head = repo.git('rev-parse', 'HEAD');
    const work = join(repo.base, 'w');
    await git.addWorktree({ path: work, commit: head, branch: 'refs/heads/w' });
    await git.keep(work, { ref: 'refs/choo/kept/x', message: 'x' });
    await git.removeWorktree(work);
    expect([readFileSync(join(repo.root, '.git', 'config'), 'utf8'), readFileSync(join(repo.base, 'home', '.gitconfig'), 'utf8')]).toEqual(before);
  });

  it('signs commits when the configuration asks for it, and never what it keeps', async () => {
    const git = signingRepository('exit 0').open();
    const head = repo.git('rev-parse', 'HEAD');
    const commit = await git.commitTree({ tree: await git.treeOf(head), parents: [head], message: 'x' });
    expect(repo.git('cat-file', '-p', commit)).toContain('-----BEGIN SSH SIGNATURE-----');
    expect(repo.git('cat-file', '-p', await git.keep(repo.worktree(), { ref: 'refs/choo/kept/x', message: 'x' }))).not.toContain('SIGNATURE');
  });
});

/** Configures signing with a program that writes a made-up signature where `ssh-keygen` would, then runs `ending`. */
function signingRepository(ending: string): TestRepository {
  fakeProgram(repo, 'sign', `for last; do :; done; echo '-----BEGIN SSH SIGNATURE-----' > "$last.sig"; ${ending}`);
  repo.write('key.pub', 'ssh-ed25519 AAAA x\n', repo.base);
  for (const [key, value] of [['commit.gpgsign', 'true'], ['gpg.format', 'ssh'], ['gpg.ssh.program', join(repo.base, 'bin', 'sign')], ['user.signingkey', join(repo.base, 'key.pub')]] as const) repo.git('config', key, value);
  return repo;
}

describe('the repository as it is found', () => {
  it('is the same from its top, a sub-directory and a linked worktree', async () => {
    const head = repo.commit({ 'deep/down/x': '1' });
    const expected = { kind: 'ok', root: repo.root, mainRoot: repo.root, commonDir: join(repo.root, '.git'), bare: false, branch: 'refs/heads/main', head, shallow: false, partial: false, sparse: false, hasSubmodules: false, sha256: false, inProgress: undefined, remotes: [], identity: { known: true, detail: '' }, signing: { wanted: false, works: true, detail: '' }, lfs: { used: false, installed: true, missing: [] } };
    expect(await facts()).toMatchObject(expected);
    expect(await facts({ cwd: join(repo.root, 'deep', 'down') })).toEqual(await facts());
    const linked = join(repo.base, 'li nked');
    repo.git('worktree', 'add', '-q', '-b', 'side', linked);
    expect(await facts({ cwd: linked })).toEqual({ ...(await facts()), root: linked, branch: 'refs/heads/side' });
    symlinkSync(repo.root, join(repo.base, 'alias'));
    expect(await facts({ cwd: join(repo.base, 'alias') })).toEqual(await facts());
    expect((await facts({ cwd: join(repo.root, '.git') })).root).toBeUndefined();
  });

  it('tells bare, detached, unborn, shallow, partial, sparse, SHA-256 and an operation in progress', async () => {
    repo.git('switch', '-q', '--detach');
    expect((await facts()).branch).toBeUndefined();
    repo.git('switch', '-q', 'main');
    repo.git('bisect', 'start');
    expect((await facts()).inProgress).toContain('bisect');
    repo.git('bisect', 'reset');
    repo.git('symbolic-ref', 'HEAD', 'refs/heads/unborn');
    expect(await facts()).toMatchObject({ branch: 'refs/heads/unborn', head: undefined });
    repo.git('symbolic-ref', 'HEAD', 'refs/heads/main');
    repo.commit({ a: '1' });
    const clone = (...args: readonly string[]): string => {
      const path = join(repo.base, 'clone');
      rmSync(path, { recursive: true, force: true });
      repo.git('clone', '-q', ...args, `file://${repo.root}`, path);
      return path;
    };
    repo.git('config', 'uploadpack.allowFilter', 'true');
    expect(await facts({ cwd: clone('--depth=1') })).toMatchObject({ shallow: true, remotes: [{ name: 'origin', url: `file://${repo.root}` }] });
    expect(await facts({ cwd: clone('--filter=blob:none') })).toMatchObject({ partial: true, shallow: false });
    expect(await facts({ cwd: clone('--sparse') })).toMatchObject({ sparse: true });
    expect(await facts({ cwd: clone('--bare') })).toMatchObject({ bare: true, mainRoot: undefined, root: undefined, commonDir: join(repo.base, 'clone') });
    const other = makeRepository({ init: ['--object-format=sha256'] });
    expect(await inspectRepository({ cwd: other.root, env: other.env, sleep })).toMatchObject({ sha256: true });
    const git = other.open();
    expect(await git.resolve('refs/heads/main')).toHaveLength(64);
    await git.addWorktree({ path: join(other.base, 'w'), commit: other.git('rev-parse', 'HEAD'), branch: 'refs/heads/w' });
    expect(await git.moveRef({ ref: 'refs/heads/n', to: other.git('rev-parse', 'HEAD'), from: undefined, reason: 'r' })).toBe(true);
    await other.close();
  });

  it('sees submodules, files kept by git-lfs, and which of those are missing', async () => {
    repo.commit({ '.gitmodules': '', 'assets/.gitattributes': '*.psd filter=lfs diff=lfs merge=lfs -text\n' });
    expect(await facts()).toMatchObject({ hasSubmodules: true, lfs: { used: true, installed: false } });
    const env = fakeProgram(repo, 'git-lfs', `echo '${'a'.repeat(64)} * here.psd'; echo '${'b'.repeat(64)} - not here.psd'`);
    expect((await facts({ env })).lfs).toEqual({ used: true, installed: true, missing: ['not here.psd'] });
  });

  it('knows a missing identity before anything is committed', async () => {
    writeFileSync(join(repo.base, 'home', '.gitconfig'), '[user]\n\tuseConfigOnly = true\n');
    expect((await facts()).identity).toMatchObject({ known: false, detail: expect.stringContaining('user.email') as string });
  });

  it('tries signing for real, without a terminal', async () => {
    signingRepository('exit 0');
    expect((await facts()).signing).toEqual({ wanted: true, works: true, detail: '' });
    signingRepository('echo "no passphrase" >&2; exit 1');
    expect((await facts()).signing).toMatchObject({ wanted: true, works: false, detail: expect.stringContaining('no passphrase') as string });
  });

  it('refuses what is no repository, one of somebody else\'s, a redirected, an old and a missing git, each by its name', async () => {
    expect(await inspect({ cwd: join(repo.base, 'home') })).toMatchObject({ kind: 'not-a-repository' });
    expect(await inspect({ env: { ...repo.env, GIT_DIR: '/x' } })).toEqual({ kind: 'git-dir-set', detail: 'GIT_DIR=/x' });
    expect(await inspect({ env: fakeProgram(repo, 'git', 'echo git version 2.37.9') })).toEqual({ kind: 'git-too-old', detail: 'git version 2.37.9' });
    const empty = join(repo.base, 'empty');
    mkdirSync(empty);
    expect(await inspect({ env: { ...repo.env, PATH: empty } })).toMatchObject({ kind: 'git-missing' });
    // git itself takes this variable for "not the owner"; the adapter scrubs it, so the program in between sets it.
    const real = repo.env['PATH'] ?? '';
    const env = fakeProgram(repo, 'git', `PATH='${real}' GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git "$@"`);
    expect(await inspect({ env })).toMatchObject({ kind: 'dubious-ownership', detail: expect.stringContaining(repo.root) as string });
  });
});
