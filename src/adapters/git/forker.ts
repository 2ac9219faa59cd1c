// Starts git through small long-lived shells. Forking out of choo itself blocks its loop the longer the larger it has grown
// (1.8 ms a command at 100 MB); a shell of 1 MB forks in a fraction of that. Words travel as data on its stdin, never as code.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../errno.ts';

/** A command for a shell to start: all words are plain text without line breaks. */
export interface Fork {
  readonly argv: readonly string[];
  /** Added to the environment the shells were started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: string | Buffer;
  /** Told how to end the command early, signal by signal. */
  readonly started: (kill: (signal: 'SIGTERM' | 'SIGKILL') => void) => void;
}

/** What came of it. A code over 128 may be a signal's. */
export interface Forked {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A shell ended while its command ran: nobody knows what the command did. */
export class ShellEnded extends Error {
  override name = 'ShellEnded';
}

/** A few shells that start commands, one at a time each. */
export interface Forker {
  /** Runs a command, or gives undefined when a shell cannot be given it: start it another way. Throws ShellEnded. */
  run(fork: Fork): Promise<Forked | undefined>;
  /** Ends the shells. */
  close(): void;
}

/** Shells that wait for work; more are started when needed and ended afterwards. */
const KEPT_SHELLS = 8;
/** Reads the number of variables and of words, then those, a line each; runs the words; prints the exit code. */
const SHELL = `trap : PIPE
while IFS= read -r m && IFS= read -r n; do
(
while [ "$m" -gt 0 ]; do IFS= read -r w; export "$w"; m=$((m-1)); done
set --
while [ "$n" -gt 0 ]; do IFS= read -r w; set -- "$@" "$w"; n=$((n-1)); done
exec "$@" <"$CHOO_FORK/in" >"$CHOO_FORK/out" 2>"$CHOO_FORK/err"
)
echo $?
done
rm -rf -- "$CHOO_FORK"`;
const PLAIN = /^[^\n\r\0]*$/;

interface Shell {
  readonly child: ChildProcess;
  readonly folder: string;
  /** Called with the exit code, or undefined when the shell ended. */
  done: ((code: number | undefined) => void) | undefined;
  usedInput: boolean;
}

/** Opens the way to start commands with an environment; starts no shell yet. */
export function openForker(env: Readonly<Record<string, string>>): Forker {
  const idle: Shell[] = [];
  const all = new Set<Shell>();
  let closed = false;
  const start = (): Shell => {
    const shell = startShell(mkdtempSync(join(tmpdir(), 'choo-shell-')), env);
    all.add(shell);
    shell.child.on('close', () => {
      all.delete(shell);
      rmSync(shell.folder, { recursive: true, force: true });
      idle.splice(0, idle.length, ...idle.filter((other) => other !== shell));
      shell.done?.(undefined);
    });
    return shell;
  };
  return {
    run: async (fork) => {
      const words = [...Object.entries(fork.env).map(([name, value]) => `${name}=${value}`), ...fork.argv];
      if (closed || !words.every((word) => PLAIN.test(word))) return undefined;
      const shell = idle.pop() ?? start();
      const forked = await runIn(shell, fork, words);
      if (!closed && idle.length < KEPT_SHELLS) idle.push(shell);
      else shell.child.stdin?.end();
      return forked;
    },
    close: () => {
      closed = true;
      for (const shell of all) shell.child.stdin?.end();
    },
  };
}

function startShell(folder: string, env: Readonly<Record<string, string>>): Shell {
  // A session of its own: Ctrl-C at the terminal does not cut git in two, and no passphrase is asked there.
  const child = spawn('sh', ['-c', SHELL], { cwd: '/', env: { ...env, CHOO_FORK: folder }, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const shell: Shell = { child, folder, done: undefined, usedInput: true };
  child.on('error', () => shell.done?.(undefined));
  child.stdin.on('error', () => shell.done?.(undefined));
  child.stdout.on('data', (chunk: Buffer) => shell.done?.(Number(chunk.toString('latin1').trim())));
  return shell;
}

async function runIn(shell: Shell, fork: Fork, words: readonly string[]): Promise<Forked> {
  if (shell.usedInput || fork.input.length > 0) writeFileSync(join(shell.folder, 'in'), fork.input);
  shell.usedInput = fork.input.length > 0;
  const ended = new Promise<number | undefined>((resolve) => { shell.done = resolve; });
  fork.started((signal) => signalGroup(shell.child.pid, signal));
  const variables = Object.keys(fork.env).length;
  shell.child.stdin?.write(`${variables}\n${words.length - variables}\n${words.join('\n')}\n`);
  const code = await ended;
  shell.done = undefined;
  if (code === undefined) throw new ShellEnded('the shell that ran a command ended');
  return { code, stdout: readFileSync(join(shell.folder, 'out')), stderr: readFileSync(join(shell.folder, 'err'), 'utf8') };
}

function signalGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
