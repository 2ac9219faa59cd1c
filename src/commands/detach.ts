// `--detach`: the same command once more, in a session of its own, with its output in a file. The foreground part waits until
// that one has opened its run, or prints why it did not.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../adapters/clock.ts';
import { errnoOf } from '../adapters/errno.ts';
import { makeChooFolder } from '../adapters/runs.ts';
import { cleanLine } from '../core/clean.ts';
import { refuseInside } from '../opening/inside.ts';
import { findRepository } from '../opening/repository.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';
import { onStopSignals } from './signals.ts';
import { detachedEnvironment } from './start.ts';

/** Where the background part says that its run is open. */
const NEWS = 3;

/** What it says. */
export interface Opened {
  readonly run: number;
  readonly pid: number;
  readonly log: string;
  /** The link to its dashboard, where it was started with one. */
  readonly web?: string;
}

/** Starts this very command line in the background and returns once its run is open; the exit code is then 0, else that of the command. */
export async function detach(io: Io): Promise<number> {
  try {
    const { child, log } = await begin(io);
    const unwatch = onStopSignals(() => child.kill('SIGTERM'), io);
    try {
      const opened = await firstNews(child);
      if (opened === undefined) return await relay({ child, log }, io);
      io.out.write(`run ${opened.run} goes on in the background, process ${opened.pid}
its output:  ${cleanLine(opened.log)}
${opened.web === undefined ? '' : `dashboard:   ${cleanLine(opened.web)}\n`}to watch it: choo status --watch
one unit:    choo logs UNIT -f
to stop it:  choo stop
`);
      return 0;
    } finally {
      unwatch();
    }
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

/** Starts the command line `io.argv` in the background for a program that goes on itself: its run once that is open, or `undefined` when it ended without one (what it said is printed), or when `signal` was aborted before. */
export async function startRun(io: Io, signal: AbortSignal): Promise<Opened | { readonly code: number } | undefined> {
  const { child, log } = await begin(io);
  const opened = await firstNews(child, signal);
  if (opened !== undefined || signal.aborted) return opened;
  return { code: await relay({ child, log }, io) };
}

async function begin(io: Io): Promise<{ readonly child: ChildProcess; readonly log: string }> {
  refuseInside(io.env);
  const { facts, git } = await findRepository({ cwd: io.cwd, env: io.env, clock: systemClock() });
  await git.close();
  const log = join(await makeChooFolder(facts.commonDir), `detached-${randomUUID()}.log`);
  return { child: startInBackground(io, log), log };
}

function startInBackground(io: Io, log: string): ChildProcess {
  const program = join(dirname(fileURLToPath(import.meta.url)), 'choo.cjs');
  const file = openSync(log, 'ax', 0o600);
  try {
    const child = spawn(process.execPath, [...process.execArgv, program, ...io.argv], {
      cwd: io.cwd, env: detachedEnvironment(io.env, log), detached: true, stdio: ['ignore', file, file, 'pipe'],
    });
    child.unref();
    return child;
  } finally {
    closeSync(file);
  }
}

/** What the background part says first; undefined when it ends without a word. */
async function firstNews(child: ChildProcess, signal?: AbortSignal): Promise<Opened | undefined> {
  const news = child.stdio[NEWS];
  if (!(news instanceof Readable)) return undefined;
  try {
    for await (const line of createInterface({ input: news, ...(signal === undefined ? {} : { signal }) })) return JSON.parse(line) as Opened;
    return undefined;
  } finally {
    news.destroy();
  }
}

/** Prints what the background part said before it ended, and gives back its exit code. */
async function relay(o: { readonly child: ChildProcess; readonly log: string }, io: Io): Promise<number> {
  const { child, log } = o;
  if (child.exitCode === null && child.signalCode === null) {
    child.ref();
    await once(child, 'exit');
  }
  const code = child.exitCode ?? 1;
  if (existsSync(log)) {
    (code === 0 ? io.out : io.err).write(readFileSync(log, 'utf8'));
    rmSync(log, { force: true });
  }
  if (child.signalCode !== null) io.err.write(`the run was ended by ${child.signalCode} before it was open\n`);
  return code;
}

/** In the background part: the run is open. Moves the output's file into the run's folder and tells the foreground. */
export function tellOpened(o: { readonly log: string; readonly run: number; readonly journal: string; readonly web?: string }): void {
  const folder = dirname(o.journal);
  let n = 1;
  while (existsSync(join(folder, `detached-${n}.log`))) n++;
  const opened: Opened = { run: o.run, pid: process.pid, log: join(folder, `detached-${n}.log`), ...(o.web === undefined ? {} : { web: o.web }) };
  renameSync(o.log, opened.log);
  try {
    writeSync(NEWS, `${JSON.stringify(opened)}\n`);
    closeSync(NEWS);
  } catch (error) {
    // The foreground has gone meanwhile; the run goes on without it.
    if (errnoOf(error) !== 'EPIPE' && errnoOf(error) !== 'EBADF') throw error;
  }
}
