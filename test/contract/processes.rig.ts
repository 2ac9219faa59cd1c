// What the contract tests of processes share: every way of holding programs that this machine has, and short commands.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { ContainmentUnavailable } from '../../src/adapters/containment.ts';
import type { ContainMode } from '../../src/adapters/held.ts';
import { openProcesses, type OpenProcesses } from '../../src/adapters/processes.ts';
import type { Command, CommandResult, Control } from '../../src/world.ts';

/** Grace between SIGTERM and SIGKILL in these tests, ms. */
const GRACE = 100;

/** The ways that work here; the stronger one is missing only where the kernel forbids it. */
export async function availableModes(): Promise<readonly ContainMode[]> {
  try {
    await (await open('namespace')).close();
    return ['group', 'namespace'];
  } catch (error) {
    if (error instanceof ContainmentUnavailable) return ['group'];
    throw error;
  }
}

/** Opens processes with this test's own environment. */
export function open(contain: 'auto' | ContainMode, env: NodeJS.ProcessEnv = process.env): Promise<OpenProcesses> {
  return openProcesses({ contain, env, clock: systemClock(), killGraceMs: GRACE, marker: `test-${randomUUID()}` });
}

/** A control with the means to use it. */
export interface Handle extends Control {
  interruptNow(): void;
  killNow(): void;
}

/** Makes a control that nobody has used yet. */
export function control(): Handle {
  const interrupt = new AbortController();
  const kill = new AbortController();
  return { interrupt: interrupt.signal, kill: kill.signal, interruptNow: () => interrupt.abort(), killNow: () => kill.abort() };
}

/** A bench for one describe block: opened before, closed after, with a folder of its own. */
export interface Bench {
  readonly folder: string;
  readonly log: string;
  processes(): OpenProcesses;
  run(argv: readonly string[], more?: Partial<Command>, handle?: Control): Promise<CommandResult>;
}

/** Sets up a bench in the current describe block. */
export function bench(mode: ContainMode): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  const log = join(folder, 'logs', 'output.log');
  let processes: OpenProcesses | undefined;
  beforeAll(async () => { processes = await open(mode); });
  afterAll(async () => {
    await processes?.close();
    rmSync(folder, { recursive: true });
  });
  const opened = (): OpenProcesses => {
    if (processes === undefined) throw new Error('not open yet');
    return processes;
  };
  return {
    folder,
    log,
    processes: opened,
    run: (argv, more = {}, handle = control()) =>
      opened().run({ argv, cwd: folder, env: {}, log, outputLimit: 1024 * 1024, totalMs: 60_000, ...more }, handle),
  };
}
