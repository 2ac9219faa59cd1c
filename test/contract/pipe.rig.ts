// A pipe in the place of a file, with the file's content on its other end: who waits for content gets it, and is found out by having it.

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const FEED = `trap '' PIPE; while [ -p "$1" ]; do cat "$0" > "$1"; done 2>/dev/null`;

/** Pipes of one test; `close` ends what feeds them. */
export interface Pipes {
  /** Puts a pipe in the place of `path`. Its content, which is kept beside `aside`, is given to everybody who opens it for reading. */
  instead(path: string, aside: string): void;
  close(): void;
}

/** Makes none yet. */
export function openPipes(): Pipes {
  const feeding: ChildProcess[] = [];
  return {
    instead: (path, aside) => {
      const kept = `${aside}-${feeding.length}`;
      writeFileSync(kept, readFileSync(path));
      rmSync(path);
      execFileSync('mkfifo', [path]);
      feeding.push(spawn('sh', ['-c', FEED, kept, path], { stdio: 'ignore', detached: true }));
    },
    close: () => {
      // With the `cat` that waits in each for somebody to read.
      for (const { pid } of feeding) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    },
  };
}
