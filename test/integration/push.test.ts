// `land.push`: what landed comes to the remote, plainly; what others pushed there is taken in; what cannot be pushed has landed here.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectRefusal, refs } from '../rig/facts.ts';
import { eventsOf as events, expectPushed, makeRemote } from '../rig/remote.ts';

const AFTER_EACH = { land: { push: 'after-each' } };
const AT_END = { land: { push: 'at-end' } };

describe('what landed is pushed', () => {
  it('after each landing, as the very commits that were proved', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, AFTER_EACH);
    const remote = makeRemote(bed);
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    const landed = events(ended, 'batch.landed').map((e) => e['commit']);
    expect(landed).toContain(remote.git('rev-parse', 'main'));
    expect(events(ended, 'run.pushed').every((e) => landed.includes(e['commit']))).toBe(true);
    expect(events(ended, 'run.pushed').at(-1)?.['commit']).toBe(landed.at(-1));
    expectPushed(bed, remote);
    const status = await bed.choo(['status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ closed: true, push: { to: 'main of origin', done: true } });
  });
});

describe('others push meanwhile', () => {
  it('between landing and push: both are joined, proved and pushed', async ({ bed }) => {
    bed.specs({ a: {} }, AT_END);
    const remote = makeRemote(bed);
    // Somebody is first: the user's own hook, called when git has asked and before it pushes, pushes for them.
    const hook = join(bed.root, '.git', 'hooks', 'pre-push');
    const clone = join(bed.base, 'they');
    bed.git('clone', '-q', remote.path, clone);
    bed.git('-C', clone, 'commit', '-q', '--allow-empty', '-m', 'theirs');
    writeFileSync(hook, `#!/bin/sh\n[ -e '${bed.base}/once' ] && exit 0\n: > '${bed.base}/once'\nunset GIT_DIR; git -C '${clone}' push -q origin main\n`);
    chmodSync(hook, 0o755);
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(events(ended, 'run.push.behind')).toHaveLength(1);
    expect(events(ended, 'run.pushed')).toHaveLength(1);
    expect(remote.git('log', '--format=%s', 'main')).toContain('theirs');
    expectPushed(bed, remote);
  });
});

describe('what cannot be pushed', () => {
  it('refused by the remote\'s hook: told once, everything has landed here, a later session pushes', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, AFTER_EACH);
    const remote = makeRemote(bed);
    remote.hook('pre-receive', 'echo "main is protected" >&2; exit 1');
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(events(ended, 'run.push.refused')).toMatchObject([{ reason: 'refused' }]);
    expect(events(ended, 'run.pushing')).toHaveLength(1);
    expect(ended.stderr.match(/what lands is not pushed/g)).toHaveLength(1);
    expect(ended.stderr).toContain('main is protected');
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
    expectEnd(await bed.choo(['resume']), 1);
    remote.hook('pre-receive', undefined);
    expectEnd(await bed.choo(['run']), 0);
    expectPushed(bed, remote);
    expect((await bed.choo(['run'])).stdout).toContain('nothing to do');
  });
});

describe('nothing begins', () => {
  it('without a remote', async ({ bed }) => {
    bed.specs({ a: {} }, AT_END);
    expectRefusal(bed, await bed.choo(['run']), /land\.push.*no remote[\s\S]*git push -u origin main/);
  });

  it('when the remote cannot be reached; its password is not told', async ({ bed }) => {
    bed.specs({ a: {} }, AT_END);
    bed.git('remote', 'add', 'origin', 'http://me:hunter2@127.0.0.1:9/x.git');
    const ended = await bed.choo(['run']);
    expectRefusal(bed, ended, /remote-unreachable[\s\S]*land: \{ push: never \}/);
    expect(ended.stdout + ended.stderr).not.toContain('hunter2');
  });

  it('when both have commits that the other lacks', async ({ bed }) => {
    bed.specs({ a: {} }, AT_END);
    const remote = makeRemote(bed);
    remote.commit({ theirs: 'x\n' });
    bed.commit({ mine: 'y\n' });
    expectRefusal(bed, await bed.choo(['run']), /have diverged: 1 commit only here, 1 only there[\s\S]*git pull --rebase origin main/);
    expect(refs(bed)).toContain('refs/remotes/origin/main');
  });
});
