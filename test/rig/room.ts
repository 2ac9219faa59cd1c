// A mount namespace of a test's own, in which a folder can be a small disk. Nothing outside sees what is mounted there.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');

/** How a program in the room ended. */
export interface RoomEnded {
  readonly code: number | null;
  /** All it printed. */
  readonly text: string;
}

/** Where and with what a program in the room starts. */
export interface RoomOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The namespace, held by a process that waits for its stdin to end. */
export class Room {
  readonly #holder: ChildProcess;
  readonly #enter: readonly string[];

  private constructor(holder: ChildProcess, enter: readonly string[]) {
    this.#holder = holder;
    this.#enter = enter;
  }

  /** Makes it: plainly as root, else with a user namespace in which we are root. */
  static async open(): Promise<Room> {
    const root = process.getuid?.() === 0;
    const holder = spawn('unshare', [...(root ? ['-m'] : ['-U', '-r', '-m']), '--propagation', 'private', 'sh', '-c', 'echo $$; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [pid] = await once(holder.stdout, 'data') as [Buffer];
    return new Room(holder, ['nsenter', '-t', String(pid).trim(), '-m', ...(root ? [] : ['-U', '--preserve-credentials'])]);
  }

  /** Runs a shell script in the room; `args` are its $1, $2 …. Throws when it fails. */
  sh(script: string, ...args: readonly string[]): string {
    const [enter = '', ...rest] = this.#enter;
    const ran = spawnSync(enter, [...rest, '--', 'sh', '-ec', script, 'sh', ...args], { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`in the room: ${script}\n${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  /** Makes a folder a disk of that many KiB; what was in it is on the disk. */
  smallDisk(folder: string, kib: number): void {
    this.sh('mkdir -p "$1"; cp -a "$1" "$1.before"; mount -t tmpfs -o "size=$2k,mode=700" small "$1"; cp -a "$1.before/." "$1"; rm -rf "$1.before"', folder, String(kib));
  }

  /** Runs the built program to its end. */
  async choo(argv: readonly string[], o: RoomOptions): Promise<RoomEnded> {
    const [enter = '', ...rest] = this.#enter;
    const child = spawn(enter, [...rest, '--', 'sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', o.cwd, process.execPath, program, ...argv], { env: o.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const hear = (chunk: string): void => { text += chunk; };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    const [code] = await once(child, 'close') as [number | null];
    return { code, text };
  }

  /** Ends the holder; with its last process the namespace is gone. */
  async close(): Promise<void> {
    const gone = once(this.#holder, 'exit');
    this.#holder.stdin?.end();
    await gone;
  }
}
