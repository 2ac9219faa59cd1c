// What survives the death of the engine: the repository, the disk, the journal, the time. And what checkers know about it.

import type { Event } from '../../src/core/event.ts';
import type { Checkout } from './checkout.ts';
import { EPOCH } from './clock.ts';
import type { Coverage } from './coverage.ts';
import type { Disk } from './files.ts';
import { JournalFile } from './journal.ts';
import { Remote } from './remote.ts';
import { Repository } from './repository.ts';
import { Rng } from './rng.ts';
import type { Shelf } from './setup-results.ts';
import { Accounts } from './economy.ts';
import { mirrorRef } from '../../src/core/pull-rules.ts';
import { Host } from './hosted.ts';
import { drawScenario, TARGET } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { Timeline } from './timeline.ts';

/** The run's number in every simulation. */
export const RUN = 1;
/** The user's main checkout. */
export const ROOT = '/repo';
/** Folder of the worktrees. */
export const WORKTREES = '/state/worktrees/1';
/** The run's folder. */
export const RUN_DIR = '/repo/.git/choo/runs/1';

/** Something that must never be. `checker` says which promise was broken. */
export interface Violation {
  readonly checker: string;
  readonly text: string;
}

/** One check that ran to its end: what it was, where, on what, and what it said. */
export interface CheckRun {
  readonly command: string;
  readonly cwd: string;
  /** HEAD when it began. */
  readonly head: string;
  /** Tree id of the index and the tracked files, which were equal; undefined when they were not. */
  readonly tree: string | undefined;
  /** Tracked files and HEAD were the same before and after. */
  readonly steady: boolean;
  readonly passed: boolean;
  readonly code: number;
  /** Source files that were broken, as the baseline check tells. */
  readonly broken: readonly string[];
  /** Events that there were when it ended. */
  readonly at: number;
}

/** One agent that was started. */
export interface Launch {
  readonly unit: string;
  /** Task number, or what was to be mended. */
  readonly subject: string;
  readonly attempt: string;
  /** What HEAD of its worktree was. */
  readonly head: string;
}

const HOST_STREAM = 0xf0463;

/** The simulated machine of one seed. */
export class Machine {
  readonly rng: Rng;
  readonly timeline = new Timeline();
  readonly scenario: Scenario;
  readonly repo: Repository;
  readonly remote: Remote;
  /** The forge, where units land as pull requests. */
  readonly host: Host | undefined;
  /** Full ref from which units begin. */
  readonly landing: string;
  readonly disk: Disk = new Map();
  readonly shelf: Shelf = new Map();
  readonly journal = new JournalFile(RUN);
  readonly coverage: Coverage;
  /** Nothing goes wrong any more, and agents do their work. */
  calm = false;
  /** By how much the wall clock was set, ms. */
  skew = 0;
  /** Nothing can be written to the disk that holds worktrees. */
  full = false;
  session = 0;
  /** The step in flight of a unit (without one: of the run), by name; told by the session that runs. */
  windowOf: (unit: string | undefined) => string = () => 'between';
  readonly violations: Violation[] = [];
  readonly checkRuns: CheckRun[] = [];
  readonly launches: Launch[] = [];
  /** What reviews came to, as `unit attempt`: something that must be mended, or nothing. */
  readonly reviews = new Map<string, boolean>();
  /** What agents truly cost, and why they cannot work. */
  readonly accounts = new Accounts();
  /** Units whose agent is at work. */
  readonly working = new Set<string>();
  /** Attempts in which an agent changed something outside its worktree, as `unit subject attempt`. */
  readonly trespasses = new Set<string>();
  /** Texts that agents left in a worktree when their attempt ended. */
  readonly left = new Map<string, string>();
  /** Texts that somebody who may has overwritten or thrown away since. */
  readonly superseded = new Set<string>();
  /** Worktree → the slot its last program had, and which worktree that was: the same path may be made again. */
  readonly slots = new Map<string, { readonly slot: string; readonly checkout: Checkout | undefined }>();
  /** Units whose branch at the forge was rewritten by people. */
  readonly rewritten = new Set<string>();
  /** Paths that programs wrote, by the worktree they are in. */
  readonly written = new Map<string, Set<string>>();
  /** Printed by a replay. */
  readonly trace: string[] | undefined;
  readonly #awaited: { readonly window: string; readonly happen: () => void }[] = [];
  #texts = 0;

  constructor(o: { readonly seed: number; readonly coverage: Coverage; readonly trace?: string[]; readonly scenario?: Scenario }) {
    this.rng = new Rng(o.seed);
    this.coverage = o.coverage;
    this.trace = o.trace;
    this.scenario = o.scenario ?? drawScenario(o.seed, this.rng);
    this.repo = new Repository({ root: ROOT, branch: TARGET, files: this.scenario.files });
    const first = this.repo.resolve(TARGET) ?? '';
    const events = (): number => this.journal.lines.length;
    this.remote = new Remote(this.repo.objects, { tip: first, events });
    const { hosting } = this.scenario;
    this.landing = hosting === undefined ? TARGET : mirrorRef(RUN);
    if (hosting !== undefined) {
      this.repo.set({ who: 'choo', session: 0 }, this.landing, first);
      this.host = new Host({ remote: this.remote, objects: this.repo.objects, timeline: this.timeline, rng: new Rng(o.seed + HOST_STREAM), hosting, events });
    }
    this.repo.set({ who: 'person' }, 'refs/heads/other', first);
    if (!this.scenario.checkedOut) this.repo.main.branch = 'refs/heads/other';
    this.repo.main.files.set('local.env', 'secret');
  }

  /** The wall clock, ms since 1970. */
  get wall(): number {
    return EPOCH + Math.floor(this.timeline.now) + this.skew;
  }

  /** A promise was broken. */
  violate(checker: string, text: string): void {
    this.violations.push({ checker, text });
    this.note(`VIOLATION ${checker}: ${text}`);
  }

  /** A line of the story. */
  note(text: string): void {
    this.trace?.push(`${String(Math.round(this.timeline.now)).padStart(9)} ${text}`);
  }

  /** Tells of an event of the run. */
  tell(event: Event): void {
    if (this.trace !== undefined) this.note(shown(event));
  }

  /** Lets something happen when the run comes to this window. */
  when(window: string, happen: () => void): void {
    this.#awaited.push({ window, happen });
  }

  /** The run came to this window. */
  reached(window: string): void {
    const at = this.#awaited.findIndex((each) => each.window === window);
    if (at < 0) return;
    for (const { happen } of this.#awaited.splice(at, 1)) this.timeline.after(this.rng.chance(0.7) ? this.rng.below(4) : this.rng.below(5000), happen);
  }

  /** A text that was never there before. */
  fresh(text: string): string {
    this.#texts += 1;
    return `${text} #${this.#texts}`;
  }

  /** A program writes (or with undefined deletes) a file of a checkout. */
  write(checkout: Checkout, path: string, text: string | undefined): void {
    const was = checkout.files.get(path);
    if (was !== undefined) this.superseded.add(was);
    if (text === undefined) checkout.files.delete(path);
    else checkout.files.set(path, text);
    let paths = this.written.get(checkout.path);
    if (paths === undefined) this.written.set(checkout.path, (paths = new Set()));
    paths.add(path);
  }
}

function shown(event: Event): string {
  const { seq, time: _time, run: _run, type, ...rest } = event;
  const facts = Object.entries(rest).filter(([key]) => !['log', 'command', 'plan', 'pinned', 'settings', 'graph', 'result', 'worktree', 'branch'].includes(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value.replace(/^([ce])0+/, '$1') : JSON.stringify(value)}`);
  return `${String(seq).padStart(4)} ${type} ${facts.join(' ')}`.slice(0, 300);
}
