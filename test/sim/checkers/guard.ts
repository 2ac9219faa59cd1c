// Promises about checks that fail only sometimes or failed before, and about protected paths: nothing is let pass unseen.

import type { Event, EventOf, Note } from '../../../src/core/event.ts';
import type { CheckRun, Machine } from '../machine.ts';
import { WORKTREES } from '../machine.ts';
import { isByHand } from '../reviewers.ts';
import { TASKS_DIR } from '../scenario.ts';

/** What holds at the very end of a seed. */
export function checkGuard(m: Machine, events: readonly Event[]): void {
  for (const step of checkSteps(events)) checkRetries(m, step);
  checkProtected(m, events);
}

/** A step that runs checks, with its answer. */
interface Step { readonly from: number; readonly to: number; readonly cwd: string; readonly ok: boolean; readonly notes: readonly Note[]; readonly what: string }

type Answer = EventOf<'task.validation.ok' | 'task.validation.fail' | 'unit.verified' | 'unit.verify.failed' | 'batch.proved' | 'batch.proof.failed' | 'pr.proved' | 'pr.proof.failed'>;
const OK = new Set(['task.validation.ok', 'unit.verified', 'batch.proved', 'pr.proved']);

function checkSteps(events: readonly Event[]): readonly Step[] {
  const begun = new Map<string, { readonly seq: number; readonly cwd: string }>();
  const steps: Step[] = [];
  for (const e of events) {
    if (e.type === 'orch.resumed') begun.clear();
    if (e.type === 'task.backpressure' || e.type === 'unit.verifying') begun.set(e.unit, { seq: e.seq, cwd: `${WORKTREES}/units/${e.unit}` });
    if (e.type === 'batch.proving') begun.set(`batch ${e.batch}`, { seq: e.seq, cwd: `${WORKTREES}/landing${e.place === 0 ? '' : `-${e.place + 1}`}` });
    if (e.type === 'pr.proving') begun.set(e.unit, { seq: e.seq, cwd: `${WORKTREES}/landing${e.place === 0 ? '' : `-${e.place + 1}`}` });
    if (!isAnswer(e)) continue;
    const key = 'unit' in e ? e.unit : `batch ${e.batch}`;
    const at = begun.get(key);
    if (at !== undefined) steps.push({ from: at.seq, to: e.seq, cwd: at.cwd, ok: OK.has(e.type), notes: e.notes, what: `${e.type} of ${key} at ${e.seq}` });
    begun.delete(key);
  }
  return steps;
}

function isAnswer(e: Event): e is Answer {
  return OK.has(e.type) || e.type === 'task.validation.fail' || e.type === 'unit.verify.failed' || e.type === 'batch.proof.failed' || e.type === 'pr.proof.failed';
}

/** A check runs again only after an ordinary failure, as often as it may, and a pass after a failure is told. */
function checkRetries(m: Machine, step: Step): void {
  const runs = m.checkRuns.filter((run) => run.cwd === step.cwd && run.at >= step.from && run.at < step.to);
  const told = (kind: Note['kind'], command: string): boolean => step.notes.some((note) => note.kind === kind && note.command === command);
  for (const command of new Set(runs.map((run) => run.command))) {
    const of = runs.filter((run) => run.command === command);
    for (const [i, run] of of.entries()) {
      const next = of[i + 1];
      if (run.code === 127 && next !== undefined) m.violate('retries', `${step.what}: \`${command}\` ran again although a program was missing`);
      if (step.ok && !run.passed && next !== undefined && !told('known-failure', command) && !sameFiles(run, next)) m.violate('retries', `${step.what}: \`${command}\` ran again on other files`);
      if (step.ok && !run.passed && next?.passed === true && !told('flaky-check', command) && !told('known-failure', command)) m.violate('flake-told', `${step.what}: \`${command}\` failed and passed, and nobody was told`);
    }
    // Two rounds at most, each with its retries; the settings may have changed between sessions.
    const failures = of.filter((run) => !run.passed).length;
    if (failures > 2 * (1 + MOST_RETRIES)) m.violate('retries', `${step.what}: \`${command}\` failed ${failures} times`);
    if (step.ok && of.at(-1)?.passed === false && !told('known-failure', command)) m.violate('known', `${step.what}: \`${command}\` failed and counts as passed`);
  }
}

/** The most that a scenario draws. */
const MOST_RETRIES = 2;

function sameFiles(a: CheckRun, b: CheckRun): boolean {
  return a.steady && a.head === b.head && a.tree === b.tree;
}

/** What lands of what is protected is nothing where that is refused, and exactly what a person has seen where it has to be approved. */
function checkProtected(m: Machine, events: readonly Event[]): void {
  const { objects } = m.repo;
  const { protect, protected: globs } = m.scenario.guard;
  if (protect === 'report') return;
  for (const e of events) {
    if (e.type !== 'unit.merged' || isByHand(m, e.unit)) continue;
    const onto = objects.find(e.commit)?.parents[0];
    if (onto === undefined) continue;
    const text = (commit: string, path: string): string | undefined => objects.find(commit)?.tree.files.get(path);
    const changed = objects.changed(onto, e.commit).filter((path) => globs.some((glob) => path.startsWith(glob)) && !path.startsWith(`${TASKS_DIR}/`));
    if (protect === 'refuse' && changed.length > 0) m.violate('protected', `${e.unit} landed with changes of ${changed.join(', ')}, which are refused`);
    const seen = (path: string): boolean => events.some((a) => a.type === 'unit.approved' && a.unit === e.unit && a.seq < e.seq && a.change.paths.includes(path) && text(a.change.head, path) === text(e.head, path));
    const unseen = changed.filter((path) => !seen(path));
    if (protect === 'approve' && unseen.length > 0) m.violate('protected', `${e.unit} landed with changes of ${unseen.join(', ')} that nobody approved`);
  }
}
