// One run as its followers get it: the journal folded as it grows, and what of the view changed since. Woken by the file system;
// collects what happens within a moment. Reads only.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { JournalError, readJournal } from '../adapters/journal.ts';
import { stateOf } from '../adapters/journal-state.ts';
import { LockHeld, readLock } from '../adapters/lock.ts';
import { chooFolder, journalPath, newestRun, runFolder } from '../adapters/runs.ts';
import { Changes } from '../commands/changes.ts';
import { eventOf, Growing } from '../commands/growing.ts';
import { Lifeline } from '../commands/lifeline.ts';
import { estimate, History } from '../core/estimate.ts';
import type { Event } from '../core/event.ts';
import { evolve } from '../core/evolve.ts';
import type { State } from '../core/state.ts';
import { Touched } from '../core/touched.ts';
import { headOf, viewOf, viewOfUnit } from '../core/view.ts';
import type { UnitView } from '../core/view.ts';
import type { Clock } from '../world.ts';
import { Clients, message } from './clients.ts';
import type { Frame, Head, Snapshot } from './protocol.ts';
import { Reports } from './reports.ts';

/** What happens within so much time goes out together, ms. */
const MOMENT = 40;
/** Drawing takes at most one part in so many of the time. */
const SHARE = 5;

/** Where a feed reads. */
export interface FeedOptions {
  readonly commonDir: string;
  readonly run: number;
  readonly clock: Clock;
  /** Where a live run listens; undefined when there is no place for a socket. */
  readonly socket: string | undefined;
  /** Bytes that may wait for one client. */
  readonly bound?: number;
}

interface Known { readonly text: string; readonly view: UnitView; readonly since: number }

/** Follows one run until it is closed. */
export class Feed {
  readonly run: number;
  readonly clients: Clients;
  readonly #o: FeedOptions;
  readonly #journal: Growing;
  readonly #changes = new Changes();
  readonly #lifeline = new Lifeline(this.#changes);
  readonly #watchers: FSWatcher[] = [];
  readonly #over = new AbortController();
  readonly #byUnit = new Map<string, Event[]>();
  readonly #told = new Set<() => void>();
  readonly #units = new Map<string, Known>();
  readonly #touched = new Touched();
  #reports: Reports;
  #history = new History();
  #state: State | undefined;
  #first: string | undefined;
  #last: string | undefined;
  /** Number of the event that began the newest session. */
  #session = 0;
  #trouble: string | undefined;
  #head: Head;
  #headText = '';
  /** Up to this event everybody was told. */
  #seq = 0;
  /** What changed before is not known one by one: the event that this feed began with. */
  #since = 0;
  #following: Promise<void> | undefined;

  private constructor(o: FeedOptions) {
    this.#o = o;
    this.run = o.run;
    this.clients = new Clients(o.bound);
    this.#journal = new Growing(journalPath(o.commonDir, o.run));
    this.#head = emptyHead(o.run);
    this.#reports = this.#freshReports();
  }

  /** Reads the run as it is and begins to follow it. `failed` gets what ends the following, a defect. */
  static async open(o: FeedOptions, failed: (error: unknown) => void): Promise<Feed> {
    const feed = new Feed(o);
    for (const folder of [chooFolder(o.commonDir), runFolder(o.commonDir, o.run)]) feed.#watchers.push(watch(folder, () => feed.#changes.tell()));
    await feed.#look();
    feed.#since = feed.#seq;
    feed.#following = feed.#follow().catch(failed);
    return feed;
  }

  /** The whole run. */
  snapshot(): Snapshot {
    return { run: this.run, seq: this.#seq, head: this.#head, units: [...this.#units.values()].map(({ view }) => view) };
  }

  /** What somebody lacks who knows all up to event `seq`: what changed since, or (`undefined`, or not of this feed) the whole run. */
  greeting(seq: number | undefined): string {
    const id = `${this.run}:${this.#seq}`;
    if (seq === undefined || seq < this.#since || seq > this.#seq) return message('snapshot', { id, data: this.snapshot() });
    const units = [...this.#units.values()].filter(({ since }) => since > seq).map(({ view }) => view);
    return message('frame', { id, data: { run: this.run, seq: this.#seq, head: this.#head, units } satisfies Frame });
  }

  /** The events of a unit in order; undefined for one that the run does not have. */
  eventsOf(unit: string): readonly Event[] | undefined {
    return this.#units.has(unit) ? this.#byUnit.get(unit) ?? [] : undefined;
  }

  /** Its outlines, made when they are asked for. */
  get reports(): Reports {
    return this.#reports;
  }

  #freshReports(): Reports {
    return new Reports(this.#o.clock, () => (this.#state === undefined ? undefined : { view: viewOf(this.#state), seq: this.#state.seq, at: this.#head.at, now: this.#o.clock.now() }));
  }

  /** Calls back whenever something of the run is another, and when this feed ends; gives back what ends that. */
  subscribe(then: () => void): () => void {
    this.#told.add(then);
    return () => this.#told.delete(then);
  }

  /** True while somebody follows it. */
  get used(): boolean {
    return this.clients.size > 0 || this.#told.size > 0;
  }

  get closed(): boolean {
    return this.#over.signal.aborted;
  }

  /** True while what the event with that number began may go on: the session it is of has not ended. */
  mayGoOn(seq: number): boolean {
    return this.#head.at === 'live' && seq >= this.#session;
  }

  /** Ends it with all its streams, which get the last news. */
  async close(): Promise<void> {
    this.#over.abort();
    this.#tell();
    this.#changes.tell();
    for (const watcher of this.#watchers) watcher.close();
    await this.#following;
    // After a look that was under way: it takes hold of the run once more, and would keep this process there until the run ends.
    this.#lifeline.close();
    this.clients.close();
  }

  async #follow(): Promise<void> {
    const { clock } = this.#o;
    for (let pause = MOMENT; ;) {
      await this.#changes.next();
      await clock.sleep(pause, this.#over.signal);
      if (this.#over.signal.aborted) return this.#look();
      const began = clock.steady();
      await this.#look();
      pause = Math.max(MOMENT, (clock.steady() - began) * SHARE);
    }
  }

  /** Takes in what is new and tells everybody what changed. */
  async #look(): Promise<void> {
    await this.#read();
    const head = await this.#headNow(this.#state);
    const seq = this.#state?.seq ?? 0;
    const { views, all } = this.#touchedNow(this.#state);
    const units = this.#changed(views, seq);
    const headText = JSON.stringify(head);
    const fewer = all && this.#drop(views);
    if (units.length === 0 && !fewer && seq === this.#seq && headText === this.#headText) return;
    this.#head = head;
    this.#headText = headText;
    this.#seq = seq;
    if (fewer) this.#since = Math.max(this.#since, seq);
    this.#tell();
    if (fewer) this.clients.tell(message('snapshot', { id: `${this.run}:${seq}`, data: this.snapshot() }));
    else if (this.clients.size > 0) this.clients.tell(message('frame', { id: `${this.run}:${seq}`, data: { run: this.run, seq, head, units } satisfies Frame }));
  }

  #tell(): void {
    for (const then of this.#told) then();
  }

  /** The views that events since the last look may have changed. */
  #touchedNow(state: State | undefined): { readonly views: readonly UnitView[]; readonly all: boolean } {
    if (state === undefined) return { views: [], all: false };
    const touched = this.#touched.take();
    if (touched === undefined) return { views: viewOf(state).units, all: true };
    return { views: [...touched].flatMap((index) => { const u = state.units[index]; return u === undefined ? [] : [viewOfUnit(state, u)]; }), all: false };
  }

  #changed(units: readonly UnitView[], seq: number): readonly UnitView[] {
    return units.filter((view) => {
      const text = JSON.stringify(view);
      if (this.#units.get(view.id)?.text === text) return false;
      this.#units.set(view.id, { text, view, since: seq });
      return true;
    });
  }

  /** A changed plan may have fewer units: true when it has. */
  #drop(units: readonly UnitView[]): boolean {
    if (this.#units.size === units.length) return false;
    const left = new Set(units.map(({ id }) => id));
    for (const id of this.#units.keys()) if (!left.has(id)) this.#units.delete(id);
    return true;
  }

  async #headNow(state: State | undefined): Promise<Head> {
    const { commonDir, socket } = this.#o;
    const held = await readLock(commonDir).catch((error: unknown) => {
      if (error instanceof LockHeld) return undefined;
      throw error;
    });
    const newest = await newestRun(commonDir) ?? this.run;
    const at = held === undefined || held.state === 'stale' || newest !== this.run ? 'rest' : held.state;
    if (at === 'live' && socket !== undefined) this.#lifeline.hold(socket);
    return {
      ...state === undefined ? emptyHead(this.run) : headOf(state), run: this.run, at, newest, ...(at === 'live' ? this.#leftNow() : {}),
      ...(this.#first === undefined ? {} : { startedAt: this.#first }), ...(this.#last === undefined ? {} : { changedAt: this.#last }),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
  }

  /** How long it may still take; nothing when all that can move has, or before anything is known. */
  #leftNow(): Pick<Head, 'left'> {
    const state = this.#state;
    if (state === undefined || state.count.pending + state.count.running + state.count.proving + state.count.landing === 0) return {};
    const { left } = estimate(state, this.#history);
    return left === undefined ? {} : { left: { ms: Math.round(left), at: new Date(state.now).toISOString() } };
  }

  async #read(): Promise<void> {
    if (this.#trouble !== undefined) return;
    try {
      const { lines, anew } = await this.#journal.read();
      if (anew) this.#forget();
      for (const line of lines) this.#take(eventOf(line));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // Reading it as a whole says what is wrong with it.
      const path = journalPath(this.#o.commonDir, this.run);
      const whole = await readJournal(path).then(({ events }) => stateOf(path, events)).catch((problem: unknown) => problem);
      this.#trouble = whole instanceof JournalError ? whole.message : error.message;
    }
  }

  #take(event: Event | undefined): void {
    if (event === undefined) return;
    this.#state = evolve(this.#state, event);
    this.#first ??= event.time;
    this.#last = event.time;
    this.#touched.event(event, this.#state);
    this.#history.event(event, Date.parse(event.time));
    this.#reports.add(event);
    if (event.type === 'orch.started' || event.type === 'orch.resumed') this.#session = event.seq;
    if (!('unit' in event)) return;
    const events = this.#byUnit.get(event.unit);
    if (events === undefined) this.#byUnit.set(event.unit, [event]);
    else events.push(event);
  }

  #forget(): void {
    this.#state = undefined;
    this.#byUnit.clear();
    this.#units.clear();
    this.#first = undefined;
    this.#history = new History();
    this.#reports = this.#freshReports();
    this.#session = 0;
    // Whoever follows has to begin again, too, whatever event they know.
    this.#since = Infinity;
    this.clients.close();
  }
}

function emptyHead(run: number): Head {
  return { run, newest: run, at: 'rest', closed: false, notes: [], queue: [], counts: { pending: 0, running: 0, proving: 0, landing: 0, waiting: 0, landed: 0, failed: 0, blocked: 0, cancelled: 0, complete: 0 } };
}
