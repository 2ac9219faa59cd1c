// Holds a program in a PID namespace of its own, whose end is the end of everything in it. See docs/adr/0003-containment.md.
// Knows nothing of output, time limits or results.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { must } from '../core/bug.ts';
import type { Clock } from '../world.ts';
import type { Containment, Held, Launch, Settled } from './held.ts';
import type { Keeper } from './keeper.ts';
import { childOf } from './process-table.ts';
import { findProgram } from './program.ts';
import { signalQuietly } from './signal.ts';
import { openStarters, type Finish, type Starters } from './starters.ts';
import { sweepFor } from './sweep.ts';

/**
 * Process 1 of the namespace. It ignores SIGTERM as every process 1 does, so the program is its child in the same
 * group. What it and unshare have to say goes to descriptor 2, to us: "+" when the program is about to start, the
 * shell's word about a signal that killed it, and "= code leftovers". The program's stderr waits as descriptor 3.
 */
const FIRST_PROCESS = `
( echo + >&2; exec 2>&3 3>&-; exec "$@" )
code=$?
set -- /proc/[1-9]*/stat
others=0
if [ $# -gt 1 ]; then
  others=-1
  for stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    case \${line##*) } in [ZX]*) ;; *) others=$((others + 1)) ;; esac
  done
fi
echo "= $code $others" >&2
exit "$code"
`;

/** What unshare needs: with the rights of root, or in a user namespace that keeps the user. */
const BY_ROOT = ['--pid', '--fork', '--kill-child', '--mount-proc'] as const;
const BY_USER = ['--user', '--map-current-user', ...BY_ROOT] as const;

/** Signals a shell may keep silent about when they kill its child: then the code alone has to do. */
const OFTEN_SILENT: readonly number[] = [constants.signals.SIGINT, constants.signals.SIGPIPE];

/**
 * Opens the way by namespaces, or gives undefined where there are none (needs Linux, util-linux 2.38 and, without root,
 * user namespaces). Programs get `env` and what their launch adds. Starts one process to find out.
 */
export async function holdByNamespace(o: { readonly env: Readonly<Record<string, string>>; readonly clock: Clock; readonly keeper: Keeper }): Promise<Containment | undefined> {
  if (process.platform !== 'linux') return undefined;
  const unshare = findProgram('unshare', { cwd: '/', path: process.env['PATH'] });
  if ('code' in unshare) return undefined;
  const wrap = [unshare.path, ...(process.getuid?.() === 0 ? BY_ROOT : BY_USER), '--', '/bin/sh', '-c', FIRST_PROCESS, 'choo'];
  const status = parseStatus(await probe([...wrap, '/bin/sh', '-c', 'kill -TERM $$']));
  if (status?.code !== 128 + constants.signals.SIGTERM) return undefined;
  const silent = status.message === '' ? [...OFTEN_SILENT, constants.signals.SIGTERM] : OFTEN_SILENT;
  const starters = openStarters({ wrap, env: o.env, keeper: o.keeper });
  return {
    mode: 'namespace',
    start: (launch) => Promise.resolve(startInNamespace(launch, { starters, silent, clock: o.clock })),
    close: () => starters.close(),
  };
}

async function probe([program = '', ...args]: readonly string[]): Promise<string> {
  const child = spawn(program, args, { detached: true, cwd: '/', env: {}, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const pipe = must(child.stderr, 'status pipe of a namespace');
  child.on('error', () => pipe.destroy());
  return text(pipe).catch(() => '');
}

/** What all programs held by namespace share; `silent` signals kill a child of this shell without a word. */
interface Grounds {
  readonly starters: Starters;
  readonly silent: readonly number[];
  readonly clock: Clock;
}

function startInNamespace(launch: Launch, { starters, silent, clock }: Grounds): Held {
  const started = starters.start({
    argv: launch.argv, cwd: launch.cwd, env: launch.env,
    stdin: launch.stdin.path, stdout: launch.stdout.path, stderr: launch.stderr.path,
  });
  const { leader } = started;
  let over = leader === undefined;
  const ended = started.ended.then(() => { over = true; });
  let killed = false;
  return {
    begun: started.begun,
    ended,
    // Before the program is there, SIGTERM would reach only process 1, which ignores it.
    terminate: async () => {
      await started.begun;
      if (!over && leader !== undefined) signalQuietly(-leader.pid, 'SIGTERM');
    },
    kill: async () => {
      if (over || leader === undefined) return;
      killed = true;
      const first = await firstProcess(leader.pid);
      // Killing the group ends the shell too, and then nothing tells any more that the namespace is empty: `settle` has to look.
      if (!over) signalQuietly(first ?? -leader.pid, 'SIGKILL');
    },
    settle: async () => {
      const finish = await started.ended;
      if (finish.code === undefined && leader !== undefined) await sweepFor({ ...leader, mark: launch.mark, clock }).end();
      return settled({ finish, killed, silent });
    },
  };
}

/** Process 1 and not its parent: the parent's end then tells that the namespace is empty. */
async function firstProcess(shell: number): Promise<number | undefined> {
  const unshare = await childOf(shell);
  return unshare === undefined ? undefined : childOf(unshare);
}

/** What process 1 told at the program's end. */
interface Status {
  readonly code: number;
  readonly others: number;
  /** What the shell said about a signal that killed its child. */
  readonly message: string;
}

function parseStatus(said: string): Status | undefined {
  const match = /^\+\n([^]*?)= (\d+) (-?\d+)\n/.exec(said);
  return match === null ? undefined : { message: match[1] ?? '', code: Number(match[2]), others: Number(match[3]) };
}

function settled({ finish, killed, silent }: { readonly finish: Finish; readonly killed: boolean; readonly silent: readonly number[] }): Settled {
  const status = parseStatus(finish.said);
  if (status === undefined) {
    const begun = finish.said.startsWith('+');
    if (killed || begun || finish.code === undefined || finish.code > 128) return { code: null, signal: 'SIGKILL', leftovers: false };
    return { code: 126, leftovers: false, trouble: finish.said.trim() };
  }
  const leftovers = status.others > 0;
  const number = status.code - 128;
  const name = status.message !== '' || silent.includes(number) ? signalName(number) : undefined;
  return name === undefined ? { code: status.code, leftovers } : { code: null, signal: name, leftovers };
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}
