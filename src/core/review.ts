// Reviews of finished units by another agent: when one is due, and what follows from what it found.

import type { EventOf, ReworkReason } from './event.ts';
import { VERDICTS, describeFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import { cutAgain, giveUp, todo } from './moves.ts';
import type { State, UnitState } from './state.ts';

/** What its agent wrote last has not been reviewed, and is to be. */
export function isReviewDue(s: Pick<State, 'settings'>, u: UnitState): boolean {
  return s.settings.review !== undefined && u.review.due;
}

/** An agent begins to mend something; what it does may stay even when it is cut. What lands of a unit whose review blocks was reviewed as it is; otherwise only what a review sent back is looked at again. */
export function noteRework(s: Pick<State, 'settings'>, u: UnitState, reason: ReworkReason): void {
  if (reason === 'review' || s.settings.review?.mode === 'blocking') u.review.due = true;
}

/** `land`: what follows when nothing speaks against landing. */
interface After<E> { readonly e: E; readonly land: (s: State, u: UnitState) => void }

/** Findings that must be mended go back to the agent that wrote it, so many times; then the unit lands with them, or fails where reviews block. */
export function reviewEnded(s: State, u: UnitState, { e, land }: After<EventOf<'review.ended'>>): void {
  u.review.due = false;
  u.review.failed = 0;
  const findings = e.findings.filter(({ severity }) => severity === 'must');
  const { review } = s.settings;
  if (review === undefined || findings.length === 0) return land(s, u);
  const failure: Failure = { kind: 'review', agent: review.agent, findings };
  if (u.review.rounds < review.rounds) {
    u.review.rounds++;
    u.rework.review = 0;
    u.reworkFor = failure;
    delete u.reworkLast;
    return todo(s, u, { step: 'rework', reason: 'review' });
  }
  if (review.mode === 'advisory') return land(s, u);
  u.review.due = true;
  giveUp(s, u, { failure, next: { step: 'review' } });
}

/** The reviewer could not do it. Where reviews block, the unit fails with that; otherwise it lands, and that is told. */
export function reviewFailed(s: State, u: UnitState, { e, land }: After<EventOf<'review.attempt.failed'>>): void {
  const { failure } = e;
  if (failure.kind === 'cut') return cutAgain(s, u, failure);
  if (failure.kind === 'agent-trouble') return todo(s, u, u.next);
  if (VERDICTS[failure.kind] === 'rework' && ++u.review.failed < s.settings.limits.attempts) return todo(s, u, u.next);
  // Git or the disk in trouble is no opinion of a reviewer's.
  const excusable = VERDICTS[failure.kind] === 'rework' || failure.kind === 'environment';
  if (s.settings.review?.mode !== 'advisory' || !excusable) return giveUp(s, u, { failure });
  u.review.due = false;
  u.notes.push({ kind: 'not-reviewed', text: `it landed without a review: ${describeFailure(failure)}` });
  land(s, u);
}
