// One orchestrator per repository: two started at the same instant, one that lost the repository without knowing it, locks given away.

import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { describeUs } from '../../src/adapters/holder.ts';
import { it, type Bed } from '../rig/bed.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, expectRefusal } from '../rig/facts.ts';

const run = promisify(execFile);
const choo = join(import.meta.dirname, '..', '..', 'bin', 'choo');
/** How often two are started at once. `npm run test:all` asks for more. */
const PAIRS = Number(process.env['CHOO_TEST_PAIRS'] ?? 3);
const FENCE = 'refs/choo/fence';

/** Starts two from one shell; when one has ended, lets the agent of the other go on. The agent waits at the pipe `$GO`. */
const PAIR = `
mkfifo "$GO"; exec 3<>"$GO"
one() { "$NODE" "$CHOO" "$VERB" >"$OUT.$1" 2>&1; echo "$?" >"$OUT.$1.code"; }
one 1 & one 2 &
wait -n
printf 'go\\ngo\\n' >&3
wait
`;

interface End { readonly code: string; readonly said: string }

/** Starts two in a repository; gives back how they ended, the one with the lower exit code first. */
async function pair(bed: Bed, root: string, verb: string): Promise<readonly [End, End]> {
  const out = `${root}.out`;
  await run('bash', ['-c', PAIR], {
    cwd: root,
    env: { ...bed.env, XDG_STATE_HOME: bed.state, TMPDIR: join(bed.base, 'temporary'), RIG_BED: bed.base, NODE: process.execPath, CHOO: choo, VERB: verb, OUT: out, GO: `${root}.go` },
  });
  const [first, second] = ['1', '2'].map((n): End => ({ code: readFileSync(`${out}.${n}.code`, 'utf8').trim(), said: readFileSync(`${out}.${n}`, 'utf8') }))
    .toSorted((a, b) => Number(a.code) - Number(b.code));
  if (first === undefined || second === undefined) throw new Error('a pair is two');
  return [first, second];
}

/** A copy of the bed's repository whose agent waits for the pair. */
function copyOf(bed: Bed, name: string): string {
  const root = join(bed.base, name);
  cpSync(bed.root, root, { recursive: true });
  writeFileSync(join(root, '.choo.yaml'), bed.read('.choo.yaml').replace('GO-PIPE', `${root}.go`));
  execFileSync('git', ['commit', '-qam', 'its own pipe'], { cwd: root, env: bed.env });
  return root;
}

function expectOneWorked(bed: Bed, root: string, [won, lost]: readonly [End, End]): void {
  expect([won.code, lost.code], `${won.said}\n---\n${lost.said}`).toEqual(['0', '2']);
  expect(lost.said).toMatch(/choo already runs in this repository \(process \d+ on .*choo status --watch.*choo stop/);
  const at: Bed = { ...bed, root, git: (...args) => execFileSync('git', args, { cwd: root, env: bed.env, encoding: 'utf8' }).trimEnd() };
  expect(completedTasks(at)).toEqual(['a#1']);
  expect(commits(at).filter((c) => c.landed === 'a')).toHaveLength(1);
  expect(readdirSync(join(root, '.git', 'choo', 'runs'))).toEqual(['1']);
  expect(readdirSync(join(root, '.git', 'choo')).filter((name) => name.startsWith('lock'))).toEqual([]);
  expectNothingLeft(at);
}

/** Puts the lock of a dead choo of this machine into place, with the fence it had and the lock that its git left on that. */
async function plantDead(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = join(root, '.git', 'choo');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'lock'), JSON.stringify({ ...await describeUs(), start: 1, nonce: 'dead' }));
  const id = execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: root, env, input: 'dead\n', encoding: 'utf8' }).trim();
  execFileSync('git', ['update-ref', FENCE, id], { cwd: root, env });
  writeFileSync(join(root, '.git', `${FENCE}.lock`), '');
}

describe(`two choos started at the same instant, ${PAIRS} times`, () => {
  it('exactly one works, the other exits 2 and says why', { timeout: 60_000 + PAIRS * 10_000 }, async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'read x < GO-PIPE; echo done > a-1.txt' });
    for (let n = 1; n <= PAIRS; n += 1) {
      const root = copyOf(bed, `fresh-${n}`);
      expectOneWorked(bed, root, await pair(bed, root, 'run'));
    }
  });

  it('after one that died: exactly one takes over', { timeout: 60_000 + PAIRS * 10_000 }, async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'read x < GO-PIPE; echo done > a-1.txt' });
    for (let n = 1; n <= PAIRS; n += 1) {
      const root = copyOf(bed, `stale-${n}`);
      await plantDead(root, bed.env);
      const ends = await pair(bed, root, 'run');
      expect(ends[0].said).toMatch(/took over from choo process \d+, which is gone/);
      expectOneWorked(bed, root, ends);
    }
  });
});

describe('what a dead choo left', () => {
  it('is cleared away by the first who comes, also one who is then refused', async ({ bed }) => {
    bed.specs({ a: { dependsOn: ['nobody'] } });
    await plantDead(bed.root, bed.env);
    expectRefusal(bed, await bed.choo(['run']), /took over[^]*nobody/);
    bed.specs({ a: {} });
    expectEnd(await bed.choo(['run']), 0);
    expectNothingLeft(bed);
  });
});

const lockFile = (bed: Bed): string => join(bed.root, '.git', 'choo', 'lock');

/** Makes the lock that is held look like one of another machine; its holder notices nothing. */
function moveFarAway(bed: Bed): void {
  const holder = JSON.parse(readFileSync(lockFile(bed), 'utf8')) as object;
  writeFileSync(lockFile(bed), JSON.stringify({ ...holder, host: 'far\u001B[31maway' }));
}

describe('choo unlock', () => {
  it('says so when nobody holds the repository', async ({ bed }) => {
    const ended = await bed.choo(['unlock', '--yes']);
    expectEnd(ended, 0);
    expect(ended.stdout).toBe('no choo holds this repository\n');
    expect(existsSync(join(bed.root, '.git', 'choo'))).toBe(false);
  });

  it('refuses while the holder runs here, and removes what a dead one left', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const first = bed.start(['run', '--json']);
    await bed.hand.next({ unit: 'a' });
    for (const argv of [['unlock'], ['unlock', '--yes']]) {
      const refused = await bed.choo(argv);
      expectEnd(refused, 2);
      expect(refused.stderr).toMatch(/choo already runs .*choo stop/);
    }
    first.signal('SIGKILL');
    await first.ended;
    const ended = await bed.choo(['unlock']);
    expectEnd(ended, 0);
    expect(ended.stdout).toMatch(new RegExp(`removed the lock of choo process ${first.pid} on .*, which is gone\nits file is kept: .*lock\\.removed-`));
    expect(bed.git('for-each-ref', FENCE)).toBe('');
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    expectEnd(await again.ended, 0);
    expect((await again.ended).stderr).not.toMatch(/took over/);
    expectNothingLeft(bed);
  });

  it('warns about one that cannot be seen; with --yes that one, should it live, writes nothing more', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const first = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    moveFarAway(bed);
    expectEnd(await bed.choo(['run']), 2);
    const asked = await bed.choo(['unlock']);
    expectEnd(asked, 2);
    expect(asked.stderr).toMatch(/another machine or container/);
    expect(asked.stderr).toMatch(/choo unlock --yes/);
    expect(asked.stderr).not.toContain('\u001B');
    expectEnd(await bed.choo(['unlock', '--yes']), 0);
    const journal = readFileSync(join(bed.root, '.git/choo/runs/1/journal.jsonl'));
    const refsBefore = bed.git('for-each-ref');
    await held.finish();
    const ended = await first.ended;
    expectEnd(ended, 1);
    expect(ended.stderr).toMatch(/error: this choo no longer has the repository and wrote nothing more: its lock was given away/);
    expect(ended.stderr).not.toMatch(/defect/);
    expect(readFileSync(join(bed.root, '.git/choo/runs/1/journal.jsonl'))).toEqual(journal);
    expect(bed.git('for-each-ref')).toBe(refsBefore);
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
    expectNothingLeft(bed);
  });

  it('is not blamed where somebody removed all of choo\'s folder during a run, which then begins anew', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const first = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    rmSync(join(bed.root, '.git/choo'), { recursive: true });
    await held.finish();
    const ended = await first.ended;
    expectEnd(ended, 1);
    expect(ended.stderr).toMatch(/no longer has the repository and wrote nothing more: its lock is gone, by itself or with the whole folder \(.*else `choo run` begins anew/);
    const again = bed.start(['run', '--json']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('of a lock that nobody understands asks first, too, and outside a repository says that', async ({ bed }) => {
    bed.specs({ a: {} });
    mkdirSync(join(bed.root, '.git/choo'), { recursive: true });
    writeFileSync(lockFile(bed), '\0\0\0');
    expectRefusal(bed, await bed.choo(['run']), /cannot be understood.*choo unlock/);
    expectEnd(await bed.choo(['unlock']), 2);
    expectEnd(await bed.choo(['unlock', '--yes']), 0);
    expectEnd(await bed.choo(['run']), 0);
    expectRefusal(bed, await bed.choo(['unlock'], { cwd: bed.base }), /not inside a git repository/);
  });
});

describe('an orchestrator that lost the repository', () => {
  it('while its agent works ends, ends its agents, and leaves the rest to the one that has it', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent });
    const first = bed.start(['run', '--json', '-p', '2']);
    const [a, b] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' })];
    const nonce = bed.git('hash-object', '-w', 'README');
    bed.git('update-ref', FENCE, nonce);
    await a.finish();
    const ended = await first.ended;
    await b.gone;
    expectEnd(ended, 1);
    expect(ended.stderr).toMatch(/somebody changed refs\/choo\/fence/);
    expect(ended.events.map((e) => e.type)).not.toContain('unit.failed');
    expect(commits(bed).filter((c) => c.task !== '')).toEqual([]);
    expect(existsSync(lockFile(bed))).toBe(false);
    const again = bed.start(['resume', '--json', '-p', '2']);
    // What the agent of `a` did was proved; only the move of the branch was refused, and that is done now.
    await (await bed.hand.next({ unit: 'b' })).finish();
    expectEnd(await again.ended, 0);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
    expectNothingLeft(bed);
  });
});

describe('the journal that a run is resumed from', () => {
  it('with another plan than the one that was pinned is refused', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'exit 1' });
    expectEnd(await bed.choo(['run']), 1);
    const path = join(bed.root, '.git/choo/runs/1/journal.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"check":"test -f a-1.txt"', '"check":"test -f b-1.txt"'));
    const ended = await bed.choo(['resume']);
    expectEnd(ended, 2);
    expect(ended.stderr).toMatch(/journal\.jsonl:2: damaged \(the plan is not the one that was pinned\)/);
  });
});
