// Specs that change on the target while a run is open: never taken or dropped in silence.

import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, fileAt } from '../rig/facts.ts';

/** `a` (two tasks) has its first task done and its second agent at work, `b` waits for `a`; then everything is stopped. */
async function stoppedInTheMiddle(bed: Bed): Promise<void> {
  bed.specs({ a: { tasks: 2 }, b: { dependsOn: ['a'] }, gone: { dependsOn: ['a'] } }, { agent: bed.hand.agent });
  const run = bed.start(['run', '--json', '-p', '1']);
  await (await bed.hand.next({ unit: 'a', task: '1' })).finish();
  const second = await bed.hand.next({ unit: 'a', task: '2' });
  await second.write('half', 'half of it\n');
  run.signal('SIGTERM');
  expectEnd(await run.ended, 143);
}

const path = (unit: string, file = '01-part.md'): string => `specs/tasks/${unit}/${file}`;

function edit(bed: Bed, file: string, change: (text: string) => string): void {
  bed.write(file, change(bed.read(file)));
}

function expectAsked(ended: Ended, says: RegExp): void {
  expectEnd(ended, 2);
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr, 'a stack').not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
}

describe('specs that changed while a run was open', () => {
  it('are shown as a diff and asked about', async ({ bed }) => {
    await stoppedInTheMiddle(bed);
    edit(bed, path('b'), (text) => text.replace('Write the file', 'Write carefully the file'));
    bed.commit({}, 'other words');
    const ended = await bed.choo(['resume']);
    expectAsked(ended, /the specs on main are not those that run 1 began with: changed: b \(task 1\)/);
    expect(ended.stderr).toContain('+Write carefully the file');
    expect(ended.stderr).toMatch(/--accept-plan[^]*--keep-plan/);
  });

  it('do not count when only a status or something else changed', async ({ bed }) => {
    await stoppedInTheMiddle(bed);
    edit(bed, path('b'), (text) => text.replace('status: pending', 'status: in_progress'));
    bed.commit({ README: 'more\n' }, 'progress');
    const again = bed.start(['resume', '--json', '-p', '1']);
    for (const unit of ['a', 'b', 'gone']) await (await bed.hand.next({ unit })).finish();
    expectEnd(await again.ended, 0);
    expectNothingLeft(bed);
  });

  it('are left alone with --keep-plan', async ({ bed }) => {
    await stoppedInTheMiddle(bed);
    edit(bed, path('b'), (text) => text.replace('Write the file', 'Write carefully the file'));
    bed.commit({}, 'other words');
    const again = bed.start(['resume', '--keep-plan', '--json', '-p', '1']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    const b = await bed.hand.next({ unit: 'b' });
    expect(b.prompt).not.toContain('carefully');
    await b.finish();
    await (await bed.hand.next({ unit: 'gone' })).finish();
    expectEnd(await again.ended, 0);
    expect(fileAt(bed, 'main', path('b'))).toContain('carefully');
  });

  it('are taken with --accept-plan: proved tasks that changed are done again, units come and go, work of a cut attempt is kept', async ({ bed }) => {
    await stoppedInTheMiddle(bed);
    edit(bed, path('a'), (text) => text.replace('Write the file', 'Write again the file'));
    bed.git('rm', '-rq', 'specs/tasks/gone');
    edit(bed, path('b', 'IMPLEMENTATION_PLAN.md'), (text) => text.replace('depends_on: [a]', 'depends_on: [new]'));
    bed.write(path('new', 'IMPLEMENTATION_PLAN.md'), '---\ndepends_on: [a]\n---\n# New\n');
    bed.write(path('new'), '---\ntask: 1\nstatus: pending\nbackpressure: test -f new-1.txt\n---\n# Something new\n');
    bed.commit({ README: 'newest\n' }, 'another plan');
    const again = bed.start(['resume', '--accept-plan', '--json', '-p', '1']);
    const first = await bed.hand.next({ unit: 'a', task: '1' });
    expect(first.prompt).toContain('Write again');
    expect(await first.read('README')).toBe('newest\n');
    expect(await first.read('a-1.txt')).toBeDefined();
    await first.write('a-1.txt', 'again\n');
    await first.exit();
    await (await bed.hand.next({ unit: 'a', task: '2' })).finish();
    for (const unit of ['new', 'b']) await (await bed.hand.next({ unit })).finish();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'a#1', 'a#2', 'b#1', 'new#1']);
    expect(commits(bed).filter((c) => (c.landed ?? '') !== '').map((c) => c.landed).toSorted()).toEqual(['a', 'b', 'new']);
    const kept = bed.git('for-each-ref', '--format=%(refname)', 'refs/choo/kept/1/a/').split('\n').find((ref) => ref.includes('before-merge'));
    expect(fileAt(bed, kept ?? '', 'half')).toBe('half of it\n');
  });

  it('are refused when they are wrong, with what is wrong', async ({ bed }) => {
    await stoppedInTheMiddle(bed);
    edit(bed, path('b'), (text) => text.replace('task: 1', 'task: 7'));
    bed.commit({}, 'a slip');
    expectAsked(await bed.choo(['resume']), /plan-changed[^]*7/);
    expectAsked(await bed.choo(['resume', '--accept-plan']), /01-part\.md:2/);
  });

  it('are those of the chosen units, also while others are wrong', async ({ bed }) => {
    bed.specs({ a: {}, b: {}, c: {} }, { agent: 'exit 1', limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run', '--unit', 'a']), 1);
    edit(bed, path('a'), (text) => text.replace('Write the file', 'Write carefully the file'));
    edit(bed, path('c'), (text) => text.replace('task: 1', 'task: 7'));
    bed.commit({}, 'other words, and a slip');
    const ended = await bed.choo(['resume']);
    expectAsked(ended, /are not those that run 1 began with: changed: a \(task 1\) /);
    expect(ended.stderr).not.toContain('new: ');
  });

  it('cannot be taken and left at the same time', async ({ bed }) => {
    await stoppedInTheMiddle(bed);
    const ended = await bed.choo(['resume', '--accept-plan', '--keep-plan']);
    expectAsked(ended, /--keep-plan/);
  });
});
