// Holds a program by its process group, its marker and its descent, where no namespace is to be had. Knows nothing of
// output, time limits or results.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { must } from '../core/bug.ts';
import type { Clock } from '../world.ts';
import { errnoOf } from './errno.ts';
import type { Containment, Held, Launch, Settled } from './held.ts';
import type { Keeper } from './keeper.ts';
import { findProcess } from './process-table.ts';
import { signalQuietly } from './signal.ts';
import { sweepFor } from './sweep.ts';

/** What all programs held by group share. */
interface Grounds {
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly keeper: Keeper;
}

/** Opens the way that works everywhere. Programs get `env` and what their launch adds. */
export function holdByGroup(grounds: Grounds): Containment {
  return { mode: 'group', start: (launch) => startGroup(launch, grounds), close: () => Promise.resolve() };
}

async function startGroup(launch: Launch, { env, clock, keeper }: Grounds): Promise<Held> {
  const child = await spawnProgram(launch, env);
  if (child instanceof Error) return notStarted(errnoOf(child) === 'ENOENT' ? 127 : 126, child.message);
  const pid = must(child.pid, 'pid of a started process');
  let end: Pick<Settled, 'code' | 'signal'> | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      keeper.remove(pid);
      end = { code, ...(signal === null ? {} : { signal }) };
      resolve();
    });
  });
  keeper.add(pid);
  const fact = await findProcess(pid);
  const sweep = sweepFor({ pid, start: fact?.start ?? 0, mark: launch.mark, clock });
  let killed = false;
  // As long as its end has not been seen the number is still its own.
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    await sweep.remember();
    if (end === undefined) signalQuietly(-pid, name);
  };
  return {
    begun: Promise.resolve(),
    ended,
    terminate: () => signal('SIGTERM'),
    kill: () => {
      killed ||= end === undefined;
      return signal('SIGKILL');
    },
    settle: async () => {
      const found = await sweep.end();
      return { code: null, ...end, leftovers: found && !killed };
    },
  };
}

/** Gives back why not, when it cannot be started. */
async function spawnProgram({ argv, cwd, env, stdin, stdout, stderr }: Launch, base: Grounds['env']): Promise<ChildProcess | Error> {
  const [program = '', ...args] = argv;
  const input = openSync(stdin.path, 'r');
  try {
    const child = spawn(program, args, { cwd, env: { ...base, ...env }, detached: true, stdio: [input, stdout.writer, stderr.writer] });
    if (child.pid !== undefined) return child;
    const [error] = await once(child, 'error') as [Error];
    return error;
  } catch (error) {
    // Some reasons (E2BIG) are thrown, others told later.
    if (errnoOf(error) !== undefined && error instanceof Error) return error;
    throw error;
  } finally {
    closeSync(input);
  }
}

function notStarted(code: 126 | 127, trouble: string): Held {
  const nothing = Promise.resolve();
  return { begun: nothing, ended: nothing, terminate: () => nothing, kill: () => nothing, settle: () => Promise.resolve({ code, leftovers: false, trouble }) };
}
