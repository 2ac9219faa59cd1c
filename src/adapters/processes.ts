// Runs one program at a time to its very end: limits, stopping, output, conversation. How it is held is containment.ts.

import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { Bug } from '../core/bug.ts';
import { BOUNDS } from '../core/limits.ts';
import type { Clock, Command, CommandResult, Control, Processes } from '../world.ts';
import { chooseContainment } from './containment.ts';
import { talk, type Talk } from './dialogue.ts';
import { childEnvironment } from './environment.ts';
import type { Containment, ContainMode, Held, Settled } from './held.ts';
import { startKeeper } from './keeper.ts';
import { openOutputLog, type OutputLog } from './output-log.ts';
import { NO_INPUT, openPipes, type Input, type OutputPipe, type Pipes } from './pipes.ts';
import { findProgram } from './program.ts';
import type { Redactor } from './redact.ts';
import { MARK_VARIABLE } from './sweep.ts';

/** Time for output still in a pipe after everything has ended; only used up when somebody outside got hold of the pipe, ms. */
const DRAIN = 2000;

/** Given to `abort`, which would otherwise make an exception with a stack for every command. */
const OVER = 'over';

/** How programs are run. Times in ms. */
export interface ProcessOptions {
  readonly contain: 'auto' | ContainMode;
  /** The user's environment; see `childEnvironment` for what children see of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Takes secrets out of logs and tails; a dialogue hears them all the same. Absent: they stay. */
  readonly redactor?: Redactor;
  /** Between asking a program at its time limit to end and killing it. */
  readonly killGraceMs?: number;
  /** The same after `Control.interrupt`; absent: `killGraceMs`. */
  readonly interruptGraceMs?: number;
  /** After its dialogue said that it is done, until it is ended. */
  readonly doneGraceMs?: number;
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
  const pipes = await openPipes();
  const keeper = startKeeper(pipes.folder);
  const outer = options.env[MARK_VARIABLE];
  const env = childEnvironment(options.env, outer === undefined ? {} : { [MARK_VARIABLE]: outer });
  const containment = await chooseContainment(options.contain, { env, clock: options.clock, keeper }).catch(async (error: unknown) => {
    await keeper.close();
    throw error;
  });
  const closing = new AbortController();
  // Every program listens, and there may be more of them than Node takes for a leak.
  setMaxListeners(0, closing.signal);
  const shop: Shop = { options, containment, pipes, env, closing: closing.signal };
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
      await containment.close();
      await keeper.close();
      await pipes.close();
    },
  };
}

/** What all commands share. */
interface Shop {
  readonly options: ProcessOptions;
  readonly containment: Containment;
  readonly pipes: Pipes;
  /** What every program sees. */
  readonly env: Readonly<Record<string, string>>;
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
  const result = await runLogged(shop, { ...job, log });
  const output = command.wantOutput === true ? log.output() : undefined;
  return output === undefined ? result : { ...result, output };
}

async function runLogged(shop: Shop, { log, ...job }: Job & { readonly log: OutputLog }): Promise<CommandResult> {
  const { command } = job;
  try {
    const program = findProgram(command.argv[0] ?? '', { cwd: command.cwd, path: command.env['PATH'] ?? shop.env['PATH'] });
    if ('code' in program) {
      return notStarted({ shop, log }, program.code, `${command.argv[0]}: ${program.code === 127 ? 'command not found' : 'cannot be executed'}`);
    }
    if ([...command.argv, command.cwd, ...Object.entries(command.env).flat()].some((word) => word.includes('\0'))) {
      return notStarted({ shop, log }, 126, `${command.argv[0]}: a word of the command holds a NUL byte`);
    }
    return await runProgram({ shop, job, log, argv: [program.path, ...command.argv.slice(1)] });
  } finally {
    log.close();
  }
}

function notStarted({ shop, log }: { readonly shop: Shop; readonly log: OutputLog }, code: 126 | 127, why: string): CommandResult {
  log.write(Buffer.from(`choo: ${withoutSecrets(shop, why)}\n`));
  return { code, cut: false, leftovers: false, tail: log.tail() };
}

function withoutSecrets({ options: { redactor } }: Shop, text: string): string {
  return redactor === undefined ? text : redactor.text(text);
}

/** Where the bytes of one pipe go: without secrets into the log. Each pipe has its own, because a secret comes in one piece of one pipe. */
function intoLog({ options: { redactor } }: Shop, log: OutputLog): { readonly push: (chunk: Buffer) => void; readonly end: () => void } {
  return redactor === undefined ? { push: (chunk) => log.write(chunk), end: () => undefined } : redactor.stream((bytes) => log.write(bytes));
}

/** Everything needed to start one program that exists. */
interface Start {
  readonly shop: Shop;
  readonly job: Job;
  readonly log: OutputLog;
  readonly argv: readonly string[];
}

async function runProgram(start: Start): Promise<CommandResult> {
  const { shop, job: { command }, log } = start;
  const stdout = await shop.pipes.output();
  // One pipe for both keeps the order exactly; a conversation needs stdout apart.
  const stderr = command.dialogue?.receive === undefined ? stdout : await shop.pipes.output();
  const pipes = stdout === stderr ? [stdout] : [stdout, stderr];
  const stdin = await inputFor(shop, command);
  const held = await startHeld(start, { stdin, stdout, stderr });
  const begun = held.begun.then(() => {
    for (const stream of [stdin, ...pipes]) stream.begun();
  });
  let defect: Error | undefined;
  const conversation = talk({
    stdin: stdin.writer,
    dialogue: command.dialogue,
    failed: (error) => {
      defect ??= error;
      watch.abandon();
    },
    progress: () => watch.heard(),
    end: (how) => watch.end(how),
  });
  const watch = watchProgram(start, { held, conversation });
  const kept = pipes.map(() => intoLog(shop, log));
  const read = pipes.map((pipe, i) => readPipe(pipe, (chunk) => {
    kept[i]?.push(chunk);
    // In a conversation each line says itself whether it is a sign of progress.
    if (pipe !== stdout || command.dialogue?.receive === undefined) watch.heard();
    if (pipe === stdout) conversation.hear(chunk);
  }));
  await held.ended;
  watch.over();
  const settled = await held.settle();
  await begun;
  stdin.done();
  await drain(shop.options.clock, { pipes, read });
  for (const one of kept) one.end();
  conversation.finish();
  if (defect !== undefined) throw defect;
  if (settled.trouble !== undefined) return notStarted({ shop, log }, ...explain(command, settled));
  // Once more, because what colours or a redrawn line had torn apart is whole in the tail.
  return resultOf({ settled, reason: watch.reason(), tail: withoutSecrets(shop, log.tail()) });
}

/** Standard input: a file with the prompt, a pipe for a conversation, or nothing. */
async function inputFor({ pipes }: Shop, { dialogue }: Command): Promise<Input> {
  if (dialogue === undefined) return NO_INPUT;
  return dialogue.oneShot ? pipes.file(dialogue.first) : pipes.conversation();
}

function startHeld({ shop, job: { command, mark }, argv }: Start, streams: { readonly stdin: Input; readonly stdout: OutputPipe; readonly stderr: OutputPipe }): Promise<Held> {
  const outer = shop.env[MARK_VARIABLE];
  const env = { ...command.env, [MARK_VARIABLE]: outer === undefined ? mark : `${outer}/${mark}` };
  return shop.containment.start({ argv, cwd: resolvePath(command.cwd), env, mark, ...streams });
}

function explain({ cwd, argv }: Command, { code, trouble }: Settled): [126 | 127, string] {
  if (!existsSync(cwd)) return [126, `the working folder ${cwd} does not exist`];
  return [code === 127 ? 127 : 126, `${argv[0]} cannot be started: ${trouble}`];
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
  if (!pipes.every(({ reader }) => reader.readableEnded)) {
    const all = new AbortController();
    const everything = Promise.all(read).then(() => all.abort(OVER));
    await Promise.race([everything, clock.sleep(DRAIN, all.signal)]);
  }
  for (const pipe of pipes) pipe.done({ ended: pipe.reader.readableEnded });
}

type Reason = 'cut' | 'idle' | 'total' | 'done' | 'stop' | 'defect';

function resultOf({ settled, reason, tail }: { readonly settled: Settled; readonly reason: Reason | undefined; readonly tail: string }): CommandResult {
  const { code, signal, leftovers } = settled;
  const limit = reason === 'idle' || reason === 'total' ? { limit: reason } : {};
  const ended = reason === 'done' || reason === 'stop' ? { ended: reason } : {};
  return { code, ...(signal === undefined ? {} : { signal }), ...limit, ...ended, cut: reason === 'cut', leftovers, tail };
}

// ---------------------------------------------------------------- limits and stopping

interface Watch {
  /** There was output. */
  heard(): void;
  /** The program has ended; no timer and no listener stays. */
  over(): void;
  /** The conversation is over: the program is ended at once (`stop`), or when it has not ended by itself after a while (`done`). */
  end(how: 'done' | 'stop'): void;
  /** Kills the program because of a defect of ours. */
  abandon(): void;
  /** Why it was ended, if it was. */
  reason(): Reason | undefined;
}

function watchProgram({ shop, job: { command, control } }: Start, subject: { readonly held: Held; readonly conversation: Talk }): Watch {
  const { clock, killGraceMs = BOUNDS.killGrace, interruptGraceMs = killGraceMs, doneGraceMs = BOUNDS.doneGrace } = shop.options;
  const { held, conversation } = subject;
  const over = new AbortController();
  let reason: Reason | undefined;
  let lastHeard = clock.steady();

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
  let ending = false;
  const endAs = async (how: 'done' | 'stop'): Promise<void> => {
    if (how === 'done' && ending) return;
    ending = true;
    if (how === 'done') await clock.sleep(doneGraceMs, over.signal);
    await stop(how, killGraceMs);
  };
  // By the steady clock: a machine that slept, or whose time is set, has not made the program idle.
  const quietLeft = (idleMs: number): number => lastHeard + idleMs - clock.steady();

  const signals: readonly (readonly [AbortSignal, () => void])[] = [
    [control.interrupt, () => { void stop('cut', interruptGraceMs); }],
    [control.kill, () => kill('cut')],
    [shop.closing, () => kill('cut')],
  ];
  for (const [signal, react] of signals) {
    if (signal.aborted) react();
    else signal.addEventListener('abort', react);
  }
  void limitTotal();
  if (command.idleMs !== undefined && command.idleMs > 0) void limitIdle(command.idleMs);
  return {
    heard: () => { lastHeard = clock.steady(); },
    over: () => {
      for (const [signal, react] of signals) signal.removeEventListener('abort', react);
      over.abort(OVER);
    },
    end: (how) => { void endAs(how); },
    abandon: () => kill('defect'),
    reason: () => reason,
  };
}
