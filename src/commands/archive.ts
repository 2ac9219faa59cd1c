// `choo archive`: moves what is complete out of the way. What that means is opening/archive.ts.

import { systemClock } from '../adapters/clock.ts';
import { archive as move } from '../opening/archive.ts';
import { archiveData, renderArchive } from '../show/archive.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** What `choo archive` was asked for. */
export interface ArchiveFlags {
  readonly tasksDir?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Archives and prints what was moved and the commit to make; exit code 1 when something would not go. */
export async function archive(flags: ArchiveFlags, io: Io): Promise<number> {
  const json = flags.json === true;
  try {
    const done = await move({ cwd: io.cwd, env: io.env, clock: systemClock(), dryRun: flags.dryRun === true, say: (line) => io.err.write(`choo: ${line}\n`), ...(flags.tasksDir === undefined ? {} : { tasksDir: flags.tasksDir }) });
    io.out.write(json ? `${JSON.stringify(archiveData(done), null, 2)}\n` : renderArchive(done, { color: io.out.color }));
    return done.failed.length === 0 ? 0 : 1;
  } catch (error) {
    return report(error, { io, json, journal: undefined });
  }
}
