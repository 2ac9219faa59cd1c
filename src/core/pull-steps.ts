// Which step about a pull request is due, and how the forge is left alone when it met trouble. Decides; changes nothing.

import { must } from './bug.ts';
import type { EventBody } from './event.ts';
import type { Failure } from './failure.ts';
import { BOUNDS } from './limits.ts';
import { pullRules } from './pull.ts';
import type { State, UnitState } from './state.ts';
import { landRules } from './state.ts';

/** What is due about pull requests; `wakeAt` (steady ms): somebody is late then, or the forge is asked again. */
export interface PullDecision {
  readonly next: readonly EventBody[];
  readonly wakeAt?: number;
}

/** Takes the state and the session's steady time (ms). */
export function pullSteps(s: State, now: number): PullDecision {
  const until = s.forge?.active === true ? s.forge.until ?? Infinity : undefined;
  if (until !== undefined && until <= now) return { next: [{ type: 'forge.released' }] };
  const late = lateReview(s);
  if (late !== undefined && late.at <= now) return { next: [{ type: 'pr.late', unit: late.u.unit.id }] };
  const wakeAt = Math.min(until ?? Infinity, late?.at ?? Infinity);
  const next = until === undefined ? begin(s) : [];
  return Number.isFinite(wakeAt) ? { next, wakeAt } : { next };
}

function begin(s: State): EventBody[] {
  const next: EventBody[] = [];
  let proving = false;
  let merging = false;
  for (const index of s.pulls) {
    const u = must(s.units[index], 'a unit');
    const place: number | undefined = !isProof(u) ? undefined : proving || s.paused?.reason === 'landing' ? undefined : freePlace(s);
    if (isProof(u) && place === undefined) continue;
    // One merge after the other: each makes the others outdated.
    if (isMerge(u) && (merging || s.merging !== undefined)) continue;
    merging ||= isMerge(u);
    // The place of one is known to be taken only when it has begun; then the others are asked again.
    proving ||= place !== undefined;
    next.push(stepOf(u, place));
  }
  return next;
}

function isProof(u: UnitState): boolean {
  return u.next.step === 'pull' && u.next.do === 'prove';
}

function isMerge(u: UnitState): boolean {
  return u.next.step === 'pull' && u.next.do === 'merge';
}

function freePlace(s: State): number | undefined {
  const taken = new Set(s.provingAt.values());
  for (let place = 0; place < landRules(s).speculate; place++) if (!taken.has(place)) return place;
  return undefined;
}

function stepOf(u: UnitState, place: number | undefined): EventBody {
  const unit = u.unit.id;
  const { next } = u;
  const commit = must(u.head, 'a head');
  switch (next.step === 'pull' ? next.do : 'follow') {
    case 'publish': return { type: 'pr.publishing', unit, commit, ready: u.pull?.proved?.commit === commit };
    case 'take': return { type: 'pr.taking', unit, any: next.step === 'pull' && next.any === true };
    case 'prove': return { type: 'pr.proving', unit, commit, place: must(place, 'a landing worktree') };
    case 'merge': return { type: 'pr.merging', unit, commit };
    default: return { type: 'pr.following', unit };
  }
}

/** The unit that waits longest for people, and when they are late; undefined: nobody is waited for, or for ever. */
function lateReview(s: State): { readonly u: UnitState; readonly at: number } | undefined {
  const { timeout } = pullRules(s);
  for (const [index, since] of timeout === 0 ? [] : s.reviewing) return { u: must(s.units[index], 'a unit'), at: since + timeout };
  return undefined;
}

/** The event by which the forge is left alone: until it says, or longer each time; a refused login until a person says so. */
export function forgeHoldEvent(s: State, failure: Extract<Failure, { kind: 'forge' }>, now: number): EventBody {
  const tries = (s.forge?.tries ?? 0) + 1;
  const pause = Math.min(BOUNDS.forgePause * 2 ** (tries - 1), BOUNDS.longestForgePause);
  const until = failure.reason === 'login' ? undefined : Math.max(failure.until ?? 0, now + pause);
  return { type: 'forge.held', reason: failure.reason, text: failure.text, tries, ...(until === undefined ? {} : { until: new Date(until).toISOString() }) };
}
