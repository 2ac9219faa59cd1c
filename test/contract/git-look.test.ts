// A status that choo answers itself is what git would have said, whatever was done to the worktree; and what it cannot prove it asks git.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitPaths } from '../../src/adapters/git/names.ts';
import { makeRepository, notingGit, sleepless } from '../rig/repo.ts';
import type { TestRepository } from '../rig/repo.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import type { DetailedStatus } from '../../src/adapters/git/status.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
let starts: () => readonly string[];
beforeEach(async () => {
  repo = makeRepository();
  base = repo.commit({ a: '1\n', b: '2\n', 'dir/c': '3\n', 'dir/sub/d': '4\n', 'run.sh': 'echo\n' });
  const noting = notingGit(repo);
  starts = noting.starts;
  git = repo.open({ env: noting.env });
  work = join(repo.base, 'work', 'unit-a');
  await git.addWorktree({ path: work, commit: base, branch: 'refs/heads/unit' });
});
afterEach(() => repo.close());

const inWork = (...args: readonly string[]): string => repo.git('-C', work, ...args);
const indexFile = (): string => join(repo.root, '.git/worktrees/unit-a/index');

/** Spins until the file system's clock has moved on by `ms`: what was written before is then surely older. */
function later(ms = 0): void {
  const probe = join(repo.base, 'probe');
  writeFileSync(probe, '');
  const from = lstatSync(probe).mtimeMs;
  do writeFileSync(probe, 'x'); while (lstatSync(probe).mtimeMs <= from + ms);
}

/** Everything is older than the index and than any doubt, and choo has seen it: from here on only differences can tell. */
async function settled(): Promise<void> {
  later();
  utimesSync(indexFile(), new Date(), new Date());
  later(50);
  await git.status(work);
  expect(await asked(() => git.status(work))).toEqual([]);
}

async function asked(step: () => Promise<unknown>): Promise<readonly string[]> {
  const before = starts().length;
  await step();
  return starts().slice(before).map((line) => line.split(' ')[1] ?? '').filter((verb) => verb !== 'cat-file' && verb !== 'diff-tree' && verb !== 'hash-object' && verb !== 'mktree');
}

function asLines(status: DetailedStatus): string[] {
  return [status.head, status.branch ?? '(detached)', ...status.entries.map((e) => `${e.code} ${e.path}`)];
}

/** What git says, read without the adapter. */
function truth(top: string): string[] {
  const out = execFileSync('git', ['--no-optional-locks', 'status', '--porcelain=v2', '--branch', '-z', '-uall', '--no-renames', '--ignore-submodules=none', '--no-ahead-behind'], { cwd: top, env: { ...repo.env, GIT_DIR: join(repo.root, '.git', top === work ? 'worktrees/unit-a' : ''), GIT_WORK_TREE: top } });
  const records = splitPaths(out);
  const head = records.find((r) => r.startsWith('# branch.oid '))?.slice(13) ?? '';
  const branch = records.find((r) => r.startsWith('# branch.head '))?.slice(14) ?? '';
  return [head, branch === '(detached)' ? branch : `refs/heads/${branch}`, ...records.filter((r) => !r.startsWith('#'))];
}

async function same(): Promise<void> {
  const status = await git.status(work) as DetailedStatus;
  expect(asLines(status)).toEqual(truth(work));
}

/** Sets a file's times back to what they were before `change`. */
function keepingTimes(path: string, change: () => void): void {
  const { atime, mtime } = lstatSync(path);
  change();
  utimesSync(path, atime, mtime);
}

const DISGUISES: readonly (readonly [string, () => void])[] = [
  ['content of the same size', () => repo.write('a', '9\n', work)],
  ['content of the same size with the old times put back', () => keepingTimes(join(work, 'a'), () => repo.write('a', '9\n', work))],
  ['a file replaced by another of the same size and times', () => keepingTimes(join(work, 'a'), () => {
    repo.write('new', '9\n', work);
    renameSync(join(work, 'new'), join(work, 'a'));
  })],
  ['content changed through a hard link outside', () => {
    linkSync(join(work, 'a'), join(repo.base, 'outside'));
    keepingTimes(join(work, 'a'), () => writeFileSync(join(repo.base, 'outside'), '9\n'));
  }],
  ['a new file in an old folder whose times were put back', () => keepingTimes(join(work, 'dir/sub'), () => repo.write('dir/sub/new', 'x', work))],
  ['a new file in a new folder', () => repo.write('fresh/deep/er', 'x', work)],
  ['a new empty folder', () => mkdirSync(join(work, 'empty'))],
  ['a new link', () => symlinkSync('/nowhere', join(work, 'lead'))],
  ['a file deleted', () => rmSync(join(work, 'dir/c'))],
  ['a folder deleted', () => rmSync(join(work, 'dir'), { recursive: true })],
  ['a file made executable', () => chmodSync(join(work, 'run.sh'), 0o755)],
  ['a file only touched', () => utimesSync(join(work, 'a'), 1, 1)],
  ['a file and a name swapped', () => {
    renameSync(join(work, 'a'), join(work, 'x'));
    renameSync(join(work, 'b'), join(work, 'a'));
    renameSync(join(work, 'x'), join(work, 'b'));
  }],
  ['a file turned into a link', () => {
    rmSync(join(work, 'a'));
    symlinkSync('b', join(work, 'a'));
  }],
  ['a file turned into a folder', () => {
    rmSync(join(work, 'a'));
    repo.write('a/in', 'x', work);
  }],
  ['a folder turned into a link to its twin', () => {
    renameSync(join(work, 'dir'), join(repo.base, 'twin'));
    symlinkSync(join(repo.base, 'twin'), join(work, 'dir'));
  }],
  ['a change that is staged', () => {
    repo.write('a', '9\n', work);
    inWork('add', 'a');
  }],
  ['a change staged and undone in the file', () => {
    repo.write('a', '9\n', work);
    inWork('add', 'a');
    repo.write('a', '1\n', work);
  }],
  ['a new file staged', () => {
    repo.write('new', '9\n', work);
    inWork('add', 'new');
  }],
  ['a file taken out of the index', () => inWork('rm', '-q', '--cached', 'a')],
  ['a file only meant to be added', () => {
    repo.write('new', '9\n', work);
    inWork('add', '-N', 'new');
  }],
  ['assume-unchanged set on a changed file', () => {
    repo.write('a', '9\n', work);
    inWork('update-index', '--assume-unchanged', 'a');
  }],
  ['skip-worktree set on a missing file', () => {
    rmSync(join(work, 'a'));
    inWork('update-index', '--skip-worktree', 'a');
  }],
  ['HEAD detached', () => inWork('checkout', '-q', '--detach')],
  ['HEAD on another branch', () => inWork('checkout', '-q', '-b', 'other')],
  ['HEAD written by hand', () => writeFileSync(join(repo.root, '.git/worktrees/unit-a/HEAD'), 'ref: refs/heads/main\n')],
  ['the branch moved', () => {
    repo.write('z', 'x');
    repo.git('add', '-A');
    repo.git('commit', '-qm', 'z');
    repo.git('update-ref', 'refs/heads/unit', 'HEAD');
  }],
  ['the branch packed', () => repo.git('pack-refs', '--all')],
  ['the branch made a symbolic ref', () => repo.git('symbolic-ref', 'refs/heads/unit', 'refs/heads/main')],
  ['a commit of its own', () => {
    repo.write('a', '9\n', work);
    inWork('commit', '-qam', 'own');
  }],
  ['a repository inside', () => execFileSync('git', ['init', '-q', join(work, 'inner')], { env: repo.env })],
  ['a repository inside a folder of the index', () => execFileSync('git', ['init', '-q', join(work, 'dir')], { env: repo.env })],
  ['an ignore file', () => {
    repo.write('x.o', 'x', work);
    repo.write('.gitignore', '*.o\n', work);
  }],
  ['an exclude in the repository', () => {
    repo.write('x.o', 'x', work);
    appendFileSync(join(repo.root, '.git/info/exclude'), '*.o\n');
  }],
  ['an excludes file of the user', () => {
    repo.write('x.o', 'x', work);
    repo.git('config', 'core.excludesFile', join(repo.base, 'mine'));
    writeFileSync(join(repo.base, 'mine'), '*.o\n');
  }],
  ['attributes that change what content means', () => {
    repo.write('.gitattributes', '* text=auto\n', work);
    repo.write('a', '1\r\n', work);
  }],
  ['attributes of the repository', () => {
    appendFileSync(join(repo.root, '.git/info/attributes'), '* text=auto\n');
    repo.write('a', '1\r\n', work);
  }],
  ['line endings by configuration', () => {
    repo.git('config', 'core.autocrlf', 'input');
    repo.write('a', '1\r\n', work);
  }],
  ['modes that do not count', () => {
    repo.git('config', 'core.fileMode', 'false');
    chmodSync(join(work, 'run.sh'), 0o755);
  }],
  ['an index of version 4', () => inWork('update-index', '--index-version', '4')],
  ['a split index', () => inWork('update-index', '--split-index')],
  ['an untracked cache', () => inWork('update-index', '--untracked-cache')],
  ['no index', () => rmSync(indexFile())],
  ['names beyond ASCII', () => repo.write('schön/\u{1f600}', 'x', work)],
  ['names that are not UTF-8', () => writeFileSync(Buffer.concat([Buffer.from(`${work}/`), Buffer.of(0xff, 0x31)]), 'x')],
  ['a named pipe where a file was', () => {
    rmSync(join(work, 'a'));
    execFileSync('mkfifo', [join(work, 'a')]);
  }],
];

describe('a status of our own', () => {
  it.each(DISGUISES)('is what git says after: %s', async (_, change) => {
    await settled();
    change();
    await same();
    await same();
    later(50);
    await same();
    utimesSync(work, 1, 1);
    await same();
  });

  it.each(DISGUISES)('is what git says when nothing was settled before: %s', async (_, change) => {
    await git.status(work);
    change();
    await same();
  });

  it('starts no git for an unchanged, an edited and a new file, nor after staging and committing them', async () => {
    await settled();
    repo.write('a', 'edited\n', work);
    repo.write('dir/new', 'n\n', work);
    expect(await asked(same)).toEqual([]);
    let tree = '';
    expect(await asked(async () => (tree = await git.stage(work, ['a', 'dir/new'])))).toEqual([]);
    expect(tree).toBe(inWork('write-tree'));
    expect(await asked(same)).toEqual([]);
    const commit = await git.commitTree({ tree, parents: [base], message: 'm' });
    await git.moveRef({ ref: 'refs/heads/unit', to: commit, from: base, reason: 'r' });
    expect(await asked(same)).toEqual([]);
    expect((await git.status(work)).entries).toEqual([]);
  });

  it('believes an ignored path only under the rules and at the place git was asked about', async () => {
    repo.write('.gitignore', 'out/\n*.o\n', work);
    inWork('add', '.gitignore');
    inWork('commit', '-qm', 'ignore');
    repo.write('out/1', 'x', work);
    repo.write('dir/x.o', 'x', work);
    later(50);
    await same();
    expect(await asked(same)).toEqual([]);
    repo.write('out/2', 'x', work);
    expect(await asked(same)).toEqual([]);
    repo.write('y.o', 'x', work);
    await same();
    repo.write('dir/real', 'x', work);
    await same();
    repo.write('.gitignore', '*.p\n', work);
    await same();
    rmSync(join(work, '.gitignore'));
    await same();
    inWork('add', '-f', 'out/1');
    await same();
  });

  it('sees edits of the main checkout that put their times back', async () => {
    later(50);
    await git.snapshot();
    const before = await git.snapshot();
    keepingTimes(join(repo.root, 'a'), () => repo.write('a', '9\n'));
    const after = await git.snapshot();
    expect(before.dirty.has('a')).toBe(false);
    expect(after.dirty.has('a')).toBe(true);
    expect(asLines(await git.status(repo.root) as DetailedStatus)).toEqual(truth(repo.root));
  });

  it('leaves many files to git', async () => {
    for (let n = 0; n < 3100; n += 1) writeFileSync(join(work, `f${n}`), '');
    expect(await asked(() => git.status(work))).toContain('status');
  });
});

describe('refs read from files', () => {
  const refs = async (): Promise<Record<string, string>> => Object.fromEntries((await git.snapshot()).refs);
  const trueRefs = (): Record<string, string> => Object.fromEntries(repo.git('for-each-ref', '--format=%(refname) %(objectname) %(symref)').split('\n').filter((l) => !l.startsWith('refs/remotes/')).map((line) => {
    const [name = '', id = '', points = ''] = line.split(' ');
    return [name, points === '' ? id : `ref: ${points}`];
  }));

  it('are those git lists: packed, loose over packed, deleted, symbolic, tags, remote ones left out', async () => {
    repo.git('branch', 'p1');
    repo.git('tag', '-a', '-m', 't', 'v1');
    repo.git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    repo.git('pack-refs', '--all');
    later(50);
    expect(await refs()).toEqual(trueRefs());
    const newer = repo.commit({ n: '1' });
    repo.git('branch', '-f', 'p1', newer);
    repo.git('branch', 'deep/er/one');
    repo.git('symbolic-ref', 'refs/heads/alias', 'refs/heads/p1');
    repo.git('stash', 'store', '-m', 's', newer);
    expect(await refs()).toEqual(trueRefs());
    repo.git('branch', '-D', 'p1');
    repo.git('tag', '-d', 'v1');
    writeFileSync(join(repo.root, '.git/refs/heads/held.lock'), '');
    expect(await refs()).toEqual(trueRefs());
    expect(await asked(() => git.snapshot())).toEqual([]);
  });

  it('see a packed ref rewritten to the same length', async () => {
    const other = repo.commit({ n: '1' });
    repo.git('branch', 'p1', base);
    repo.git('pack-refs', '--all');
    later(50);
    await git.snapshot();
    const packed = join(repo.root, '.git/packed-refs');
    keepingTimes(packed, () => writeFileSync(packed, readFileSync(packed, 'utf8').replace(`${base} refs/heads/p1`, `${other} refs/heads/p1`)));
    expect((await refs())['refs/heads/p1']).toBe(other);
  });
});

describe('staging of our own', () => {
  const sameTree = async (paths: readonly string[]): Promise<readonly string[]> => {
    let tree = '';
    const commands = await asked(async () => (tree = await git.stage(work, paths)));
    expect(tree).toBe(inWork('write-tree'));
    inWork('fsck', '--strict', tree);
    await same();
    return commands;
  };

  it('makes the tree git would make, of edits, new folders, deletions, links, modes and sorting traps', async () => {
    await settled();
    repo.write('a', 'edited\n', work);
    repo.write('dir-x', 'before the folder\n', work);
    repo.write('dir.x', 'also\n', work);
    repo.write('dir0', 'after\n', work);
    repo.write('n/e/w', 'x', work);
    symlinkSync('a', join(work, 'lead'));
    chmodSync(join(work, 'run.sh'), 0o755);
    rmSync(join(work, 'dir/sub/d'));
    expect(await sameTree(['a', 'dir-x', 'dir.x', 'dir0', 'n/e/w', 'lead', 'run.sh', 'dir/sub/d', 'never/was'])).toEqual([]);
    expect(inWork('status', '--porcelain').split('\n').every((line) => line[1] === ' ')).toBe(true);
    expect(await sameTree([])).toEqual([]);
  });

  it.each<readonly [string, () => void, readonly string[]]>([
    ['a file where a folder was', () => {
      rmSync(join(work, 'dir'), { recursive: true });
      repo.write('dir', 'x', work);
    }, ['dir']],
    ['a folder where a file was', () => {
      rmSync(join(work, 'a'));
      repo.write('a/in', 'x', work);
    }, ['a', 'a/in']],
    ['content converted by attributes', () => {
      repo.write('.gitattributes', '*.txt text\n', work);
      repo.write('dir/w.txt', 'x\r\n', work);
    }, ['.gitattributes', 'dir/w.txt']],
    ['content converted by attributes of a folder', () => {
      repo.write('dir/.gitattributes', '*.txt text\n', work);
      repo.write('dir/w.txt', 'x\r\n', work);
    }, ['dir/w.txt']],
    ['content converted by configuration', () => {
      repo.git('config', 'core.autocrlf', 'true');
      repo.write('w.txt', 'x\r\n', work);
    }, ['w.txt']],
    ['something the agent staged before', () => {
      repo.write('b', 'staged\n', work);
      inWork('add', 'b');
      repo.write('a', '9\n', work);
    }, ['a']],
    ['names that need care', () => {
      repo.write('ü', 'x', work);
      repo.write('tab\there', 'x', work);
      repo.write('new\nline', 'x', work);
    }, ['ü', 'tab\there', 'new\nline']],
    ['a flag in the index', () => inWork('update-index', '--assume-unchanged', 'b'), ['a']],
  ])('leaves to git what only git can do: %s', async (_, change, paths) => {
    await settled();
    change();
    let tree = '';
    await git.stage(work, paths).then((made) => (tree = made));
    expect(tree).toBe(inWork('write-tree'));
    await same();
  });

  it('does not make a change look older than the index that it rewrites', async () => {
    // Everything in one tick of the clock: stat, change of the same size, and the index written over it.
    repo.write('b', '2\n', work);
    inWork('add', 'b');
    keepingTimes(join(work, 'b'), () => repo.write('b', '7\n', work));
    repo.write('a', 'edited\n', work);
    await git.stage(work, ['a']);
    later();
    utimesSync(join(work), 1, 1);
    expect((await git.status(work)).entries.map((e) => e.path)).toEqual(['a', 'b']);
    await same();
  });

  it('does not take a lock that somebody holds, and leaves none behind', async () => {
    await settled();
    repo.write('a', '9\n', work);
    const lock = `${indexFile()}.lock`;
    writeFileSync(lock, '');
    const patient = repo.open({ sleep: sleepless(() => rmSync(lock)) });
    await patient.stage(work, ['a']);
    expect(inWork('diff', '--cached', '--name-only')).toBe('a');
    expect(existsSync(lock)).toBe(false);
  });

  it('names no object in a tree that the repository does not have', async () => {
    await settled();
    const id = inWork('rev-parse', 'HEAD:b');
    rmSync(join(repo.root, '.git/objects', id.slice(0, 2), id.slice(2)));
    repo.write('a', '9\n', work);
    await expect(git.stage(work, ['a'])).rejects.toThrow('write-tree');
  });
});
