// What the engine believes of clock, journal and files, real and simulated.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { createJournal, openJournal, readJournal } from '../../src/adapters/journal.ts';
import type { Event, EventBody } from '../../src/core/event.ts';
import type { Clock, Journal } from '../../src/world.ts';
import { simClock } from '../sim/clock.ts';
import { openGate } from '../sim/gate.ts';
import { JournalFile, simJournal } from '../sim/journal.ts';
import { Rng } from '../sim/rng.ts';
import { Timeline } from '../sim/timeline.ts';
import { GROUNDS } from './both.rig.ts';
import type { Ground } from './both.rig.ts';

const NOW = Date.UTC(2026, 0, 2);
const queued = (unit: string): EventBody => ({ type: 'unit.queued', unit });

interface Time { readonly clock: Clock; readonly done: <T>(waiting: Promise<T>) => Promise<T> }

function virtual(): Time {
  const timeline = new Timeline();
  return {
    clock: simClock({ timeline, skew: () => 0, alive: () => true }),
    done: async (waiting) => {
      let over = false;
      const end = waiting.finally(() => { over = true; });
      await timeline.drive(() => over, Number.MAX_SAFE_INTEGER);
      return end;
    },
  };
}

const real = (): Time => ({ clock: systemClock(), done: (waiting) => waiting });

describe.each([['real', real], ['simulated', virtual]] as const)('the %s clock', (_name, make) => {
  it('sleeps as long as it is asked to, by its own measure, and not at all for nothing', async () => {
    const { clock, done } = make();
    const from = clock.steady();
    await done(clock.sleep(20));
    expect(clock.steady() - from).toBeGreaterThanOrEqual(19);
    await done(Promise.all([clock.sleep(0), clock.sleep(-5)]));
    expect(clock.steady()).toBeGreaterThanOrEqual(from);
  });

  it('wakes who is aborted, before or while sleeping, without an error', async () => {
    const { clock, done } = make();
    const waker = new AbortController();
    const sleeping = clock.sleep(Number.POSITIVE_INFINITY, waker.signal);
    waker.abort();
    await expect(done(Promise.all([sleeping, clock.sleep(1e9, waker.signal)]))).resolves.toHaveLength(2);
  });
});

interface Book { readonly journal: Journal; readonly read: () => Promise<readonly Event[]>; readonly reopen: () => Promise<Journal>; readonly close: () => Promise<void> }

async function onDisk(): Promise<Book> {
  const folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  const path = join(folder, 'journal.jsonl');
  const journal = await createJournal(path, { run: 7, now: NOW, plan: '0'.repeat(64) });
  return {
    journal, read: async () => (await readJournal(path)).events,
    reopen: async () => {
      await journal.close();
      return (await openJournal(path)).journal;
    },
    close: async () => {
      rmSync(folder, { recursive: true });
      await Promise.resolve();
    },
  };
}

function inMemory(): Promise<Book> {
  const file = new JournalFile(7);
  const open = (): Journal => simJournal({ file, gate: openGate, rng: new Rng(1), fails: () => false });
  return Promise.resolve({ journal: open(), read: () => Promise.resolve(file.events()), reopen: () => Promise.resolve(open()), close: () => Promise.resolve() });
}

describe.each([['real', onDisk], ['simulated', inMemory]] as const)('the %s journal', (_name, make) => {
  it('stamps events without gaps, gives back what it wrote, and goes on where it ended', async () => {
    const book = await make();
    const [one, two] = await Promise.all([book.journal.append([queued('a'), queued('b')], NOW), book.journal.append([queued('c')], NOW + 1)]);
    expect([...one, ...two].map((e) => [e.seq, e.time, e.run])).toEqual([
      [1, '2026-01-02T00:00:00.000Z', 7], [2, '2026-01-02T00:00:00.000Z', 7], [3, '2026-01-02T00:00:00.001Z', 7],
    ]);
    expect(await book.read()).toEqual([...one, ...two]);
    const again = await book.reopen();
    expect(await again.append([queued('d')], NOW)).toMatchObject([{ seq: 4, unit: 'd' }]);
    await again.close();
    expect(await book.read()).toHaveLength(4);
    await book.close();
  });
});

describe.each(GROUNDS)('%s files', (_name, open) => {
  let g: Ground;
  beforeEach(() => { g = open(); });
  afterEach(() => g.close());

  it('are text or nothing, in a checkout and beside it', async () => {
    const path = `${g.place('deep')}/folder/file`;
    expect([await g.files.readText(path), await g.files.exists(path)]).toEqual([undefined, false]);
    await g.files.writeText(path, 'one');
    await g.files.writeText(path, 'two');
    expect([await g.files.readText(path), await g.files.exists(path)]).toEqual(['two', true]);
    await g.files.writeText(`${g.root}/new`, 'three');
    expect([g.text(g.root, 'new'), await g.files.readText(`${g.root}/README`)]).toEqual(['three', 'hello\n']);
    expect(await g.files.freeSpace(path)).toBeGreaterThan(0);
  });

  it('that git ignores are copied to a worktree, by name, unless something is there', async () => {
    g.edit(g.root, 'local.env', 'secret');
    g.edit(g.root, 'other.env', 'other');
    g.edit(g.root, 'untracked', 'not ignored');
    const work = g.place('work');
    await g.git.addWorktree({ path: work, commit: (await g.git.resolve('refs/heads/main')) ?? '' });
    expect(await g.files.copyIgnored({ globs: ['local.env', 'untracked'], from: g.root, to: work })).toEqual(['local.env']);
    expect([g.text(work, 'local.env'), g.text(work, 'other.env'), g.text(work, 'untracked')]).toEqual(['secret', undefined, undefined]);
    expect(await g.files.copyIgnored({ globs: ['local.env'], from: g.root, to: work })).toEqual([]);
  });
});
