// `choo_events`: what has happened since, from the run's journal; waits a bounded time for something to happen. Woken by the file
// system and the control socket; nothing polls, and the journal is only read.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { z } from 'zod';
import { systemClock } from '../adapters/clock.ts';
import { readLock } from '../adapters/lock.ts';
import { chooFolder, journalPath, listRuns, runFolder } from '../adapters/runs.ts';
import { Changes } from '../commands/changes.ts';
import { eventOf, Growing } from '../commands/growing.ts';
import { Lifeline } from '../commands/lifeline.ts';
import { INTERNAL } from '../core/event.ts';
import type { Event } from '../core/event.ts';
import { refuse } from '../opening/refusal.ts';
import { findRepository } from '../opening/repository.ts';
import { socketPath } from '../opening/rest.ts';
import { LOOKS, tool } from './tool.ts';
import type { Call, Tool } from './tool.ts';

/** Longest wait, s: below the minute after which clients give up on a call. */
export const LONGEST_WAIT = 50;
/** Events of one page, at most and unless asked for, and characters of all of them. */
const MOST_EVENTS = 500;
const EVENTS = 100;
const LONGEST_PAGE = 96 * 1024;

/** Where it stands: an orchestrator works on it, may do so where that cannot be seen, or none does. */
type At = 'live' | 'elsewhere' | 'rest';

interface Wanted {
  readonly since: number;
  readonly most: number;
  readonly types: readonly string[] | undefined;
}

interface Page {
  readonly events: readonly Event[];
  /** The last event that was looked at. */
  readonly next: number;
  readonly more: boolean;
}

/** Gives the events after a number, and waits for some. */
export const EVENTS_TOOL: Tool = tool({
  name: 'choo_events',
  title: 'What has happened',
  description: `Events of a run after the one numbered \`since\`, oldest first. With \`wait\`, and when there are none yet, the call returns with the first that come, when the session ends, or after so many seconds. To watch a run: call again with \`since\` = \`next\` while \`at\` is live. \`at\` rest and no events: nothing comes any more unless somebody resumes it.`,
  input: z.strictObject({
    since: z.int().min(0).max(2 ** 40).optional().describe('number of the last event that is known; default 0'),
    wait: z.int().min(0).max(LONGEST_WAIT).optional().describe('seconds to wait for something to happen; default 0'),
    limit: z.int().min(1).max(MOST_EVENTS).optional().describe(`events wanted; default ${EVENTS}`),
    types: z.array(z.string().regex(/^[a-z.-]{1,40}$/)).max(50).optional().describe('only these, as `unit.completed`, or all that begin so, as `unit.`'),
    run: z.int().min(1).max(999_999_999).optional().describe('number of the run; default: the newest'),
  }),
  output: z.strictObject({
    run: z.int(),
    at: z.enum(['live', 'elsewhere', 'rest']),
    events: z.array(z.looseObject({ seq: z.int(), time: z.string(), run: z.int(), type: z.string() })).describe('each as in schema/events.schema.json'),
    next: z.int().describe('what to give as `since` next'),
    more: z.boolean().describe('there are further ones already'),
  }),
  hints: LOOKS,
  call: async (args, call) => {
    const { place } = call;
    const { facts, git } = await findRepository({ cwd: place.cwd, env: place.env, clock: systemClock() });
    await git.close();
    const runs = await listRuns(facts.commonDir);
    const run = args.run ?? runs.at(-1);
    if (run === undefined) throw refuse('no-run', 'there was no run yet');
    if (!runs.includes(run)) throw refuse('no-run', `there is no run ${run}`, `the newest is ${runs.at(-1) ?? 0}`);
    const found = await waitFor({ since: args.since ?? 0, most: args.limit ?? EVENTS, types: args.types }, {
      call, commonDir: facts.commonDir, run, newest: run === runs.at(-1), waitMs: (args.wait ?? 0) * 1000,
    });
    return { data: { run, ...found }, whole: ['events'] };
  },
});

interface Where {
  readonly call: Call;
  readonly commonDir: string;
  readonly run: number;
  /** Older ones are at rest whatever the lock says. */
  readonly newest: boolean;
  readonly waitMs: number;
}

async function waitFor(wanted: Wanted, o: Where): Promise<Page & { readonly at: At }> {
  const changes = new Changes();
  const lifeline = new Lifeline(changes);
  const over = AbortSignal.any([o.call.signal]);
  const enough = new AbortController();
  const watchers: FSWatcher[] = [];
  let late = o.waitMs === 0;
  const wake = (): void => {
    late = true;
    changes.tell();
  };
  over.addEventListener('abort', wake, { once: true });
  try {
    if (!late) {
      watchers.push(...[chooFolder(o.commonDir), runFolder(o.commonDir, o.run)].map((folder) => watch(folder, () => changes.tell())));
      void systemClock().sleep(o.waitMs, enough.signal).then(wake);
    }
    const journal = new JournalPages(journalPath(o.commonDir, o.run), wanted);
    for (;;) {
      // Who holds the lock first: a session that ends writes its last event before it gives the lock back.
      const at = o.newest ? await standing(o, lifeline) : 'rest';
      const page = await journal.page();
      if (page.events.length > 0 || at === 'rest' || late || over.aborted) return { ...page, at };
      await changes.next();
    }
  } finally {
    over.removeEventListener('abort', wake);
    enough.abort();
    for (const watcher of watchers) watcher.close();
    lifeline.close();
  }
}

async function standing(o: Where, lifeline: Lifeline): Promise<At> {
  const held = await readLock(o.commonDir);
  if (held === undefined || held.state === 'stale') return 'rest';
  const socket = held.state === 'live' && o.waitMs > 0 ? socketPath(o.commonDir, o.call.place.env) : undefined;
  if (socket !== undefined) lifeline.hold(socket);
  return held.state;
}

/** The wanted events of a journal that may grow. */
class JournalPages {
  readonly #growing: Growing;
  readonly #wanted: Wanted;
  #events: Event[] = [];
  #last: number;
  #length = 0;
  #more = false;

  constructor(path: string, wanted: Wanted) {
    this.#growing = new Growing(path);
    this.#wanted = wanted;
    this.#last = wanted.since;
  }

  async page(): Promise<Page> {
    const { lines } = await this.#growing.read();
    for (const line of lines) this.#take(line);
    return { events: this.#events, next: this.#last, more: this.#more };
  }

  #take(line: string): void {
    const event = readable(line);
    if (event === undefined || event.seq <= this.#last || this.#more) return;
    if (!INTERNAL.has(event.type) && fits(event.type, this.#wanted.types)) {
      this.#length += line.length;
      if (this.#events.length >= this.#wanted.most || (this.#events.length > 0 && this.#length > LONGEST_PAGE)) {
        this.#more = true;
        return;
      }
      this.#events.push(event);
    }
    this.#last = event.seq;
  }
}

function fits(type: string, types: readonly string[] | undefined): boolean {
  return types === undefined || types.some((one) => (one.endsWith('.') ? type.startsWith(one) : type === one));
}

/** An event of the journal; its header, and a line that is none, are not. */
function readable(line: string): Event | undefined {
  try {
    const event = eventOf(line);
    return event !== undefined && 'type' in event ? event : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse('journal', 'a line of the journal is damaged', 'see: choo status');
    throw error;
  }
}
