// Looks at State and the clock and says which events should come next: facts to announce and steps to begin.
// Reads State, never the last event; every event it asks for leaves a fact that silences it.

import { Bug, must, unreachable } from './bug.ts';
import { attemptTerms, dueAgents, holdEvent, nextForRoom, nextRelease, promise, whyWait } from './agents.ts';
import { approvalEvent } from './approval.ts';
import { anyReady, nextReady, overlapWait } from './crowd.ts';
import type { EventBody, Result } from './event.ts';
import { FORGE_TROUBLE } from './failure.ts';
import { landingSteps } from './landing-steps.ts';
import { forgeHoldEvent, pullSteps } from './pull-steps.ts';
import { pullRules } from './pull.ts';
import { isCatchingUp, isUnpushed, lastPush, pushNow } from './push.ts';
import { claimNow, lastSave, saveNow, stopWhenTaken } from './save.ts';
import { isBuiltUpon } from './stack.ts';
import type { Pending, State, UnitState } from './state.ts';

/** What should happen now. When `next` is empty: wait for the inbox, at most until `wakeAt` (steady ms), unless `done`. */
export interface Decision {
  readonly next: readonly EventBody[];
  readonly wakeAt?: number;
  readonly done: boolean;
}

/** Takes the state and the session's steady time (ms), changes nothing. The loop records and performs `next`, then asks again until it is empty. */
export function decide(state: State, now: number): Decision {
  if (state.announce.length > 0) return { next: announcements(state, now), done: false };
  if (state.ended) return { next: [], done: true };
  const taken = stopWhenTaken(state, now);
  if (taken !== undefined) return { next: [taken], done: false };
  const next = state.stopping === undefined ? begin(state, now) : whileStopping(state, now);
  if (next.length > 0) return { next, done: false };
  const wakeAt = state.stopping === undefined ? earliest(earliest(nextRelease(state), landingSteps(state, now).wakeAt), wakeForPulls(state, now)) : killTime(state);
  if (busy(state) === 0 && (state.stopping !== undefined || wakeAt === undefined)) return { next: [(state.stopping === undefined ? lastPush(state) : undefined) ?? lastSave(state) ?? final(state, now)], done: false };
  return wakeAt === undefined ? { next, done: false } : { next, wakeAt, done: false };
}

/** Steps in flight that have to end before the session does: with `--no-wait` nobody waits for people. */
function busy(s: State): number {
  return s.stopping === undefined && s.settings.wait === false ? s.inFlight - s.following : s.inFlight;
}

/** When people are late or the forge is asked again; nobody is waited for with `--no-wait`, nor when only a person can have the forge asked again. */
function wakeForPulls(s: State, now: number): number | undefined {
  const active = s.forge?.active === true;
  if (active ? s.forge?.until === undefined && s.inFlight === 0 : s.settings.wait === false) return undefined;
  return pullSteps(s, now).wakeAt;
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? a ?? b : Math.min(a, b);
}

/** What is to be announced, first to last. One that is unblocked may take back what comes after it, so it ends the list. */
function announcements(s: State, now: number): EventBody[] {
  const next: EventBody[] = [];
  for (const p of s.announce) {
    next.push(...announcement(s, p, now));
    if (p.what === 'unblocked') break;
  }
  return next;
}

function announcement(s: State, p: Pending, now: number): EventBody[] {
  if (p.what === 'held') return [holdEvent(s, p.failure, now)];
  if (p.what === 'forge') return [forgeHoldEvent(s, p.failure, now)];
  if (p.what === 'dropped') return [{ type: 'batch.dropped', batch: p.batch }];
  if (p.what === 'merged') return [{ type: 'unit.merged', ...p.merge, ref: p.ref, ...(p.diverted === undefined ? {} : { diverted: p.diverted }) }];
  if (p.what === 'paused') return [{ type: 'orch.paused', reason: p.reason, text: p.text }];
  const u = must(s.units[p.unit], 'a unit to announce');
  const unit = u.unit.id;
  switch (p.what) {
    case 'queued': return [{ type: 'unit.queued', unit }];
    case 'blocked': return [{ type: 'unit.blocked', unit, by: p.by }];
    case 'unblocked': return [{ type: 'unit.unblocked', unit }];
    case 'approval': return [approvalEvent(u)];
    case 'wake': return [{ type: 'pr.waking', unit }];
    case 'reviewing': return [{ type: 'unit.waiting', unit, for: 'review', text: pullRules(s).skipReview ? `the checks of ${u.pull?.url ?? 'its pull request'}` : `a review of ${u.pull?.url ?? 'its pull request'}` }];
    case 'completed': {
      const t = must(u.tasks[p.task - 1], 'a task to announce');
      return [{ type: 'task.completed', unit, task: p.task, attempts: t.used, unchanged: t.unchanged }];
    }
    case 'gave-up': {
      const where = { ...(u.worktree === undefined ? {} : { worktree: u.worktree }), ...(u.branch === undefined ? {} : { branch: u.branch }) };
      const failed: EventBody = { type: 'unit.failed', unit, failure: p.failure, ...where };
      return p.task === undefined ? [failed] : [{ type: 'task.failed', unit, task: p.task, failure: p.failure }, failed];
    }
    default: return unreachable(p);
  }
}

/** The steps that can begin: what was begun goes on before anything new does. */
function begin(s: State, now: number): EventBody[] {
  const claim = claimNow(s);
  if (claim !== undefined) return claim;
  const due = dueAgents(s, now);
  if (due.length > 0) return due.map((agent) => ({ type: 'agent.released', agent }));
  if (s.recovery === 'needed' && s.paused?.reason !== 'recovery') return [{ type: 'run.recovering' }];
  if (s.recovery !== 'no') return [];
  if (s.advance === 'needed' && s.inFlight === 0 && s.lane.length === 0 && s.batches.length === 0) return [{ type: 'run.advancing' }];
  if ((s.runStep !== undefined && s.advance === 'running') || isCatchingUp(s)) return [];
  if (s.trial === 'needed' && (anyReady(s) || s.returning.length > 0)) return [{ type: 'trial.started' }];
  let promised = 0;
  const next = [...s.todo].map((i) => {
    const event = turnOf(s, unit(s, i), promised);
    if (event.type !== 'unit.waiting') promised += promise(s, unit(s, i));
    return event;
  });
  // Its branch goes with it, and a forge closes a pull request whose base is gone.
  for (const i of s.finishing) if (!isBuiltUpon(s, unit(s, i))) next.push({ type: 'unit.finishing', unit: unit(s, i).unit.id });
  next.push(...landingSteps(s, now).next, ...pushNow(s), ...saveNow(s), ...pullSteps(s, now).next);
  if (next.length > 0) return next;
  return s.trial === 'ok' && s.slots < s.settings.parallelism ? dispatch(s) : [];
}

/** One unit at a time, because taking it changes the queue; the loop asks again. */
function dispatch(s: State): EventBody[] {
  const back = s.returning.first;
  if (back !== undefined) return [turnOf(s, unit(s, back), 0)];
  const waited = nextForRoom(s);
  if (waited !== undefined) return [turnOf(s, unit(s, waited), 0)];
  const fresh = s.paused === undefined ? nextReady(s) : undefined;
  return fresh === undefined ? [] : [turnOf(s, unit(s, fresh), 0)];
}

/** The unit's turn has come: its step, or why it has to wait. */
function turnOf(s: State, u: UnitState, promised: number): EventBody {
  return overlapWait(s, u) ?? whyWait(s, u, promised) ?? stepOf(s, u);
}

/** A stop begins nothing new; a commit that was proved is still made, and at the time limit everything is killed. */
function whileStopping(s: State, now: number): EventBody[] {
  const kill = killTime(s);
  if (kill !== undefined && now >= kill) return [{ type: 'orch.killing' }];
  if (s.killing || s.recovery !== 'no') return [];
  return [...s.todo].map((i) => unit(s, i)).filter((u) => u.next.step === 'commit' || u.next.step === 'adopt').map((u) => stepOf(s, u));
}

function killTime(s: State): number | undefined {
  if (s.stopping === undefined || s.killing || s.inFlight === 0) return undefined;
  return s.stopping.now ? s.stopping.since : s.stopping.since + s.settings.limits.shutdown;
}

function unit(s: State, index: number): UnitState {
  return must(s.units[index], 'a unit');
}

/** The event that begins the step a unit needs next. */
function stepOf(s: State, u: UnitState): EventBody {
  const id = u.unit.id;
  const n = u.next;
  switch (n.step) {
    case 'prepare': return { type: 'unit.started', unit: id };
    case 'attempt': return attempt(s, u, n.task);
    case 'check': return { type: 'task.backpressure', unit: id, task: n.task, attempt: n.attempt, command: must(u.unit.tasks[n.task - 1], 'a task').check, log: `logs/${id}/${n.task}-${n.attempt}.check.log` };
    case 'commit': return { type: 'task.committing', unit: id, task: n.task, commit: n.commit };
    case 'verify': return { type: 'unit.verifying', unit: id, scope: n.scope };
    case 'refresh': return { type: 'unit.refreshing', unit: id };
    case 'rework': {
      const number = u.rework.used + 1;
      return { type: 'rework.started', unit: id, reason: n.reason, attempt: number, because: must(u.reworkFor, 'what a rework is for'), ...(u.reworkLast === undefined ? {} : { also: u.reworkLast }), log: `logs/${id}/rework-${number}.log`, ...attemptTerms(s, u) };
    }
    case 'review': return { type: 'review.started', unit: id, attempt: u.review.used + 1, log: `logs/${id}/review-${u.review.used + 1}.log`, ...attemptTerms(s, u) };
    case 'adopt': return { type: 'unit.committing', unit: id, commit: n.commit };
    case 'land': throw new Bug(`${id} is in the landing queue and has no step of its own`);
    case 'pull': throw new Bug(`${id} has a pull request, whose steps are pull-steps.ts's`);
    case 'finish': return { type: 'unit.finishing', unit: id };
    default: return unreachable(n);
  }
}

function attempt(s: State, u: UnitState, number: number): EventBody {
  const t = must(u.tasks[number - 1], 'a task');
  const about = { unit: u.unit.id, task: number, attempt: t.used + 1, log: `logs/${u.unit.id}/${number}-${t.used + 1}.log`, ...attemptTerms(s, u) };
  return t.last === undefined ? { type: 'task.started', ...about } : { type: 'task.retry', ...about, because: t.last };
}

/** The event that ends this session. */
function final(s: State, now: number): EventBody {
  const result = resultOf(s, now);
  if (s.count.landed + s.count.cancelled === result.totalUnits && result.error === undefined) return { type: 'orch.completed', result };
  return s.stopping === undefined ? { type: 'orch.failed', result } : { type: 'orch.stopped', result };
}

/** How the run stands, with the time of this session. Units that wait are all that could go on once somebody or something allows it. */
export function resultOf(s: State, now: number): Result {
  const total = s.units.length;
  const open = total - s.count.landed - s.count.failed - s.count.blocked - s.count.cancelled;
  const stopped = s.stopping !== undefined;
  const error = whyNot(s, open);
  return {
    totalUnits: total,
    completedUnits: s.count.landed,
    failedUnits: s.count.failed,
    blockedUnits: s.count.blocked,
    waitingUnits: stopped ? 0 : open,
    cancelledUnits: s.count.cancelled + (stopped ? open : 0),
    durationMs: Math.max(0, now - s.sessionStart),
    ...(error === undefined ? {} : { error }),
  };
}

function whyNot(s: State, open: number): string | undefined {
  if (s.stopping !== undefined && open > 0) return `stopped by ${s.stopping.by}`;
  if (s.paused !== undefined && open > 0) return `paused: ${s.paused.text}`;
  if (s.forge?.active === true && open > 0) return `${s.pinned.forge?.repository ?? 'the forge'} ${FORGE_TROUBLE[s.forge.reason]}: ${s.forge.text}`;
  const many = (n: number, one: string, more: string): string[] => (n === 0 ? [] : [n === 1 ? `1 unit ${one}` : `${n} units ${more}`]);
  const waiting = many(s.count.waiting, `waits for ${whatFor(s)}`, `wait for ${whatFor(s)}`);
  const blocked = s.count.failed > 0 || waiting.length > 0 ? [] : many(s.count.blocked, 'is blocked', 'are blocked');
  const reasons = [...many(s.count.failed, 'failed', 'failed'), ...waiting, ...blocked];
  if (reasons.length > 0) return reasons.join(', ');
  if (s.landing.diverted !== undefined) return `landed, target not advanced: ${s.advanceText ?? s.landing.diverted}`;
  if (isUnpushed(s)) return `landed, not pushed: ${s.push.text ?? (s.stopping === undefined ? 'the remote target has moved' : `stopped by ${s.stopping.by}`)}`;
  return undefined;
}

/** What the waiting units wait for, each once. */
function whatFor(s: State): string {
  const parked = [...s.parked.values()].map((p) => (p.agent === undefined ? 'the budget' : `the agent ${p.agent}`));
  const reviewed = s.units.some((u) => u.phase === 'waiting' && u.next.step === 'pull');
  return [...new Set([...parked, ...(reviewed ? ['review'] : []), ...(s.overlaps.kept.size > 0 ? ['another that means to change the same files'] : []), ...(s.awaiting.size > 0 ? ['approval'] : [])])].join(' and ');
}
