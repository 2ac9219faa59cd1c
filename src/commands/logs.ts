// `choo logs`: what an attempt's agent did or printed, and what its check said. Finds the attempt; following it is follow.ts,
// reading an agent's messages its own machine.

import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { systemClock } from '../adapters/clock.ts';
import { errnoOf } from '../adapters/errno.ts';
import type { Agent } from '../agents/agent.ts';
import { Replay } from '../agents/replay.ts';
import type { Told } from '../agents/replay.ts';
import { must, unreachable } from '../core/bug.ts';
import { shellWord } from '../core/clean.ts';
import { isAttempt } from '../core/event.ts';
import type { AttemptBegun } from '../core/event.ts';
import { didYouMean } from '../discovery/suggest.ts';
import { refuse } from '../opening/refusal.ts';
import { lookAt } from '../opening/rest.ts';
import type { Look } from '../opening/rest.ts';
import { redactorFor } from '../opening/place.ts';
import { renderActivity, renderTrouble, renderUsage } from '../show/activity.ts';
import { safeOutput } from '../show/output.ts';
import { report } from './errors.ts';
import { firstAttempt, follow } from './follow.ts';
import type { LiveRun } from './follow.ts';
import type { Io } from './io.ts';
import { listeningAgent } from './listening.ts';
import { LiveLog } from './live-log.ts';

/** What `choo logs` was asked for; without task and attempt the newest of the unit. */
export interface LogsOptions {
  readonly unit: string;
  readonly task?: number;
  readonly attempt?: number;
  /** Go on until the attempt has ended. */
  readonly follow?: boolean;
  /** The log as it is, although it is in the agent's own protocol. */
  readonly raw?: boolean;
}

/** Prints an attempt's output: of an agent that tells what it does in messages, what they say. `agentNamed`: the machine for such an agent's messages. */
export async function logs(o: LogsOptions, io: Io, agentNamed: (name: string) => Agent | undefined = listeningAgent): Promise<number> {
  try {
    await printLogs(o, { io, agentNamed });
    return 0;
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

/** The same; throws a Refusal when there is no such unit or attempt. */
export async function printLogs(o: LogsOptions, { io, agentNamed }: { readonly io: Io; readonly agentNamed: (name: string) => Agent | undefined }): Promise<void> {
  const look = await lookAt(io.cwd, io.env);
  await look.repository.git.close();
  const { runDir, run, commonDir, socket } = look;
  if (runDir === undefined || run === undefined) throw refuse('no-run', 'there was no run yet', 'start one: choo run');
  const live = o.follow === true && look.holder?.state === 'live' ? { commonDir, run, socket, reader: io.out } : undefined;
  const begun = newestAttempt(look, o) ?? (live === undefined ? undefined : await awaited(live, { o, io }));
  if (begun === undefined || typeof begun === 'string') return withoutAttempt(o, { io, runDir, why: begun });
  const { write, endLine } = outputWriter(io);
  io.err.write(`${headline(begun)}\n`);
  const agent = o.raw === true ? undefined : agentNamed(begun.agent);
  const reader = agent === undefined ? { take: write, end: () => undefined } : readerOf(agent, { io, write, unit: o.unit });
  if (live !== undefined) {
    const ended = await follow(live, { log: join(runDir, begun.log), begun, take: reader.take });
    reader.end();
    if (ended !== 'session') return;
    endLine();
    io.err.write('--- the session has ended\n');
    return;
  }
  reader.take(await new LiveLog(join(runDir, begun.log)).end());
  reader.end();
  const check = await textOf(join(runDir, begun.log.replace(/\.log$/, '.check.log')));
  if (check !== undefined) {
    endLine();
    io.err.write('--- its check\n');
    write(check);
  }
}

/** Takes a log in pieces and prints what its lines tell, and at its end what was used. */
export function readerOf(agent: Agent, o: { readonly io: Io; readonly write: (text: string) => void; readonly unit: string }): { readonly take: (text: string) => void; readonly end: () => void } {
  const { color } = o.io.out;
  const replay = new Replay(agent);
  // A message may spell a secret in a way that is only plain once it has been read.
  const redactor = redactorFor(o.io.env, undefined);
  const print = (told: readonly Told[]): void => {
    for (const one of told) o.write(`${redactor.text(lineOf(one, color))}\n`);
  };
  return {
    take: (text) => print(replay.feed(text, systemClock().now())),
    end: () => {
      print(replay.end(systemClock().now()));
      if (replay.usage !== undefined) o.write(`${renderUsage(replay.usage, { color })}\n`);
      if (replay.leftOut > 0) o.io.err.write(`--- ${replay.leftOut === 1 ? '1 message' : `${replay.leftOut} messages`} left out; all of them: choo logs ${shellWord(o.unit)} --raw\n`);
    },
  };
}

function lineOf(told: Told, color: boolean): string {
  switch (told.what) {
    case 'activity': return renderActivity(told.activity, { color });
    case 'trouble': return renderTrouble(told.trouble, { color });
    case 'output': return told.text;
    default: return unreachable(told);
  }
}

function headline(e: AttemptBegun): string {
  return `--- ${e.unit}, ${aim(e)}, attempt ${e.attempt}`;
}

/** What an attempt is for. */
function aim(e: AttemptBegun): string {
  if (e.type === 'review.started') return 'its review';
  if (e.type !== 'rework.started') return `task ${e.task}`;
  return `mending what ${e.reason === 'conflict' ? 'conflicts' : `the ${e.reason} found`}`;
}

/** The newest attempt that fits, or undefined when the unit has none yet. */
function newestAttempt(look: Look, o: LogsOptions): AttemptBegun | undefined {
  const { graph } = must(look.state, 'the state of a run with a journal');
  if (!graph.index.has(o.unit)) throw refuse('unknown-unit', `run ${look.run ?? 0} has no unit \`${o.unit}\``, didYouMean(o.unit, graph.index.keys()) ?? 'see: choo status');
  const all = (look.events ?? []).filter((e): e is AttemptBegun => isAttempt(e) && e.unit === o.unit);
  const fitting = all.filter((e) => fits(e, o));
  if (fitting.length === 0 && all.length > 0) throw refuse('unknown-attempt', `\`${o.unit}\` has had no such attempt`, `the newest is: ${headline(must(all.at(-1), 'an attempt')).replace('--- ', '')}`);
  return fitting.at(-1);
}

function fits(e: AttemptBegun, o: LogsOptions): boolean {
  return (o.task === undefined || ('task' in e && e.task === o.task)) && (o.attempt === undefined || e.attempt === o.attempt);
}

/** The unit's first attempt, once it has begun, or why it does not begin. */
function awaited(live: LiveRun, { o, io }: { readonly o: LogsOptions; readonly io: Io }): Promise<AttemptBegun | string> {
  return firstAttempt(live, { unit: o.unit, fits: (e) => fits(e, o), waits: () => io.err.write(`choo: ${o.unit} has had no attempt yet; this waits for one (Ctrl-C ends it)\n`) });
}

/** Before the first attempt there may be the output of setup. `why`: what keeps it from beginning. */
async function withoutAttempt(o: LogsOptions, at: { readonly io: Io; readonly runDir: string; readonly why: string | undefined }): Promise<void> {
  const setup = await textOf(join(at.runDir, 'logs', o.unit, 'setup.log'));
  at.io.err.write(`${o.unit} has ${at.why === undefined ? 'had no attempt yet' : `no attempt to follow: ${at.why}`}${setup === undefined ? '' : '; this is its setup'}\n`);
  if (setup !== undefined) outputWriter(at.io).write(setup);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Raw for files and programs; on a terminal without what would steer it. `endLine` ends a line that has no end yet. */
function outputWriter({ out }: Io): { readonly write: (text: string) => void; readonly endLine: () => void } {
  let within = false;
  return {
    write: (text) => {
      if (text === '') return;
      within = !text.endsWith('\n');
      // A prompt or progress without a line's end is still worth seeing; it is completed by what comes next.
      out.write(out.terminal ? text.split('\n').map(safeOutput).join('\n') : text);
    },
    endLine: () => {
      if (within) out.write('\n');
      within = false;
    },
  };
}
