// One seed from its first event to its last: a bad time with deaths, faults and people; then a good time, in which the run must
// come to its right end. Judging is the checkers'.

import type { EventBody, Settings } from '../../src/core/event.ts';
import { respond } from '../../src/core/request.ts';
import type { State } from '../../src/core/state.ts';
import { isOpen } from '../../src/core/open.ts';
import { fold } from '../../src/core/replay.ts';
import { isOver } from '../../src/core/state.ts';
import { checkAccounts } from './checkers/accounts.ts';
import { checkEnd, checkGround } from './checkers/ground.ts';
import { checkGuard } from './checkers/guard.ts';
import { checkReviews } from './checkers/review.ts';
import { checkRemote } from './checkers/remote.ts';
import { checkSaves } from './checkers/saves.ts';
import { checkPulls } from './checkers/pulls.ts';
import { checkReplay } from './checkers/replay.ts';
import { checkStory } from './checkers/story.ts';
import { Coverage } from './coverage.ts';
import { EngineSession } from './engine.ts';
import { tryGit } from './gate.ts';
import type { Doom } from './gate.ts';
import { Machine, RUN } from './machine.ts';
import type { Violation } from './machine.ts';
import { doSomething, logIn, mergeByHand, tidyUp } from './people.ts';
import { ProcessTable } from './processes.ts';
import { simPrograms } from './programs.ts';
import { happenAtRemote, mendRemote, pullByHand } from './others.ts';
import { Reviewers } from './reviewers.ts';
import { Rng } from './rng.ts';
import { pinnedOf, TARGET } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { nextBudget } from './spending.ts';

/** What came of a seed. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly events: number;
  readonly sessions: number;
  /** Virtual ms. */
  readonly time: number;
}

/** A session may take this long, virtual ms; far beyond every limit of choo. */
const SESSION_LIMIT = 60 * 86_400_000;
/** How long a session goes on in the bad time, ms. */
const PATIENCE = 5 * 86_400_000;
/** Events that one session may have; far more than any plan here needs. */
const MANY_EVENTS = 5000;
/** Sessions that the good time may take. */
const GOOD_SESSIONS = 12;

/** Those that judge a whole seed, by its journal and by what is left of the machine. */
const CHECKERS = [checkStory, checkAccounts, checkEnd, checkGuard, checkReviews, checkRemote, checkSaves, checkPulls];

function crashed(m: Machine, error: unknown): void {
  m.violate('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/** Plays one seed, or a scenario that is given. `afterBad` may look at the machine when the bad time is over. Never rejects. */
export async function simulate(o: { readonly seed: number; readonly coverage?: Coverage; readonly trace?: string[]; readonly scenario?: Scenario; readonly afterBad?: (m: Machine) => void }): Promise<Outcome> {
  const m = new Machine({ seed: o.seed, coverage: o.coverage ?? new Coverage(), ...(o.trace === undefined ? {} : { trace: o.trace }), ...(o.scenario === undefined ? {} : { scenario: o.scenario }) });
  try {
    await new Play(m).all(o.afterBad);
  } catch (error) {
    // A journal that cannot be replayed, or a defect of the simulation; either has to be looked at.
    crashed(m, error);
  }
  const events = m.journal.events();
  for (const check of CHECKERS) {
    try {
      check(m, events);
    } catch (error) {
      // What a checker cannot read is as wrong as what it would refuse.
      crashed(m, error);
    }
  }
  return { seed: o.seed, violations: m.violations, events: events.length, sessions: m.session, time: m.timeline.now };
}

/** Nothing is left to do but what depends on what people gave up. */
function isAtItsEnd(state: State): boolean {
  const given = new Set<string>();
  for (const { unit, phase } of state.units) if (phase === 'cancelled' || (phase === 'blocked' && unit.dependsOn.some((id) => given.has(id)))) given.add(unit.id);
  return !isOpen(state) || (given.size > 0 && state.ended && state.units.every((u) => given.has(u.unit.id) || (isOver(u) && u.next.step !== 'finish')));
}

class Play {
  readonly #m: Machine;
  readonly #table: ProcessTable;
  readonly #reviewers: Reviewers | undefined;
  #session: EngineSession | undefined;
  #budget: Settings['budget'];

  constructor(m: Machine) {
    this.#m = m;
    this.#reviewers = m.host === undefined ? undefined : new Reviewers(m, m.host);
    this.#budget = m.scenario.settings.budget;
    this.#table = new ProcessTable({ timeline: m.timeline, rng: m.rng, programs: simPrograms(m) });
  }

  async all(afterBad: ((m: Machine) => void) | undefined): Promise<void> {
    const { scenario, repo, journal, timeline } = this.#m;
    journal.append([{ type: 'run.pinned', pinned: pinnedOf(scenario, { base: repo.resolve(TARGET) ?? '', run: RUN }), settings: scenario.settings }], this.#m.wall);
    for (const { after, window } of scenario.people) {
      const happen = (): void => tryGit(() => doSomething(this.#m, this.#session));
      if (window === undefined) timeline.after(after, happen);
      else this.#m.when(window, happen);
    }
    const far = new Rng(scenario.seed + 1);
    for (const { after, window } of scenario.remote) {
      const happen = (): void => happenAtRemote(this.#m, far);
      if (window === undefined) timeline.after(after, happen);
      else this.#m.when(window, happen);
    }
    const started: EventBody = { type: 'orch.started', version: 1, graph: [], target: 'main', base: '', mode: 'local', parallelism: scenario.settings.parallelism };
    await this.#badTime(started);
    afterBad?.(this.#m);
    tidyUp(this.#m);
    mendRemote(this.#m);
    this.#reviewers?.beGood();
    await this.#goodTime();
  }

  async #badTime(started: EventBody): Promise<void> {
    const { scenario, rng, journal, host } = this.#m;
    let first = started;
    const sessions = [...scenario.dooms, []];
    for (const [n, dooms] of sessions.entries()) {
      await this.#run(fold(journal.events()), { first, dooms });
      const state = fold(journal.events());
      if (!isOpen(state) || this.#m.violations.length > 0 || n === sessions.length - 1) return;
      if (host !== undefined) await this.#meanwhile(rng.pick([0, 60_000, 12 * 3_600_000]));
      if (rng.chance(0.5)) this.#retryAtRest(state);
      if (rng.chance(0.5)) this.#approveAtRest();
      if (rng.chance(0.7)) logIn(this.#m);
      first = { type: 'orch.resumed', settings: this.#settings() };
    }
  }

  async #goodTime(): Promise<void> {
    const { journal, host } = this.#m;
    for (let n = 0; n < GOOD_SESSIONS; n++) {
      // What a forge notices late it has noticed by then.
      if (host !== undefined) await this.#meanwhile(60_000);
      let state = fold(journal.events());
      if (isAtItsEnd(state) || this.#m.violations.length > 0) return;
      if (state.needsMerge || n > GOOD_SESSIONS / 2) mergeByHand(this.#m, `refs/heads/choo/run/${RUN}`);
      if (state.push.state === 'stopped') pullByHand(this.#m);
      this.#retryAtRest(state);
      this.#approveAtRest();
      state = fold(journal.events());
      await this.#run(state, { first: { type: 'orch.resumed', settings: this.#settings() }, dooms: [] });
    }
    const state = fold(journal.events());
    if (!isAtItsEnd(state)) {
      const open = state.units.filter((u) => u.phase !== 'landed' && u.phase !== 'cancelled').map((u) => `${u.unit.id} ${u.phase} ${JSON.stringify(u.failure ?? u.next)}`);
      this.#m.violate('right-end', `in a good world the run does not end: ${open.join('; ')} ${state.landing.diverted ?? ''} ${state.advanceText ?? ''} ${state.push.text ?? ''}`.slice(0, 600));
    }
  }

  /** While nothing runs, people go on at the forge. */
  async #meanwhile(ms: number): Promise<void> {
    let over = false;
    this.#m.timeline.after(ms, () => { over = true; });
    await this.#m.timeline.drive(() => over, Infinity);
  }

  #settings(): Settings {
    const { budget: _, ...settings } = this.#m.scenario.settings;
    this.#budget = nextBudget(this.#m, this.#budget);
    const budget = this.#budget === undefined ? {} : { budget: this.#budget };
    return this.#m.calm ? { ...settings, ...budget, ...(settings.wait === undefined ? {} : { wait: true }), limits: { ...settings.limits, attempts: 3 }, conflictRetries: 3 } : { ...settings, ...budget };
  }

  /** As `choo retry --failed` does while nothing runs. */
  #retryAtRest(state: State): void {
    const response = respond(state, { do: 'retry', units: [] }, this.#m.wall);
    if ('events' in response) this.#m.journal.append(response.events, this.#m.wall);
  }

  /** As `choo approve` does while nothing runs, for all that wait. */
  #approveAtRest(): void {
    const state = fold(this.#m.journal.events());
    const units = [...state.awaiting].map((i) => state.units[i]?.unit.id ?? '');
    const response = respond(state, { do: 'approve', units }, this.#m.wall);
    if ('events' in response) this.#m.journal.append(response.events, this.#m.wall);
  }

  async #run(state: State, o: { readonly first: EventBody; readonly dooms: readonly Doom[] }): Promise<void> {
    const m = this.#m;
    const session = new EngineSession({ m, table: this.#table, state, ...o });
    this.#session = session;
    m.windowOf = (unit) => (unit === undefined ? session.windows().at(-1) ?? 'between' : session.windowOf(unit));
    m.note(`---- session ${m.session}${o.dooms.map((d) => ` (${d.fault} ${d.when} ${d.call ?? 'call'} ${d.nth}${d.window === undefined ? '' : ` in ${d.window}`})`).join('')}`);
    session.start();
    // Nobody may ever come to a pull request, an account may never be well again; then somebody asks for the end.
    const tired = m.calm ? undefined : m.timeline.after(PATIENCE, () => session.ask({ do: 'stop', by: 'SIGINT', now: false }));
    const endless = m.journal.lines.length + MANY_EVENTS;
    const over = await m.timeline.drive(() => session.fate !== 'running' || m.journal.lines.length > endless, m.timeline.now + SESSION_LIMIT) && session.fate !== 'running';
    if (!over) m.violate('stuck', `the session neither moves nor ends; in flight: ${session.windows().join(', ')}`);
    m.note(`---- session ${m.session}: ${session.fate}`);
    this.#session = undefined;
    if (tired !== undefined) tired.run = undefined;
    session.gate.alive = false;
    if (!over) this.#table.killAll(m.session);
    else if (this.#table.running.size > 0) m.violate('processes', `${this.#table.running.size} programs outlive their session`);
    const events = m.journal.events();
    checkReplay(m, session.state, events);
    checkGround(m, events);
  }
}
