// choo killed at every request that it makes of the forge, and resumed: one pull request, no answer twice, merged once.
// The request on which it dies has been sent: the forge does what it asks, and nobody reads the answer.

import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { completedTasks, expectEnd } from '../rig/facts.ts';
import { makeForge, type ForgeBed } from '../rig/forge.ts';

/** People who ask for a change once, when it is open for them, and approve when that was answered. */
function people({ github }: ForgeBed): void {
  for (const pull of github.pulls()) {
    if (pull.draft || pull.state !== 'open') continue;
    const [thread] = pull.threads;
    if (thread === undefined) github.review(pull.number, { by: 'ann', state: 'CHANGES_REQUESTED', body: 'Not yet', comments: [{ path: 'a-1.txt', line: 1, body: 'once more' }] });
    else if (thread.resolvedBy !== undefined && !pull.reviews.some((r) => r.state === 'APPROVED')) github.review(pull.number, { by: 'ann', state: 'APPROVED' });
  }
}

/** Runs to the end; the choo that sends the `nth` request dies of it. Gives how many requests there were. */
async function play(bed: Bed, forge: ForgeBed, nth: number): Promise<number> {
  const { github } = forge;
  let count = 0;
  let run = forge.start();
  github.onRequest = async () => {
    people(forge);
    count += 1;
    if (count !== nth) return;
    run.signal('SIGKILL');
    await run.ended;
  };
  let ended = await run.ended;
  if (ended.signal === 'SIGKILL') {
    run = forge.start([bed.git('for-each-ref', '--format=%(refname)', 'refs/choo/pinned') === '' ? 'run' : 'resume', '--json']);
    ended = await run.ended;
  }
  expectEnd(ended, 0);
  return count;
}

describe('killed at a request', () => {
  // About as many as a run without a kill makes until it is merged; the last ones only tell that there are no more.
  it.for(Array.from({ length: 34 }, (_, i) => i + 3))('number %i: nothing is there twice', async (nth, { bed }) => {
    const forge = await makeForge(bed, { a: {} }, { review: { poll_interval: '100ms' } });
    const count = await play(bed, forge, nth);
    const { github, remote } = forge;
    expect(count).toBeGreaterThan(10);
    expect(github.pulls().map((p) => p.number)).toEqual([1]);
    const pull = github.pull(1);
    expect(pull.merged).toBeDefined();
    expect(pull.threads.map((t) => t.comments.length)).toEqual([2]);
    // The review itself is answered below the pull request.
    expect(pull.comments.map((c) => c.author?.login)).toEqual(['choo-bot']);
    expect(remote.git('log', '--first-parent', '--format=%s', 'main').split('\n').filter((s) => s.startsWith('merge(a)'))).toHaveLength(1);
    bed.git('fetch', '-q', 'origin');
    expect(completedTasks(bed, 'origin/main')).toEqual(['a#1']);
    await forge.close();
  });
});
