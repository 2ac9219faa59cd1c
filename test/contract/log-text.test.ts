// A log that is streamed while it is written, by readers that break off and come back: nothing twice, nothing missing, no character torn.
// Real files; the writer and the readers take turns.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOutputLog } from '../../src/adapters/output-log.ts';
import { openText, placeOf, placeText, startBefore, Tail } from '../../src/web/log-text.ts';
import type { LogText, Translate } from '../../src/web/log-text.ts';

let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  log = join(folder, 'a.log');
});

afterEach(() => rmSync(folder, { recursive: true }));

const lines = (from: number, count: number): string => Array.from({ length: count }, (_, i) => `line ${from + i} é🦉\n`).join('');

/** Says each whole line in capitals, and how many there were at the end. */
const inCapitals: Translate = (write) => {
  let [rest, count] = ['', 0];
  return {
    take: (text) => {
      const all = (rest + text).split('\n');
      rest = all.pop() ?? '';
      for (const line of all) write(`${line.toUpperCase()}\n`);
      count += all.length;
    },
    end: () => write(`${rest}${count} lines\n`),
  };
};

/** Somebody who follows a log and now and then begins again where they were, as their id says. */
class Reader {
  seen = '';
  #id = '0';
  #text: LogText;
  readonly #translate: Translate | undefined;

  constructor(translate: Translate | undefined) {
    this.#translate = translate;
    this.#text = openText(log, { translate, after: { at: 0 } });
  }

  comeBack(): void {
    this.#text = openText(log, { translate: this.#translate, after: placeOf(this.#id) ?? { at: 0 } });
  }

  /** `most`: breaks off after so many pieces, and comes back. */
  async read(over: boolean, most = Infinity): Promise<void> {
    let count = 0;
    for await (const { text, end } of this.#text.read(over)) {
      if (count++ >= most) return this.comeBack();
      expect(text).not.toContain('\uFFFD');
      this.seen += text;
      this.#id = end === undefined ? this.#id : placeText(end);
    }
  }
}

describe('a reader that breaks off', () => {
  it.for([
    [1001, undefined], [7777, undefined], [1_000_000, undefined], [100, inCapitals], [1001, inCapitals], [1_000_000, inCapitals],
  ] as const)('goes on where it was, whatever the limit: %i bytes', async ([limit, translate]) => {
    const out = openOutputLog(log, limit);
    const reader = new Reader(translate);
    const bytes = Buffer.from(lines(0, 300));
    // Chunks end anywhere, also within a character.
    for (let at = 0, n = 0; at < bytes.length; n++) {
      const size = 1 + n % 17;
      out.write(bytes.subarray(at, at + size));
      at += size;
      // Messages are read from the beginning: without what was beside the log it would not be the same.
      if (n % 5 === 3 && (translate === undefined || limit >= 1_000_000)) reader.comeBack();
      await reader.read(false, n % 7 === 1 ? 1 : Infinity);
    }
    await reader.read(false);
    out.close();
    if (translate === undefined) reader.comeBack();
    await reader.read(true);
    expect(reader.seen).toBe(translate === undefined ? lines(0, 300) : `${lines(0, 300).toUpperCase()}300 lines\n`);
  });

  it('finds the tail after the end, and how much nobody can see', async () => {
    const out = openOutputLog(log, 1000);
    const reader = new Reader(undefined);
    for (let n = 0; n < 300; n++) {
      out.write(Buffer.from(lines(n, 1)));
      if (n === 10 || n === 100) await reader.read(false);
    }
    out.close();
    reader.comeBack();
    await reader.read(true);
    const numbers = [...reader.seen.matchAll(/^line (\d+) é🦉$/gm)].map(([, n]) => Number(n));
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    expect(reader.seen).toMatch(/\n\[\d+ bytes went by too fast\]\n[^]*line 299 é🦉\n$/);
  });
});

describe('who asks for earlier pieces', () => {
  it.for([[undefined], [inCapitals]] as const)('gets them without a gap to what is there', async ([translate]) => {
    const out = openOutputLog(log, 64 * 1024 * 1024);
    const text = lines(0, 30_000);
    out.write(Buffer.from(text));
    out.close();
    let before = { at: Buffer.byteLength(text) };
    let seen = '';
    for (let pieces = 0; before.at > 0; pieces++) {
      expect(pieces).toBeLessThan(10);
      const after = translate === undefined ? await startBefore(log, before) : { at: 0 };
      const tail = new Tail(after);
      for await (const chunk of openText(log, { translate, after, until: before.at }).read(true)) tail.add(chunk);
      seen = tail.chunks.map((chunk) => chunk.text).join('') + seen;
      before = tail.from;
    }
    expect(seen).toBe(translate === undefined ? text : text.toUpperCase());
  });
});

describe('a place', () => {
  it('is written and read; anything else is none', () => {
    for (const place of [{ at: 0 }, { at: 12 }, { at: 12, head: 3 }]) expect(placeOf(placeText(place))).toEqual(place);
    for (const text of ['', '-1', '1:', ':1', '1:2:3', '1e3', '9'.repeat(16), '../1']) expect(placeOf(text)).toBeUndefined();
  });
});
