// Holds a program and everything it starts: in a PID namespace, or by group, marker and descent. See docs/adr/0003-containment.md.
// Knows nothing of output, time limits or results.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { must } from '../core/bug.ts';
import type { Clock } from '../world.ts';
import { errnoOf } from './errno.ts';
import { listProcesses, readChildren, findProcess } from './process-table.ts';
import { findProgram } from './program.ts';
import { sweepFor, type Sweep } from './sweep.ts';

/** How programs are held. */
export type ContainMode = 'namespace' | 'group';

/** A namespace was asked for and cannot be had here: a mistake of the configuration, exit 2. */
export class ContainmentUnavailable extends Error {
  override name = 'ContainmentUnavailable';
}

/** How a program ended, once nothing of it remains. */
export interface Settled {
  readonly code: number | null;
  readonly signal?: string;
  /** Processes were left behind and have been ended. */
  readonly leftovers: boolean;
  /** Why the program could not be started after all. */
  readonly trouble?: string;
}

/** One held program. */
export interface Held {
  /** Sends SIGTERM to the program's group. */
  terminate(): Promise<void>;
  /** Ends everything at once; `settle` tells when it is done. */
  kill(): Promise<void>;
  /** After the started process has ended: ends what is left and gives back the program's own ending. */
  settle(ending: { readonly code: number | null; readonly signal: NodeJS.Signals | null }): Promise<Settled>;
}

/** A way to hold programs. */
export interface Containment {
  readonly mode: ContainMode;
  /** The command line to start instead of `argv`, whose first element is an absolute path. */
  wrap(argv: readonly string[]): readonly string[];
  /** Descriptors of the started process for a program that is to have the given stderr. */
  errorAndMore(stderr: number): readonly (number | 'pipe')[];
  /** Takes over a process just started with `detached`, with `mark` in its environment. */
  hold(child: ChildProcess, mark: string): Promise<Held>;
}

/** Gives the strongest containment that `wanted` allows; throws ContainmentUnavailable when there is none. Starts one process to find out. */
export async function chooseContainment(wanted: 'auto' | ContainMode, clock: Clock): Promise<Containment> {
  const namespace = wanted === 'group' ? undefined : await findNamespace();
  if (namespace !== undefined) return namespace;
  if (wanted === 'namespace') {
    throw new ContainmentUnavailable(
      'process.contain is `namespace`, but no PID namespace can be made here (needs Linux, util-linux 2.38 and, without root, '
      + 'unprivileged user namespaces); use `auto` or `group`');
  }
  return {
    mode: 'group',
    wrap: (argv) => argv,
    errorAndMore: (stderr) => [stderr],
    hold: (child, mark) => holdGroup({ child, mark, clock }),
  };
}

// ---------------------------------------------------------------- group

async function holdGroup(o: { readonly child: ChildProcess; readonly mark: string; readonly clock: Clock }): Promise<Held> {
  const pid = must(o.child.pid, 'pid of a started process');
  const fact = await findProcess(pid);
  const sweep: Sweep = sweepFor({ pid, start: fact?.start ?? 0, mark: o.mark, clock: o.clock });
  let killed = false;
  return {
    terminate: async () => {
      await sweep.remember();
      signalGroup(o.child, 'SIGTERM');
    },
    kill: async () => {
      killed = true;
      await sweep.remember();
      signalGroup(o.child, 'SIGKILL');
    },
    settle: async ({ code, signal }) => {
      const found = await sweep.end();
      return { code, ...(signal === null ? {} : { signal }), leftovers: found && !killed };
    },
  };
}

/** Signals the group of a child that has not been seen to end; its number is therefore still its own. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error;
  }
}

// ---------------------------------------------------------------- namespace

/**
 * Process 1 of the namespace. It ignores SIGTERM as every process 1 does, so the program is its child in the same
 * group. What it and unshare have to say goes to descriptor 2, our status pipe: "+" when the program is about to start,
 * the shell's word about a signal that killed it, and "= code leftovers". The program's stderr waits as descriptor 3.
 */
const FIRST_PROCESS = `
( echo + >&2; exec 2>&3 3>&-; exec "$@" )
code=$?
others=-1
for stat in /proc/[0-9]*/stat; do
  { read -r line <"$stat"; } 2>/dev/null || continue
  case \${line##*) } in [ZX]*) ;; *) others=$((others + 1)) ;; esac
done
echo "= $code $others" >&2
exit "$code"
`;

/** What unshare needs: with the rights of root, or in a user namespace that keeps the user. */
const BY_ROOT = ['--pid', '--fork', '--kill-child', '--mount-proc'] as const;
const BY_USER = ['--user', '--map-current-user', ...BY_ROOT] as const;

/** Signals a shell may keep silent about when they kill its child: then the code alone has to do. */
const OFTEN_SILENT: readonly number[] = [constants.signals.SIGINT, constants.signals.SIGPIPE];

async function findNamespace(): Promise<Containment | undefined> {
  if (process.platform !== 'linux') return undefined;
  const unshare = findProgram('unshare', { cwd: '/', path: process.env['PATH'] });
  if ('code' in unshare) return undefined;
  const options = process.getuid?.() === 0 ? BY_ROOT : BY_USER;
  const wrap = (argv: readonly string[]): readonly string[] =>
    [unshare.path, ...options, '--', '/bin/sh', '-c', FIRST_PROCESS, 'choo', ...argv];
  const status = await probe(wrap(['/bin/sh', '-c', 'kill -TERM $$']));
  if (!('code' in status) || status.code !== 128 + constants.signals.SIGTERM) return undefined;
  const silent = status.message === '' ? [...OFTEN_SILENT, constants.signals.SIGTERM] : OFTEN_SILENT;
  return {
    mode: 'namespace',
    wrap,
    errorAndMore: (stderr) => ['pipe', stderr],
    hold: (child) => Promise.resolve(holdNamespace(child, silent)),
  };
}

async function probe(argv: readonly string[]): Promise<Status> {
  const [program, ...args] = argv;
  const child = spawn(must(program, 'program'), args, { detached: true, cwd: '/', env: {}, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const status = readStatus(child, () => undefined);
  await once(child, 'exit').catch(() => undefined);
  return status;
}

/** What the first process told at the program's end, or all that was said before it was killed or could not start. */
type Status =
  | {
    readonly code: number;
    readonly others: number;
    /** What the shell said about a signal that killed its child. */
    readonly message: string;
  }
  | { readonly said: string };

async function readStatus(child: ChildProcess, started: () => void): Promise<Status> {
  const pipe = must(child.stderr, 'status pipe of a namespace');
  pipe.once('data', started);
  const said = await text(pipe).catch(() => '');
  const match = /^\+\n([^]*?)= (\d+) (-?\d+)\n/.exec(said);
  return match === null ? { said } : { message: match[1] ?? '', code: Number(match[2]), others: Number(match[3]) };
}

function holdNamespace(child: ChildProcess, silent: readonly number[]): Held {
  let begun = (): void => undefined;
  const begin = new Promise<void>((resolve) => { begun = resolve; });
  const status = readStatus(child, begun);
  let killed = false;
  return {
    // Before the program is there, SIGTERM would reach only process 1, which ignores it.
    terminate: async () => {
      await Promise.race([begin, status]);
      signalGroup(child, 'SIGTERM');
    },
    kill: async () => {
      killed = true;
      await killFirstProcess(child);
    },
    settle: async (ending) => settleNamespace({ ending, status: await status, killed, silent }),
  };
}

/** Kills process 1 and not its parent: the parent's end then tells that the namespace is empty. */
async function killFirstProcess(child: ChildProcess): Promise<void> {
  const pid = child.pid;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  let [first] = readChildren(pid);
  first ??= (await listProcesses()).find((fact) => fact.parent === pid)?.pid;
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (first === undefined) signalGroup(child, 'SIGKILL');
  else killQuietly(first);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}

interface NamespaceEnd {
  readonly ending: { readonly code: number | null; readonly signal: NodeJS.Signals | null };
  readonly status: Status;
  readonly killed: boolean;
  readonly silent: readonly number[];
}

function settleNamespace({ ending, status, killed, silent }: NamespaceEnd): Settled {
  if ('said' in status) {
    const begun = status.said.startsWith('+');
    if (killed || begun || ending.signal !== null) return { code: null, signal: ending.signal ?? 'SIGKILL', leftovers: false };
    return { code: 126, leftovers: false, trouble: status.said };
  }
  const leftovers = status.others > 0;
  const number = status.code - 128;
  const name = status.message !== '' || silent.includes(number) ? signalName(number) : undefined;
  return name === undefined ? { code: status.code, leftovers } : { code: null, signal: name, leftovers };
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}
