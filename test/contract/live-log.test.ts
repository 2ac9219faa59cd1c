// A log that is read while it is written: head, what goes on beside it, tail. Real files; the writer and the reader take turns.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lateName } from '../../src/adapters/late-output.ts';
import { openOutputLog } from '../../src/adapters/output-log.ts';
import { LiveLog } from '../../src/commands/live-log.ts';

let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  log = join(folder, 'a.log');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Lines that are all different, with characters of several bytes. */
const lines = (from: number, count: number): string => Array.from({ length: count }, (_, i) => `line ${from + i} é🦉\n`).join('');

describe('who reads after every line', () => {
  it.for([100, 101, 1000, 7777, 1_000_000])('misses nothing, whatever the limit: %i bytes', async (limit) => {
    const out = openOutputLog(log, limit);
    const live = new LiveLog(log);
    let seen = await live.read();
    let largest = 0;
    for (let n = 0; n < 300; n++) {
      out.write(Buffer.from(lines(n, 1)));
      seen += await live.read();
      largest = Math.max(largest, statSync(lateName(log), { throwIfNoEntry: false })?.size ?? 0);
    }
    expect(largest).toBeLessThanOrEqual(limit / 2 + 20);
    out.close();
    expect(seen + await live.end()).toBe(lines(0, 300));
    expect(existsSync(lateName(log))).toBe(false);
  });

  it('reads what was written to the log before, too', async () => {
    const first = openOutputLog(log, 400);
    first.write(Buffer.from('before\n'));
    first.close();
    const out = openOutputLog(log, 400);
    const live = new LiveLog(log);
    let seen = '';
    for (let n = 0; n < 50; n++) {
      out.write(Buffer.from(lines(n, 1)));
      seen += await live.read();
    }
    out.close();
    expect(seen + await live.end()).toBe(`before\n${lines(0, 50)}`);
  });
});

describe('who reads now and then', () => {
  it('is told how much went by, gets the rest in order, and its end', async () => {
    for (const pause of [3, 7, 20, 90]) {
      const out = openOutputLog(log, 2000);
      const live = new LiveLog(log);
      let seen = '';
      for (let n = 0; n < 300; n++) {
        out.write(Buffer.from(lines(n, 1)));
        if (n % pause === 0) seen += await live.read();
      }
      out.close();
      seen += await live.end();
      const numbers = [...seen.matchAll(/^line (\d+) é🦉$/gm)].map(([, n]) => Number(n));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(seen.endsWith(lines(295, 5))).toBe(true);
      const lost = [...seen.matchAll(/\[(\d+) bytes went by too fast\]\n/g)];
      expect(Buffer.byteLength(seen.replaceAll(/\n\[\d+ bytes went by too fast\]\n/g, '')) + lost.reduce((sum, [, n]) => sum + Number(n), 0)).toBeGreaterThanOrEqual(Buffer.byteLength(lines(0, 300)));
      rmSync(log);
    }
  });

  it('finds head and tail of a log that is whole', async () => {
    const out = openOutputLog(log, 1000);
    out.write(Buffer.from(lines(0, 300)));
    out.close();
    expect(await new LiveLog(log).end()).toBe(readFileSync(log, 'utf8'));
    expect(readFileSync(log, 'utf8')).toMatch(/^line 0 [^]*\n\[choo left out \d+ bytes here\]\n[^]*line 299 é🦉\n$/);
  });

  it('finds, beside the log of a choo that was killed, what came last', async () => {
    const out = openOutputLog(log, 1000);
    out.write(Buffer.from(lines(0, 300)));
    const text = await new LiveLog(log).end();
    expect(text).toMatch(/^line 0 /);
    expect(text.endsWith(lines(295, 5))).toBe(true);
    out.close();
  });
});
