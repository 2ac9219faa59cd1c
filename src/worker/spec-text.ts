// What a task's file is to read in a commit: a task is complete only where its text is still the one that the run began with. Of another
// text nobody has proved anything: that file stays exactly as the target has it, and is for the next run.

import type { Note, Pinned } from '../core/event.ts';
import type { Task } from '../core/plan.ts';
import type { UnitState } from '../core/state.ts';
import { isSound, sameButStatus, setStatus } from '../discovery/frontmatter.ts';
import type { Git } from '../world.ts';

/** What of a run has to be at hand. */
interface Ground {
  readonly world: { readonly git: Pick<Git, 'readFile' | 'mergeBase' | 'renames' | 'treeWith' | 'changedPaths'> };
  readonly state: { readonly pinned: Pick<Pinned, 'base' | 'targetRef' | 'forge'> };
}

/** A unit of whose tasks this run has completed some. */
type Done = Pick<UnitState, 'unit' | 'tasks' | 'textsAt'>;

/** The file of a task that this run completed, with a text that is not the run's. */
export interface OtherText {
  readonly unit: string;
  readonly task: number;
  readonly path: string;
  /** What the task was done by. */
  readonly was: string | undefined;
  /** Undefined: there is no such file any more. */
  readonly text: string | undefined;
}

/** A spec as it has to be upon `reference`; undefined: that has no such file. `done`: its task is, or is just being completed. */
export async function specText(place: Ground, o: { readonly reference: string; readonly path: string; readonly done: boolean }): Promise<string | undefined> {
  const { world: { git }, state: { pinned } } = place;
  const text = await git.readFile(o.reference, o.path);
  if (text === undefined || !o.done) return text;
  return o.reference === pinned.base || sameButStatus(text, await git.readFile(pinned.base, o.path)) ? setStatus(text, 'complete') : text;
}

/** The tasks that this run completed for a unit and that have another text at a commit than the run began with. */
export async function otherTexts(place: Ground, o: { readonly u: Done; readonly at: string }): Promise<readonly OtherText[]> {
  const { git } = place.world;
  const pinned = o.u.textsAt ?? place.state.pinned.base;
  if (o.at === pinned) return [];
  const found = await Promise.all(completedTasks(o.u).map(async ({ number, path }) => {
    const [was, text] = await Promise.all([git.readFile(pinned, path), git.readFile(o.at, path)]);
    return sameButStatus(was, text) ? [] : [{ unit: o.u.unit.id, task: number, path, was, text }];
  }));
  return found.flat();
}

/** The unit's tasks that this run completed. */
export function completedTasks(u: Pick<UnitState, 'unit' | 'tasks'>): readonly Task[] {
  return u.unit.tasks.filter((t) => u.tasks[t.number - 1]?.ours === true);
}

/**
 * The tree of a unit merged upon `tip`, with every spec as `tip` has it, but for the status of the unit's tasks, which are complete there where their text is
 * the run's; whatever its branch made of them. Gives also the paths that are as in `tip` for that.
 */
export async function landedSpecs(place: Ground & { readonly state: { readonly pinned: Pick<Pinned, 'tasksDir'> } }, o: { readonly u: Done; readonly other: readonly OtherText[]; readonly tip: string; readonly tree: string }): Promise<{ readonly tree: string; readonly left: readonly string[] }> {
  const { world: { git }, state: { pinned } } = place;
  const other = new Map(o.other.map((t) => [t.path, t]));
  const own = new Set(completedTasks(o.u).map((t) => t.path));
  const left = new Set([...await git.changedPaths(o.tip, o.tree)].filter((p) => p.startsWith(`${pinned.tasksDir}/`) && !own.has(p)));
  const texts = new Map<string, string>();
  await Promise.all([...own].map(async (path) => {
    const [is, there] = await Promise.all([git.readFile(o.tree, path), other.has(path) ? other.get(path)?.text : git.readFile(o.tip, path)]);
    const right = other.has(path) || there === undefined ? there : setStatus(there, 'complete');
    if (is === right) return;
    if (right === there) left.add(path);
    else if (right !== undefined) texts.set(path, right);
  }));
  if (left.size === 0 && texts.size === 0) return { tree: o.tree, left: [] };
  return { tree: await git.treeWith(o.tree, { commit: o.tip, paths: [...left], texts }), left: [...left] };
}

/** The tree of a merge of `ours` with what others brought, with such files exactly as `theirs` has them, where ours has nothing of its own in them but a status. */
export async function asTheirs(place: Ground, o: { readonly other: readonly OtherText[]; readonly ours: string; readonly theirs: string; readonly tree: string }): Promise<string> {
  const { git } = place.world;
  const paths = new Set<string>();
  for (const { path, was, text } of o.other) {
    const mine = await git.readFile(o.ours, path);
    if (sameButStatus(mine, was) || sameButStatus(mine, text)) paths.add(path);
  }
  const gone = new Set(o.other.filter((t) => t.text === undefined).map((t) => t.path));
  // A merge follows a file to its new name, and takes the status along.
  const base = gone.size === 0 ? undefined : await git.mergeBase(o.ours, o.theirs);
  if (base !== undefined) for (const [now, was] of await git.renames(base, o.theirs)) if (gone.has(was)) paths.add(now);
  return paths.size === 0 ? o.tree : git.treeWith(o.tree, { commit: o.theirs, paths: [...paths] });
}

/** What a person is to know of them when their unit has landed. */
export function notesOf(place: Ground, other: readonly OtherText[]): readonly Note[] {
  const { forge, targetRef } = place.state.pinned;
  const branch = (forge?.ref ?? targetRef).replace('refs/heads/', '');
  const about = (those: readonly OtherText[], what: string): readonly Note[] => {
    const [first, second] = those;
    if (first === undefined) return [];
    const who = second === undefined ? `task ${first.task} of ${first.unit} landed as the run began with it` : `tasks ${those.map((t) => t.task).join(', ')} of ${first.unit} landed as the run began with them`;
    return [{ kind: 'spec-changed', text: `${who}; ${branch} ${what}`, paths: those.map((t) => t.path) }];
  };
  const isComplete = (text: string): boolean => isSound(text) && setStatus(text, 'complete') === text;
  const there = other.flatMap((t) => (t.text === undefined ? [] : [{ ...t, complete: isComplete(t.text) }]));
  return [
    ...about(there.filter((t) => !t.complete), 'has another text now: choo run'),
    ...about(there.filter((t) => t.complete), 'has another text now and calls it complete, which nobody has proved'),
    ...about(other.filter((t) => t.text === undefined), 'has no such file any more'),
  ];
}
