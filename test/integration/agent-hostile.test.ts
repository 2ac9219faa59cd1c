// Agents that take their own worktree apart, or bend git so that choo's next command would hit something else.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { completedTasks, expectEnd, expectNothingLeft, fileAt, kinds, refs } from '../rig/facts.ts';

/** Runs two tasks; in the first attempt at the second the agent does this. The main checkout must stand as it stood in any case. */
async function hostile(bed: Bed, deed: string): Promise<Ended> {
  bed.specs({ a: { tasks: 2 } }, { agent: `if [ "$CHOO_TASK-$CHOO_ATTEMPT" = 2-1 ]; then ${deed}; else ${DOES_IT}; fi` });
  const head = readFileSync(join(bed.root, '.git', 'HEAD'), 'utf8');
  const ended = await bed.choo(['run', '--json']);
  expect(readFileSync(join(bed.root, '.git', 'HEAD'), 'utf8')).toBe(head);
  expect(bed.git('status', '--porcelain')).toBe('');
  expect(ended.stderr).not.toContain('defect in choo');
  return ended;
}

/** Expects the deed to cost one attempt, and the work to be done in the next. */
async function expectOvercome(bed: Bed, deed: string): Promise<Ended> {
  const ended = await hostile(bed, deed);
  expectEnd(ended, 0);
  expect(completedTasks(bed)).toEqual(['a#1', 'a#2']);
  expect(fileAt(bed, 'main', 'a-1.txt')).toBe('1 in attempt 1\n');
  return ended;
}

describe('the worktree', () => {
  it('deleted by its own agent: made again from the branch', async ({ bed }) => {
    await expectOvercome(bed, 'rm -rf "$PWD"');
    expectNothingLeft(bed);
  });

  it('without its .git file: nothing above it is taken for the repository', async ({ bed }) => {
    const ended = await expectOvercome(bed, 'rm .git; echo mine > precious');
    expect(kinds(ended, 'a').failures).toEqual(['history-rewritten']);
    expect(fileAt(bed, 'refs/choo/kept/1/a/2-1', 'precious')).toBe('mine\n');
  });

  it('made a repository of its own: its commits are not taken for the unit\'s', async ({ bed }) => {
    await expectOvercome(bed, 'rm .git; git init -q; touch a-2.txt; git add -A; git commit -qm mine');
  });

  it('pointed at the main checkout: choo\'s commands do not follow', async ({ bed }) => {
    await expectOvercome(bed, `echo "gitdir: $(git rev-parse --git-common-dir)" > .git; touch a-2.txt`);
    expect(bed.git('branch', '--show-current')).toBe('main');
    expect(fileAt(bed, 'main', 'README')).toBe('first\n');
  });

  it('with a lock that a killed git left', async ({ bed }) => {
    await expectOvercome(bed, `touch "$(git rev-parse --git-dir)/index.lock" a-2.txt`);
    expectNothingLeft(bed);
  });

  it('in the middle of a rebase that the agent left', async ({ bed }) => {
    await expectOvercome(bed, 'echo x > a-1.txt; git commit -qam x; git rebase -q --exec false HEAD~1; true');
  });

  it('in a bisect that the agent left', async ({ bed }) => {
    await expectOvercome(bed, 'git bisect start -q HEAD HEAD~1 >/dev/null; touch a-2.txt');
  });

  it('with its index deleted', async ({ bed }) => {
    await expectOvercome(bed, 'rm "$(git rev-parse --git-dir)/index"; touch a-2.txt');
    expect(fileAt(bed, 'main', 'README')).toBe('first\n');
  });

  it('moved elsewhere by git itself', async ({ bed }) => {
    const ended = await hostile(bed, `git worktree move "$PWD" "$PWD-moved"`);
    expect([0, 1]).toContain(ended.code);
    expect(completedTasks(bed, ended.code === 0 ? 'main' : 'choo/unit/a/1')).toContain('a#1');
  });

  it('with every object that is not referenced pruned', async ({ bed }) => {
    await expectOvercome(bed, `${DOES_IT}; git reflog expire --expire=now --all; git gc -q --prune=now`);
    expectNothingLeft(bed);
  });
});

describe('branches', () => {
  it('an agent that deletes the unit\'s branch', async ({ bed }) => {
    await expectOvercome(bed, 'git update-ref -d "refs/heads/$(git branch --show-current)"');
  });

  it('an agent that puts the unit\'s branch back', async ({ bed }) => {
    await expectOvercome(bed, 'git update-ref "refs/heads/$(git branch --show-current)" HEAD~1; touch a-2.txt');
  });

  it('an agent that merges work which has not landed: foreign paths do not land with it', async ({ bed }) => {
    bed.git('switch', '-q', '-c', 'theirs');
    bed.commit({ 'theirs.txt': 'unproved\n' });
    bed.git('switch', '-q', 'main');
    bed.specs({ a: {} }, { agent: `${DOES_IT}; git add -A; git commit -qm mine; git merge -q --no-edit theirs` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'conflict', conflict: 'foreign-change', paths: ['theirs.txt'] } });
    expect(fileAt(bed, 'main', 'theirs.txt')).toBeUndefined();
  });

  it('an agent that makes branches and tags of its own is reported, not obeyed', async ({ bed }) => {
    const ended = await hostile(bed, `git branch mine; ${DOES_IT}`);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['outside-the-fence']);
    expect(refs(bed)).toContain('refs/heads/mine');
  });
});

describe('a check', () => {
  it('that moves HEAD proves nothing', async ({ bed }) => {
    const base = bed.specs({ a: { tasks: [{ check: 'test -f a-1.txt && git commit -q --allow-empty -m sneaky' }] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'unstable-check' } });
    expect(bed.git('rev-parse', 'main')).toBe(base);
  });

  it('that rewrites the specs does not get them committed', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'test -f a-1.txt && echo x >> specs/tasks/a/IMPLEMENTATION_PLAN.md' }] } }, { limits: { attempts: 1 } });
    await bed.choo(['run', '--json']);
    expect(fileAt(bed, 'main', 'specs/tasks/a/IMPLEMENTATION_PLAN.md')).not.toContain('x\nx');
  });
});

describe('every kind of change lands as it is', () => {
  it('modes, links, binary files, renames, deletions, file for folder, hard names', async ({ bed }) => {
    bed.commit({ 'old.txt': 'moved\n', 'gone.txt': 'x\n', 'folder/file': 'x\n', 'was-file': 'x\n', 'tool.sh': '#!/bin/sh\n' });
    const deed = [
      'git mv old.txt new.txt', 'rm gone.txt', 'rm -r folder', 'echo now > folder', 'rm was-file', 'mkdir was-file', 'echo in > was-file/in',
      'chmod +x tool.sh', 'ln -s tool.sh link', 'printf "\\0\\377\\n" > binary', 'echo n > "new\nline"', 'echo u > "ünï"', 'echo s > " sp ace "', 'echo d > -dash', 'echo g > "*glob[x]"', 'mkdir empty',
    ].join('; ');
    bed.specs({ a: {} }, { agent: `${deed}; ${DOES_IT}` });
    expectEnd(await bed.choo(['run']), 0);
    const tree = bed.git('ls-tree', '-r', '-z', 'main').split('\0').map((entry) => entry.replace(/ blob \w+\t/, ' '));
    expect(tree).toEqual(expect.arrayContaining([
      '100644 new.txt', '100644 folder', '100644 was-file/in', '100755 tool.sh', '120000 link', '100644 binary', '100644 new\nline', '100644 ünï', '100644  sp ace ', '100644 -dash', '100644 *glob[x]',
    ]));
    for (const gone of ['old.txt', 'gone.txt', 'folder/file', 'was-file', 'empty']) expect(tree.map((entry) => entry.slice(7))).not.toContain(gone);
    expect(existsSync(join(bed.root, 'new.txt'))).toBe(true);
    expectNothingLeft(bed);
  });

  it('a file that the target renamed meanwhile keeps both the new name and the unit\'s change', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'grep -q changed text.md || grep -q changed docs/text.md' }] } }, { agent: 'sed -i "s/line 5/changed/" text.md', baseline_checks: [bed.hand.check('baseline')] });
    bed.commit({ 'text.md': Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('') });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ name: 'baseline', unit: '' })).exit();
    const held = await bed.hand.next({ name: 'baseline', unit: 'a' });
    bed.write('docs/.keep', '');
    bed.git('mv', 'text.md', 'docs/text.md');
    bed.commit({}, 'a person renames');
    await held.exit();
    await (await bed.hand.next({ name: 'baseline', unit: 'a' })).exit();
    expectEnd(await run.ended, 0);
    expect(bed.read('docs/text.md')).toContain('changed');
    expectNothingLeft(bed);
  });

  it('a submodule stays what it is', async ({ bed }) => {
    bed.write('.gitmodules', '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n');
    bed.git('update-index', '--add', '--cacheinfo', `160000,${bed.git('rev-parse', 'HEAD')},lib`);
    bed.git('add', '.gitmodules');
    bed.git('commit', '-q', '-m', 'a submodule');
    bed.write('lib/.keep', '');
    bed.configure({});
    bed.write('specs/tasks/a/IMPLEMENTATION_PLAN.md', '# A\n');
    bed.write('specs/tasks/a/01-x.md', '---\ntask: 1\nbackpressure: test -f a-1.txt\n---\n# X\n');
    bed.git('add', '.choo.yaml', 'specs');
    bed.git('commit', '-q', '-m', 'specs');
    const ended = await bed.choo(['run']);
    expectEnd(ended, 0);
    expect(bed.git('ls-tree', 'main', 'lib')).toMatch(/^160000 commit/);
  });
});
