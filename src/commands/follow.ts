// Follows a unit of a live run: until its first attempt begins, and an attempt's log until the attempt or the session has ended,
// however. Woken by the file system and the control socket; nothing polls.

import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readLock } from '../adapters/lock.ts';
import { chooFolder, journalPath, runFolder } from '../adapters/runs.ts';
import { isAttempt } from '../core/event.ts';
import type { AttemptBegun, Event } from '../core/event.ts';
import { evolve } from '../core/evolve.ts';
import type { State } from '../core/state.ts';
import { Changes } from './changes.ts';
import { eventOf, Growing } from './growing.ts';
import type { Printer } from './io.ts';
import { Lifeline } from './lifeline.ts';
import { LiveLog } from './live-log.ts';

/** A run on which a session works. */
export interface LiveRun {
  readonly commonDir: string;
  readonly run: number;
  /** Where the session listens; undefined when there is no place for a socket. */
  readonly socket: string | undefined;
  /** Whom it is followed for. */
  readonly reader: Pick<Printer, 'gone' | 'whenGone'>;
}

/** What is followed. */
export interface Followed {
  /** Absolute path; may not exist yet. */
  readonly log: string;
  readonly begun: AttemptBegun;
  /** Gets the log's text in order. */
  readonly take: (text: string) => void;
}

/** Resolves with what has ended, the attempt or the session that made it, when all of the log was taken; or when its reader was seen to be gone. */
export async function follow(live: LiveRun, o: Followed): Promise<'attempt' | 'session' | 'reader'> {
  const log = new LiveLog(o.log);
  await mkdir(dirname(o.log), { recursive: true, mode: 0o700 });
  return atEachChange(live, [dirname(o.log)], async ({ events, alive }) => {
    const over = events.map((event) => endedBy(event, o.begun)).find((what) => what !== undefined) ?? (alive ? undefined : 'session');
    if (over === undefined && live.reader.gone()) return 'reader';
    o.take(over === undefined ? await log.read() : await log.end());
    return over;
  });
}

/** Resolves with the first of the unit's attempts that fits, or with why none begins, in words: the session has ended, or the unit's turn does not come in it. `waits` is told once, when that is not known at once. */
export function firstAttempt(live: LiveRun, o: { readonly unit: string; readonly fits: (begun: AttemptBegun) => boolean; readonly waits: () => void }): Promise<AttemptBegun | string> {
  let state: State | undefined;
  let told = false;
  return atEachChange(live, [], async ({ events, anew, alive }) => {
    if (anew) state = undefined;
    for (const event of events) {
      if (isAttempt(event) && event.unit === o.unit && o.fits(event)) return event;
      state = evolve(state, event);
    }
    const over = (state === undefined ? undefined : cannotBegin(state, o.unit)) ?? (alive ? undefined : 'the session has ended');
    if (over === undefined && !told) o.waits();
    told = true;
    return over;
  });
}

function cannotBegin(state: State, unit: string): string | undefined {
  const phase = state.units[state.graph.index.get(unit) ?? -1]?.phase;
  switch (phase) {
    case undefined: return 'it is no longer in the plan';
    case 'blocked': case 'cancelled': case 'failed': case 'landed': return `it is ${phase}`;
    default: return undefined;
  }
}

/** What is new: whole events of the journal, all of them again when it is `anew`. `alive`: a session works on it. */
interface News { readonly events: readonly Event[]; readonly anew: boolean; readonly alive: boolean }

/** Looks at what is new of the run, and again at each change of it or in these folders, until that gives something. */
async function atEachChange<T>({ commonDir, run, socket, reader }: LiveRun, folders: readonly string[], look: (news: News) => Promise<T | undefined>): Promise<T> {
  const changes = new Changes();
  const lifeline = new Lifeline(changes);
  const journal = new Growing(journalPath(commonDir, run));
  reader.whenGone(() => changes.tell());
  const watchers = [chooFolder(commonDir), runFolder(commonDir, run), ...folders].map((folder) => watch(folder, () => changes.tell()));
  try {
    for (;;) {
      // Who holds the lock first: a session that ends writes its last event before it gives the lock back.
      const alive = (await readLock(commonDir))?.state === 'live';
      if (alive && socket !== undefined) lifeline.hold(socket);
      const { lines, anew } = await journal.read();
      const found = await look({ events: lines.map(eventOf).filter((event) => event !== undefined), anew, alive });
      if (found !== undefined) return found;
      await changes.next();
    }
  } finally {
    for (const watcher of watchers) watcher.close();
    lifeline.close();
  }
}

/** What no longer runs after an event. */
function endedBy(event: Event, begun: AttemptBegun): 'attempt' | 'session' | undefined {
  if (event.seq <= begun.seq) return undefined;
  switch (event.type) {
    case 'task.attempted': case 'task.attempt.failed': case 'rework.attempted': case 'rework.attempt.failed': case 'review.ended': case 'review.attempt.failed': return event.unit === begun.unit ? 'attempt' : undefined;
    case 'orch.completed': case 'orch.failed': case 'orch.stopped': case 'orch.resumed': return 'session';
    default: return undefined;
  }
}
