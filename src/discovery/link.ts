// All units together: names, dependencies and circles checked across them, and the Plan made when nothing is wrong.

import { byCodeUnit } from '../core/plan.ts';
import type { Plan, Unit } from '../core/plan.ts';
import { findCycles } from './cycles.ts';
import { byPlace, errorAt, hasErrors, warningAt } from './diagnostic.ts';
import type { Diagnostic, Related } from './diagnostic.ts';
import { foldName } from './names.ts';
import { wholeFile } from './source.ts';
import type { Located, Source } from './source.ts';
import { didYouMean } from './suggest.ts';
import type { TaskDraft, UnitDraft } from './unit.ts';

/** Names shown of a circle in its message; every edge is among its related places. */
const CYCLE_SHOWN = 8;
/** Names compared to find suggestions for unknown dependencies, in all; each suggestion looks at all names. */
const COMPARED = 500_000;

/** What else linking has to know. */
export interface LinkContext {
  /** State of a unit that was archived under `specs/completed/tasks/`; undefined when there is none of that name. */
  readonly archived: (id: string) => 'complete' | 'incomplete' | undefined;
  /** Why this agent cannot be used, as a sentence; undefined when it can. */
  readonly providerProblem?: (name: string) => string | undefined;
}

/** What came of linking. `plan` is absent when there is an error; `all` has every readable unit, complete ones too, in code-unit order. */
export interface Linked {
  readonly plan?: Plan;
  readonly all: readonly Unit[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Links drafts with different ids into a plan. `before` are the diagnostics of reading them. Linear in units and edges. */
export function linkUnits(drafts: readonly UnitDraft[], context: LinkContext, before: readonly Diagnostic[] = []): Linked {
  const linker = new Linker(drafts, context);
  const diagnostics = [...before, ...linker.check()].toSorted(byPlace);
  const all = linker.drafts.map((draft) => toUnit(draft));
  if (hasErrors(diagnostics)) return { all, diagnostics };
  const complete = new Set(linker.drafts.filter((draft) => draft.complete).map((draft) => draft.id));
  const known = new Set(linker.drafts.map((draft) => draft.id));
  const units = all.filter((unit) => !complete.has(unit.id)).map((unit) => ({ ...unit, dependsOn: unit.dependsOn.filter((id) => known.has(id) && !complete.has(id)) }));
  return { plan: { units, complete: [...complete] }, all, diagnostics };
}

function toUnit(draft: UnitDraft): Unit {
  return {
    id: draft.id,
    dir: draft.dir,
    planPath: draft.plan.path,
    ...(draft.specPath === undefined ? {} : { specPath: draft.specPath }),
    dependsOn: [...new Set(draft.dependsOn.map((dep) => dep.value))],
    tasks: draft.tasks.map((task) => task.task),
    checks: draft.checks,
    ...(draft.provider === undefined ? {} : { provider: draft.provider.value }),
    touches: draft.touches,
  };
}

class Linker {
  readonly drafts: readonly UnitDraft[];
  readonly #context: LinkContext;
  readonly #index: ReadonlyMap<string, number>;
  readonly #found: Diagnostic[] = [];
  #compared = 0;

  constructor(drafts: readonly UnitDraft[], context: LinkContext) {
    this.drafts = drafts.toSorted((a, b) => byCodeUnit(a.id, b.id));
    this.#context = context;
    this.#index = new Map(this.drafts.map((draft, i) => [draft.id, i]));
  }

  check(): readonly Diagnostic[] {
    this.#names();
    const deps = this.drafts.map((draft) => this.#dependencies(draft));
    this.#unitCycles(deps);
    for (const draft of this.drafts) {
      this.#tasks(draft);
      this.#provider(draft);
    }
    return this.#found;
  }

  #names(): void {
    const seen = new Map<string, UnitDraft>();
    for (const draft of this.drafts) {
      const folded = foldName(draft.id);
      const other = seen.get(folded);
      seen.set(folded, other ?? draft);
      if (other === undefined) continue;
      const related = [{ message: 'the other one', place: wholeFile(other.dir) }];
      const hint = 'rename one of them: on some file systems they are the same folder';
      this.#found.push(errorAt('unit-case', `the names of the units \`${other.id}\` and \`${draft.id}\` differ only in case`, { place: wholeFile(draft.dir), related, hint }));
    }
  }

  #dependencies(draft: UnitDraft): number[] {
    const seen = new Set<string>();
    const deps: number[] = [];
    for (const dep of draft.dependsOn) {
      if (seen.has(dep.value)) {
        this.#warn('duplicate-dependency', `\`${dep.value}\` is named twice`, { source: draft.plan, at: dep });
        continue;
      }
      seen.add(dep.value);
      const target = this.#index.get(dep.value);
      if (dep.value === draft.id) this.#error('self-dependency', `the unit \`${draft.id}\` depends on itself`, { source: draft.plan, at: dep });
      else if (target !== undefined) deps.push(target);
      else this.#unknown(draft, dep);
    }
    return deps;
  }

  #unknown(draft: UnitDraft, dep: Located<string>): void {
    const archived = this.#context.archived(dep.value);
    if (archived === 'complete') return;
    if (archived === 'incomplete') {
      this.#error('incomplete-dependency', `the unit \`${dep.value}\` is under specs/completed/tasks/ but is not complete`, { source: draft.plan, at: dep, hint: 'move it back, or set the status of its tasks' });
      return;
    }
    const hint = this.#compared < COMPARED ? didYouMean(dep.value, this.#index.keys()) : undefined;
    this.#compared += this.#index.size;
    this.#error('unknown-dependency', `the unit \`${draft.id}\` depends on \`${dep.value}\`, which does not exist`, { source: draft.plan, at: dep, hint });
  }

  #unitCycles(deps: readonly (readonly number[])[]): void {
    for (const cycle of findCycles(deps)) {
      const units = cycle.map((i) => this.drafts[i]).filter((draft) => draft !== undefined);
      const edges = units.map((from, i) => {
        const to = units[(i + 1) % units.length]?.id ?? '';
        return edge(from.plan, { from: `\`${from.id}\``, to: `\`${to}\``, at: from.dependsOn.find((dep) => dep.value === to) });
      });
      this.#found.push(cycleError('unit-cycle', { what: 'units', names: units.map((unit) => unit.id), edges }));
    }
  }

  #tasks(draft: UnitDraft): void {
    const index = new Map(draft.tasks.map(({ task }, i) => [task.number, i]));
    const deps = draft.tasks.map((task) => this.#taskDependencies(task, { draft, index }));
    if (deps.every((list) => list.length === 0)) return;
    for (const cycle of findCycles(deps)) {
      const tasks = cycle.map((i) => draft.tasks[i]).filter((task) => task !== undefined);
      const edges = tasks.map((from, i) => {
        const to = tasks[(i + 1) % tasks.length]?.task.number ?? 0;
        return edge(from.source, { from: `task ${from.task.number}`, to: `task ${to}`, at: from.dependsOn.find((dep) => dep.value === to) });
      });
      this.#found.push(cycleError('task-cycle', { what: `tasks of the unit \`${draft.id}\``, names: tasks.map(({ task }) => String(task.number)), edges }));
    }
  }

  #taskDependencies(from: TaskDraft, o: { readonly draft: UnitDraft; readonly index: ReadonlyMap<number, number> }): number[] {
    const deps: number[] = [];
    for (const dep of from.dependsOn) {
      const target = o.index.get(dep.value);
      const at = { source: from.source, at: dep };
      if (dep.value === from.task.number) this.#error('self-dependency', `task ${dep.value} depends on itself`, at);
      else if (target === undefined) this.#error('unknown-dependency', `the unit \`${o.draft.id}\` has no task ${dep.value}`, { ...at, hint: `it has ${listNumbers(o.draft.tasks)}` });
      else if (deps.includes(target)) this.#warn('duplicate-dependency', `task ${dep.value} is named twice`, at);
      else deps.push(target);
    }
    return deps;
  }

  #provider(draft: UnitDraft): void {
    const problem = draft.provider === undefined ? undefined : this.#context.providerProblem?.(draft.provider.value);
    if (draft.provider !== undefined && problem !== undefined) this.#error('unknown-provider', problem, { source: draft.plan, at: draft.provider });
  }

  #error(code: string, message: string, o: Spot): void {
    this.#found.push(errorAt(code, message, { place: o.source.place(o.at), hint: o.hint }));
  }

  #warn(code: string, message: string, o: Spot): void {
    this.#found.push(warningAt(code, message, { place: o.source.place(o.at), hint: o.hint }));
  }
}

interface Spot {
  readonly source: Source;
  readonly at: Located<unknown>;
  readonly hint?: string | undefined;
}

function edge(source: Source, o: { readonly from: string; readonly to: string; readonly at: Located<unknown> | undefined }): Related {
  return { message: `${o.from} depends on ${o.to}`, place: o.at === undefined ? wholeFile(source.path) : source.place(o.at) };
}

function cycleError(code: string, o: { readonly what: string; readonly names: readonly string[]; readonly edges: readonly Related[] }): Diagnostic {
  const shown = o.names.length > CYCLE_SHOWN ? [...o.names.slice(0, CYCLE_SHOWN), `… (${o.names.length} in all)`] : o.names;
  const circle = [...shown, o.names[0] ?? ''].join(' → ');
  const [first, ...others] = o.edges;
  return errorAt(code, `${o.what} depend on each other in a circle: ${circle}`, {
    ...(first === undefined ? {} : { place: first.place }),
    related: others,
    hint: 'take one of these dependencies away',
  });
}

function listNumbers(tasks: readonly TaskDraft[]): string {
  const last = tasks[tasks.length - 1]?.task.number ?? 0;
  return tasks.length === 1 ? `only task ${last}` : `tasks ${tasks[0]?.task.number ?? 0} to ${last}`;
}
