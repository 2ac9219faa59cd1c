// Objects that choo writes and trees that it compares itself: to git they are what its own are.

import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { openGit } from '../../src/adapters/git/index.ts';
import { GitError } from '../../src/world.ts';
import { fakeProgram, makeRepository, notingGit } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import { Rng } from '../sim/rng.ts';

let repo: TestRepository;
beforeEach(() => {
  repo = makeRepository();
  repo.write('a', 'x\n');
  repo.git('add', 'a');
  repo.git('commit', '-q', '-m', 'a file');
});
afterEach(() => repo.close());

/** A git that notes what it starts, opened anew so that it reads the configuration as it is now. */
function opened(): { readonly git: ReturnType<TestRepository['open']>; readonly starts: () => readonly string[] } {
  const { env, starts } = notingGit(repo);
  return { git: repo.open({ env }), starts };
}

const fileOf = (id: string): string => join(repo.root, '.git/objects', id.slice(0, 2), id.slice(2));
const literally = (type: string, input: string | Buffer): string => execFileSync('git', ['-C', repo.root, 'hash-object', '-t', type, '-w', '--literally', '--stdin'], { input, encoding: 'utf8' }).trim();
const half = (): readonly string[] => readdirSync(join(repo.root, '.git/objects'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('tmp_obj'));

describe('an object of choo’s own', () => {
  it('is to git what its own is, and cannot be written to', async () => {
    const { git, starts } = opened();
    const work = repo.worktree();
    repo.write('new/file', 'x\n', work);
    const tree = await git.stage(work, ['new/file']);
    const commit = await git.commitTree({ tree, parents: [repo.git('rev-parse', 'HEAD')], message: 'a subject\n\nüber a body\n' });
    expect(starts().filter((args) => /hash-object|mktree|write-tree|commit-tree|update-index/.test(args))).toEqual([]);
    expect(repo.git('fsck', '--strict', '--no-dangling', commit)).toBe('');
    expect(repo.git('show', '-s', '--format=%B', commit)).toBe('a subject\n\nüber a body\n');
    expect(repo.git('show', `${commit}:new/file`)).toBe('x');
    for (const id of [commit, tree, repo.git('rev-parse', `${commit}:new/file`)]) expect(statSync(fileOf(id)).mode & 0o777).toBe(0o444);
    expect(half()).toEqual([]);
  });

  it('that was there already gets a new time, so that no cleaning takes it for old', async () => {
    const { git } = opened();
    const work = repo.worktree();
    repo.write('again', 'x\n', work);
    const id = repo.git('-C', work, 'hash-object', '-w', 'again');
    utimesSync(fileOf(id), 1_000_000, 1_000_000);
    await git.stage(work, ['again']);
    expect(Date.now() - statSync(fileOf(id)).mtimeMs).toBeLessThan(60_000);
    repo.git('prune', '--expire=1.hour.ago');
    expect(repo.git('cat-file', '-p', id)).toBe('x');
  });

  it('is git’s to write where it is told to sync', async () => {
    repo.git('config', 'core.fsync', 'all');
    const { git, starts } = opened();
    const work = repo.worktree();
    repo.write('new', 'x\n', work);
    expect(await git.stage(work, ['new'])).toBe(repo.git('-C', work, 'write-tree'));
    expect(starts().some((args) => args.includes('update-index'))).toBe(true);
  });

  it('is git’s to write, and to refuse, where something stands in the way', async () => {
    const { git } = opened();
    const work = repo.worktree();
    repo.write('new', 'x\n', work);
    const id = repo.git('-C', work, 'hash-object', 'new');
    const folder = join(repo.root, '.git/objects', id.slice(0, 2));
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(folder, 'no folder\n');
    await expect(git.stage(work, ['new'])).rejects.toThrow('update-index');
    expect(half()).toEqual([]);
    expect(lstatSync(folder).isFile()).toBe(true);
  });

  it.each([
    ['without a name', 'author <a@b> 1 +0000', 'author <a@b> 1 +0000'],
    ['from before 1970', 'author A <a@b> -5 +0000', 'author A <a@b> -5 +0000'],
    ['with a zone of its own', 'author A <a@b> 1 +051800', 'author A <a@b> 1 +051800'],
    ['with what ends a line elsewhere', 'author A\u2028B <a@b> 1 +0000', 'author A\u2028B <a@b> 1 +0000'],
    ['that is none', 'author Odd <a<b> 1 +0000', /^author [^<>]* <[^<>]*> 1 \+0000$/m],
  ])('keeps an author as another tool wrote it: %s', async (_, line, expected) => {
    const { git } = opened();
    const head = repo.git('rev-parse', 'HEAD');
    const commit = await git.commitTree({ tree: await git.treeOf(head), parents: [head], message: 'm', authorOf: literally('commit', `tree ${repo.git('rev-parse', 'HEAD^{tree}')}\n${line}\ncommitter C <c@d> 1 +0000\n\nx\n`) });
    expect(repo.git('cat-file', 'commit', commit)).toMatch(expected);
  });

  it('has a name in Latin-1 as git has it', async () => {
    repo.git('config', 'user.email', 'j@example.com');
    writeFileSync(join(repo.root, '.git/config'), Buffer.concat([readFileSync(join(repo.root, '.git/config')), Buffer.from('[user]\n\tname = J\xfcrgen\n', 'latin1')]));
    const { git } = opened();
    const head = repo.git('rev-parse', 'HEAD');
    const commit = await git.commitTree({ tree: await git.treeOf(head), parents: [head], message: 'm' });
    expect(repo.git('show', '-s', '--format=%an', commit)).toBe('Jürgen');
  });

  it.each([
    ['ISO-8859-2', 'Łukasz', Buffer.from('a3756b61737a', 'hex')],
    ['KOI8-R', 'Иван', Buffer.from('e9d7c1ce', 'hex')],
    ['nobody-knows', 'Jürgen', Buffer.from('J\xfcrgen', 'latin1')],
    ['UTF-16LE', 'Jürgen', Buffer.from('J\xfcrgen', 'latin1')],
  ])('has the name of an author whose commit is in %s', async (encoding, name, bytes) => {
    const { git } = opened();
    const head = repo.git('rev-parse', 'HEAD');
    const [front, back] = [`tree ${repo.git('rev-parse', 'HEAD^{tree}')}\nauthor `, ` <a@b> 1 +0000\ncommitter C <c@d> 1 +0000\nencoding ${encoding}\n\nx\n`];
    const authorOf = literally('commit', Buffer.concat([Buffer.from(front), bytes, Buffer.from(back)]));
    const commit = await git.commitTree({ tree: await git.treeOf(head), parents: [head], message: 'm', authorOf });
    expect(repo.git('cat-file', 'commit', commit)).toContain(`author ${name} <a@b> 1 +0000\n`);
  });

  it.each(['GIT_AUTHOR_IDENT', 'commit.gpgsign'])('is made although git could not tell %s before', async (word) => {
    const real = execFileSync('sh', ['-c', 'command -v git'], { env: repo.env, encoding: 'utf8' }).trim();
    const env = fakeProgram(repo, 'git', `case " $* " in *' ${word} '*) [ -e "$HOME/told" ] || { : >"$HOME/told"; exit 128; };; esac; exec '${real}' "$@"`);
    const git = repo.open({ env });
    const head = repo.git('rev-parse', 'HEAD');
    const made = async (): Promise<string> => git.commitTree({ tree: await git.treeOf(head), parents: [head], message: 'm' });
    await expect(made()).rejects.toThrow(GitError);
    expect(repo.git('cat-file', '-t', await made())).toBe('commit');
  });

  it('names nothing that is not there', async () => {
    const { git } = opened();
    const work = repo.worktree();
    repo.write('new', 'x\n', work);
    const tree = await git.stage(work, ['new']);
    rmSync(fileOf(tree));
    await expect(git.commitTree({ tree, parents: [repo.git('rev-parse', 'HEAD')], message: 'm' })).rejects.toThrow('commit-tree');
  });

  it('is written also where parts of the configuration are only for some folders', async () => {
    repo.git('config', 'includeIf.gitdir:**/elsewhere/.path', '~/other');
    const { git, starts } = opened();
    const [tree, head] = [repo.git('rev-parse', 'HEAD^{tree}'), repo.git('rev-parse', 'HEAD')];
    await git.commitTree({ tree, parents: [head], message: 'm' });
    expect(starts().filter((args) => args.includes('commit-tree'))).toEqual([]);
  });

  it('is git’s to write where many large files come together', async () => {
    const { git, starts } = opened();
    const paths = ['1', '2', '3', '4', '5'];
    const work = repo.worktree();
    for (const path of paths) repo.write(path, path.repeat(3.9 * 1024 * 1024), work);
    expect(await git.stage(work, paths.slice(0, 2))).toBe(repo.git('-C', work, 'write-tree'));
    expect(starts().some((args) => args.includes('update-index'))).toBe(false);
    expect(await git.stage(work, paths)).toBe(repo.git('-C', work, 'write-tree'));
    expect(starts().some((args) => args.includes('update-index'))).toBe(true);
  });
});

describe('trees compared', () => {
  const byGit = (from: string, to: string): readonly string[] => {
    const printed = execFileSync('git', ['-C', repo.root, 'diff-tree', '-r', '-z', '--no-renames', '--name-only', from, to], { encoding: 'latin1' });
    return printed.split('\0').filter((path) => path !== '');
  };

  it('tell what git tells, in its order, of whatever trees there are', async () => {
    const { git, starts } = opened();
    const rng = new Rng(11);
    const names = ['a', 'a-', 'a.b', 'a0', 'b', 'b/c', 'b/c/d', 'dir/x', 'dir/y', 'dir-x', 'z'];
    repo.write('second', 'other\n');
    const blobs = [repo.git('rev-parse', 'HEAD:a'), repo.git('hash-object', '-w', 'second')];
    const links = ['1'.repeat(40), '2'.repeat(40)];
    const modes = ['100644', '100755', '120000', '160000'];
    const commits: string[] = [];
    for (let n = 0; n < 14; n++) {
      const index = join(repo.root, `.git/index-${n}`);
      const chosen = names.filter(() => rng.chance(0.6)).filter((name, _, all) => !all.some((other) => other.startsWith(`${name}/`)));
      const lines = chosen.map((name) => {
        const mode = rng.pick(modes);
        return `${mode} ${mode === '160000' ? rng.pick(links) : rng.pick(blobs)}\t${name}\n`;
      });
      const env = { PATH: process.env['PATH'], GIT_INDEX_FILE: index };
      execFileSync('git', ['-C', repo.root, 'update-index', '--add', '--index-info'], { env, input: lines.join('') });
      const tree = execFileSync('git', ['-C', repo.root, 'write-tree', '--missing-ok'], { env, encoding: 'utf8' }).trim();
      commits.push(repo.git('commit-tree', tree, '-m', 'x'));
    }
    for (const from of commits) for (const to of commits) expect(await git.changedPaths(from, to), `${from} ${to}`).toEqual(byGit(from, to));
    expect(starts().filter((args) => args.includes('diff-tree'))).toEqual([]);
  });

  it('keep names whose bytes are no text', async () => {
    const { git } = opened();
    const blob = repo.git('rev-parse', 'HEAD:a');
    const tree = execFileSync('git', ['-C', repo.root, 'mktree', '-z'], { input: Buffer.from(`100644 blob ${blob}\tn\xff\xe4\x00100644 blob ${blob}\t\xc3\xbc\x00`, 'latin1') }).toString().trim();
    expect(await git.changedPaths(repo.git('commit-tree', tree, '-m', 'x'), repo.git('rev-parse', 'HEAD'))).toEqual(['README', 'a', 'n\udcff\udce4', 'ü']);
  });

  it('that git does not write that way are git’s to compare', async () => {
    const { git, starts } = opened();
    const blob = repo.git('rev-parse', 'HEAD:a');
    const body = Buffer.concat([Buffer.from('100664 a\0'), Buffer.from(blob, 'hex')]);
    const [from, to] = [repo.git('rev-parse', 'HEAD'), repo.git('commit-tree', literally('tree', body), '-m', 'x')];
    expect(await git.changedPaths(from, to)).toEqual(byGit(from, to));
    expect(starts().some((args) => args.includes('diff-tree'))).toBe(true);
  });

  it('whose folders lead deeper than anyone goes are git’s, too', async () => {
    const { git, starts } = opened();
    let tree = repo.git('rev-parse', 'HEAD^{tree}');
    for (let n = 0; n < 260; n++) tree = execFileSync('git', ['-C', repo.root, 'mktree'], { input: `040000 tree ${tree}\td\n`, encoding: 'utf8' }).trim();
    const [from, to] = [repo.git('rev-parse', 'HEAD'), repo.git('commit-tree', tree, '-m', 'x')];
    expect(await git.changedPaths(from, to)).toEqual(byGit(from, to));
    expect(starts().some((args) => args.includes('diff-tree'))).toBe(true);
  });

  it('that are many are git’s, instead of being read one by one', async () => {
    const { git, starts } = opened();
    for (let n = 0; n < 220; n++) repo.write(`many/${n}/file`, 'x\n');
    repo.git('add', '-A');
    repo.git('commit', '-q', '-m', 'many');
    expect(await git.changedPaths(repo.git('rev-parse', 'HEAD~1'), repo.git('rev-parse', 'HEAD'))).toHaveLength(220);
    expect(starts().some((args) => args.includes('diff-tree'))).toBe(true);
  });
});

describe('a commit in common', () => {
  it('is none that is only named, as in a shallow clone', async () => {
    const parent = repo.git('rev-parse', 'HEAD');
    repo.commit({ b: '1' });
    repo.git('switch', '-q', '-c', 'side', parent);
    repo.commit({ c: '1' });
    const clone = join(repo.base, 'clone');
    repo.git('clone', '-q', '--depth', '1', '--no-single-branch', `file://${repo.root}`, clone);
    const git = openGit({ commonDir: join(clone, '.git'), mainRoot: clone, env: repo.env, sleep: systemClock().sleep });
    try {
      expect(await git.mergeBase(repo.git('rev-parse', 'main'), repo.git('rev-parse', 'side'))).toBeUndefined();
    } finally {
      await git.close();
    }
  });

  it('is found among the lines that say so to git, and no others', async () => {
    const { git } = opened();
    const [tree, older] = [repo.git('rev-parse', 'HEAD^{tree}'), repo.git('rev-parse', 'HEAD')];
    const newer = repo.commit({ b: '1' });
    const who = 'author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000';
    // No blank line; and one that names its parent where nobody looks for it.
    for (const [text, base] of [[`tree ${tree}\nparent ${newer}\n${who}\n`, newer], [`tree ${tree}\nparent ${older}\n${who}\nparent ${newer}\n\nx\n`, older]] as const) {
      const odd = literally('commit', text);
      expect(base).toBe(repo.git('merge-base', newer, odd));
      expect(await git.mergeBase(newer, odd)).toBe(base);
    }
  });

  it('is git’s to find where that means reading far', async () => {
    const { git, starts } = opened();
    const root = repo.git('rev-parse', 'HEAD');
    let [one, other] = [root, root];
    const tree = repo.git('rev-parse', 'HEAD^{tree}');
    for (let n = 0; n < 40; n++) {
      one = repo.git('commit-tree', tree, '-p', one, '-m', `one ${n}`);
      other = repo.git('commit-tree', tree, '-p', other, '-m', `other ${n}`);
    }
    expect(await git.mergeBase(one, other)).toBe(root);
    expect(starts().some((args) => args.includes('merge-base'))).toBe(true);
  });
});
