// The fence: of two who believe that they have the repository, the one who took it last moves refs and the other none.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { FenceLost, GitError } from '../../src/world.ts';
import { fakeProgram, makeRepository, sleepless, type TestRepository } from '../rig/repo.ts';

const FENCE = 'refs/choo/fence';

let repo: TestRepository;
let base = '';
let next = '';
beforeEach(() => {
  repo = makeRepository();
  base = repo.git('rev-parse', 'HEAD');
  next = repo.git('commit-tree', '-p', base, '-m', 'next', `${base}^{tree}`);
});
afterEach(() => repo.close());

const take = (git: OpenGit, nonce: string): Promise<void> => git.takeFence({ nonce, lost: () => new FenceLost(`${nonce} lost it`) });
const fence = (): string => (repo.tryGit('rev-parse', '-q', '--verify', FENCE) === 0 ? repo.git('cat-file', 'blob', FENCE) : 'none');
const refs = (): readonly string[] => repo.git('for-each-ref', '--format=%(refname) %(objectname)').split('\n').filter((line) => !line.startsWith(FENCE));
const lockFile = (): string => join(repo.root, '.git', `${FENCE}.lock`);
const move = (git: OpenGit, ref: string): Promise<boolean> => git.moveRef({ ref, to: base, from: undefined, reason: 'test' });

describe('the fence', () => {
  it('holds the nonce of who took it last, and is gone when that one gives it back', async () => {
    const first = repo.open();
    const second = repo.open();
    await take(first, 'one');
    expect(fence()).toBe('one');
    await take(second, 'two');
    expect(fence()).toBe('two');
    await first.dropFence();
    expect(fence()).toBe('two');
    await second.dropFence();
    expect(fence()).toBe('none');
    expect(existsSync(lockFile())).toBe(false);
  });

  it('is no news to who compares what an agent did outside', async () => {
    const git = repo.open();
    const before = await git.snapshot();
    await take(git, 'one');
    expect((await git.snapshot()).refs).toEqual(before.refs);
    repo.git('pack-refs', '--all');
    expect((await git.snapshot()).refs).toEqual(before.refs);
    // A broken file makes choo ask git.
    repo.write('.git/refs/tags/odd', 'odd\n');
    expect((await git.snapshot()).refs).toEqual(before.refs);
  });

  it('lets who has it make, move and delete refs, also without the command that stays', async () => {
    for (const env of [repo.env, fakeProgram(repo, 'git', `case "$*" in *'update-ref --no-deref -m choo --stdin'*) exit 1;; esac\nPATH='${repo.env['PATH'] ?? ''}' exec git "$@"`)]) {
      const git = repo.open({ env });
      await take(git, 'one');
      const ref = 'refs/heads/made';
      expect(await move(git, ref)).toBe(true);
      expect(await git.moveRef({ ref, to: next, from: undefined, reason: 'test' })).toBe(false);
      expect(await git.moveRef({ ref, to: next, from: base, reason: 'test' })).toBe(true);
      expect(await git.moveRef({ ref, to: undefined, from: base, reason: 'test' })).toBe(false);
      expect(await git.moveRef({ ref, to: undefined, from: next, reason: 'test' })).toBe(true);
      await git.dropFence();
    }
  });

  it.each([
    ['moves a ref', (git: OpenGit) => move(git, 'refs/heads/x')],
    ['deletes a ref', (git: OpenGit) => git.moveRef({ ref: 'refs/heads/old', to: undefined, from: base, reason: 'test' })],
    ['moves a ref to where it is already', (git: OpenGit) => git.moveRef({ ref: 'refs/heads/old', to: base, from: next, reason: 'test' })],
    ['keeps what a worktree holds', (git: OpenGit) => git.keep(join(repo.base, 'linked'), { ref: 'refs/choo/kept/x', message: 'kept' })],
    ['makes a worktree with a branch', (git: OpenGit) => git.addWorktree({ path: join(repo.base, 'work'), commit: base, branch: 'refs/heads/unit' })],
    ['advances a branch nobody has checked out', (git: OpenGit) => git.advance({ ref: 'refs/heads/old', from: base, to: next })],
    ['advances a branch that is checked out', (git: OpenGit) => git.advance({ ref: 'refs/heads/main', from: base, to: next })],
  ])('makes an error of its own of it when one who lost it %s, and nothing changes', async (_, change) => {
    repo.git('branch', 'old');
    repo.worktree();
    const git = repo.open();
    await take(git, 'one');
    await take(repo.open(), 'two');
    const before = [refs(), repo.git('status', '--porcelain'), repo.git('worktree', 'list')];
    await expect(change(git)).rejects.toThrow(new FenceLost('one lost it'));
    expect([refs(), repo.git('status', '--porcelain'), repo.git('worktree', 'list')]).toEqual(before);
    expect(existsSync(lockFile())).toBe(false);
  });

  it('that somebody deleted or made a symbolic ref is lost too', async () => {
    const git = repo.open();
    await take(git, 'one');
    repo.git('update-ref', '-d', FENCE);
    await expect(move(git, 'refs/heads/x')).rejects.toBeInstanceOf(FenceLost);
    repo.git('symbolic-ref', FENCE, 'refs/heads/main');
    await expect(move(git, 'refs/heads/x')).rejects.toBeInstanceOf(FenceLost);
    await take(git, 'again');
    expect(await move(git, 'refs/heads/x')).toBe(true);
    expect(repo.git('rev-parse', 'main')).toBe(base);
  });
});

describe('a fast-forward in a checkout', () => {
  /** A git whose `merge` runs `script` before it does its work. */
  const slowMerge = (script: string): NodeJS.ProcessEnv => fakeProgram(repo, 'git', `export PATH='${repo.env['PATH'] ?? ''}'\ncase "$*" in *' merge '*) ${script};; esac\nexec git "$@"`);

  it('keeps the fence from being taken until it is done', async () => {
    const said = join(repo.base, 'said');
    const id = repo.git('hash-object', '-w', 'README');
    const env = slowMerge(`GIT_DIR='${repo.root}/.git' git update-ref ${FENCE} ${id} 2>'${said}'; echo $? >>'${said}'`);
    const git = repo.open({ env });
    await take(git, 'one');
    expect(await git.advance({ ref: 'refs/heads/main', from: base, to: next })).toEqual({ kind: 'advanced' });
    expect(readFileSync(said, 'utf8')).toMatch(/fence\.lock': File exists[^]*\n128\n$/);
    expect([fence(), repo.git('rev-parse', 'main'), existsSync(lockFile())]).toEqual(['one', next, false]);
    await take(repo.open(), 'two');
  });

  it('makes other changes of refs wait, which then go through', async () => {
    const git = repo.open();
    await take(git, 'one');
    const both = await Promise.all([git.advance({ ref: 'refs/heads/main', from: base, to: next }), move(git, 'refs/heads/x'), move(git, 'refs/heads/y')]);
    expect(both).toEqual([{ kind: 'advanced' }, true, true]);
  });

  /** The same, with the process number of the command that holds the fence in the file `guard`. */
  const killedGuard = (then: string): NodeJS.ProcessEnv => fakeProgram(repo, 'git', [
    `export PATH='${repo.env['PATH'] ?? ''}'`,
    `case "$*" in *'-m choo --stdin') echo $$ >'${repo.base}/guard';; *' merge '*) kill -9 "$(cat '${repo.base}/guard')"; ${then};; esac`,
    'exec git "$@"',
  ].join('\n'));

  it('whose guard is killed meanwhile is not believed without asking', async () => {
    const git = repo.open({ env: killedGuard(`rm '${lockFile()}'; GIT_DIR='${repo.root}/.git' git update-ref -d ${FENCE}`) });
    await take(git, 'one');
    await expect(git.advance({ ref: 'refs/heads/main', from: base, to: next })).rejects.toBeInstanceOf(FenceLost);
  });

  it('whose guard is killed meanwhile leaves no lock', async () => {
    const git = repo.open({ env: killedGuard(':'), sleep: sleepless() });
    await take(git, 'one');
    expect(await git.advance({ ref: 'refs/heads/main', from: base, to: next })).toEqual({ kind: 'advanced' });
    expect(existsSync(lockFile())).toBe(false);
    expect(await move(git, 'refs/heads/x')).toBe(true);
  });

  it('waits while somebody else has the lock of the fence for a moment, and names it when it stays', async () => {
    const pauses: number[] = [];
    let release = (): void => undefined;
    const sleep = sleepless((ms) => {
      pauses.push(ms);
      release();
    });
    const git = repo.open({ sleep });
    await take(git, 'one');
    writeFileSync(lockFile(), '');
    await expect(git.advance({ ref: 'refs/heads/main', from: base, to: next })).rejects.toThrow(/fence stays locked.*fence\.lock/);
    expect(pauses.length).toBeGreaterThan(3);
    release = () => rmSync(lockFile(), { force: true });
    expect(await git.advance({ ref: 'refs/heads/main', from: base, to: next })).toEqual({ kind: 'advanced' });
  });
});

describe('what a dead choo left of the fence', () => {
  it('is cleared away: its value, a lock that nobody holds, a file that a power cut emptied', async () => {
    const dead = repo.open();
    await take(dead, 'dead');
    writeFileSync(lockFile(), '');
    const git = repo.open({ sleep: sleepless() });
    await git.removeFence({ afterDead: true });
    expect([fence(), existsSync(lockFile())]).toEqual(['none', false]);
    await take(git, 'one');
    await expect(move(dead, 'refs/heads/x')).rejects.toBeInstanceOf(FenceLost);
    writeFileSync(join(repo.root, '.git', FENCE), '');
    await take(git, 'two');
    expect(fence()).toBe('two');
  });

  it('is left alone when nobody said that it is dead', async () => {
    await take(repo.open(), 'other');
    writeFileSync(lockFile(), '');
    const git = repo.open({ sleep: sleepless() });
    await expect(take(git, 'one')).rejects.toBeInstanceOf(GitError);
    expect(existsSync(lockFile())).toBe(true);
    await expect(git.removeFence({ afterDead: false })).rejects.toBeInstanceOf(GitError);
    await git.removeFence({ afterDead: true });
    expect(fence()).toBe('none');
  });

  it('may be packed, or have another fence-like ref beside it', async () => {
    const git = repo.open();
    await take(git, 'one');
    repo.git('pack-refs', '--all');
    mkdirSync(join(repo.root, '.git/refs/tags/refs/choo'), { recursive: true });
    repo.git('tag', 'refs/choo/fence', base);
    expect(await move(git, 'refs/heads/x')).toBe(true);
    await git.dropFence();
    expect(repo.git('for-each-ref', FENCE)).toBe('');
    await take(git, 'two');
    expect(fence()).toBe('two');
  });
});
