// What people do with a pull request while choo or an agent is at work on it, and a forge that is not ready for what is asked.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { Held } from '../rig/hand.ts';
import { it, type Bed } from '../rig/bed.ts';
import type { Running } from '../rig/choo.ts';
import { expectEnd, refs } from '../rig/facts.ts';
import { makeForge, type ForgeBed } from '../rig/forge.ts';

/** A run whose agent is at work on what ann said, when its pull request was open. */
async function reworking(bed: Bed): Promise<{ readonly forge: ForgeBed; readonly run: Running; readonly agent: Held }> {
  const forge = await makeForge(bed, { a: {} }, { agent: bed.hand.agent });
  const run = forge.start();
  const first = await bed.hand.next({ unit: 'a' });
  await first.write('a-1.txt');
  await first.commit('begin');
  await first.finish();
  await run.event('unit.waiting', { unit: 'a' });
  forge.github.comment(1, 'ann', 'more please');
  const agent = await bed.hand.next({ unit: 'a', task: 'feedback' });
  await agent.write('more.txt');
  return { forge, run, agent };
}

/** What git says in another clone, which has the branch of a pull request. */
function person(bed: Bed, forge: ForgeBed, number = 1): (...args: readonly string[]) => string {
  const folder = `${bed.base}/person`;
  execFileSync('git', ['clone', '-q', '-b', forge.github.pull(number).head, forge.remote.path, folder], { env: bed.env });
  return (...args) => execFileSync('git', ['-C', folder, ...args], { env: bed.env, encoding: 'utf8' }).trim();
}

describe('while an agent works on feedback', () => {
  it.for(['merge', 'squash'] as const)('a person merges it (%s): it has landed, and what the agent did is kept', async (method, { bed }) => {
    const { forge, run, agent } = await reworking(bed);
    forge.github.merge(1, 'acme', method);
    await agent.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(refs(bed).filter((ref) => ref.includes('refs/heads/choo/'))).toHaveLength(1);
    expect(bed.git('show', 'choo/unit/a/1:more.txt')).toBe('more.txt');
    expect(ended.stderr).toContain('a: refs/heads/choo/unit/a/1 has commits that did not land; it is kept');
    await forge.close();
  });

  it('a person pushes on top: both are merged, and the feedback is answered with both', async ({ bed }) => {
    const { forge, run, agent } = await reworking(bed);
    const git = person(bed, forge);
    git('commit', '-q', '--allow-empty', '-m', 'ann helps');
    git('push', '-q', 'origin', 'HEAD');
    const { seq } = await run.event('rework.started', { unit: 'a' });
    await agent.finish();
    await run.event('unit.waiting', { unit: 'a', after: seq });
    forge.github.review(1, { by: 'ann', state: 'APPROVED' });
    expectEnd(await run.ended, 0);
    expect(forge.remote.git('log', '--format=%s', 'main')).toContain('ann helps');
    expect(forge.remote.git('show', 'main:more.txt')).toBe('more.txt');
    await forge.close();
  });

  it('a person takes a commit back: choo does not push it again, and the feedback is worked on anew when it goes on', async ({ bed }) => {
    const { forge, run, agent } = await reworking(bed);
    const git = person(bed, forge);
    git('reset', '-q', '--hard', 'HEAD~1');
    git('push', '-q', '--force', 'origin', 'HEAD');
    const at = git('rev-parse', 'HEAD');
    await agent.finish();
    const ended = await run.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('and choo leaves it to them');
    expect(forge.github.pull(1).headSha).toBe(at);
    await bed.choo(['retry', 'a']);
    const again = forge.start(['resume', '--json']);
    await (await bed.hand.next({ unit: 'a', task: 'feedback' })).finish();
    await again.event('pr.published', { unit: 'a' });
    await bed.choo(['stop']);
    await again.ended;
    await forge.close();
  });
});

describe('a merge that is refused', () => {
  it.for([[405, 'Pull Request is not mergeable'], [409, 'Head branch was modified. Review and try the merge again.']] as const)('%i for a while: tried again less and less often, told once', async ([status, message], { bed }) => {
    const forge = await makeForge(bed, { a: {} });
    forge.github.misbehave({ kind: 'answer', status, message }, { method: 'PUT', path: '/merge', times: 3 });
    const run = forge.start(['run', '--json', '--skip-review']);
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type === 'pr.refused')).toHaveLength(3);
    expect(ended.stderr.match(/WARNING a:/g)).toHaveLength(1);
    await forge.close();
  });
});

describe('a base that a person changes', () => {
  it('is not merged into, whoever approves: the unit is theirs', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    forge.remote.git('branch', 'release', 'main');
    forge.github.edit(1, { base: 'release' });
    forge.github.review(1, { by: 'ann', state: 'APPROVED' });
    const ended = await run.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/BLOCKING a: unit a failed: \S+\/pull\/1 does not land: somebody gave it the base release, and it is to be merged into main/);
    expect(forge.github.pull(1).merged).toBeUndefined();
    forge.github.edit(1, { base: 'main' });
    await bed.choo(['retry', 'a']);
    expectEnd(await bed.choo(['resume', '--json'], forge.options), 0);
    await forge.close();
  });
});

describe('what a person merges into the upper one of a stack', () => {
  it('waits for approval when it is protected; what came from below does not again', async ({ bed }) => {
    const agent = 'if [ "$CHOO_UNIT" = a ]; then mkdir ci; echo lower > ci/lower; fi; echo x > "$CHOO_UNIT-1.txt"';
    const forge = await makeForge(bed, { a: {}, b: { dependsOn: ['a'] } }, { agent, land: { protect: 'approve', protected: ['ci/**'] }, review: { stack: true } });
    const asked = await bed.choo(['run', '--json'], forge.options);
    expect(asked.events.find((e) => e.type === 'unit.waiting')).toMatchObject({ unit: 'a', for: 'approval', change: { paths: ['ci/lower'] } });
    expectEnd(await bed.choo(['approve', 'a']), 0);
    const run = forge.start(['resume', '--json']);
    const { seq } = await run.event('unit.waiting', { unit: 'b' });
    const git = person(bed, forge, forge.numberOf('b'));
    git('checkout', '-q', '-b', 'side');
    writeFileSync(`${bed.base}/person/ci/upper`, 'by a person\n');
    git('add', '.');
    git('commit', '-q', '-m', 'a person writes what is protected');
    git('checkout', '-q', '-');
    git('merge', '-q', '--no-ff', '-m', 'a person merges', 'side');
    git('push', '-q', 'origin', 'HEAD');
    const upper = await run.event('unit.waiting', { unit: 'b', after: seq });
    expect(upper).toMatchObject({ for: 'approval', change: { paths: ['ci/upper'] } });
    expect(bed.git('diff', '--name-only', upper.change?.base ?? '', upper.change?.head ?? '').split('\n')).toEqual(['b-1.txt', 'ci/upper', 'specs/tasks/b/01-part.md']);
    run.signal('SIGINT');
    await run.ended;
    await forge.close();
  });
});

describe('--no-wait', () => {
  it('acts upon what was said before it began', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    expect((await bed.choo(['run', '--json', '--no-wait'], forge.options)).code).toBe(1);
    forge.github.review(1, { by: 'ann', state: 'APPROVED' });
    expectEnd(await bed.choo(['resume', '--json', '--no-wait'], forge.options), 0);
    await forge.close();
  });
});

describe('a task whose text changes on the target while its pull request is open', () => {
  const path = 'specs/tasks/a/01-part.md';

  it.for(['merge', 'squash'] as const)('stays as it is there when choo merges it (%s), for the next run', async (strategy, { bed }) => {
    const forge = await makeForge(bed, { a: {} }, { land: { strategy } });
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const text = bed.read(path).replace('Write the file', 'Write another file');
    forge.remote.commit({ [path]: text });
    forge.github.review(1, { by: 'ann', state: 'APPROVED' });
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(`${forge.remote.git('show', `main:${path}`)}\n`).toBe(text);
    expect(ended.events.find((e) => e.type === 'pr.merged')).toMatchObject({ notes: [{ kind: 'spec-changed', text: 'task 1 of a landed as the run began with it; main has another text now: choo run' }] });
    await forge.close();
  });

  it('is named when a person merges it before that is taken in', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    forge.remote.commit({ [path]: bed.read(path).replace('Write the file', 'Write another file') });
    forge.github.merge(1, 'ann', 'merge');
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.stderr).toContain('task 1 of a landed as the run began with it; main has another text now and calls it complete, which nobody has proved');
    await forge.close();
  });
});
