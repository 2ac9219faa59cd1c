// What the journal promises: nothing acknowledged is lost, nothing damaged is believed.

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJournal, JournalError, openJournal, readJournal } from '../../src/adapters/journal.ts';
import { journalPath, listRuns, logFolder, makeRun, newestRun, runFolder } from '../../src/adapters/runs.ts';
import type { EventBody } from '../../src/core/event.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const PLAN = 'f'.repeat(64);
const NEW = { run: 7, now: NOW, plan: PLAN };
const queued = (unit: string): EventBody => ({ type: 'unit.queued', unit });

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  path = join(folder, 'journal.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function written(...groups: readonly (readonly EventBody[])[]): Promise<void> {
  const journal = await createJournal(path, NEW);
  for (const group of groups) await journal.append(group, NOW);
  await journal.close();
}

async function refusal(work: Promise<unknown>): Promise<Pick<JournalError, 'reason' | 'line'>> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof JournalError)) throw new Error('not refused', { cause: error });
  expect(error.path).toBe(path);
  return { reason: error.reason, line: error.line };
}

describe('a journal', () => {
  test('gives events their number, time and run, and reads back what was written', async () => {
    const journal = await createJournal(path, NEW);
    const both = await Promise.all([journal.append([queued('a'), queued('b')], NOW), journal.append([queued('c\u2028\n\u0000')], NOW + 1)]);
    await journal.close();
    expect(both.flat().map((event) => [event.seq, event.time, event.run])).toEqual([
      [1, '2026-01-02T03:04:05.678Z', 7], [2, '2026-01-02T03:04:05.678Z', 7], [3, '2026-01-02T03:04:05.679Z', 7],
    ]);
    expect(await readJournal(path)).toEqual({
      header: { choo: 'journal', version: 1, run: 7, created: '2026-01-02T03:04:05.678Z', plan: PLAN }, events: both.flat(), torn: 0,
    });
    expect(statSync(path).mode % 0o1000).toBe(0o600);
  });

  test('goes on where it ended', async () => {
    await written([queued('a')], [], [queued('b')]);
    const { journal, events } = await openJournal(path);
    expect(events.map((event) => event.seq)).toEqual([1, 2]);
    expect(await journal.append([queued('c')], NOW)).toMatchObject([{ seq: 3, run: 7 }]);
    await journal.close();
    expect((await readJournal(path)).events).toHaveLength(3);
  });

  test('is made once', async () => {
    await written();
    expect(await refusal(createJournal(path, NEW))).toEqual({ reason: 'exists', line: undefined });
  });

  test('a crash in the middle of a write: the torn last line is dropped, told, and cut off only by the writer', async () => {
    await written([queued('a')], [queued('b')]);
    const whole = statSync(path).size;
    truncateSync(path, whole - 5);
    const torn = readFileSync(path);
    expect(await readJournal(path)).toMatchObject({ events: [{ seq: 1 }], torn: expect.any(Number) as number });
    expect(readFileSync(path)).toEqual(torn);
    const { journal, events, torn: bytes } = await openJournal(path);
    expect([events.length, bytes > 0]).toEqual([1, true]);
    await journal.append([queued('c')], NOW);
    await journal.close();
    expect((await readJournal(path)).events).toMatchObject([{ seq: 1, unit: 'a' }, { seq: 2, unit: 'c' }]);
  });

  test('every length that a crash can leave is read as a prefix', async () => {
    await written([queued('a')], [queued('b')], [queued('ü')]);
    const bytes = readFileSync(path);
    const header = bytes.indexOf('\n') + 1;
    for (let length = header; length <= bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      const { events } = await readJournal(path);
      const lines = bytes.subarray(0, length).toString('latin1').split('\n').length - 2;
      expect(events).toHaveLength(lines);
    }
  });

  test('a last line that a power cut filled with zeros is dropped too', async () => {
    await written([queued('a')]);
    appendFileSync(path, Buffer.alloc(300));
    expect(await readJournal(path)).toMatchObject({ events: [{ seq: 1 }], torn: 300 });
    appendFileSync(path, '\n');
    expect(await readJournal(path)).toMatchObject({ events: [{ seq: 1 }], torn: 301 });
  });

  test('damage elsewhere is refused with its line and changes nothing', async () => {
    await written([queued('a')], [queued('b')], [queued('c')]);
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const [damage, line] of [[lines.with(2, '{"seq":'), 3], [lines.toSpliced(2, 1), 3], [lines.with(1, 'null'), 2], [lines.with(3, lines[3]?.replace('"run":7', '"run":8') ?? '').concat('x'), 4]] as const) {
      writeFileSync(path, damage.join('\n'));
      expect(await refusal(openJournal(path))).toEqual({ reason: 'damaged', line });
      expect(readFileSync(path, 'utf8')).toBe(damage.join('\n'));
    }
  });

  test('a newer one, something else and nothing are refused', async () => {
    expect(await refusal(readJournal(path))).toEqual({ reason: 'missing', line: undefined });
    for (const [text, reason] of [['{"choo":"journal","version":2,"run":1,"created":"x"}\n', 'newer'], ['hello\n', 'not-a-journal'], ['', 'not-a-journal']] as const) {
      writeFileSync(path, text);
      expect(await refusal(readJournal(path))).toEqual({ reason, line: 1 });
    }
  });

  test('that cannot be written fails this append and every later one', async () => {
    await written();
    const { journal } = await openJournal(path);
    await journal.close();
    await expect(journal.append([queued('a')], NOW)).rejects.toThrow(/cannot be written/);
    await expect(journal.append([queued('b')], NOW)).rejects.toThrow(/cannot be written/);
    expect((await readJournal(path)).events).toEqual([]);
  });

  test('of 100,000 events is read as a stream', async () => {
    await written(Array.from({ length: 100_000 }, (_, index) => queued(`unit-${index}`)));
    expect((await readJournal(path)).events).toHaveLength(100_000);
  });
});

describe('the runs of a repository', () => {
  test('are numbered without a number given twice', async () => {
    expect(await listRuns(folder)).toEqual([]);
    expect(await newestRun(folder)).toBe(undefined);
    const numbers = await Promise.all(Array.from({ length: 12 }, () => makeRun(folder)));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(await newestRun(folder)).toBe(12);
    expect(statSync(runFolder(folder, 12)).mode % 0o1000).toBe(0o700);
  });

  test('have their journal and logs in one folder', () => {
    expect(journalPath('/r/.git', 3)).toBe('/r/.git/choo/runs/3/journal.jsonl');
    expect(logFolder('/r/.git', { run: 3, unit: 'app' })).toBe('/r/.git/choo/runs/3/logs/app');
  });
});
