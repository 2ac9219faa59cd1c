// Who looks on hears of the end of a choo from the socket it listened at, on real sockets.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Changes } from '../../src/commands/changes.ts';
import { Lifeline } from '../../src/commands/lifeline.ts';

let folder: string;
let changes: Changes;
let lifeline: Lifeline;
let waits: number[];
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'choo-line-'));
  path = join(folder, 's');
  changes = new Changes();
  waits = [];
  lifeline = new Lifeline(changes, { sleep: async (ms) => { waits.push(ms); } });
});
afterEach(() => {
  lifeline.close();
  rmSync(folder, { recursive: true });
});

it('a connection that closes is news at once', async () => {
  const server = createServer().listen(path);
  await once(server, 'listening');
  lifeline.hold(path);
  const [held] = await once(server, 'connection') as [Socket];
  lifeline.hold(path);
  held.destroy();
  await changes.next();
  expect(waits).toEqual([]);
  await new Promise((resolve) => { server.close(resolve); });
});

it('one that cannot be made is asked for again, later each time, since its choo may be ending', async () => {
  const refused = async (): Promise<void> => {
    lifeline.hold(path);
    await changes.next();
  };
  for (let refusals = 0; refusals < 8; refusals++) await refused();
  expect(waits).toEqual([20, 40, 80, 160, 320, 640, 1280, 2560]);
  const server = createServer().listen(path);
  await once(server, 'listening');
  lifeline.hold(path);
  const [held] = await once(server, 'connection') as [Socket];
  held.destroy();
  await changes.next();
  await new Promise((resolve) => { server.close(resolve); });
  expect(waits).toHaveLength(8);
  await refused();
  expect(waits.slice(8)).toEqual([20]);
});

it('waits no longer once it is let go', async () => {
  const real = new Lifeline(changes);
  real.hold(path);
  real.close();
  await changes.next();
  real.hold(path);
  expect(waits).toEqual([]);
});
