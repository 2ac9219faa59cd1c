// `choo cleanup`: removes what has provably landed, and what the user gives up. What that means is opening/cleanup.ts.

import { systemClock } from '../adapters/clock.ts';
import { cleanup as clean } from '../opening/cleanup.ts';
import { cleanupData, renderCleanup } from '../show/cleanup.ts';
import { refuseSteering } from '../opening/inside.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** What `choo cleanup` was asked for. */
export interface CleanupFlags {
  readonly discard?: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Cleans up and prints what was done; exit code 1 when something would not go. */
export async function cleanup(flags: CleanupFlags, io: Io): Promise<number> {
  const json = flags.json === true;
  const asked = flags.discard ?? [];
  try {
    refuseSteering(io.env);
    const done = await clean({ cwd: io.cwd, env: io.env, clock: systemClock(), dryRun: flags.dryRun === true, say: (line) => io.err.write(`choo: ${line}\n`), discard: asked });
    io.out.write(json ? `${JSON.stringify(cleanupData(done), null, 2)}\n` : renderCleanup(done, { color: io.out.color, asked }));
    return done.failed.length === 0 ? 0 : 1;
  } catch (error) {
    return report(error, { io, json, journal: undefined });
  }
}
