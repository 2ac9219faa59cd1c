// The modes of the terminal while a screen is on it, and that they are given back whatever ends this program. Draws nothing.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { pid, stdin, stdout } from 'node:process';
import { errnoOf } from '../adapters/errno.ts';

/** The other screen, from its top. What was on the first one, and what is above it, stays. */
const ENTER = '\u001b[?1049h\u001b[2J\u001b[H';
/** No synchronised output, the first screen, the cursor, no colour. */
const LEAVE = '\u001b[?2026l\u001b[?1049l\u001b[?25h\u001b[0m';

/** Waits until choo says that it is done, and restores the terminal on fd 1 when choo is gone without a word. `$1`: how it was. */
const GUARD = `read -r word && exit 0; printf '${LEAVE.replaceAll('\u001b', '\\033')}'; [ -z "$1" ] || stty "$1" <&1`;

/** The terminal as it is lent to a screen. */
export class Terminal {
  #guard: ChildProcess | undefined;
  #lent = false;
  readonly #atExit = (): void => this.giveBack();

  /** Somebody can type. */
  get keys(): boolean {
    return stdin.isTTY;
  }

  /** Columns and lines as they are now. */
  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: stdout.columns > 0 ? stdout.columns : 80, rows: stdout.rows > 0 ? stdout.rows : 24 };
  }

  /** Takes the other screen, and keys one by one. */
  take(): void {
    if (this.#lent) return;
    this.#lent = true;
    process.once('exit', this.#atExit);
    this.#startGuard();
    stdout.write(ENTER);
    if (this.keys) stdin.setRawMode(true);
  }

  /** Empties the screen, for one that is drawn anew. */
  clear(): void {
    stdout.write('\u001b[2J\u001b[H');
  }

  /** Everything as it was before `take`. */
  giveBack(): void {
    if (!this.#lent) return;
    this.#lent = false;
    process.off('exit', this.#atExit);
    if (this.keys) quietly(() => stdin.setRawMode(false));
    // Also while the program ends, when nothing is written any more that waits.
    quietly(() => writeSync(stdout.fd, LEAVE));
    this.#guard?.stdin?.end('done\n');
    this.#guard = undefined;
  }

  /** Nothing restores a terminal in the name of a program that was killed, but another one. In a session of its own no key reaches it. */
  #startGuard(): void {
    const { stdout: saved } = this.keys ? spawnSync('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' }) : { stdout: '' };
    const guard = spawn('sh', ['-c', GUARD, 'choo', (saved ?? '').trim()], { detached: true, stdio: ['pipe', 'inherit', 'ignore'], env: { PATH: process.env['PATH'] } });
    // Without it everything but a killed choo still restores the terminal.
    guard.on('error', () => { this.#guard = undefined; });
    guard.stdin.on('error', () => { this.#guard = undefined; });
    guard.unref();
    this.#guard = guard;
  }
}

/** A terminal that has hung up takes nothing back. */
function quietly(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** True where this program may steer the terminal: it is the one in the foreground. */
export function isInForeground(): boolean {
  const [group, foreground] = process.platform === 'linux' ? groupsByProc() : groupsByPs();
  return group === foreground;
}

function groupsByProc(): readonly [string | undefined, string | undefined] {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const [, , , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 1).split(' ');
  return [group, foreground];
}

function groupsByPs(): readonly [string | undefined, string | undefined] {
  const { stdout: told } = spawnSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(pid)], { encoding: 'utf8' });
  const [group, foreground] = told.trim().split(/\s+/);
  return [group, foreground];
}
