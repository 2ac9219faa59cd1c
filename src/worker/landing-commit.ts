// The commit by which a unit comes onto the landing ref: a merge, one commit with everything, or its own commits replayed. Moves no ref.

import { must } from '../core/bug.ts';
import type { UnitState } from '../core/state.ts';
import { landRules } from '../core/state.ts';
import { message } from './commit.ts';
import { completedTasks } from './spec-text.ts';
import { taskChecks } from './verify.ts';
import type { Workplace } from './workplace.ts';

/** A unit's head merged with `tip`: the tree is made, the commit is not. */
export interface Merged {
  readonly u: UnitState;
  readonly head: string;
  readonly tip: string;
  readonly tree: string;
  /** Paths that it has as `tip` does, whatever the unit's commits made of them. */
  readonly left: readonly string[];
}

/** Makes the commit in the configured way. Its tree is `tree` and it descends from `tip`, whatever the way. */
export async function landingCommit(place: Workplace, o: Merged): Promise<string> {
  const { strategy } = landRules(place.state);
  if (strategy === 'rebase') return (await replayed(place, o)) ?? squashed(place, o);
  return strategy === 'squash' ? squashed(place, o) : merged(place, o);
}

function merged(place: Workplace, o: Merged): Promise<string> {
  return place.world.git.commitTree({ tree: o.tree, parents: [o.tip, o.head], message: mergeMessage(place, o.u) });
}

function mergeMessage(place: Workplace, u: UnitState): string {
  const done = taskChecks({ u }).length;
  const id = u.unit.id;
  return message({ subject: `merge(${id}): ${done} ${done === 1 ? 'task' : 'tasks'} proved`, run: place.state.run, trailers: [['Choo-Landed', id]] });
}

/** What a forge is to write on the commit by which it lands the unit. */
export function landingMessage(place: Workplace, u: UnitState): { readonly subject: string; readonly body: string } {
  const text = landRules(place.state).strategy === 'squash' ? squashMessage(place, u) : mergeMessage(place, u);
  const end = text.indexOf('\n');
  return { subject: text.slice(0, end), body: text.slice(end).trim() };
}

function squashed(place: Workplace, o: Merged): Promise<string> {
  return place.world.git.commitTree({ tree: o.tree, parents: [o.tip], message: squashMessage(place, o.u) });
}

/** One commit; each task keeps its trailers, so that it is still known which one brought it. */
function squashMessage(place: Workplace, u: UnitState): string {
  const { unit } = u;
  const done = completedTasks(u);
  const about = done.length === 1 ? must(done[0], 'a task').title : `${done.length} tasks`;
  return message({
    subject: `feat(${unit.id}): ${about}`, run: place.state.run, body: done.length > 1 ? done.map((t) => `#${t.number} ${t.title}`) : [],
    trailers: [['Choo-Unit', unit.id], ...done.map((t) => ['Choo-Task', String(t.number)] as const), ['Choo-Landed', unit.id]],
  });
}

/**
 * The unit's own commits, one upon the other, without a checkout: each is merged onto the new line with its own parent as the base.
 * Undefined when one conflicts or they do not add up to the tree that was merged, as after a conflict that was resolved in a merge.
 */
async function replayed(place: Workplace, o: Merged): Promise<string | undefined> {
  const { git } = place.world;
  const commits = await git.firstParents(must(o.u.base, 'a base'), o.head);
  let parent = must(o.u.base, 'a base');
  const line: { readonly tree: string; readonly id: string; readonly text: string }[] = [];
  let tree = await git.treeOf(o.tip);
  for (const { id, message: text } of commits) {
    // A commit with the new line's tree on the old parent: git then takes that parent for the merge base.
    const bridge = await git.commitTree({ tree, parents: [parent], message: 'choo: a step of a replay\n' });
    const step = await git.mergeTrees(bridge, id);
    if (step.kind === 'conflict') return undefined;
    const made = o.left.length === 0 ? step.tree : await git.treeWith(step.tree, { commit: o.tip, paths: o.left });
    if (made !== tree) line.push({ tree: made, id, text });
    tree = made;
    parent = id;
  }
  if (tree !== o.tree || line.length === 0) return undefined;
  let tip = o.tip;
  for (const [i, step] of line.entries()) {
    const text = i === line.length - 1 ? withTrailer(step.text, `Choo-Landed: ${o.u.unit.id}`) : step.text;
    tip = await git.commitTree({ tree: step.tree, parents: [tip], message: text, authorOf: step.id });
  }
  return tip;
}

/** A message with one more trailer: in its last paragraph when that holds trailers, else in one of its own. */
function withTrailer(text: string, trailer: string): string {
  const body = text.trimEnd();
  const last = body.split(/\n\n+/).at(-1) ?? '';
  const trailers = body.includes('\n\n') && last.split('\n').every((line) => /^[A-Za-z][\w-]*: /.test(line));
  return `${body}${trailers ? '\n' : '\n\n'}${trailer}\n`;
}
