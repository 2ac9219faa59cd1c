// What simulated agents spend and tell of it, and the trouble their accounts meet. Judging is the checkers'.

import type { Budget } from '../../src/core/usage.ts';
import { CAP, amountIn, drawBudget } from './economy.ts';
import type { Bill, Stuck } from './economy.ts';
import type { Machine } from './machine.ts';
import type { Weights } from './rng.ts';

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
