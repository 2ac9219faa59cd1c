// `choo status`: every unit and task of the run, or of the specs when there is none.

import { systemClock } from '../adapters/clock.ts';
import { must } from '../core/bug.ts';
import { viewOf, viewOfPlan } from '../core/view.ts';
import type { RunView } from '../core/view.ts';
import { redactorFor } from '../opening/place.ts';
import { Refusal } from '../opening/refusal.ts';
import { lookAt, planNow } from '../opening/rest.ts';
import type { Look } from '../opening/rest.ts';
import { renderStatus, statusData } from '../show/status.ts';
import type { Standing } from '../show/status.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';
import { listeningAgent } from './listening.ts';
import { lastSeen } from './seen.ts';
import { folderPath } from '../discovery/source.ts';

/** What `choo status` was asked for. */
export interface StatusOptions {
  readonly tasksDir?: string;
  readonly json?: boolean;
}

/** Prints the standing; exit code 0 whatever it is. */
export async function status(o: StatusOptions, io: Io): Promise<number> {
  try {
    const standing = await standingOf(o, io);
    io.out.write(o.json === true ? `${JSON.stringify(statusData(standing), null, 2)}\n` : renderStatus(standing, { color: io.out.color }));
    return 0;
  } catch (error) {
    return report(error, { io, json: o.json === true, journal: undefined });
  }
}

/** The standing, as `choo status` shows it. Throws a Refusal for what is no repository, or specs or a journal that are wrong. */
export async function standingOf(o: StatusOptions, io: Pick<Io, 'cwd' | 'env'>): Promise<Standing> {
  const look = await lookAt(io.cwd, io.env);
  const now = systemClock().now();
  try {
    if (concerns(look, o.tasksDir)) {
      const view = viewOf(must(look.state, 'the state of the run'));
      const todo = view.closed ? await unitsToDo(io) : undefined;
      return { view, now, ...whereIs(look), ...(todo === undefined ? {} : { todo }), ...await seenNow(look, { view, now, io }) };
    }
    const plan = await planNow({ cwd: io.cwd, env: io.env, flags: {}, selection: [], ...(o.tasksDir === undefined ? {} : { tasksDir: o.tasksDir }) });
    return { view: viewOfPlan(plan.all), now, at: 'rest' };
  } finally {
    await look.repository.git.close();
  }
}

/** What agents are doing, while somebody runs them. */
async function seenNow(look: Look, o: { readonly view: RunView; readonly now: number; readonly io: Pick<Io, 'env'> }): Promise<Pick<Standing, 'seen'>> {
  if (look.holder?.state !== 'live' || look.runDir === undefined || look.state === undefined) return {};
  const { text } = redactorFor(o.io.env, undefined);
  return { seen: await lastSeen(o.view, { runDir: look.runDir, now: o.now, agentNamed: listeningAgent, redact: text }) };
}

/** After a run, specs may have been added; undefined when they cannot be read, which is for the next run to tell. */
async function unitsToDo(io: Pick<Io, 'cwd' | 'env'>): Promise<number | undefined> {
  try {
    return (await planNow({ cwd: io.cwd, env: io.env, flags: {}, selection: [] })).plan.units.length;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** The newest run is what is asked about, unless another folder of units is named. */
function concerns(look: Look, tasksDir: string | undefined): boolean {
  if (look.state === undefined) return false;
  return tasksDir === undefined || folderPath(tasksDir) === folderPath(look.state.pinned.tasksDir);
}

function whereIs(look: Look): Pick<Standing, 'at' | 'pid'> {
  if (look.holder === undefined || look.holder.state === 'stale') return { at: 'rest' };
  return { at: look.holder.state, pid: look.holder.pid };
}
