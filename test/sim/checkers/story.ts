// Promises that the list of events alone must keep, read without the engine's own state.

import type { Event, EventOf, Settings } from '../../../src/core/event.ts';
import { VERDICTS } from '../../../src/core/failure.ts';
import type { Machine } from '../machine.ts';

/** Which events answer which begun step. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  'run.recovering': ['run.recovered', 'run.recover.failed'],
  'trial.started': ['trial.ok', 'trial.failed'],
  'run.advancing': ['run.advanced', 'run.not-advanced', 'run.joined'],
  'run.pushing': ['run.pushed', 'run.push.behind', 'run.push.refused'],
  'run.saving': ['run.saved', 'run.save.refused'],
  'run.catching-up': ['run.remote-joined', 'run.caught-up', 'run.push.refused'],
  'unit.started': ['unit.prepared', 'unit.prepare.failed'],
  'task.started': ['task.attempted', 'task.attempt.failed'],
  'task.retry': ['task.attempted', 'task.attempt.failed'],
  'task.backpressure': ['task.validation.ok', 'task.validation.fail'],
  'task.committing': ['task.committed', 'task.commit.failed'],
  'rework.started': ['rework.attempted', 'rework.attempt.failed'],
  'review.started': ['review.ended', 'review.attempt.failed'],
  'unit.verifying': ['unit.verified', 'unit.verify.failed'],
  'unit.refreshing': ['unit.refreshed', 'unit.refresh.failed'],
  'unit.committing': ['unit.committed', 'unit.commit.failed'],
  'batch.merging': ['batch.candidate', 'batch.merge.failed'],
  'batch.proving': ['batch.proved', 'batch.proof.failed'],
  'batch.landing': ['batch.landed', 'batch.moved', 'batch.land.failed'],
  'unit.finishing': ['unit.completed'],
  'pr.publishing': ['pr.published', 'pr.behind', 'pr.seen', 'pr.step.failed'],
  'pr.proving': ['pr.proved', 'pr.proof.failed', 'pr.outdated', 'pr.step.failed'],
  'pr.following': ['pr.seen', 'pr.step.failed'],
  'pr.taking': ['pr.taken', 'unit.refreshed', 'pr.seen', 'pr.step.failed'],
  'pr.merging': ['pr.merged', 'pr.queued', 'pr.refused', 'pr.outdated', 'pr.seen', 'pr.step.failed'],
};
const ANSWER_TYPES = new Set(Object.values(ANSWERS).flat());
/** Steps that need a slot of the parallelism. */
const WORK = new Set(['unit.started', 'task.started', 'task.retry', 'task.backpressure', 'task.committing', 'rework.started', 'review.started', 'unit.verifying', 'unit.refreshing', 'unit.committing']);
const ENDS = new Set(['orch.completed', 'orch.failed', 'orch.stopped']);

/** Reads the events from the first to the last. */
export function checkStory(m: Machine, events: readonly Event[]): void {
  const story = new Story(m);
  for (const event of events) story.read(event);
}

function stepKey(e: Event): string {
  if (/^run\.(push|catching-up|remote-joined|caught-up)/.test(e.type)) return 'push';
  if (e.type.startsWith('run.sav')) return 'save';
  return 'unit' in e ? e.unit : 'batch' in e ? `batch ${e.batch}` : 'run';
}

class Story {
  readonly #m: Machine;
  #inFlight = new Map<string, string>();
  #ended = false;
  #settings: Settings;
  readonly #landed = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #done = new Set<string>();
  readonly #attempts = new Map<string, number>();
  /** Failed and cut attempts by task since the last retry. */
  readonly #tries = new Map<string, { failed: number; cut: number; /** The limit when the last one ended. */ of: number }>();
  /** Landing worktree of the last proof of each batch. */
  readonly #places = new Map<string, number>();
  #failuresInARow = 0;
  #paused = false;
  #stopping = false;
  #seq = 0;

  constructor(m: Machine) {
    this.#m = m;
    this.#settings = m.scenario.settings;
  }

  read(e: Event): void {
    this.#seq += 1;
    if (e.seq !== this.#seq) this.#violate('journal', `event ${e.seq} where ${this.#seq} belongs`);
    if (e.type === 'orch.started' || e.type === 'orch.resumed') return this.#session(e);
    // A person may give attempts back, or approve, while nothing runs.
    if (this.#ended && e.type !== 'unit.retried' && e.type !== 'unit.approved' && e.type !== 'agent.released' && e.type !== 'forge.released') this.#violate('after-the-end', `${e.type} after the end`);
    if (ENDS.has(e.type)) {
      this.#ended = true;
      // People are not waited for where that is said.
      if (this.#settings.wait === false) for (const [key, type] of this.#inFlight) if (type === 'pr.following') this.#inFlight.delete(key);
      if (this.#inFlight.size > 0) this.#violate('answered-once', `the session ended while ${[...this.#inFlight].join(', ')} had no answer`);
    }
    if (e.type in ANSWERS) this.#begin(e);
    else if (ANSWER_TYPES.has(e.type)) this.#answer(e);
    this.#facts(e);
  }

  #violate(checker: string, text: string): void {
    this.#m.violate(checker, `event ${this.#seq}: ${text}`);
  }

  #session(e: Event): void {
    this.#inFlight = new Map();
    this.#ended = false;
    this.#stopping = false;
    this.#paused = false;
    this.#failuresInARow = 0;
    if (e.type === 'orch.resumed') this.#settings = e.settings;
  }

  #begin(e: Event): void {
    const key = stepKey(e);
    const open = this.#inFlight.get(key);
    if (open !== undefined) this.#violate('answered-once', `${e.type} of ${key} while ${open} is in flight`);
    // What is recorded is still committed, and saved.
    if (this.#stopping && e.type !== 'task.committing' && e.type !== 'unit.committing' && !(e.type === 'run.saving' && e.last)) this.#violate('stop', `${e.type} of ${key} was begun after the stop`);
    if (this.#failed.has(key)) this.#violate('failed-rests', `${e.type} of ${key}, which has failed and was not retried`);
    this.#inFlight.set(key, e.type);
    const working = [...this.#inFlight.values()].filter((type) => WORK.has(type)).length;
    if (working > this.#settings.parallelism) this.#violate('parallelism', `${working} units work at once, ${this.#settings.parallelism} may`);
    if ([...this.#inFlight.values()].filter((type) => type === 'batch.landing').length > 1) this.#violate('one-lands', 'two batches land at once');
    if (e.type === 'batch.landing') for (const unit of e.units) if (this.#landed.has(unit)) this.#violate('merged-once', `${unit} lands although it has landed`);
    if (e.type === 'batch.proving' || e.type === 'pr.proving') this.#proofPlace(key, e);
    if ([...this.#inFlight.values()].filter((type) => type === 'pr.merging').length > 1) this.#violate('one-lands', 'two pull requests are merged at once');
    if (e.type === 'unit.started') this.#starts(e.unit);
    if (e.type === 'task.started' || e.type === 'task.retry') this.#attempt(`${e.unit} ${e.task}`, e.attempt);
    if (e.type === 'rework.started') this.#attempt(`${e.unit} rework`, e.attempt);
    if (e.type === 'review.started') this.#attempt(`${e.unit} review`, e.attempt);
  }

  /** No two proofs run in one landing worktree. */
  #proofPlace(what: string, { type, place }: EventOf<'batch.proving' | 'pr.proving'>): void {
    for (const [key, other] of this.#places) if (other === place && this.#inFlight.get(key) === type && key !== what) this.#violate('one-proof-a-place', `${key} and ${what} are proved in landing worktree ${place}`);
    this.#places.set(what, place);
  }

  #starts(unit: string): void {
    const missing = this.#m.scenario.units.find((u) => u.id === unit)?.dependsOn.filter((d) => !this.#landed.has(d)) ?? [];
    if (missing.length > 0) this.#violate('dependencies', `${unit} was started before ${missing.join(', ')} landed`);
    // What had begun goes on in spite of a pause.
    if (this.#begun.has(unit)) return;
    this.#begun.add(unit);
    if (this.#failuresInARow >= this.#settings.limits.failuresInARow) this.#violate('pause', `${unit} was started after ${this.#failuresInARow} failures in a row`);
    if (this.#paused) this.#violate('pause', `${unit} was started although dispatch is paused`);
  }

  #attempt(what: string, attempt: number): void {
    const last = this.#attempts.get(what) ?? 0;
    if (attempt !== last + 1) this.#violate('attempt-once', `attempt ${attempt} of ${what} after attempt ${last}`);
    this.#attempts.set(what, attempt);
    const tries = this.#tries.get(what);
    const { attempts, cuts } = this.#settings.limits;
    if (tries === undefined || what.endsWith('rework')) return;
    if (tries.failed >= attempts) this.#violate('limits', `another attempt at ${what} after ${tries.failed} failed ones of ${attempts}`);
    if (tries.cut > cuts) this.#violate('limits', `another attempt at ${what} after ${tries.cut} cut ones of ${cuts}`);
  }

  #answer(e: Event): void {
    const key = stepKey(e);
    const begun = this.#inFlight.get(key);
    if (begun === undefined || !(ANSWERS[begun] ?? []).includes(e.type)) this.#violate('answered-once', `${e.type} of ${key} answers ${begun ?? 'nothing'}`);
    this.#inFlight.delete(key);
  }

  #facts(e: Event): void {
    if ('failure' in e && e.failure.kind === 'bug') this.#violate('bug', `${e.type}: ${e.failure.message} ${e.failure.stack}`);
    switch (e.type) {
      case 'orch.stopping': this.#stopping = true; return;
      case 'orch.paused': this.#paused = true; return;
      case 'unit.merged': return this.#merged(e.unit);
      case 'unit.failed': return this.#unitFailed(e.unit);
      case 'unit.retried': return this.#retried(e.unit);
      case 'task.committed': return this.#completed(`${e.unit} ${e.task}`);
      case 'task.attempt.failed': case 'task.validation.fail': return this.#tried(`${e.unit} ${e.task}`, e.failure.kind);
      case 'task.failed': return this.#gaveUp(e);
      case 'task.commit.failed': return this.#tried(`${e.unit} ${e.task}`, e.failure.kind);
      default: return;
    }
  }

  /** What can be tried again is given up only after all its attempts, and never for what is not the work's. */
  #gaveUp({ unit, task, failure }: EventOf<'task.failed'>): void {
    const { failed, of } = this.#tries.get(`${unit} ${task}`) ?? { failed: 0, of: 0 };
    if (VERDICTS[failure.kind] === 'rework' && failed < of) this.#violate('all-attempts', `task ${task} of ${unit} was given up after ${failed} attempts of ${of}`);
  }

  #merged(unit: string): void {
    if (this.#landed.has(unit)) this.#violate('merged-once', `${unit} landed twice`);
    if (this.#failed.has(unit)) this.#violate('merged-once', `${unit} landed after it failed`);
    this.#landed.add(unit);
    this.#failuresInARow = 0;
  }

  #unitFailed(unit: string): void {
    if (this.#landed.has(unit)) this.#violate('merged-once', `${unit} failed after it landed`);
    this.#failed.add(unit);
    this.#failuresInARow += 1;
  }

  #retried(unit: string): void {
    if (!this.#failed.delete(unit)) this.#violate('story', `${unit} was retried without having failed`);
    for (const what of this.#tries.keys()) if (what.startsWith(`${unit} `)) this.#tries.delete(what);
    this.#paused = false;
    this.#failuresInARow = 0;
  }

  #completed(task: string): void {
    if (this.#done.has(task)) this.#violate('completed-once', `task ${task} was completed twice`);
    this.#done.add(task);
  }

  #tried(task: string, kind: string): void {
    const tries = this.#tries.get(task) ?? { failed: 0, cut: 0, of: 0 };
    this.#tries.set(task, tries);
    if (this.#done.has(task)) this.#violate('completed-once', `an attempt at ${task} failed after it was complete`);
    tries.of = this.#settings.limits.attempts;
    if (kind === 'cut') tries.cut += 1;
    else if (kind !== 'nothing-changed' && kind !== 'agent-trouble') tries.failed += 1;
  }
}
