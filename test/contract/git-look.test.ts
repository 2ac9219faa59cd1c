// A status that choo answers itself is what git would have said, whatever was done to the worktree; and what it cannot prove it asks git.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestRepository } from '../rig/repo.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';
import { keepingTimes, makeBed } from './git-look.rig.ts';
import type { Bed } from './git-look.rig.ts';

let repo: TestRepository;
let git: OpenGit;
let base: string;
let work: string;
let bed: Bed;
beforeEach(async () => {
  bed = await makeBed();
  ({ repo, git, base, work } = bed);
});
afterEach(() => repo.close());

const inWork = (...args: readonly string[]): string => bed.inWork(...args);

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
  ['no index', () => rmSync(bed.indexFile)],
  ['names beyond ASCII', () => repo.write('schön/\u{1f600}', 'x', work)],
  ['names that are not UTF-8', () => writeFileSync(Buffer.concat([Buffer.from(`${work}/`), Buffer.of(0xff, 0x31)]), 'x')],
  ['a named pipe where a file was', () => {
    rmSync(join(work, 'a'));
    execFileSync('mkfifo', [join(work, 'a')]);
  }],
];

describe('a status of our own', () => {
  it.each(DISGUISES)('is what git says after: %s', async (_, change) => {
    await bed.settled();
    change();
    await bed.expectSame();
    await bed.expectSame();
    utimesSync(work, 1, 1);
    await bed.expectSame();
  });

  it.each(DISGUISES)('is what git says when nothing was settled before: %s', async (_, change) => {
    await git.status(work);
    change();
    await bed.expectSame();
  });

  it('starts no git for an unchanged, an edited and a new file, nor after staging and committing them', async () => {
    await bed.settled();
    repo.write('a', 'edited\n', work);
    repo.write('dir/new', 'n\n', work);
    expect(await bed.asked(() => bed.expectSame())).toEqual([]);
    let tree = '';
    expect(await bed.asked(async () => (tree = await git.stage(work, ['a', 'dir/new'])))).toEqual([]);
    expect(tree).toBe(inWork('write-tree'));
    expect(await bed.asked(() => bed.expectSame())).toEqual([]);
    const commit = await git.commitTree({ tree, parents: [base], message: 'm' });
    await git.moveRef({ ref: 'refs/heads/unit', to: commit, from: base, reason: 'r' });
    expect(await bed.asked(() => bed.expectSame())).toEqual([]);
    expect((await git.status(work)).entries).toEqual([]);
  });

  it('believes an ignored path only under the rules and at the place git was asked about', async () => {
    repo.write('.gitignore', 'out/\n*.o\n', work);
    inWork('add', '.gitignore');
    inWork('commit', '-qm', 'ignore');
    repo.write('out/1', 'x', work);
    repo.write('dir/x.o', 'x', work);
    bed.later(50);
    await bed.expectSame();
    expect(await bed.asked(() => bed.expectSame())).toEqual([]);
    repo.write('out/2', 'x', work);
    expect(await bed.asked(() => bed.expectSame())).toEqual([]);
    repo.write('y.o', 'x', work);
    await bed.expectSame();
    repo.write('dir/real', 'x', work);
    await bed.expectSame();
    repo.write('.gitignore', '*.p\n', work);
    await bed.expectSame();
    rmSync(join(work, '.gitignore'));
    await bed.expectSame();
    inWork('add', '-f', 'out/1');
    await bed.expectSame();
  });

  it('knows a folder full of ignored files without reading it', async () => {
    repo.write('.gitignore', 'modules/\n', work);
    inWork('add', '.gitignore');
    inWork('commit', '-qm', 'ignore');
    mkdirSync(join(work, 'modules'));
    for (let n = 0; n < 3100; n += 1) writeFileSync(join(work, 'modules', `f${n}`), '');
    bed.later(50);
    await bed.expectSame();
    expect(await bed.asked(() => bed.expectSame())).toEqual([]);
    repo.write('a', '9\n', work);
    expect(await bed.asked(() => bed.expectSame())).toEqual([]);
  });

  it('sees edits of the main checkout that put their times back', async () => {
    bed.later(50);
    await git.snapshot();
    const before = await git.snapshot();
    keepingTimes(join(repo.root, 'a'), () => repo.write('a', '9\n'));
    const after = await git.snapshot();
    expect(before.dirty.has('a')).toBe(false);
    expect(after.dirty.has('a')).toBe(true);
  });

  it('leaves many files to git', async () => {
    for (let n = 0; n < 3100; n += 1) writeFileSync(join(work, `f${n}`), '');
    expect(await bed.asked(() => git.status(work))).toContain('status');
  });
});

describe('the stash', () => {
  const stash = async (): Promise<readonly string[]> => [...(await git.snapshot()).stash.keys()].toSorted();

  it('is told by its entries, and where they were made', async () => {
    expect(await stash()).toEqual([]);
    const put = (text: string): string => {
      repo.write('f', text);
      repo.git('stash', '-u', '-q');
      return repo.git('rev-parse', 'refs/stash');
    };
    const [first, second, third] = [put('1'), put('2'), put('3')];
    expect(await stash()).toEqual([first, second, third].toSorted());
    repo.git('stash', 'drop', '-q', 'stash@{1}');
    expect(await stash()).toEqual([first, third].toSorted());
    repo.write('f', '4', work);
    inWork('stash', '-u', '-q', '-m', 'on: here');
    repo.git('checkout', '-q', '--detach');
    put('5');
    expect([...(await git.snapshot()).stash.values()]).toEqual(['refs/heads/main', 'refs/heads/main', `refs/heads/${inWork('branch', '--show-current')}`, undefined]);
    rmSync(join(repo.root, '.git/logs/refs/stash'));
    expect(await stash()).toEqual([]);
    repo.git('stash', 'clear');
    expect(await stash()).toEqual([]);
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
    bed.later(50);
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
    bed.later(50);
    await git.snapshot();
    expect(await bed.asked(() => git.snapshot())).toEqual([]);
  });

  it('see a packed ref rewritten to the same length', async () => {
    const other = repo.commit({ n: '1' });
    repo.git('branch', 'p1', base);
    repo.git('pack-refs', '--all');
    bed.later(50);
    await git.snapshot();
    const packed = join(repo.root, '.git/packed-refs');
    keepingTimes(packed, () => writeFileSync(packed, readFileSync(packed, 'utf8').replace(`${base} refs/heads/p1`, `${other} refs/heads/p1`)));
    expect((await refs())['refs/heads/p1']).toBe(other);
  });
});
