// Proves one task: builds the commit, runs the check while the tracked files equal its tree, then (its own step) moves the branch.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf, Note } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Task } from '../core/plan.ts';
import { failpoint } from '../failpoint.ts';
import { afterCheck, committable, completedTask, isSpec, isUntouched, message, restoreSpecs, specSource } from './commit.ts';
import { ensureWorktree } from './prepare.ts';
import { runCheck } from './run-check.ts';
import { takeStatus, writeIn } from './workplace.ts';
import type { UnitStep } from './workplace.ts';

/** Runs a task's check on the commit that would complete it. Answers `task.validation.ok` with the commit, or `task.validation.fail`. */
export async function checkTask(step: UnitStep, begun: EventOf<'task.backpressure'>): Promise<EventBody> {
  const { u } = step;
  const task = must(u.unit.tasks[begun.task - 1], 'a task');
  const { toldUnchanged: told, before } = must(u.tasks[begun.task - 1], 'a task');
  const notes: Note[] = [];
  const about = { unit: u.unit.id, task: begun.task, attempt: begun.attempt };
  const failed = (failure: Failure): EventBody => ({ type: 'task.validation.fail', ...about, failure, notes });
  const worktree = await ensureWorktree(step);
  const log = `${step.place.runDir}/${begun.log}`;
  for (let round = 1; ; round++) {
    const built = await build(step, { worktree, task, notes });
    const check = { name: `task ${task.number}`, command: task.check, task: task.number };
    const look = (): ReturnType<typeof afterCheck> => afterCheck(step, { worktree, head: built.parent, notes });
    const { failure } = await runCheck(step.place, { check, cwd: worktree, log, unit: u.unit.id, control: step.control, untouched: () => isUntouched(look()), notes });
    const after = await look();
    if (failure !== undefined) return failed(failure);
    if (after.moved || (after.changed.length > 0 && round === 2)) return failed({ kind: 'unstable-check', check: check.name, command: check.command, paths: after.changed });
    if (after.changed.length > 0) {
      notes.push({ kind: 'check-changed', text: 'the check changed tracked files; they are part of the commit and the check was run again', paths: after.changed });
      continue;
    }
    if (built.unchanged && !told) return failed({ kind: 'nothing-changed', check: task.check, ...(before === undefined ? {} : { before }) });
    failpoint('commit-built');
    return { type: 'task.validation.ok', ...about, commit: built.commit, parent: built.parent, unchanged: built.unchanged, notes };
  }
}

/** Stages what the agent did and the task's status, and makes the commit object. */
async function build(step: UnitStep, o: { readonly worktree: string; readonly task: Task; readonly notes: Note[] }): Promise<{ readonly commit: string; readonly parent: string; readonly unchanged: boolean }> {
  const { git } = step.place.world;
  const recorded = must(step.u.head, 'a recorded head');
  const status = await takeStatus(step.place, o.worktree);
  const source = await specSource(step, { head: status.head, recorded });
  const done = await completedTask(step, { task: o.task, reference: await source.of(o.task.path) });
  const specs = await restoreSpecs(step, { worktree: o.worktree, status, source, notes: o.notes, ...(done === undefined ? {} : { expect: done }) });
  const paths = await committable(step, { worktree: o.worktree, status });
  if (done !== undefined) await writeIn(step.place, o.worktree, done);
  const tree = await git.stage(o.worktree, [...paths, ...specs, ...(done === undefined ? [] : [done.path])]);
  const commit = await git.commitTree({
    tree, parents: [status.head],
    message: message({
      subject: `feat(${step.u.unit.id}): complete task #${o.task.number} - ${o.task.title}`,
      run: step.place.state.run, trailers: [['Choo-Unit', step.u.unit.id], ['Choo-Task', String(o.task.number)]],
    }),
  });
  const same = status.head === recorded || (await git.changedPaths(recorded, status.head)).every((p) => isSpec(step, p));
  return { commit, parent: status.head, unchanged: paths.length === 0 && same };
}

/** Moves the unit's branch to the proved commit. Doing it twice is the same as once. */
export async function commitTask(step: UnitStep, begun: EventOf<'task.committing'>): Promise<EventBody> {
  const { git } = step.place.world;
  const next = step.u.next;
  if (next.step !== 'commit') throw new Error(`commit of ${step.u.unit.id} while ${next.step} is due`);
  const branch = must(step.u.branch, 'a branch');
  const about = { unit: step.u.unit.id, task: begun.task };
  step.place.fence.moved(branch, begun.commit);
  const moved = await git.moveRef({ ref: branch, to: begun.commit, from: next.parent, reason: `choo: complete task #${begun.task}` });
  if (!moved && (await git.resolve(branch)) !== begun.commit) {
    return { type: 'task.commit.failed', ...about, failure: { kind: 'git', command: `git update-ref ${branch}`, detail: 'somebody else moved the branch between the check and the commit' } };
  }
  return { type: 'task.committed', ...about, commit: begun.commit };
}
