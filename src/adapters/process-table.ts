// Facts about processes of this machine, from /proc or `ps`. Reads only; kills nothing.

import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One process at one moment. */
export interface ProcessFact {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** 0 where it is not known. */
  readonly session: number;
  /** With `pid` it names a process for good, as numbers are used again: clock ticks since boot on Linux, else ms since 1970. */
  readonly start: number;
  /** Ended, waiting for its parent to notice. */
  readonly zombie: boolean;
}

/** All processes that can be seen. */
export async function listProcesses(): Promise<readonly ProcessFact[]> {
  if (process.platform !== 'linux') return listByPs();
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    const fact = Number.isInteger(pid) ? readProcess(pid) : undefined;
    return fact === undefined ? [] : [fact];
  });
}

/** One process, or undefined when it does not exist. */
export async function findProcess(pid: number): Promise<ProcessFact | undefined> {
  if (process.platform === 'linux') return readProcess(pid);
  return (await listByPs(['-p', String(pid)])).find((fact) => fact.pid === pid);
}

/** The same from /proc at once; Linux only. */
export function readProcess(pid: number): ProcessFact | undefined {
  const stat = readStat(pid);
  if (stat === undefined) return undefined;
  // The program's name, in parentheses, may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    start: Number(fields[19]),
    zombie: state === 'Z' || state === 'X',
  };
}

/** Value of one variable in the environment a process was started with: undefined when it has none, `unreadable` when it cannot be seen. Linux only. */
export function environmentOf(pid: number, name: string): { readonly value: string | undefined } | 'unreadable' {
  const text = readQuietly(`/proc/${pid}/environ`);
  // In the middle of an exec the environment is empty for a moment.
  if (text === undefined || text === '') return 'unreadable';
  const entry = text.split('\0').find((line) => line.startsWith(`${name}=`));
  return { value: entry?.slice(name.length + 1) };
}

/** A direct child of a process, the first if there are several; Linux only. */
export async function childOf(pid: number): Promise<number | undefined> {
  const [child] = (readQuietly(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ');
  // A kernel may be built without that file.
  return child === undefined || child === '' ? (await listProcesses()).find((fact) => fact.parent === pid)?.pid : Number(child);
}

async function listByPs(which: readonly string[] = ['-A']): Promise<readonly ProcessFact[]> {
  // With -p a missing process makes ps end 1; its output is then empty, which is the answer.
  const options = [...which, '-o', 'pid=,ppid=,pgid=,stat=,lstart='];
  const text = await run('ps', options, { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 })
    .then((done) => done.stdout, () => '');
  return text.split('\n').flatMap((line) => {
    const [pid, parent, group, state, ...start] = line.trim().split(/\s+/);
    if (pid === undefined || state === undefined) return [];
    return [{
      pid: Number(pid), parent: Number(parent), group: Number(group), session: 0,
      start: Date.parse(start.join(' ')), zombie: state.startsWith('Z'),
    }];
  });
}

/** One buffer for all, and no question for the size: this is read for every process of the machine. */
const statBuffer = Buffer.alloc(4096);

function readStat(pid: number): string | undefined {
  try {
    const file = openSync(`/proc/${pid}/stat`, 'r');
    try {
      return statBuffer.toString('latin1', 0, readSync(file, statBuffer));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function readQuietly(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Gone in the meantime, or somebody else's: both mean "cannot be seen".
    return undefined;
  }
}
