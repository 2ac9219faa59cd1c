// The floor of free space, `limits.free_disk`: looked at before every worktree that is made, whatever it is made for.

import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectEnd, worktrees } from '../rig/facts.ts';

const TOO_MUCH = { free_disk: '1000000GiB' };

it('holds for the trial worktree: no agent starts, and the message names path, floor and key', async ({ bed }) => {
  bed.specs({ a: {} }, { limits: TOO_MUCH });
  const ended = await bed.choo(['run', '--json']);
  expectEnd(ended, 1);
  expect(ended.events.find((e) => e.type === 'trial.failed')).toMatchObject({ failure: { kind: 'no-space', path: expect.stringContaining(bed.state) as string } });
  expect(ended.stderr).toMatch(/only \d+ MiB are free at \/.*\/landing, less than limits\.free_disk \(1024000000 MiB\)/);
  expect(ended.events.some((e) => e.type === 'task.started')).toBe(false);
  expect(worktrees(bed)).toEqual([]);
});

it('holds for a unit\'s first worktree, and for one that has to be made again; its branch stays', async ({ bed }) => {
  const config = { agent: bed.hand.agent };
  bed.specs({ a: { tasks: 2 }, b: {} }, config);
  const run = bed.start(['run', '--json', '-p', '1']);
  await (await bed.hand.next({ unit: 'a', task: 1 })).finish();
  const held = await bed.hand.next({ unit: 'a', task: 2 });
  run.signal('SIGINT');
  await held.gone;
  expectEnd(await run.ended, 130);
  const [a = ''] = worktrees(bed);
  const head = bed.git('rev-parse', 'choo/unit/a/1');
  rmSync(a, { recursive: true });
  bed.configure({ ...config, limits: TOO_MUCH });
  bed.git('commit', '-qam', 'more room, please');
  const ended = await bed.choo(['resume', '--json']);
  expectEnd(ended, 1);
  const failures = ended.events.flatMap((e) => (e.type === 'unit.failed' ? [[e.unit, e.failure.kind, 'path' in e.failure ? e.failure.path : ''] as const] : []));
  expect(failures).toEqual([['a', 'no-space', a], ['b', 'no-space', a.replace(/a$/, 'b')]]);
  expect(bed.git('rev-parse', 'choo/unit/a/1')).toBe(head);
  expect(bed.tryGit('rev-parse', '--verify', '-q', 'choo/unit/b/1')).toBe(1);
});
