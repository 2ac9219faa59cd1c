// The main job from end to end: forty units in four levels, a second run, the same plan twice, the plan document's fixture,
// and runs that are open.

import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, configText, it } from '../rig/bed.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, expectRefusal } from '../rig/facts.ts';
import type { Specs } from '../rig/specs.ts';

const fixture = join(import.meta.dirname, '..', 'fixtures', 'specs', 'orchestrator');

/** Four levels of ten units with four or five tasks; each depends on two of the level above. */
function fortyUnits(): Specs {
  const name = (level: number, i: number): string => `l${level}-u${i % 10}`;
  return Object.fromEntries(Array.from({ length: 40 }, (_, n) => {
    const [level, i] = [Math.floor(n / 10), n % 10];
    const dependsOn = level === 0 ? [] : [name(level - 1, i), name(level - 1, i + 3)];
    return [name(level, i), { dependsOn, tasks: 4 + (n % 2) }];
  }));
}

describe('forty units, 180 tasks, four levels', () => {
  it('run to the end at -p 4: every task exactly one commit, nothing left; again: nothing to do', async ({ bed }) => {
    bed.specs(fortyUnits());
    const ended = await bed.choo(['run', '--json', '-p', '4']);
    expectEnd(ended, 0);
    const expected = Object.entries(fortyUnits()).flatMap(([unit, spec]) => Array.from({ length: Number(spec.tasks) }, (_, i) => `${unit}#${i + 1}`)).toSorted();
    expect(expected).toHaveLength(180);
    expect(completedTasks(bed)).toEqual(expected);
    expect(commits(bed).filter((c) => c.landed !== '').map((c) => c.landed).toSorted()).toEqual(Object.keys(fortyUnits()).toSorted());
    expect(ended.events.filter((e) => 'failure' in e || e.type === 'task.retry')).toEqual([]);
    expect(ended.events.map((e) => e.seq)).toEqual(ended.events.map((e) => e.seq).toSorted((a, b) => a - b));
    expectNothingLeft(bed);
    const head = bed.git('rev-parse', 'main');
    const second = await bed.choo(['run']);
    expectEnd(second, 0);
    expect(second.stdout).toMatch(/nothing/i);
    expect(bed.git('rev-parse', 'main')).toBe(head);
  });

  it('give the same plan twice, in two repositories', async ({ bed }) => {
    bed.specs(fortyUnits());
    const copy = join(bed.base, 'copy');
    bed.git('clone', '-q', bed.root, copy);
    const plans = [await bed.choo(['run', '-n']), await bed.choo(['run', '-n']), await bed.choo(['run', '-n'], { cwd: copy })].map((ended) => ended.stdout);
    expect(plans[0]).toContain('Execution levels: 4');
    expect(new Set(plans).size).toBe(1);
  });
});

describe('the plan document', () => {
  it('runs to the end; its design spec and plan reach the prompt, its baseline checks run', async ({ bed }) => {
    cpSync(fixture, bed.root, { recursive: true });
    bed.commit({ '.choo.yaml': configText({ agent: 'cat > "$HOME/$CHOO_UNIT-$CHOO_TASK.prompt"; if [ "$CHOO_UNIT" = scheduler ]; then f=order.txt; else f="part$CHOO_TASK.txt"; fi; echo done > "$f"' }) }, 'the plan document');
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    const prompt = bed.read('../home/orchestrator-1.prompt');
    for (const part of ['One object owns a run from start to end', 'Six steps, each a small change', 'Write `part1.txt`', 'grep -q done part1.txt']) expect(prompt).toContain(part);
    const trial = ended.events.find((e) => e.type === 'trial.ok');
    expect(trial?.type === 'trial.ok' ? trial.checks.map((check) => check.command) : []).toEqual([expect.stringContaining('sh scripts/vet.sh')]);
    expect(completedTasks(bed).filter((task) => task.startsWith('orchestrator#'))).toHaveLength(6);
    expect(ended.events.filter((e) => e.type === 'unit.merged').map((e) => e.unit)).toEqual(['scheduler', 'orchestrator']);
    expectNothingLeft(bed);
  });
});

describe('a selection', () => {
  it('takes the unit and what it depends on, and nothing else', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] }, c: {}, d: { dependsOn: ['b'] } });
    expectEnd(await bed.choo(['run', '--unit', 'b']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
    expectEnd(await bed.choo(['run']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1', 'c#1', 'd#1']);
    expectNothingLeft(bed);
  });
});

describe('open runs', () => {
  const flaky = { agent: `test -e "$HOME/mended" && ${DOES_IT}`, limits: { attempts: 1 } };

  it('run with one open: exit 2, naming resume, retry and run --new', async ({ bed }) => {
    bed.specs({ a: {} }, flaky);
    expectEnd(await bed.choo(['run']), 1);
    const ended = await bed.choo(['run']);
    expectEnd(ended, 2);
    for (const way of ['choo resume', 'choo retry', 'choo run --new']) expect(ended.stderr).toContain(way);
  });

  it('retry gives attempts back and unblocks the dependants, resume continues in the same worktree', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, flaky);
    expectEnd(await bed.choo(['run']), 1);
    bed.write('../home/mended', '');
    expectEnd(await bed.choo(['retry', 'a']), 0);
    expectEnd(await bed.choo(['resume']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
    expectNothingLeft(bed);
  });

  it('retry while the run is live', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    const run = bed.start(['run', '--json', '-p', '2']);
    const b = await bed.hand.next({ unit: 'b' });
    await (await bed.hand.next({ unit: 'a' })).exit(1);
    await run.event('unit.failed', { unit: 'a' });
    expectEnd(await bed.choo(['retry', 'a']), 0);
    await (await bed.hand.next({ unit: 'a', attempt: 2 })).finish();
    await b.finish();
    expectEnd(await run.ended, 0);
    expectNothingLeft(bed);
  });

  it('run --new closes the old one, keeps all of it and says what it leaves', async ({ bed }) => {
    bed.specs({ a: {} }, { ...flaky, agent: `echo half > half; ${flaky.agent}` });
    expectEnd(await bed.choo(['run']), 1);
    bed.write('../home/mended', '');
    const ended = await bed.choo(['run', '--new']);
    expectEnd(ended, 0);
    expect(ended.stdout + ended.stderr).toContain('choo/unit/a/1');
    expect(bed.git('rev-parse', '--verify', 'refs/heads/choo/unit/a/1')).toBeTruthy();
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('resume with nothing open: exit 2 naming run', async ({ bed }) => {
    bed.specs({ a: {} });
    expectRefusal(bed, await bed.choo(['resume']), /choo run/);
    expectEnd(await bed.choo(['run']), 0);
    expectEnd(await bed.choo(['resume']), 2);
  });

  it('a crash in the middle of an attempt (kill -9) can be resumed, nothing twice', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ task: 1 })).finish();
    const cut = await bed.hand.next({ task: 2 });
    run.signal('SIGKILL');
    await run.ended;
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ task: 2, attempt: 2 })).finish();
    expectEnd(await again.ended, 0);
    await cut.gone;
    expect(completedTasks(bed)).toEqual(['a#1', 'a#2']);
    expectNothingLeft(bed);
  });

  it('status tells every unit and task, at rest', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 }, b: { dependsOn: ['a'] } }, flaky);
    expectEnd(await bed.choo(['run']), 1);
    const ended = await bed.choo(['status', '--json']);
    expectEnd(ended, 0);
    expect(JSON.parse(ended.stdout)).toHaveProperty('version');
    expect(ended.stdout).toMatch(/"blocked"/);
    expect((await bed.choo(['status'])).stdout).toMatch(/failed +a\n[^]*blocked +b +after a/);
    expect(existsSync(join(bed.root, '.git', 'choo', 'runs', '1'))).toBe(true);
  });
});
