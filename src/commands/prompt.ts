// `choo prompt`: the exact text an agent would get for a task, made by the same code as in a run.

import { initialState, nextTask } from '../core/state.ts';
import type { State, UnitState } from '../core/state.ts';
import type { Settings } from '../core/event.ts';
import type { Task } from '../core/plan.ts';
import { didYouMean } from '../discovery/suggest.ts';
import { systemClock } from '../adapters/clock.ts';
import { refuse } from '../opening/refusal.ts';
import { lookAt, planNow } from '../opening/rest.ts';
import type { Look } from '../opening/rest.ts';
import { workingTreeSource } from '../opening/sources.ts';
import { TASKS_DIR } from '../opening/specs.ts';
import { taskPrompt } from '../worker/attempt.ts';
import { buildPrompt } from '../worker/prompt.ts';
import type { Workplace } from '../worker/workplace.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** What `choo prompt` was asked for; without a task the next one of the unit. */
export interface PromptOptions {
  readonly unit: string;
  readonly task?: number;
}

/** Prints the prompt. In an open run from its pinned commit and with what failed last, otherwise from the working tree. */
export async function prompt(o: PromptOptions, io: Io): Promise<number> {
  try {
    const look = await lookAt(io.cwd, io.env);
    try {
      const place = look.open && look.state !== undefined ? placeOf(look.state, look) : await plannedPlace(io, look);
      io.out.write(await textFor(place, o));
      return 0;
    } finally {
      await look.repository.git.close();
    }
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

type Place = Parameters<typeof taskPrompt>[0];

/** Of the world, a prompt needs only the reading of files. */
function placeWith(state: State, readFile: Workplace['world']['git']['readFile']): Place {
  return { state, world: { git: { readFile } } as Workplace['world'] };
}

function placeOf(state: State, look: Look): Place {
  return placeWith(state, (commit, path) => look.repository.git.readFile(commit, path));
}

async function plannedPlace(io: Io, look: Look): Promise<Place> {
  const now = await planNow({ cwd: io.cwd, env: io.env, flags: {}, selection: [] });
  const source = workingTreeSource({ root: look.repository.root ?? io.cwd, env: io.env, clock: systemClock() });
  const state = initialState(0, {
    base: '', targetRef: '', tasksDir: TASKS_DIR, selection: [], mode: 'local', branchPrefix: '', digest: '',
    plan: { units: now.all, complete: [] }, checks: now.config.baselineChecks,
  }, now.settings satisfies Settings);
  return placeWith(state, async (_commit, path) => (await source.read([path]))[0]?.text);
}

async function textFor(place: Place, o: PromptOptions): Promise<string> {
  const { state } = place;
  const index = state.graph.index.get(o.unit);
  const u = index === undefined ? undefined : state.units[index];
  if (u === undefined) throw refuse('unknown-unit', `there is no unit \`${o.unit}\``, didYouMean(o.unit, state.graph.index.keys()) ?? 'see: choo status');
  const task = taskOf(u, o.task);
  const remembered = u.tasks[task.number - 1];
  return buildPrompt(await taskPrompt(place, {
    step: { u }, task, attempt: (remembered?.used ?? 0) + 1, passedBefore: false,
    ...(remembered?.last === undefined ? {} : { because: remembered.last }),
  }));
}

function taskOf(u: UnitState, asked: number | undefined): Task {
  const number = asked ?? nextTask(u);
  if (number === undefined) throw refuse('no-task', `every task of \`${u.unit.id}\` is complete`, 'name one with --task');
  const task = u.unit.tasks[number - 1];
  if (task === undefined) throw refuse('unknown-task', `\`${u.unit.id}\` has no task ${number}`, `it has tasks 1 to ${u.unit.tasks.length}`);
  return task;
}
