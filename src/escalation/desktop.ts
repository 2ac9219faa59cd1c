// A notification on the desktop of the machine that choo runs on, by the system's own program. Texts are arguments, never a script.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Escalation } from '../core/told.ts';
import { cut, type Channel } from './channel.ts';

const run = promisify(execFile);

/** A notification shows little, characters. */
const LONGEST = 500;
/** What shows it on a system; the texts are its last two arguments. */
const PROGRAMS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  linux: ['notify-send', '--app-name=choo', '--'],
  darwin: ['osascript', '-e', 'on run argv', '-e', 'display notification (item 2 of argv) with title (item 1 of argv)', '-e', 'end run', '--'],
};

/** The program that this channel needs; undefined where there is none. */
export function desktopProgram(platform: NodeJS.Platform): string | undefined {
  return PROGRAMS[platform]?.[0];
}

/** Shows title and first lines. `env` finds the program and the user's desktop. */
export function desktopChannel(o: { readonly env: NodeJS.ProcessEnv; readonly platform: NodeJS.Platform; readonly repository: string }): Channel {
  return { send: (e, signal) => show(e, { ...o, signal }) };
}

async function show(e: Escalation, o: { readonly env: NodeJS.ProcessEnv; readonly platform: NodeJS.Platform; readonly repository: string; readonly signal: AbortSignal }): ReturnType<Channel['send']> {
  const [program, ...words] = PROGRAMS[o.platform] ?? [];
  if (program === undefined) return { ok: false, why: `there is no way to show it on ${o.platform}`, final: true };
  try {
    await run(program, [...words, cut(`choo: ${o.repository}`, LONGEST), cut([e.title, ...e.detail].join('\n'), LONGEST)], { env: o.env, signal: o.signal });
    return { ok: true };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { ok: false, why: `${program} is not installed`, final: true };
    return o.signal.aborted ? { ok: false, why: 'it does not end in time' } : { ok: false, why: `${program} failed${typeof code === 'number' ? ` with exit code ${code}` : ''}` };
  }
}
