// From the files of a unit's worktree to a commit: what may go in, what is undone, and the messages. Moves no branch.

import type { Note } from '../core/event.ts';
import type { Task } from '../core/plan.ts';
import type { WorktreeStatus } from '../world.ts';
import { specText } from './spec-text.ts';
import { neverCommitted, writeIn } from './workplace.ts';
import type { UnitStep } from './workplace.ts';

/** Where the right text of each spec is. */
export interface SpecSource {
  /** The commits among which `of` chooses. */
  readonly commits: readonly string[];
  /** The commit that has the right text of a path. */
  readonly of: (path: string) => Promise<string>;
}

/** The specs that are right in a worktree at `head`: those of the last recorded commit and, when the agent merged more of the target in, what that changed since. */
export async function specSource(step: UnitStep, o: { readonly head: string; readonly recorded: string }): Promise<SpecSource> {
  if (o.head === o.recorded) return { commits: [o.recorded], of: async () => o.recorded };
  const { git } = step.place.world;
  const target = await git.resolve(step.place.state.landing.ref);
  const shared = target === undefined ? undefined : await git.mergeBase(target, o.head);
  if (shared === undefined || await git.isAncestor(shared, o.recorded)) return { commits: [o.recorded], of: async () => o.recorded };
  return mergedSpecs(step, { ours: o.recorded, theirs: shared });
}

/** The specs that are right where two commits are merged: as the side has them that changed them; of what both changed, as `theirs` has them. */
export async function mergedSpecs(step: UnitStep, { ours, theirs }: { readonly ours: string; readonly theirs: string }): Promise<SpecSource> {
  const { git } = step.place.world;
  const base = await git.mergeBase(ours, theirs);
  return {
    commits: [ours, theirs],
    of: async (path) => {
      if (base === undefined) return theirs;
      const [was, mine, other] = await Promise.all([base, ours, theirs].map((commit) => git.readFile(commit, path)));
      return other === was && mine !== was ? ours : theirs;
    },
  };
}

/**
 * Puts right everything under the tasks dir that is neither as in `source` nor the status of a task that is done: in files,
 * index and, by the next commit, what the agent committed. Gives the paths that the next commit must stage; those that were put back are staged.
 */
export async function restoreSpecs(step: UnitStep, o: { readonly worktree: string; readonly status: WorktreeStatus; readonly source: SpecSource; readonly expect?: { readonly path: string; readonly text: string }; readonly notes: Note[] }): Promise<readonly string[]> {
  const { git, files } = step.place.world;
  const paths = new Set(o.status.entries.map((e) => e.path).filter((p) => isSpec(step, p)));
  for (const commit of o.source.commits) {
    if (o.status.head === commit) continue;
    for (const p of await git.changedPaths(commit, o.status.head)) if (isSpec(step, p)) paths.add(p);
  }
  if (paths.size === 0) return [];
  const from = new Map<string, string[]>();
  const done = new Map<string, string>();
  const changed: string[] = [];
  for (const path of paths) {
    const reference = await o.source.of(path);
    from.set(reference, [...from.get(reference) ?? [], path]);
    if (!path.startsWith(`${step.place.state.pinned.tasksDir}/`)) {
      // A folder above the specs became a link or a file.
      changed.push(path);
      continue;
    }
    const text = await git.readFile(reference, path);
    const right = await specText(step.place, { reference, path, done: isDone(step, path) });
    if (right !== text && right !== undefined) done.set(path, right);
    const allowed = [right, path === o.expect?.path ? o.expect.text : undefined];
    const is = await files.readText(`${o.worktree}/${path}`);
    if (is === undefined ? right !== undefined : !allowed.includes(is)) changed.push(path);
  }
  for (const [commit, those] of from) await git.restorePaths(o.worktree, { commit, paths: those });
  for (const [path, text] of done) await writeIn(step.place, o.worktree, { path, text });
  if (changed.length > 0) o.notes.push({ kind: 'spec-restored', text: 'the agent changed specs; they were put back', paths: changed });
  return [...done.keys()];
}

/** True for a path under the tasks dir, or one whose replacement would take the tasks dir along. */
export function isSpec(step: UnitStep, path: string): boolean {
  const under = `${step.place.state.pinned.tasksDir}/`;
  return path.startsWith(under) || under.startsWith(`${path}/`);
}

/** Conflicts in specs are not the agent's business: what is merged in is right, beside the status of tasks that are done and whose text is still the run's. */
export async function resolveSpecs(step: UnitStep, o: { readonly worktree: string; readonly onto: string; readonly paths: readonly string[] }): Promise<void> {
  const { git } = step.place.world;
  for (const path of o.paths) {
    const text = await specText(step.place, { reference: o.onto, path, done: isDone(step, path) });
    if (text === undefined) {
      await git.restorePaths(o.worktree, { commit: o.onto, paths: [path] });
      continue;
    }
    await writeIn(step.place, o.worktree, { path, text });
    await git.stage(o.worktree, [path]);
  }
}

function isDone(step: UnitStep, path: string): boolean {
  const task = step.u.unit.tasks.find((t) => t.path === path);
  return task !== undefined && step.u.tasks[task.number - 1]?.done === true;
}

/** The task's file with `status: complete`, from the reference for specs (as it is there when its text is not the run's); undefined when that commit has no such file. */
export async function completedTask(step: UnitStep, o: { readonly task: Task; readonly reference: string }): Promise<{ readonly path: string; readonly text: string } | undefined> {
  const text = await specText(step.place, { reference: o.reference, path: o.task.path, done: true });
  return text === undefined ? undefined : { path: o.task.path, text };
}

/** The paths that go into the next commit: everything changed but specs and what is never committed. The latter is taken out of the index, where an agent's `git add -A` may have put it. */
export async function committable(step: UnitStep, o: { readonly worktree: string; readonly status: WorktreeStatus }): Promise<readonly string[]> {
  const never = await neverCommitted(step.place, step.u.unit.id);
  const { entries, head } = o.status;
  const staged = entries.filter((e) => e.staged && never.has(e.path)).map((e) => e.path);
  if (staged.length > 0) await step.place.world.git.unstagePaths(o.worktree, { commit: head, paths: staged });
  return entries.map((e) => e.path).filter((p) => !never.has(p) && !isSpec(step, p));
}

/** What a check did to the files since everything was staged: tracked paths it changed; untracked ones that it made are removed, so that they are nobody's work. */
export async function afterCheck(step: UnitStep, o: { readonly worktree: string; readonly head: string; readonly notes: Note[] }): Promise<{ readonly changed: readonly string[]; readonly moved: boolean }> {
  const status = await step.place.world.git.status(o.worktree);
  if (status.entries.length === 0) return { changed: [], moved: status.head !== o.head };
  const never = await neverCommitted(step.place, step.u.unit.id);
  const fresh = status.entries.filter((e) => e.unstaged && !never.has(e.path));
  const left = fresh.filter((e) => e.kind === 'untracked').map((e) => e.path);
  if (left.length > 0) {
    await step.place.world.git.restorePaths(o.worktree, { commit: o.head, paths: left });
    o.notes.push({ kind: 'check-left', text: 'a check left untracked files; they were removed', paths: left.slice(0, 20) });
  }
  return { changed: fresh.filter((e) => e.kind !== 'untracked').map((e) => e.path), moved: status.head !== o.head };
}

/** True when a check has changed no tracked file and moved no branch. */
export async function isUntouched(look: ReturnType<typeof afterCheck>): Promise<boolean> {
  const { changed, moved } = await look;
  return changed.length === 0 && !moved;
}

/** A message with choo's trailers. The subject and each line of the body are one line, whatever a title holds. */
export function message(o: { readonly subject: string; readonly body?: readonly string[]; readonly run: number; readonly trailers: readonly (readonly [string, string])[] }): string {
  const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
  // A mark before each, so that none of them reads like a trailer.
  const body = o.body === undefined || o.body.length === 0 ? '' : `${o.body.map((line) => `- ${oneLine(line)}`).join('\n')}\n\n`;
  const trailers = [['Choo-Run', String(o.run)] as const, ...o.trailers].map(([k, v]) => `${k}: ${v}`);
  return `${oneLine(o.subject)}\n\n${body}${trailers.join('\n')}\n`;
}
