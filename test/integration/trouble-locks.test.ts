// Git's own locks held by somebody else in the middle of a run: a bounded wait, a message that names the file, nothing lost,
// and the run goes on when the lock is gone.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectNothingLeft, fileAt } from '../rig/facts.ts';

function lockPath(bed: Bed, name: string): string {
  return join(bed.root, '.git', name);
}

/** git itself does not wait for a lock of a ref; choo does. */
function impatient(bed: Bed): void {
  bed.git('config', 'core.packedRefsTimeout', '0');
  bed.git('config', 'core.filesRefLockTimeout', '0');
}

/** Runs one unit of one task; the lock is there from the moment its agent has begun. */
async function runLocked(bed: Bed, name: string): Promise<{ readonly code: number | null; readonly text: string }> {
  impatient(bed);
  const choo = bed.start(['run']);
  const agent = await bed.hand.next({ unit: 'a' });
  mkdirSync(dirname(lockPath(bed, name)), { recursive: true });
  writeFileSync(lockPath(bed, name), '');
  await agent.finish();
  const ended = await choo.ended;
  // Somebody else's lock is never choo's to remove.
  expect(existsSync(lockPath(bed, name))).toBe(true);
  rmSync(lockPath(bed, name));
  return { code: ended.code, text: ended.stdout + ended.stderr };
}

/** The run can be finished, without the agent, and leaves nothing. */
async function expectGoesOn(bed: Bed): Promise<void> {
  const status = JSON.parse((await bed.choo(['status', '--json'])).stdout) as { readonly counts: { readonly failed: number } };
  if (status.counts.failed > 0) expectEnd(await bed.choo(['retry', '--failed']), 0);
  expectEnd(await bed.choo(['resume']), 0);
}

function expectDone(bed: Bed): void {
  expect(completedTasks(bed)).toEqual(['a#1']);
  expect(fileAt(bed, 'main', 'a-1.txt')).toBe('done in attempt 1\n');
}

describe.concurrent('a lock of git that somebody else holds', () => {
  it('on the index of the checkout that has the target: lands beside it, says which lock, and advances when it is gone', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const { code, text } = await runLocked(bed, 'index.lock');
    expect(code, `${text}`).toBe(1);
    expect(text).toContain('index.lock');
    await expectGoesOn(bed);
    expectDone(bed);
    expectNothingLeft(bed);
  });

  it('on the configuration stops nothing: choo writes none', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const { code, text } = await runLocked(bed, 'config.lock');
    expect(code, `${text}`).toBe(0);
    expectDone(bed);
    expectNothingLeft(bed);
  });

  it('on the packed refs: everything lands, and what could not be removed is named', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    bed.git('pack-refs', '--all');
    const { code, text } = await runLocked(bed, 'packed-refs.lock');
    expect(code, `${text}`).toBe(0);
    expect(text).toContain('packed-refs.lock');
    expectDone(bed);
  });

  it('on the branch of the target: the unit waits for a retry with its work, and the message names the lock', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const { code, text } = await runLocked(bed, 'refs/heads/main.lock');
    expect(code, `${text}`).toBe(1);
    expect(text).toContain('refs/heads/main.lock');
    await expectGoesOn(bed);
    expectDone(bed);
    expectNothingLeft(bed);
  });

  it('on a target that nobody has checked out: the same', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, target_branch: 'main' });
    bed.git('switch', '-q', '-c', 'mine');
    const { code, text } = await runLocked(bed, 'refs/heads/main.lock');
    expect(code, `${text}`).toBe(1);
    expect(text).toContain('refs/heads/main.lock');
    await expectGoesOn(bed);
    expectDone(bed);
    expectNothingLeft(bed, ['refs/heads/main', 'refs/heads/mine']);
  });

  it('on the unit\'s own branch when its work is proved: the work stays, and a retry goes on with it', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: `${bed.hand.check('proof')} && test -f a-1.txt` }] } }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    impatient(bed);
    const choo = bed.start(['run']);
    await (await bed.hand.next({ name: 'proof' })).exit(1);
    await (await bed.hand.next({ unit: 'a' })).finish();
    const check = await bed.hand.next({ name: 'proof' });
    writeFileSync(lockPath(bed, 'refs/heads/choo/unit/a/1.lock'), '');
    await check.exit();
    const { code, stdout, stderr } = await choo.ended;
    expect(code, `${stdout}${stderr}`).toBe(1);
    expect(stdout + stderr).toContain('choo/unit/a/1.lock');
    rmSync(lockPath(bed, 'refs/heads/choo/unit/a/1.lock'));
    expectEnd(await bed.choo(['retry', '--failed']), 0);
    const again = bed.start(['resume']);
    const agent = await bed.hand.next({ unit: 'a', attempt: 2 });
    expect(await agent.read('a-1.txt')).toBe('done in attempt 1\n');
    await agent.exit();
    await (await bed.hand.next({ name: 'proof' })).exit();
    await (await bed.hand.next({ name: 'proof' })).exit();
    expectEnd(await again.ended, 0);
    expectDone(bed);
    expectNothingLeft(bed);
  });
});
