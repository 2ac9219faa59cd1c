// A persistent `git cat-file` that answers what objects and refs are, pipelined, in a fraction of a process's time. Reads only.

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Bug } from '../../core/bug.ts';
import { GitError } from '../../world.ts';
import { errnoOf } from '../errno.ts';
import { GitMissing, placeVariables } from './exec.ts';
import type { GitRunner, Place } from './exec.ts';
import { pathBytes } from './names.ts';

/** An object that exists. `content` is there when it was asked for. */
export interface Found {
  readonly id: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  readonly content?: Buffer;
}

/** Answers questions about objects. Safe to call concurrently; answers come in the order asked. */
export interface Objects {
  /** The object a name (`<id>`, `<id>:<path>`, `refs/…^{commit}`; the caller has checked it) stands for, or undefined. Throws GitError when git dies. */
  info(name: string): Promise<Found | undefined>;
  /** The same with its content. */
  contents(name: string): Promise<Found | undefined>;
  /** Ends the process; later questions throw. */
  close(): Promise<void>;
}

interface Question {
  readonly verb: 'info' | 'contents';
  readonly name: string;
  readonly resolve: (found: Found | undefined) => void;
  readonly reject: (error: Error) => void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const COMMAND = 'git cat-file --batch-command';
const MAX_STDERR = 4096;
/** Times in a row the process may die without an answer before its questions fail. */
const MAX_DEATHS = 2;

/** Starts nothing yet; the process is made with the first question and made again when it dies. */
export function openObjects(git: GitRunner, at: Place): Objects {
  const reader = new ObjectReader(git, at);
  return {
    info: (name) => reader.ask('info', name),
    contents: (name) => reader.ask('contents', name),
    close: () => reader.close(),
  };
}

class ObjectReader {
  readonly #git: GitRunner;
  readonly #at: Place;
  #child: Child | undefined;
  #waiting: Question[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes needed before it is worth looking again. */
  #need = 1;
  #deaths = 0;
  /** The stream made no sense; nothing more is read from this process. */
  #lost = false;
  #closed = false;

  constructor(git: GitRunner, at: Place) {
    this.#git = git;
    this.#at = at;
  }

  ask(verb: Question['verb'], name: string): Promise<Found | undefined> {
    if (name.includes('\0')) throw new Bug('a NUL in an object name');
    if (this.#closed) throw new GitError(COMMAND, 'asked after close');
    return new Promise((resolve, reject) => {
      const question = { verb, name, resolve, reject };
      this.#waiting.push(question);
      this.#child ??= this.#start();
      send(this.#child, question);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    child.stdin.end();
    await gone;
  }

  #start(): Child {
    const child = spawn('git', ['-C', this.#at.cwd, 'cat-file', '--batch-command', '-z'], {
      cwd: '/',
      env: { ...this.#git.environment, ...placeVariables(this.#at) },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const stderr: Buffer[] = [];
    let failed: Error | undefined;
    child.stderr.on('data', (chunk: Buffer) => (stderr.length < 16 ? stderr.push(chunk) : undefined));
    child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    child.stdin.on('error', (error) => {
      failed ??= error;
    });
    child.on('error', (error) => {
      failed = errnoOf(error) === 'ENOENT' ? new GitMissing(COMMAND, 'the program git was not found') : error;
    });
    child.on('close', () => {
      const said = Buffer.concat(stderr).toString('utf8').trim().slice(0, MAX_STDERR);
      this.#died(said === '' ? (failed?.message ?? 'it ended unasked') : said);
    });
    return child;
  }

  #died(why: string): void {
    this.#child = undefined;
    this.#lost = false;
    this.#chunks = [];
    this.#bytes = 0;
    this.#need = 1;
    if (this.#waiting.length === 0) return;
    this.#deaths += 1;
    if (this.#deaths > MAX_DEATHS || this.#closed) {
      const lost = this.#waiting;
      this.#waiting = [];
      this.#deaths = 0;
      for (const question of lost) question.reject(new GitError(COMMAND, why));
      return;
    }
    const child = this.#start();
    this.#child = child;
    for (const question of this.#waiting) send(child, question);
  }

  #receive(chunk: Buffer): void {
    if (this.#lost) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#need) return;
    let buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    this.#need = 1;
    for (let question = this.#waiting[0]; question !== undefined && buffer.length > 0; question = this.#waiting[0]) {
      const answer = parseAnswer(buffer, question);
      if (typeof answer === 'number') {
        this.#need = answer;
        break;
      }
      if (answer === undefined) {
        this.#lost = true;
        this.#waiting.shift();
        question.reject(new GitError(COMMAND, `unexpected answer ${JSON.stringify(buffer.toString('utf8', 0, 200))}`));
        this.#child?.kill('SIGKILL');
        return;
      }
      buffer = buffer.subarray(answer.used);
      this.#waiting.shift();
      this.#deaths = 0;
      question.resolve(answer.found);
    }
    this.#chunks = buffer.length === 0 ? [] : [buffer];
    this.#bytes = buffer.length;
  }
}

function send(child: Child, question: Question): void {
  child.stdin.write(Buffer.concat([Buffer.from(`${question.verb} `), pathBytes(question.name), Buffer.of(0)]));
}

/** The first answer in the buffer with its length, or how many bytes are needed to know it, or undefined when it is none. */
function parseAnswer(buffer: Buffer, question: Question): { readonly found: Found | undefined; readonly used: number } | number | undefined {
  const name = pathBytes(question.name);
  for (const refusal of [' missing\n', ' ambiguous\n']) {
    const whole = Buffer.concat([name, Buffer.from(refusal)]);
    const have = buffer.subarray(0, whole.length);
    if (have.equals(whole)) return { found: undefined, used: whole.length };
    // A name may hold newlines, so a part of an echo must not be taken for a header.
    if (have.length > name.length && have.equals(whole.subarray(0, have.length))) return buffer.length + 1;
  }
  if (buffer.length <= name.length && name.subarray(0, buffer.length).equals(buffer)) return buffer.length + 1;
  const end = buffer.indexOf(10);
  if (end === -1) return buffer.length + 1;
  const line = buffer.toString('latin1', 0, end);
  // A path that leads to a submodule's commit, which is not here; from git 2.51 on it is told so.
  if (/^[0-9a-f]{40,64} submodule$/.test(line)) return { found: undefined, used: end + 1 };
  const header = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line);
  if (header?.[1] === undefined || header[2] === undefined) return undefined;
  const found = { id: header[1], type: header[2], size: Number(header[3]) };
  if (question.verb === 'info') return { found, used: end + 1 };
  const used = end + 1 + found.size + 1;
  if (buffer.length < used) return used;
  return { found: { ...found, content: Buffer.from(buffer.subarray(end + 1, used - 1)) }, used };
}
