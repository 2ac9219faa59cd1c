// What a landed unit looks like in the history, and which checks are spared: strategies, signatures of authors, passes on the same files.

import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, subjects } from '../rig/facts.ts';

/** Commits by itself under another name before it is done. */
const COMMITS = `${DOES_IT}; git add . && git -c user.name=Agent -c user.email=agent@example.com commit -qm "by the agent"`;

describe('land.strategy', () => {
  it('squash: one commit a unit, with every task in its trailers; worktree and branch go as provably landed', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 }, b: {} }, { agent: COMMITS, land: { strategy: 'squash' } });
    const ended = await bed.choo(['run', '--json', '-p', '1']);
    expectEnd(ended, 0);
    const landed = commits(bed).filter((c) => c.landed !== '');
    expect(landed.map((c) => [c.landed, c.task, c.unit])).toEqual([['a', '1 2', 'a'], ['b', '1', 'b']]);
    expect(landed.map((c) => c.subject)).toEqual(['feat(a): 2 tasks', 'feat(b): Part 1 of b']);
    expect(bed.git('log', '--merges', '--format=%h')).toBe('');
    expect(subjects(bed)).not.toContain('by the agent');
    expect([bed.read('a-1.txt'), bed.read('a-2.txt'), bed.read('b-1.txt')].every((text) => text !== '')).toBe(true);
    expect(bed.git('show', 'HEAD:specs/tasks/a/01-part.md')).toContain('status: complete');
    expectNothingLeft(bed);
    expect((await bed.choo(['run'])).stdout).toContain('nothing to do');
  });

  it('rebase: the unit\'s own commits in a straight line, each with its author, the last one with the landing\'s trailer', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 }, b: { tasks: 1 } }, { agent: COMMITS, land: { strategy: 'rebase' } });
    const ended = await bed.choo(['run', '--json', '-p', '2']);
    expectEnd(ended, 0);
    expect(bed.git('log', '--merges', '--format=%h')).toBe('');
    expect(completedTasks(bed)).toEqual(['a#1', 'a#2', 'b#1']);
    expect(subjects(bed).filter((s) => s === 'by the agent')).toHaveLength(3);
    expect(bed.git('log', '--author=agent@example.com', '--format=%s').split('\n')).toHaveLength(3);
    expect(commits(bed).filter((c) => c.landed !== '').map((c) => [c.landed, c.subject])).toEqual(expect.arrayContaining([['a', expect.stringContaining('task #2')], ['b', expect.stringContaining('task #1')]]));
    expectNothingLeft(bed);
  });

  it('rebase: what cannot be replayed commit by commit is squashed, and the tree is the one that was proved', async ({ bed }) => {
    // The second task takes back what the first did to a line that the other unit changes as well.
    bed.commit({ line: 'first\n' });
    bed.specs({ a: { tasks: 2 }, b: {} }, { agent: bed.hand.agent, land: { strategy: 'rebase' } });
    const run = bed.start(['run', '--json', '-p', '2']);
    const [a, b] = [await bed.hand.next({ unit: 'a', task: '1' }), await bed.hand.next({ unit: 'b' })];
    await b.write('line', 'theirs\n');
    await b.finish();
    await run.event('unit.merged', { unit: 'b' });
    await a.write('line', 'mine\n');
    await a.finish();
    const second = await bed.hand.next({ unit: 'a', task: '2' });
    await second.write('line', 'theirs\n');
    await second.finish();
    expectEnd(await run.ended, 0);
    const landed = commits(bed).filter((c) => c.landed === 'a');
    expect(landed.map((c) => c.task)).toEqual(['1 2']);
    expect(bed.read('line')).toBe('theirs\n');
    expectNothingLeft(bed);
  });
});

describe('a check that has passed', () => {
  it.for([[[], 1], [['--no-cache'], 2]] as const)('on the very same files in a landing worktree is not run again, but with %j it is', async ([flags, proofs], { bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, land: { env: ['HOME'] } });
    const base = bed.commit({ 'specs/tasks/a/01-part.md': `---\ntask: 1\nbackpressure: ${JSON.stringify(bed.hand.check('check'))}\n---\n# Held\n` });
    const run = bed.start(['run', '--json', ...flags]);
    await (await bed.hand.next({ name: 'check' })).exit(1);
    await (await bed.hand.next()).finish();
    await (await bed.hand.next({ name: 'check' })).exit();
    const proof = await bed.hand.next({ name: 'check' });
    // A person's commit that changes no file: the candidate is another commit with the same tree.
    bed.git('commit', '-q', '--allow-empty', '-m', 'nothing new');
    await proof.exit();
    for (let i = 1; i < proofs; i++) await (await bed.hand.next({ name: 'check' })).exit();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.flatMap((e) => (e.type === 'batch.proved' ? [e.reused] : []))).toEqual([0, 2 - proofs]);
    expect(bed.git('log', '--format=%s', `${base}..main`)).toContain('nothing new');
    expectNothingLeft(bed);
  });

  it('but only in a worktree of an agent is run before the unit lands', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'pwd >> "$HOME/places"; test -f a-1.txt' }] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    const places = bed.read('../home/places').trim().split('\n');
    expect(places.map((place) => /\/landing(-\d+)?$/.test(place))).toEqual([false, false, true]);
  });
});

describe('land.checks: never', () => {
  it('lands what nobody proved together, and says so at the start, at the landing and at the end', async ({ bed }) => {
    bed.specs({ a: { tasks: [{}, { check: '! test -f a-1.txt && test -f a-2.txt' }] } }, { agent: `rm -f a-1.txt; ${DOES_IT}`, land: { checks: 'never' } });
    const ended = await bed.choo(['run']);
    expectEnd(ended, 0);
    expect(ended.stderr).toContain('NOTHING IS PROVED BEFORE IT LANDS');
    expect(ended.stdout).toContain('UNPROVED');
    expect(ended.stdout).toContain('nothing was proved before it landed');
    expectNothingLeft(bed);
  });
});
