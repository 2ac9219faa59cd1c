// What the agents of a live run are doing right now: the end of each attempt's log, read by its agent's own machine.

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../adapters/errno.ts';
import { lateName } from '../adapters/late-output.ts';
import type { Agent } from '../agents/agent.ts';
import { Replay } from '../agents/replay.ts';
import type { Activity } from '../core/activity.ts';
import type { RunView } from '../core/view.ts';
import type { LastSeen } from '../show/status.ts';

/** So much of a log's end is read, bytes. */
const TAIL = 64 * 1024;

/** Where to look. */
export interface SeenOptions {
  /** The run's folder, absolute. */
  readonly runDir: string;
  /** ms since 1970. */
  readonly now: number;
  readonly agentNamed: (name: string) => Agent | undefined;
  readonly redact: (text: string) => string;
}

/** The last thing each agent at work was seen doing, by unit; without those of whom that cannot be told. */
export async function lastSeen(view: RunView, o: SeenOptions): Promise<ReadonlyMap<string, LastSeen>> {
  const found = new Map<string, LastSeen>();
  for (const { id, attempt } of view.units) {
    const agent = attempt === undefined ? undefined : o.agentNamed(attempt.agent);
    if (attempt === undefined || agent === undefined) continue;
    const log = join(o.runDir, attempt.log);
    // Once the log's head is full, what goes on is beside it.
    const tail = await tailOf(lateName(log)) ?? await tailOf(log);
    if (tail === undefined) continue;
    const last = lastActivity(agent, tail.text, o.now);
    if (last !== undefined) found.set(id, { kind: last.kind, text: o.redact(last.text), ageMs: Math.max(0, Math.round(o.now - tail.changed)) });
  }
  return found;
}

function lastActivity(agent: Agent, text: string, now: number): Activity | undefined {
  const told = new Replay(agent).feed(text, now);
  return told.flatMap((one) => (one.what === 'activity' ? [one.activity] : [])).at(-1);
}

/** The last whole lines of a file; undefined when there is none. */
async function tailOf(path: string): Promise<{ readonly text: string; readonly changed: number } | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size, mtimeMs } = await file.stat();
    const from = Math.max(0, size - TAIL);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL), 0, TAIL, from);
    const text = buffer.toString('utf8', 0, bytesRead);
    // The first line of what was cut out is not whole.
    return { text: from === 0 ? text : text.slice(text.indexOf('\n') + 1), changed: mtimeMs };
  } finally {
    await file.close();
  }
}
