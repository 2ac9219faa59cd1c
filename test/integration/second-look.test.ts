// What people do to a repository between two sessions, and files that are damaged: nothing is lost by it, and nothing wrong is told.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectNothingLeft, fileAt, refs, subjects } from '../rig/facts.ts';

const FAILS_AT_B = `test "$CHOO_UNIT" = b && exit 1; ${DOES_IT}`;
const OWN = 'refs/heads/choo/run/1';

/** `a` landed, `b` failed, `c` waits for both; the next agent of `b` does it. */
async function aLandedBFailed(bed: Bed): Promise<void> {
  bed.specs({ a: {}, b: {}, c: { dependsOn: ['a', 'b'] } }, { agent: FAILS_AT_B, limits: { attempts: 1 } });
  bed.git('branch', 'before');
  expectEnd(await bed.choo(['run', '-p', '1']), 1);
}

/** From now on every agent does what it is asked. */
function mendAgent(bed: Bed): void {
  bed.configure({ limits: { attempts: 1 } });
  bed.commit({}, 'another agent');
}

/** `a` landed beside its target, because of a local change to a file that it changes. */
async function landedBeside(bed: Bed): Promise<void> {
  bed.specs({ a: {} }, { agent: `echo more >> README; ${DOES_IT}` });
  bed.write('README', 'mine\n');
  expectEnd(await bed.choo(['run']), 1);
  expect(refs(bed)).toContain(OWN);
}

describe('the target between two sessions', () => {
  it('was reset to before a landing: resume refuses and names what is missing, and goes on when it is back', async ({ bed }) => {
    await aLandedBFailed(bed);
    const landed = bed.git('rev-parse', 'main');
    bed.git('reset', '-q', '--hard', 'before');
    expectEnd(await bed.choo(['retry', 'b']), 0);
    const refused = await bed.choo(['resume']);
    expectEnd(refused, 2);
    expect(refused.stderr).toMatch(new RegExp(`main no longer has what run 1 landed there: a \\(${landed.slice(0, 10)}\\)[^]*git merge ${landed.slice(0, 10)}[^]*run --new`));
    bed.git('merge', '-q', '--ff-only', landed);
    mendAgent(bed);
    expectEnd(await bed.choo(['resume']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1', 'c#1']);
  });

  it('was rebased, so that what landed is there as other commits: resume goes on', async ({ bed }) => {
    await aLandedBFailed(bed);
    bed.git('rebase', '-q', '--force-rebase', 'before');
    mendAgent(bed);
    expectEnd(await bed.choo(['retry', 'b']), 0);
    expectEnd(await bed.choo(['resume']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1', 'c#1']);
    expectNothingLeft(bed, ['refs/heads/before', 'refs/heads/main']);
  });
});

describe("the run's own landing branch", () => {
  it('was deleted: resume puts it back where the journal has it', async ({ bed }) => {
    await landedBeside(bed);
    const landed = bed.git('rev-parse', OWN);
    bed.git('branch', '-q', '-D', 'choo/run/1');
    const again = await bed.choo(['resume']);
    expectEnd(again, 1);
    expect(again.stderr).toContain(`choo/run/1 was gone, and with it what had landed there; it is back at ${landed.slice(0, 10)}`);
    expect(bed.git('rev-parse', OWN)).toBe(landed);
    bed.git('checkout', '-q', 'README');
    expectEnd(await bed.choo(['resume']), 0);
    expectNothingLeft(bed);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('was deleted after a squash of it had been merged by hand: resume finds that the target has everything', async ({ bed }) => {
    await landedBeside(bed);
    bed.git('checkout', '-q', 'README');
    bed.git('merge', '-q', '--squash', 'choo/run/1');
    bed.git('commit', '-q', '-m', 'squashed');
    bed.git('branch', '-q', '-D', 'choo/run/1');
    expectEnd(await bed.choo(['resume']), 0);
    expectNothingLeft(bed);
    expect(subjects(bed)).toContain('squashed');
  });

  it('was moved back to the target: the run is not taken for complete', async ({ bed }) => {
    await landedBeside(bed);
    bed.git('branch', '-q', '-f', 'choo/run/1', 'main');
    const refused = await bed.choo(['resume']);
    expectEnd(refused, 2);
    expect(refused.stderr).toMatch(/choo\/run\/1 no longer has what run 1 landed there: a/);
    expect(refs(bed)).toContain(OWN);
  });
});

describe('what a run needs of git', () => {
  it('is pinned anew when it takes other specs, and again when somebody removed the pin', async ({ bed }) => {
    await aLandedBFailed(bed);
    bed.write('specs/tasks/b/01-part.md', bed.read('specs/tasks/b/01-part.md').replace('Write the file', 'Write carefully the file'));
    const base = bed.commit({}, 'other words');
    expectEnd(await bed.choo(['resume', '--accept-plan']), 1);
    expect(bed.git('rev-parse', 'refs/choo/pinned/1')).toBe(base);
    bed.git('update-ref', '-d', 'refs/choo/pinned/1');
    expectEnd(await bed.choo(['resume']), 1);
    expect(bed.git('rev-parse', 'refs/choo/pinned/1')).toBe(base);
  });
});

describe('a unit that was given up', () => {
  it('blocks what depends on it: the way out is named, and leads out', async ({ bed }) => {
    await aLandedBFailed(bed);
    expectEnd(await bed.choo(['cleanup', '--discard', 'b']), 0);
    const again = await bed.choo(['resume']);
    expectEnd(again, 1);
    expect(again.stdout).toMatch(/to end the run: +choo cleanup --discard c\n/);
    expect((await bed.choo(['status'])).stdout).toContain('to end the run: choo cleanup --discard c');
    expectEnd(await bed.choo(['cleanup', '--discard', 'c']), 0);
    expect((await bed.choo(['status'])).stdout).toContain('run 1 onto main: over');
  });

  it('because the plan lacked it joins again when the plan has it again', async ({ bed }) => {
    await aLandedBFailed(bed);
    const specs = bed.git('rev-parse', 'main:specs/tasks/b');
    bed.git('rm', '-rq', 'specs/tasks/b');
    bed.write('specs/tasks/c/IMPLEMENTATION_PLAN.md', '---\ndepends_on: [d]\n---\n# C\n');
    bed.write('specs/tasks/d/IMPLEMENTATION_PLAN.md', '# D\n');
    bed.write('specs/tasks/d/01-part.md', '---\ntask: 1\nbackpressure: test -f d-1.txt\n---\n# D\n');
    bed.configure({ agent: 'exit 1', limits: { attempts: 1 } });
    bed.commit({}, 'b is d now');
    expectEnd(await bed.choo(['resume', '--accept-plan']), 1);
    bed.git('read-tree', '--prefix=specs/tasks/b', '-u', specs);
    bed.git('rm', '-rq', 'specs/tasks/d');
    bed.write('specs/tasks/c/IMPLEMENTATION_PLAN.md', '---\ndepends_on: [b]\n---\n# C\n');
    mendAgent(bed);
    const asked = await bed.choo(['resume']);
    expectEnd(asked, 2);
    expect(asked.stderr).toMatch(/changed: c; new: b; no longer to do: d/);
    expectEnd(await bed.choo(['resume', '--accept-plan']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1', 'c#1']);
    expectEnd(await bed.choo(['cleanup', '--discard', 'd']), 0);
    expectNothingLeft(bed, ['refs/choo/backup/1/d/1', 'refs/heads/before', 'refs/heads/main']);
  });
});

describe('what choo knows of its runs', () => {
  it('was removed: the number comes again, and neither commits nor staged work of the runs before are lost', async ({ bed }) => {
    const agent = 'cp ../../../../count own.txt; git add own.txt; git commit -qm own; cp own.txt left.txt; exit 1';
    bed.specs({ a: {} }, { agent: agent.replace('../../../../count', join(bed.base, 'count')), limits: { attempts: 1 } });
    for (const n of ['one', 'two', 'three']) {
      writeFileSync(join(bed.base, 'count'), `${n}\n`);
      expectEnd(await bed.choo(['run']), 1);
      rmSync(join(bed.root, '.git/choo'), { recursive: true });
      bed.git('update-ref', '-d', 'refs/choo/pinned/1');
    }
    const texts = (path: string): readonly (string | undefined)[] => refs(bed).map((ref) => fileAt(bed, ref, path)).filter((text) => text !== undefined).toSorted();
    expect(new Set(texts('own.txt'))).toEqual(new Set(['one\n', 'two\n', 'three\n']));
    expect(new Set(texts('left.txt'))).toEqual(new Set(['one\n', 'two\n']));
  });
});

describe('a damaged journal', () => {
  it('is no dead end: run --new leaves that run as it is and begins another', async ({ bed }) => {
    await aLandedBFailed(bed);
    const path = join(bed.root, '.git/choo/runs/1/journal.jsonl');
    const damaged = readFileSync(path, 'utf8').replace('"orch.started"', '"orch.started');
    writeFileSync(path, damaged);
    mendAgent(bed);
    const refused = await bed.choo(['resume']);
    expectEnd(refused, 2);
    expect(refused.stderr).toMatch(/damaged[^]*choo run --new/);
    const anew = await bed.choo(['run', '--new']);
    expectEnd(anew, 0);
    expect(anew.stderr).toMatch(/the last run is left as it is, with its worktrees and branches: .*damaged/);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1', 'c#1']);
    expect(readFileSync(path, 'utf8')).toBe(damaged);
    expect(refs(bed)).toContain('refs/heads/choo/unit/b/1');
  });

  it('is refused with its line by everything that reads it where its lines are whole and yet cannot be understood', async ({ bed }) => {
    await aLandedBFailed(bed);
    const path = join(bed.root, '.git/choo/runs/1/journal.jsonl');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const unknown = ` ${JSON.stringify({ seq: lines.length, run: 1, time: new Date(0).toISOString(), type: 'unit.newthing', unit: 'b' })}`;
    for (const [damaged, line] of [[[...lines, unknown], lines.length + 1], [lines.map((text, n) => (n === 6 ? ' {"seq":6,"run":1,"time":"2026-01-01T00:00:00.000Z","type":"task.started"}' : text)), 7]] as const) {
      writeFileSync(path, `${damaged.join('\n')}\n`);
      for (const argv of [['status'], ['status', '--watch'], ['logs', 'b'], ['report'], ['resume'], ['run'], ['retry', 'b']]) {
        const refused = await bed.choo(argv);
        expect([argv, refused.code]).toEqual([argv, 2]);
        expect(refused.stderr).toContain(`journal.jsonl:${line}: event `);
      }
    }
    mendAgent(bed);
    expectEnd(await bed.choo(['run', '--new']), 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1', 'c#1']);
  });
});
