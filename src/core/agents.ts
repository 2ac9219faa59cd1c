// Which agent a unit gets next and whether it may begin now: fallbacks, escalating effort, agents that cannot work, budgets.

import { Bug } from './bug.ts';
import { becomeReady, takeReady } from './crowd.ts';
import type { AgentRules, AttemptBegun, EventBody, EventOf } from './event.ts';
import type { Failure } from './failure.ts';
import { announced, freeSlot, leaveParked } from './moves.ts';
import { setPhase } from './phase.ts';
import type { Next, State, UnitState } from './state.ts';
import { agentOf } from './state.ts';
import { charged, describeAmount } from './usage.ts';
import type { Budget, Usage } from './usage.ts';

/** What the next attempt of a unit gets. */
export interface Choice {
  readonly agent: string;
  readonly model?: string;
}

/** True for steps that an agent does, and for the one that makes a worktree for it. */
function usesAgent(next: Next): boolean {
  return next.step === 'prepare' || isSession(next);
}

/** True for the steps in which an agent works. */
function isSession(next: Next): boolean {
  return next.step === 'attempt' || next.step === 'rework' || next.step === 'review';
}

/** The agent and model of the unit's next attempt; a held agent's fallback where it has one that is not held. Undefined: no agent is configured. */
function chooseAgent(s: Pick<State, 'settings' | 'held'>, u: UnitState): Choice | undefined {
  const { review } = s.settings;
  // Nobody takes over from the reviewer: it could be the one that wrote it.
  if (u.next.step === 'review' && review !== undefined) return { agent: review.agent, ...(review.model === undefined ? {} : { model: review.model }) };
  const base = agentOf(s, u.unit.id);
  if (base === undefined) return undefined;
  const steps = rulesOf(s, base).attempts ?? [];
  const failed = u.next.step === 'attempt' ? u.tasks[u.next.task - 1]?.failed ?? 0 : u.next.step === 'rework' ? Math.max(0, u.rework[u.next.reason] - 1) : 0;
  const step = steps[Math.min(failed, steps.length - 1)] ?? {};
  const wanted = step.agent ?? base;
  const model = step.model ?? rulesOf(s, wanted).model;
  const chosen: Choice = { agent: wanted, ...(model === undefined ? {} : { model }) };
  const other = isHeld(s, wanted) ? rulesOf(s, wanted).fallback : undefined;
  if (other === undefined || isHeld(s, other)) return chosen;
  const its = rulesOf(s, other).model;
  return { agent: other, ...(its === undefined ? {} : { model: its }) };
}

function rulesOf(s: Pick<State, 'settings'>, agent: string): AgentRules {
  const rules = s.settings.rules ?? {};
  return (Object.hasOwn(rules, agent) ? rules[agent] : undefined) ?? {};
}

function isHeld(s: Pick<State, 'held'>, agent: string): boolean {
  return s.held.get(agent)?.active === true;
}

/** The agents that the unit waits for: the one it is to have and that one's fallback. None while one of them can work. */
function heldFor(s: Pick<State, 'settings' | 'held'>, u: UnitState): readonly string[] {
  const agent = chooseAgent(s, u)?.agent;
  if (agent === undefined || !isHeld(s, agent)) return [];
  const fallback = u.next.step === 'review' ? undefined : rulesOf(s, agent).fallback;
  return fallback === undefined || fallback === agent ? [agent] : [agent, fallback];
}

/** Why the unit cannot begin its next step now, as the event that says so; undefined when it can. `promised`: reserved for others in the same breath. */
export function whyWait(s: State, u: UnitState, promised: number): Extract<EventBody, { type: 'unit.waiting' }> | undefined {
  if (!usesAgent(u.next) || (u.next.step === 'review' && s.settings.review === undefined)) return undefined;
  const unit = u.unit.id;
  // What is named is who is expected back first.
  const [agent] = [...heldFor(s, u)].toSorted((a, b) => (s.held.get(a)?.until ?? Infinity) - (s.held.get(b)?.until ?? Infinity) || 0);
  const hold = agent === undefined ? undefined : s.held.get(agent);
  if (agent !== undefined && hold !== undefined) return { type: 'unit.waiting', unit, for: hold.until === undefined ? 'person' : 'quota', agent, text: hold.text };
  const { budget } = s.settings;
  if (budget === undefined) return undefined;
  const money = (amount: number): string => describeAmount(amount, budget.in);
  if (!unitFits(budget, u)) {
    return { type: 'unit.waiting', unit, for: 'budget', text: `the unit has used ${money(u.spent[budget.in])} of budget.unit (${money(budget.unit ?? 0)}), and an attempt may use ${money(budget.attempt)}` };
  }
  if (runFits(s, promised)) return undefined;
  const open = s.reserved + promised;
  return { type: 'unit.waiting', unit, for: 'budget', text: `the run has used ${money(s.spent[budget.in])} of budget.run (${money(budget.run ?? 0)})${open > 0 ? `, ${money(open)} are set aside for running attempts` : ''}, and an attempt may use ${money(budget.attempt)}` };
}

/** Sums of fractions of a cent are not exact; in the budget's currency. */
const INEXACT = 1e-9;

function unitFits(budget: Budget, u: UnitState): boolean {
  return budget.unit === undefined || u.spent[budget.in] + budget.attempt <= budget.unit + INEXACT;
}

/** One more attempt fits into what the run may spend. */
function runFits(s: State, promised: number): boolean {
  const { budget } = s.settings;
  return budget?.run === undefined || s.spent[budget.in] + s.reserved + promised + budget.attempt <= budget.run + INEXACT;
}

/** The next unit that waited for room in the run's budget, now that there is some; a pause keeps those back that had not begun. */
export function nextForRoom(s: State): number | undefined {
  if (s.forRoom.length === 0 || !runFits(s, 0)) return undefined;
  return s.paused === undefined ? s.forRoom.first : [...s.forRoom].find((i) => s.parked.get(i)?.begun === true);
}

/** What a beginning attempt says of its agent, and what is set aside for it. */
export function attemptTerms(s: State, u: UnitState): Choice & { readonly cap?: { readonly in: Budget['in']; readonly amount: number } } {
  const choice = chooseAgent(s, u) ?? { agent: '' };
  const { budget } = s.settings;
  return { ...choice, ...(budget === undefined ? {} : { cap: { in: budget.in, amount: budget.attempt } }) };
}

/** What is set aside when the unit's next step begins. */
export function promise(s: State, u: UnitState): number {
  return isSession(u.next) ? s.settings.budget?.attempt ?? 0 : 0;
}

/** An attempt begins: its cap is set aside. */
export function reserve(s: State, u: UnitState, e: AttemptBegun): void {
  if (e.cap === undefined) return;
  u.reserved = e.cap;
  s.reserved += e.cap.amount;
}

/** The attempt in flight has ended, or was lost with its session (no usage): what it used is charged, the rest is free again. */
export function settleAccount(s: State, u: UnitState, usage: Usage | undefined): void {
  const cap = u.reserved;
  delete u.reserved;
  if (cap !== undefined) s.reserved -= cap.amount;
  if (cap === undefined && usage === undefined) return;
  u.spent = charged(u.spent, { usage, cap });
  s.spent = charged(s.spent, { usage, cap });
  const task = u.next.step === 'attempt' ? u.tasks[u.next.task - 1] : undefined;
  if (task !== undefined) task.spent = charged(task.spent, { usage, cap });
}

// ---------------------------------------------------------------- waiting

/** The unit's turn came and it cannot begin: it gives its place back until that is over. */
export function park(s: State, u: UnitState, e: EventOf<'unit.waiting'>): void {
  const before = s.parked.get(u.index);
  const begun = before?.begun ?? (u.holdsSlot || s.returning.first === u.index);
  if (before !== undefined) leaveParked(s, u.index);
  else if (u.holdsSlot) giveSlotBack(s, u);
  else if (begun) s.returning.shift();
  else takeReady(s, u);
  const agents = e.for === 'budget' ? [] : heldFor(s, u);
  s.parked.set(u.index, { for: e.for, text: e.text, agents, begun, ...(e.agent === undefined ? {} : { agent: e.agent }) });
  for (const agent of agents) s.held.get(agent)?.waiting.add(u.index);
  const { budget } = s.settings;
  // A unit's own budget is the same again only in a new session.
  if (e.for === 'budget' && budget !== undefined && unitFits(budget, u)) s.forRoom.push(u.index);
  setPhase(s, u, 'waiting');
}

/** The unit's turn came and it is to wait: it is among the ready again once none of its neighbours is at work. */
export function keepBack(s: State, u: UnitState, e: EventOf<'unit.waiting'>): void {
  if (s.parked.has(u.index)) leaveParked(s, u.index);
  else takeReady(s, u);
  if (!s.overlaps.busy.has(u.index)) throw new Bug(`${e.unit} waits for ${e.other ?? 'another'}, which is not at work`);
  s.overlaps.told.add(u.index);
  becomeReady(s, u.index);
}

function giveSlotBack(s: State, u: UnitState): void {
  s.todo.delete(u.index);
  freeSlot(s, u);
}

/** A person gave the unit up: it waits for nothing any more, and an attempt that was lost with its session is charged. */
export function stopWaiting(s: State, u: UnitState): void {
  if (u.reserved !== undefined) settleAccount(s, u, undefined);
  leaveParked(s, u.index);
}

function unpark(s: State, index: number): void {
  const parked = leaveParked(s, index);
  const u = s.units[index];
  if (parked === undefined || u === undefined) return;
  setPhase(s, u, parked.begun ? 'running' : 'pending');
  if (parked.begun) s.returning.push(index);
  else becomeReady(s, index);
}

/** A new session looks again at everything that waits. */
export function unparkAll(s: State): void {
  for (const hold of s.held.values()) hold.active = false;
  s.forRoom.remove(() => true);
  for (const index of s.parked.keys()) unpark(s, index);
}

/** An attempt met trouble that is not the work's: nobody is told twice while the agent is held for it. */
export function meetTrouble(s: State, failure: Extract<Failure, { kind: 'agent-trouble' }>): void {
  if (isHeld(s, failure.agent) || [...s.announce].some((p) => p.what === 'held' && p.failure.agent === failure.agent)) return;
  s.announce.push({ what: 'held', failure });
}

/** The agent has worked: the next trouble is a first one again. */
export function proveAgent(s: State, agent: string | undefined): void {
  const hold = agent === undefined ? undefined : s.held.get(agent);
  if (hold !== undefined) hold.tries = 0;
}

/** Nothing of the agent is begun until it is released. */
export function held(s: State, e: EventOf<'agent.held'>): void {
  announced(s, 'held');
  s.held.set(e.agent, { active: true, reason: e.reason, text: e.text, tries: e.tries, waiting: s.held.get(e.agent)?.waiting ?? new Set(), ...(e.until === undefined ? {} : { until: Date.parse(e.until) }) });
}

/** The agent is tried again by all that wait for it. */
export function released(s: State, agent: string): void {
  const hold = s.held.get(agent);
  if (hold === undefined) return;
  hold.active = false;
  for (const index of hold.waiting) unpark(s, index);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** First wait and longest wait where the agent names no moment, ms. */
const BACKOFF: { readonly [K in 'quota' | 'overload']: { readonly first: number; readonly longest: number } } = {
  quota: { first: MINUTE, longest: 60 * MINUTE },
  overload: { first: 30 * SECOND, longest: 15 * MINUTE },
};
/** A reset later than this is taken for this: it is looked at again, ms. */
const LONGEST_HOLD = 8 * 24 * 60 * MINUTE;

/** The event that holds an agent: until the moment it named, else longer each time, else until a person says so. `now`: steady ms. */
export function holdEvent(s: State, failure: Extract<Failure, { kind: 'agent-trouble' }>, now: number): EventBody {
  const { agent, trouble, text } = failure;
  const tries = (s.held.get(agent)?.tries ?? 0) + 1;
  const until = trouble === 'quota' || trouble === 'overload' ? nextTry({ trouble, tries, now, ...(failure.until === undefined ? {} : { named: failure.until }) }) : undefined;
  return { type: 'agent.held', agent, reason: trouble, text, tries, ...(until === undefined ? {} : { until: new Date(until).toISOString() }) };
}

function nextTry(o: { readonly trouble: 'quota' | 'overload'; readonly tries: number; readonly now: number; readonly named?: number }): number {
  const { first, longest } = BACKOFF[o.trouble];
  const after = (troubles: number): number => o.now + (troubles < 1 ? 0 : Math.min(longest, first * 2 ** Math.min(20, troubles - 1)));
  // A moment that is over already has been found wrong just now; and an agent may name anything, such as the next second for ever.
  return o.named !== undefined && o.named > o.now ? Math.max(after(o.tries - 1), Math.min(o.named, o.now + LONGEST_HOLD)) : after(o.tries);
}

/** Agents whose wait is over, by name. */
export function dueAgents(s: State, now: number): readonly string[] {
  return [...s.held].filter(([, hold]) => hold.active && hold.until !== undefined && hold.until <= now).map(([name]) => name);
}

/** The moment at which the next waiting unit can be tried again, ms; undefined when none will be by itself. */
export function nextRelease(s: State): number | undefined {
  let next: number | undefined;
  for (const { active, until, waiting } of s.held.values()) {
    if (active && until !== undefined && goesOn(s, waiting)) next = Math.min(next ?? until, until);
  }
  return next;
}

/** Whether one of them would begin if it could. */
function goesOn(s: State, waiting: ReadonlySet<number>): boolean {
  if (s.paused === undefined) return waiting.size > 0;
  for (const index of waiting) if (s.parked.get(index)?.begun === true) return true;
  return false;
}
