// A git command that stays and answers one question after the other over its stdin, in a fraction of a process's time.
// It promises nothing but speed: when it refuses or dies the question fails, and whoever asked does it by a command of its own.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { GitError } from '../../world.ts';
import { placeVariables } from './exec.ts';
import type { GitRunner, Place } from './exec.ts';

/** The length of a whole answer at the start of what was printed, or undefined when more has to come. */
export type AnswerLength = (printed: Buffer) => number | undefined;

/** A standing command. Safe to call concurrently; questions are asked one at a time. */
export interface Standing {
  /** Writes a question and gives the answer's bytes. Throws GitError when the command ended instead; it may have done what was asked. */
  ask(question: string, length: AnswerLength): Promise<Buffer>;
  /** How often a process was made. What it was told before counts only as long as this stays the same. */
  starts(): number;
  /** Resolves when its process has ended. */
  close(): Promise<void>;
}

/** Starts nothing yet; the process is made with the first question and made again after it ended. */
export function openStanding(git: GitRunner, o: { readonly at: Place; readonly args: readonly string[] }): Standing {
  let child: ChildProcess | undefined;
  let starts = 0;
  let last: Promise<unknown> = Promise.resolve();
  const start = (): ChildProcess => {
    starts += 1;
    const made = spawn('git', ['-C', o.at.cwd, ...o.args], {
      cwd: '/', env: { ...git.environment, ...placeVariables(o.at) }, stdio: ['pipe', 'pipe', 'ignore'], detached: true,
    });
    const forget = (): void => {
      if (child === made) child = undefined;
    };
    made.on('close', forget);
    made.on('error', forget);
    // Told to whoever asks; without a question it only means that the process has ended.
    made.stdin?.on('error', forget);
    // What stands idle must not keep choo from ending; `once` refers to it while there is a question.
    made.unref();
    for (const stream of made.stdio) if (stream instanceof Socket) stream.unref();
    return made;
  };
  return {
    ask: (question, length) => {
      const mine = last.then(() => once((child ??= start()), { question, length, command: `git ${o.args.join(' ')}` }));
      last = mine.catch(() => undefined);
      return mine;
    },
    starts: () => starts,
    close: async () => {
      if (child === undefined) return;
      child.ref();
      const ended = new Promise<void>((resolve) => { child?.once('close', () => resolve()); child?.once('error', () => resolve()); });
      child.stdin?.end();
      await ended;
    },
  };
}

function once(child: ChildProcess, o: { readonly question: string; readonly length: AnswerLength; readonly command: string }): Promise<Buffer> {
  child.ref();
  return new Promise((resolve, reject) => {
    let printed: Buffer = Buffer.alloc(0);
    const finish = (end: () => void): void => {
      child.stdout?.off('data', hear);
      child.off('close', ended);
      child.off('error', ended);
      child.stdin?.off('error', ended);
      child.unref();
      end();
    };
    const ended = (): void => finish(() => {
      child.kill('SIGKILL');
      reject(new GitError(o.command, 'it ended without an answer'));
    });
    const hear = (chunk: Buffer): void => {
      printed = printed.length === 0 ? chunk : Buffer.concat([printed, chunk]);
      const size = o.length(printed);
      if (size === undefined) return;
      // Anything after the answer was not asked for: the two of us are out of step.
      finish(() => (size === printed.length ? resolve(printed) : ended()));
    };
    child.stdout?.on('data', hear);
    child.on('close', ended);
    child.on('error', ended);
    child.stdin?.on('error', ended);
    child.stdin?.write(o.question);
  });
}
