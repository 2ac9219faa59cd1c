// What it means to hold a program and everything it starts: the types. containment.ts chooses a way; group.ts and
// namespace.ts are the ways.

import type { Input, OutputPipe } from './pipes.ts';

/** How programs are held. */
export type ContainMode = 'namespace' | 'group';

/** One program to start. No word, name or value holds a NUL byte. */
export interface Launch {
  /** Program and arguments; the first is an absolute path. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Added to the environment that the containment was opened with. */
  readonly env: Readonly<Record<string, string>>;
  /** The value of MARK_VARIABLE in `env` ends in this. */
  readonly mark: string;
  readonly stdin: Input;
  readonly stdout: OutputPipe;
  /** May be the same as `stdout`. */
  readonly stderr: OutputPipe;
}

/** How a program ended, once nothing of it remains. */
export interface Settled {
  readonly code: number | null;
  readonly signal?: string;
  /** Processes were left behind and have been ended. */
  readonly leftovers: boolean;
  /** Why the program could not be started after all; `code` is then 126 or 127. */
  readonly trouble?: string;
}

/** One held program. */
export interface Held {
  /** Resolves when the program has opened its streams, or never will: our copies of its ends may be closed. */
  readonly begun: Promise<void>;
  /** Resolves when the program itself has ended. */
  readonly ended: Promise<void>;
  /** Sends SIGTERM to the program's group. */
  terminate(): Promise<void>;
  /** Ends everything at once; `settle` tells when it is done. */
  kill(): Promise<void>;
  /** After `ended`: ends what is left and gives back the program's own ending. */
  settle(): Promise<Settled>;
}

/** A way to hold programs. */
export interface Containment {
  readonly mode: ContainMode;
  start(launch: Launch): Promise<Held>;
  /** Ends what was kept for the next start; nothing may run any more. */
  close(): Promise<void>;
}
