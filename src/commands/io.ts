// Where a command prints and what it sees of the outside: streams, folder, environment. Tests hand in their own.

import { cwd, env, stderr, stdout } from 'node:process';
import { defuser } from '../show/actions.ts';
import { takeStart } from './start.ts';
import type { Start } from './start.ts';

/** A stream that can be printed to; `process.stdout` is one. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Prints, as long as somebody reads. */
export interface Printer {
  readonly write: (text: string) => void;
  /** Prints a workflow command, a line without its end; only where GitHub Actions reads it. What `write` prints is none there. */
  readonly command?: (line: string) => void;
  readonly color: boolean;
  /** A person looks at it. */
  readonly terminal: boolean;
  /** Lines that the terminal has room for, as it is now. */
  readonly rows: () => number | undefined;
  /** Columns of the terminal, as it is now. */
  readonly columns: () => number | undefined;
  /** Calls back whenever its size has changed. */
  readonly whenResized: (then: () => void) => void;
  /** Nobody reads any more. */
  readonly gone: () => boolean;
  /** Calls back once, when that is noticed. */
  readonly whenGone: (then: () => void) => void;
}

/** What a command has of the outside. */
export interface Io {
  /** What was asked for. */
  readonly out: Printer;
  /** Everything else: warnings, errors, what a person should know. */
  readonly err: Printer;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The command line, without node and script. */
  readonly argv: readonly string[];
  readonly start: Start;
}

/** Parts of the outside that are not the process's own. */
export interface IoParts {
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly argv?: readonly string[];
}

/** The process's own outside, or the given parts instead. */
export function makeIo(parts: IoParts = {}): Io {
  const environment = parts.env ?? env;
  return {
    out: printer(parts.stdout ?? stdout, environment),
    err: printer(parts.stderr ?? stderr, environment),
    cwd: parts.cwd ?? cwd(),
    env: environment,
    argv: parts.argv ?? [],
    start: takeStart(environment),
  };
}

/** A reader that goes away (`choo run | head`) or a full disk behind a redirection ends the printing, never the run. */
function printer(stream: OutputStream, environment: NodeJS.ProcessEnv): Printer {
  let open = true;
  stream.on('error', () => { open = false; });
  const terminal = stream.isTTY === true;
  const actions = environment['GITHUB_ACTIONS'] === 'true';
  const safe = actions ? defuser() : (text: string): string => text;
  const plain = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return {
    write: (text) => { if (open) stream.write(safe(text)); },
    ...(actions ? { command: (line: string) => { if (open) stream.write(`${line}\n`); } } : {}),
    color: terminal && !plain,
    terminal,
    rows: () => ('rows' in stream && typeof stream.rows === 'number' ? stream.rows : undefined),
    columns: () => ('columns' in stream && typeof stream.columns === 'number' ? stream.columns : undefined),
    whenResized: (then) => { if (terminal) stream.on('resize', then); },
    gone: () => !open,
    whenGone: (then) => { stream.once('error', then); },
  };
}
