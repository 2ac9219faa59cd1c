// The promise of reviews that block, by what agents truly did: nothing lands that an agent wrote after the last review, or that this review
// found fault with.

import type { Event, Settings } from '../../../src/core/event.ts';
import { isAttempt } from '../../../src/core/event.ts';
import type { Launch, Machine } from '../machine.ts';
import { isByHand } from '../reviewers.ts';

/** Reads the events from the first to the last. */
export function checkReviews(m: Machine, events: readonly Event[]): void {
  let { review }: Pick<Settings, 'review'> = m.scenario.settings;
  const begun = new Map<string, Launch>();
  for (const e of events) {
    if (e.type === 'orch.resumed') ({ review } = e.settings);
    if (isAttempt(e)) {
      const subject = e.type === 'rework.started' ? e.reason : e.type === 'review.started' ? 'code-review' : String(e.task);
      // One that was cut before its agent ran changed nothing.
      const launch = m.launches.find((l) => l.unit === e.unit && l.subject === subject && l.attempt === String(e.attempt));
      if (launch !== undefined) begun.set(e.unit, launch);
    }
    if (e.type !== 'unit.merged' || review?.mode !== 'blocking' || isByHand(m, e.unit)) continue;
    const last = begun.get(e.unit);
    if (last === undefined) continue;
    if (last.subject !== 'code-review') m.violate('reviewed', `event ${e.seq}: ${e.unit} landed, and nobody reviewed what its agent did at ${last.subject}, attempt ${last.attempt}`);
    else if (m.reviews.get(`${e.unit} ${last.attempt}`) !== false) m.violate('reviewed', `event ${e.seq}: ${e.unit} landed although review ${last.attempt} ${m.reviews.has(`${e.unit} ${last.attempt}`) ? 'found what must be mended' : 'said nothing'}`);
  }
}
