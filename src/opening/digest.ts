// The digest that names a pinned plan.

import { createHash } from 'node:crypto';
import type { Pinned } from '../core/event.ts';

/** SHA-256 of plan and checks, hex. */
export function pinnedDigest({ plan, checks }: Pick<Pinned, 'plan' | 'checks'>): string {
  return createHash('sha256').update(JSON.stringify([plan, checks])).digest('hex');
}
