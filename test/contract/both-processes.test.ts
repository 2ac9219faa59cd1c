// What the engine believes of programs that it runs, real and simulated. How real ones are held is processes.test.ts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Command, CommandResult, Control, Processes } from '../../src/world.ts';
import { openGate } from '../sim/gate.ts';
import { ProcessTable } from '../sim/processes.ts';
import type { Script } from '../sim/processes.ts';
import { Rng } from '../sim/rng.ts';
import { Timeline } from '../sim/timeline.ts';
import { control, open } from './processes.rig.ts';
import type { Handle } from './processes.rig.ts';

/** A place to run the few commands below; `done` waits until a run has ended. */
interface Ground {
  readonly processes: Processes;
  readonly cwd: string;
  readonly done: (running: Promise<CommandResult>) => Promise<CommandResult>;
  readonly close: () => Promise<void>;
}

/** The commands of this suite, as a shell knows them and as the simulation does. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  'exit 0': { deeds: [], code: () => 0 },
  'exit 3': { deeds: [], code: () => 3 },
  'sleep 1000': { deeds: [], code: () => 0, hangs: true, silent: true },
  "trap '' TERM; while :; do sleep 1000; done": { deeds: [], code: () => 0, hangs: true, stubborn: true, silent: true },
};

async function real(): Promise<Ground> {
  const cwd = mkdtempSync(join(tmpdir(), 'choo-test-'));
  const processes = await open('auto');
  return {
    processes, cwd, done: (running) => running,
    close: async () => {
      await processes.close();
      rmSync(cwd, { recursive: true });
    },
  };
}

function simulated(): Promise<Ground> {
  const timeline = new Timeline();
  const programs = { script: (c: Command): Script => SCRIPTS[c.argv[2] ?? ''] ?? { deeds: [], code: () => 127 }, started: () => undefined, ended: () => undefined };
  const processes = new ProcessTable({ timeline, rng: new Rng(1), programs }).processes(1, openGate, () => new Error('never'));
  const done = async (running: Promise<CommandResult>): Promise<CommandResult> => {
    let over = false;
    const end = running.finally(() => { over = true; });
    await timeline.drive(() => over, Number.MAX_SAFE_INTEGER);
    return end;
  };
  return Promise.resolve({ processes, cwd: '/nowhere', done, close: () => Promise.resolve() });
}

describe.each([['real', real], ['simulated', simulated]] as const)('%s programs', (_name, make) => {
  let g: Ground;
  beforeEach(async () => { g = await make(); });
  afterEach(() => g.close());

  const start = (text: string, o: { readonly more?: Partial<Command>; readonly handle?: Control } = {}): Promise<CommandResult> =>
    g.processes.run({ argv: ['sh', '-c', text], cwd: g.cwd, env: {}, log: join(g.cwd, 'log'), outputLimit: 1000, totalMs: 60_000, ...o.more }, o.handle ?? control());
  const used = (how: (handle: Handle) => void): Handle => {
    const handle = control();
    how(handle);
    return handle;
  };

  it('end with their exit code', async () => {
    expect(await g.done(start('exit 0'))).toMatchObject({ code: 0, cut: false, leftovers: false });
    expect(await g.done(start('exit 3'))).toMatchObject({ code: 3, cut: false });
  });

  it('are not begun when they were cut before', async () => {
    expect(await g.done(start('exit 0', { handle: used((h) => h.interruptNow()) }))).toMatchObject({ code: null, cut: true });
    expect(await g.done(start('exit 0', { handle: used((h) => h.killNow()) }))).toMatchObject({ code: null, cut: true });
  });

  it('are ended at the time limit, and said to be, even when they ignore it', async () => {
    expect(await g.done(start('sleep 1000', { more: { totalMs: 50 } }))).toMatchObject({ limit: 'total', cut: false });
    expect(await g.done(start("trap '' TERM; while :; do sleep 1000; done", { more: { totalMs: 50 } }))).toMatchObject({ limit: 'total', cut: false });
  });

  it('are ended when they print nothing for too long', async () => {
    expect(await g.done(start('sleep 1000', { more: { idleMs: 50 } }))).toMatchObject({ limit: 'idle', cut: false });
  });

  it('are cut when they are asked to end, and when they are killed', async () => {
    const asked = control();
    const first = start('sleep 1000', { handle: asked });
    await Promise.resolve();
    asked.interruptNow();
    expect(await g.done(first)).toMatchObject({ code: null, cut: true });
    const killed = control();
    const second = start("trap '' TERM; while :; do sleep 1000; done", { handle: killed });
    await Promise.resolve();
    killed.killNow();
    expect(await g.done(second)).toMatchObject({ code: null, cut: true });
  });
});
