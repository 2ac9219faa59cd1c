// A choo that an agent of choo starts would start agents of its own, outside limits and budget of the run that it is in, and so on.

import { errorAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { Refusal } from './refusal.ts';

const OUTSIDE_LIMITS = 'its agents would work outside the limits and the budget of that run';
const NOT_ITS_OWN = 'an agent gives no attempts to itself, and neither stops nor clears away the run that it works for';

/** Why no run may begin in this environment; undefined when it may. Checks of a unit do not have the variable: they may run choo. */
export function insideProblem(env: NodeJS.ProcessEnv, why = OUTSIDE_LIMITS): Diagnostic | undefined {
  if ((env['CHOO_ATTEMPT'] ?? '') === '') return undefined;
  const { CHOO_UNIT: unit = '?', CHOO_RUN: run = '?' } = env;
  return errorAt('inside-choo', `choo was started by an agent of choo (unit \`${unit}\` of run ${run}): ${why}`,
    { hint: 'leave the work to the run that is going on; what a person decides (approve, retry, stop) they type in a terminal of their own' });
}

/** Throws a Refusal inside an agent of choo. */
export function refuseInside(env: NodeJS.ProcessEnv): void {
  const problem = insideProblem(env);
  if (problem !== undefined) throw new Refusal([problem]);
}

/** The same for commands that steer a run or take something away. */
export function refuseSteering(env: NodeJS.ProcessEnv): void {
  const problem = insideProblem(env, NOT_ITS_OWN);
  if (problem !== undefined) throw new Refusal([problem]);
}
