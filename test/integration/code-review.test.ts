// Reviews by another agent on real git: what a reviewer sees, may leave, and leads to.

import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { commits, expectEnd, expectNothingLeft, expectRefusal, fileAt, kinds, refs } from '../rig/facts.ts';

/** One command for both: it writes, mends what was found, and reviews what it is shown. */
const WRITES = 'echo "made in $CHOO_TASK $CHOO_ATTEMPT" > "$CHOO_UNIT.txt"';
const agent = (reviews: string): string => `if [ "$CHOO_TASK" = code-review ]; then ${reviews}; else ${WRITES}; fi`;
const review = (more: object = {}): object => ({ code_review: { provider: 'command', allow_same_agent: true, ...more } });
const found = (text: string): string => `printf '{"findings": [%s]}' '${text}' > "$CHOO_REVIEW_FILE"`;
const MUST = '{"severity": "must", "path": "a.txt", "line": 1, "text": "not in review"}';

async function start(bed: Bed, reviews: string, more: object = {}): ReturnType<Bed['choo']> {
  bed.specs({ a: { tasks: [{ check: 'test -f a.txt' }] } }, { agent: agent(reviews), ...review(more) });
  return bed.choo(['run', '--json']);
}

describe('a unit under review', () => {
  it('is shown whole, and its findings go back to its agent, who mends them; then it lands, and nothing of the review is in it', async ({ bed }) => {
    const ended = await start(bed, `cp "$CHOO_PROMPT_FILE" "$HOME/prompt-$CHOO_ATTEMPT"; if grep -q review a.txt; then ${found('')}; else ${found(MUST)}; fi`);
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => /^(review|rework)\./.test(e.type)).map((e) => e.type)).toEqual(['review.started', 'review.ended', 'rework.started', 'rework.attempted', 'review.started', 'review.ended']);
    expect(fileAt(bed, 'main', 'a.txt')).toBe('made in review 1\n');
    expect(commits(bed).filter((c) => c.landed === 'a')).toHaveLength(1);
    const [first, second] = [1, 2].map((n) => bed.read(`../home/prompt-${n}`));
    const range = /git diff ([0-9a-f]{40}) ([0-9a-f]{40})/.exec(first ?? '');
    expect(bed.git('diff', '--name-only', range?.[1] ?? '', range?.[2] ?? '').split('\n')).toContain('a.txt');
    expect(first).toContain('# Part 1');
    expect(second).toContain('- a.txt:1: not in review');
    expectNothingLeft(bed);
  });

  it('lands with what was found and not mended where reviews advise, and the summary tells it', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'test -f a.txt' }] } }, { agent: agent(found(`${MUST}, {"severity": "advice", "text": "a better name"}`)), ...review({ max_fix_iterations: 0 }) });
    const ended = await bed.choo(['run']);
    expectEnd(ended, 0);
    expect(ended.stdout).toMatch(/worth reading:\n +a: command found: a.txt:1: not in review\n +a: command advises: a better name/);
    bed.specs({ a: { tasks: [{ check: 'test -f a.txt' }] }, b: {} }, { agent: agent(found('{"severity": "advice", "text": "a better name"}')), ...review({ verbose: false }) });
    expect((await bed.choo(['run'])).stdout).not.toContain('better name');
  });

  it('does not land where reviews block; mended by a person and retried it does', async ({ bed }) => {
    const ended = await start(bed, `if [ -e "$HOME/content" ]; then ${found('')}; else ${found(MUST)}; fi`, { mode: 'blocking' });
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'review', findings: [{ path: 'a.txt', line: 1 }] } });
    expect(fileAt(bed, 'main', 'a.txt')).toBeUndefined();
    bed.write('../home/content', '');
    expectEnd(await bed.choo(['retry', 'a']), 0);
    expectEnd(await bed.choo(['resume']), 0);
    expect(fileAt(bed, 'main', 'a.txt')).toBe('made in review 1\n');
    expectNothingLeft(bed);
  });

  it('is not reviewed with --skip-review', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: agent('exit 1').replace('$CHOO_UNIT.txt', '$CHOO_UNIT-1.txt'), ...review({ mode: 'blocking' }) });
    const ended = await bed.choo(['run', '--json', '--skip-review']);
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type.startsWith('review.'))).toEqual([]);
  });
});

describe('a reviewer', () => {
  it('that changes, adds and commits: the work stays as it was proved, and what it did is kept', async ({ bed }) => {
    const ended = await start(bed, `echo better > a.txt; git add a.txt; git commit -qm better; echo more > extra.txt; rm .gitattributes 2>/dev/null; ${found('')}`);
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'a.txt')).toBe('made in 1 1\n');
    expect(fileAt(bed, 'main', 'extra.txt')).toBeUndefined();
    expect(kinds(ended, 'a').notes).toContain('kept');
    const [kept = ''] = refs(bed).filter((ref) => ref.includes('/review-1-'));
    expect(fileAt(bed, kept, 'a.txt')).toBe('better\n');
    expect(fileAt(bed, kept, 'extra.txt')).toBe('more\n');
    expect(bed.git('log', '--format=%s', 'main')).not.toContain('better');
  });

  it.for([
    ['nothing', 'true'], ['no JSON', 'echo fine > "$CHOO_REVIEW_FILE"'], ['a pipe', 'mkfifo "$CHOO_REVIEW_FILE"'], ['a folder', 'mkdir "$CHOO_REVIEW_FILE"'],
    ['megabytes', 'head -c 3000000 /dev/zero > "$CHOO_REVIEW_FILE"'], ['a failure', 'exit 3'],
  ] as const)('that leaves %s: the unit lands, and it is told that nobody reviewed it', async ([, reviews], { bed }) => {
    const ended = await start(bed, reviews);
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type === 'review.attempt.failed')).toHaveLength(3);
    expect(fileAt(bed, 'main', 'a.txt')).toBe('made in 1 1\n');
    expect(fileAt(bed, 'main', '.choo-review.json')).toBeUndefined();
    expect(ended.stderr).toContain('it landed without a review');
    expectNothingLeft(bed);
  });

  it('that would review its own work is refused, with the ways out', async ({ bed }) => {
    bed.specs({ a: {} }, { code_review: { provider: 'command' } });
    expectRefusal(bed, await bed.choo(['run']), /the agent `command` would review what it wrote itself[^]*allow_same_agent[^]*--skip-review/);
    expectEnd(await bed.choo(['run', '--skip-review']), 0);
  });
});
