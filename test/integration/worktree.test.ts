// The unit's worktree: setup, copies, teardown, the trial, what is never committed, and worktrees that vanish or are in the way.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectNothingLeft, expectRefusal, fileAt, kinds, worktrees } from '../rig/facts.ts';

describe('environment missing', () => {
  it('setup runs before the agent, in every fresh worktree; a condition that is not met skips its command', async ({ bed }) => {
    bed.write('.gitignore', 'deps\n');
    bed.specs({ a: { tasks: [{ check: 'test -f deps/ready && test -f a-1.txt' }] } }, {
      agent: `test -f deps/ready && ${DOES_IT}`,
      worktree: { setup: ['mkdir deps', { command: 'touch deps/ready', if: 'README' }, { command: 'exit 1', if: 'no-such-file' }] },
    });
    expectEnd(await bed.choo(['run']), 0);
    expectNothingLeft(bed);
  });

  it('setup that may be reused runs once for the same lockfile, and never where an agent wrote', async ({ bed }) => {
    bed.write('.gitignore', 'deps\n');
    bed.write('lock', 'one\n');
    const install = `echo ran >> "$HOME/setups"; mkdir deps; cp lock deps/lock`;
    const check = 'cmp lock deps/lock';
    bed.specs({ a: { tasks: [{ check }] }, b: { tasks: [{ check: 'true' }], dependsOn: ['a'] }, c: { tasks: [{ check }], dependsOn: ['b'] } }, {
      agent: `${DOES_IT}; if [ "$CHOO_UNIT" = b ]; then echo two > lock; fi`,
      worktree: { setup: [{ command: install, reuse: { by: ['lock'], makes: ['deps'] } }] }, baseline_checks: [check.replace('cmp', 'test "$CHOO_UNIT" = b || cmp')],
    });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    // The trial; what b's new lockfile asks for when b lands, which is not kept; and when c begins.
    expect(bed.read('../home/setups')).toBe('ran\n'.repeat(3));
    expect(kinds(ended, 'a').notes).toContain('setup-reused');
    expect(kinds(ended, 'c').notes).not.toContain('setup-reused');
    const kept = readdirSync(join(bed.state, 'choo')).flatMap((name) => readdirSync(join(bed.state, 'choo', name, 'setup-results')));
    expect(kept).toHaveLength(2);
    expect((await bed.choo(['cleanup'])).stdout).toContain('setup commands make it again');
    expectNothingLeft(bed);
  });

  it('setup that fails: no agent is started, one message, exit 1, and the attempts are all still there', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: `touch "$HOME/agent-ran"; ${DOES_IT}`, worktree: { setup: ['echo no network; exit 9'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(existsSync(join(bed.base, 'home', 'agent-ran'))).toBe(false);
    expect(ended.events.filter((e) => e.type === 'task.started')).toEqual([]);
    expect(ended.events.find((e) => e.type === 'trial.failed')).toMatchObject({ failure: { kind: 'setup-failed', output: { tail: 'no network\n' } } });
  });

  it('a missing program in a baseline check is found by the trial, before any money is spent', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, baseline_checks: ['no-such-linter --all'] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'trial.failed')).toMatchObject({ failure: { kind: 'environment', code: 127 } });
    expect(ended.events.filter((e) => e.type === 'task.started')).toEqual([]);
  });

  it('a check whose program is missing costs no attempt and is told once', async ({ bed }) => {
    const missing = { tasks: [{ check: 'no-such-tester' }] };
    bed.specs({ a: missing, b: missing, c: {} }, { agent: `touch "$HOME/$CHOO_UNIT-ran"; ${DOES_IT}` });
    const ended = await bed.choo(['run', '--json', '-p', '1']);
    expectEnd(ended, 1);
    expect(kinds(ended, 'a').failures).toEqual(['environment']);
    expect(existsSync(join(bed.base, 'home', 'a-ran'))).toBe(false);
    expect(ended.events.filter((e) => e.type === 'task.retry')).toEqual([]);
    expect(ended.events.find((e) => e.type === 'unit.merged')).toMatchObject({ unit: 'c' });
  });

  it('a check that names a program which the task is to write fails as work, not as environment', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: './tool.sh' }] } }, { agent: 'if [ "$CHOO_ATTEMPT" = 2 ]; then printf "#!/bin/sh\\n" > tool.sh; chmod +x tool.sh; fi; touch x' });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['check-failed']);
  });

  it('baseline checks that are red before any work are reported, and stop nothing', async ({ bed }) => {
    bed.specs({ a: {} }, { baseline_checks: ['test -f a-1.txt'] });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'trial.ok')).toMatchObject({ notes: [{ kind: 'baseline-red' }] });
  });
});

describe('never committed', () => {
  it('tracked files that setup changed are restored and reported; what it left untracked never lands', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `${DOES_IT}; git add -A`, worktree: { setup: ['echo changed >> README; echo junk > junk'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').notes).toEqual(expect.arrayContaining(['setup-changed', 'setup-left']));
    expect(fileAt(bed, 'main', 'README')).toBe('first\n');
    expect(fileAt(bed, 'main', 'junk')).toBeUndefined();
  });

  it('an agent that commits what setup left: the commit is refused and kept', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `${DOES_IT}; if [ "$CHOO_ATTEMPT" = 1 ]; then git add -A; git commit -qm all; else git rm -q --cached junk; fi`, worktree: { setup: ['echo junk > junk'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['refused-commit']);
    expect(fileAt(bed, 'main', 'junk')).toBeUndefined();
  });

  it('ignored files of the main checkout are copied by glob, and only those', async ({ bed }) => {
    bed.write('.gitignore', '.env*\nsecret\n');
    bed.write('.env.local', 'KEY=1\n');
    bed.write('secret', 'no\n');
    bed.specs({ a: { tasks: [{ check: 'grep -q KEY .env.local && ! test -e secret && test -f a-1.txt' }] } }, { worktree: { copy: ['.env*'] } });
    expectEnd(await bed.choo(['run']), 0);
    expect(bed.git('ls-tree', '--name-only', 'main')).not.toContain('.env.local');
  });

  it('paths that are dirty in a fresh checkout are listed, tolerated and never committed', async ({ bed }) => {
    bed.commit({ 'lines.txt': 'one\r\ntwo\r\n' });
    const blob = bed.git('rev-parse', 'main:lines.txt');
    bed.commit({ '.gitattributes': '* text=auto\n' });
    bed.git('update-index', '--cacheinfo', `100644,${blob},lines.txt`);
    bed.git('commit', '-q', '--allow-empty', '-m', 'still CRLF');
    bed.git('checkout', '-q', '--force', 'HEAD');
    bed.write('specs/.keep', '');
    bed.specs({ a: {} });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(bed.git('diff', '--name-only', 'HEAD~1', 'HEAD', '--', 'lines.txt')).toBe('');
  });
});

describe('taking down', () => {
  it('teardown runs in the worktree before it is removed', async ({ bed }) => {
    bed.specs({ a: {} }, { worktree: { teardown: ['ls a-1.txt > "$HOME/down"', { command: 'touch "$HOME/never"', if: 'no-such-file' }] } });
    expectEnd(await bed.choo(['run']), 0);
    expect(existsSync(join(bed.base, 'home', 'down'))).toBe(true);
    expect(existsSync(join(bed.base, 'home', 'never'))).toBe(false);
    expectNothingLeft(bed);
  });

  it('teardown that fails is reported and undoes nothing', async ({ bed }) => {
    bed.specs({ a: {} }, { worktree: { teardown: ['exit 4'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').notes).toContain('teardown-failed');
    expectNothingLeft(bed);
  });

  it('a failed unit keeps its worktree and branch, and its dependants are named as blocked', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] }, d: {} }, { agent: `echo half > partial; [ "$CHOO_UNIT" = d ] && ${DOES_IT}`, limits: { attempts: 1 } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.filter((e) => e.type === 'unit.blocked').map((e) => e.unit)).toEqual(['b', 'c']);
    const worktree = worktrees(bed).find((path) => path.endsWith('/a')) ?? '';
    expect(existsSync(join(worktree, 'partial'))).toBe(true);
    expect(completedTasks(bed)).toEqual(['d#1']);
  });
});

describe('a retry wipes partial work', () => {
  it('never: the worktree stays between attempts, and the prompt tells what failed with its last lines', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'echo "line 41: no such function"; test -f partial && test -f a-1.txt' }] } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const first = await bed.hand.next();
    await first.write('partial', 'half of it\n');
    await first.exit();
    const second = await bed.hand.next({ attempt: 2 });
    expect(second.cwd).toBe(first.cwd);
    expect(await second.read('partial')).toBe('half of it\n');
    expect(second.prompt).toContain('line 41: no such function');
    await second.finish();
    expectEnd(await run.ended, 0);
  });
});

describe('worktree deleted while needed', () => {
  it('is made again from the branch; work never falls back to another folder', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ task: 1 })).finish();
    const cut = await bed.hand.next({ task: 2 });
    run.signal('SIGINT');
    expectEnd(await run.ended, 130);
    rmSync(cut.cwd, { recursive: true });
    const again = bed.start(['resume', '--json']);
    const held = await bed.hand.next({ task: 2, attempt: 2 });
    expect(held.cwd).toBe(cut.cwd);
    expect(await held.read('a-1.txt')).toBe('done in attempt 1\n');
    expect(await held.git('branch', '--show-current')).toBe('choo/unit/a/1');
    await held.finish();
    expectEnd(await again.ended, 0);
    expectNothingLeft(bed);
  });

  it('is made again once more when its setup failed, so that nothing setup did is taken for work', async ({ bed }) => {
    const [tool, network] = ['tool', 'network'].map((name) => join(bed.base, 'home', name)) as [string, string];
    for (const path of [tool, network]) writeFileSync(path, '');
    bed.write('lock', 'v1\n');
    bed.specs({ a: {} }, { agent: bed.hand.agent, baseline_checks: ['test -e ~/tool || exit 127'], worktree: { setup: ['echo v2 > lock; test -e "$HOME/network"'] } });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    rmSync(tool);
    await held.finish();
    const first = await run.ended;
    expect(first.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'environment' } });
    rmSync(held.cwd, { recursive: true });
    writeFileSync(tool, '');
    rmSync(network);
    expectEnd(await bed.choo(['retry', 'a']), 0);
    const second = await bed.choo(['resume', '--json']);
    expect(second.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'setup-failed' } });
    writeFileSync(network, '');
    expectEnd(await bed.choo(['retry', 'a']), 0);
    expectEnd(await bed.choo(['resume', '--json']), 0);
    expect(fileAt(bed, 'main', 'lock')).toBe('v1\n');
    expect(completedTasks(bed)).toEqual(['a#1']);
  });
});

describe('a worktree path that is taken', () => {
  it('fails the unit with the path, and leaves what is there alone', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: DOES_IT, worktree: { base_path: join(bed.base, 'trees') } });
    const first = await bed.choo(['run', '--json', '--unit', 'a']);
    expectEnd(first, 0);
    const prepared = first.events.find((e) => e.type === 'unit.prepared');
    const path = prepared?.type === 'unit.prepared' ? prepared.worktree.replace(/1(?=\/units)/, '2') : '';
    bed.specs({ a: { tasks: 2 } }, { agent: DOES_IT, worktree: { base_path: join(bed.base, 'trees') } });
    bed.commit({ 'specs/tasks/a/01-part.md': bed.git('show', 'HEAD~1:specs/tasks/a/01-part.md') });
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'mine'), 'precious\n');
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'path-taken' } });
    expect(existsSync(join(path, 'mine'))).toBe(true);
  });

  it('worktrees inside the work tree are refused, with the line to put instead', async ({ bed }) => {
    bed.specs({ a: {} }, { worktree: { base_path: '.choo/worktrees' } });
    expectRefusal(bed, await bed.choo(['run']), /base_path/);
  });

  it('a base path that cannot be a folder is refused by name, with what to set', async ({ bed }) => {
    writeFileSync(join(bed.base, 'file'), '');
    bed.specs({ a: {} }, { worktree: { base_path: join(bed.base, 'file', 'below') } });
    expectRefusal(bed, await bed.choo(['run']), /file\/below[^]*base_path/);
  });
});
