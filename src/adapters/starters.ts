// Starts programs from small long-lived shells: forking out of choo itself blocks its loop the longer the larger it has
// grown, a shell of 1 MB forks in a fraction of that. Words travel as data, never as code. What they mean is namespace.ts.

import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import type { Keeper } from './keeper.ts';
import { readProcess } from './process-table.ts';
import { findProgram } from './program.ts';

/** One program to start. No word holds a NUL byte. */
export interface Order {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Added to the environment that the shells were started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Paths that are opened without waiting. */
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** How it ended: with the code a shell gives (128 and more may be a signal), or without one because its shell itself was ended. */
export interface Finish {
  /** What was written to descriptor 2 until the end; of much, beginning and end. */
  readonly said: string;
  readonly code: number | undefined;
}

/** One started program. Its stderr waits as descriptor 3, while descriptor 2 leads to us and is first to say "+". */
export interface Started {
  /** Leader of the group and session the program is in: its shell, which ignores SIGTERM. Undefined when there is no shell. */
  readonly leader: { readonly pid: number; readonly start: number } | undefined;
  /** Resolves at the "+", or at the end. */
  readonly begun: Promise<void>;
  readonly ended: Promise<Finish>;
}

/** Shells that start one program at a time each. */
export interface Starters {
  start(order: Order): Started;
  /** Ends the shells; nothing may run any more. */
  close(): Promise<void>;
}

/** Shells that wait for work; more are started when needed and ended afterwards. */
const KEPT_SHELLS = 16;
/** What a shell's own code would be where there is none. */
const CANNOT_START = 126;
/** Of what was said more than this is not kept, characters. */
const LONGEST_SAID = 64 * 1024;

/**
 * Reads a secret, then orders. An order is the line "go" and lines of a sign and a word: streams (< > !), folder (@),
 * variables (*) and the program's words (=); of a word with line breaks all lines but the last have a "+"; "." starts.
 * Its own arguments, the command line that holds a program, come before those words. The end is told with the secret,
 * which no program can see: what else arrives there may come from one.
 */
const STARTER = `
trap '' TERM
IFS= read -r choo_secret
choo_break='
'
choo_begin=
while IFS= read -r choo_line; do
  [ "$choo_line" = go ] || continue
  (
    while :; do
      IFS= read -r choo_line || exit 126
      choo_word=$choo_begin\${choo_line#?}
      case $choo_line in
        +*) choo_begin=$choo_word$choo_break; continue ;;
        '<'*) choo_in=$choo_word ;;
        '>'*) choo_out=$choo_word ;;
        !*) choo_err=$choo_word ;;
        @*) choo_folder=$choo_word ;;
        '*'*) export "$choo_word" ;;
        =*) set -- "$@" "$choo_word" ;;
        .) break ;;
      esac
      choo_begin=
    done
    exec 2>&1
    exec 3>"$choo_err" >"$choo_out" <"$choo_in"
    cd -P -- "$choo_folder" || exit 126
    unset OLDPWD
    trap - TERM
    exec "$@"
  )
  printf '\\n%s %s\\n' "$choo_secret" $?
done
`;

/** Names that a shell can be given as variables, and hands on unchanged. */
const EXPORTABLE = /^(?!choo_)[A-Za-z_][A-Za-z0-9_]*$/;
/** Variables that some shell sets anew or refuses to change. */
const OF_SHELLS: ReadonlySet<string> = new Set(['IFS', 'OPTIND', 'PPID', 'UID', 'EUID', 'LINENO', 'BASHOPTS', 'SHELLOPTS']);

/** How to start shells that start programs. */
export interface StarterOptions {
  /** The command line to start in place of a program; the program's words follow it. Its first word is an absolute path. */
  readonly wrap: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly keeper: Keeper;
}

/** Opens the way to start programs; starts no shell yet. */
export function openStarters({ wrap, env, keeper }: StarterOptions): Starters {
  const { plain, odd } = splitEnvironment(env);
  const idle: Shell[] = [];
  const all = new Set<Shell>();
  const add = (): Shell => {
    const shell = new Shell({ wrap, env: plain, keeper, ended: () => {
      all.delete(shell);
      idle.splice(0, idle.length, ...idle.filter((other) => other !== shell));
    } });
    all.add(shell);
    return shell;
  };
  return {
    start: (order) => {
      const shell = idle.pop() ?? add();
      return shell.start(linesOf(order, odd), (good) => {
        if (good && idle.length < KEPT_SHELLS) idle.push(shell);
        else shell.close();
      });
    },
    close: async () => {
      await Promise.all([...all].map((shell) => {
        shell.close();
        return shell.gone;
      }));
    },
  };
}

function splitEnvironment(env: Readonly<Record<string, string>>): { readonly plain: Record<string, string>; readonly odd: readonly string[] } {
  const plain: Record<string, string> = {};
  const odd: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (EXPORTABLE.test(name) && !OF_SHELLS.has(name)) plain[name] = value;
    else if (name !== '') odd.push(`${name}=${value}`);
  }
  return { plain, odd };
}

function linesOf(order: Order, oddOfAll: readonly string[]): string {
  const { plain, odd } = splitEnvironment(order.env);
  const words = [
    ...word('<', order.stdin), ...word('>', order.stdout), ...word('!', order.stderr), ...word('@', order.cwd),
    ...Object.entries(plain).flatMap(([name, value]) => word('*', `${name}=${value}`)),
    ...[...setters([...oddOfAll, ...odd], order), ...order.argv].flatMap((each) => word('=', each)),
  ];
  return `go\n${words.join('\n')}\n.\n`;
}

/** A command that sets what no shell can and then starts the program. It takes a program's path with "=" for one more variable. */
function setters(odd: readonly string[], order: Order): readonly string[] {
  if (odd.length === 0 || order.argv[0]?.includes('=') === true) return [];
  const env = findProgram('env', { cwd: '/', path: process.env['PATH'] });
  return 'code' in env ? [] : [env.path, '--', ...odd];
}

function word(sign: string, text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.map((line, index) => (index < lines.length - 1 ? '+' : sign) + line);
}

/** One shell and what it is at. */
class Shell {
  /** Resolves when the shell has ended. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #leader: Started['leader'];
  readonly #secret = randomUUID();
  #said = '';
  #begin: (() => void) | undefined;
  #end: ((code: number | undefined) => void) | undefined;

  constructor({ wrap, env, keeper, ended }: StarterOptions & { readonly ended: () => void }) {
    // A session of its own, so that a terminal's signals do not reach it.
    const child = spawn('/bin/sh', ['-c', STARTER, 'choo', ...wrap], { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) {
      keeper.add(pid);
      this.#leader = { pid, start: readProcess(pid)?.start ?? 0 };
    }
    this.gone = new Promise((resolve) => {
      const over = (code: number | undefined): void => {
        if (pid !== undefined) keeper.remove(pid);
        ended();
        this.#end?.(code);
        resolve();
      };
      child.once('exit', () => over(undefined));
      child.once('error', (error) => {
        this.#said = error.message;
        over(CANNOT_START);
      });
    });
    // Its end is told by its exit.
    child.stdin.on('error', () => undefined);
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    child.stdin.write(`${this.#secret}\n`);
  }

  /** Starts the program of an order; `free` is told at its end whether the shell can be used again. */
  start(lines: string, free: (good: boolean) => void): Started {
    this.#said = '';
    this.#hold(true);
    const begun = new Promise<void>((resolve) => { this.#begin = resolve; });
    const ended = new Promise<Finish>((resolve) => {
      this.#end = (code) => {
        this.#end = undefined;
        this.#begin?.();
        this.#hold(false);
        resolve({ said: this.#said, code });
        // One that did not even start its program may have read its order only in part.
        free(code !== undefined && this.#said.startsWith('+'));
      };
    });
    this.#child.stdin?.write(lines);
    return { leader: this.#leader, begun, ended };
  }

  /** Lets the shell end as soon as its program has. */
  close(): void {
    this.#hold(true);
    this.#child.stdin?.end();
  }

  #hear(text: string): void {
    this.#said += text;
    if (this.#said.startsWith('+')) this.#begin?.();
    const mark = this.#said.lastIndexOf(`\n${this.#secret} `);
    const code = mark < 0 ? null : /^\n\S+ (\d+)\n/.exec(this.#said.slice(mark));
    if (code !== null) {
      this.#said = this.#said.slice(0, mark);
      this.#end?.(Number(code[1]));
    } else if (this.#said.length > LONGEST_SAID) {
      this.#said = this.#said.slice(0, LONGEST_SAID / 2) + this.#said.slice(-LONGEST_SAID / 4);
    }
  }

  /** A shell that only waits does not keep choo from ending. */
  #hold(busy: boolean): void {
    const { stdin, stdout } = this.#child;
    for (const handle of [this.#child, stdin, stdout]) {
      if (!(handle instanceof Socket || handle === this.#child)) continue;
      if (busy) handle.ref();
      else handle.unref();
    }
  }
}
