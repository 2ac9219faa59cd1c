// Folds events into State, in place: what happened, and which step each unit needs next. Decides nothing about when.

import { held, released, settleAccount, unparkAll } from './agents.ts';
import { Bug, must, unreachable } from './bug.ts';
import { sortReady } from './crowd.ts';
import { forgetStale, noteDelivery, noteUntold } from './escalation.ts';
import type { Event, EventBody, EventOf, Note } from './event.ts';
import { countCut, onUnit } from './evolve-unit.ts';
import type { UnitEvent } from './evolve-unit.ts';
import { describeFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import { onBatch, resumeLanding } from './landing.ts';
import type { BatchEvent } from './landing.ts';
import { announced } from './moves.ts';
import { forgeHeld, forgeReleased, resumePulls } from './pull.ts';
import { onPush, resumePush } from './push.ts';
import { rememberReds } from './red.ts';
import { noteProgress, onSave, resumeSave } from './save.ts';
import { onRestored } from './restored.ts';
import type { State, UnitState } from './state.ts';
import { replan } from './replan.ts';
import { initialState } from './state.ts';

type RunEvent = Exclude<Event, UnitEvent | BatchEvent>;

/** Takes the state so far (undefined before the first event) and the next event, gives the state after it (the same object, but for a new plan). Throws a Bug when the event cannot follow. */
export function evolve(state: State | undefined, event: Event): State {
  if (event.type === 'run.pinned') {
    const fresh = initialState(event.run, event.pinned, event.settings);
    fresh.seq = event.seq;
    fresh.now = Date.parse(event.time);
    return fresh;
  }
  const s = must(state, `a run.pinned event before ${event.type}`);
  if (event.type === 'run.replanned') return replan(s, event);
  s.seq = event.seq;
  s.now = Date.parse(event.time);
  if ('batch' in event) onBatch(s, event);
  else if ('unit' in event) onUnit(s, unitNamed(s, event.unit), event);
  else onRun(s, event);
  noteProgress(s, event);
  noteUntold(s, event);
  return s;
}

/** The state of a unit by its id; throws a Bug when the plan has none of that name. */
export function unitNamed(state: State, id: string): UnitState {
  return must(state.units[must(state.graph.index.get(id), `unit ${id}`)], `unit ${id}`);
}

function onRun(s: State, e: Exclude<RunEvent, { type: 'run.pinned' | 'run.replanned' }>): void {
  switch (e.type) {
    case 'orch.started': return beginSession(s, e.time);
    case 'orch.resumed': return resumeSession(s, e);
    case 'orch.stopping': return stopping(s, e);
    case 'orch.killing': s.killing = true; return;
    case 'orch.paused': s.paused = { reason: e.reason, text: e.text }; return announced(s, 'paused');
    case 'orch.completed': case 'orch.failed': case 'orch.stopped': s.ended = true; return;
    case 'run.closed': s.closed = true; return;
    case 'escalation.delivered': case 'escalation.failed': return noteDelivery(s, e);
    case 'run.recovering': s.recovery = 'running'; return beginRunStep(s, e.seq);
    case 'run.recovered': return recovered(s, e.notes);
    case 'run.recover.failed': return recoverFailed(s, e.failure);
    case 'agent.held': return held(s, e);
    case 'agent.released': return released(s, e.agent);
    case 'forge.held': return forgeHeld(s, e);
    case 'forge.released': return forgeReleased(s);
    case 'trial.started': s.trial = 'running'; return beginRunStep(s, e.seq);
    case 'trial.ok': s.trial = 'ok'; s.trialNotes = e.notes; rememberReds(s, e.checks); return endRunStep(s);
    case 'trial.failed': return trialFailed(s, e.failure);
    case 'run.advancing': s.advance = 'running'; return beginRunStep(s, e.seq);
    case 'run.joined': s.advance = 'needed'; s.joined = { commit: e.commit, onto: e.onto, own: e.own }; return endRunStep(s);
    case 'run.advanced': return advanced(s, e.commit);
    case 'run.not-advanced': s.advance = 'refused'; s.advanceText = e.text; s.needsMerge = !e.fastForward; return endRunStep(s);
    case 'run.pushing': case 'run.pushed': case 'run.push.behind': case 'run.push.refused': case 'run.catching-up': case 'run.remote-joined': case 'run.caught-up': return onPush(s, e);
    case 'run.saving': case 'run.saved': case 'run.save.refused': return onSave(s, e);
    case 'run.restored': return onRestored(s, e);
    default: return unreachable(e);
  }
}

function beginSession(s: State, time: string): void {
  s.sessionStart = Date.parse(time);
  s.ended = false;
}

/** A new session takes the run as it stands: steps without an answer were cut, slots are asked for again, pauses end. */
function resumeSession(s: State, e: EventOf<'orch.resumed'>): void {
  s.crashed = !s.ended;
  beginSession(s, e.time);
  s.settings = e.settings;
  forgetStale(s);
  delete s.stopping;
  delete s.paused;
  s.killing = false;
  s.failuresInARow = 0;
  s.inFlight = 0;
  delete s.runStep;
  s.recovery = 'needed';
  if (s.trial !== 'ok') s.trial = 'needed';
  delete s.trialFailure;
  if (s.landing.diverted !== undefined) s.advance = 'needed';
  resumePush(s);
  resumeSave(s);
  s.slots = 0;
  resumeLanding(s);
  resumePulls(s);
  unparkAll(s);
  sortReady(s);
  const givenUp = new Set([...s.announce].flatMap((p) => (p.what === 'gave-up' ? [p.unit] : [])));
  for (const u of s.units) {
    const held = u.holdsSlot;
    u.holdsSlot = false;
    s.todo.delete(u.index);
    if (u.phase === 'landed' && u.next.step === 'finish') s.finishing.add(u.index);
    if (u.inFlight !== undefined) {
      delete u.inFlight;
      u.interrupted = true;
      settleAccount(s, u, undefined);
      if (countCut(s, u)) continue;
    }
    // One that gave up only waits for its failure to be announced.
    if (held && !givenUp.has(u.index)) s.returning.push(u.index);
  }
}

function stopping(s: State, e: EventOf<'orch.stopping'>): void {
  if (s.stopping === undefined) s.stopping = { by: e.by, since: e.at, now: e.now };
  else if (e.now) s.stopping.now = true;
}

function beginRunStep(s: State, seq: number): void {
  s.runStep = seq;
  s.inFlight++;
}

function endRunStep(s: State): void {
  if (s.runStep === undefined) throw new Bug('an answer to a run step that was not begun');
  delete s.runStep;
  s.inFlight--;
}

/** The worktrees are what the journal says again; steps that were cut may be done once more. */
function recovered(s: State, notes: readonly Note[]): void {
  endRunStep(s);
  s.recovery = 'no';
  s.recoveryNotes = notes;
  for (const u of s.units) u.interrupted = false;
}

function recoverFailed(s: State, failure: Failure): void {
  endRunStep(s);
  s.recovery = 'needed';
  if (failure.kind !== 'cut') s.announce.push({ what: 'paused', reason: 'recovery', text: describeFailure(failure) });
}

function trialFailed(s: State, failure: Failure): void {
  endRunStep(s);
  if (failure.kind === 'cut') { s.trial = 'needed'; return; }
  s.trial = 'failed';
  s.trialFailure = failure;
  s.announce.push({ what: 'paused', reason: 'environment', text: `the trial worktree could not be made ready: ${describeFailure(failure)}` });
}

function advanced(s: State, commit: string): void {
  // What was joined contains every landing and was proved, too.
  if (s.joined?.commit === commit) s.landed = commit;
  s.landing = { ref: s.pinned.targetRef };
  s.advance = 'done';
  delete s.advanceText;
  delete s.joined;
  s.needsMerge = false;
  endRunStep(s);
}

/** An event body with the stamp of a journal; for folding events that are not from a disk. */
export function stamp(body: EventBody, o: { readonly seq: number; readonly run: number; readonly now: number }): Event {
  return { seq: o.seq, time: new Date(o.now).toISOString(), run: o.run, ...body };
}
