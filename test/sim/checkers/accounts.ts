// Promises about agents that cannot work and about money, by what agents truly spent and told, never by what the engine counted.

import type { AttemptBegun, Event, EventOf, Settings } from '../../../src/core/event.ts';
import { BOUNDS } from '../../../src/core/limits.ts';
import type { Currency, Usage } from '../../../src/core/usage.ts';
import type { Machine } from '../machine.ts';
import type { Bill } from '../economy.ts';
import { amountIn, isTold } from '../economy.ts';
import { AtWork } from './overlap.ts';

/** One attempt as the journal and the agent's own bill have it. */
interface Entry {
  readonly begun: AttemptBegun;
  readonly bill: Bill | undefined;
  open: boolean;
  /** It was asked to end by a stop of the run, which leaves it longer. */
  stopped: boolean;
  /** What the answer says it used. */
  used?: Usage;
}

/** After these a unit may be reviewed; the others say nothing about that. */
const FINISHED: ReadonlySet<string> = new Set<Event['type']>(['unit.verified', 'unit.committed', 'unit.refreshed', 'review.ended', 'review.attempt.failed']);
const STANDING: ReadonlySet<string> = new Set<Event['type']>(['unit.waiting', 'unit.retried', 'unit.approved', 'unit.failed', 'unit.blocked', 'unit.unblocked', 'review.started', 'unit.committing']);

/** Sums of fractions of a cent, in any currency. */
const INEXACT = 1e-6;

/** Reads the events from the first to the last, then looks at the bills. */
export function checkAccounts(m: Machine, events: readonly Event[]): void {
  const ledger = new Ledger(m);
  for (const event of events) ledger.read(event);
  ledger.close(events);
}

class Ledger {
  readonly #m: Machine;
  #settings: Settings;
  readonly #bills: ReadonlyMap<string, Bill>;
  readonly #entries: Entry[] = [];
  /** Agents that are held, and whether until a moment. */
  readonly #held = new Map<string, boolean>();
  /** Who waits for a person to approve something, whatever session comes and goes. */
  readonly #unapproved = new Set<string>();
  readonly #waiting = new Map<string, EventOf<'unit.waiting'>>();
  readonly #begun = new Set<string>();
  readonly #over = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #atWork: AtWork;
  /** Units whose last step may be followed by a review. */
  readonly #finished = new Set<string>();
  /** Units whose last step was about their pull request, and which. */
  readonly #pulls = new Map<string, Event['type']>();
  /** The forge is left alone, and whether until a moment. */
  #forge: boolean | undefined;
  #paused: string | undefined;
  #seq = 0;

  constructor(m: Machine) {
    this.#m = m;
    this.#atWork = new AtWork(m);
    this.#settings = m.scenario.settings;
    this.#bills = new Map(m.accounts.bills.map((b) => [`${b.unit} ${b.subject} ${b.attempt}`, b]));
  }

  read(e: Event): void {
    this.#seq = e.seq;
    this.#atWork.read(e);
    if ('unit' in e && /^pr\..*ing$/.test(e.type)) this.#pulls.set(e.unit, e.type);
    if ('unit' in e && /^(unit|task|rework|review)\..*(ing|started)$/.test(e.type) && e.type !== 'unit.waiting') this.#pulls.delete(e.unit);
    if ('unit' in e && FINISHED.has(e.type)) this.#finished.add(e.unit);
    else if ('unit' in e && !STANDING.has(e.type)) this.#finished.delete(e.unit);
    switch (e.type) {
      case 'orch.started': return;
      case 'orch.resumed': return this.#resumed(e);
      case 'agent.held': this.#held.set(e.agent, e.until !== undefined); return;
      case 'agent.released': this.#held.delete(e.agent); return;
      case 'unit.approved': this.#unapproved.delete(e.unit); return;
      case 'unit.waiting': if (e.for === 'approval') return this.#asks(e.unit); this.#waiting.set(e.unit, e); return this.#justified(e, 'begins to wait');
      case 'unit.started': this.#begun.add(e.unit); this.#waiting.delete(e.unit); return;
      case 'task.started': case 'task.retry': case 'rework.started': case 'review.started': return this.#attempt(e);
      case 'task.attempted': case 'task.attempt.failed': case 'rework.attempted': case 'rework.attempt.failed': case 'review.ended': case 'review.attempt.failed': return this.#answered(e);
      case 'unit.merged': this.#over.add(e.unit); return;
      case 'pr.seen': if (e.facts.state === 'closed') this.#failed.add(e.unit); return;
      case 'forge.held': this.#forge = e.reason !== 'login'; return;
      case 'forge.released': this.#forge = undefined; return;
      case 'unit.failed': return this.#unitFailed(e);
      case 'unit.retried': this.#failed.delete(e.unit); this.#begun.delete(e.unit); this.#paused = undefined; return;
      case 'orch.stopping': for (const entry of this.#entries) entry.stopped ||= entry.open; return;
      case 'orch.paused': this.#paused = e.reason; return;
      case 'orch.failed': return this.#nothingCanMove();
      default: return;
    }
  }

  #violate(checker: string, text: string): void {
    this.#m.violate(checker, `event ${this.#seq}: ${text}`);
  }

  /** Everything is tried again; what was at work was cut. */
  #resumed(e: EventOf<'orch.resumed'>): void {
    this.#settings = e.settings;
    this.#held.clear();
    this.#waiting.clear();
    this.#forge = undefined;
    this.#paused = undefined;
    for (const entry of this.#entries) entry.open = false;
  }

  #attempt(begun: AttemptBegun): void {
    const { budget } = this.#settings;
    const subject = begun.type === 'rework.started' ? begun.reason : begun.type === 'review.started' ? 'code-review' : String(begun.task);
    const bill = this.#bills.get(`${begun.unit} ${subject} ${begun.attempt}`);
    this.#waiting.delete(begun.unit);
    if (this.#held.has(begun.agent)) this.#violate('held', `${begun.agent} was begun for ${begun.unit} while it is held`);
    if (bill !== undefined && (bill.agent !== begun.agent || bill.model !== (begun.model ?? ''))) this.#violate('held', `${bill.agent} ran where ${begun.agent} was begun`);
    if (budget !== undefined) {
      if (begun.cap?.in !== budget.in || begun.cap.amount !== budget.attempt) this.#violate('budget', `an attempt of ${begun.unit} was begun without the cap`);
      const least = { upper: false, in: budget.in } as const;
      if (budget.run !== undefined && this.#sum(least) + budget.attempt > budget.run + INEXACT) this.#violate('budget', `an attempt of ${begun.unit} was begun that does not fit: ${this.#sum(least)} of ${budget.run}`);
      const ofUnit = this.#sum({ ...least, unit: begun.unit });
      if (budget.unit !== undefined && ofUnit + budget.attempt > budget.unit + INEXACT) this.#violate('budget', `an attempt was begun that does not fit for ${begun.unit}: ${ofUnit} of ${budget.unit}`);
    }
    this.#entries.push({ begun, bill, open: true, stopped: false });
  }

  #answered(e: EventOf<'task.attempted' | 'task.attempt.failed' | 'rework.attempted' | 'rework.attempt.failed' | 'review.ended' | 'review.attempt.failed'>): void {
    const entry = this.#entries.findLast(({ begun, open }) => open && begun.unit === e.unit);
    if (entry === undefined) return;
    entry.open = false;
    if (e.usage === undefined) return;
    entry.used = e.usage;
    for (const currency of ['usd', 'tokens'] as const) {
      const told = this.#told(entry, currency);
      const said = currency === 'usd' ? e.usage.usd : e.usage.input + e.usage.output;
      if (told !== undefined && Math.abs((said ?? 0) - told) > INEXACT) this.#violate('account', `an attempt of ${e.unit} told of ${told} ${currency}, the answer says ${said}`);
    }
    const told = this.#told(entry, 'usd') ?? this.#told(entry, 'tokens');
    if (told === undefined && (entry.bill?.points ?? 0) > 0) this.#violate('account', `an attempt of ${e.unit} told of nothing, the answer says ${JSON.stringify(e.usage)}`);
  }

  /** What the agent last told that it had used; undefined when it told of nothing. */
  #told({ bill, begun }: Entry, currency: Currency): number | undefined {
    const last = bill?.told.at(-1);
    return last === undefined || !isTold(this.#m.scenario.economy, { agent: begun.agent, currency }) ? undefined : amountIn(last.points, currency);
  }

  /** What attempts have to be charged, with what is set aside for those at work: at least, or at most. */
  #sum(o: { readonly upper: boolean; readonly in: Currency; readonly unit?: string }): number {
    let sum = 0;
    for (const entry of this.#entries) if (o.unit === undefined || entry.begun.unit === o.unit) sum += this.#charge(entry, o);
    return sum;
  }

  /** One that told, what it told; one that was lost or did not tell, its cap, unless it never ran. */
  #charge(entry: Entry, o: { readonly upper: boolean; readonly in: Currency }): number {
    const { cap } = entry.begun;
    const whole = cap?.in === o.in ? cap.amount : 0;
    if (entry.open) return whole;
    if (entry.used === undefined) return entry.bill === undefined && !o.upper ? 0 : whole;
    const nothing = entry.bill === undefined || entry.bill.points === 0;
    return this.#told(entry, o.in) ?? (nothing && !o.upper ? 0 : nothing && entry.used.usd === 0 ? 0 : whole);
  }

  #unitFailed(e: EventOf<'unit.failed'>): void {
    this.#failed.add(e.unit);
    if (e.failure.kind === 'agent-trouble') this.#violate('trouble', `${e.unit} failed for what is not the work's: ${e.failure.text}`);
  }

  /** A unit waits only for what there is to wait for. */
  #justified(e: EventOf<'unit.waiting'>, when: string): void {
    const { budget, agents, rules, review } = this.#settings;
    if (e.for === 'overlap' || e.for === 'review') return;
    if (e.for !== 'budget') {
      if (this.#finished.has(e.unit) && review !== undefined && e.agent === review.agent && this.#held.has(review.agent)) return;
      const wanted = agents[e.unit] ?? agents['*'] ?? '';
      const free = [wanted, rules?.[wanted]?.fallback].filter((agent) => agent !== undefined && !this.#held.has(agent));
      if (free.length > 0) this.#violate('waits-for-nothing', `${e.unit} ${when} for ${e.agent} although ${free.join(', ')} can work`);
      return;
    }
    if (budget === undefined) return this.#violate('waits-for-nothing', `${e.unit} ${when} for a budget that there is not`);
    const most = { upper: true, in: budget.in } as const;
    const full = budget.run !== undefined && this.#sum(most) + budget.attempt > budget.run - INEXACT;
    const unitFull = budget.unit !== undefined && this.#sum({ ...most, unit: e.unit }) + budget.attempt > budget.unit - INEXACT;
    if (!full && !unitFull) this.#violate('waits-for-nothing', `${e.unit} ${when} for the budget, but its attempt fits: ${this.#sum(most)} of ${budget.run}`);
  }

  #asks(unit: string): void {
    this.#unapproved.add(unit);
    if (this.#m.scenario.guard.protect !== 'approve') this.#violate('waits-for-nothing', `${unit} waits for an approval that is not needed`);
  }

  /** The session ends by itself: nobody is left behind who could go on now, or by itself later. */
  #nothingCanMove(): void {
    if (this.#paused === 'recovery' || this.#paused === 'environment' || this.#paused === 'landing') return;
    for (const { id, dependsOn } of this.#m.scenario.units) {
      if (this.#over.has(id) || this.#failed.has(id) || this.#unapproved.has(id) || (this.#paused !== undefined && !this.#begun.has(id))) continue;
      if (!this.#begun.has(id) && this.#atWork.isKept(id)) continue;
      const waits = this.#waiting.get(id);
      if (this.#forge === false && (this.#finished.has(id) || this.#pulls.has(id)) || this.#pulls.get(id) === 'pr.following' && this.#settings.wait === false) continue;
      if (waits?.for === 'overlap') this.#violate('waits-for-nothing', `the session ended although ${id} overlaps nothing at work`);
      if (waits !== undefined) this.#justified(waits, 'is left waiting');
      if (waits?.agent !== undefined && this.#held.get(waits.agent) === true) this.#violate('goes-on-by-itself', `the session ended although ${id} waits only until a moment`);
      if (waits === undefined && dependsOn.every((d) => this.#over.has(d))) this.#violate('goes-on-by-itself', `the session ended although ${id} could go on`);
    }
  }

  /** What was truly spent, by the bills alone. */
  close(events: readonly Event[]): void {
    let spent = 0;
    let unseen = 0;
    const currencies = new Set(events.flatMap((e) => ('settings' in e && e.settings.budget !== undefined ? [e.settings.budget.in] : [])));
    const [currency] = currencies;
    for (const { bill, stopped, begun: { cap, unit } } of this.#entries) {
      if (bill === undefined || cap === undefined) continue;
      const told = isTold(this.#m.scenario.economy, { agent: bill.agent, currency: cap.in }) ? bill.told : [];
      const crossed = told.find(({ points }) => amountIn(points, cap.in) >= cap.amount);
      const late = (bill.endedAt ?? Infinity) - (crossed?.at ?? Infinity);
      if (late > (stopped ? this.#settings.limits.shutdown : BOUNDS.killGrace) + 1) this.#violate('over-cap', `an attempt of ${unit} went on for ${late} ms beyond its cap`);
      const seen = told.findLast(({ points }) => amountIn(points, cap.in) < cap.amount)?.points ?? 0;
      spent += amountIn(bill.points, cap.in);
      unseen += amountIn(bill.points - seen, cap.in);
    }
    // With one currency and a budget all the time the books can be closed.
    const runs = events.flatMap((e) => ('settings' in e ? [e.settings.budget?.in === currency ? e.settings.budget?.run ?? Infinity : Infinity] : []));
    if (currencies.size === 1 && spent > Math.max(...runs) + unseen + INEXACT) this.#violate('budget', `${spent} ${currency} were spent of ${Math.max(...runs)}, ${unseen} of them unseen`);
  }
}
