// Waiting units and held agents in words: for what, until when, and what a person can do about it. Lays out nothing.

import { cleanLine, shellWord } from '../core/clean.ts';
import { TROUBLE } from '../core/failure.ts';
import { describeAmount, describeSpent } from '../core/usage.ts';
import type { HeldView, RunView, UnitView, WaitingView } from '../core/view.ts';
import { oneLine, when } from './paint.ts';

/** What a person has to do before the unit goes on; undefined when it does so by itself. */
export function waitCommand(w: WaitingView, unit: string): string | undefined {
  if (w.agent === undefined) return 'raise the budget in .choo.yaml and commit it, then: choo resume';
  if (w.until !== undefined) return undefined;
  return `mend the agent ${cleanLine(w.agent)} (log in, or what it asks for), then: choo retry ${shellWord(unit)}, or choo resume when the run has ended`;
}

/** For what the unit waits, as one line; `now` in ISO 8601. */
export function describeWait(w: WaitingView, now: string): string {
  const what = w.agent === undefined ? 'waits for the budget' : `waits for the agent ${cleanLine(w.agent)}`;
  return `${what}${w.until === undefined ? '' : `, next try ${when(w.until, now)}`}`;
}

/** An agent that cannot work, as one line; `now` in ISO 8601. */
export function describeHeld(h: HeldView, now: string): string {
  const then = h.until === undefined ? 'mend that, then: choo resume' : `next try ${when(h.until, now)}`;
  return `the agent ${cleanLine(h.agent)} ${TROUBLE[h.reason]}: ${oneLine(h.text)}; ${then}`;
}

/** What was spent, against the budget where there is one; undefined when there is nothing to tell. */
export function describeMoney(view: Pick<RunView, 'spent' | 'budget'>): string | undefined {
  const { budget } = view;
  const spent = view.spent ?? { usd: 0, tokens: 0 };
  const used = describeSpent(spent);
  if (budget === undefined) return used === '' ? undefined : `used ${used}`;
  const other = describeSpent(budget.in === 'usd' ? { usd: 0, tokens: spent.tokens } : { usd: spent.usd, tokens: 0 });
  const amount = (n: number): string => describeAmount(n, budget.in);
  return [
    `used ${amount(spent[budget.in])}${budget.run === undefined ? '' : ` of ${amount(budget.run)}`}`,
    ...(budget.reserved > 0 ? [`${amount(budget.reserved)} set aside for running attempts`] : []),
    ...(other === '' ? [] : [other]),
  ].join(', ');
}

/** What a unit or task was charged, in brackets after its line; empty when nothing. */
export function describeCharged({ spent }: Pick<UnitView, 'spent'>): string {
  return spent === undefined ? '' : describeSpent(spent);
}
