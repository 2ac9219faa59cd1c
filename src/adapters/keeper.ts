// A tiny shell that outlives choo by a moment: when choo is gone (kill -9 too) it kills the process groups choo left
// and removes its temporary folder.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

// Reads "+ group" and "- group" with numbers made by choo; end of input means that choo has ended.
const SCRIPT = `
trap '' HUP INT TERM
live=' '
while read -r sign group; do
  case $sign in
    +) live="$live$group " ;;
    -) live="\${live%% $group *} \${live#* $group }" ;;
  esac
done
for group in $live; do kill -KILL "-$group" 2>/dev/null; done
rm -rf -- "$1"
`;

/** Remembers running process groups outside this process. */
export interface Keeper {
  /** Called right after a group's leader was started. */
  add(group: number): void;
  /** Called when the leader has been seen to end; its number may be used again from then on. */
  remove(group: number): void;
  close(): Promise<void>;
}

/** Starts the keeper in a session of its own, so that a terminal's signals do not reach it; `folder` is removed at the end. */
export function startKeeper(folder: string): Keeper {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'choo', folder], { cwd: '/', env: {}, detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const gone = once(shell, 'exit').then(() => undefined, () => undefined);
  // Losing the keeper loses the last net only; the run itself goes on.
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // A program that only waits must be able to end without closing the keeper first.
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return {
    add: (group) => { shell.stdin.write(`+ ${group}\n`); },
    remove: (group) => { shell.stdin.write(`- ${group}\n`); },
    close: async () => {
      shell.ref();
      shell.stdin.end();
      await gone;
    },
  };
}
