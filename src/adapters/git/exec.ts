// Runs one git command: arguments as an array, a scrubbed environment, bounded time and output, bounded retries on locks.
// Knows nothing of what the commands mean.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { BOUNDS } from '../../core/limits.ts';
import { GitError } from '../../world.ts';
import type { Clock } from '../../world.ts';
import { errnoOf } from '../errno.ts';
import { openForker, ShellEnded } from './forker.ts';
import { ownerVariable } from './stragglers.ts';
import type { Forker } from './forker.ts';

/** Where a command works. With `gitDir` git looks nowhere else, whatever an agent made of the `.git` in `cwd`. */
export interface Place {
  readonly cwd: string;
  readonly gitDir?: string;
  readonly workTree?: string;
}

/** One git command. */
export interface GitCall {
  readonly at: Place;
  readonly args: readonly string[];
  readonly input?: string | Buffer;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers, not errors; default only 0. */
  readonly accept?: readonly number[];
  /** Time limit, ms; default `BOUNDS.gitCommand`. */
  readonly limitMs?: number;
  /** Ends the command early. */
  readonly signal?: AbortSignal;
}

/** What a git command answered. `code` is one of those the call accepts. */
export interface GitOutput {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs git commands with one environment. Safe to call concurrently. */
export interface GitRunner {
  readonly environment: Readonly<Record<string, string>>;
  readonly sleep: Clock['sleep'];
  /** Gives the answer, or throws GitError: another exit code, a signal, the time limit, a lock that stayed. */
  run(call: GitCall): Promise<GitOutput>;
  /** Deletes a folder with everything in it by a command of its own; false when something is left or there is no cheap way. */
  removeTree(path: string): Promise<boolean>;
  /** True when no file or folder below the top of `path` has this name, in any case of letters; false also when that is not certain. */
  holdsNo(path: string, name: string): Promise<boolean>;
  /** Ends the shells that start commands; commands may still be run, at a higher cost. */
  close(): void;
}

/** A program named git could not be started at all. */
export class GitMissing extends GitError {
  override name = 'GitMissing';
}

/** Given to `abort`, which would otherwise make an exception with a stack for every command. */
const OVER = 'over';
const MAX_STDOUT = 512 * 1024 * 1024;
const MAX_STDERR = 64 * 1024;
const FIRST_PAUSE_MS = 25;
/** Exit code of a shell that did not find the program. */
const MISSING = 127;
/** Exit codes from here on (but git's own 128 and 129) are those of a shell whose command was killed. */
const KILLED = 130;

/** Names which configuration files are the user's; every other `GIT_*` points at some repository or leaks from a hook. */
const KEPT = new Set(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM']);

/** Configuration that holds for every command; given by environment, so that nothing is written and keys may hold any character. */
const CONFIG: readonly (readonly [string, string])[] = [
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.quotePath', 'false'],
  ['submodule.recurse', 'false'],
  ['rerere.enabled', 'false'],
  ['merge.verifySignatures', 'false'],
  ['merge.autoStash', 'false'],
  ['status.submoduleSummary', 'false'],
  ['log.showSignature', 'false'],
  ['i18n.commitEncoding', 'UTF-8'],
  ['i18n.logOutputEncoding', 'UTF-8'],
];

/** Makes a runner from the environment choo was started with. With `many` commands are started cheaply, and it needs `close`. */
export function gitRunner(o: { readonly env: NodeJS.ProcessEnv; readonly sleep: Clock['sleep']; readonly many?: boolean; /** The whole environment, when it is not to be the usual one. */ readonly environment?: Readonly<Record<string, string>> }): GitRunner {
  const environment = o.environment ?? gitEnvironment(o.env);
  const forker = o.many === true ? openForker(environment) : undefined;
  return { environment, sleep: o.sleep, run: (call) => runRetrying({ call, environment, sleep: o.sleep, forker }), removeTree: (path) => removeTree(forker, path), holdsNo: (path, name) => holdsNo(forker, { path, name }), close: () => forker?.close() };
}

async function removeTree(forker: Forker | undefined, path: string): Promise<boolean> {
  try {
    const ran = await forker?.run({ argv: ['rm', '-rf', '--', path], env: {}, input: '', started: () => undefined });
    return ran?.code === 0;
  } catch (error) {
    if (error instanceof ShellEnded) return false;
    throw error;
  }
}

async function holdsNo(forker: Forker | undefined, o: { readonly path: string; readonly name: string }): Promise<boolean> {
  try {
    const ran = await forker?.run({ argv: ['find', o.path, '-mindepth', '2', '-iname', o.name], env: {}, input: '', started: () => undefined });
    return ran?.code === 0 && ran.stdout.length === 0;
  } catch (error) {
    if (error instanceof ShellEnded) return false;
    throw error;
  }
}

/** For commands with an index of their own: an index in parts would leave one of them in the user's git directory. */
export function ownIndex(path: string): { readonly GIT_INDEX_FILE: string } & Readonly<Record<string, string>> {
  return { GIT_INDEX_FILE: path, ...configVariables([['core.splitIndex', 'false']]) };
}

/** Configuration keys and values as the variables git reads them from, after those every command gets (`before`: or others instead of these). */
export function configVariables(more: readonly (readonly [string, string])[], before: readonly (readonly [string, string])[] = CONFIG): Record<string, string> {
  const all = [...before, ...more];
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(all.length) };
  all.forEach(([key, value], n) => {
    variables[`GIT_CONFIG_KEY_${n}`] = key;
    variables[`GIT_CONFIG_VALUE_${n}`] = value;
  });
  return variables;
}

/** The variables that tell git its place. */
export function placeVariables(at: Place): Record<string, string> {
  return { ...(at.gitDir === undefined ? {} : { GIT_DIR: at.gitDir }), ...(at.workTree === undefined ? {} : { GIT_WORK_TREE: at.workTree }) };
}

/** A command line for people, cut when long. */
function shownCommand(args: readonly string[]): string {
  const line = `git ${args.map((a) => (/^[\w@%+=:,./^{}-]+$/.test(a) ? a : JSON.stringify(a))).join(' ')}`;
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

function gitEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && (!name.startsWith('GIT_') || KEPT.has(name)));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    ...configVariables([]),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_EDITOR: 'true',
    // An agent can make these as easily as a commit; what choo proves and lands are the objects themselves.
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_GRAFT_FILE: '/dev/null',
    ...ownerVariable(),
  };
}

interface Job {
  readonly forker: Forker | undefined;
  readonly call: GitCall;
  readonly environment: Readonly<Record<string, string>>;
  readonly sleep: Clock['sleep'];
}

async function runRetrying(job: Job): Promise<GitOutput> {
  const shown = shownCommand(job.call.args);
  for (let tried = 1; ; tried += 1) {
    const output = await runOnce(job, shown);
    // An answer like 1 may also be how a command ends that met a lock.
    const lock = output.code === 0 ? undefined : lockNamed(output.stderr);
    if (lock === undefined && (job.call.accept ?? [0]).includes(output.code)) return output;
    if (lock === undefined) throw new GitError(shown, detailOf(output));
    if (tried >= BOUNDS.gitLockTries) throw new GitError(shown, `another git process seems to hold the lock ${lock} (tried ${tried} times); if none runs, remove that file\n${detailOf(output)}`);
    await job.sleep(FIRST_PAUSE_MS * 2 ** (tried - 1));
  }
}

/** The file in the way when git met another process. A ref that is not at its expected value is no lock. */
function lockNamed(stderr: string): string | undefined {
  return (/Unable to create '(.+\.lock)': File exists/.exec(stderr)
    ?? /could not lock config file (.+): File exists/.exec(stderr)
    // A worktree that another process is just registering or removing.
    ?? /failed to read (.+\/commondir)/.exec(stderr))?.[1];
}

function detailOf(output: GitOutput): string {
  const lines = output.stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('hint:'));
  const text = lines.slice(0, 6).join('\n').slice(0, 1500);
  return text === '' ? `exit code ${output.code}` : text;
}

async function runOnce(job: Job, shown: string): Promise<GitOutput> {
  const forked = job.forker === undefined ? undefined : await runForked(job, { forker: job.forker, shown });
  return forked ?? runSpawned(job, shown);
}

/** By a small shell; undefined when that cannot tell all: words with line breaks, a git that is missing or was killed, a flood of output. */
async function runForked(job: Job, o: { readonly forker: Forker; readonly shown: string }): Promise<GitOutput | undefined> {
  const { call } = job;
  const { shown } = o;
  const over = new AbortController();
  const limitMs = call.limitMs ?? BOUNDS.gitCommand;
  let late = false;
  const started = (kill: (signal: 'SIGTERM' | 'SIGKILL') => void): void => {
    void job.sleep(limitMs, over.signal).then(async () => {
      if (over.signal.aborted) return;
      late = true;
      kill('SIGTERM');
      await job.sleep(BOUNDS.killGrace, over.signal);
      if (!over.signal.aborted) kill('SIGKILL');
    });
  };
  try {
    const forked = await o.forker.run({ argv: ['git', '-C', call.at.cwd, ...call.args], env: { ...placeVariables(call.at), ...call.env }, input: call.input ?? '', started });
    if (late) throw new GitError(shown, `ended after ${limitMs} ms`);
    if (forked !== undefined && forked.stdout.length > MAX_STDOUT) throw new GitError(shown, `printed more than ${MAX_STDOUT} bytes`);
    if (forked !== undefined && forked.code >= KILLED) throw new GitError(shown, `killed by signal ${forked.code - 128}`);
    return forked?.code === MISSING ? undefined : forked;
  } catch (error) {
    if (error instanceof ShellEnded) throw new GitError(shown, late ? `ended after ${limitMs} ms` : 'the shell that ran it was killed');
    throw error;
  } finally {
    over.abort(OVER);
  }
}

async function runSpawned(job: Job, shown: string): Promise<GitOutput> {
  const { call } = job;
  // A session of its own: Ctrl-C at the terminal does not cut git in two, and no passphrase is asked there.
  const child = spawn('git', ['-C', call.at.cwd, ...call.args], {
    cwd: '/',
    env: { ...job.environment, ...placeVariables(call.at), ...call.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const over = new AbortController();
  const limitMs = call.limitMs ?? BOUNDS.gitCommand;
  let ended: 'time limit' | 'output limit' | 'stop' | undefined;
  const end = (why: typeof ended): void => {
    ended ??= why;
    void endGroup({ child, over: over.signal, sleep: job.sleep });
  };
  void job.sleep(limitMs, over.signal).then(() => (over.signal.aborted ? undefined : end('time limit')));
  const stop = (): void => end('stop');
  call.signal?.addEventListener('abort', stop, { once: true });
  if (call.signal?.aborted === true) stop();
  try {
    const output = await collect({ child, input: call.input ?? '', shown, tooMuch: () => end('output limit') });
    if (ended === 'stop') throw new GitError(shown, 'ended by a stop');
    if (ended !== undefined) throw new GitError(shown, ended === 'time limit' ? `ended after ${limitMs} ms` : `printed more than ${MAX_STDOUT} bytes`);
    if (output.code === null) throw new GitError(shown, `killed by ${output.signal ?? 'a signal'}`);
    return { code: output.code, stdout: output.stdout, stderr: output.stderr };
  } finally {
    call.signal?.removeEventListener('abort', stop);
    over.abort(OVER);
  }
}

async function endGroup(o: { readonly child: ChildProcess; readonly over: AbortSignal; readonly sleep: Clock['sleep'] }): Promise<void> {
  const { pid } = o.child;
  if (pid === undefined || o.over.aborted) return;
  // TERM first: git then takes its lock files with it.
  signalGroup(pid, 'SIGTERM');
  await o.sleep(BOUNDS.killGrace, o.over);
  if (!o.over.aborted) signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}

interface Collected {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function collect(o: { readonly child: ReturnType<typeof spawn>; readonly input: string | Buffer; readonly shown: string; readonly tooMuch: () => void }): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const { child } = o;
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let outBytes = 0;
    let errBytes = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > MAX_STDOUT) o.tooMuch();
      else out.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (errBytes < MAX_STDERR) err.push(chunk);
      errBytes += chunk.length;
    });
    // git may end before it has read all its input; its exit code tells the story.
    child.stdin?.on('error', (error) => (errnoOf(error) === 'EPIPE' || errnoOf(error) === 'ECONNRESET' ? undefined : reject(error)));
    child.on('error', (error) => reject(errnoOf(error) === 'ENOENT' ? new GitMissing(o.shown, 'the program git was not found') : new GitError(o.shown, error.message)));
    child.on('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') }));
    child.stdin?.end(o.input);
  });
}
