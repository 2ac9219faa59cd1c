// How long a run may still take, from what its own tasks took so far and the longest way that is left. Pure; promises nothing.

import type { Event } from './event.ts';
import type { State, UnitState } from './state.ts';

/** What tasks took as far as was listened to: from the first attempt to the end, and units from the last task to the landing. All ms. */
export class History {
  readonly #begun = new Map<string, number>();
  readonly #done = new Map<string, number>();
  #tasks = { count: 0, ms: 0 };
  #landings = { count: 0, ms: 0 };

  /** An event at that time, ms since 1970. */
  event(event: Event, at: number): void {
    switch (event.type) {
      // What the session before left open took a night in between, too.
      case 'orch.resumed':
        this.#begun.clear();
        this.#done.clear();
        return;
      case 'task.started': {
        const key = `${event.unit}\n${event.task}`;
        if (!this.#begun.has(key)) this.#begun.set(key, at);
        return;
      }
      case 'task.completed': {
        const key = `${event.unit}\n${event.task}`;
        const begun = this.#begun.get(key);
        this.#begun.delete(key);
        this.#done.set(event.unit, at);
        if (begun !== undefined) this.#tasks = { count: this.#tasks.count + 1, ms: this.#tasks.ms + at - begun };
        return;
      }
      case 'unit.merged': {
        const done = this.#done.get(event.unit);
        this.#done.delete(event.unit);
        if (done !== undefined) this.#landings = { count: this.#landings.count + 1, ms: this.#landings.ms + at - done };
        return;
      }
      default:
    }
  }

  /** What a task takes on average; undefined before the first one is done. */
  get task(): number | undefined {
    return this.#tasks.count === 0 ? undefined : this.#tasks.ms / this.#tasks.count;
  }

  /** What a unit takes from its last task to its landing; 0 before the first one has landed. */
  get landing(): number {
    return this.#landings.count === 0 ? 0 : this.#landings.ms / this.#landings.count;
  }
}

/** Units that go on by themselves or may: what failed, is blocked or was given up takes no time. */
function isAhead(u: UnitState): boolean {
  return u.phase !== 'landed' && u.phase !== 'cancelled' && u.phase !== 'failed' && u.phase !== 'blocked';
}

/** Time to the end (ms; undefined while no task is done), and the tasks on the longest way that is left. Linear in the graph. */
export function estimate(state: State, history: History): { readonly left: number | undefined; readonly critical: number } {
  const task = history.task;
  const { order, dependants } = state.graph;
  const way = new Float64Array(state.units.length);
  const tasks = new Int32Array(state.units.length);
  let work = 0;
  let longest = 0;
  let critical = 0;
  let lastLanding = 0;
  for (let i = order.length - 1; i >= 0; i--) {
    const at = order[i] ?? 0;
    const u = state.units[at];
    const behind = dependants[at] ?? [];
    const after = behind.reduce((most, d) => Math.max(most, way[d] ?? 0), 0);
    const tasksAfter = behind.reduce((most, d) => Math.max(most, tasks[d] ?? 0), 0);
    const ahead = u !== undefined && isAhead(u);
    const open = ahead ? u.tasks.reduce((n, t) => n + (t.done ? 0 : 1), 0) : 0;
    const own = open * (task ?? 0) + (ahead ? history.landing : 0);
    way[at] = own + after;
    tasks[at] = open + tasksAfter;
    work += open * (task ?? 0);
    if (ahead) lastLanding = history.landing;
    longest = Math.max(longest, way[at]);
    critical = Math.max(critical, tasks[at]);
  }
  if (task === undefined) return { left: undefined, critical };
  return { left: Math.max(longest, work / Math.max(1, state.settings.parallelism) + lastLanding), critical };
}
