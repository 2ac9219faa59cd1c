// The digest that names a pinned plan.

import { createHash } from 'node:crypto';
import type { Pinned } from '../core/event.ts';

/** SHA-256 of plan, checks and (where there is one) guard, hex. */
export function pinnedDigest({ plan, checks, guard }: Pick<Pinned, 'plan' | 'checks' | 'guard'>): string {
  return createHash('sha256').update(JSON.stringify(guard === undefined ? [plan, checks] : [plan, checks, guard])).digest('hex');
}
