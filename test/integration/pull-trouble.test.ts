// Pull requests when something comes between: people who push, close and rewrite, a target that moves, a forge that refuses or is away.

import { execFileSync } from 'node:child_process';
import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectRefusal, refs } from '../rig/facts.ts';
import { makeForge, type ForgeBed } from '../rig/forge.ts';

/** Another clone, in which a person works on the branch of a pull request. */
function person(bed: Bed, forge: ForgeBed): { readonly git: (...args: readonly string[]) => string } {
  const folder = `${bed.base}/person`;
  execFileSync('git', ['clone', '-q', forge.remote.path, folder], { env: bed.env });
  return { git: (...args) => execFileSync('git', ['-C', folder, ...args], { env: bed.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim() };
}

describe('people', () => {
  it('rewrite the branch in the middle: choo yields, and takes it as it is when it is told to', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {}, b: { dependsOn: ['a'] } });
    const { github } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const a = forge.numberOf('a');
    const { git } = person(bed, forge);
    git('checkout', '-q', github.pull(a).head);
    git('commit', '-q', '--amend', '-m', 'mine now');
    git('push', '-q', '--force', 'origin', 'HEAD');
    const theirs = git('rev-parse', 'HEAD');
    const ended = await run.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/BLOCKING a: unit a failed: somebody rewrote the branch choo\/unit\/a\/1-[0-9a-f]{8} of \S+ \(it is at [0-9a-f]{10} now\), and choo leaves it to them/);
    expect(ended.stderr).toContain('to go on with the branch as it is now: choo retry a && choo resume');
    expect(github.pull(a)).toMatchObject({ state: 'open', headSha: theirs });
    expect((await bed.choo(['retry', 'a'])).code).toBe(0);
    github.review(a, { by: 'ann', state: 'APPROVED' });
    const again = forge.start(['resume', '--json']);
    await again.event('unit.waiting', { unit: 'b' });
    github.review(forge.numberOf('b'), { by: 'ann', state: 'APPROVED' });
    expectEnd(await again.ended, 0);
    expect(forge.remote.git('log', '--format=%s', 'main')).toContain('mine now');
    await forge.close();
  });

  it('push a commit on top: it is proved like the unit\'s own, and lands with it', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const { github } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const a = forge.numberOf('a');
    const { git } = person(bed, forge);
    git('checkout', '-q', github.pull(a).head);
    git('commit', '-q', '--allow-empty', '-m', 'a word from ann');
    git('push', '-q', 'origin', 'HEAD');
    const theirs = git('rev-parse', 'HEAD');
    for (let seen = 0, commit = ''; commit !== theirs;) ({ seq: seen, commit } = await run.event('pr.proved', { unit: 'a', after: seen }));
    github.review(a, { by: 'ann', state: 'APPROVED' });
    expectEnd(await run.ended, 0);
    expect(forge.remote.git('log', '--format=%s', 'main')).toContain('a word from ann');
    await forge.close();
  });

  it('close it without merging: the unit is cancelled, what depends on it blocked, nothing deleted', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {}, b: { dependsOn: ['a'] } });
    const { github, remote } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const { head, number } = github.pull(forge.numberOf('a'));
    github.closePull(number);
    const ended = await run.ended;
    expect(ended.code).toBe(1);
    expect(ended.events.find((e) => e.type === 'orch.failed')).toMatchObject({ result: { cancelledUnits: 1, blockedUnits: 1, completedUnits: 0 } });
    expect(remote.git('for-each-ref', '--format=%(refname:short)', 'refs/heads')).toContain(head);
    expect(refs(bed).some((ref) => ref.includes('refs/heads/choo/unit/a/1'))).toBe(true);
    expect(ended.stderr).toContain('was closed without being merged');
    await forge.close();
  });

  it('merge it by hand: it has landed', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const commit = forge.github.merge(forge.numberOf('a'), 'acme', 'squash');
    expect(await run.event('unit.merged', { unit: 'a' })).toMatchObject({ commit });
    expectEnd(await run.ended, 0);
    await forge.close();
  });

  it('do not come: told once, not failed; --no-wait ends the session, and the next one follows it up', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} }, { review: { timeout: '300ms' } });
    const run = forge.start();
    await run.event('pr.late', { unit: 'a' });
    expect((await bed.choo(['stop'])).code).toBe(0);
    const ended = await run.ended;
    expect(ended.events.filter((e) => e.type === 'pr.late')).toHaveLength(1);
    expect(ended.stderr).toContain('WARNING a: unit a waits for a review longer than review.timeout');
    const without = await bed.choo(['resume', '--json', '--no-wait'], forge.options);
    expect(without.code).toBe(1);
    expect(without.events.at(-1)).toMatchObject({ type: 'orch.failed', result: { waitingUnits: 1, failedUnits: 0, error: '1 unit waits for review' } });
    expect(without.stderr).toMatch(/review: https:\S+\/pull\/1/);
    forge.github.review(1, { by: 'ann', state: 'APPROVED' });
    expectEnd(await bed.choo(['resume', '--json'], forge.options), 0);
    await forge.close();
  });
});

describe('the target', () => {
  it('moves before the merge: it is taken in, proved with it, and merged only then', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const { github, remote } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const theirs = remote.commit({ 'other.txt': 'x\n' });
    github.review(forge.numberOf('a'), { by: 'ann', state: 'APPROVED' });
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'pr.outdated')).toMatchObject({ onto: theirs });
    const merged = ended.events.find((e) => e.type === 'pr.merged');
    expect(merged).not.toHaveProperty('red');
    const { head } = merged as { readonly head: string };
    expect(remote.git('rev-parse', 'main^{tree}')).toBe(remote.git('rev-parse', `${head}^{tree}`));
    expect(remote.git('merge-base', '--is-ancestor', theirs, head)).toBe('');
    await forge.close();
  });

  it('moves in the last window: what landed is proved afterwards, and a person is told when it is red', async ({ bed }) => {
    const forge = await makeForge(bed, { a: { tasks: [{ check: '! test -f poison.txt && test -f a-1.txt' }] } });
    const { github, remote } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    github.onRequest = (request) => {
      if (request.method !== 'PUT' || !request.path.endsWith('/merge')) return;
      github.onRequest = undefined;
      remote.commit({ 'poison.txt': 'x\n' });
    };
    github.review(forge.numberOf('a'), { by: 'ann', state: 'APPROVED' });
    const ended = await run.ended;
    expect(ended.events.find((e) => e.type === 'pr.merged')).toMatchObject({ red: { kind: 'check-failed' } });
    expect(ended.stderr).toMatch(/CRITICAL a: unit a was merged by the forge as [0-9a-f]{10}, and its proof fails there/);
    await forge.close();
  });

  it('conflicts: the agent resolves it in its worktree, and the pull request goes on', async ({ bed }) => {
    const resolves = 'if grep -q "<<<<" shared.txt 2>/dev/null; then echo both > shared.txt; else echo mine > shared.txt; fi; echo x > "$CHOO_UNIT-1.txt"';
    const forge = await makeForge(bed, { a: {} }, { agent: resolves });
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    forge.remote.commit({ 'shared.txt': 'theirs\n' });
    forge.github.review(forge.numberOf('a'), { by: 'ann', state: 'APPROVED' });
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'rework.started')).toMatchObject({ reason: 'conflict' });
    expect(forge.remote.git('show', 'main:shared.txt')).toBe('both');
    await forge.close();
  });

  it('has a merge queue: the pull request goes through it, and back in when it was thrown out', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const { github } = forge;
    github.setRules('main', { queue: true });
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    github.review(forge.numberOf('a'), { by: 'ann', state: 'APPROVED' });
    const first = await run.event('pr.queued', { unit: 'a' });
    github.advanceQueue({ kick: true });
    await run.event('pr.queued', { unit: 'a', after: first.seq });
    github.advanceQueue();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.stderr).not.toContain('last-window');
    await forge.close();
  });

  it('--skip-review: merged when the checks pass, without anybody', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} }, { land: { strategy: 'squash' } });
    const run = forge.start(['run', '--json', '--skip-review']);
    expectEnd(await run.ended, 0);
    expect(forge.remote.git('log', '-1', '--format=%s', 'main')).toBe('feat(a): Part 1 of a');
    expect(completedTasks(bed, 'origin/main')).toEqual([]);
    await forge.close();
  });
});

describe('the forge', () => {
  it('takes the token back in mid-run: units wait, nothing is counted, and a new token goes on', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const { github } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    github.revoke(github.token);
    const ended = await run.ended;
    expect(ended.code).toBe(1);
    expect(ended.events.find((e) => e.type === 'forge.held')).toMatchObject({ reason: 'login' });
    expect(ended.stderr).toContain('give choo a token that may read and write code and pull requests there, then: choo resume');
    expect(ended.stdout + ended.stderr).not.toContain(github.token);
    const refused = await bed.choo(['resume'], forge.options);
    expect(refused.code).toBe(2);
    github.review(1, { by: 'ann', state: 'APPROVED' });
    expectEnd(await bed.choo(['resume', '--json'], { env: { GH_TOKEN: github.addToken('choo-bot') } }), 0);
    await forge.close();
  });

  it('is broken for a while: nothing is done twice, and it goes on', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const { github } = forge;
    for (const path of ['/pulls', '/merge']) github.misbehave({ kind: 'reset', after: true }, { method: path === '/pulls' ? 'POST' : 'PUT', path });
    github.misbehave({ kind: 'answer', status: 502 }, { times: 2 });
    github.misbehave({ kind: 'answer', status: 503 }, { path: '/graphql', times: 2, skip: 3 });
    github.hideNew(3);
    github.delayMergeability(2);
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    github.review(forge.numberOf('a'), { by: 'ann', state: 'APPROVED' });
    expectEnd(await run.ended, 0);
    expect(github.pulls()).toHaveLength(1);
    await forge.close();
  });

  it('without a usable token, or without what is committed here: exit 2 with the command, nothing made', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} });
    const { github } = forge;
    expectRefusal(bed, await bed.choo(['run']), /no token for it was found \[no-token\]\n {2}hint: .*GITHUB_TOKEN.*choo run --no-pr/);
    expectRefusal(bed, await bed.choo(['run'], { env: { GITHUB_TOKEN: 'ghp_wrong' } }), /\[forge-login\]\n {2}hint: .*--no-pr/);
    bed.commit({ 'here.txt': 'x' });
    expectRefusal(bed, await bed.choo(['run'], forge.options), /main has 1 commit that main of origin lacks; [^]*hint: git push origin main/);
    bed.git('remote', 'set-url', 'origin', `${bed.base}/nowhere`);
    expectRefusal(bed, await bed.choo(['run'], forge.options), /cannot be reached: [^]*hint: see: git ls-remote origin .*--no-pr/);
    expect(github.pulls()).toEqual([]);
    expectEnd(await bed.choo(['run', '--json', '--no-pr']), 0);
    await forge.close();
  });
});

describe('a stack', () => {
  it.for(['merge', 'squash'])('is built on open pull requests and lands from below (%s): each with the target, none with what is below it twice', async (strategy, { bed }) => {
    // Both change the same line: the one above what the one below wrote.
    const agent = 'if [ "$CHOO_UNIT" = a ]; then echo one > shared.txt; else sed -i s/one/two/ shared.txt; fi; echo x > "$CHOO_UNIT-1.txt"';
    const forge = await makeForge(bed, { a: {}, b: { dependsOn: ['a'] } }, { agent, land: { strategy }, review: { stack: true } });
    const { github, remote } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const { seq } = await run.event('unit.waiting', { unit: 'b' });
    const [a, b] = [forge.numberOf('a'), forge.numberOf('b')];
    expect([github.pull(a).base, github.pull(b).base]).toEqual(['main', github.pull(a).head]);
    github.review(b, { by: 'ann', state: 'APPROVED' });
    github.review(a, { by: 'ann', state: 'APPROVED' });
    const landed = await run.event('unit.merged', { unit: 'b', after: seq });
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(github.pull(b)).toMatchObject({ base: 'main', merged: { commit: landed.commit } });
    expect(remote.git('show', 'main:shared.txt')).toBe('two');
    expect(ended.events.filter((e) => e.type === 'rework.started')).toEqual([]);
    expect(remote.git('log', '--first-parent', '--format=%s', '-2', 'main').split('\n')).toEqual(strategy === 'merge' ? ['merge(b): 1 task proved', 'merge(a): 1 task proved'] : ['feat(b): Part 1 of b', 'feat(a): Part 1 of a']);
    await forge.close();
  });
});
