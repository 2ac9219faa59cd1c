// A run as it is followed: what its head tells while it is live, and that nothing is held any more when the following is over.

import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { acquireLock } from '../../../src/adapters/lock.ts';
import { journalPath } from '../../../src/adapters/runs.ts';
import { Feed } from '../../../src/web/feed.ts';
import { Game, unit } from '../core/rig.ts';

describe('a feed of a live run', () => {
  it('tells the queue and how long it may take; closed in the middle of a look, it lets go of the run', { timeout: 10_000 }, async () => {
    const common = mkdtempSync(join(tmpdir(), 'choo-test-'));
    onTestFinished(() => rmSync(common, { recursive: true }));
    const lock = await acquireLock(common);
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] })]).play(undefined, (b) => b.type === 'batch.proving');
    const lines = game.events.map((event) => ` ${JSON.stringify({ ...event, time: new Date(event.seq * 1000).toISOString() })}\n`);
    const path = journalPath(common, 1);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify({ choo: 'journal', version: 2, run: 1, created: new Date(0).toISOString(), plan: 'of a test' })}\n${lines.slice(0, -1).join('')}`);
    const run = createServer((socket) => socket.resume());
    run.listen(join(common, 'socket'));
    await once(run, 'listening');
    const held = once(run, 'connection');
    const clock = systemClock();
    let closing: Promise<void> | undefined;
    let close = (): void => undefined;
    // Between the moment that a look is due and the look itself.
    const feed = await Feed.open({ commonDir: common, run: 1, socket: join(common, 'socket'), clock: { ...clock, steady: () => { close(); return clock.steady(); } } }, (error) => { throw error; });
    await held;
    expect(feed.snapshot().head).toMatchObject({ at: 'live', queue: [{ unit: 'a', batch: 1, doing: 'waiting' }] });
    expect(feed.snapshot().head.left?.ms).toBeGreaterThan(0);
    await new Promise<void>((resolve) => {
      close = () => { closing ??= feed.close(); resolve(); };
      appendFileSync(path, lines.at(-1) ?? '');
    });
    await closing;
    // Whoever connected before this one was let in before it; only this one goes away by itself.
    const last = once(run, 'connection');
    createConnection(join(common, 'socket')).end().resume();
    await last;
    const gone = once(run, 'close');
    run.close();
    await gone;
    await lock.release();
    expect(feed.snapshot().head.queue).toEqual([{ unit: 'a', batch: 1, doing: 'proving' }]);
  });
});
