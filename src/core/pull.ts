// Pull requests of finished units: what follows from each of their events. When a step is due is pull-steps.ts.

import { must, unreachable } from './bug.ts';
import { endWork } from './crowd.ts';
import type { EventOf } from './event.ts';
import { isSystemic, blame, land } from './landing.ts';
import { describeFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import { announced, freeSlot, giveUp, markDependants, todo } from './moves.ts';
import { setPhase } from './phase.ts';
import { sameFacts } from './pull-facts.ts';
import type { Feedback, PullFacts } from './pull-facts.ts';
import { DEFAULT_PULL, pullBranchName } from './pull-rules.ts';
import type { PullRules } from './pull-rules.ts';
import { forgetMended, isStillKnown } from './red.ts';
import type { PullDo, PullState } from './pull-state.ts';
import { offerStack, standsOn, wakeStack } from './stack.ts';
import type { Phase, State, UnitState } from './state.ts';

/** An event that answers a step about a pull request. */
export type PullAnswer = EventOf<'pr.published' | 'pr.behind' | 'pr.proved' | 'pr.proof.failed' | 'pr.outdated' | 'pr.seen' | 'pr.taken' | 'pr.queued' | 'pr.refused' | 'pr.merged' | 'pr.step.failed'>;

/** An event that begins one. */
export type PullBegun = EventOf<'pr.publishing' | 'pr.proving' | 'pr.following' | 'pr.taking' | 'pr.merging'>;

/** A finding that was mended so many times and is said again is a person's. */
const MENDED_TIMES = 2;
/** A head that came out of the merge queue so many times is a person's. */
const THROWN_TIMES = 3;

/** What a unit's phase is while a step is due or under way. */
const PHASES: { readonly [D in PullDo]: Phase } = { publish: 'proving', take: 'proving', prove: 'proving', follow: 'waiting', merge: 'landing' };

/** How pull requests are made and followed. */
export function pullRules(s: Pick<State, 'settings'>): PullRules {
  return s.settings.pull ?? DEFAULT_PULL;
}

/** The unit's own work is done and verified: it goes on as a pull request. */
export function arriveAsPull(s: State, u: UnitState): void {
  freeSlot(s, u);
  s.verifying.delete(u.index);
  u.verify.since = 0;
  u.pull ??= { wrote: new Set(), ready: false, rounds: 0, findings: new Map(), answering: [], handled: new Set(), told: false, late: false };
  goOn(s, u);
}

/** What is due next, by what is known: the newest work pushed, proved, open for review, and then what people and checks say. */
function goOn(s: State, u: UnitState): void {
  const p = pullOf(u);
  if (p.pushed !== u.head || p.answering.length > 0) return due(s, u, 'publish');
  if (p.proved?.commit !== u.head) return due(s, u, 'prove');
  if (p.shown !== u.head || p.base !== baseOf(s, u)) return due(s, u, 'publish');
  if (p.facts === undefined) return follow(s, u);
  judge(s, u, p.facts);
}

/** The branch that a unit's pull request is to be merged into: the target, or that of the unit on which it stands. */
export function baseOf(s: Pick<State, 'graph' | 'units' | 'pinned' | 'run'>, u: UnitState): string {
  const { forge, branchPrefix: prefix } = s.pinned;
  const { ref, mark } = must(forge, 'a remote target');
  const below = standsOn(s, u);
  return below === undefined ? ref.replace('refs/heads/', '') : pullBranchName({ prefix, unit: below.unit.id, run: s.run, mark });
}

function due(s: State, u: UnitState, what: PullDo): void {
  u.next = { step: 'pull', do: what };
  setPhase(s, u, what === 'follow' && u.pull?.facts?.queued === true ? 'landing' : PHASES[what]);
  s.pulls.add(u.index);
}

/** Waits for people and checks; that is told once for each time it is ready for them. */
function follow(s: State, u: UnitState): void {
  const p = pullOf(u);
  due(s, u, 'follow');
  if (p.told || p.facts?.queued === true) return;
  p.told = true;
  s.announce.push({ what: 'reviewing', unit: u.index });
}

function judge(s: State, u: UnitState, facts: PullFacts): void {
  const p = pullOf(u);
  if (facts.state === 'closed') return closed(s, u);
  if (facts.base !== targetName(s) && (facts.state === 'merged' || !p.wrote.has(facts.base))) return elsewhere(s, u, facts);
  if (facts.state === 'merged') return due(s, u, 'merge');
  if (facts.head !== p.pushed) return due(s, u, 'take');
  if (facts.queued) return follow(s, u);
  const said = facts.feedback.filter(({ id }) => !p.handled.has(id));
  if (said.length > 0) return heed(s, u, said);
  if (p.base !== baseOf(s, u)) return due(s, u, 'publish');
  if (!facts.conflict) delete p.conflicted;
  else if (p.conflicted !== u.head) return doubt(s, u);
  const below = standsOn(s, u);
  if (below?.phase === 'cancelled') return giveUp(s, u, { failure: { kind: 'not-merged', url: facts.url, text: `the pull request that it stands on, of ${below.unit.id}, was closed` } });
  if (below === undefined && mayMerge(s, facts)) return due(s, u, isProofStillGood(s, u) ? 'merge' : 'prove');
  follow(s, u);
}

/** Whether what its proof let pass for a failure that was there before has not been mended by another unit since. */
function isProofStillGood(s: State, u: UnitState): boolean {
  return isStillKnown(s, u.pull?.proved?.notes ?? []);
}

/** Whether people and checks let it be merged: somebody who may said yes, nobody no, and the forge demands nothing more. */
export function mayMerge(s: Pick<State, 'settings' | 'pinned'>, f: PullFacts): boolean {
  if (f.state !== 'open' || f.draft || f.base !== targetName(s) || f.conflict || f.checks === 'pending' || f.checks === 'failed') return false;
  if (pullRules(s).skipReview) return true;
  if (f.refusedBy.length > 0) return false;
  return f.decision === 'approved' || (f.decision === 'none' && f.approvedBy.length > 0);
}

/** The branch that it is to be merged into, as the forge calls it. */
function targetName({ pinned }: Pick<State, 'pinned'>): string {
  return (pinned.forge?.ref ?? pinned.targetRef).replace('refs/heads/', '');
}

/** Somebody gave it another base, for which nothing is proved: it is theirs until it has the target again. */
function elsewhere(s: State, u: UnitState, { url, base, state }: PullFacts): void {
  const p = pullOf(u);
  delete p.facts;
  p.told = false;
  s.reviewing.delete(u.index);
  const text = state === 'merged' ? `it was merged into ${base}, and not into ${targetName(s)}` : `somebody gave it the base ${base}, and it is to be merged into ${targetName(s)}`;
  giveUp(s, u, { failure: { kind: 'not-merged', url, text }, next: { step: 'pull', do: 'follow' } });
}

/** Feedback goes to the unit's agent, so many times. */
function heed(s: State, u: UnitState, said: readonly Feedback[]): void {
  const p = pullOf(u);
  const keys = said.map(findingKey);
  const same = keys.some((key) => (p.findings.get(key) ?? 0) >= MENDED_TIMES);
  for (const key of keys) p.findings.set(key, (p.findings.get(key) ?? 0) + 1);
  const enough = same ? 'same' : p.rounds >= pullRules(s).rounds ? 'rounds' : undefined;
  const failure: Failure = { kind: 'feedback', url: p.url ?? '', feedback: said, ...(enough === undefined ? {} : { enough }) };
  s.reviewing.delete(u.index);
  if (enough !== undefined) {
    // Until somebody has it tried again much may be said, or done, about it: it is read first.
    delete p.facts;
    return giveUp(s, u, { failure, next: { step: 'pull', do: 'follow' } });
  }
  p.answering = said;
  u.reworkFor = failure;
  delete u.reworkLast;
  u.rework.feedback = 0;
  p.rounds++;
  todo(s, u, { step: 'rework', reason: 'feedback' });
}

/** The same words by the same one about the same place; numbers and ids in them change from one run of a check to the next. */
function findingKey({ kind, who, path, text }: Feedback): string {
  return `${kind}\0${who}\0${path ?? ''}\0${text.replaceAll(/[0-9a-f]*\d[0-9a-f]*/gi, '#').replaceAll(/\s+/g, ' ').trim()}`;
}

/** The forge tells of a conflict: the proof asks the remote first, and finds the head outdated. Once while it says so, because it may speak of what was before. */
function doubt(s: State, u: UnitState): void {
  if (u.head !== undefined) pullOf(u).conflicted = u.head;
  due(s, u, 'prove');
}

/** The remote target is merged into the unit's branch, which is then checked, pushed and proved again. */
function refreshPull(s: State, u: UnitState): void {
  s.reviewing.delete(u.index);
  setPhase(s, u, 'running');
  todo(s, u, { step: 'refresh', then: 'verify' });
}

/** A person closed it: the unit is theirs, nothing of it is removed. */
function closed(s: State, u: UnitState): void {
  s.reviewing.delete(u.index);
  endWork(s, u.index);
  setPhase(s, u, 'cancelled');
  wakeStack(s, u);
  u.next = { step: 'prepare' };
  u.endedAt = new Date(s.now).toISOString();
  markDependants(s, u, u.unit.id);
}

// ---------------------------------------------------------------- events

/** True when its step only waits for people: until it has been read, in each session anew, there is something to find out, and checks and queues of the forge end by themselves. */
function waitsForPeople(u: UnitState): boolean {
  const facts = u.next.step === 'pull' && u.next.do === 'follow' ? u.pull?.facts : undefined;
  return facts !== undefined && facts.checks !== 'pending' && !facts.queued;
}

/** A step about a pull request begins. */
export function pullBegun(s: State, u: UnitState, e: PullBegun): void {
  s.pulls.delete(u.index);
  if (waitsForPeople(u)) s.following++;
  if (e.type === 'pr.merging') s.merging = u.index;
  if (e.type === 'pr.proving') s.provingAt.set(u.index, e.place);
}

/** Folds the answer to such a step into the state. */
export function onPull(s: State, u: UnitState, e: PullAnswer): void {
  if (waitsForPeople(u)) s.following--;
  s.provingAt.delete(u.index);
  if (s.merging === u.index) delete s.merging;
  // What was begun before the trouble and went well shows that it is over, but for one that asked to be left alone.
  if (e.type !== 'pr.step.failed' && (s.forge?.active === false || s.forge?.reason !== 'rate')) delete s.forge;
  switch (e.type) {
    case 'pr.published': return published(s, u, e);
    case 'pr.behind': return due(s, u, 'take');
    case 'pr.proved': return proved(s, u, e);
    case 'pr.proof.failed': return proofFailed(s, u, e.failure);
    case 'pr.outdated': return refreshPull(s, u);
    case 'pr.seen': return seen(s, u, e.facts);
    case 'pr.taken': return taken(s, u, e.commit);
    case 'pr.queued': return queued(s, u);
    case 'pr.refused': return refused(s, u, e.text);
    case 'pr.merged': return merged(s, u, e);
    case 'pr.step.failed': return stepFailed(s, u, e.failure);
    default: return unreachable(e);
  }
}

function published(s: State, u: UnitState, e: EventOf<'pr.published'>): void {
  const p = pullOf(u);
  p.number = e.number;
  p.url = e.url;
  if (p.pushed !== e.commit || e.ready !== p.ready) delete p.facts;
  if (p.pushed !== e.commit) delete p.thrown;
  delete p.refused;
  p.pushed = e.commit;
  p.pushedAt = s.now;
  if (p.base !== e.base) delete p.facts;
  p.base = e.base;
  p.wrote.add(e.base);
  p.told = false;
  p.ready ||= e.ready;
  if (e.ready) p.shown = e.commit;
  for (const { id } of p.answering) p.handled.add(id);
  p.answering = [];
  delete u.reworkFor;
  if (e.ready) offerStack(s, u);
  goOn(s, u);
}

function seen(s: State, u: UnitState, facts: PullFacts): void {
  const p = pullOf(u);
  if (p.facts !== undefined && !sameFacts(p.facts, facts)) delete p.refused;
  // Right after it was put in, the forge may not show it there yet.
  const out = p.facts?.queued === true && !facts.queued && facts.state === 'open' && facts.head === p.pushed && s.now - (p.queuedAt ?? 0) >= pullRules(s).poll;
  if (out) p.thrown = (p.thrown ?? 0) + 1;
  Object.assign(p, { facts, url: facts.url });
  if (out && (p.thrown ?? 0) >= THROWN_TIMES && mayMerge(s, facts)) return thrownOut(s, u, facts);
  judge(s, u, facts);
}

/** Each time costs a run of its checks: somebody has to see why, or took it out themselves. */
function thrownOut(s: State, u: UnitState, { url }: PullFacts): void {
  const p = pullOf(u);
  const text = `it came out of the merge queue ${p.thrown ?? 0} times without being merged`;
  delete p.facts;
  giveUp(s, u, { failure: { kind: 'not-merged', url, text }, next: { step: 'pull', do: 'follow' } });
}

/** Whatever keeps the forge from it may be gone a moment later without a sign of that: it is tried again when something about it changes, and by itself less and less often. */
function refused(s: State, u: UnitState, text: string): void {
  const p = pullOf(u);
  p.refused = { text, times: p.refused?.text === text ? p.refused.times + 1 : 1 };
  follow(s, u);
}

function proved(s: State, u: UnitState, e: EventOf<'pr.proved'>): void {
  pullOf(u).proved = { commit: e.commit, onto: e.onto, notes: e.notes };
  for (const key of e.passed) s.passed.add(key);
  goOn(s, u);
}

function proofFailed(s: State, u: UnitState, failure: Failure): void {
  if (failure.kind === 'cut') return due(s, u, 'prove');
  if (isSystemic(failure)) {
    due(s, u, 'prove');
    if (s.paused?.reason !== 'landing') s.announce.push({ what: 'paused', reason: 'landing', text: `no proof can run: ${describeFailure(failure)}` });
    return;
  }
  blame(s, u, failure);
}

/** Commits that people put on top of the unit's are part of it, and have to pass like its own. What is there already is only seen late by the forge. */
function taken(s: State, u: UnitState, commit: string): void {
  const p = pullOf(u);
  if (commit === p.pushed && commit === u.head) return due(s, u, 'follow');
  const asItIs = u.next.step === 'pull' && u.next.any === true;
  u.head = commit;
  p.pushed = commit;
  delete p.facts;
  s.reviewing.delete(u.index);
  setPhase(s, u, 'running');
  if (!asItIs || p.answering.length === 0) return todo(s, u, { step: 'verify', scope: 'proof' });
  // What its agent made of the feedback is not in it.
  u.reworkFor = { kind: 'feedback', url: p.url ?? '', feedback: p.answering };
  todo(s, u, { step: 'rework', reason: 'feedback' });
}

function queued(s: State, u: UnitState): void {
  const p = pullOf(u);
  s.reviewing.delete(u.index);
  p.queuedAt = s.now;
  if (p.facts !== undefined) p.facts = { ...p.facts, queued: true };
  follow(s, u);
}

function merged(s: State, u: UnitState, e: EventOf<'pr.merged'>): void {
  s.reviewing.delete(u.index);
  if (e.red !== undefined) u.notes.push({ kind: 'unproved', text: `the proof fails on ${e.commit.slice(0, 10)}, by which the forge landed it: ${describeFailure(e.red)}` });
  const { proved: before } = pullOf(u);
  forgetMended(s, [...before?.commit === e.head && e.red === undefined ? before.notes : [], ...e.notes]);
  for (const other of s.pulls) {
    const waits = must(s.units[other], 'a unit');
    if (waits.next.step === 'pull' && waits.next.do === 'merge' && waits.pull?.facts?.state !== 'merged' && !isProofStillGood(s, waits)) due(s, waits, 'prove');
  }
  land(s, { unit: u.unit.id, commit: e.commit, head: e.head }, { ref: s.landing.ref });
}

function stepFailed(s: State, u: UnitState, failure: Failure): void {
  const what = u.next.step === 'pull' ? u.next.do : 'follow';
  if (failure.kind === 'forge' && failure.reason !== 'refused') {
    if (s.forge?.active !== true && ![...s.announce].some((p) => p.what === 'forge')) s.announce.push({ what: 'forge', failure });
    return due(s, u, what);
  }
  if (failure.kind === 'cut') return due(s, u, what);
  s.reviewing.delete(u.index);
  giveUp(s, u, { failure, next: failure.kind === 'yielded' ? { step: 'pull', do: 'take', any: true } : u.next });
}

/** It has been announced that the unit waits for people: from now on they are late some time. */
export function beginReview(s: State, u: UnitState): void {
  announced(s, 'reviewing');
  pullOf(u).late = false;
  s.reviewing.delete(u.index);
  s.reviewing.set(u.index, s.now);
}

/** That they are late has been told; once is enough. */
export function reviewIsLate(s: State, u: UnitState): void {
  pullOf(u).late = true;
  s.reviewing.delete(u.index);
}

/** A person has the unit tried again. */
export function retriedPull(s: State, u: UnitState): void {
  const p = pullOf(u);
  // Whoever has it tried again wants one more round at least.
  p.rounds = Math.min(0, pullRules(s).rounds - 1);
  delete p.thrown;
  p.findings.clear();
  const { next } = u;
  if (next.step !== 'pull') return;
  due(s, u, next.do);
  u.next = next;
}

/** A new session: steps that were cut are done again, nobody is late yet for it, and every pull request is read before it is waited for. */
export function resumePulls(s: State): void {
  s.following = 0;
  s.provingAt.clear();
  delete s.merging;
  delete s.forge;
  for (const { pull } of s.units) { delete pull?.facts; delete pull?.refused; delete pull?.conflicted; }
  // One that gave up only waits for its failure to be announced.
  const givenUp = new Set([...s.announce].flatMap((p) => (p.what === 'gave-up' ? [p.unit] : [])));
  for (const u of s.units) if (u.next.step === 'pull' && u.phase !== 'failed' && u.phase !== 'cancelled' && !givenUp.has(u.index)) s.pulls.add(u.index);
}

// ---------------------------------------------------------------- the forge as a whole

/** A step found that the forge cannot be used: nothing is asked of it for a while, or until a person says so. */
export function forgeHeld(s: State, e: EventOf<'forge.held'>): void {
  announced(s, 'forge');
  s.forge = { active: true, reason: e.reason, text: e.text, tries: e.tries, ...(e.until === undefined ? {} : { until: Date.parse(e.until) }) };
}

/** It is asked again. */
export function forgeReleased(s: State): void {
  if (s.forge !== undefined) s.forge = { ...s.forge, active: false };
}

function pullOf(u: UnitState): PullState {
  return must(u.pull, `a pull request of ${u.unit.id}`);
}
