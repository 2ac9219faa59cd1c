// Texts that come from and go to GitHub: markers, what is taken out of texts, the end of a job's log, and queries that its schema accepts.

import { schema } from '@octokit/graphql-schema';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { logTail } from '../../../src/adapters/github/log-tail.ts';
import { hasMarker, marked, markerOf, unmarked } from '../../../src/adapters/github/marker.ts';
import { CHECKS_PAGE, listQuery, MUTATIONS, PULL, QUEUE, STANDING, THREAD_PAGE, VIEWER } from '../../../src/adapters/github/queries.ts';
import { bodyFor, titleFor } from '../../../src/adapters/github/rest.ts';
import { bounded, plain, webUrl } from '../../../src/adapters/github/text.ts';
import { BOUNDS } from '../../../src/core/limits.ts';

describe('markers', () => {
  it('come back, also with the line ends that browsers make', () => {
    expect(markerOf(marked('status', 'hello'))).toBe('status');
    expect(markerOf('<!-- choo:status -->\r\nhello')).toBe('status');
    expect(unmarked(marked('answer:thread:PRRT_a=:b', 'hello'))).toBe('hello');
    expect(hasMarker(marked('answer:review:x', ''), 'answer:review:x')).toBe(true);
  });

  it('count on the first line only', () => {
    expect(markerOf('> <!-- choo:status -->\nhello')).toBeUndefined();
    expect(markerOf('hello\n<!-- choo:status -->')).toBeUndefined();
    expect(markerOf('<!-- choo:status --> and more')).toBeUndefined();
  });

  it('cannot be left by a word', () => {
    const text = marked('x --> <b>\n', 'body');
    expect(text.split('\n')[0]).toBe('<!-- choo:x-b -->');
    expect(hasMarker(text, 'x --> <b>\n')).toBe(true);
  });
});

describe('texts', () => {
  it('lose what is not seen and what moves a terminal', () => {
    expect(plain('a\u001B[31mred\u001B[0m\u202E\u0000b\r\nc\u001B]8;;http://x\u0007link\u001B]8;;\u0007 \u200Bd  ')).toBe('aredb\nclink d');
    expect(plain('👩‍💻')).toBe('👩‍💻');
  });

  it('are bounded at either end, and no character is halved', () => {
    const long = '😀'.repeat(BOUNDS.feedback);
    for (const keep of ['beginning', 'end'] as const) {
      expect(bounded(long, keep).length).toBeLessThanOrEqual(BOUNDS.feedback);
      expect(Buffer.from(bounded(long, keep)).toString()).toBe(bounded(long, keep));
    }
    expect(bounded('short', 'end')).toBe('short');
    expect(bodyFor('x'.repeat(70_000))).toHaveLength(65_536);
    expect(titleFor(`a\n b${'x'.repeat(300)}`)).toMatch(/^a bx+…$/);
  });

  it('addresses are those of the web, without a login', () => {
    expect(webUrl('https://github.com/a')).toEqual({ url: 'https://github.com/a' });
    expect([webUrl('javascript:alert(1)'), webUrl('https://u:p@github.com/a'), webUrl(null), webUrl('nothing')]).toEqual([{}, {}, {}, {}]);
  });
});

describe('the end of a log', () => {
  it('is without times, colours and what comes after the last error', () => {
    const log = [
      '\uFEFF2026-11-27T10:00:00.1234567Z ##[group]Run npm test', '2026-11-27T10:00:00.1234567Z \u001B[36;1mnpm test\u001B[0m', '2026-11-27T10:00:00.1234567Z ##[endgroup]',
      '2026-11-27T10:00:01.0000000Z FAIL shop.test.ts', '2026-11-27T10:00:01.0000000Z ##[error]Process completed with exit code 1.',
      '2026-11-27T10:00:02.0000000Z Post job cleanup.', '2026-11-27T10:00:02.0000000Z Cleaning up orphan processes',
    ].join('\r\n');
    expect(logTail(log)).toBe('Run npm test\nnpm test\nFAIL shop.test.ts\nerror: Process completed with exit code 1.');
  });

  it('keeps the last lines', () => {
    const tail = logTail(Array.from({ length: 5000 }, (_, i) => `line ${i}`).join('\n')).split('\n');
    expect([tail.length, tail.at(-1)]).toEqual([200, 'line 4999']);
  });
});

describe('queries', () => {
  it('are what GitHub\'s schema accepts', () => {
    const github = buildSchema(schema.idl, { assumeValid: true });
    const texts = [PULL, CHECKS_PAGE, THREAD_PAGE, STANDING, QUEUE, VIEWER, ...Object.values(MUTATIONS), ...(['reviews', 'reviewThreads', 'comments', 'reactions'] as const).map(listQuery)];
    expect(texts.flatMap((text) => validate(github, parse(text)).map(({ message }) => message))).toEqual([]);
  });
});
