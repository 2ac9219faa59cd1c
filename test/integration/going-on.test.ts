// Going on after something was cut or failed: proofs, conflicts and landings that a stop, a kill or a person came between.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import type { Running } from '../rig/choo.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, kinds, worktrees } from '../rig/facts.ts';

/** Lets `a` land and brings `b` to a conflict with it in README; gives back the agent that is to resolve it. */
async function conflict(bed: Bed, run: Running): ReturnType<Bed['hand']['next']> {
  const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
  await a.write('README', 'of a\n');
  await a.finish();
  await run.event('unit.merged', { unit: 'a' });
  await b.write('README', 'of b\n');
  await b.finish();
  return bed.hand.next({ unit: 'b', task: 'conflict' });
}

describe.each(['SIGTERM', 'SIGKILL'] as const)('after %s', (signal) => {
  it('during the proof of the commit that is to land: proved again, landed once', async ({ bed }) => {
    bed.specs({ a: {} }, { baseline_checks: [bed.hand.check('baseline')] });
    const run = bed.start(['run', '--json']);
    for (const unit of ['', 'a']) await (await bed.hand.next({ name: 'baseline', unit })).exit();
    const proof = await bed.hand.next({ name: 'baseline', unit: 'a' });
    run.signal(signal);
    await run.ended;
    const again = bed.start(['resume', '--json']);
    const second = await bed.hand.next({ name: 'baseline', unit: 'a' });
    await proof.gone;
    await second.exit();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(commits(bed).filter((c) => c.landed === 'a')).toHaveLength(1);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expectNothingLeft(bed);
  });

  it('during the resolution of a conflict: the merge is still in progress for the next attempt', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json', '-p', '2']);
    const cut = await conflict(bed, run);
    await cut.write('half', 'half of it\n');
    run.signal(signal);
    await run.ended;
    const again = bed.start(['resume', '--json']);
    const held = await bed.hand.next({ unit: 'b', task: 'conflict' });
    expect(await held.read('README')).toContain('<<<<<<<');
    expect(await held.read('half')).toBe('half of it\n');
    await held.write('README', 'of a and b\n');
    await held.exit();
    expectEnd(await again.ended, 0);
    expect(bed.read('README')).toBe('of a and b\n');
    expectNothingLeft(bed);
  });

  it('during the trial: the trial is made again', async ({ bed }) => {
    bed.specs({ a: {} }, { worktree: { setup: [bed.hand.check('setup')] } });
    const run = bed.start(['run', '--json']);
    await bed.hand.next({ name: 'setup' });
    run.signal(signal);
    await run.ended;
    const again = bed.start(['resume', '--json']);
    for (const unit of ['', 'a', '']) await (await bed.hand.next({ name: 'setup', unit })).exit();
    expectEnd(await again.ended, 0);
    expectNothingLeft(bed);
  });

  it('during a check: the check is run again, and no agent', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: bed.hand.check('check') }] } }, { limits: { attempts: 1 } });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ name: 'check' })).exit(1);
    await bed.hand.next({ name: 'check' });
    run.signal(signal);
    await run.ended;
    const again = bed.start(['resume', '--json']);
    for (let n = 0; n < 2; n++) await (await bed.hand.next({ name: 'check' })).exit();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'task.completed')).toMatchObject({ attempts: 1 });
    expectNothingLeft(bed);
  });
});

describe('a conflict that came to a person', () => {
  it('is resolved in the unit\'s worktree, as the message says, then retried', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent, merge: { max_conflict_retries: 1 } });
    const run = bed.start(['run', '--json', '-p', '2']);
    await (await conflict(bed, run)).exit();
    const failed = await run.ended;
    expectEnd(failed, 1);
    const worktree = worktrees(bed).find((path) => path.endsWith('/b')) ?? '';
    expect(failed.stderr).toContain(`cd ${worktree} && git merge`);
    bed.tryGit('-C', worktree, 'merge', '-q', 'main');
    writeFileSync(join(worktree, 'README'), 'of a and b, by hand\n');
    bed.git('-C', worktree, 'add', 'README');
    bed.git('-C', worktree, 'commit', '-q', '--no-edit');
    expectEnd(await bed.choo(['retry', 'b']), 0);
    const again = bed.start(['resume', '--json']);
    const held = await Promise.race([bed.hand.next({ unit: 'b', task: 'conflict' }), again.ended]);
    if ('exit' in held) await held.exit();
    expectEnd(await again.ended, 0);
    expect(bed.read('README')).toBe('of a and b, by hand\n');
    expectNothingLeft(bed);
  });
});

describe('a target that was in the way', () => {
  it('and now conflicts with what landed beside it: said so, exit 1, nothing lost on either side', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.write('a-1.txt', 'mine\n');
    expectEnd(await bed.choo(['run']), 1);
    const theirs = bed.commit({ 'a-1.txt': 'mine\n' });
    const ended = await bed.choo(['resume']);
    expectEnd(ended, 1);
    expect(ended.stdout + ended.stderr).toContain('conflict');
    expect(bed.git('rev-parse', 'main')).toBe(theirs);
    expect(completedTasks(bed, 'choo/run/1')).toEqual(['a#1']);
  });

  it('is tried first by the next run, too', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.write('a-1.txt', 'mine\n');
    expectEnd(await bed.choo(['run']), 1);
    rmSync(join(bed.root, 'a-1.txt'));
    expectEnd(await bed.choo(['run']), 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expectNothingLeft(bed);
  });
});

describe('settings of a run', () => {
  it('are pinned: a check that is weakened during the run by a commit on the target is not', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: `test "$CHOO_UNIT" = a && ${DOES_IT}`, limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run']), 1);
    bed.commit({ 'specs/tasks/b/01-part.md': '---\ntask: 1\nbackpressure: "true"\n---\n# Easier\n' });
    expectEnd(await bed.choo(['retry', 'b']), 0);
    const ended = await bed.choo(['resume', '--keep-plan', '--json']);
    expectEnd(ended, 1);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('that may change are read again by resume and said: limits and agents', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'false', limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run']), 1);
    bed.configure({ limits: { attempts: 2 } });
    bed.commit({}, 'another agent');
    expectEnd(await bed.choo(['retry', 'a']), 0);
    const ended = await bed.choo(['resume', '--json']);
    expectEnd(ended, 0);
    expect(ended.stderr).toMatch(/attempts is now 2/);
    expect(kinds(ended, 'a').failures).toEqual([]);
  });
});
