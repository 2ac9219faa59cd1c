// What a reviewer leaves is foreign text: read strictly in shape, and made harmless.

import { describe, expect, it } from 'vitest';
import { readReview } from '../../../src/worker/review.ts';

const read = (value: unknown): ReturnType<typeof readReview> => readReview(JSON.stringify(value));

describe('a review', () => {
  it('is a list of findings, in an object or by itself', () => {
    const findings = [{ severity: 'must', text: 'wrong', path: 'src/a.ts', line: 3 }, { severity: 'advice', text: 'shorter' }];
    expect(read({ findings, summary: 'whatever' })).toEqual({ findings });
    expect(read(findings)).toEqual({ findings });
    expect(read([])).toEqual({ findings: [] });
  });

  it('takes what is not called advice seriously, and leaves out places that are none', () => {
    expect(read([{ text: 'a', severity: 'adivce', line: -1, path: 7 }, { text: 'b', line: 1.5, path: '' }])).toEqual({ findings: [{ severity: 'must', text: 'a' }, { severity: 'must', text: 'b' }] });
  });

  it('has one short line for each finding, without control characters, and not endlessly many', () => {
    const { findings } = read([{ text: `a\n\u001B[31mred\u202E ${'x'.repeat(5000)}`, path: 'a\nb' }]) as { findings: readonly { text: string; path: string }[] };
    for (const one of ['\n', '\u001B', '\u202E']) expect(findings[0]?.text).not.toContain(one);
    expect(findings[0]?.text.length).toBeLessThanOrEqual(1100);
    expect(findings[0]?.path).toBe('a b');
    expect(read(Array.from({ length: 500 }, () => ({ text: 'x' })))).toMatchObject({ findings: { length: 100 } });
  });

  it.each([
    [undefined, 'no file'], ['', 'not JSON'], ['{"findings": 3}', 'no list'], ['null', 'no list'], ['"text"', 'no list'], ['[3]', 'finding 1'], ['[null]', 'finding 1'], ['[{"text": "a"}, {"text": " "}]', 'finding 2'], ['[{"text": {}}]', 'finding 1'],
  ])('that is none says why: %j', (text, why) => {
    expect(readReview(text)).toEqual({ mistake: expect.stringContaining(why) as string });
  });
});
