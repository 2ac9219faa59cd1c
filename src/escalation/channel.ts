// One way to reach a person. What every way has in common.

import type { Severity } from '../core/failure.ts';
import type { Escalation } from '../core/told.ts';

/** What came of one try. */
export type Sent = { readonly ok: true } | {
  readonly ok: false;
  /** Why, in words without addresses and secrets. */
  readonly why: string;
  /** Trying again will not help. */
  readonly final?: true;
  /** Not before so many ms. */
  readonly after?: number;
};

/** One way to reach a person, ready for use. */
export interface Channel {
  /** Tries once; gives up when `signal` is aborted. Never rejects for what the other side does. */
  send(e: Escalation, signal: AbortSignal): Promise<Sent>;
}

/** What shows how loud something is. */
export const SIGNS: Readonly<Record<Severity, string>> = { info: '✅', warning: '⚠️', critical: '🔴', blocking: '✋' };

/** A text of at most so many characters that shows where it was cut; no half of a character is left. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
