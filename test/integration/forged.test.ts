// Work that no verification has seen yet, and what it may not bring: conflicts that were called resolved, specs of others, lost edits,
// and a target that an agent put back.

import { writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import { expectEnd, fileAt, kinds } from '../rig/facts.ts';
import { makeForge } from '../rig/forge.ts';

const ZZ = 'specs/tasks/zz/01-part.md';
const FORGE = `sed -i 's/status: pending/status: complete/' ${ZZ}`;

/** Unit a, whose work conflicts with what a person commits meanwhile (and which is done in its second attempt, the first saw that outside its fence); zz only exists. `mend`: what a's agent does with the conflict. */
function conflicting(bed: Bed, mend: string, meanwhile = ''): void {
  const mine = `if [ "$CHOO_ATTEMPT" = 1 ]; then cd '${bed.root}'; ${meanwhile} echo theirs > line; git commit -qam 'other words'; else echo mine > line; ${DOES_IT}; fi`;
  bed.write('line', 'first\n');
  bed.write('other', 'o\n');
  bed.commit({}, 'before');
  bed.specs({ a: {}, zz: {} }, { agent: `if [ "$CHOO_TASK" = 1 ]; then ${mine}; else ${mend}; fi`, merge: { max_conflict_retries: 2 } });
}

describe('a conflict that an agent calls resolved', () => {
  it('with a merge of its own that has the markers, by an attempt that failed: not landed', async ({ bed }) => {
    conflicting(bed, `git commit -qam merged; ${FORGE}; git commit -qam forged; exit 1`);
    const ended = await bed.choo(['run', '--json', '--unit', 'a']);
    expectEnd(ended, 1);
    expect(fileAt(bed, 'main', 'line')).toBe('theirs\n');
    expect(fileAt(bed, 'main', ZZ)).toContain('status: pending');
  });

  it('by a failed attempt, with more in the files: all of it lands but the specs of others', async ({ bed }) => {
    const stray = `if [ "$CHOO_ATTEMPT" = 1 ]; then touch '${bed.root}/stray'; else false; fi`;
    conflicting(bed, `echo both > line; ${FORGE}; git add -A; echo more >> other; echo new > fresh; ${stray}`);
    const ended = await bed.choo(['run', '--json', '--unit', 'a']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['outside-the-fence', 'outside-the-fence']);
    expect(['line', 'other', 'fresh'].map((path) => fileAt(bed, 'main', path))).toEqual(['both\n', 'o\nmore\n', 'new\n']);
    expect(fileAt(bed, 'main', ZZ)).toContain('status: pending');
  });

  it('and commits itself, with the specs of others, where its own task has another text by now', async ({ bed }) => {
    conflicting(bed, `echo both > line; git add line; git commit -qm merged --no-edit; ${FORGE}; git commit -qam forged`, "sed -i 's/Write the file/Quickly write the file/' specs/tasks/a/01-part.md;");
    const ended = await bed.choo(['run', '--json', '--unit', 'a']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').notes).toContain('spec-restored');
    expect(fileAt(bed, 'main', 'line')).toBe('both\n');
    expect(fileAt(bed, 'main', ZZ)).toContain('status: pending');
    expect(bed.git('log', '-1', '--format=%s', 'main^2', '--', ZZ)).not.toBe('forged');
  });
});

describe('specs of others in commits of an attempt that was cut', () => {
  it('do not come in with other specs', async ({ bed }) => {
    bed.specs({ a: {}, zz: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json', '--unit', 'a']);
    const held = await bed.hand.next({ unit: 'a' });
    await held.sh(`${FORGE}; echo half > half; git add half; git commit -qam forged`);
    run.signal('SIGINT');
    run.signal('SIGINT');
    await run.ended;
    const path = 'specs/tasks/a/01-part.md';
    bed.commit({ [path]: bed.read(path).replace('Write the file', 'Quickly write the file') }, 'other words');
    const next = bed.start(['resume', '--accept-plan', '--json']);
    await (await bed.hand.next({ unit: 'a' })).finish();
    expectEnd(await next.ended, 0);
    expect(fileAt(bed, 'main', ZZ)).toContain('status: pending');
    expect(fileAt(bed, 'main', 'half')).toBe('half\n');
  });
});

describe('a unit that stands on another one\'s pull request', () => {
  it('leaves the other one complete, when its agent commits itself', async ({ bed }) => {
    const forge = await makeForge(bed, { a: {}, b: { dependsOn: ['a'] } }, { agent: `${DOES_IT}; git add -A; git commit -qm itself`, review: { stack: true } });
    const run = forge.start();
    for (const unit of ['a', 'b']) {
      await run.event('unit.waiting', { unit });
      forge.github.review(forge.numberOf(unit), { by: 'ann', state: 'APPROVED' });
    }
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(kinds(ended, 'b').notes).not.toContain('spec-restored');
    bed.git('fetch', '-q', 'origin');
    for (const unit of ['a', 'b']) expect(fileAt(bed, 'origin/main', `specs/tasks/${unit}/01-part.md`)).toContain('status: complete');
    await forge.close();
  });
});

describe('a unit that landed before the run took other specs', () => {
  it('is not complete by the new text', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: `if [ "$CHOO_UNIT" = b ] && [ ! -e '${bed.base}/go' ]; then exit 1; fi; ${DOES_IT}`, limits: { attempts: 1 } });
    bed.commit({ 'a-1.txt': 'older\n' }, 'in the way');
    bed.write('a-1.txt', 'a person writes\n');
    expectEnd(await bed.choo(['run', '--json']), 1);
    bed.git('checkout', '-q', '--', '.');
    const path = 'specs/tasks/a/01-part.md';
    const edited = bed.read(path).replace('Write the file', 'Write another file');
    const other = 'specs/tasks/b/01-part.md';
    bed.commit({ [path]: edited, [other]: bed.read(other).replace('Write the file', 'Write more') }, 'other words');
    writeFileSync(`${bed.base}/go`, '');
    expectEnd(await bed.choo(['retry', 'b']), 0);
    expectEnd(await bed.choo(['resume', '--accept-plan', '--json']), 0);
    expect(fileAt(bed, 'main', 'a-1.txt')).toContain('1 in attempt');
    expect(fileAt(bed, 'main', path)).toBe(edited);
  });
});

describe('a target that an agent put back to an earlier landing', () => {
  it('is seen, and nothing lands there until what is missing is back', async ({ bed }) => {
    const waits = `if [ "$CHOO_UNIT" != c ]; then ${DOES_IT}; exit; fi; `;
    bed.specs({ a: {}, b: { dependsOn: ['a'] }, c: {} }, { agent: `${waits}${bed.hand.agent}`, limits: { attempts: 2 } });
    bed.git('switch', '-q', '-c', 'elsewhere');
    const run = bed.start(['run', '--json', '-t', 'main']);
    const held = await bed.hand.next({ unit: 'c' });
    await run.event('unit.completed', { unit: 'b' });
    const landed = bed.git('rev-parse', 'main');
    await held.sh('git update-ref refs/heads/main main~1');
    await held.finish();
    await (await bed.hand.next({ unit: 'c' })).finish();
    const ended = await run.ended;
    expectEnd(ended, 1);
    expect(kinds(ended, 'c').failures).toEqual(['outside-the-fence']);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ unit: 'c', failure: { kind: 'landed-gone', units: ['b'], landed } });
    bed.git('update-ref', 'refs/heads/main', landed);
    expectEnd(await bed.choo(['retry', 'c']), 0);
    const again = bed.start(['resume', '--json']);
    expectEnd(await again.ended, 0);
    for (const unit of ['a', 'b', 'c']) expect(fileAt(bed, 'main', `specs/tasks/${unit}/01-part.md`)).toContain('status: complete');
  });
});
