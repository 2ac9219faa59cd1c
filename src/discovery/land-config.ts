// The part of `.choo.yaml` about landing: its shape for people and editors, and what the code makes of it.

import * as z from 'zod';
import { BOUNDS } from '../core/limits.ts';
import { DEFAULT_LAND } from '../core/event.ts';
import type { LandRules } from '../core/event.ts';
import { key } from './schema-key.ts';

/** The keys under `land`. */
export const landKeys = {
  checks: key(z.enum(['proof', 'never']), 'Whether the whole proof has to pass on the very commit that lands; `never` lands what nobody has proved together.', DEFAULT_LAND.checks),
  history: key(z.enum(['batch', 'each']), 'Whether units that wait together are proved together and the target moves once, or every merge is proved by itself.', DEFAULT_LAND.history),
  strategy: key(z.enum(['merge', 'squash', 'rebase']), 'What a landed unit looks like in the history: a merge commit, one commit, or its own commits replayed.', DEFAULT_LAND.strategy),
  batch: key(z.int().min(1).max(1000), 'Units that are proved together at most.', DEFAULT_LAND.batch),
  speculate: key(z.int().min(1).max(BOUNDS.landingWorktrees), 'Landing worktrees in use at the same time: while one batch is proved the next is proved on top of it.', DEFAULT_LAND.speculate),
  push: key(z.enum(['never', 'after-each', 'at-end']), 'When the target is pushed, plainly and never forced, to where people push it: after each landing, or when nothing else can move.', DEFAULT_LAND.push),
  env: key(z.array(z.string().regex(/^[A-Za-z_]\w*$/)), 'Names of variables on whose values the checks depend: with other values a check that passed is run again.', []),
};

/** How units land, by the file; what it does not say is the default. */
export function toLandRules(written: { readonly [K in keyof typeof landKeys]?: z.infer<(typeof landKeys)[K]> } | undefined): LandRules {
  const set = Object.fromEntries(Object.entries(written ?? {}).filter(([name, value]) => name in landKeys && value !== undefined));
  return { ...DEFAULT_LAND, ...set };
}
