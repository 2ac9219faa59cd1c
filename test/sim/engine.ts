// One session of the real engine over the simulated world: the real loop, core and worker, from a replayed journal to its end or death.

import type { Event, EventBody } from '../../src/core/event.ts';
import type { Request } from '../../src/core/request.ts';
import type { Next, State } from '../../src/core/state.ts';
import { RunLoop } from '../../src/orchestrator.ts';
import { openFence } from '../../src/worker/fence.ts';
import { sweepPool } from '../../src/worker/obtain.ts';
import { Pool } from '../../src/worker/pool.ts';
import { Slots } from '../../src/worker/slots.ts';
import { landingWorktrees } from '../../src/worker/workplace.ts';
import type { Workplace } from '../../src/worker/workplace.ts';
import { FenceLost } from '../../src/world.ts';
import type { World } from '../../src/world.ts';
import { simClock } from './clock.ts';
import { diskError, simFiles } from './files.ts';
import { simForge } from './forge.ts';
import { FAIR, SessionGate } from './gate.ts';
import type { Doom } from './gate.ts';
import { simGit } from './git.ts';
import { simJournal } from './journal.ts';
import type { Machine } from './machine.ts';
import { checkLeaks } from './checkers/leaks.ts';
import { ROOT, RUN_DIR, WORKTREES } from './machine.ts';
import type { ProcessTable } from './processes.ts';
import type { Actor } from './repository.ts';
import { simAgent } from './economy.ts';
import { simSetupResults } from './setup-results.ts';

/** Bytes that are free when the disk is not full. */
const PLENTY = 2 ** 40;

/** How a session came to its end: the run said so, it gave up (the journal failed), or the engine died. */
export type Fate = 'running' | 'ended' | 'failed' | 'dead';

/** One session. */
export class EngineSession {
  fate: Fate = 'running';
  readonly gate: SessionGate;
  readonly state: State;
  readonly #m: Machine;
  readonly #loop: RunLoop;
  readonly #place: Workplace;

  constructor(o: { readonly m: Machine; readonly table: ProcessTable; readonly state: State; readonly first: EventBody; readonly dooms: readonly Doom[] }) {
    const { m } = o;
    this.#m = m;
    this.state = o.state;
    m.session += 1;
    const session = m.session;
    this.gate = new SessionGate({ rng: m.rng, timeline: m.timeline, weather: () => (m.calm ? FAIR : m.scenario.weather), windows: () => this.windows(), dooms: o.dooms });
    this.gate.onFault = (fault, call) => {
      m.coverage.hit(fault, this.windows());
      m.note(`      FAULT ${fault} at ${call}`);
    };
    this.gate.onDeath = () => {
      this.fate = 'dead';
      o.table.killAll(session);
    };
    const by: Actor = { who: 'choo', session };
    this.#place = workplaceOf(m, { session: this, world: worldOf(m, { gate: this.gate, table: o.table, session, by }) });
    this.#loop = new RunLoop({
      place: this.#place, first: [o.first], observers: [(event) => this.#observe(event)],
      escalator: { escalate: () => undefined }, report: (text) => m.violate('observer', text),
    });
  }

  /** Begins; the timeline has to be driven until `fate` changes. */
  start(): void {
    this.#loop.run().then(() => this.#over('ended'), (error: unknown) => this.#failed(error));
  }

  /** A person asks something; what is refused is no matter. */
  ask(request: Request): void {
    this.#m.coverage.hit(request.do === 'stop' && request.now ? 'stop-now' : request.do, this.windows());
    this.#loop.request(request).then((answer) => this.#m.note(`      asked ${request.do}: ${answer}`), (error: unknown) => this.#m.note(`      asked ${request.do}: ${String(error)}`));
  }

  /** The steps that are in flight, by name. */
  windows(): string[] {
    const { state } = this;
    const steps = state.units.filter((u) => u.inFlight !== undefined).map((u) => windowFor(u.next));
    for (const b of state.batches) if (b.inFlight !== undefined) steps.push(b.next);
    if (state.runStep !== undefined) steps.push(state.recovery === 'running' ? 'recover' : state.trial === 'running' ? 'trial' : 'advance');
    if (state.push.step !== undefined) steps.push(state.push.step === 'pushing' ? 'push' : 'catch-up');
    if (state.save.step !== undefined) steps.push('save');
    // A fault that finds nobody at work may find somebody waiting.
    if (steps.length === 0 && state.parked.size + state.awaiting.size > 0) steps.push('waiting');
    return steps;
  }

  /** The step of a unit that is in flight, by name. */
  windowOf(unit: string): string {
    const u = this.state.units.find((each) => each.unit.id === unit);
    const batch = this.state.batches.find((b) => b.id === u?.batch);
    if (batch?.inFlight !== undefined) return batch.next;
    return u?.inFlight === undefined ? 'between' : windowFor(u.next);
  }

  #observe(event: Event): void {
    this.#m.tell(event);
    if (event.type === 'unit.waiting') this.#m.reached('waiting');
    if (event.type === 'unit.prepared') checkLeaks(this.#m, event);
    this.#m.reached('unit' in event ? this.windowOf(event.unit) : (this.windows().at(-1) ?? 'between'));
  }

  /** What the program does after the loop: its own worktree goes, and the pool. */
  #over(fate: Fate): void {
    const { git } = this.#place.world;
    const finish = (): void => { if (this.fate === 'running') this.fate = fate; };
    Promise.all(landingWorktrees(this.#place).map((path) => git.removeWorktree(path))).then(() => sweepPool(this.#place)).then(finish, finish);
  }

  #failed(error: unknown): void {
    this.#m.note(`      the session failed: ${String(error)}`);
    if (!(error instanceof FenceLost) && !String(error).includes('journal cannot be written')) this.#m.violate('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
    this.fate = 'failed';
  }
}

function windowFor(next: Next): string {
  return next.step === 'pull' ? `pr-${next.do}` : next.step;
}

function worldOf(m: Machine, o: { readonly gate: SessionGate; readonly table: ProcessTable; readonly session: number; readonly by: Actor }): World {
  const { gate } = o;
  return {
    clock: simClock({ timeline: m.timeline, skew: () => m.skew, alive: () => gate.alive }),
    journal: simJournal({
      file: m.journal, gate: gate.pass, rng: m.rng,
      fails: () => gate.journalFails(),
    }),
    git: simGit({ repo: m.repo, remote: m.remote, gate: gate.pass, by: o.by, trespass: (call) => m.violate('main-checkout', `${call} in the main checkout`) }),
    ...(m.host === undefined ? {} : { forge: simForge({ host: m.host, gate, timeline: m.timeline, rng: m.rng, now: () => m.wall, away: () => m.remote.away, events: () => m.journal.lines.length }) }),
    processes: o.table.processes(o.session, gate.pass, diskError),
    uuid: () => '00000000-0000-4000-8000-000000000000',
    digest: (text) => text, fingerprint: async () => 'the same machine',
    setupResults: simSetupResults({ repo: m.repo, shelf: m.shelf, gate: gate.pass }),
    files: simFiles({ repo: m.repo, disk: m.disk, journal: m.journal, gate: gate.pass, free: () => (m.full ? 0 : PLENTY) }),
  };
}

function workplaceOf(m: Machine, o: { readonly session: EngineSession; readonly world: World }): Workplace {
  const { scenario } = m;
  const { world } = o;
  return {
    world, state: o.session.state, runDir: RUN_DIR, worktrees: WORKTREES, mainRoot: ROOT,
    // Half of them go by a file that agents change, too.
    setup: scenario.setup ? [{ command: 'setup', ...(scenario.seed % 2 === 0 ? { reuse: { by: ['lock'], makes: ['node_modules'] } } : {}) }] : [], teardown: scenario.setup ? [{ command: 'teardown' }] : [], copy: scenario.copies ? ['local.env'] : [],
    agents: new Map(['sim', 'other'].map((name) => [name, { agent: simAgent(name, scenario.economy.tells[name]), permissions: 'workspace' as const, args: [], env: {}, goOn: false, prices: {} }])), matches: (glob, path) => path.startsWith(glob),
    fence: openFence({ git: world.git, clock: world.clock, isOutput: () => false, isUnits: (branch) => branch.startsWith('refs/heads/choo/') }),
    pool: new Pool({ mode: scenario.pool, keep: [] }),
    slots: new Slots({ files: world.files, file: `${ROOT}/.git/choo/slots.json`, portBase: 20_000, project: 'choo-sim' }),
    idleLimitSet: scenario.idleLimitSet, landedPaths: { known: 0, byPath: new Map() }, remote: { silent: false }, settingUp: new Map(), waking: new Map(), seen: new Map(),
  };
}
