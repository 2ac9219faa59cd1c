// Agents that go where they must not: other branches, other histories, the main checkout, other refs, nested repositories,
// processes that should outlive them.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectNothingLeft, fileAt, kinds, refs } from '../rig/facts.ts';

/** Task 1 is simply done; in the first attempt at task 2 the agent does this, later it does what it should. */
async function astray(bed: Bed, deed: string): Promise<{ readonly failures: readonly string[]; readonly kept: readonly string[]; readonly run: Awaited<ReturnType<Bed['choo']>> }> {
  bed.specs({ a: { tasks: 2 } }, { agent: `if [ "$CHOO_TASK-$CHOO_ATTEMPT" = 2-1 ]; then ${deed}; else rm -rf inner; ${DOES_IT}; fi` });
  const run = await bed.choo(['run', '--json']);
  expectEnd(run, 0);
  expect(completedTasks(bed)).toEqual(['a#1', 'a#2']);
  expect(fileAt(bed, 'main', 'a-1.txt')).toBe('1 in attempt 1\n');
  return { run, failures: kinds(run, 'a').failures, kept: refs(bed).filter((ref) => ref.startsWith('refs/choo/kept/')) };
}

describe('history', () => {
  it('amended: the recorded commit stays, what the agent made is kept', async ({ bed }) => {
    const { failures, kept } = await astray(bed, 'echo mine > precious; git add -A; git commit -q --amend -m mine');
    expect(failures).toEqual(['history-rewritten']);
    expect(kept).toHaveLength(1);
    expect(fileAt(bed, kept[0] ?? '', 'precious')).toBe('mine\n');
  });

  it('reset hard to the base, with work in progress: kept and put back', async ({ bed }) => {
    const { failures, kept } = await astray(bed, 'git reset -q --hard HEAD~1; echo mine > precious');
    expect(failures).toEqual(['history-rewritten']);
    expect(fileAt(bed, kept[0] ?? '', 'precious')).toBe('mine\n');
  });

  it('left for another branch, which is outside the fence as well', async ({ bed }) => {
    const { failures, kept } = await astray(bed, 'git switch -q -c choo/unit/elsewhere/1; echo mine > precious; git add -A; git commit -qm mine');
    expect(failures).toEqual(['outside-the-fence']);
    expect(fileAt(bed, kept[0] ?? '', 'precious')).toBe('mine\n');
  });

  it('detached', async ({ bed }) => {
    const { failures } = await astray(bed, 'git switch -q --detach; touch a-2.txt; git add -A; git commit -qm mine');
    expect(failures).toEqual(['history-rewritten']);
  });

  it('with a merge left in progress', async ({ bed }) => {
    const { failures } = await astray(bed, 'echo ours > a-1.txt; git commit -qam ours; git switch -q --detach HEAD~1; echo theirs > a-1.txt; git commit -qam theirs; theirs=$(git rev-parse HEAD); git switch -q -; git merge -q $theirs');
    expect(failures).toEqual(['history-rewritten']);
  });

  it('stashed away: the stash stays the agent\'s, nothing is lost, the attempt is judged by what is there', async ({ bed }) => {
    const { run } = await astray(bed, 'echo mine > a-2.txt; git add -A; git stash -q');
    expect(run.events.some((e) => e.type === 'task.retry')).toBe(true);
    expect(bed.git('show', 'stash@{0}:a-2.txt')).toBe('mine');
  });
});

describe('the git folder of its own worktree', () => {
  const HERE = 'g=$(git rev-parse --absolute-git-dir)';

  it.for([['on', true], ['off', false]] as const)('with a configuration of its own, the extension being %s: choo\'s git runs nothing of it', async ([, on], { bed }) => {
    if (on) bed.git('config', 'extensions.worktreeConfig', 'true');
    const evil = `printf '[filter "x"]\\n\\tclean = "touch ${bed.base}/ran; cat"\\n' > "$g/config.worktree"`;
    const { run, failures } = await astray(bed, `${HERE}; ${evil}; echo '* filter=x' > .gitattributes; ${DOES_IT}`);
    expect(failures).toEqual(['outside-the-fence']);
    expect(existsSync(join(bed.base, 'ran'))).toBe(false);
    const [, aside = ''] = /what it was made is at ([^;]+);/.exec(JSON.stringify(run.events)) ?? [];
    expect(readFileSync(aside, 'utf8')).toContain('touch');
  });

  it('pointing to a repository of the agent\'s own', async ({ bed }) => {
    const { failures } = await astray(bed, `${HERE}; git clone -q --bare . '${bed.base}/fake'; git --git-dir='${bed.base}/fake' config core.sshCommand x; echo '${bed.base}/fake' > "$g/commondir"; ${DOES_IT}`);
    expect(failures).toEqual(['outside-the-fence']);
  });

  it('saying that it belongs to another folder, or to none', async ({ bed }) => {
    const { failures } = await astray(bed, `${HERE}; rm "$g/commondir"; ln -s /dev/zero "$g/commondir"; echo '${bed.root}/.git' > "$g/gitdir"; ${DOES_IT}`);
    expect(failures).toEqual(['outside-the-fence']);
  });

  it('changed by an agent that was killed with choo: put back before git is asked anything', async ({ bed }) => {
    bed.git('config', 'extensions.worktreeConfig', 'true');
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    await held.sh(`git config --worktree filter.x.clean "touch ${bed.base}/ran; cat"; echo "* filter=x" > .gitattributes`);
    run.signal('SIGKILL');
    await run.ended;
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next()).finish();
    const ended = await again.ended;
    expectEnd(ended, 0);
    expect(existsSync(join(bed.base, 'ran'))).toBe(false);
    expect(JSON.stringify(ended.events)).toContain('which steers git in the worktree');
  });
});

describe('the fence', () => {
  it('an agent that edits the main checkout: reported by path, the attempt fails, the edit is left alone', async ({ bed }) => {
    const { run, failures } = await astray(bed, `echo oops >> '${bed.root}/README'; ${DOES_IT}`);
    expect(failures).toEqual(['outside-the-fence']);
    expect(JSON.stringify(run.events)).toContain('README in the main checkout');
    expect(bed.read('README')).toBe('first\noops\n');
  });

  it('what git and npm do by themselves costs nobody an attempt: the same configuration written anew, branches that came and went, gc, a stash', async ({ bed }) => {
    bed.git('config', 'core.hooksPath', '.husky/_');
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const a = await bed.hand.next({ unit: 'a' });
    const b = await bed.hand.next({ unit: 'b' });
    await a.sh('git config core.hooksPath .husky/_; git branch tmp; git branch -q -D tmp; git gc -q; git update-server-info; echo x > x; git add x; git stash -q');
    await b.finish();
    await a.sh('git stash pop -q; git rm -q --cached x; rm x');
    await a.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect([...kinds(ended, 'a').failures, ...kinds(ended, 'b').failures]).toEqual([]);
  });

  it('what it left there is told at the end of a run in which everything landed, and by status, until there is another run', async ({ bed }) => {
    const evil = `(cd '${bed.root}' && echo evil > evil && git add evil && git commit -qm EVIL && cp /bin/true .git/hooks/pre-commit)`;
    bed.specs({ a: {} }, { agent: `if [ "$CHOO_ATTEMPT" = 1 ]; then ${evil}; else ${DOES_IT}; fi` });
    const run = await bed.choo(['run']);
    expectEnd(run, 0);
    const said = `refs/heads/main moved to ${bed.git('log', '-1', '--format=%H', '--grep=EVIL', 'main').slice(0, 10)}  (a, task 1, attempt 1)`;
    const hook = '.git/hooks/pre-commit in the main checkout  (a, task 1, attempt 1)';
    expect(run.stdout).toMatch(/1 of 1 unit landed, [^\n]+; something outside the fence changed, see below\n/);
    for (const line of [said, hook]) {
      expect(run.stdout).toContain(line);
      expect((await bed.choo(['status'])).stdout).toContain(line);
    }
    expect(JSON.parse((await bed.choo(['status', '--json'])).stdout)).toMatchObject({ closed: true, outside: { changes: expect.arrayContaining([expect.objectContaining({ change: '.git/hooks/pre-commit in the main checkout' })]) as unknown } });
  });

  it('an agent that moves another branch', async ({ bed }) => {
    bed.git('branch', 'other');
    const { failures, run } = await astray(bed, `git update-ref refs/heads/other HEAD; ${DOES_IT}`);
    expect(failures).toEqual(['outside-the-fence']);
    expect(JSON.stringify(run.events)).toContain('refs/heads/other moved');
  });

  it('an agent that moves the target itself: the run does not take that for a landing', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `${DOES_IT}; git add -A; git commit -qm mine; git update-ref refs/heads/main HEAD`, limits: { attempts: 1 } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(kinds(ended, 'a').failures).toEqual(['outside-the-fence']);
    expect(ended.events.some((e) => e.type === 'unit.merged')).toBe(false);
  });

  it('the main checkout\'s path is neither in the prompt nor in the environment', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    const inside = Object.entries(held.env).filter(([key, value]) => value.includes(bed.root) && !key.startsWith('CHOO_PROMPT'));
    expect(inside).toEqual([]);
    expect(held.prompt).not.toContain(bed.root);
    expect(held.cwd.startsWith(bed.state)).toBe(true);
    await held.finish();
    expectEnd(await run.ended, 0);
  });

  it('a nested repository is no work: told, and done again without it', async ({ bed }) => {
    const { failures } = await astray(bed, 'git init -q inner; touch inner/x');
    expect(failures).toEqual(['nested-repository']);
  });
});

describe('processes', () => {
  it('an agent that leaves background processes: they are ended, its work counts, it is noted', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `${DOES_IT}; sleep 1000 & exec sleep 1001 </dev/null >/dev/null 2>&1 & exit 0` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').notes).toContain('leftover-processes');
  });

  it('orphans that made a session of their own, lost their parents and ignore TERM are ended too', async ({ bed }) => {
    const stubborn = 'trap "" TERM INT HUP; while :; do sleep 1000; done';
    bed.specs({ a: {} }, { agent: `${DOES_IT}; setsid sh -c '(${stubborn}) &' </dev/null >/dev/null 2>&1; exit 0`, process: { contain: 'group' } });
    expectEnd(await bed.choo(['run', '--json']), 0);
    expectNothingLeft(bed);
  });

  it('a check that leaves a server running is ended with it', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'sleep 1000 >/dev/null 2>&1 & test -f a-1.txt' }] } });
    expectEnd(await bed.choo(['run']), 0);
    expectNothingLeft(bed);
  });

  it('megabytes of output: bounded on disk, the end of it reaches the next attempt', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, limits: { output: '64KiB' } });
    const run = bed.start(['run', '--json']);
    const first = await bed.hand.next();
    await first.print(`${'noise '.repeat(10)}\n`.repeat(100_000));
    await first.print('the last line\n');
    await first.exit(1);
    const second = await bed.hand.next({ attempt: 2 });
    expect(second.prompt).toContain('the last line');
    expect(second.prompt.length).toBeLessThan(20_000);
    expect(Number((await second.sh(`cat '${bed.root}'/.git/choo/runs/1/logs/a/1-1.log | wc -c`)).stdout)).toBeLessThan(100_000);
    await second.finish();
    expectEnd(await run.ended, 0);
  });

  it('a silent agent is ended at the idle limit, and the report has its last lines', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'echo thinking; sleep 1000', limits: { attempts: 1, agent_idle: '300ms' } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(kinds(ended, 'a').failures).toEqual(['agent-idle']);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { output: { tail: 'thinking\n' } } });
  });

  it('a busy agent that never ends is ended at the total limit', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'sleep 1000', limits: { attempts: 1, agent_total: '300ms' } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(kinds(ended, 'a').failures).toEqual(['agent-timeout']);
  });

  it('a prompt too long for an argument arrives whole, on stdin and in a file', async ({ bed }) => {
    const body = `${'All of this matters. '.repeat(20_000)}The end.`;
    bed.specs({ a: { tasks: [{ body }] } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    expect(held.prompt).toContain(body);
    expect(await held.read(held.env['CHOO_PROMPT_FILE'] ?? '')).toBe(held.prompt);
    expect((await held.read('/proc/self/cmdline')).length).toBeLessThan(1000);
    await held.finish();
    expectEnd(await run.ended, 0);
  });
});
