// Events for programs: one JSON object a line. Leaves out what is outside the public promise.

import { INTERNAL } from '../core/event.ts';
import type { Event } from '../core/event.ts';

/** The event as a line of JSON with its end, or undefined for internal ones. */
export function jsonLine(event: Event): string | undefined {
  return INTERNAL.has(event.type) ? undefined : `${JSON.stringify(event)}\n`;
}
