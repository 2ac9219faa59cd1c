// What the journal promises: nothing acknowledged is lost, nothing damaged is believed.

import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJournal, JournalError, openJournal, readJournal, type JournalFile } from '../../src/adapters/journal.ts';
import { journalPath, listRuns, logFolder, makeRun, newestRun, runFolder } from '../../src/adapters/runs.ts';
import type { Event, EventBody } from '../../src/core/event.ts';
import { FenceLost } from '../../src/world.ts';

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

/** Counts the calls that reach the disk; `meanwhile` is called while the first write is under way. */
function counting(meanwhile: () => void): { readonly calls: string[]; readonly through: (file: JournalFile) => JournalFile } {
  const calls: string[] = [];
  const note = (name: string): void => {
    if (calls.push(name) === 1) meanwhile();
  };
  return {
    calls,
    through: (file) => ({
      write: (async (bytes: Buffer, at: number) => {
        note('write');
        return file.write(bytes, at);
      }) as JournalFile['write'],
      datasync: () => {
        note('datasync');
        return file.datasync();
      },
      close: () => file.close(),
    }),
  };
}

/** Root may read everything, so it becomes somebody else for a moment. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  chmodSync(folder, 0o755);
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
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
      header: { choo: 'journal', version: 2, run: 7, created: '2026-01-02T03:04:05.678Z', plan: PLAN }, events: both.flat(), torn: 0,
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

  test('a newer one, something else, a torn header and nothing are refused and stay as they are', async () => {
    expect(await refusal(readJournal(path))).toEqual({ reason: 'missing', line: undefined });
    const header = '{"choo":"journal","version":2,"run":1,"created":"x","plan":"y"}';
    for (const [text, reason] of [
      [`${header.replace('"version":2', '"version":3')}\n`, 'newer'], [`${header.replace('"version":2', '"version":1')}\n`, 'older'], ['hello\n', 'not-a-journal'], ['', 'not-a-journal'], ['\n', 'not-a-journal'],
      [header, 'not-a-journal'], [header.slice(0, 20), 'not-a-journal'], [`${header.slice(0, 20)}\n`, 'not-a-journal'], ['\0'.repeat(5000), 'not-a-journal'], ['null\n', 'not-a-journal'],
    ] as const) {
      writeFileSync(path, text);
      expect(await refusal(openJournal(path))).toEqual({ reason, line: 1 });
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });

  test('without a digest of the plan is of early development and still read', async () => {
    writeFileSync(path, '{"choo":"journal","version":2,"run":1,"created":"x"}\n{"seq":1,"time":"x","run":1,"type":"unit.queued","unit":"a"}\n');
    expect(await readJournal(path)).toMatchObject({ header: { run: 1 }, events: [{ seq: 1 }], torn: 0 });
  });

  test('a folder, a link, a pipe or a file closed to us in its place is refused and told', async () => {
    const say = async (): Promise<string> => String(await readJournal(path).catch((error: unknown) => error));
    mkdirSync(path);
    expect(await say()).toMatch(/this is a folder/);
    rmSync(path, { recursive: true });
    symlinkSync('/dev/zero', path);
    expect(await say()).toMatch(/this is a symbolic link/);
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(await say()).toMatch(/no plain file/);
    rmSync(path);
    await written([queued('a')]);
    chmodSync(path, 0);
    expect(await asNobody(() => refusal(readJournal(path)))).toEqual({ reason: 'unreadable', line: undefined });
  });

  test('what a power cut did to the last group is torn, the same anywhere before is damage', async () => {
    await written([queued('a')], [queued('b')], [queued('c'), queued('d'), queued('e')]);
    const lines = readFileSync(path, 'utf8').split('\n');
    const hole = (line: number, from: number, to = Number.POSITIVE_INFINITY): string => lines.with(line, [...(lines[line] ?? '')].map((c, i) => (i >= from && i < to ? '\0' : c)).join('')).join('\n');
    for (const [text, whole] of [[hole(3, 0), 2], [hole(3, 10, 20), 2], [hole(4, 0), 3], [hole(4, 30), 3], [hole(5, 0), 4], [hole(4, 5).slice(0, -10), 3]] as const) {
      writeFileSync(path, text);
      const { journal, events, torn } = await openJournal(path);
      expect([events.length, torn > 0]).toEqual([whole, true]);
      await journal.append([queued('z')], NOW);
      await journal.close();
      expect((await readJournal(path)).events.map((event) => event.seq)).toEqual(Array.from({ length: whole + 1 }, (_, i) => i + 1));
    }
    for (const [text, line] of [[hole(1, 0), 2], [hole(2, 3, 9), 3], [`${hole(2, 3)}\0`, 3]] as const) {
      writeFileSync(path, text);
      expect(await refusal(openJournal(path))).toEqual({ reason: 'damaged', line });
    }
  });

  test('a whole last line that is no event is damage, not a torn write: so is one that is no text', async () => {
    await written([queued('a')], [queued('b')]);
    const text = readFileSync(path, 'latin1');
    for (const wrong of [text.replace('"b"', '"b'), text.replace('"b"', '"\xff"')]) {
      writeFileSync(path, wrong, 'latin1');
      expect(await refusal(openJournal(path))).toEqual({ reason: 'damaged', line: 3 });
    }
  });

  test('all who append while a write is under way share the next one and its flush', async () => {
    const rest: Promise<readonly Event[]>[] = [];
    const { calls, through } = counting(() => {
      for (let i = 0; i < 20; i += 1) rest.push(journal.append([queued(`b${i}`), queued(`c${i}`)], NOW));
    });
    const journal = await createJournal(path, { ...NEW, through });
    const first = await journal.append([queued('a')], NOW);
    expect([...first, ...(await Promise.all(rest)).flat()].map((event) => event.seq)).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
    expect(calls).toEqual(['write', 'datasync', 'write', 'datasync']);
    expect(await journal.append([], NOW)).toEqual([]);
    await journal.close();
    expect(calls).toHaveLength(4);
    expect((await readJournal(path)).events).toHaveLength(41);
  });

  test('that got half a line to the disk writes nothing more, and the half is cut off at the next opening', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    let failing = false;
    const through = (file: JournalFile): JournalFile => ({
      write: (async (bytes: Buffer, at: number) => {
        if (!failing) return file.write(bytes, at);
        if (at > 0) throw full;
        return file.write(bytes, at, 30);
      }) as JournalFile['write'],
      datasync: () => file.datasync(), close: () => file.close(),
    });
    const journal = await createJournal(path, { ...NEW, through });
    await journal.append([queued('a')], NOW);
    failing = true;
    const both = [journal.append([queued('b')], NOW), journal.append([queued('c')], NOW)];
    for (const one of both) await expect(one).rejects.toThrow(/cannot be written: ENOSPC/);
    failing = false;
    const size = statSync(path).size;
    await expect(journal.append([queued('d')], NOW)).rejects.toThrow(/cannot be written/);
    await journal.close();
    expect(statSync(path).size).toBe(size);
    const again = await openJournal(path);
    expect([again.events.length, again.torn]).toEqual([1, 30]);
    expect(await again.journal.append([queued('d')], NOW)).toMatchObject([{ seq: 2 }]);
    await again.journal.close();
    expect((await readJournal(path)).torn).toBe(0);
  });

  test('goes on in a new file, so that a writer who lost the lock writes where nobody reads', async () => {
    const old = await createJournal(path, NEW);
    await old.append([queued('a')], NOW);
    writeFileSync(`${path}.left-by-a-kill`, 'x');
    const { ino } = statSync(path);
    const { journal } = await openJournal(path);
    expect(statSync(path).ino).not.toBe(ino);
    expect(statSync(path).mode % 0o1000).toBe(0o600);
    await old.append([queued('from the past')], NOW);
    await journal.append([queued('b')], NOW);
    await old.append([queued('from the past')], NOW);
    await Promise.all([old.close(), journal.close()]);
    expect((await readJournal(path)).events).toMatchObject([{ unit: 'a' }, { unit: 'b' }]);
    expect(readdirSync(folder)).toEqual(['journal.jsonl']);
  });

  test('of somebody who lost the lock is not written, and what was just written is not acknowledged', async () => {
    const lost = new FenceLost('somebody else has it');
    let asked = 0;
    let losesAt = Number.POSITIVE_INFINITY;
    const check = (): void => {
      asked += 1;
      if (asked >= losesAt) throw lost;
    };
    for (const during of [1, 2]) {
      rmSync(path, { force: true });
      asked = 0;
      losesAt = 2 + during;
      const journal = await createJournal(path, { ...NEW, check });
      await journal.append([queued('a')], NOW);
      await expect(journal.append([queued('b')], NOW)).rejects.toBe(lost);
      losesAt = Number.POSITIVE_INFINITY;
      await expect(journal.append([queued('c')], NOW)).rejects.toBe(lost);
      await journal.close();
      expect((await readJournal(path)).events).toHaveLength(during);
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
