// What a cleanup tells at its end: only what leads on.

import { expect, it } from 'vitest';
import type { CleanupReport, Leftover } from '../../../src/core/cleanup.ts';
import { renderCleanup } from '../../../src/show/cleanup.ts';

const NOTHING: CleanupReport = { dryRun: false, removed: [], kept: [], failed: [], backups: [], discarded: [], saved: 0 };
const ADVICE = 'to give a unit up (a backup ref is made first): choo cleanup --discard ';

const kept = (unit: string, run = 1): Leftover => ({ kind: 'worktree', what: `/w/${unit}`, run, unit, because: 'git does not know it as a worktree any more' });
const told = (report: Partial<CleanupReport>, asked: readonly string[] = []): string => renderCleanup({ ...NOTHING, ...report }, { color: false, asked });

it('names a unit that can be given up', () => {
  expect(told({ kept: [kept('a')] })).toContain(`${ADVICE}a\n`);
});

it.each([true, false])('does not name one that is given up just now, of which something is kept all the same (dry run: %s)', (dryRun) => {
  const discarded = [{ run: 1, unit: 'a', blocks: [] }];
  expect(told({ dryRun, discarded, kept: [kept('a')] })).not.toContain('--discard');
  expect(told({ dryRun, discarded, kept: [kept('a'), kept('b')] })).toContain(`${ADVICE}b\n`);
  expect(told({ dryRun, discarded, kept: [kept('a', 2)] })).toContain(`${ADVICE}a\n`);
});

it('does not name one again that was asked for, of a run that is over, too', () => {
  expect(told({ kept: [kept('a', 2)] }, ['a'])).not.toContain('--discard');
  expect(told({ kept: [kept('a', 2)] }, ['a/2'])).not.toContain('--discard');
  expect(told({ kept: [kept('a', 2)] }, ['a/1'])).toContain(`${ADVICE}a\n`);
});
