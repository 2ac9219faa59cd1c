// One session of the built program, and its death: at a failpoint, after so many events, or at any moment. Judges nothing.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '../../src/adapters/clock.ts';
import type { Failpoint } from '../../src/failpoint.ts';
import { MARK, type Scenario } from './scenario.ts';

/** How a session is to die. `tree`: everything that it had started dies in the same moment, as when the machine stops. Times in ms. */
export type Death =
  | { readonly by: 'failpoint'; readonly name: Failpoint; readonly count: number; readonly tree: boolean }
  | { readonly by: 'events'; readonly count: number; readonly delay: number; readonly tree: boolean }
  | { readonly by: 'time'; readonly delay: number; readonly tree: boolean };

/** How it ended. */
export interface Ended {
  readonly code: number | null;
  /** It was killed. */
  readonly killed: boolean;
  readonly output: string;
}

const clock = systemClock();

/** Runs the program to its end or its death. */
export async function session(o: { readonly program: string; readonly scenario: Scenario; readonly argv: readonly string[]; readonly death?: Death }): Promise<Ended> {
  const { scenario, death } = o;
  const env = { ...scenario.env, ...(death?.by === 'failpoint' ? { CHOO_FAILPOINT: `${death.name}:${death.count}` } : {}) };
  const child = spawn(process.execPath, [o.program, ...o.argv], { cwd: scenario.repository.root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const closed = once(child, 'close');
  const over = new AbortController();
  let output = '';
  let events = 0;
  const kill = (): void => {
    if (!over.signal.aborted) child.kill('SIGKILL');
  };
  const later = (ms: number): void => {
    void clock.sleep(ms, over.signal).then(kill);
  };
  const hear = (text: string): void => {
    output += text;
    if (death?.by !== 'events') return;
    const was = events;
    events += text.split('\n').length - 1;
    if (was < death.count && events >= death.count) later(death.delay);
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', (text: string) => { output += text; });
  if (death?.by === 'time') later(death.delay);
  // Not `close`: what the dead one had started may hold its pipes.
  const [code, signal] = await once(child, 'exit') as [number | null, string | null];
  over.abort();
  const killed = signal === 'SIGKILL';
  if (killed && death?.tree === true) for (const pid of marked(scenario.log)) endProcess(pid);
  if (!killed) await closed;
  child.stdout.destroy();
  child.stderr.destroy();
  return { code, killed, output };
}

/** Processes that choo or an agent of this scenario started. */
export function marked(log: string): readonly number[] {
  const mark = `${MARK}=${log}`;
  return readdirSync('/proc').map(Number).filter((pid) => Number.isInteger(pid) && procText(pid, 'environ').split('\0').includes(mark));
}

/** The command line of a process, for people. */
export function commandOf(pid: number): string {
  return procText(pid, 'cmdline').split('\0').join(' ').trim();
}

/** Kills one of them. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself since it was listed.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function procText(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    // The process has ended since, or is somebody else's.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
