// Each failpoint once, by name: choo dies there, the next session brings the run to the same end, and nothing is left.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Failpoint } from '../../src/failpoint.ts';
import { it, type Bed } from '../rig/bed.ts';
import { freshClone } from '../rig/clones.ts';
import { makeRemote } from '../rig/remote.ts';
import { completedTasks, expectEnd, expectNothingLeft, subjects } from '../rig/facts.ts';

let folder = '';
let program = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'choo-windows-'));
  program = join(folder, 'choo', 'choo.cjs');
  execFileSync(process.execPath, [join(import.meta.dirname, '..', '..', 'scripts', 'build.mjs'), '--failpoints', join(folder, 'choo')]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `at`: the failpoint, or `<failpoint>:<n>` for its n-th time. */
async function dieAt(bed: Bed, at: Failpoint | `${Failpoint}:${number}`, argv: readonly string[]): Promise<void> {
  const point = at.includes(':') ? at : `${at}:1`;
  const { signal, stdout, stderr } = await bed.choo(argv, { env: { RIG_PROGRAM: program, CHOO_FAILPOINT: point } });
  expect(signal, `${point} was never reached\n${stdout}${stderr}`).toBe('SIGKILL');
}

/** Both units landed once each, and nothing is left. */
function expectWhole(bed: Bed): void {
  expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
  expect(subjects(bed).filter((line) => /^merge\([ab]\): 1 task/.test(line))).toHaveLength(2);
  expectNothingLeft(bed);
}

const PLAIN: readonly (Failpoint | `${Failpoint}:${number}`)[] = [
  'journalled', 'journalled:8', 'commit-built', 'commit-built:2', 'ref-moved:2', 'ref-moved:3', 'target-moved', 'checkout-advanced', 'worktree-registered', 'worktree-filled', 'worktree-aside', 'worktree-unregistered',
];

/** Another unit's commit may just have been on its way to git when choo died: a temporary file that nobody looks for. */
function removeHalfWritten(bed: Bed): void {
  const temporary = join(bed.base, 'temporary');
  for (const name of readdirSync(temporary)) if (/^choo-(commit|object)-/.test(name)) rmSync(join(temporary, name));
}

describe('dying in the worst moment', () => {
  for (const point of ['lock-taken', 'journal-made', 'ref-moved'] as const) {
    it(`${point}: nothing had begun, and the run begins`, async ({ bed }) => {
      bed.specs({ a: {}, b: { dependsOn: ['a'] } });
      await dieAt(bed, point, ['run']);
      expectEnd(await bed.choo(['run']), 0);
      expectWhole(bed);
    });
  }

  for (const point of PLAIN) {
    it(`${point}: resume goes on`, async ({ bed }) => {
      bed.specs({ a: {}, b: { dependsOn: ['a'] } });
      await dieAt(bed, point, ['run']);
      expectEnd(await bed.choo(['resume']), 0);
      expectWhole(bed);
    });
  }

  for (const point of ['folder-pooled', 'folder-taken'] as const) {
    it(`${point}: a folder of the pool is nobody's work`, async ({ bed }) => {
      bed.specs({ a: {}, b: {}, c: {} }, { worktree: { pool: 'always' } });
      await dieAt(bed, point, ['run', '-p', '1']);
      expectEnd(await bed.choo(['resume']), 0);
      expect(completedTasks(bed).toSorted()).toEqual(['a#1', 'b#1', 'c#1']);
      expect(bed.git('for-each-ref', 'refs/choo/kept')).toBe('');
      removeHalfWritten(bed);
      expectNothingLeft(bed);
    });
  }

  it('recovery-half-done: a session that dies while it mends is mended after', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } });
    await dieAt(bed, 'commit-built', ['run']);
    await dieAt(bed, 'recovery-half-done', ['resume']);
    expectEnd(await bed.choo(['resume']), 0);
    expectWhole(bed);
  });

  it('merge-begun: a merge that was cut is no conflict and no loss', async ({ bed }) => {
    const agent = 'if [ "$CHOO_TASK" = conflict ]; then sed -i -e "/^[<=>|]\\{7\\}/d" list; else echo "$CHOO_UNIT" >> list; fi';
    bed.specs({ a: { tasks: [{ check: 'grep -qx a list' }] }, b: { tasks: [{ check: 'grep -qx b list' }] } }, { agent });
    await dieAt(bed, 'merge-begun', ['run']);
    expectEnd(await bed.choo(['resume']), 0);
    expect(bed.read('list').split('\n').toSorted()).toEqual(['', 'a', 'b']);
    expectWhole(bed);
  });

  it('diverted: what landed beside a target that is in use stays one landing', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } });
    bed.write('a-1.txt', 'in the way\n');
    await dieAt(bed, 'diverted', ['run']);
    rmSync(join(bed.root, 'a-1.txt'));
    expectEnd(await bed.choo(['resume']), 0);
    expectWhole(bed);
  });

  for (const point of ['caught-up', 'joined'] as const) {
    it(`${point}: the run's own ref goes when the target has everything, whoever died before`, async ({ bed }) => {
      bed.specs({ a: {}, b: { dependsOn: ['a'] } });
      bed.write('a-1.txt', 'in the way\n');
      expectEnd(await bed.choo(['run']), 1);
      rmSync(join(bed.root, 'a-1.txt'));
      if (point === 'joined') {
        writeFileSync(join(bed.root, 'by-hand'), 'mine\n');
        bed.git('add', 'by-hand');
        bed.git('commit', '-q', '-m', 'by hand');
      }
      await dieAt(bed, point, ['resume']);
      expectEnd(await bed.choo(['resume']), 0);
      expectWhole(bed);
    });
  }

  for (const [point, push] of [['remote-moved', 'after-each'], ['remote-moved', 'at-end'], ['remote-joined', 'at-end']] as const) {
    it(`${point} (${push}): the remote is asked what it has, and gets the rest`, async ({ bed }) => {
      bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { land: { push } });
      const remote = makeRemote(bed);
      remote.git('config', 'core.logAllRefUpdates', 'always');
      if (point === 'remote-joined') {
        remote.hook('pre-receive', 'exit 1');
        expectEnd(await bed.choo(['run']), 1);
        remote.hook('pre-receive', undefined);
        remote.commit({ theirs: 'x\n' });
      }
      await dieAt(bed, point, [point === 'remote-joined' ? 'resume' : 'run']);
      expectEnd(await bed.choo(['resume']), 0);
      expect(remote.git('rev-parse', 'main')).toBe(bed.git('rev-parse', 'main'));
      const values = remote.git('reflog', 'show', '--format=%H', 'main').split('\n');
      expect(new Set(values).size).toBe(values.length);
      expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
      removeHalfWritten(bed);
      expectNothingLeft(bed, ['refs/heads/main', 'refs/remotes/origin/main']);
    });
  }

  for (const point of ['saved', 'saved:2', 'saved:4'] as const) {
    it(`${point}: a save whose answer was lost is the session's own`, async ({ bed }) => {
      bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { land: { push: 'after-each' } });
      const remote = makeRemote(bed);
      await dieAt(bed, point, ['run', '--ci']);
      expectEnd(await bed.choo(['resume']), 0);
      expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
      expect(remote.git('rev-parse', 'main')).toBe(bed.git('rev-parse', 'main'));
      expectNothingLeft(bed, ['refs/heads/main', 'refs/remotes/origin/main']);
    });
  }

  for (const point of ['run-claimed', 'run-half-restored', 'journalled', 'journalled:2'] as const) {
    it(`${point}: a machine that dies while it restores a run leaves it to the next try, here or elsewhere`, async ({ bed }) => {
      bed.specs({ a: {}, b: { dependsOn: ['a'] } });
      const remote = makeRemote(bed);
      const [one, two] = [freshClone(bed, remote, 'one'), freshClone(bed, remote, 'two')];
      await dieAt(one, 'target-moved:2', ['run', '--ci']);
      await dieAt(two, point, ['resume', '--from-remote']);
      const three = freshClone(bed, remote, 'three');
      const next = point === 'run-claimed' ? three : two;
      expectEnd(await next.choo(['resume', ...(point === 'journalled:2' ? [] : ['--from-remote'])]), 0);
      expect(completedTasks(next)).toEqual(['a#1', 'b#1']);
      expect(next.git('for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/choo')).toBe('refs/heads/main');
      expect(readdirSync(join(next.root, '.git/choo/runs'))).toEqual(['1']);
    });
  }

  it('worktree-aside while it clears up after the last unit: a run with nothing to do clears up', async ({ bed }) => {
    bed.specs({ a: {} });
    await dieAt(bed, 'worktree-aside:2', ['run']);
    expect(bed.git('worktree', 'list').split('\n')).toHaveLength(2);
    expectEnd(await bed.choo(['run']), 0);
    expectNothingLeft(bed);
  });
});
