// Follows the log of one attempt until the journal says that the attempt has ended. Woken by the file system; nothing polls.

import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AttemptBegun } from '../core/event.ts';
import { Changes } from './changes.ts';
import { eventOf, Growing } from './growing.ts';
import { LiveLog } from './live-log.ts';

/** What is followed. */
export interface Followed {
  /** Absolute path; may not exist yet. */
  readonly log: string;
  readonly journal: string;
  readonly begun: AttemptBegun;
  /** Gets the log's text in order. */
  readonly take: (text: string) => void;
}

/** Resolves when the attempt or the session that made it has ended and all of the log was taken. */
export async function follow(o: Followed): Promise<void> {
  const log = new LiveLog(o.log);
  const journal = new Growing(o.journal);
  await mkdir(dirname(o.log), { recursive: true, mode: 0o700 });
  const changes = new Changes();
  const watchers = [dirname(o.log), dirname(o.journal)].map((folder) => watch(folder, () => changes.tell()));
  try {
    for (;;) {
      const { lines } = await journal.read();
      const over = lines.some((line) => ends(line, o.begun));
      o.take(over ? await log.end() : await log.read());
      if (over) return;
      await changes.next();
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

/** True for a journal line after which the attempt no longer runs. */
function ends(line: string, begun: AttemptBegun): boolean {
  const event = eventOf(line);
  if (event === undefined || event.seq <= begun.seq) return false;
  switch (event.type) {
    case 'task.attempted': case 'task.attempt.failed': case 'rework.attempted': case 'rework.attempt.failed': case 'review.ended': case 'review.attempt.failed': return event.unit === begun.unit;
    case 'orch.completed': case 'orch.failed': case 'orch.stopped': case 'orch.resumed': return true;
    default: return false;
  }
}
