// The library's door, and the command line's: opens a session, lets the loop run, gives everything back.

import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../adapters/clock.ts';
import type { ControlServer } from '../adapters/control.ts';
import type { Result } from '../core/event.ts';
import { parseRequest } from '../core/request.ts';
import type { Request } from '../core/request.ts';
import { isUnpushed } from '../core/push.ts';
import type { State } from '../core/state.ts';
import { isOver } from '../core/state.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { RunLoop } from '../orchestrator.ts';
import type { Observer } from '../orchestrator.ts';
import { sweepPool } from '../worker/obtain.ts';
import { landingWorktrees, promptsFolder, runRef } from '../worker/workplace.ts';
import type { Workplace } from '../worker/workplace.ts';
import type { Clock, Escalator, Seen } from '../world.ts';
import { open, pinRef } from './open.ts';
import type { Opened, OpenOptions } from './open.ts';
import { planNow } from './rest.ts';

/** What to run. Everything left out is as on the command line. */
export interface OrchestratorConfig {
  /** Any folder of the repository; default: the current one. */
  readonly repoRoot?: string;
  readonly tasksDir?: string;
  readonly targetBranch?: string;
  readonly parallelism?: number;
  /** Folder for worktrees, outside every work tree. */
  readonly worktreeBase?: string;
  /** Land locally although a forge is there. */
  readonly noPr?: boolean;
  /** Only these units and what they depend on. */
  readonly singleUnit?: string | readonly string[];
  /** Check and plan only; nothing is started or changed. */
  readonly dryRun?: boolean;
  readonly shutdownTimeoutMs?: number;
  readonly provider?: string;
  readonly forceTaskProvider?: string;
  /** False: checks that passed on the same inputs are run again. */
  readonly cache?: boolean;
  /** Units land without a review by another agent, whatever the configuration says. */
  readonly skipReview?: boolean;
  /** False: the session ends when only people can move the run. */
  readonly wait?: boolean;
  /** `resume` continues the open run. Default `run`. */
  readonly how?: 'run' | 'resume';
  /** Save the run at the remote, for another clone to go on with. A run that is saved stays so. */
  readonly ci?: boolean;
  /** `run` goes on with the open run, here or saved, where there is one. */
  readonly goOn?: boolean;
  /** `resume` first restores a run that is saved at the remote: this one, or the newest. */
  readonly fromRemote?: number | 'newest';
  /** Close an open run and begin a new one. */
  readonly newRun?: boolean;
  /** What `resume` does when the specs on the target are not those the run began with: take them, or go on with the old ones. Left out: refuse. */
  readonly changedPlan?: 'accept' | 'keep';
  /** The environment instead of the process's own. */
  readonly env?: NodeJS.ProcessEnv;
}

/** What a session reports to, and what may be replaced. */
export interface Dependencies {
  /** Sees every event. */
  readonly events?: Observer;
  readonly escalator?: Escalator;
  /** Told what agents are seen doing, without secrets; must return at once; what it throws is reported and changes nothing. */
  readonly activity?: (seen: Seen) => void;
  readonly clock?: Clock;
  /** Told of warnings before the run begins. */
  readonly warn?: (d: Diagnostic) => void;
  /** Told of what a person should know that is no event, a line each. */
  readonly say?: (line: string) => void;
}

/** How a session ended, beside its Result. */
export interface Ended {
  /** There was nothing to do. */
  readonly nothing: boolean;
  /** Every unit landed on the target. */
  readonly complete: boolean;
  /** A unit failed for a defect of choo. */
  readonly bug: boolean;
  /** The signal or command that stopped it. */
  readonly stoppedBy?: string;
}

type Session = Extract<Opened, { kind: 'session' }>;
const NO_RESULT: Result = { totalUnits: 0, completedUnits: 0, failedUnits: 0, blockedUnits: 0, waitingUnits: 0, cancelledUnits: 0, durationMs: 0 };

/** One session of a run in one repository. */
export class Orchestrator {
  readonly #config: OrchestratorConfig;
  readonly #dependencies: Dependencies;
  #loop: RunLoop | undefined;
  #session: Session | undefined;
  #running: Promise<Result> | undefined;
  #asked: Request | undefined;
  /** Aborted by a wish to stop that comes before there is a loop. */
  readonly #early = new AbortController();
  #ended: Ended = { nothing: false, complete: false, bug: false };

  constructor(config: OrchestratorConfig, dependencies: Dependencies = {}) {
    this.#config = config;
    this.#dependencies = dependencies;
  }

  /** Runs until nothing can move. An abort of `signal` stops gracefully. Rejects with a Refusal when nothing ran, with a Bug for a defect of choo. */
  run(signal?: AbortSignal): Promise<Result> {
    this.#running ??= this.#config.dryRun === true ? this.#dryRun() : this.#run(signal);
    return this.#running;
  }

  /** Stops, or gives attempts back. Resolves with the answer; rejects with the reason why not. */
  request(request: Request): Promise<string> {
    if (this.#loop !== undefined) return this.#loop.request(request);
    this.#asked = request;
    if (request.do === 'stop') this.#early.abort();
    return Promise.resolve('noted');
  }

  /** Stops a run that is going on, at once, and resolves when no process of it remains. */
  async close(): Promise<void> {
    if (this.#running === undefined) return;
    const ended = this.#running.then(() => undefined, () => undefined);
    await this.request({ do: 'stop', by: 'close', now: true }).catch((error: unknown) => this.#say(String(error)));
    await ended;
  }

  /** Absolute path of the run's journal, once there is one. */
  get journalPath(): string | undefined {
    return this.#session?.journalPath;
  }

  /** The state of the run, once there is one; only to look at. */
  get state(): State | undefined {
    return this.#session?.place.state;
  }

  /** How it ended; meaningful after `run`. */
  get ended(): Ended {
    return this.#ended;
  }

  async #dryRun(): Promise<Result> {
    const now = await planNow({ cwd: this.#options().cwd, env: this.#options().env, flags: this.#options().flags, selection: this.#options().selection, ...(this.#config.tasksDir === undefined ? {} : { tasksDir: this.#config.tasksDir }) });
    return { ...NO_RESULT, totalUnits: now.plan.units.length };
  }

  async #run(signal: AbortSignal | undefined): Promise<Result> {
    const early = (): void => this.#early.abort();
    if (signal?.aborted === true) early();
    signal?.addEventListener('abort', early, { once: true });
    const opened = await open({ ...this.#options(), stop: this.#early.signal }).finally(() => signal?.removeEventListener('abort', early));
    if (opened.kind === 'nothing') {
      this.#ended = { nothing: true, complete: true, bug: false };
      return { ...NO_RESULT, totalUnits: opened.complete, completedUnits: opened.complete };
    }
    this.#session = opened;
    const { events, escalator } = this.#dependencies;
    const loop = new RunLoop({
      place: opened.place, first: opened.first, observers: events === undefined ? [] : [(event, state) => events(opened.shown(event), state)],
      escalator: opened.escalator(escalator ?? { escalate: () => undefined }), report: (m) => this.#say(m),
    });
    this.#loop = loop;
    const stop = (): void => {
      void this.#stop(loop);
    };
    let control: ControlServer | undefined;
    try {
      control = await opened.serve((request) => answer(loop, request));
      signal?.addEventListener('abort', stop, { once: true });
      if (this.#asked !== undefined || signal?.aborted === true) stop();
      const result = await loop.run();
      await tidyUp(opened.place, (m) => this.#say(m));
      this.#ended = endOf(opened.place.state, result);
      return result;
    } finally {
      signal?.removeEventListener('abort', stop);
      await control?.close();
      await opened.release();
    }
  }

  #stop(loop: RunLoop): Promise<void> {
    return loop.request(this.#asked ?? { do: 'stop', by: 'abort', now: false }).then(() => undefined, (error: unknown) => this.#say(String(error)));
  }

  /** A listener that throws must not look like a defect of the agent's file, in whose midst it is called. */
  #activity(): Pick<OpenOptions, 'activity'> {
    const { activity } = this.#dependencies;
    if (activity === undefined) return {};
    return {
      activity: (seen) => {
        try {
          activity(seen);
        } catch (error) {
          this.#say(`a listener failed on what ${seen.unit} is doing: ${String(error)}`);
        }
      },
    };
  }

  #say(line: string): void {
    this.#dependencies.say?.(line);
  }

  #options(): OpenOptions {
    const c = this.#config;
    const units = c.singleUnit === undefined ? [] : typeof c.singleUnit === 'string' ? [c.singleUnit] : c.singleUnit;
    return {
      cwd: c.repoRoot ?? process.cwd(), env: c.env ?? process.env, clock: this.#dependencies.clock ?? systemClock(), how: c.how ?? 'run',
      selection: units, noPr: c.noPr === true, newRun: c.newRun === true, ci: c.ci === true, goOn: c.goOn === true, plan: c.changedPlan ?? 'ask',
      flags: {
        ...(c.parallelism === undefined ? {} : { parallelism: c.parallelism }), ...(c.targetBranch === undefined ? {} : { target: c.targetBranch }),
        ...(c.provider === undefined ? {} : { provider: c.provider }), ...(c.forceTaskProvider === undefined ? {} : { forceProvider: c.forceTaskProvider }),
        ...(c.cache === undefined ? {} : { cache: c.cache }), ...(c.skipReview === undefined ? {} : { skipReview: c.skipReview }), ...(c.wait === undefined ? {} : { wait: c.wait }),
      },
      ...(c.fromRemote === undefined ? {} : { restore: c.fromRemote }),
      ...(c.tasksDir === undefined ? {} : { tasksDir: c.tasksDir }), ...(c.worktreeBase === undefined ? {} : { worktreeBase: c.worktreeBase }),
      ...(c.shutdownTimeoutMs === undefined ? {} : { shutdownMs: c.shutdownTimeoutMs }),
      own: { script: ownProgram('script-agent.js'), acp: ownProgram('acp-agent.js') },
      ...this.#activity(),
      warn: this.#dependencies.warn ?? (() => undefined), say: (line) => this.#say(line),
    };
  }
}

/** A program of choo's own, which lies beside this file in the built package. */
function ownProgram(name: string): readonly string[] {
  return [process.execPath, join(dirname(fileURLToPath(import.meta.url)), name)];
}

/** A request from the control socket. */
async function answer(loop: RunLoop, value: unknown): Promise<unknown> {
  const request = parseRequest(value);
  if (request === undefined) throw new Error('this choo does not understand the request');
  return { ok: await loop.request(request) };
}

function endOf(state: State, result: Result): Ended {
  const bug = state.units.some((u) => u.failure?.kind === 'bug') || state.trialFailure?.kind === 'bug';
  const complete = result.completedUnits + state.count.cancelled === result.totalUnits && result.error === undefined;
  return { nothing: false, complete, bug, ...(state.stopping === undefined ? {} : { stoppedBy: state.stopping.by }) };
}

/** Removes choo's own landing worktree, its pool and folders that have become empty; what units left stays. */
async function tidyUp(place: Workplace, say: (line: string) => void): Promise<void> {
  try {
    for (const path of landingWorktrees(place)) {
      await clearLanding(place, path);
      await place.slots.release(path);
    }
    await sweepPool(place);
    await place.world.files.remove(promptsFolder(place));
    for (const folder of [join(place.worktrees, 'units'), place.worktrees, dirname(place.worktrees)]) await removeEmpty(folder);
    const complete = place.state.units.every(isOver) && place.state.landing.diverted === undefined && !isUnpushed(place.state);
    if (!complete) return;
    await dropRunRef(place);
    // Last: as long as it is there, a later session knows that this one did not come to its end.
    const ref = pinRef(place.state.run);
    const at = await place.world.git.resolve(ref);
    if (at !== undefined) await place.world.git.moveRef({ ref, to: undefined, from: at, reason: 'choo: run complete' });
    const mirror = place.state.pinned.forge === undefined ? undefined : await place.world.git.resolve(place.state.pinned.targetRef);
    if (mirror !== undefined) await place.world.git.moveRef({ ref: place.state.pinned.targetRef, to: undefined, from: mirror, reason: 'choo: run complete' });
  } catch (error) {
    say(`the landing worktree could not be removed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A link or a folder that git does not know is no worktree of ours, and stays. */
async function clearLanding({ world: { git } }: Workplace, path: string): Promise<void> {
  if (await git.whatStands(path) === 'worktree') await git.removeWorktree(path);
}

/** A session may have died after it made the run's own landing ref and before it said so; the next one then landed on the target. */
async function dropRunRef(place: Workplace): Promise<void> {
  const { git } = place.world;
  const ref = runRef(place);
  const [at, target] = await Promise.all([git.resolve(ref), git.resolve(place.state.pinned.targetRef)]);
  if (at === undefined || target === undefined || !(await git.isAncestor(at, target))) return;
  place.fence.moved(ref, undefined);
  await git.moveRef({ ref, to: undefined, from: at, reason: 'choo: landed on the target' });
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT' && code !== 'EEXIST') throw error;
  }
}
