// No process outlives its run: children that ignore signals, double-fork or make sessions of their own.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { endOrphans } from '../../src/adapters/sweep.ts';
import type { Dialogue } from '../../src/world.ts';
import { bundleProgram } from '../rig/programs/bundle.ts';
import { runningWith } from '../rig/programs/running.ts';
import { availableModes, bench, control, open } from './processes.rig.ts';

const ORPHANS = join(import.meta.dirname, '..', 'rig', 'programs', 'orphans.sh');

/** A dialogue that calls `then` when the program says that all its children run. */
function onReady(then: () => void, more: Partial<Dialogue> = {}): { readonly dialogue: Dialogue } {
  const receive = (line: string): object => {
    if (line === 'ready') then();
    return {};
  };
  return { dialogue: { first: '', oneShot: false, receive, ...more } };
}

describe.each(await availableModes())('held by %s', (mode) => {
  const { run, folder, log } = bench(mode);
  const fresh = (ending: string): { readonly argv: readonly string[]; readonly token: string } =>
    ({ argv: [ORPHANS, mkdtempSync(join(folder, 'o-')), ending], token: `token-${randomUUID()}` });

  test('orphan processes keep gigabytes: what a program leaves behind is ended, though it holds the pipes', async () => {
    const { argv, token } = fresh('exit');
    expect(await run(argv, { env: { TOKEN: token } })).toMatchObject({ code: 3, leftovers: true, cut: false });
    expect(runningWith(token)).toEqual([]);
  });

  test('Ctrl-C leaves grandchildren running: an interrupt ends the program and all of them', async () => {
    const { argv, token } = fresh('obey');
    const handle = control();
    const result = await run(argv, { env: { TOKEN: token }, ...onReady(handle.interruptNow) }, handle);
    expect(result).toMatchObject({ signal: 'SIGTERM', cut: true });
    expect(runningWith(token)).toEqual([]);
  });

  test('a program that ignores SIGTERM is killed after the grace, with a child that cleared its environment', async () => {
    const { argv, token } = fresh('ignore');
    const handle = control();
    const result = await run(argv, { env: { TOKEN: token }, ...onReady(handle.interruptNow) }, handle);
    expect(result).toMatchObject({ code: null, signal: 'SIGKILL', cut: true });
    expect(runningWith(token)).toEqual([]);
  });

  test('a kill ends everything at once', async () => {
    const { argv, token } = fresh('ignore');
    const handle = control();
    const result = await run(argv, { env: { TOKEN: token }, ...onReady(handle.killNow) }, handle);
    expect(result).toMatchObject({ code: null, signal: 'SIGKILL', cut: true, leftovers: false });
    expect(runningWith(token)).toEqual([]);
  });

  test('the agent\'s own word for stopping comes first, and is enough for one that obeys it', async () => {
    const handle = control();
    const words = onReady(handle.interruptNow, { interrupt: () => 'stop please\n' });
    const result = await run(['sh', '-c', 'echo ready; read word; echo "$word"; exit 4'], words, handle);
    expect(result).toEqual({ code: 4, cut: true, leftovers: false, tail: 'ready\nstop please\n' });
  });

  test('SIGTERM reaches a program that wants to clean up, and its own exit code counts', async () => {
    const handle = control();
    const script = 'trap "echo cleaned; exit 5" TERM; echo ready; while :; do sleep 0.01; done';
    const result = await run(['sh', '-c', script], onReady(handle.interruptNow), handle);
    expect(result).toMatchObject({ code: 5, cut: true, tail: expect.stringContaining('cleaned\n') as string });
  });

  test('a command of another run is left alone', async () => {
    const handle = control();
    const { token } = fresh('exit');
    let ready = (): void => undefined;
    const up = new Promise<void>((resolve) => { ready = resolve; });
    const other = run(['sh', '-c', 'echo ready; sleep 100000'], { env: { TOKEN: token }, ...onReady(ready) }, handle);
    await up;
    await run(['sh', '-c', 'sleep 100000 & exit 0']);
    expect(runningWith(token)).not.toEqual([]);
    handle.killNow();
    await other;
    expect(runningWith(token)).toEqual([]);
  });

  test('closing ends everything that still runs', async () => {
    const { argv, token } = fresh('ignore');
    const own = await open(mode);
    let ready = (): void => undefined;
    const up = new Promise<void>((resolve) => { ready = resolve; });
    const result = own.run({ argv, cwd: folder, env: { TOKEN: token }, log, outputLimit: 1000, totalMs: 600_000, ...onReady(ready) }, control());
    await up;
    await own.close();
    expect(runningWith(token)).toEqual([]);
    expect(await result).toMatchObject({ cut: true });
  });

  test('kill -9 of choo itself: its programs end too, at the latest when the next choo looks for orphans', async () => {
    const { argv, token } = fresh('obey');
    const marker = `test-${randomUUID()}`;
    const hold = join(folder, 'hold');
    await once(spawn('mkfifo', [hold]), 'exit');
    const holders = new Socket({ fd: openSync(hold, constants.O_NONBLOCK), readable: true, writable: false });
    const program = await bundleProgram('mortal', folder);
    const choo = spawn(process.execPath, [program, mode, marker, log, ...argv], { env: { ...process.env, TOKEN: token, HOLD: hold }, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(createInterface(choo.stdout), 'line');
    const gone = once(holders.resume(), 'end');
    choo.kill('SIGKILL');
    await once(choo, 'exit');
    // The namespace goes with its group; without one, sessions of their own are left to the search by marker.
    if (mode === 'group') await endOrphans({ marker, clock: systemClock() });
    await gone;
    expect(runningWith(marker)).toEqual([]);
    rmSync(hold);
  });

  test('a choo that forgets to close still ends: what is kept for the next program does not hold it', async () => {
    const program = await bundleProgram('mortal', folder);
    const choo = spawn(process.execPath, [program, mode, `test-${randomUUID()}`, log, 'sh', '-c', 'echo ready'], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await once(choo, 'exit')).toEqual([0, null]);
  });
});
