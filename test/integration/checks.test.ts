// Baseline checks and proofs: patterns, formatters, checks without an end, and the proof on the very commit that lands.

import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { commits, expectEnd, expectNothingLeft, fileAt, kinds, subjects } from '../rig/facts.ts';

describe('baseline checks', () => {
  it('run after the last task; a failure goes back to the agent, told what failed', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, baseline_checks: [{ name: 'lint', command: 'if test -f bad; then echo "bad: tabs"; exit 1; fi' }] });
    const run = bed.start(['run', '--json']);
    const first = await bed.hand.next({ task: 1 });
    await first.write('bad');
    await first.finish();
    const mending = await bed.hand.next({ task: 'baseline' });
    expect(mending.prompt).toContain('bad: tabs');
    await mending.remove('bad');
    await mending.exit();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'bad')).toBeUndefined();
    expectNothingLeft(bed);
  });

  it('fail the unit at the same limit, and nothing lands', async ({ bed }) => {
    const base = bed.specs({ a: {} }, { baseline_checks: ['! test -f a-1.txt'], limits: { attempts: 1 } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(bed.git('rev-parse', 'main')).toBe(base);
    expect(ended.events.filter((e) => e.type === 'rework.started')).toHaveLength(1);
  });

  it('of the plan and of the configuration all run', async ({ bed }) => {
    bed.specs({ a: { plan: '## Baseline Checks\n\n```sh\necho plan >> "$HOME/ran"\n```' }, b: { front: ['baseline_checks: ["echo front >> \\"$HOME/ran\\""]'] } }, { baseline_checks: ['echo file >> "$HOME/ran"'] });
    expectEnd(await bed.choo(['run', '-p', '1']), 0);
    const ran = bed.read('../home/ran');
    for (const word of ['plan', 'front', 'file']) expect(ran).toContain(word);
  });

  it('with a pattern run only for a unit that changed a path it matches', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { baseline_checks: [{ name: 'b only', command: 'echo "$CHOO_UNIT" >> "$HOME/ran"', pattern: 'b-*.txt' }] });
    expectEnd(await bed.choo(['run', '-p', '1']), 0);
    expect(new Set(bed.read('../home/ran').split('\n').filter((line) => line !== ''))).toEqual(new Set(['b']));
  });
});

describe('a formatter as a check', () => {
  it('gets a commit of its own, and everything is proved again', async ({ bed }) => {
    bed.specs({ a: {} }, { baseline_checks: [{ name: 'format', command: 'if grep -q attempt a-1.txt 2>/dev/null; then echo formatted > a-1.txt; fi' }] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(subjects(bed)).toContain('fix(a): format');
    expect(fileAt(bed, 'main', 'a-1.txt')).toBe('formatted\n');
    expectNothingLeft(bed);
  });

  it('that changes the files every time fails the unit as an unstable check', async ({ bed }) => {
    const base = bed.specs({ a: {} }, { baseline_checks: [{ name: 'stamp', command: 'test ! -f a-1.txt || date +%N >> a-1.txt' }] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'unstable-check', check: 'stamp', paths: ['a-1.txt'] } });
    expect(bed.git('rev-parse', 'main')).toBe(base);
  });

  it('as the check of a task: what it changed is part of the commit that is checked', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'test -f a-1.txt && echo formatted > a-1.txt' }] } });
    expectEnd(await bed.choo(['run']), 0);
    expect(fileAt(bed, 'main', 'a-1.txt')).toBe('formatted\n');
    expectNothingLeft(bed);
  });
});

describe('a check that never ends', () => {
  it('is ended at its limit and has failed', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'test -f a-1.txt && exec sleep 1000; exit 1' }] } }, { limits: { attempts: 1, check: '300ms' } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'task.validation.fail')).toMatchObject({ failure: { kind: 'check-failed', ending: { limit: 'total' } } });
  });

  it('and a baseline check that never ends, too', async ({ bed }) => {
    bed.specs({ a: {} }, { limits: { attempts: 1, check: '300ms' }, baseline_checks: ['test ! -f a-1.txt || sleep 1000'] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(kinds(ended, 'a').failures).toContain('check-failed');
  });
});

describe('the proof', () => {
  it('runs on the very commit that lands, in a worktree no agent used', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 } }, { agent: `touch .git-was-here-but-ignored; ${DOES_IT}`, baseline_checks: ['git rev-parse HEAD >> "$HOME/$CHOO_UNIT-proofs"; pwd >> "$HOME/$CHOO_UNIT-places"'] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    const landed = commits(bed).find((c) => c.landed === 'a')?.id ?? '';
    expect(bed.git('rev-parse', 'main')).toBe(landed);
    expect(bed.read('../home/a-proofs').trim().split('\n').at(-1)).toBe(landed);
    const prepared = ended.events.find((e) => e.type === 'unit.prepared');
    const place = bed.read('../home/a-places').trim().split('\n').at(-1);
    expect(prepared?.type === 'unit.prepared' && prepared.worktree === place).toBe(false);
  });

  it('is the check of every task and the baseline: one task breaking another is found before it lands', async ({ bed }) => {
    const base = bed.specs({ a: { tasks: [{}, { check: '! test -f a-1.txt && test -f a-2.txt' }] } }, { agent: `rm -f a-1.txt; ${DOES_IT}`, limits: { attempts: 1 } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.some((e) => e.type === 'batch.proof.failed')).toBe(true);
    expect(bed.git('rev-parse', 'main')).toBe(base);
  });

  it('each green alone, red together: the second is proved on the merged commit and sent back to its agent', async ({ bed }) => {
    const together = 'test "$(cat *-1.txt 2>/dev/null | wc -l)" -le 1 || test -f peace';
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent, baseline_checks: [together] });
    const run = bed.start(['run', '--json', '-p', '2']);
    const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
    await a.finish();
    await run.event('unit.merged', { unit: 'a' });
    await b.finish();
    const mending = await bed.hand.next({ unit: 'b', task: 'proof' });
    expect(await mending.read('a-1.txt')).toBeTruthy();
    await mending.write('peace');
    await mending.exit();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.some((e) => e.type === 'rework.started' && e.unit === 'b' && e.because.kind === 'check-failed' && e.because.with?.join() === 'a')).toBe(true);
    expectNothingLeft(bed);
  });
});
