// For commands that look at a repository without running anything: the newest run, and the plan as the working tree has it.

import { controlPath, ControlError } from '../adapters/control.ts';
import { systemClock } from '../adapters/clock.ts';
import { openJournal, readJournal, JournalError } from '../adapters/journal.ts';
import { stateOf } from '../adapters/journal-state.ts';
import { readLock } from '../adapters/lock.ts';
import type { HolderState } from '../adapters/lock.ts';
import { journalPath, newestRun, runFolder } from '../adapters/runs.ts';
import type { Event } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import { isOpen } from '../core/open.ts';
import { respond } from '../core/request.ts';
import type { Request } from '../core/request.ts';
import type { State } from '../core/state.ts';
import { hasErrors } from '../discovery/diagnostic.ts';
import type { Flags } from '../discovery/settings.ts';
import type { Prediction } from '../discovery/overlap.ts';
import { folderPath } from '../discovery/source.ts';
import { hold } from './hold.ts';
import { overlapsAt } from './overlaps.ts';
import { refuse, Refusal } from './refusal.ts';
import { findRepository } from './repository.ts';
import type { Repository } from './repository.ts';
import { workingTreeSource } from './sources.ts';
import { readSpecs, TASKS_DIR } from './specs.ts';
import type { Specs } from './specs.ts';

/** A run of a repository, seen from outside. */
export interface Look {
  readonly repository: Repository;
  readonly commonDir: string;
  readonly run?: number;
  /** True when there is no later run. */
  readonly newest?: boolean;
  /** The run's folder with its logs. */
  readonly runDir?: string;
  readonly state?: State;
  readonly events?: readonly Event[];
  readonly open: boolean;
  readonly holder?: { readonly pid: number; readonly state: HolderState };
  /** Where a live run listens; undefined when there is no place for a socket. */
  readonly socket?: string;
}

/** Looks at the newest run, or the one with that number, live or at rest. The caller closes `repository.git`. Throws a Refusal for what is no repository or no journal. */
export async function lookAt(cwd: string, env: NodeJS.ProcessEnv, run?: number): Promise<Look> {
  const repository = await findRepository({ cwd, env, clock: systemClock() });
  const { commonDir } = repository.facts;
  const held = await readLock(commonDir);
  const found = await runOf(commonDir, run);
  const socket = socketPath(commonDir, env);
  return {
    repository, commonDir,
    open: found !== undefined && isOpen(found.state),
    ...(found === undefined ? {} : found),
    ...(held === undefined ? {} : { holder: { pid: held.holder.pid, state: held.state } }),
    ...(socket === undefined ? {} : { socket }),
  };
}

/** Where a live run of the repository listens; undefined when there is no place for a socket. */
export function socketPath(commonDir: string, env: NodeJS.ProcessEnv): string | undefined {
  try {
    return controlPath(commonDir, env['XDG_RUNTIME_DIR']);
  } catch (error) {
    if (error instanceof ControlError) return undefined;
    throw error;
  }
}

async function runOf(commonDir: string, asked: number | undefined): Promise<{ readonly run: number; readonly newest: boolean; readonly runDir: string; readonly events: readonly Event[]; readonly state: State } | undefined> {
  const newest = await newestRun(commonDir);
  const run = asked ?? newest;
  if (run === undefined) return undefined;
  try {
    const path = journalPath(commonDir, run);
    const { events } = await readJournal(path);
    return events.length === 0 ? undefined : { run, newest: run === newest, runDir: runFolder(commonDir, run), events, state: stateOf(path, events) };
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    if (error.reason === 'missing') return undefined;
    throw refuse('journal', error.message);
  }
}

/** A person's request to the run at rest becomes events in its journal. Resolves with what was done; `code` is that of the Refusal when it cannot be. */
export async function askAtRest(look: Look, o: { readonly request: Request; readonly code: string }): Promise<string> {
  if (look.run === undefined || !look.open) throw refuse('no-run', 'there is no open run', 'start one: choo run');
  const held = await hold(look.repository, { say: () => undefined, clock: systemClock() });
  try {
    const { journal, events } = await openJournal(journalPath(look.commonDir, look.run), held);
    try {
      const response = respond(stateOf(journal.path, events), o.request, 0);
      if ('error' in response) throw refuse(o.code, response.error, 'see: choo status');
      await journal.append(response.events, systemClock().now());
      return response.answer;
    } finally {
      await journal.close();
    }
  } finally {
    await held.release();
  }
}

/** What the specs say now, in the working tree, and where that differs from what a run would read. */
export interface PlanNow extends Specs {
  readonly plan: Plan;
  readonly repository: Repository;
  /** Units that may change the same files; asked for with `overlaps`. */
  readonly prediction: Prediction;
  /** Paths under the tasks dir that are unlike the last commit. */
  readonly differs: readonly string[];
}

/** Plans from the working tree, changing nothing. Throws a Refusal with every diagnostic when the specs are wrong. */
export async function planNow(o: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly tasksDir?: string; readonly flags: Flags; readonly selection: readonly string[]; readonly overlaps?: boolean }): Promise<PlanNow> {
  const clock = systemClock();
  const repository = await findRepository({ cwd: o.cwd, env: o.env, clock });
  try {
    if (repository.root === undefined) throw refuse('bare', 'a bare repository has no working tree to plan from', 'run it from a worktree: git worktree add ../work && cd ../work');
    const tasksDir = folderPath(o.tasksDir ?? TASKS_DIR);
    const specs = await readSpecs(workingTreeSource({ root: repository.root, env: o.env, clock }), { tasksDir, selection: o.selection, flags: o.flags, env: o.env });
    if (specs.plan === undefined || hasErrors(specs.diagnostics)) throw new Refusal(specs.diagnostics);
    const { head } = repository.facts;
    const differs = head === undefined ? [] : await repository.git.workingTreeDiff(repository.root, { commit: head, prefix: tasksDir });
    const prediction = o.overlaps === true ? await overlapsAt(repository.git, { commit: head, plan: specs.plan }) : { overlaps: [] };
    return { ...specs, plan: specs.plan, repository, differs, prediction };
  } finally {
    await repository.git.close();
  }
}
