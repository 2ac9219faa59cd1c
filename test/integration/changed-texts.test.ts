// Specs that change on the target while their tasks are being done: what lands never makes a text complete that nobody has proved.

import { describe, expect } from 'vitest';
import { it, type Bed, type BedConfig } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import type { Held } from '../rig/hand.ts';
import { commits, expectEnd, expectNothingLeft, fileAt } from '../rig/facts.ts';

const path = (unit: string, file = '01-part.md'): string => `specs/tasks/${unit}/${file}`;

/** Another check and another text: beside the status, so that git sees a conflict. */
const anew = (text: string): string => text.replace('backpressure: "test -f a-1.txt"', 'backpressure: "test -f new.txt"').replace('Write the file', 'Write another file');
/** Only what git merges with the status by itself. */
const below = (text: string): string => text.replace('Write the file', 'Write another file');

/** Changes a spec and commits it; gives the text it has now. */
function change(bed: Bed, file: string, how: (text: string) => string): string {
  const text = how(bed.read(file));
  expect(text).not.toBe(bed.read(file));
  bed.commit({ [file]: text }, 'other words');
  return text;
}

/** The first agent is at work; then everything is stopped. */
async function stopped(bed: Bed, config: BedConfig = {}): Promise<void> {
  bed.specs({ a: { tasks: 2 }, b: {} }, { agent: bed.hand.agent, ...config });
  const run = bed.start(['run', '--json', '-p', '1']);
  await bed.hand.next({ unit: 'a' });
  run.signal('SIGTERM');
  expectEnd(await run.ended, 143);
}

/** Goes on with the old plan until it has landed. */
async function goOn(bed: Bed): Promise<Ended> {
  const again = bed.start(['resume', '--keep-plan', '-p', '1']);
  for (const [unit, task] of [['a', '1'], ['a', '2'], ['b', '1']] as const) await (await bed.hand.next({ unit, task })).finish();
  const ended = await again.ended;
  expectEnd(ended, 0);
  return ended;
}

/** An attempt during which somebody moved the target does not count; the next one does. */
async function onceMore(bed: Bed, held: Held): Promise<void> {
  const unit = held.env['CHOO_UNIT'] ?? '';
  await held.finish();
  await (await bed.hand.next({ unit, attempt: 2 })).finish();
}

/** A new run finds the first task of `a`, and only that, to be done by its new text. */
async function expectDoneAnew(bed: Bed, text: string): Promise<void> {
  const run = bed.start(['run', '--json']);
  const held = await bed.hand.next({ unit: 'a', task: '1' });
  expect(held.prompt).toContain('Write another file');
  await held.write('new.txt', 'new\n');
  await held.write('a-1.txt', 'new\n');
  await held.exit();
  expectEnd(await run.ended, 0);
  expect(fileAt(bed, 'main', path('a'))).toBe(text.replace('status: pending', 'status: complete'));
  expectNothingLeft(bed);
  expect((await bed.choo(['run'])).stdout).toContain('nothing to do');
}

const SAYS = 'task 1 of a landed as the run began with it; main has another text now: choo run';

describe.each(['merge', 'squash', 'rebase'])('a task whose text changed on the target, with land.strategy %s', (strategy) => {
  it.for([['in conflict with its status', anew], ['beside its status', below]] as const)('is left to the next run when the old plan is kept: %s', async ([, how], { bed }) => {
    await stopped(bed, { land: { strategy } });
    const text = change(bed, path('a'), how);
    const ended = await goOn(bed);
    expect(fileAt(bed, 'main', path('a'))).toBe(text);
    expect(fileAt(bed, 'main', path('a', '02-part.md'))).toContain('status: complete');
    expect(ended.stdout + ended.stderr).toContain(SAYS);
    const status = await bed.choo(['status']);
    expect(status.stdout).toContain(SAYS);
    expect(commits(bed).filter((c) => c.landed === 'a')).toHaveLength(1);
    if (strategy === 'rebase' && how === below) expect(commits(bed).filter((c) => c.unit === 'a').map((c) => c.task)).toEqual(['1', '2']);
    await expectDoneAnew(bed, text);
  });

  it('is left to the next run when it changed while the run went on', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, land: { strategy } });
    const run = bed.start(['run', '--json']);
    const a = await bed.hand.next({ unit: 'a' });
    const text = change(bed, path('a'), below);
    await onceMore(bed, a);
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', path('a'))).toBe(text);
    expect(ended.events.find((e) => e.type === 'unit.merged' && e.unit === 'a')).toMatchObject({ notes: [{ kind: 'spec-changed', text: SAYS, paths: [path('a')] }] });
    await expectDoneAnew(bed, text);
  });
});

describe('specs that changed on the target meanwhile', () => {
  it('stay as they are there for a unit that began only then', async ({ bed }) => {
    bed.specs({ a: { dependsOn: ['b'] }, b: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const b = await bed.hand.next({ unit: 'b' });
    const text = change(bed, path('a'), anew);
    await onceMore(bed, b);
    await (await bed.hand.next({ unit: 'a' })).finish();
    expectEnd(await run.ended, 0);
    expect(fileAt(bed, 'main', path('a'))).toBe(text);
    await expectDoneAnew(bed, text);
  });

  it('stay as they are there when the unit is merged by its agent, too', async ({ bed }) => {
    bed.commit({ line: 'first\n' });
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const a = await bed.hand.next({ unit: 'a' });
    await a.write('line', 'mine\n');
    bed.commit({ line: 'theirs\n' });
    const text = change(bed, path('a'), below);
    await onceMore(bed, a);
    const merging = await bed.hand.next({ unit: 'a' });
    await merging.write('line', 'both\n');
    await merging.exit();
    expectEnd(await run.ended, 0);
    expect(bed.read('line')).toBe('both\n');
    expect(fileAt(bed, 'main', path('a'))).toBe(text);
    await expectDoneAnew(bed, text);
  });

  it('stay gone, and under another name are what they were made', async ({ bed }) => {
    await stopped(bed);
    bed.git('rm', '-q', path('a', '02-part.md'));
    bed.git('mv', path('b'), path('b', '01-renamed.md'));
    bed.commit({}, 'one less, and another name');
    const ended = await goOn(bed);
    expect(fileAt(bed, 'main', path('a'))).toContain('status: complete');
    expect(fileAt(bed, 'main', path('a', '02-part.md'))).toBeUndefined();
    expect(fileAt(bed, 'main', path('b'))).toBeUndefined();
    expect(fileAt(bed, 'main', path('b', '01-renamed.md'))).toContain('status: pending');
    expect(ended.stdout + ended.stderr).toContain('task 2 of a landed as the run began with it; main has no such file any more');
    const run = bed.start(['run', '--json']);
    const renamed = await bed.hand.next({ unit: 'b' });
    await renamed.write('b-1.txt', 'again\n');
    await renamed.exit();
    expectEnd(await run.ended, 0);
  });

  it('do not make a task one to be done again when it is the plan file', async ({ bed }) => {
    await stopped(bed);
    const text = change(bed, path('a', 'IMPLEMENTATION_PLAN.md'), (plan) => `${plan}\nMore of it.\n`);
    const ended = await goOn(bed);
    expect(fileAt(bed, 'main', path('a', 'IMPLEMENTATION_PLAN.md'))).toBe(text);
    expect(fileAt(bed, 'main', path('a'))).toContain('status: complete');
    expect(ended.stdout + ended.stderr).not.toContain('another text');
    expect((await bed.choo(['run'])).stdout).toContain('nothing to do');
  });

  it('stay as they are when the unit has landed beside the target already', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent });
    // In the way of the landing.
    bed.write('a-1.txt', 'mine\n');
    const run = bed.start(['run', '--json']);
    const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
    await a.finish();
    await run.event('unit.merged', { unit: 'a' });
    bed.git('clean', '-fq', 'a-1.txt');
    const text = change(bed, path('a'), below);
    await onceMore(bed, b);
    expectEnd(await run.ended, 0);
    expect(fileAt(bed, 'main', path('a'))).toBe(text);
    expect(fileAt(bed, 'main', path('b'))).toContain('status: complete');
    await expectDoneAnew(bed, text);
  });
});

describe('choo resume', () => {
  it('names specs that were edited and not committed, and goes on without them', async ({ bed }) => {
    await stopped(bed);
    bed.write(path('b'), bed.read(path('b')).replace('Write the file', 'Write another file'));
    const again = bed.start(['resume', '-p', '1']);
    for (const [unit, task] of [['a', '1'], ['a', '2'], ['b', '1']] as const) await (await bed.hand.next({ unit, task })).finish();
    const ended = await again.ended;
    expect(ended.stderr).toMatch(/warning[^]*1 file under specs\/tasks\/ has uncommitted changes \(specs\/tasks\/b\/01-part\.md\)[^]*git commit[^]*choo resume --accept-plan/);
  });

  it('says of a configuration that is wrong only what is wrong', async ({ bed }) => {
    await stopped(bed, { baseline_checks: [{ name: 'all', command: 'true' }] });
    bed.commit({ '.choo.yaml': bed.read('.choo.yaml').replace('"baseline_checks"', '"baseline_cheks"') }, 'a slip');
    for (const argv of [['resume'], ['resume', '--accept-plan'], ['resume', '--keep-plan']]) {
      const ended = await bed.choo(argv);
      expectEnd(ended, 2);
      expect(ended.stderr).toContain('baseline_cheks');
      expect(ended.stderr).not.toContain('plan-changed');
      expect(ended.stderr).not.toContain('are not those');
    }
  });
});
