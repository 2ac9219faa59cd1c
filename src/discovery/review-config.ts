// The part of `.choo.yaml` about reviews by another agent: its shape for people and editors, and what the code makes of it.

import * as z from 'zod';
import type { ReviewRules } from '../core/event.ts';
import { AGENT_NAMES } from './providers.ts';
import { key } from './schema-key.ts';

const DEFAULTS = { enabled: true, provider: 'codex', mode: 'advisory', max_fix_iterations: 1, verbose: true, allow_same_agent: false } as const;

/** The keys under `code_review`. */
export const reviewKeys = {
  enabled: key(z.boolean(), 'Whether finished units are reviewed; without `code_review` they are not.', DEFAULTS.enabled),
  provider: key(z.enum(AGENT_NAMES), 'The agent that reviews; its settings are those under `agents`.', DEFAULTS.provider),
  model: key(z.string(), 'Its model; default: that of `agents.<name>.model`.'),
  command: key(z.string(), 'Its program, when `provider.providers` has none for it.'),
  mode: key(z.enum(['advisory', 'blocking']), 'Whether a unit lands with findings that were not mended.', DEFAULTS.mode),
  max_fix_iterations: key(z.int().min(0).max(100), 'How often findings that must be mended go back to the agent that wrote it.', DEFAULTS.max_fix_iterations),
  verbose: key(z.boolean(), 'Whether what is only advice is told, too.', DEFAULTS.verbose),
  allow_same_agent: key(z.boolean(), 'Whether an agent may review what it wrote itself.', DEFAULTS.allow_same_agent),
};

type Written = { readonly [K in keyof typeof reviewKeys]?: z.infer<(typeof reviewKeys)[K]> };

/** What the file says of reviews. */
export interface ReviewConfig extends ReviewRules {
  readonly sameAgent: boolean;
}

/** How units are reviewed, by the file; undefined when they are not. */
export function toReview(written: Written | undefined): ReviewConfig | undefined {
  if (written === undefined || written.enabled === false) return undefined;
  const { model } = written;
  return {
    agent: written.provider ?? DEFAULTS.provider, ...(model === undefined ? {} : { model }),
    mode: written.mode ?? DEFAULTS.mode, rounds: written.max_fix_iterations ?? DEFAULTS.max_fix_iterations,
    verbose: written.verbose ?? DEFAULTS.verbose, sameAgent: written.allow_same_agent ?? DEFAULTS.allow_same_agent,
  };
}
