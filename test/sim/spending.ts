// What simulated agents spend and tell of it, the trouble they meet, and the machine that listens to them. The true bills are kept
// here, apart from the engine; judging them is the checkers'.

import type { Agent, Received, Trouble, Verdict } from '../../src/agents/agent.ts';
import { jsonLine } from '../../src/agents/agent.ts';
import type { Budget, Currency, Usage } from '../../src/core/usage.ts';
import type { Machine } from './machine.ts';
import type { Rng, Weights } from './rng.ts';

/** What an agent tells while it works. */
type Tells = 'both' | 'tokens' | 'usd' | 'nothing';

/** What a seed decides about agents. */
export interface Economy {
  readonly tells: Readonly<Record<string, Tells>>;
  /** Probability that an attempt meets trouble that is not the work's. */
  readonly trouble: number;
  /** Whether the person raises the budget, or counts it in something else, when the run goes on. */
  readonly generous: boolean;
}

/** What one attempt truly cost. Points: a point is a token, and a cent. */
export interface Bill {
  readonly unit: string;
  readonly subject: string;
  readonly attempt: string;
  readonly agent: string;
  readonly model: string;
  readonly session: number;
  readonly startedAt: number;
  endedAt: number | undefined;
  points: number;
  /** What was told of it, and when. */
  readonly told: { readonly at: number; readonly points: number }[];
}

/** Why an agent's account does not work, until when on the timeline, and what it names as that. */
interface Stuck { readonly kind: Trouble['kind']; readonly until: number; readonly names: number | undefined }

/** The accounts of a machine's agents. */
export class Accounts {
  readonly bills: Bill[] = [];
  readonly stuck = new Map<string, Stuck>();
}

/** The most an attempt may use, points. */
const CAP = 100;

/** A number of points in a currency. */
export function amountIn(points: number, currency: Currency): number {
  return currency === 'tokens' ? points : points / 100;
}

/** Whether an agent tells what it uses in a currency. */
export function isTold(economy: Economy, o: { readonly agent: string; readonly currency: Currency }): boolean {
  const tells = economy.tells[o.agent] ?? 'nothing';
  return tells === 'both' || tells === o.currency;
}

/** A budget that is soon used up. */
export function drawBudget(rng: Rng): Budget {
  const currency = rng.pick(['usd', 'tokens'] as const);
  const of = (most: number): number => amountIn(CAP * rng.between(1, most), currency);
  return { in: currency, attempt: amountIn(CAP, currency), ...(rng.chance(0.8) ? { run: of(10) } : {}), ...(rng.chance(0.4) ? { unit: of(4) } : {}) };
}

/** What a person makes of the budget before the run goes on. In the good time there is enough. */
export function nextBudget(m: Machine, budget: Budget | undefined): Budget | undefined {
  if (m.calm) return budget === undefined ? undefined : { in: budget.in, attempt: amountIn(CAP, budget.in), run: 1e6, unit: 1e6 };
  if (!m.scenario.economy.generous || m.rng.chance(0.5)) return budget;
  if (budget === undefined || m.rng.chance(0.2)) return drawBudget(m.rng);
  return { ...budget, ...(budget.run === undefined ? {} : { run: budget.run * 2 }), ...(budget.unit === undefined ? {} : { unit: budget.unit * 2 }) };
}

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const TROUBLES = { 'quota-named': 4, quota: 2, overload: 4, login: 2, setup: 1 } satisfies Weights<string>;

/** The agent's account stops working, for a while or until somebody mends it. */
export function getStuck(m: Machine, agent: string): Stuck {
  const { rng } = m;
  const what = rng.weighted(TROUBLES);
  const lasts = rng.pick([1000, 5 * MINUTE, 5 * 60 * MINUTE, 9 * DAY]);
  // What has been over for long, or is no moment at all, is named as well.
  const named = rng.pick([lasts, lasts, lasts + 10 * MINUTE, -DAY, Number.NaN, lasts > DAY ? 3650 * DAY : lasts]);
  const known = what === 'login' || what === 'setup';
  const stuck: Stuck = { kind: what === 'quota-named' ? 'quota' : what, until: m.timeline.now + (known ? Infinity : Math.min(lasts, what === 'quota-named' ? lasts : 5 * 60 * MINUTE)), names: what === 'quota-named' ? m.wall + named : undefined };
  m.accounts.stuck.set(agent, stuck);
  m.note(`      account of ${agent}: ${what}`);
  return stuck;
}

/** Why the agent cannot work at this moment. */
export function stuckNow(m: Machine, agent: string): Stuck | undefined {
  const stuck = m.accounts.stuck.get(agent);
  return m.calm || stuck === undefined || stuck.until <= m.timeline.now ? undefined : stuck;
}

/** The line with which an agent says that it cannot work. Some say so and go on trying. */
export function troubleLine({ kind, names }: Stuck, o: { readonly stop: boolean }): string {
  return JSON.stringify({ trouble: { kind, text: `the account: ${kind}`, ...(names === undefined ? {} : { until: names }) }, stop: o.stop });
}

/** The steps in which an attempt of this length spends, and what it says of them. */
export function spending(m: Machine, o: { readonly bill: Bill; readonly duration: number }): { readonly at: number; readonly act: (say: (line: string) => void) => void }[] {
  const { rng, scenario: { economy } } = m;
  const { bill } = o;
  const most = m.calm ? 8 : rng.pick([8, 20, 20, 80]);
  return Array.from({ length: rng.below(6) }, () => {
    const points = rng.between(0, most);
    const tell = rng.chance(0.7);
    return {
      at: rng.below(o.duration + 1),
      act: (say: (line: string) => void): void => {
        bill.points += points;
        if (!tell) return;
        bill.told.push({ at: m.timeline.now, points: bill.points });
        say(JSON.stringify({ points: bill.points, tells: economy.tells[bill.agent] }));
      },
    };
  });
}

interface Heard { readonly trouble?: Trouble }

/** The machine of a simulated agent: its lines are read as a real agent's are. */
export function simAgent(name: string, tells: Tells | undefined): Agent<Heard> {
  return {
    name, idleLimit: true, listens: true,
    abilities: { permissions: ['workspace'], usage: { tokens: tells === 'both' || tells === 'tokens', usd: tells === 'both' || tells === 'usd' }, goOn: false, ownCap: false },
    open: (task) => ({ argv: ['agent', name, task.model ?? ''], env: {}, first: task.prompt, oneShot: true, state: {} }),
    receive: hear,
    interrupt: () => undefined,
    conclude: ({ ending, state }): Verdict => (state.trouble === undefined || ending.code === 0 ? {} : { trouble: state.trouble }),
  };
}

function hear(line: string, state: Heard): Received<Heard> {
  const said = jsonLine(line) as { points?: number; tells?: Tells; trouble?: Trouble; stop?: boolean } | undefined;
  if (said?.trouble !== undefined) return { state: { trouble: said.trouble }, quiet: true, ...(said.stop === true ? { stop: said.trouble } : {}) };
  if (said?.points === undefined) return { state, activity: [{ kind: 'text', text: line }] };
  const usage = usageOf(said.points, said.tells ?? 'nothing');
  return usage === undefined ? { state } : { state, usage };
}

function usageOf(points: number, tells: Tells): Usage | undefined {
  if (tells === 'nothing') return undefined;
  const counted = tells === 'usd' ? 0 : points;
  return { input: counted, output: 0, cacheRead: 0, cacheWrite: 0, ...(tells === 'tokens' ? {} : { usd: points / 100 }) };
}
