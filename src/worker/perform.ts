// One begun step → one event. Every step is answered exactly once: a throw inside becomes a failed step,
// but for the one that says that the repository is no longer ours.

import { unreachable } from '../core/bug.ts';
import type { Begun, EventBody } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import { unitNamed } from '../core/evolve.ts';
import { FenceLost } from '../world.ts';
import type { Control } from '../world.ts';
import { attemptRework, attemptTask } from './attempt.ts';
import { checkTask, commitTask } from './check.ts';
import { finishUnit } from './finish.ts';
import { advanceTarget } from './advance-target.ts';
import { landBatch } from './land.ts';
import { mergeBatch } from './merge-batch.ts';
import { proveBatch } from './proof.ts';
import { prepare } from './prepare.ts';
import { trial } from './prove.ts';
import { followPull, publishPull, takePushed } from './pull.ts';
import { mergePull, provePull } from './pull-merge.ts';
import { catchUp, pushTarget } from './push.ts';
import { recover } from './recover.ts';
import { review } from './review.ts';
import { saveRun } from './save.ts';
import { commitUnit, refresh, verify } from './verify.ts';
import { failedAnswer, failureOfThrow, oddPath, places } from './workplace.ts';
import type { UnitStep, Workplace } from './workplace.ts';

type UnitBegun = Extract<Begun, { readonly unit: string }>;

/** Performs a step and gives its answer. Rejects with FenceLost alone: what it would answer may not be written any more. */
export async function perform(place: Workplace, begun: Begun, control: Control): Promise<EventBody> {
  try {
    return await performStep(place, begun, control);
  } catch (error) {
    if (error instanceof FenceLost) throw error;
    // What a forge or remote was being asked when the session ended has no answer.
    const cut = control.interrupt.aborted && begun.type.startsWith('pr.');
    return failedAnswer(begun, cut ? { kind: 'cut', by: 'stop' } : (ofAttempt(place, begun, error) ?? failureOfThrow(error)));
  }
}

/** Steps in which a failure is the work's, and sends it back. */
const OF_THE_WORK: ReadonlySet<Begun['type']> = new Set(['task.started', 'task.retry', 'task.backpressure', 'rework.started', 'unit.verifying']);

function ofAttempt(place: Workplace, begun: Begun, error: unknown): Failure | undefined {
  return OF_THE_WORK.has(begun.type) && 'unit' in begun ? oddPath(error, unitNamed(place.state, begun.unit).worktree) : undefined;
}

function performStep(place: Workplace, begun: Begun, control: Control): Promise<EventBody> {
  if (begun.type === 'trial.started') return trial(place, control);
  if (begun.type === 'run.recovering') return recover(place);
  if (begun.type === 'run.advancing') return advanceTarget(place, control);
  if (begun.type === 'run.pushing') return pushTarget(place, begun, control);
  if (begun.type === 'run.catching-up') return catchUp(place, control);
  if (begun.type === 'run.saving') return saveRun(place, control);
  if (begun.type === 'batch.merging') return mergeBatch(place, begun, control);
  if (begun.type === 'batch.proving') return proveBatch(place, begun, control);
  if (begun.type === 'batch.landing') return landBatch(place, begun);
  const u = unitNamed(place.state, begun.unit);
  const step: UnitStep = { place, u, control };
  // It only waits, and takes days.
  if (begun.type === 'pr.following') return followPull(step);
  return place.fence.during(u.branch ?? places(place, u.unit.id).branch, () => performOf(step, begun));
}

function performOf(step: UnitStep, begun: Exclude<UnitBegun, { type: 'pr.following' }>): Promise<EventBody> {
  switch (begun.type) {
    case 'unit.started': return prepare(step);
    case 'task.started': case 'task.retry': return attemptTask(step, begun);
    case 'task.backpressure': return checkTask(step, begun);
    case 'task.committing': return commitTask(step, begun);
    case 'rework.started': return attemptRework(step, begun);
    case 'review.started': return review(step, begun);
    case 'unit.verifying': return verify(step, begun);
    case 'unit.refreshing': return refresh(step);
    case 'unit.committing': return commitUnit(step, begun);
    case 'unit.finishing': return finishUnit(step);
    case 'pr.publishing': return publishPull(step, begun);
    case 'pr.proving': return provePull(step, begun);
    case 'pr.taking': return takePushed(step, begun);
    case 'pr.merging': return mergePull(step, begun);
    default: return unreachable(begun);
  }
}
