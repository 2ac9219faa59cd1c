// The repository as it is found: each either works, or says with exit 2 what to do, with nothing changed.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { configText, it } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectNothingLeft, expectRefusal } from '../rig/facts.ts';
import { specFiles } from '../rig/specs.ts';

describe('says what to do and does nothing', () => {
  it('outside any repository', async ({ bed }) => {
    const ended = await bed.choo(['run'], { cwd: bed.base });
    expectEnd(ended, 2);
    expect(ended.stderr).toMatch(/git repository/);
  });

  it('no commit yet', async ({ bed }) => {
    const empty = join(bed.base, 'empty');
    mkdirSync(empty);
    bed.git('-C', empty, 'init', '-q');
    const ended = await bed.choo(['run'], { cwd: empty });
    expectEnd(ended, 2);
    expect(ended.stderr).toMatch(/commit/);
  });

  it('no specs', async ({ bed }) => {
    bed.configure({});
    bed.commit({});
    expectRefusal(bed, await bed.choo(['run']), /specs\/tasks/);
  });

  it('no identity', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.git('config', '--file', join(bed.base, 'home', '.gitconfig'), '--remove-section', 'user');
    bed.git('config', 'user.useConfigOnly', 'true');
    expectRefusal(bed, await bed.choo(['run']), /user\.(name|email)/);
  });

  it('signing that does not work, before any agent', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.git('config', 'commit.gpgsign', 'true');
    bed.git('config', 'gpg.program', '/bin/false');
    expectRefusal(bed, await bed.choo(['run']), /sign/);
  });

  it('a detached head without --target; with it, it works', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.git('switch', '-q', '--detach');
    expectRefusal(bed, await bed.choo(['run']), /--target/);
    expectEnd(await bed.choo(['run', '--target', 'main']), 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('an unknown target, with the branch that was perhaps meant', async ({ bed }) => {
    bed.specs({ a: {} });
    expectRefusal(bed, await bed.choo(['run', '--target', 'mian']), /mian/);
  });

  it.for(['--upload-pack=touch /tmp/x', 'main..other', 'main~1', 'refs/heads/../x'])('a target that is no branch name: %s', async (target, { bed }) => {
    bed.specs({ a: {} });
    expectRefusal(bed, await bed.choo(['run', `--target=${target}`]), /branch/);
  });

  it('an unknown unit', async ({ bed }) => {
    bed.specs({ alpha: {} });
    expectRefusal(bed, await bed.choo(['run', '--unit', 'alpah']), /alpha\b/);
  });

  it('uncommitted specs, with the command to run', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.write('specs/tasks/a/01-part.md', bed.read('specs/tasks/a/01-part.md').replace('Part 1', 'Another'));
    expectRefusal(bed, await bed.choo(['run']), /git (add|commit)/);
  });

  it('specs that the target lacks', async ({ bed }) => {
    bed.git('branch', 'release');
    bed.specs({ a: {} });
    expectRefusal(bed, await bed.choo(['run', '--target', 'release']), /release/);
  });

  it('an agent command that does not exist, before anything starts', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'no-such-agent --print' });
    expectRefusal(bed, await bed.choo(['run']), /no-such-agent/);
  });

  it('no agent configured at all', async ({ bed }) => {
    bed.commit({ ...Object.fromEntries(specFiles({ a: {} })), '.choo.yaml': 'parallelism: 2\n' });
    expectRefusal(bed, await bed.choo(['run']), /provider/);
  });

  it('all errors of specs and configuration in one go, each with its place', async ({ bed }) => {
    bed.commit({
      ...Object.fromEntries(specFiles({ a: { dependsOn: ['bb'] }, b: { dependsOn: ['c'] }, c: { dependsOn: ['b'] }, d: { tasks: [{ check: '' }] } })),
      '.choo.yaml': `${configText({})}`.replace('"type"', '"typ"'),
    });
    const ended = await bed.choo(['run']);
    expectRefusal(bed, ended, /\.choo\.yaml:\d+:\d+/);
    expect(ended.stderr).toMatch(/specs\/tasks\/a\/IMPLEMENTATION_PLAN\.md:\d+:\d+[^]*bb/);
    expect(ended.stderr).toMatch(/cycle/i);
    expect(ended.stderr).toMatch(/specs\/tasks\/d\/01-part\.md:\d+:\d+/);
  });

  it('unknown flags and commands', async ({ bed }) => {
    expectEnd(await bed.choo(['run', '--paralellism', '3']), 2);
    expectEnd(await bed.choo(['rnu']), 2);
    bed.specs({ a: {} });
    expectRefusal(bed, await bed.choo(['run', '-p', '0']), /parallelism/);
  });

  it.for(['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE'])('%s in the environment: it would mean another place than the one shown', async (name, { bed }) => {
    bed.specs({ a: {} });
    expectRefusal(bed, await bed.choo(['run'], { env: { [name]: join(bed.base, 'nowhere') } }), new RegExp(`unset ${name}`));
  });

  it('a sparse checkout, with the command that ends it', async ({ bed }) => {
    bed.commit({ 'far/away.txt': 'kept\n' });
    bed.specs({ a: {} });
    bed.git('sparse-checkout', 'set', '--cone', 'specs');
    expectRefusal(bed, await bed.choo(['run']), /git sparse-checkout disable/);
  });

  it('not enough space', async ({ bed }) => {
    bed.specs({ a: {} }, { limits: { free_disk: '1000000GiB' } });
    const ended = await bed.choo(['run']);
    expect([1, 2]).toContain(ended.code);
    expect(ended.stdout + ended.stderr).toMatch(/free_disk/);
  });

  it('a state folder that cannot be written', async ({ bed }) => {
    bed.specs({ a: {} });
    const ended = await bed.choo(['run'], { env: { XDG_STATE_HOME: '/proc/nowhere' } });
    expectRefusal(bed, ended, /\/proc\/nowhere[^]*base_path/);
  });
});

describe('works', () => {
  it('from a sub-directory', async ({ bed }) => {
    bed.specs({ a: {} });
    mkdirSync(join(bed.root, 'src', 'deep'), { recursive: true });
    expectEnd(await bed.choo(['run'], { cwd: join(bed.root, 'src', 'deep') }), 0);
    expectNothingLeft(bed);
  });

  it('from a linked worktree, on its branch', async ({ bed }) => {
    bed.specs({ a: {} });
    const linked = join(bed.base, 'linked');
    bed.git('worktree', 'add', '-q', '-b', 'topic', linked);
    expectEnd(await bed.choo(['run'], { cwd: linked }), 0);
    expect(completedTasks(bed, 'topic')).toEqual(['a#1']);
    expect(completedTasks(bed, 'main')).toEqual([]);
    expect(bed.git('-C', linked, 'status', '--porcelain')).toBe('');
  });

  it('in a bare repository with a target, or says why not', async ({ bed }) => {
    bed.specs({ a: {} });
    const bare = join(bed.base, 'bare.git');
    bed.git('clone', '-q', '--bare', bed.root, bare);
    const ended = await bed.choo(['run', '--target', 'main'], { cwd: bare });
    expect([0, 2]).toContain(ended.code);
    if (ended.code === 0) expect(bed.git('-C', bare, 'log', '--format=%s', 'main')).toContain('complete task #1');
    else expect(ended.stderr).toMatch(/bare/);
  });

  it('in a shallow clone', async ({ bed }) => {
    bed.specs({ a: {} });
    const shallow = join(bed.base, 'shallow');
    bed.git('clone', '-q', '--depth', '1', `file://${bed.root}`, shallow);
    expectEnd(await bed.choo(['run'], { cwd: shallow }), 0);
    expect(bed.git('-C', shallow, 'log', '--format=%s', 'main')).toContain('complete task #1');
    expect(bed.git('-C', shallow, 'status', '--porcelain')).toBe('');
  });

  it('with specs elsewhere', async ({ bed }) => {
    bed.configure({});
    bed.commit(Object.fromEntries(specFiles({ a: {} }, 'work/items')));
    expectEnd(await bed.choo(['run', 'work/items']), 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('with names that a shell would take apart', async ({ bed }) => {
    bed.commit({ 'we ird/$(touch pwned);\'x\'.txt': 'x\n', '-rf': 'x\n' });
    bed.specs({ 'a.b_c-d': { tasks: [{ title: '`touch pwned` $(touch pwned) "; touch pwned' }] } }, { agent: 'echo $RANDOM >> "we ird/\\$(touch pwned);\'x\'.txt"; echo y > ./-rf; touch "a.b_c-d-1.txt"' });
    expectEnd(await bed.choo(['run']), 0);
    expect(completedTasks(bed)).toEqual(['a.b_c-d#1']);
    expect(bed.git('ls-tree', '-r', '--name-only', 'main')).not.toMatch(/^pwned$/m);
    expectNothingLeft(bed);
  });
});
