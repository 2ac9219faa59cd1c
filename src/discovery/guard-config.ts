// The part of `.choo.yaml` about what may land at all: failures that were there before, and paths that are protected.

import * as z from 'zod';
import type { Guard } from '../core/event.ts';
import { key } from './schema-key.ts';

/** Keys under `land`. */
export const guardKeys = {
  base: key(z.enum(['ignore', 'record']), '`record`: a baseline check that fails before any work is judged by difference; `ignore`: a check that fails is red, wherever.', 'ignore'),
  protected: key(z.array(z.string().min(1)), 'Globs of paths that units should not change; `.choo.yaml` always is one.', []),
  protect: key(z.enum(['report', 'approve', 'refuse']), 'What is done about a unit that changes them: it is reported, waits for `choo approve`, or goes back to its agent.', 'report'),
};

/** The guard, by the file; what it does not say is the default. `always`: paths that are protected whatever it says. */
export function toGuard(written: { readonly [K in keyof typeof guardKeys]?: z.infer<(typeof guardKeys)[K]> } | undefined, always: readonly string[]): Guard {
  return { base: written?.base ?? 'ignore', protect: written?.protect ?? 'report', protected: [...always, ...(written?.protected ?? [])] };
}
