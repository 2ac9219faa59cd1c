// What a seed decides about a forge. Drawn from a stream of its own: seeds without one keep their stories.

import type { LandRules, Settings } from '../../src/core/event.ts';
import { DEFAULT_LAND } from '../../src/core/event.ts';
import { DEFAULT_PULL } from '../../src/core/pull-rules.ts';
import type { PullRules } from '../../src/core/pull-rules.ts';
import type { Doom } from './gate.ts';
import { Rng } from './rng.ts';

/** What a seed decides about a forge. */
export interface Hosting {
  /** Checks of the forge run on each head. */
  readonly ci: boolean;
  /** The forge itself demands a review. */
  readonly demands: boolean;
  /** A new head takes approvals away. */
  readonly dismisses: boolean;
  /** Merges go through a queue. */
  readonly queue: boolean;
  readonly squash: boolean;
  /** The forge removes a branch that is merged. */
  readonly tidies: boolean;
  /** How much people do at each pull request before they only approve. */
  readonly talk: number;
}

/** Chosen so that no seed that ever failed, and none that a deliberate defect is caught by, has a forge. */
const FORGE_STREAM = 0x9afd;

/** A fifth of all seeds land through a forge; undefined: this one does not. */
export function drawHosting(seed: number): Rng | undefined {
  const rng = new Rng((seed ^ FORGE_STREAM) + 1);
  return rng.chance(0.2) ? rng : undefined;
}

/** What the forge is like. */
export function hostingOf(rng: Rng, fair: boolean): Hosting {
  return { ci: rng.chance(0.6), demands: rng.chance(0.4), dismisses: rng.chance(0.3), queue: rng.chance(0.2), squash: rng.chance(0.25), tidies: rng.chance(0.2), talk: fair ? 0 : rng.pick([1, 3, 6, 10]) };
}

/** How units land there, in the place of what the settings say otherwise. */
export function pullSettings(rng: Rng, o: { readonly hosting: Hosting; readonly land: LandRules | undefined }): Partial<Settings> {
  const hour = 3_600_000;
  const pull: PullRules = {
    ...DEFAULT_PULL, skipReview: !o.hosting.demands && rng.chance(0.15), timeout: rng.pick([0, hour, 24 * hour]), poll: rng.pick([5000, 30_000]), rounds: rng.pick([0, 1, 2, 5]),
    deleteBranch: rng.chance(0.8),
  };
  const land: LandRules = { ...DEFAULT_LAND, ...o.land, push: 'never', strategy: o.hosting.squash ? 'squash' : 'merge' };
  return { land, pull, ...(rng.chance(0.15) ? { wait: false } : {}) };
}

/** Steps about pull requests, by the names of their windows. */
export const PULL_STEPS = ['pr-publish', 'pr-prove', 'pr-follow', 'pr-take', 'pr-merge'] as const;

/** Something goes wrong about a pull request. */
export function drawPullDoom(rng: Rng): Doom {
  const where = rng.chance(0.5) ? { window: rng.pick([...PULL_STEPS, 'pr-merge', 'pr-take']) } : { call: rng.pick(['forge.open', 'forge.merge', 'forge.answer', 'forge.edit', 'forge.read', 'forge.find', 'forge.follow', 'push', 'remoteTip', 'removeRemote']) };
  return { fault: rng.pick(['kill', 'kill', 'error'] as const), ...where, nth: rng.between(1, 5), when: rng.pick(['before', 'after'] as const) };
}
