// A run that is saved at a remote: when a save is due, what it holds, and that only one session goes on from it. How it is done is worker/save.ts.

import { Bug } from './bug.ts';
import type { Event, EventBody, EventOf, EventType } from './event.ts';
import type { State, UnitState } from './state.ts';
import { isOver } from './state.ts';

/** An event about a save. */
type SaveEvent = EventOf<'run.saving' | 'run.saved' | 'run.save.refused'>;

/** What a session that goes on from a save must not do, pay for, or count again. */
const PROGRESS: ReadonlySet<EventType> = new Set<EventType>([
  'run.replanned', 'task.committed', 'task.attempt.failed', 'task.validation.fail', 'rework.attempt.failed', 'review.ended', 'review.attempt.failed', 'unit.committed',
  'batch.landed', 'unit.failed', 'unit.retried', 'unit.discarded', 'unit.approved', 'run.advanced', 'run.joined', 'run.caught-up', 'run.remote-joined', 'run.pushed', 'pr.published', 'pr.taken', 'pr.merged',
]);

/** True when the run is saved at a remote. */
function isSaving(s: Pick<State, 'settings'>): boolean {
  return s.settings.ci !== undefined;
}

/** True as long as what landed last is on its way into the save: only then it is pushed, so that nobody who goes on from a save finds it landed already. */
export function awaitsSave(s: Pick<State, 'settings' | 'save' | 'landed'>): boolean {
  return isSaving(s) && s.save.trouble === undefined && s.save.landed !== s.landed;
}

/** Before everything else of a session: the saved run is shown to be its own. Undefined: it is. */
export function claimNow(s: State): EventBody[] | undefined {
  if (!isSaving(s) || s.save.claimed) return undefined;
  return s.save.step === undefined ? [{ type: 'run.saving', last: false }] : [];
}

/** The save that can begin beside everything else, one at a time. */
export function saveNow(s: State): readonly EventBody[] {
  return isSaving(s) && s.save.due && s.save.step === undefined ? [{ type: 'run.saving', last: false }] : [];
}

/** What is still to be saved when nothing else can move; undefined: nothing, or it is given up. */
export function lastSave(s: State): EventBody | undefined {
  const { save } = s;
  if (!isSaving(s) || s.killing || save.stopped || save.taken !== undefined || save.step !== undefined || !save.rest) return undefined;
  return { type: 'run.saving', last: true };
}

/** The end of a session whose saved run another one has taken. */
export function stopWhenTaken(s: State, now: number): EventBody | undefined {
  if (s.save.taken === undefined || s.stopping !== undefined) return undefined;
  return { type: 'orch.stopping', by: 'another session, which has taken the saved run', now: true, at: now };
}

/** Folds an event about a save into the state. Throws a Bug when it cannot follow. */
export function onSave(s: State, e: SaveEvent): void {
  const { save } = s;
  if (e.type === 'run.saving') {
    if (save.step !== undefined) throw new Bug('run.saving while a save is in flight');
    save.step = { landed: s.landed, last: e.last };
    save.due = false;
    save.rest = false;
    s.inFlight++;
    return;
  }
  const { step } = save;
  if (step === undefined) throw new Bug(`${e.type} answers a step that was not begun`);
  delete save.step;
  s.inFlight--;
  if (e.type === 'run.saved') saved(s, e, step.landed);
  else refused(s, e, step.last);
}

function saved({ save }: State, e: EventOf<'run.saved'>, landed: string | undefined): void {
  save.claimed = true;
  save.commit = e.commit;
  save.upTo = e.upTo;
  if (landed !== undefined) save.landed = landed;
  save.failures = 0;
  delete save.trouble;
}

function refused({ save }: State, e: EventOf<'run.save.refused'>, last: boolean): void {
  save.rest = true;
  if (e.reason === 'cut') return;
  if (e.reason === 'taken') save.taken = e.text;
  save.claimed = true;
  save.trouble = e.text;
  save.failures++;
  save.stopped = last;
}

/** Notes what the next save is for. */
export function noteProgress(s: State, e: Event): void {
  if (e.type === 'run.saving' || e.type === 'run.saved' || e.type === 'run.save.refused') return;
  s.save.rest = true;
  if (PROGRESS.has(e.type)) s.save.due = true;
}

/** A new session shows again that the saved run is its own, and tries again whatever kept the one before from saving. */
export function resumeSave({ save }: State): void {
  Object.assign(save, { due: true, rest: true, claimed: false, failures: 0, stopped: false });
  delete save.step;
  delete save.trouble;
  delete save.taken;
}

/** Where the branch of a unit is to be when another clone goes on with it: where it is, or about to be, as recorded; undefined: it needs none. */
export function savedTip(u: UnitState): string | undefined {
  if (isOver(u) || u.branch === undefined) return undefined;
  // What was proved and recorded; the branch is moved to it next.
  return u.next.step === 'commit' || u.next.step === 'adopt' ? u.next.commit : u.head;
}

/** Every commit that somebody needs who goes on from the journal, each once; some may be gone already. */
export function savedCommits(s: State): readonly string[] {
  const ofUnit = (u: UnitState): readonly (string | undefined)[] => {
    if (isOver(u)) return u.next.step === 'finish' ? [u.landed, u.landedHead] : [];
    const { head, base, merging, candidate, proved, approval, protected: change } = u;
    return [head, base, merging, savedTip(u), candidate?.commit, proved?.commit, proved?.top, approval?.head, change?.head];
  };
  const all = [s.pinned.base, s.landed, s.joined?.commit, s.push.joined?.commit, ...s.batches.flatMap((b) => b.merges.map((m) => m.commit)), ...s.units.flatMap(ofUnit)];
  return [...new Set(all.filter((id) => id !== undefined))];
}
