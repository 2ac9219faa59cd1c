// Programs in memory: each runs a script of deeds in virtual time until it ends, is asked to end, or dies with its engine.

import { BOUNDS } from '../../src/core/limits.ts';
import type { Command, CommandResult, Control, Processes } from '../../src/world.ts';
import { tryGit } from './gate.ts';
import type { Gate } from './gate.ts';
import type { Rng } from './rng.ts';
import type { Timeline, Timer } from './timeline.ts';

/** What a program does: deeds after so many ms each, in which it may print a line, then its exit code, which may be decided at the end. */
export interface Script {
  readonly deeds: readonly { readonly after: number; readonly act: (say: (line: string) => void) => void }[];
  /** Asked after the last deed. */
  readonly code: () => number;
  /** It never ends by itself. */
  readonly hangs?: boolean;
  /** It ignores being asked to end. */
  readonly stubborn?: boolean;
  /** It prints nothing. */
  readonly silent?: boolean;
  readonly leftovers?: boolean;
  readonly tail?: string;
  /** What it has printed by its end. */
  readonly output?: () => string;
}

/** One program that runs or ran. */
export interface Process {
  readonly session: number;
  readonly command: Command;
  readonly startedAt: number;
  endedAt: number | undefined;
  result: CommandResult | undefined;
}

/** What the table asks and tells. */
export interface Programs {
  /** The script of a command that starts now. */
  script(command: Command): Script;
  started(process: Process): void;
  ended(process: Process): void;
}

/** All programs of the machine. */
export class ProcessTable {
  readonly running = new Set<Process>();
  readonly #o: { readonly timeline: Timeline; readonly rng: Rng; readonly programs: Programs };

  constructor(o: { readonly timeline: Timeline; readonly rng: Rng; readonly programs: Programs }) {
    this.#o = o;
  }

  /** Programs as one session has them. */
  processes(session: number, gate: Gate, error: (rng: Rng) => Error): Processes {
    return {
      run: async (command, control) => {
        if (control.kill.aborted || control.interrupt.aborted) return gate('run.refused', () => cutResult, { sound: true });
        const ended = await gate('run.start', () => this.#start(session, { command, control }), { torn: () => undefined, error, clean: true });
        const result = await ended.result;
        return gate('run.end', () => result, { sound: true });
      },
    };
  }

  /** Everything a dead session started dies with it. */
  killAll(session: number): void {
    for (const process of this.running) if (process.session === session) this.#end(process, { ...cutResult, signal: 'SIGKILL' });
  }

  #start(session: number, o: { readonly command: Command; readonly control: Control }): { readonly result: Promise<CommandResult> } {
    const { timeline, programs } = this.#o;
    const process: Process = { session, command: o.command, startedAt: timeline.now, endedAt: undefined, result: undefined };
    this.running.add(process);
    programs.started(process);
    const script = programs.script(o.command);
    return { result: new Promise((resolve) => { this.#play(process, { ...o, script, resolve }); }) };
  }

  #play(process: Process, o: { readonly command: Command; readonly control: Control; readonly script: Script; readonly resolve: (result: CommandResult) => void }): void {
    const { timeline, rng } = this.#o;
    const { script, command, control } = o;
    const timers: Timer[] = [];
    let reason: 'cut' | 'idle' | 'total' | 'stop' | undefined;
    const finish = (code: number | null, signal?: string): void => {
      if (process.endedAt !== undefined) return;
      for (const timer of timers) timer.run = undefined;
      control.interrupt.removeEventListener('abort', asked);
      control.kill.removeEventListener('abort', killed);
      const limit = reason === 'idle' || reason === 'total' ? { limit: reason } : {};
      this.#end(process, { code, ...(signal === undefined ? {} : { signal }), ...limit, ...(reason === 'stop' ? { ended: reason } : {}), cut: reason === 'cut', leftovers: script.leftovers === true, tail: script.tail ?? '', ...(command.wantOutput === true && signal === undefined && script.output !== undefined ? { output: { text: script.output(), whole: true } } : {}) });
      o.resolve(process.result ?? cutResult);
    };
    const later = (ms: number, run: () => void): void => { timers.push(timeline.after(ms, () => { if (process.endedAt === undefined) run(); })); };
    const stop = (why: 'cut' | 'idle' | 'total' | 'stop', grace: number): void => {
      if (reason !== undefined) return;
      reason = why;
      if (script.stubborn !== true) later(rng.between(0, 2000), () => finish(null, 'SIGTERM'));
      later(grace, () => finish(null, 'SIGKILL'));
    };
    const say = (line: string): void => {
      if (command.dialogue?.receive?.(line).end === 'stop') stop('stop', BOUNDS.killGrace);
    };
    let at = 0;
    for (const deed of script.deeds) {
      at += deed.after;
      later(at, () => tryGit(() => deed.act(say)));
    }
    if (script.hangs !== true) later(at, () => finish(script.code()));
    later(command.totalMs, () => stop('total', BOUNDS.killGrace));
    if (script.silent === true && (command.idleMs ?? 0) > 0) later(command.idleMs ?? 0, () => stop('idle', BOUNDS.killGrace));
    // Left to themselves programs get a little longer than the engine gives them before it kills.
    const asked = (): void => stop('cut', 10 * 60_000);
    const killed = (): void => {
      reason ??= 'cut';
      later(0, () => finish(null, 'SIGKILL'));
    };
    control.interrupt.addEventListener('abort', asked, { once: true });
    control.kill.addEventListener('abort', killed, { once: true });
  }

  #end(process: Process, result: CommandResult): void {
    if (process.endedAt !== undefined) return;
    process.endedAt = this.#o.timeline.now;
    process.result = result;
    this.running.delete(process);
    this.#o.programs.ended(process);
  }
}

const cutResult: CommandResult = { code: null, cut: true, leftovers: false, tail: '' };
