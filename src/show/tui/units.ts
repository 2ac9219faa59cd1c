// The views of all units, kept from event to event: one that changed is replaced, and with it the sums and the groups it is in.

import type { UnitView } from '../../core/view.ts';
import type { Outline } from './outline.ts';

/** What units are grouped by. */
const GROUPS = {
  failed: (u: UnitView) => u.state === 'failed',
  waiting: (u: UnitView) => u.waiting !== undefined && u.state !== 'failed',
  working: (u: UnitView) => u.waiting === undefined && (u.state === 'running' || u.state === 'proving' || u.state === 'landing'),
  running: (u: UnitView) => u.state === 'running',
  active: (u: UnitView) => u.state === 'running' || u.state === 'proving' || u.state === 'landing' || u.state === 'waiting' || u.state === 'failed',
};

type Group = keyof typeof GROUPS;

/** Tasks of all units but those that were given up. */
export interface Tasks {
  readonly done: number;
  readonly all: number;
}

const ENDED: ReadonlySet<UnitView['state']> = new Set(['landed', 'cancelled', 'failed', 'blocked']);

/** All units of one plan. */
export class Units {
  readonly outline: Outline;
  readonly #views = new Map<string, UnitView>();
  readonly #groups: Readonly<Record<Group, string[]>> = { failed: [], waiting: [], working: [], running: [], active: [] };
  #tasks: Tasks = { done: 0, all: 0 };

  constructor(outline: Outline) {
    this.outline = outline;
  }

  get views(): ReadonlyMap<string, UnitView> {
    return this.#views;
  }

  get tasks(): Tasks {
    return this.#tasks;
  }

  /** Takes a view in. True when what is left to be done is another now. */
  set(view: UnitView): boolean {
    const before = this.#views.get(view.id);
    const [was, is] = [tasksOf(before), tasksOf(view)];
    this.#views.set(view.id, view);
    this.#tasks = { done: this.#tasks.done + is.done - was.done, all: this.#tasks.all + is.all - was.all };
    for (const group of Object.keys(GROUPS) as Group[]) this.#place(group, view);
    return before === undefined || was.done !== is.done || was.all !== is.all || (before.state !== view.state && (ENDED.has(before.state) || ENDED.has(view.state)));
  }

  /** The ids of a group in the order of the list. The same array whatever happens. */
  group(group: Group): readonly string[] {
    return this.#groups[group];
  }

  #place(group: Group, view: UnitView): void {
    const ids = this.#groups[group];
    const at = this.#at(ids, this.outline.place.get(view.id) ?? 0);
    const is = ids[at] === view.id;
    const belongs = GROUPS[group](view);
    if (belongs !== is) ids.splice(at, is ? 1 : 0, ...(is ? [] : [view.id]));
  }

  /** Where the id with that place is, or would be. */
  #at(ids: readonly string[], place: number): number {
    let [from, to] = [0, ids.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.outline.place.get(ids[middle] ?? '') ?? 0) < place) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function tasksOf(u: UnitView | undefined): Tasks {
  if (u === undefined || u.state === 'cancelled') return { done: 0, all: 0 };
  return { done: u.tasks.reduce((n, t) => n + (t.state === 'complete' ? 1 : 0), 0), all: u.tasks.length };
}
