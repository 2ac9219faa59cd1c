// Splitting and reading front matter, and the rewriting of one value that leaves every other byte alone.

import { describe, expect, test } from 'vitest';
import { isSound, readFrontMatter, sameButStatus, setStatus } from '../../../src/discovery/frontmatter.ts';
import { Source } from '../../../src/discovery/source.ts';
import { plainValue } from '../../../src/discovery/yaml.ts';
import { codes, printed } from './rig.ts';

function read(text: string): { readonly value: unknown; readonly body: string; readonly codes: string[] } {
  const front = readFrontMatter(new Source('a.md', text));
  return { value: front.map === undefined ? undefined : plainValue(front.map), body: text.slice(front.body), codes: codes(front.diagnostics) };
}

describe('reading', () => {
  test.each([
    ['plain', '---\na: 1\n---\nbody\n', { value: { a: 1 }, body: 'body\n' }],
    ['CRLF', '---\r\na: 1\r\n---\r\nbody\r\n', { value: { a: 1 }, body: 'body\r\n' }],
    ['a byte order mark', '\uFEFF---\na: 1\n---\nbody', { value: { a: 1 }, body: 'body' }],
    ['a closing rule at the end of the file', '---\na: 1\n---', { value: { a: 1 }, body: '' }],
    ['spaces after the rules', '--- \na: 1\n---\t\nbody', { value: { a: 1 }, body: 'body' }],
    ['nothing between the rules', '---\n---\nbody', { value: undefined, body: 'body' }],
    ['only a comment between the rules', '---\n# c\n---\nbody', { value: undefined, body: 'body' }],
    ['no front matter', '# Title\n---\n', { value: undefined, body: '# Title\n---\n' }],
    ['a byte order mark and no front matter', '\uFEFF# Title', { value: undefined, body: '# Title' }],
    ['an empty file', '', { value: undefined, body: '' }],
    ['a rule that is longer', '----\na\n----\n', { value: undefined, body: '----\na\n----\n' }],
    ['a rule inside a block scalar, indented', '---\na: |\n  x\n  ---\n  y\n---\nbody', { value: { a: 'x\n---\ny\n' }, body: 'body' }],
  ])('%s', (_name, text, front) => {
    expect(read(text)).toEqual({ ...front, codes: [] });
  });

  test('front matter that is never closed is an error, not a silent loss of all keys', () => {
    const front = readFrontMatter(new Source('a.md', '---\r\na: 1\r\n# Title\r\n'));
    expect(printed(front.diagnostics)).toBe('a.md:1:1: error: the front matter that begins here is never closed [front-matter-open]\n    ---\n    ~~~\n  hint: end it with a line `---`');
  });

  test('a key that is there twice is an error with both places', () => {
    const front = readFrontMatter(new Source('a.md', '---\ntask: 1\n"task": 2\n---\n'));
    expect(printed(front.diagnostics)).toBe([
      'a.md:3:1: error: the key `task` is there twice [duplicate-key]',
      '    "task": 2',
      '    ~~~~~~',
      '  a.md:2:1: the first one is here',
      '      task: 1',
      '      ~~~~',
    ].join('\n'));
  });

  test('a syntax error has its place in the file', () => {
    const front = readFrontMatter(new Source('a.md', '\uFEFF---\r\na: 1\r\nb: c: d\r\n---\r\n'));
    expect(front.diagnostics[0]?.place).toMatchObject({ line: 3, col: 4 });
    expect(codes(front.diagnostics)).toEqual(['error yaml-syntax']);
  });

  test.each([
    ['a list', '---\n- a\n---\n', 'error wrong-type'],
    ['a text', '---\nhello\n---\n', 'error wrong-type'],
    ['a key that is a list', '---\n[a]: 1\n---\n', 'error yaml-key'],
    ['a key that changes objects', '---\n__proto__: {x: 1}\n---\n', 'error yaml-key'],
    ['an alias without anchor', '---\na: *b\n---\n', 'error yaml-syntax'],
    ['an alias that contains itself', '---\na: &a [*a]\n---\n', 'error yaml-aliases'],
    ['aliases that multiply', `---\na: &a [x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]\n---\n`, 'error yaml-aliases'],
    ['too much of it', `---\na: ${'x'.repeat(70_000)}\n---\n`, 'error front-matter-too-large'],
    ['deep brackets', `---\na: ${'['.repeat(30_000)}\n---\n`, 'error yaml-too-deep'],
    ['deep dashes', `---\n${'- '.repeat(30_000)}\n---\n`, 'error yaml-too-deep'],
    ['deep questions', `---\n${'? '.repeat(30_000)}\n---\n`, 'error yaml-too-deep'],
    ['a null that is written', '---\n~\n---\n', 'error wrong-type'],
    ['an end of the YAML', '---\na: 1\n...\n---\n', 'error yaml-documents'],
    ['an unknown tag', '---\na: !evil x\n---\n', 'warning yaml-syntax'],
  ])('%s is told, never thrown', (_name, text, code) => {
    expect(read(text).codes).toContain(code);
  });
});

const BODY = '# Title\n\nstatus: pending\n---\nstatus: pending\n';

describe('setting the status', () => {
  test.each([
    ['plain', 'status: pending', 'status: complete'],
    ['double quotes', 'status: "pending"', 'status: "complete"'],
    ['single quotes', "status: 'in_progress'", "status: 'complete'"],
    ['a comment behind it', 'status: failed   # was red', 'status: complete   # was red'],
    ['no value', 'status:', 'status: complete'],
    ['no value and a comment', 'status: # later', 'status: complete # later'],
    ['spaces for a value', 'status:   ', 'status: complete   '],
    ['null', 'status: ~', 'status: complete'],
    ['an empty text', 'status: ""', 'status: "complete"'],
    ['a quoted key', '"status": pending', '"status": complete'],
    ['a quoted key without value', '"status":', '"status": complete'],
    ['a space before the colon', 'status : pending', 'status : complete'],
    ['a block scalar', 'status: |\n  pending', 'status: complete'],
    ['a folded scalar', 'status: >-\n  pending', 'status: complete'],
    ['a value over two lines', 'status: in\n  progress', 'status: complete'],
    ['a tag', 'status: !!str pending', 'status: !!str complete'],
    ['an explicit key', '? status\n: pending', '? status\n: complete'],
  ])('%s', (_name, before, after) => {
    for (const lineBreak of ['\n', '\r\n']) {
      for (const mark of ['', '\uFEFF']) {
        for (const [first, last] of [['', ''], ['task: 1\n', ''], ['', '\nbackpressure: |\n  a\n\n  b'], ['# top\ntask: 1 # one\n', '\n\n# end\nother: [ "x",  y ]']]) {
          const file = (middle: string): string => mark + `---\n${first}${middle}${last}\n---\n${BODY}`.replaceAll('\n', lineBreak);
          expect(setStatus(file(before), 'complete')).toBe(file(after));
        }
      }
    }
  });

  test.each([
    ['no status', '---\ntask: 1 # c\n---\nbody', '---\ntask: 1 # c\nstatus: complete\n---\nbody'],
    ['no status, CRLF', '---\r\ntask: 1\r\n---\r\nbody', '---\r\ntask: 1\r\nstatus: complete\r\n---\r\nbody'],
    ['no status, closing rule at the end', '---\ntask: 1\n---', '---\ntask: 1\nstatus: complete\n---'],
    ['indented keys', '---\n  task: 1\n  a: b\n---\n', '---\n  task: 1\n  a: b\n  status: complete\n---\n'],
    ['after a kept block scalar', '---\na: |+\n  x\n\n---\n', '---\na: |+\n  x\n\nstatus: complete\n---\n'],
    ['after a text over two lines', '---\na: x\n  y\n---\n', '---\na: x\n  y\nstatus: complete\n---\n'],
    ['a status deeper down', '---\na:\n  status: pending\n---\n', '---\na:\n  status: pending\nstatus: complete\n---\n'],
    ['empty front matter', '---\n---\nbody', '---\nstatus: complete\n---\nbody'],
    ['only a comment', '---\n# c\n---\nbody', '---\n# c\nstatus: complete\n---\nbody'],
    ['no front matter', '# T\n', '---\nstatus: complete\n---\n# T\n'],
    ['no front matter, byte order mark, CRLF', '\uFEFF# T\r\n', '\uFEFF---\r\nstatus: complete\r\n---\r\n# T\r\n'],
    ['braces', '---\n{task: 1, status: pending, x: y}\n---\n', '---\n{task: 1, status: complete, x: y}\n---\n'],
    ['braces without status', '---\n{task: 1}\n---\n', '---\n{status: complete, task: 1}\n---\n'],
    ['empty braces', '---\n{}\n---\n', '---\n{status: complete}\n---\n'],
    ['an explicit key without value', '---\n? status # c\ntask: 1\n---\n', '---\n? status\n: complete # c\ntask: 1\n---\n'],
    ['braces and a bare key', '---\n{status, task: 1}\n---\n', '---\n{status: complete, task: 1}\n---\n'],
    ['an alias', '---\na: &p pending\nstatus: *p\n---\n', '---\na: &p pending\nstatus: complete\n---\n'],
  ])('is added or replaced: %s', (_name, before, after) => {
    expect(setStatus(before, 'complete')).toBe(after);
  });

  test('twice is the same as once', () => {
    const once = setStatus(`---\ntask: 1\n---\n${BODY}`, 'complete');
    expect(setStatus(once, 'complete')).toBe(once);
  });

  test('other keys keep their values, whatever their order and style', () => {
    const keys = ['task: 1', 'status: pending # s', 'backpressure: "npm test -- \'x\' # no comment"', 'depends_on: [1,  2]', '# a comment', 'extra:\n  - a\n  -   b'];
    for (let turn = 0; turn < keys.length; turn++) {
      const order = [...keys.slice(turn), ...keys.slice(0, turn)];
      const text = `---\n${order.join('\n')}\n---\n${BODY}`;
      expect(setStatus(text, 'complete')).toBe(text.replace('status: pending # s', 'status: complete # s'));
    }
  });

  test('a file that was never valid is a defect of the caller', () => {
    expect(() => setStatus('---\na: [\n---\n', 'complete')).toThrow('status of a file with errors');
  });
});

describe('texts that differ in no more than the status', () => {
  const task = (status: string, more = BODY): string => `---\ntask: 1\n${status}---\n${more}`;

  test.each([
    ['the status', [task('status: pending\n'), task('status: complete\n')], true],
    ['a status that only one has', [task(''), task('status: complete\n')], true],
    ['the same text with errors', ['---\nstatus: [\n---\n', '---\nstatus: [\n---\n'], true],
    ['no file in both', [undefined, undefined], true],
    ['the text', [task('status: pending\n'), task('status: complete\n', 'other\n')], false],
    ['another key', [task('status: pending\n'), task('status: complete\nbackpressure: "true"\n')], false],
    ['a file that is gone', [task('status: pending\n'), undefined], false],
    ['one with errors', [task('status: pending\n'), '---\nstatus: [\n---\n'], false],
    ['what stands in the text like a status', [`# Title\nstatus: a\n`, `# Title\nstatus: b\n`], false],
  ])('%s', (_name, [a, b], same) => {
    expect([sameButStatus(a, b), sameButStatus(b, a)]).toEqual([same, same]);
  });
});

describe('front matter of just the largest size', () => {
  const sized = (bytes: number, status = ''): string => `---\na: ${'x'.repeat(bytes - 4)}\n${status}---\n`;
  const errors = (text: string): number => readFrontMatter(new Source('', text)).diagnostics.length;

  test('can be made complete, and read again', () => {
    for (const bytes of [65_500, 65_530, 65_536]) {
      expect(isSound(sized(bytes))).toBe(true);
      const complete = setStatus(sized(bytes), 'complete');
      expect(errors(complete)).toBe(0);
      expect(setStatus(complete, 'complete')).toBe(complete);
    }
  });

  test('is no larger for that', () => {
    expect(isSound(sized(65_537))).toBe(false);
    expect(isSound(sized(65_530, 'status: pending\n'))).toBe(false);
  });
});
