// `choo cleanup`: what has provably landed goes, everything else stays or is saved first; it may be killed anywhere and run again.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect } from 'vitest';
import type { CleanupReport } from '../../src/core/cleanup.ts';
import type { Event, EventOf } from '../../src/core/event.ts';
import { DOES_IT, it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { expectEnd, expectNothingLeft, refs, worktrees } from '../rig/facts.ts';

const FAILS_AT_B = `if [ "$CHOO_UNIT" = b ]; then git commit -q --allow-empty -m mine; echo changed > README; echo new > new.txt; exit 1; fi; ${DOES_IT}`;
const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/cleanup.schema.json'), 'utf8')) as object;

type Report = CleanupReport & { readonly bytesFreed: number };

/** The report of `--json`, which must be as its schema says. */
function reportOf(ended: Ended): Report {
  const report = JSON.parse(ended.stdout) as Report;
  const validate = new Ajv2020({ allErrors: true }).compile(schema);
  validate(report);
  expect(validate.errors ?? []).toEqual([]);
  return report;
}

function journal(bed: Bed, run = 1): readonly Event[] {
  return readFileSync(join(bed.root, `.git/choo/runs/${run}/journal.jsonl`), 'utf8').trimEnd().split('\n').slice(1).map((line) => JSON.parse(line) as Event);
}

/** Where the unit's worktree is or was. */
function worktreeOf(bed: Bed, unit: string, run = 1): string {
  return journal(bed, run).find((e): e is EventOf<'unit.prepared'> => e.type === 'unit.prepared' && e.unit === unit)?.worktree ?? '';
}

/** Puts worktree and branch of a landed unit back, as a crash before their removal leaves them. */
function bringBack(bed: Bed, unit: string): string {
  const merged = journal(bed).find((e): e is EventOf<'unit.merged'> => e.type === 'unit.merged' && e.unit === unit);
  const path = worktreeOf(bed, unit);
  mkdirSync(dirname(path), { recursive: true });
  bed.git('worktree', 'add', '-q', '-b', `choo/unit/${unit}/1`, path, merged?.head ?? '');
  return path;
}

/** A run in which `a` landed, `b` failed with work in its worktree, and `c` waits for `b`. */
async function failedRun(bed: Bed): Promise<string> {
  bed.specs({ a: {}, b: {}, c: { dependsOn: ['b'] } }, { agent: FAILS_AT_B, limits: { attempts: 1 } });
  expectEnd(await bed.choo(['run']), 1);
  return worktreeOf(bed, 'b');
}

const names = (list: readonly { readonly what: string }[]): readonly string[] => list.map((t) => t.what);
const reasons = (report: Report): readonly string[] => report.kept.map((k) => `${k.unit} ${k.kind}: ${k.because}`);

describe('what has provably landed', () => {
  it('goes: worktree, branch, registration; what failed stays and says why; -n only tells', async ({ bed }) => {
    const failed = await failedRun(bed);
    const back = bringBack(bed, 'a');
    const before = refs(bed);
    const dry = await bed.choo(['cleanup', '-n']);
    expectEnd(dry, 0);
    expect(dry.stdout).toMatch(/^would be removed:\n {2}worktree {2}.*\/a {2}\(a, run 1: landed, [\d.]+ KiB\)\n {2}branch {4}choo\/unit\/a\/1/);
    expect(refs(bed)).toEqual(before);
    const ended = await bed.choo(['cleanup', '--json']);
    expectEnd(ended, 0);
    expect(names(reportOf(ended).removed)).toEqual([back, 'refs/heads/choo/unit/a/1']);
    expect(reportOf(ended).bytesFreed).toBeGreaterThan(0);
    expect(reasons(reportOf(ended))).toEqual(['b worktree: it failed, and run 1 is open', 'b branch: it failed, and run 1 is open']);
    expect(worktrees(bed)).toEqual([failed]);
    expect((await bed.choo(['cleanup'])).stdout).toMatch(/^kept:\n[^]*\n0 things removed, 2 kept, 0 B freed\n\nto give a unit up .*: choo cleanup --discard b\n$/);
  });

  it('is told by commits: a branch or worktree that went on and a target that went back keep it', async ({ bed }) => {
    bed.specs({ a: {}, d: {}, e: {}, f: {} });
    const specs = bed.git('rev-parse', 'main');
    expectEnd(await bed.choo(['run']), 0);
    const [a, d, e, f] = ['a', 'd', 'e', 'f'].map((unit) => bringBack(bed, unit)) as [string, string, string, string];
    bed.git('-C', a, 'commit', '-q', '--allow-empty', '-m', 'mine');
    bed.git('-C', d, 'checkout', '-q', '--detach');
    bed.git('-C', d, 'commit', '-q', '--allow-empty', '-m', 'mine too');
    bed.git('worktree', 'lock', f);
    const ended = await bed.choo(['cleanup', '--json']);
    expectEnd(ended, 1);
    expect(reasons(reportOf(ended))).toEqual([
      'a worktree: its branch has commits that did not land', 'a branch: its branch has commits that did not land',
      'd worktree: its worktree has commits that did not land', 'd branch: its worktree has commits that did not land',
    ]);
    expect(names(reportOf(ended).removed)).toEqual([e, 'refs/heads/choo/unit/e/1']);
    expect(reportOf(ended).failed).toMatchObject([{ what: f, unit: 'f' }]);
    expect(existsSync(join(f, '.git'))).toBe(true);
    bed.git('worktree', 'unlock', f);
    bed.git('reset', '-q', '--hard', specs);
    expect(reasons(reportOf(await bed.choo(['cleanup', '--json']))).at(-1)).toMatch(/^f branch: it landed as \w{10}, but refs\/heads\/main does not have that commit any more$/);
  });

  it('with changes in its worktree is saved first; a registration whose folder is gone goes, also one of another run', async ({ bed }) => {
    bed.specs({ a: {} });
    expectEnd(await bed.choo(['run']), 0);
    bed.specs({ e: {} });
    expectEnd(await bed.choo(['run']), 0);
    const a = bringBack(bed, 'a');
    bed.write('late.txt', 'late\n', a);
    const first = await bed.choo(['cleanup', '--json']);
    expect(reportOf(first).backups).toEqual([{ ref: 'refs/choo/backup/1/a/1', run: 1, unit: 'a' }]);
    expect(bed.git('show', 'refs/choo/backup/1/a/1:late.txt')).toBe('late');
    bringBack(bed, 'a');
    bed.git('config', 'gc.worktreePruneExpire', 'never');
    execFileSync('rm', ['-rf', '--', a]);
    const own = join(bed.base, 'own');
    bed.git('worktree', 'add', '-q', '-b', 'own', own);
    execFileSync('rm', ['-rf', '--', own]);
    expect(names(reportOf(await bed.choo(['cleanup', '--json'])).removed)).toEqual([a, 'refs/heads/choo/unit/a/1']);
    expect(worktrees(bed), 'the registration of a worktree that is not choo\'s').toEqual([own]);
  });

  it('is more than a name: what only looks like choo\'s stays; choo\'s own leftovers and a landing ref that arrived go', async ({ bed }) => {
    bed.specs({ a: {} });
    expectEnd(await bed.choo(['run']), 0);
    const place = dirname(dirname(worktreeOf(bed, 'a')));
    for (const folder of ['prompts', 'units/.a.removed-0123456789ab', '.landing.removed-0123456789ab', 'units/mine']) mkdirSync(join(place, folder), { recursive: true });
    bed.git('branch', 'choo/unit/ghost/9');
    bed.git('branch', 'choo/run/1');
    bed.git('update-ref', 'refs/choo/pinned/1', 'main');
    const report = reportOf(await bed.choo(['cleanup', '--json']));
    expect(names(report.removed).map((what) => basename(what))).toEqual(['1', '1', 'prompts', '.landing.removed-0123456789ab', '.a.removed-0123456789ab']);
    expect(report.kept).toMatchObject([{ what: join(place, 'units/mine'), because: 'it is no worktree of this run' }, { what: 'refs/heads/choo/unit/ghost/9', because: 'no journal knows it' }]);
    expect(refs(bed)).toEqual(['refs/heads/choo/unit/ghost/9', 'refs/heads/main']);
  });

  it('tells a run that landed beside its target when the target has all of it, and closes it', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.write('a-1.txt', 'in the way\n');
    expectEnd(await bed.choo(['run']), 1);
    expect(reasons(reportOf(await bed.choo(['cleanup', '--json'])))).toEqual(['undefined branch: what landed there is not in refs/heads/main yet']);
    execFileSync('rm', ['--', join(bed.root, 'a-1.txt')]);
    bed.git('merge', '-q', '--ff-only', 'choo/run/1');
    expect(names(reportOf(await bed.choo(['cleanup', '--json'])).removed)).toEqual(['refs/heads/choo/run/1', 'refs/choo/pinned/1']);
    expectNothingLeft(bed);
    expect((await bed.choo(['resume'])).stderr).toContain('run 1 is finished');
  });

  it('is nothing in a repository that never ran; a journal that cannot be read is left alone with all of its run', async ({ bed }) => {
    bed.specs({ a: {} });
    expect((await bed.choo(['cleanup'])).stdout).toBe('nothing to clean up\n');
    expectEnd(await bed.choo(['run']), 0);
    const back = bringBack(bed, 'a');
    const path = join(bed.root, '.git/choo/runs/1/journal.jsonl');
    chmodSync(path, 0o600);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"seq":3,', '"seq":33,'));
    const report = reportOf(await bed.choo(['cleanup', '--json']));
    expect(report.removed).toEqual([]);
    expect(report.kept).toMatchObject([{ kind: 'journal', what: path }, { what: 'refs/heads/choo/unit/a/1', because: 'no journal knows it' }]);
    expect(worktrees(bed)).toEqual([back]);
  });
});

describe('--discard', () => {
  it('saves branch, changes and untracked files, tells the run, and takes the unit away', async ({ bed }) => {
    const worktree = await failedRun(bed);
    const head = bed.git('rev-parse', 'choo/unit/b/1');
    const ended = await bed.choo(['cleanup', '--discard', 'b']);
    expectEnd(ended, 0);
    expect(ended.stdout).toContain('discarded:\n  b, run 1; cannot start any more: c\n');
    const backup = 'refs/choo/backup/1/b/1';
    expect(bed.git('show', `${backup}:README`)).toBe('changed');
    expect(bed.git('show', `${backup}:new.txt`)).toBe('new');
    expect(bed.tryGit('merge-base', '--is-ancestor', head, backup)).toBe(0);
    expect(existsSync(worktree)).toBe(false);
    expect(refs(bed)).toEqual([backup, 'refs/choo/pinned/1', 'refs/heads/main']);
    expect(journal(bed).slice(-1)).toMatchObject([{ type: 'unit.discarded', unit: 'b', backups: [backup] }]);
    expect((await bed.choo(['status'])).stdout).toMatch(/cancelled b[^]*blocked +c/);
    expectEnd(await bed.choo(['resume']), 1);
    expectEnd(await bed.choo(['cleanup', '--discard', 'c', '--discard', 'b']), 0);
    const over = await bed.choo(['resume']);
    expectEnd(over, 2);
    expect(over.stderr).toContain('run 1 is finished');
    expect(refs(bed)).toEqual([backup, 'refs/heads/main']);
  });

  it('of a unit that was stopped lets the others go on', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json', '-p', '1']);
    const held = await bed.hand.next({ unit: 'a' });
    const refused = await bed.choo(['cleanup', '--discard', 'a']);
    expectEnd(refused, 2);
    expect(refused.stderr).toContain(String(run.pid));
    expectEnd(await bed.choo(['cleanup', '-n']), 2);
    await held.write('half', 'half\n');
    run.signal('SIGINT');
    await held.gone;
    expectEnd(await run.ended, 130);
    expectEnd(await bed.choo(['cleanup', '--discard', 'a/1']), 0);
    expect(bed.git('show', 'refs/choo/backup/1/a/1:half')).toBe('half');
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ unit: 'b' })).finish();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(ended.events.at(-1)).toMatchObject({ type: 'orch.completed', result: { totalUnits: 2, completedUnits: 1, cancelledUnits: 1 } });
    expectNothingLeft(bed, ['refs/choo/backup/1/a/1', 'refs/heads/main']);
  });

  it('after a crash ends what was left running first, and keeps what that had done', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, process: { contain: 'group' } });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    await held.write('half', 'half\n');
    // Only once it is in its own session: until then the death of choo's group would end it.
    await held.sh(`setsid sh -c 'echo > "$HOME/there"; exec sleep 1000' >/dev/null 2>&1 </dev/null & until [ -e "$HOME/there" ]; do :; done`);
    run.signal('SIGKILL');
    await run.ended;
    await held.gone;
    const ended = await bed.choo(['cleanup', '--discard', 'a']);
    expectEnd(ended, 0);
    expect(ended.stderr).toContain('ended programs that an earlier choo');
    expect(bed.git('show', 'refs/choo/backup/1/a/1:half')).toBe('half');
    expect((await bed.choo(['resume'])).stderr).toContain('run 1 is finished');
  });

  it('of an older run leaves the same unit of the open one alone; unknown names end 2 and change nothing', async ({ bed }) => {
    await failedRun(bed);
    expectEnd(await bed.choo(['run', '--new']), 1);
    const before = refs(bed);
    for (const names_ of [['bb'], ['b', 'b/3'], ['../b'], ['']]) {
      const ended = await bed.choo(['cleanup', ...names_.flatMap((n) => ['--discard', n])]);
      expectEnd(ended, 2);
      expect(ended.stderr).toContain(`no run has a unit \`${names_.at(-1)}\``);
    }
    expect(refs(bed)).toEqual(before);
    expectEnd(await bed.choo(['cleanup', '--discard', 'b/1']), 0);
    expect(refs(bed).filter((ref) => ref.startsWith('refs/heads/'))).toEqual(['refs/heads/choo/unit/b/2', 'refs/heads/main']);
    expect(refs(bed)).toContain('refs/choo/backup/1/b/1');
    expect(refs(bed)).not.toContain('refs/choo/pinned/1');
  });

  it('cannot save a folder that git knows no more, so it is moved aside as it is', async ({ bed }) => {
    const worktree = await failedRun(bed);
    execFileSync('mv', ['--', worktree, `${worktree}-moved`]);
    bed.git('worktree', 'prune', '--expire=now');
    execFileSync('mv', ['--', `${worktree}-moved`, worktree]);
    const ended = await bed.choo(['cleanup', '--discard', 'b', '--json']);
    expectEnd(ended, 0);
    expect(reportOf(ended).kept).toContainEqual(expect.objectContaining({ what: `${worktree}.broken-1`, because: expect.stringContaining('git does not know it') as string }));
    expect(readFileSync(join(`${worktree}.broken-1`, 'new.txt'), 'utf8')).toBe('new\n');
  });
});

describe('killed at any of its git commands', () => {
  it('loses nothing, and the next one finishes', { timeout: 240_000 }, async ({ bed }) => {
    const worktree = await failedRun(bed);
    bringBack(bed, 'a');
    const copy = join(bed.base, 'copy');
    const places = [bed.root, bed.state];
    execFileSync('mkdir', [copy]);
    execFileSync('cp', ['-a', ...places, copy]);
    const env = killingGit(bed);
    let killed = 0;
    // Every one of them with the other deaths in `npm run test:all`, every fourth at each change.
    const step = process.env['CHOO_TEST_LONG'] === undefined ? 4 : 1;
    for (let nth = 1; ; nth += step) {
      writeFileSync(join(bed.base, 'countdown'), String(nth));
      const first = await bed.choo(['cleanup', '--discard', 'b'], { env });
      if (first.code === 0) break;
      killed++;
      expect(first.signal, `${nth}: ${first.stdout}${first.stderr}`).toBe('SIGKILL');
      const saved = bed.tryGit('show', 'refs/choo/backup/1/b/1:new.txt') === 0;
      const there = existsSync(join(worktree, 'new.txt'));
      expect(saved || there, `after command ${nth}: the work is somewhere`).toBe(true);
      const second = await bed.choo(['cleanup', '--discard', 'b']);
      expectEnd(second, 0);
      expect(bed.git('show', 'refs/choo/backup/1/b/1:new.txt'), `after command ${nth}`).toBe('new');
      expect(refs(bed).filter((ref) => ref.startsWith('refs/heads/')), `after command ${nth}`).toEqual(['refs/heads/main']);
      expect(worktrees(bed)).toEqual([]);
      expect(existsSync(worktree)).toBe(false);
      expect(journal(bed).filter((e) => e.type === 'unit.discarded')).toHaveLength(1);
      execFileSync('rm', ['-rf', '--', ...places]);
      execFileSync('cp', ['-a', ...places.map((place) => join(copy, basename(place))), bed.base]);
    }
    expect(killed).toBeGreaterThan(10 / step);
  });
});

/** An environment whose git kills the choo that holds the repository when the count in `countdown` has come down to 0. */
function killingGit(bed: Bed): Record<string, string> {
  const real = execFileSync('sh', ['-c', 'command -v git'], { env: bed.env, encoding: 'utf8' }).trim();
  const bin = join(bed.base, 'bin');
  mkdirSync(bin);
  const count = join(bed.base, 'countdown');
  writeFileSync(join(bin, 'git'), `#!/bin/sh
if [ -e '${bed.root}/.git/choo/lock' ]; then
  left=$(( $(cat '${count}') - 1 ))
  echo "$left" > '${count}'
  [ "$left" -ne 0 ] || kill -9 "$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/' '${bed.root}/.git/choo/lock')"
fi
exec '${real}' "$@"
`);
  chmodSync(join(bin, 'git'), 0o755);
  return { PATH: `${bin}:${bed.env['PATH'] ?? ''}` };
}
