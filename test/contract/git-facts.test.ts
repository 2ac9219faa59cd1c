// The real git adapter: what it reads (objects, history, status, trees). Each test names what it protects.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bug } from '../../src/core/bug.ts';
import { pathBytes, pathText } from '../../src/adapters/git/names.ts';
import { GitError } from '../../src/world.ts';
import { makeRepository, notingGit } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';

let repo: TestRepository;
beforeEach(() => {
  repo = makeRepository();
});
afterEach(() => repo.close());

describe('ids only', () => {
  it('refuses a moving name wherever a commit is asked for, before git sees it', async () => {
    const git = repo.open();
    const head = repo.git('rev-parse', 'HEAD');
    for (const name of ['main', 'HEAD', 'refs/heads/main', '--all', '', head.slice(0, 12), `${head}\n`]) {
      await expect(git.treeOf(name)).rejects.toThrow(Bug);
      await expect(git.isAncestor(name, head)).rejects.toThrow(Bug);
      await expect(git.changedPaths(head, name)).rejects.toThrow(Bug);
      await expect(git.mergeTrees(head, name)).rejects.toThrow(Bug);
      await expect(git.addWorktree({ path: join(repo.base, 'w'), commit: name, branch: 'refs/heads/w' })).rejects.toThrow(Bug);
      await expect(git.moveRef({ ref: 'refs/heads/x', to: name, from: undefined, reason: 'r' })).rejects.toThrow(Bug);
      await expect(git.commitTree({ tree: name, parents: [], message: 'm' })).rejects.toThrow(Bug);
    }
    await expect(git.resolve('main')).rejects.toThrow(Bug);
    await expect(git.moveRef({ ref: 'main', to: head, from: undefined, reason: 'r' })).rejects.toThrow(Bug);
  });

  it('lets no ref name or path smuggle a second question to the object reader', async () => {
    const git = repo.open();
    const head = repo.git('rev-parse', 'HEAD');
    expect(await git.resolve('refs/heads/x\ninfo HEAD')).toBeUndefined();
    expect(await git.resolve('refs/heads/main^{tree}')).toBeUndefined();
    expect(await git.resolve('refs/heads/main@{0}')).toBeUndefined();
    expect(await git.readFile(head, 'README\ncontents HEAD')).toBeUndefined();
    expect(await git.readFile(head, '../README')).toBeUndefined();
    expect(await git.resolve('refs/heads/main')).toBe(head);
  });
});

describe('objects', () => {
  it('sees a ref move, a packed ref and a new object at once, though its process is long-lived', async () => {
    const git = repo.open();
    const first = await git.resolve('refs/heads/main');
    const second = repo.commit({ a: '1' });
    expect(await git.resolve('refs/heads/main')).toBe(second);
    repo.git('pack-refs', '--all');
    repo.git('repack', '-adq');
    expect(await git.resolve('refs/heads/main')).toBe(second);
    repo.git('update-ref', 'refs/heads/main', first ?? '');
    expect(await git.resolve('refs/heads/main')).toBe(first);
    repo.git('tag', '-a', 'v1', '-m', 'v1', second);
    expect(await git.resolve('refs/tags/v1')).toBe(second);
    expect(await git.resolve('refs/heads/none')).toBeUndefined();
  });

  it('reads files with hostile names, and nothing for folders and missing ones', async () => {
    const names = ['-rf', 'a\nb missing', 'ü/日本 ☃', ' lead and trail ', '"quoted"', ':(glob)**', 'tab\there', '*'];
    const commit = repo.commit(Object.fromEntries(names.map((name) => [name, `content of ${name}`])));
    const git = repo.open();
    const texts = await Promise.all(names.map((name) => git.readFile(commit, name)));
    expect(texts).toEqual(names.map((name) => `content of ${name}`));
    expect(await git.readFile(commit, 'ü')).toBeUndefined();
    expect(await git.readFile(commit, 'a\nb')).toBeUndefined();
    expect((await git.readTree(commit, '')).map((e) => e.path).sort()).toEqual([...names, 'README'].sort());
  });

  it('answers many questions at once in the right order, large contents among them', async () => {
    const large = 'x'.repeat(3_000_000);
    const commit = repo.commit({ large, small: 's' });
    const git = repo.open();
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => git.readFile(commit, ['small', 'large', 'none'][n === 7 ? 1 : n % 2 * 2] ?? '')));
    expect(answers.map((a) => a?.length)).toEqual(Array.from({ length: 300 }, (_, n) => (n === 7 ? large.length : n % 2 === 0 ? 1 : undefined)));
  });

  it('goes on after its object reader was killed', async () => {
    const { env, starts } = notingGit(repo);
    const git = repo.open({ env });
    const head = await git.resolve('refs/heads/main');
    expect(starts()).toHaveLength(1);
    process.kill(Number(starts()[0]?.split(' ')[0]), 'SIGKILL');
    expect(await Promise.all([git.resolve('refs/heads/main'), git.resolve('refs/heads/none')])).toEqual([head, undefined]);
  });

  it('does not follow a replaced object', async () => {
    const first = repo.git('rev-parse', 'HEAD');
    const second = repo.commit({ README: 'second\n' });
    repo.git('replace', second, first);
    expect(await repo.open().readFile(second, 'README')).toBe('second\n');
  });

  it('says with a GitError that a commit does not exist', async () => {
    const git = repo.open();
    const none = 'f'.repeat(40);
    await expect(git.treeOf(none)).rejects.toThrow(GitError);
    await expect(git.isAncestor(none, repo.git('rev-parse', 'HEAD'))).rejects.toThrow(GitError);
    expect(await git.resolve(none)).toBeUndefined();
  });
});

describe('history', () => {
  it('tells own paths of a branch that merged the target: not the target\'s, but what the merge itself changed', async () => {
    const base = repo.commit({ shared: '1\n', both: '1\n' });
    repo.git('switch', '-q', '-c', 'unit');
    repo.commit({ own: 'o', both: '1\nunit\n' }, 'own work');
    repo.git('switch', '-q', 'main');
    repo.commit({ theirs: 't', both: '1\nmain\n' });
    repo.git('switch', '-q', 'unit');
    expect(repo.tryGit('merge', '-q', 'main')).toBe(1);
    repo.write('both', '1\nunit and main\n');
    const merge = repo.commit({ evil: 'only in the merge' }, 'merge');
    const git = repo.open();
    expect([...await git.ownPaths(base, merge)].sort()).toEqual(['both', 'evil', 'own']);
    expect((await git.firstParents(base, merge)).map((c) => c.message.trim())).toEqual(['own work', 'merge']);
    expect((await git.commitsBetween(base, merge)).map((c) => c.message.trim())[0]).toBe('merge');
    expect(await git.commitsBetween(base, merge)).toHaveLength(3);
    expect(await git.isAncestor(base, merge)).toBe(true);
    expect(await git.isAncestor(merge, base)).toBe(false);
    expect(await git.mergeBase(base, merge)).toBe(base);
  });

  it('keeps whole messages, whatever they look like', async () => {
    const base = repo.git('rev-parse', 'HEAD');
    const message = `subject\n\ncommit ${'a'.repeat(40)}\nü ☃\n\nChoo-Run: 1\nChoo-Task: 2\n`;
    const head = repo.commit({ a: '1' }, message);
    expect(await repo.open().firstParents(base, head)).toEqual([{ id: head, message }]);
  });

  it('finds renames and does not hide them in the list of paths', async () => {
    const body = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
    const from = repo.commit({ 'old\nname': body });
    repo.git('mv', '--', 'old\nname', '-new');
    const to = repo.commit({});
    const git = repo.open();
    expect([...await git.renames(from, to)]).toEqual([['-new', 'old\nname']]);
    expect([...await git.changedPaths(from, to)].sort()).toEqual(['-new', 'old\nname']);
  });

  it('knows no merge base of unrelated histories', async () => {
    const main = repo.git('rev-parse', 'HEAD');
    repo.git('switch', '-q', '--orphan', 'other');
    expect(await repo.open().mergeBase(main, repo.commit({ b: '1' }))).toBeUndefined();
  });
});

describe('status', () => {
  it('names every path, tells index from files, and leaves ignored ones out', async () => {
    repo.commit({ '.gitignore': 'ignored/\n', edited: '1', staged: '1', gone: '1', both: '1', 'dir/kept': '1' });
    const work = repo.worktree();
    repo.write('edited', '2', work);
    repo.write('staged', '2', work);
    repo.write('both', '2', work);
    repo.git('-C', work, 'add', 'staged', 'both');
    repo.write('both', '3', work);
    repo.git('-C', work, 'rm', '-q', '--cached', 'gone');
    repo.write('new dir/-n\nü', '', work);
    repo.write('ignored/x', '', work);
    const status = await repo.open().status(work);
    expect(status.branch).toBe('refs/heads/linked');
    expect(status.head).toBe(repo.git('rev-parse', 'HEAD'));
    expect(Object.fromEntries(status.entries.map((e) => [e.path + (e.kind === 'untracked' ? '?' : ''), [e.staged, e.unstaged]]))).toEqual({
      edited: [false, true], staged: [true, false], both: [true, true], gone: [true, false], 'gone?': [false, true], 'new dir/-n\nü?': [false, true],
    });
  });

  it('survives the user\'s status settings and does not take the index lock', async () => {
    for (const [key, value] of [['status.showUntrackedFiles', 'no'], ['status.relativePaths', 'true'], ['status.renames', 'copies'], ['status.short', 'true'], ['status.branch', 'false'], ['color.ui', 'always'], ['diff.noprefix', 'true'], ['core.quotePath', 'true']] as const) repo.git('config', key, value);
    const work = repo.worktree();
    repo.write('ü', '1', work);
    writeFileSync(join(repo.root, '.git', 'worktrees', 'linked', 'index.lock'), '');
    expect((await repo.open().status(work)).entries.map((e) => e.path)).toEqual(['ü']);
  });

  it('tells a detached head, unmerged paths, an embedded repository and a branch without commits', async () => {
    const git = repo.open();
    repo.commit({ a: '1\n' });
    repo.git('switch', '-q', '-c', 'side');
    repo.commit({ a: '2\n' });
    repo.git('switch', '-q', '--detach', 'main');
    repo.commit({ a: '3\n' });
    const work = repo.worktree();
    repo.git('-C', work, 'switch', '-q', '--detach');
    repo.tryGit('-C', work, 'merge', '-q', 'side');
    repo.git('init', '-q', join(work, 'inner'));
    const status = await git.status(work);
    expect(status.branch).toBeUndefined();
    expect(status.entries.map((e) => [e.path, e.kind])).toEqual([['a', 'unmerged'], ['inner/', 'untracked']]);
    repo.git('-C', work, 'merge', '--abort');
    repo.git('-C', work, 'switch', '-q', '--orphan', 'empty');
    expect(await git.status(work)).toMatchObject({ head: '0'.repeat(40), branch: 'refs/heads/empty' });
    expect(await git.isAncestor(repo.git('rev-parse', 'main'), '0'.repeat(40))).toBe(false);
  });

  it('keeps names that are not UTF-8 apart and gives their bytes back', async () => {
    const raw = Buffer.from([0x66, 0xfc, 0x2e, 0xff]);
    const work = repo.worktree();
    writeFileSync(Buffer.concat([Buffer.from(`${work}/`), raw]), 'x');
    const git = repo.open();
    const [entry] = (await git.status(work)).entries;
    expect(pathBytes(entry?.path ?? '')).toEqual(raw);
    const tree = await git.stage(work, [entry?.path ?? '']);
    expect(repo.git('-c', 'core.quotePath=true', 'ls-tree', '--name-only', tree)).toContain('"f\\374.\\377"');
    for (const text of ['plain', 'ü☃😀', 'a\u{10ffff}b']) expect(pathText(pathBytes(text))).toBe(text);
  });
});

describe('trees and snapshots', () => {
  it('lists a prefix with sizes and modes, reads many files, and finds what is not committed there', async () => {
    repo.write('specs/run.sh', 'echo');
    repo.git('add', '-A');
    repo.git('update-index', '--chmod=+x', 'specs/run.sh');
    const commit = (repo.git('commit', '-qm', 'x'), repo.git('rev-parse', 'HEAD'));
    repo.git('reset', '-q', '--hard');
    const git = repo.open();
    const tree = await git.readTree(commit, 'specs/');
    expect(tree.map((e) => [e.path, e.mode, e.size])).toEqual([['specs/run.sh', '100755', 4]]);
    expect((await git.readFiles(tree.map((e) => e.id))).map(String)).toEqual(['echo']);
    expect(await git.workingTreeDiff(repo.root, { commit, prefix: 'specs' })).toEqual([]);
    repo.write('specs/run.sh', 'changed');
    repo.write('specs/new.md', '1');
    repo.write('elsewhere', '1');
    repo.write('specs/staged.md', '1');
    repo.git('add', 'specs/staged.md');
    expect(await git.workingTreeDiff(repo.root, { commit, prefix: 'specs' })).toEqual(['specs/new.md', 'specs/run.sh', 'specs/staged.md']);
    expect(await git.readTree(commit, 'spec')).toEqual([]);
  });

  it('shows in a snapshot a moved branch, a new tag, a switched and an edited checkout, and not remote-tracking refs', async () => {
    repo.write('dirty', '1');
    const watched = join(repo.base, 'watched');
    repo.git('worktree', 'add', '-q', '--detach', watched);
    const git = repo.open({ watch: [watched] });
    const before = await git.snapshot();
    expect(await git.snapshot()).toEqual(before);
    repo.git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    expect(await git.snapshot()).toEqual(before);
    repo.write('dirty', '2');
    repo.write('late', '1', watched);
    repo.git('tag', 't');
    repo.git('branch', 'b');
    repo.git('symbolic-ref', 'refs/heads/alias', 'refs/heads/b');
    repo.git('switch', '-q', 'b');
    const after = await git.snapshot();
    expect([...after.refs.keys()]).toEqual(expect.arrayContaining(['refs/tags/t', 'refs/heads/b']));
    expect(after.refs.get('refs/heads/alias')).toBe('ref: refs/heads/b');
    expect(after.head).toBe('refs/heads/b');
    expect(after.dirty.get('dirty')).not.toBe(before.dirty.get('dirty'));
    expect(after.dirty.has(join(watched, 'late'))).toBe(true);
    repo.git('add', 'dirty');
    expect((await git.snapshot()).dirty.get('dirty')).not.toBe(after.dirty.get('dirty'));
  });
});

describe('what the newest commits changed', () => {
  it('is told commit by commit, whatever the paths look like, without merges', async () => {
    const git = repo.open();
    const odd = [':100644 100644 x', 'a\nb', '0'.repeat(40), 'caf\u00e9'];
    const [first, last] = [odd.slice(0, 2), odd.slice(2)];
    for (const [n, paths] of [first, last].entries()) {
      for (const path of paths) writeFileSync(join(repo.root, path), 'x');
      repo.git('add', '-A');
      repo.git('commit', '-qm', `:${n}`);
    }
    const side = repo.git('commit-tree', '-p', 'HEAD~1', '-m', 'side', 'HEAD~1^{tree}');
    repo.git('merge', '-q', '-s', 'ours', '--no-ff', '-m', 'merge', side);
    const head = repo.git('rev-parse', 'HEAD');
    const changes = await git.recentChanges(head, 3);
    expect(changes.map((paths) => paths.toSorted()).filter((paths) => paths.length > 0).slice(0, 2)).toEqual([last.toSorted(), first.toSorted()]);
    expect(changes.length).toBe(3);
    await expect(git.recentChanges('HEAD', 3)).rejects.toThrow(Bug);
    await expect(git.recentChanges('1'.repeat(40), 3)).rejects.toThrow(GitError);
  });
});
