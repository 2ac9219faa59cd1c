// `choo status --watch`: the status again whenever the journal, the lock or the run changes, until the session ends. Woken by the
// file system and the control socket; nothing polls, nothing steers.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalError, readJournal } from '../adapters/journal.ts';
import { stateOf } from '../adapters/journal-state.ts';
import { readLock } from '../adapters/lock.ts';
import { journalPath, makeChooFolder, newestRun, runFolder } from '../adapters/runs.ts';
import { systemClock } from '../adapters/clock.ts';
import { evolve } from '../core/evolve.ts';
import type { State } from '../core/state.ts';
import { viewOf, viewOfPlan } from '../core/view.ts';
import { refuse } from '../opening/refusal.ts';
import { findRepository } from '../opening/repository.ts';
import { planNow, socketPath } from '../opening/rest.ts';
import { renderStatus, statusData } from '../show/status.ts';
import type { Standing } from '../show/status.ts';
import { AgentsSeen } from './agents-seen.ts';
import { Changes } from './changes.ts';
import { report } from './errors.ts';
import { giveWay } from './give-way.ts';
import { eventOf, Growing } from './growing.ts';
import type { Io } from './io.ts';
import { Lifeline } from './lifeline.ts';
import { drawOver } from './screen.ts';

/** What happens within so much time is drawn together, ms; drawing takes at most one part in so many of the time. */
const MOMENT = 40;
const SHARE = 5;

/** Shows every change of the standing; exit code 0 when the session has ended, or the run is over already. A run at rest is waited for. */
export async function watchStatus(o: { readonly json: boolean }, io: Io): Promise<number> {
  try {
    giveWay();
    const { facts, git } = await findRepository({ cwd: io.cwd, env: io.env, clock: systemClock() });
    await git.close();
    const eyes = await Eyes.open(facts.commonDir);
    try {
      io.out.whenGone(() => eyes.changes.tell());
      const redraws = !o.json && io.out.terminal && io.env['TERM'] !== 'dumb';
      // On a screen also what the agents do; elsewhere that would be a status for each of their lines.
      if (redraws) eyes.lookCloser(io.env);
      const show = redraws ? onScreen(io) : oneByOne(o.json, io);
      io.out.whenResized(() => eyes.changes.tell());
      await showAll(eyes, { show, io, redraws });
      return 0;
    } finally {
      eyes.close();
    }
  } catch (error) {
    return report(error, { io, json: o.json, journal: undefined });
  }
}

async function showAll(eyes: Eyes, o: { readonly show: (standing: Standing) => void; readonly io: Io; readonly redraws: boolean }): Promise<void> {
  let wasLive = false;
  let waiting = false;
  const clock = systemClock();
  for (;;) {
    const began = clock.steady();
    const standing = await eyes.look(o.io);
    if (standing !== undefined) {
      o.show(standing);
      if (standing.at === 'rest' && (wasLive || (standing.view.closed && standing.view.run !== undefined))) return;
      wasLive ||= standing.at === 'live';
      if (!wasLive && !waiting) o.io.err.write('choo: no session is live; this waits for one (Ctrl-C ends it)\n');
      waiting = true;
    }
    const took = clock.steady() - began;
    await eyes.changes.next();
    if (o.io.out.gone()) return;
    // A screen shows what there is, not each step to it.
    if (o.redraws) await clock.sleep(Math.max(MOMENT, took * SHARE));
  }
}

/** Draws over the last status. */
function onScreen({ out }: Io): (standing: Standing) => void {
  let last: string | undefined;
  // The terminal has moved what was there.
  out.whenResized(() => { last = undefined; });
  return (standing) => {
    const text = renderStatus({ ...standing, stays: true }, { color: out.color });
    const drawn = drawOver(text, { rows: out.rows(), columns: out.columns() }, standing.at !== 'live');
    if (drawn !== last) out.write(last === undefined ? `\u001b[2J${drawn}` : drawn);
    last = drawn;
  };
}

/** One below the other, never the same twice. */
function oneByOne(json: boolean, { out }: Io): (standing: Standing) => void {
  let last: string | undefined;
  return (standing) => {
    // What only tells how long something is off changes by itself.
    const data = JSON.stringify(statusData(standing));
    if (data === last) return;
    const text = json ? `${data}\n` : renderStatus(standing, { color: out.color });
    if (json) out.write(text);
    else out.write(last === undefined ? text : `${'-'.repeat(40)}\n${text}`);
    last = data;
  };
}

/** What is looked at: choo's folder with the lock, the folder of runs, and the newest run's journal. */
class Eyes {
  readonly changes = new Changes();
  readonly #lifeline = new Lifeline(this.changes);
  readonly #commonDir: string;
  readonly #folders: FSWatcher[];
  #closer: AgentsSeen | undefined;
  #run: { readonly number: number; readonly journal: JournalEye; readonly watcher: FSWatcher } | undefined;

  private constructor(commonDir: string, folders: readonly string[]) {
    this.#commonDir = commonDir;
    this.#folders = folders.map((folder) => watch(folder, () => this.changes.tell()));
  }

  static async open(commonDir: string): Promise<Eyes> {
    const folder = await makeChooFolder(commonDir);
    const runs = join(folder, 'runs');
    await mkdir(runs, { recursive: true, mode: 0o700 });
    return new Eyes(commonDir, [folder, runs]);
  }

  /** The standing now; undefined while a new run is being opened. */
  async look(io: Io): Promise<Standing | undefined> {
    const held = await readLock(this.#commonDir);
    const at = held === undefined || held.state === 'stale' ? 'rest' : held.state;
    const socket = at === 'live' ? socketPath(this.#commonDir, io.env) : undefined;
    if (socket !== undefined) this.#lifeline.hold(socket);
    const state = await this.#state(at);
    const who = { at, ...(held === undefined || at === 'rest' ? {} : { pid: held.holder.pid }) } as const;
    const now = systemClock().now();
    if (state !== undefined) {
      const view = viewOf(state);
      const seen = at === 'live' ? await this.#closer?.seen(view, { runDir: runFolder(this.#commonDir, view.run ?? 0), now }) : undefined;
      return { view, now, ...who, ...(seen === undefined ? {} : { seen }) };
    }
    if (at === 'live') return undefined;
    const plan = await planNow({ cwd: io.cwd, env: io.env, flags: {}, selection: [] });
    return { view: viewOfPlan(plan.all), now, ...who };
  }

  /** From now on also what agents are seen doing. */
  lookCloser(env: NodeJS.ProcessEnv): void {
    this.#closer = new AgentsSeen(this.changes, env);
  }

  close(): void {
    this.#closer?.close();
    for (const watcher of [...this.#folders, ...(this.#run === undefined ? [] : [this.#run.watcher])]) watcher.close();
    this.#lifeline.close();
  }

  async #state(at: Standing['at']): Promise<State | undefined> {
    const number = await newestRun(this.#commonDir);
    if (number === undefined) return undefined;
    if (this.#run?.number !== number) {
      this.#run?.watcher.close();
      this.#run = { number, journal: new JournalEye(journalPath(this.#commonDir, number)), watcher: watch(runFolder(this.#commonDir, number), () => this.changes.tell()) };
    }
    return this.#run.journal.state(at);
  }
}

/** The state that a journal tells, folded line by line as it grows. */
class JournalEye {
  readonly #path: string;
  readonly #growing: Growing;
  #state: State | undefined;
  #whole = false;

  constructor(path: string) {
    this.#path = path;
    this.#growing = new Growing(path);
  }

  /** Undefined while nothing is in it. Throws a Refusal for one that nobody can go on with. */
  async state(at: Standing['at']): Promise<State | undefined> {
    if (!this.#whole) {
      try {
        const state = await this.#grow();
        // What stays without an event is read as a whole, too.
        if (state !== undefined || at !== 'rest') return state;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        // What cannot be followed piece by piece is read as a whole, which says what is wrong with it.
        this.#whole = true;
      }
    }
    try {
      const { events } = await readJournal(this.#path);
      return events.length === 0 ? undefined : stateOf(this.#path, events);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      if (error.reason === 'missing') return undefined;
      throw refuse('journal', error.message);
    }
  }

  async #grow(): Promise<State | undefined> {
    const { lines, anew } = await this.#growing.read();
    if (anew) this.#state = undefined;
    for (const line of lines) {
      const event = eventOf(line);
      if (event !== undefined) this.#state = evolve(this.#state, event);
    }
    return this.#state;
  }
}
