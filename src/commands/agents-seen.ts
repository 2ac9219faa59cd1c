// What the agents of a live run are seen doing, told anew when their logs grow; woken by the file system, at most once a second.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '../adapters/clock.ts';
import { errnoOf } from '../adapters/errno.ts';
import type { RunView } from '../core/view.ts';
import { redactorFor } from '../opening/place.ts';
import type { LastSeen } from '../show/status.ts';
import type { Changes } from './changes.ts';
import { listeningAgent } from './listening.ts';
import { lastSeen } from './seen.ts';

/** Logs may grow a thousand times a second, ms. */
const PAUSE = 1000;

/** Watches the logs of attempts that are being made. */
export class AgentsSeen {
  readonly #changes: Changes;
  readonly #redact: (text: string) => string;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #over = new AbortController();
  #pausing = false;

  constructor(changes: Changes, env: NodeJS.ProcessEnv) {
    this.#changes = changes;
    this.#redact = redactorFor(env, undefined).text;
  }

  /** By unit. From now on the logs of these attempts are watched. */
  async seen(view: RunView, o: { readonly runDir: string; readonly now: number }): Promise<ReadonlyMap<string, LastSeen>> {
    const folders = new Set(view.units.flatMap(({ attempt }) => (attempt === undefined ? [] : [dirname(join(o.runDir, attempt.log))])));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) this.#watch(folder);
    return lastSeen(view, { ...o, agentNamed: listeningAgent, redact: this.#redact });
  }

  close(): void {
    this.#over.abort();
    for (const watcher of this.#watchers.values()) watcher.close();
  }

  #watch(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      this.#watchers.set(folder, watch(folder, () => this.#tell()));
    } catch (error) {
      // The attempt has begun and has no log yet; the next event brings us back.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  #tell(): void {
    if (this.#pausing) return;
    this.#pausing = true;
    void systemClock().sleep(PAUSE, this.#over.signal).then(() => {
      this.#pausing = false;
      if (!this.#over.signal.aborted) this.#changes.tell();
    });
  }
}
