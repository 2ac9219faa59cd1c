// Agents that put a symbolic link, or nothing that git knows, where choo is going to work: nothing beyond it is touched.

import { lstatSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { completedTasks, expectEnd, fileAt, kinds } from '../rig/facts.ts';

/** What a person has in the main checkout that is nowhere else. */
const PRECIOUS = { README: 'uncommitted\n', 'mine.txt': 'untracked\n', 'ignored.env': 'ignored\n', 'prompts/mine.md': 'untracked\n' };

function checkout(bed: Bed): unknown {
  return [Object.keys(PRECIOUS).map((path) => bed.read(path)), readFileSync(join(bed.root, '.git', 'HEAD'), 'utf8'), readFileSync(join(bed.root, '.git', 'config'), 'utf8'), lstatSync(join(bed.root, '.git')).isDirectory(), readdirSync(bed.root).filter((name) => !/^a-\d\.txt$/.test(name))];
}

/** Runs a unit whose agent does this in its first attempt at the first task, and its work besides. */
async function linking(bed: Bed, deed: string, o: { readonly tasks?: number } = {}): Promise<Ended> {
  bed.commit({ '.gitignore': '*.env\n' });
  bed.specs({ a: { tasks: o.tasks ?? 1 } }, { agent: `if [ "$CHOO_TASK-$CHOO_ATTEMPT" = 1-1 ]; then M='${bed.root}'; ${DOES_IT}; ${deed}; else ${DOES_IT}; fi` });
  for (const [path, text] of Object.entries(PRECIOUS)) bed.write(path, text);
  const before = checkout(bed);
  const ended = await bed.choo(['run', '--json']);
  expect(checkout(bed)).toEqual(before);
  expect(ended.stderr).not.toContain('defect in choo');
  return ended;
}

describe('a link to the main checkout', () => {
  it('in the place of choo’s own landing worktree is moved aside, and told', async ({ bed }) => {
    const ended = await linking(bed, 'rm -rf ../../landing; ln -s "$M" ../../landing');
    expectEnd(ended, 0);
    expect(JSON.stringify(ended.events)).toContain('what stood in the place of choo\'s own landing worktree');
    expect(fileAt(bed, 'main', 'a-1.txt')).toBe('1 in attempt 1\n');
  });

  it('in the place of the unit’s worktree costs the attempt, and the worktree is made again', async ({ bed }) => {
    const ended = await linking(bed, 'W=$PWD; cd /; rm -rf "$W"; ln -s "$M" "$W"');
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['history-rewritten']);
    expect(JSON.stringify(ended.events)).toContain('what stood in the place of its worktree was not that worktree any more');
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('in the place of the folder of prompts gets none of them', async ({ bed }) => {
    const ended = await linking(bed, 'rm -rf ../../prompts; ln -s "$M" ../../prompts', { tasks: 2 });
    expectEnd(ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'a#2']);
  });

  it('in the place of all that a run has ends the run, and nothing is made, cleaned or removed there', async ({ bed }) => {
    const ended = await linking(bed, 'W=$(dirname "$(dirname "$PWD")"); cd /; mv "$W" "$W-moved"; ln -s "$M" "$W"');
    expectEnd(ended, 1);
    expect(JSON.stringify(ended.events)).toContain('a symbolic link leads from');
  });
});

describe('a worktree that git does not know any more', () => {
  it('is kept as it is, and made again', async ({ bed }) => {
    const ended = await linking(bed, 'rm -rf "$(git rev-parse --git-dir)"; echo mine > precious');
    expectEnd(ended, 0);
    const [, kept = ''] = /"kept":"([^"]+)"/.exec(JSON.stringify(ended.events)) ?? [];
    expect(readFileSync(join(kept, 'precious'), 'utf8')).toBe('mine\n');
    expect(kinds(ended, 'a').failures).toEqual(['history-rewritten']);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('stands in nobody’s way when the unit is given up', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'echo mine > precious', limits: { attempts: 1 } });
    const failed = await bed.choo(['run', '--json']);
    expectEnd(failed, 1);
    rmSync(join(bed.root, '.git', 'worktrees', 'a'), { recursive: true });
    const discarded = await bed.choo(['cleanup', '--discard', 'a']);
    expectEnd(discarded, 0);
    const [aside = ''] = /\S+\.broken-1/.exec(discarded.stdout) ?? [];
    expect(readFileSync(join(aside, 'precious'), 'utf8')).toBe('mine\n');
    expect(bed.tryGit('rev-parse', '--verify', '-q', 'choo/unit/a/1')).toBe(1);
  });
});

describe('flags under which git looks past a file', () => {
  it.for(['--assume-unchanged', '--skip-worktree'])('%s: what was changed under it is committed and lands', async (flag, { bed }) => {
    bed.commit({ 'old.txt': 'old\n' });
    bed.specs({ a: { tasks: [{ check: 'grep -q new old.txt' }] } }, { agent: `echo new > old.txt; git update-index ${flag} old.txt` });
    expectEnd(await bed.choo(['run', '--json']), 0);
    expect(fileAt(bed, 'main', 'old.txt')).toBe('new\n');
  });

  it('with a link in the place of the specs: choo writes nothing into the main checkout', async ({ bed }) => {
    const ended = await linking(bed, 'git ls-files -z specs | git update-index --skip-worktree -z --stdin; rm -rf specs; ln -s "$M/specs" specs; echo /specs >> .gitignore');
    expectEnd(ended, 0);
    expect(bed.git('status', '--porcelain', '--', 'specs')).toBe('');
    expect(fileAt(bed, 'main', 'specs/tasks/a/IMPLEMENTATION_PLAN.md')).toBeDefined();
    expect(completedTasks(bed)).toEqual(['a#1']);
  });
});

describe('odd files are the attempt’s failure, or put right, never a defect of choo', () => {
  it.for([
    ['.gitmodules linked to itself', 'rm -f .gitmodules; ln -s .gitmodules .gitmodules; git add .gitmodules'],
    ['a spec linked to itself', 'rm "$CHOO_TASK_FILE"; ln -s "$(basename "$CHOO_TASK_FILE")" "$CHOO_TASK_FILE"'],
    ['a spec of gigabytes', 'truncate -s 3G "$CHOO_TASK_FILE"'],
  ] as const)('%s', async ([, deed], { bed }) => {
    bed.specs({ a: {} }, { agent: `${DOES_IT}; if [ "$CHOO_ATTEMPT" = 1 ]; then ${deed}; fi` });
    expectEnd(await bed.choo(['run', '--json']), 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('a tracked file replaced by a pipe fails the attempt, in words', async ({ bed }) => {
    bed.commit({ 'old.txt': 'old\n' });
    bed.specs({ a: {} }, { agent: `${DOES_IT}; if [ "$CHOO_ATTEMPT" = 1 ]; then rm old.txt; mkfifo old.txt; else rm old.txt; echo old > old.txt; fi` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'task.validation.fail')).toMatchObject({ failure: { kind: 'odd-path', path: 'old.txt', detail: 'it is a pipe, a socket or a device' } });
  });
});
