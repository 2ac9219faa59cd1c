// What a task's file is to read in a commit: a task is complete only where its text is still the one that the run began with. Of another
// text nobody has proved anything: that file stays exactly as the target has it, and is for the next run.

import type { Note, Pinned } from '../core/event.ts';
import type { UnitState } from '../core/state.ts';
import { isSound, sameButStatus, setStatus } from '../discovery/frontmatter.ts';
import type { Git } from '../world.ts';

/** What of a run has to be at hand. */
interface Ground {
  readonly world: { readonly git: Pick<Git, 'readFile' | 'mergeBase' | 'renames' | 'treeWith'> };
  readonly state: { readonly pinned: Pick<Pinned, 'base' | 'targetRef' | 'forge'> };
}

/** The file of a task that this run completed, with a text that is not the run's. */
export interface OtherText {
  readonly unit: string;
  readonly task: number;
  readonly path: string;
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
export async function otherTexts(place: Ground, o: { readonly u: Pick<UnitState, 'unit' | 'tasks'>; readonly at: string }): Promise<readonly OtherText[]> {
  const { world: { git }, state: { pinned } } = place;
  if (o.at === pinned.base) return [];
  const ours = o.u.unit.tasks.filter((t) => o.u.tasks[t.number - 1]?.ours === true);
  const found = await Promise.all(ours.map(async ({ number, path }) => {
    const [was, text] = await Promise.all([git.readFile(pinned.base, path), git.readFile(o.at, path)]);
    return sameButStatus(was, text) ? [] : [{ unit: o.u.unit.id, task: number, path, text }];
  }));
  return found.flat();
}

/** The tree of a merge of `ours` with what others brought, with such files exactly as `theirs` has them, where ours has nothing of its own in them but a status; and their paths. */
export async function asTheirs(place: Ground, o: { readonly other: readonly OtherText[]; readonly ours: string; readonly theirs: string; readonly tree: string }): Promise<{ readonly tree: string; readonly paths: readonly string[] }> {
  const { world: { git }, state: { pinned } } = place;
  const paths = new Set<string>();
  for (const { path, text } of o.other) {
    const mine = await git.readFile(o.ours, path);
    if (sameButStatus(mine, await git.readFile(pinned.base, path)) || sameButStatus(mine, text)) paths.add(path);
  }
  const gone = new Set(o.other.filter((t) => t.text === undefined).map((t) => t.path));
  // A merge follows a file to its new name, and takes the status along.
  const base = gone.size === 0 ? undefined : await git.mergeBase(o.ours, o.theirs);
  if (base !== undefined) for (const [now, was] of await git.renames(base, o.theirs)) if (gone.has(was)) paths.add(now);
  return paths.size === 0 ? { tree: o.tree, paths: [] } : { tree: await git.treeWith(o.tree, { commit: o.theirs, paths: [...paths] }), paths: [...paths] };
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
