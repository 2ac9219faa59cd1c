// `choo archive`: complete units and their design specs go to specs/completed/, in the checkout, staged; nothing is overwritten.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect } from 'vitest';
import type { ArchiveReport } from '../../src/core/archive.ts';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { expectEnd } from '../rig/facts.ts';

type Report = ArchiveReport & { readonly commit?: string };
const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/archive.schema.json'), 'utf8')) as object;

function reportOf(ended: Ended): Report {
  const report = JSON.parse(ended.stdout) as Report;
  const validate = new Ajv2020({ allErrors: true }).compile(schema);
  validate(report);
  expect(validate.errors ?? []).toEqual([]);
  return report;
}

const done = { tasks: [{ status: 'complete' }] };
const reasons = (report: Report): readonly string[] => report.kept.map((k) => `${k.path}: ${k.because}`);

/** Makes the commit that was printed, as the user would. */
function commit(bed: Bed, command: string | undefined): void {
  execFileSync('sh', ['-c', command ?? 'false'], { cwd: bed.base, env: bed.env, stdio: 'pipe' });
}

describe('archive', () => {
  it('moves complete units with the design specs that only they name, prints the commit, and the plan goes on without them', async ({ bed }) => {
    bed.write('specs/A.md', 'about a\n');
    bed.write('specs/shared.md', 'about two\n');
    bed.write('docs/far.md', 'about far things\n');
    bed.specs({
      a: done, b: { ...done, plan: 'Design spec: /specs/shared.md' }, c: { dependsOn: ['a'], plan: 'Design spec: /specs/shared.md' },
      far: { ...done, plan: 'Design spec: /docs/far.md' }, half: { tasks: [{ status: 'complete' }, {}] },
    });
    bed.write('other.txt', 'mine\n');
    bed.git('add', 'other.txt');
    const dry = await bed.choo(['archive', '-n']);
    expectEnd(dry, 0);
    expect(dry.stdout).toContain('would be moved:\n  specs/tasks/a → specs/completed/tasks/a\n');
    expect(bed.git('status', '--porcelain')).toBe('A  other.txt');
    mkdirSync(join(bed.root, 'docs'), { recursive: true });
    const report = reportOf(await bed.choo(['archive', '--json'], { cwd: join(bed.root, 'docs') }));
    expect(report.moved.map((m) => `${m.from} ${m.to}`)).toEqual([
      'specs/tasks/a specs/completed/tasks/a', 'specs/tasks/b specs/completed/tasks/b', 'specs/tasks/far specs/completed/tasks/far', 'specs/A.md specs/completed/A.md',
    ]);
    expect(reasons(report)).toEqual(['specs/shared.md: another unit names it', 'docs/far.md: it is not in specs/']);
    commit(bed, report.commit);
    expect(bed.git('log', '-1', '--format=%s', '--name-status', '-M')).toMatch(/^specs: archive a, b, far\n\nR100\tspecs\/A.md\tspecs\/completed\/A.md\n/);
    expect(bed.git('status', '--porcelain')).toBe('A  other.txt');
    expect((await bed.choo(['run', '-n'])).stdout).toMatch(/Units to execute: 2\n[^]*Level 1 \(parallel\):\n {2}- c /);
    expect((await bed.choo(['archive'])).stdout).toBe('nothing to archive: no unit is complete\n');
  });

  it('leaves what has uncommitted changes, what is there already and what is complete in the working tree only', async ({ bed }) => {
    bed.specs({ a: done, b: done, c: {}, d: done });
    bed.commit({ 'specs/completed/tasks/b/notes.md': 'older\n' });
    bed.write('specs/tasks/a/notes.md', 'untracked\n');
    bed.write('specs/tasks/c/01-part.md', readFileSync(join(bed.root, 'specs/tasks/c/01-part.md'), 'utf8').replace('pending', 'complete'));
    symlinkSync(bed.base, join(bed.root, 'specs/completed/tasks/d'));
    const report = reportOf(await bed.choo(['archive', '--json']));
    expect(report.moved).toEqual([]);
    expect(report).not.toHaveProperty('commit');
    expect(reasons(report)).toEqual([
      'specs/tasks/a: it has changes that are not committed (specs/tasks/a/notes.md)',
      'specs/tasks/b: specs/completed/tasks/b exists already', 'specs/tasks/d: specs/completed/tasks/d exists already',
    ]);
  });

  it('writes through no link', async ({ bed }) => {
    bed.specs({ a: done });
    const outside = join(bed.base, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(bed.root, 'specs/completed'));
    const ended = await bed.choo(['archive', '--json']);
    expectEnd(ended, 1);
    expect(reportOf(ended).failed).toMatchObject([{ path: 'specs/tasks/a', because: expect.stringContaining('no folder') as string }]);
    expect(existsSync(join(outside, 'tasks'))).toBe(false);
  });

  it('waits for a live run and leaves the units of an open one', async ({ bed }) => {
    bed.specs({ a: {}, b: {}, z: done }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json', '-p', '1']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    const held = await bed.hand.next({ unit: 'b' });
    await run.event('unit.completed', { unit: 'a' });
    const live = await bed.choo(['archive']);
    expectEnd(live, 2);
    expect(live.stderr).toContain(String(run.pid));
    run.signal('SIGINT');
    await held.gone;
    await run.ended;
    const report = reportOf(await bed.choo(['archive', '--json']));
    expect(report.moved).toMatchObject([{ unit: 'z' }]);
    expect(reasons(report)).toEqual(['specs/tasks/a: run 1 is open with it']);
  });

  it('refuses in the middle of a merge, with wrong specs, outside a checkout', async ({ bed }) => {
    bed.specs({ a: done });
    bed.git('switch', '-q', '-c', 'side');
    bed.commit({ README: 'side\n' });
    bed.git('switch', '-q', 'main');
    bed.commit({ README: 'main\n' });
    bed.tryGit('merge', '-q', 'side');
    const merging = await bed.choo(['archive']);
    expectEnd(merging, 2);
    expect(merging.stderr).toContain('a merge is in progress');
    bed.git('merge', '--abort');
    expectEnd(await bed.choo(['archive'], { cwd: bed.base }), 2);
    expectEnd(await bed.choo(['archive'], { cwd: join(bed.root, '.git') }), 2);
    expectEnd(await bed.choo(['archive', 'specs/completed/tasks']), 2);
    bed.specs({ a: done, b: { dependsOn: ['nobody'] } });
    const wrong = await bed.choo(['archive']);
    expectEnd(wrong, 2);
    expect(wrong.stderr).toContain('nobody');
    expect(bed.git('status', '--porcelain')).toBe('');
  });
});
