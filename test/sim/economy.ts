// What a seed decides about agents and money, the true bills, and the machine that listens to simulated agents. Draws and types;
// what an attempt does is spending.ts, judging is the checkers'.

import type { Agent, Received, Trouble, Verdict } from '../../src/agents/agent.ts';
import { jsonLine } from '../../src/agents/agent.ts';
import type { Settings } from '../../src/core/event.ts';
import type { Budget, Currency, Usage } from '../../src/core/usage.ts';
import type { Rng } from './rng.ts';

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
export interface Stuck { readonly kind: Trouble['kind']; readonly until: number; readonly names: number | undefined }

/** The accounts of a machine's agents. */
export class Accounts {
  readonly bills: Bill[] = [];
  readonly stuck = new Map<string, Stuck>();
}

/** The most an attempt may use, points. */
export const CAP = 100;

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

/** Who works on what, and what it may cost. */
export function drawAgents(rng: Rng, fair: boolean): Pick<Settings, 'agents' | 'rules' | 'budget'> {
  const attempts = rng.chance(0.2) ? { attempts: [{ model: 'small' }, { model: 'large' }] } : {};
  const fallback = rng.chance(0.3) ? { fallback: 'other' } : {};
  return {
    agents: { '*': 'sim', ...(rng.chance(0.2) ? { b: 'other' } : {}) }, rules: { sim: { ...attempts, ...fallback } },
    ...(!fair && rng.chance(0.4) ? { budget: drawBudget(rng) } : {}),
  };
}

/** What agents tell, how often they meet trouble, and what a person does about the budget. */
export function drawEconomy(rng: Rng, fair: boolean): Economy {
  const tells = (): Economy['tells'][string] => rng.pick(['both', 'both', 'both', 'tokens', 'usd', 'nothing']);
  return { tells: { sim: tells(), other: tells() }, trouble: fair || rng.chance(0.6) ? 0 : rng.pick([0.05, 0.2]), generous: rng.chance(0.5) };
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
