// What is told of a unit stands on its pull request: one comment, changed in place, over sessions and until it is over.

import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { makeForge } from '../rig/forge.ts';

describe('a comment on a pull request', () => {
  it('says what a person has to see to, then that it is over; quoted, redacted, recorded, one', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} }, { review: { max_rounds: 0 } });
    const { github } = forge;
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    const a = forge.numberOf('a');
    const own = (): readonly string[] => github.pull(a).comments.filter((c) => c.author?.login === 'choo-bot').map((c) => c.body);
    expect(own()).toEqual([]);
    github.review(a, { by: 'ann', state: 'CHANGES_REQUESTED', body: 'No. ``` @acme <b>now</b>' });
    const failed = await run.event('unit.failed', { unit: 'a' });
    const ended = await run.ended;
    expectEnd(ended, 1);
    expect(ended.events.filter((e) => e.type === 'escalation.delivered')).toMatchObject([{ of: failed.seq, to: 'pull-request', tries: 1 }]);
    expect(own()).toHaveLength(1);
    expect(own()[0]).toMatch(/^<!-- choo:told -->\n✋ unit a failed: [^\n]*\n\n(`{3,})text\n[^]*choo retry a && choo resume[^]*\n\1\n\nRun 1, event \d+\./);
    // Outside of the fence nobody is mentioned and nothing is HTML.
    expect(own()[0]?.replace(/^(`{3,})text[^]*^\1$/m, '')).not.toMatch(/@acme|(?<!\\)<b/);
    expect(own()[0]).not.toContain(forge.options.env?.['GITHUB_TOKEN']);
    expect((await bed.choo(['retry', 'a'])).code).toBe(0);
    const again = forge.start(['resume', '--json']);
    await again.event('escalation.delivered');
    expect(own()).toEqual([expect.stringMatching(/^<!-- choo:told -->\n✅ unit a goes on; what was said here before is over\n/)]);
    github.review(a, { by: 'ann', state: 'APPROVED' });
    expectEnd(await again.ended, 0);
    expect(own()).toHaveLength(2);
    expect(own().filter((text) => text.startsWith('<!-- choo:told -->'))).toHaveLength(1);
    await forge.close();
  });

  it('is none where the file says no', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {} }, { review: { max_rounds: 0 }, escalation: { pull_request: false } });
    const run = forge.start();
    await run.event('unit.waiting', { unit: 'a' });
    forge.github.review(forge.numberOf('a'), { by: 'ann', state: 'CHANGES_REQUESTED', body: 'No.' });
    const ended = await run.ended;
    expectEnd(ended, 1);
    expect(ended.events.some((e) => e.type === 'escalation.delivered')).toBe(false);
    expect(forge.github.pull(1).comments).toEqual([]);
    await forge.close();
  });
});
