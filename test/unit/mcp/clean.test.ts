// What an assistant is given of texts from outside: nothing unseen, nothing without an end, the rest as it was.

import { describe, expect, it } from 'vitest';
import { cleanData, cleanText } from '../../../src/mcp/clean.ts';
import { tellError } from '../../../src/mcp/errors.ts';
import { refuse } from '../../../src/opening/refusal.ts';

describe('a text', () => {
  it.each([
    ['plain äß 漢 👍\n\tindented', 'plain äß 漢 👍\n\tindented'],
    ['a\r\nb', 'a\nb'],
    ['\u001b[2Jx\u0000\u0007', '\uFFFD[2Jx\uFFFD\uFFFD'],
    ['right\u202Eleft\u2066\u200B', 'right\uFFFDleft\uFFFD\uFFFD'],
    ['tag\u{E0041}\u{E0100}', 'tag\uFFFD\uFFFD'],
    ['half \uD800', 'half \uFFFD'],
    ['two\u2028lines', 'two\uFFFDlines'],
  ])('%j', (text, clean) => expect(cleanText(text)).toBe(clean));
});

describe('data', () => {
  it('keeps its form; long texts and lists are cut and counted, those named are whole', () => {
    const value = { id: 'a', n: 1, none: null, yes: true, long: 'x'.repeat(5000), list: Array.from({ length: 300 }, (_, i) => i), units: Array.from({ length: 300 }, () => ({ t: '\u001b' })) };
    const { data, cuts } = cleanData(value, ['units']);
    expect(data).toMatchObject({ id: 'a', n: 1, none: null, yes: true, long: `${'x'.repeat(4000)}…`, units: { length: 300, 0: { t: '\uFFFD' } }, list: { length: 200 } });
    expect(cuts).toBe(2);
    expect(cleanData({ text: 'x'.repeat(5000) }, ['text']).cuts).toBe(0);
  });

  it('of any depth comes to an end', () => {
    let deep: unknown = 'end';
    for (let i = 0; i < 5000; i++) deep = [deep];
    expect(JSON.stringify(cleanData(deep).data).length).toBeLessThan(100);
  });
});

describe('an error', () => {
  it('of choo\'s own is told without its stack, which is for stderr', () => {
    const told = tellError(new TypeError('x is not a function'));
    expect(told.texts).toEqual(['this is a defect in choo: x is not a function']);
    expect(told.defect).toContain('clean.test.ts');
    expect(tellError('odd').texts).toEqual(['this is a defect in choo: odd']);
  });

  it('of the user\'s has the diagnostic, its hint and the data', () => {
    const { texts, defect } = tellError(refuse('no-run', 'there was \u001b[2Jno run', 'start one'));
    expect(texts).toEqual(['error: there was \uFFFD[2Jno run [no-run]\n  hint: start one', '{"version":1,"diagnostics":[{"code":"no-run","severity":"error","message":"there was \uFFFD[2Jno run","related":[],"hint":"start one"}]}']);
    expect(defect).toBeUndefined();
  });

  it('of the system is told as such, and every one has an end', () => {
    expect(tellError(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })).texts).toEqual(['error: EACCES: permission denied']);
    expect(tellError(new Error('x'.repeat(100_000))).texts[0]?.length).toBeLessThan(17_000);
  });
});
