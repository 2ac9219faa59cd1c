// Runs one program at a time to its very end: limits, stopping, output, conversation. How it is held is containment.ts.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync } from 'node:fs';
import { Bug } from '../core/bug.ts';
import { BOUNDS } from '../core/limits.ts';
import type { Clock, Command, CommandResult, Control, Processes } from '../world.ts';
import { chooseContainment, type ContainMode, type Containment, type Held, type Settled } from './containment.ts';
import { talk, type Talk } from './dialogue.ts';
import { childEnvironment } from './environment.ts';
import { errnoOf } from './errno.ts';
import { startKeeper, type Keeper } from './keeper.ts';
import { openOutputLog, type OutputLog } from './output-log.ts';
import { openPipes, type OutputPipe, type Pipes } from './pipes.ts';
import { findProgram } from './program.ts';
import { MARK_VARIABLE } from './sweep.ts';

/** Time for output still in a pipe after everything has ended; only used up when somebody outside got hold of the pipe, ms. */
const DRAIN = 2000;

/** How programs are run. Times in ms. */
export interface ProcessOptions {
  readonly contain: 'auto' | ContainMode;
  /** The user's environment; see `childEnvironment` for what children see of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Between asking a program at its time limit to end and killing it. */
  readonly killGraceMs?: number;
  /** The same after `Control.interrupt`; absent: `killGraceMs`. */
  readonly interruptGraceMs?: number;
  /** Names this choo in the environment of all it starts; letters, digits, `-` and `_`. */
  readonly marker: string;
}

/** The real thing, with what its owner needs. */
export interface OpenProcesses extends Processes {
  readonly mode: ContainMode;
  /** Kills everything still running and resolves when it is gone; nothing can be run afterwards. */
  close(): Promise<void>;
}

/** Finds out how programs can be held and opens the way to run them. Rejects with ContainmentUnavailable when `contain` asks for more than there is. */
export async function openProcesses(options: ProcessOptions): Promise<OpenProcesses> {
  if (!/^[\w-]+$/.test(options.marker)) throw new Bug(`not a marker: ${options.marker}`);
  const containment = await chooseContainment(options.contain, options.clock);
  const pipes = await openPipes();
  const closing = new AbortController();
  const shop: Shop = { options, containment, pipes, keeper: startKeeper(pipes.folder), closing: closing.signal };
  const running = new Set<Promise<CommandResult>>();
  let count = 0;
  return {
    mode: containment.mode,
    run: (command, control) => {
      if (closing.signal.aborted) return Promise.reject(new Bug('run after close'));
      count += 1;
      const result = runCommand(shop, { command, control, mark: `${options.marker}.${count}` });
      running.add(result);
      const forget = (): void => { running.delete(result); };
      result.then(forget, forget);
      return result;
    },
    close: async () => {
      closing.abort();
      await Promise.allSettled(running);
      await shop.keeper.close();
      await pipes.close();
    },
  };
}

/** What all commands share. */
interface Shop {
  readonly options: ProcessOptions;
  readonly containment: Containment;
  readonly pipes: Pipes;
  readonly keeper: Keeper;
  readonly closing: AbortSignal;
}

/** One command and what steers it. */
interface Job {
  readonly command: Command;
  readonly control: Control;
  readonly mark: string;
}

async function runCommand(shop: Shop, job: Job): Promise<CommandResult> {
  const { command, control } = job;
  if (control.kill.aborted || control.interrupt.aborted) return { code: null, cut: true, leftovers: false, tail: '' };
  const log = openOutputLog(command.log, command.outputLimit);
  try {
    const env = environmentFor(shop, job);
    const program = findProgram(command.argv[0] ?? '', { cwd: command.cwd, path: env['PATH'] });
    if ('code' in program) {
      return notStarted(log, program.code, `${command.argv[0]}: ${program.code === 127 ? 'command not found' : 'cannot be executed'}`);
    }
    return await runProgram({ shop, job, log, env, argv: [program.path, ...command.argv.slice(1)] });
  } finally {
    log.close();
  }
}

function environmentFor({ options }: Shop, { command, mark }: Job): Record<string, string> {
  const outer = options.env[MARK_VARIABLE];
  return childEnvironment(options.env, { ...command.env, [MARK_VARIABLE]: outer === undefined ? mark : `${outer}/${mark}` });
}

function notStarted(log: OutputLog, code: 126 | 127, why: string): CommandResult {
  log.write(Buffer.from(`choo: ${why}\n`));
  return { code, cut: false, leftovers: false, tail: log.tail() };
}

/** Everything needed to start one program that exists. */
interface Start {
  readonly shop: Shop;
  readonly job: Job;
  readonly log: OutputLog;
  readonly env: Record<string, string>;
  readonly argv: readonly string[];
}

async function runProgram(start: Start): Promise<CommandResult> {
  const { shop, job: { command }, log } = start;
  const out = await shop.pipes.take();
  // One pipe for both keeps the order exactly; a conversation needs stdout apart.
  const err = command.dialogue?.receive === undefined ? out : await shop.pipes.take();
  const pipes = out === err ? [out] : [out, err];
  const input = await inputFor(shop, command);
  const child = startChild(start, { input, out, err });
  const ended = endOf(child);
  for (const pipe of pipes) pipe.started();
  if (typeof input === 'number') closeSync(input);
  if (child.pid === undefined) {
    const ending = await ended;
    for (const pipe of pipes) pipe.done({ ended: true });
    return notStarted(log, ...explain(ending.error, command));
  }
  shop.keeper.add(child.pid);
  const held = await shop.containment.hold(child, start.job.mark);
  let defect: Error | undefined;
  const conversation = talk({
    stdin: child.stdin,
    dialogue: command.dialogue,
    failed: (error) => {
      defect ??= error;
      watch.abandon();
    },
  });
  const watch = watchProgram(start, { held, conversation });
  const read = pipes.map((pipe) => readPipe(pipe, (chunk) => {
    watch.heard();
    log.write(chunk);
    if (pipe === out) conversation.hear(chunk);
  }));
  const ending = await ended;
  shop.keeper.remove(child.pid);
  watch.over();
  const settled = await held.settle(ending);
  await drain(shop.options.clock, { pipes, read });
  conversation.finish();
  if (defect !== undefined) throw defect;
  if (settled.trouble !== undefined) log.write(Buffer.from(`choo: ${settled.trouble}`));
  return resultOf({ settled, reason: watch.reason(), tail: log.tail() });
}

/** Standard input: an open file with the prompt, a pipe for a conversation, or nothing. */
async function inputFor(shop: Shop, { dialogue }: Command): Promise<number | 'pipe' | 'ignore'> {
  if (dialogue === undefined) return 'ignore';
  // A file can be read as slowly as the program likes, or not at all, and nobody waits.
  return dialogue.oneShot ? shop.pipes.input(dialogue.first) : 'pipe';
}

interface Streams {
  readonly input: number | 'pipe' | 'ignore';
  readonly out: OutputPipe;
  readonly err: OutputPipe;
}

function startChild({ shop, job, env, argv }: Start, { input, out, err }: Streams): ChildProcess {
  const [program, ...args] = shop.containment.wrap(argv);
  const stdio = [input, out.writer, ...shop.containment.errorAndMore(err.writer)];
  return spawn(program ?? '', args, { cwd: job.command.cwd, env, detached: true, stdio });
}

interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

function endOf(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });
}

function explain(error: Error | undefined, { cwd, argv }: Command): [126 | 127, string] {
  if (!existsSync(cwd)) return [126, `the working folder ${cwd} does not exist`];
  const code = errnoOf(error) === 'ENOENT' ? 127 : 126;
  return [code, `${argv[0]} cannot be started: ${error?.message ?? 'unknown reason'}`];
}

/** Resolves to true at the end of the pipe, to false when it was closed before. */
function readPipe({ reader }: OutputPipe, take: (chunk: Buffer) => void): Promise<boolean> {
  return new Promise((resolve) => {
    reader.on('data', take);
    reader.once('end', () => resolve(true));
    reader.once('error', () => resolve(false));
    reader.once('close', () => resolve(false));
  });
}

/** Reads what is left in the pipes, for a limited time, and gives them back. */
async function drain(clock: Clock, { pipes, read }: { readonly pipes: readonly OutputPipe[]; readonly read: readonly Promise<boolean>[] }): Promise<void> {
  const all = new AbortController();
  const everything = Promise.all(read).then(() => all.abort());
  await Promise.race([everything, clock.sleep(DRAIN, all.signal)]);
  for (const pipe of pipes) pipe.done({ ended: pipe.reader.readableEnded });
}

type Reason = 'cut' | 'idle' | 'total' | 'defect';

function resultOf({ settled, reason, tail }: { readonly settled: Settled; readonly reason: Reason | undefined; readonly tail: string }): CommandResult {
  const { code, signal, leftovers } = settled;
  const limit = reason === 'idle' || reason === 'total' ? { limit: reason } : {};
  return { code, ...(signal === undefined ? {} : { signal }), ...limit, cut: reason === 'cut', leftovers, tail };
}

// ---------------------------------------------------------------- limits and stopping

interface Watch {
  /** There was output. */
  heard(): void;
  /** The program has ended; no timer and no listener stays. */
  over(): void;
  /** Kills the program because of a defect of ours. */
  abandon(): void;
  /** Why it was ended, if it was. */
  reason(): Reason | undefined;
}

function watchProgram({ shop, job: { command, control } }: Start, subject: { readonly held: Held; readonly conversation: Talk }): Watch {
  const { clock, killGraceMs = BOUNDS.killGrace, interruptGraceMs = killGraceMs } = shop.options;
  const { held, conversation } = subject;
  const over = new AbortController();
  let reason: Reason | undefined;
  let lastHeard = clock.now();

  const kill = (why: Reason): void => {
    reason ??= why;
    if (!over.signal.aborted) void held.kill();
  };
  const stop = async (why: Reason, grace: number): Promise<void> => {
    if (reason !== undefined || over.signal.aborted) return;
    reason = why;
    let left = grace;
    if (conversation.interrupt()) {
      left = grace / 2;
      await clock.sleep(grace - left, over.signal);
    }
    if (!over.signal.aborted) await held.terminate();
    await clock.sleep(left, over.signal);
    kill(why);
  };
  const limitTotal = async (): Promise<void> => {
    await clock.sleep(command.totalMs, over.signal);
    await stop('total', killGraceMs);
  };
  const limitIdle = async (idleMs: number): Promise<void> => {
    for (let left = idleMs; left > 0 && !over.signal.aborted; left = quietLeft(idleMs)) await clock.sleep(left, over.signal);
    await stop('idle', killGraceMs);
  };
  // The machine's time may be set back while we wait.
  const quietLeft = (idleMs: number): number => Math.min(idleMs, lastHeard + idleMs - clock.now());

  const signals: readonly (readonly [AbortSignal, () => void])[] = [
    [control.interrupt, () => { void stop('cut', interruptGraceMs); }],
    [control.kill, () => kill('cut')],
    [shop.closing, () => kill('cut')],
  ];
  for (const [signal, react] of signals) {
    if (signal.aborted) react();
    else signal.addEventListener('abort', react, { once: true, signal: over.signal });
  }
  void limitTotal();
  if (command.idleMs !== undefined && command.idleMs > 0) void limitIdle(command.idleMs);
  return {
    heard: () => { lastHeard = clock.now(); },
    over: () => over.abort(),
    abandon: () => kill('defect'),
    reason: () => reason,
  };
}
