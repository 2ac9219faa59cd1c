// Waiting units and held agents in words: for what, until when, and what a person can do about it. Lays out nothing.

import { cleanLine, shellWord } from '../core/clean.ts';
import { TROUBLE } from '../core/failure.ts';
import { describeAmount, describeSpent } from '../core/usage.ts';
import type { HeldView, PullView, RunView, UnitView, WaitingView } from '../core/view.ts';
import { oneLine, when } from './paint.ts';

/** What a person has to do before the unit goes on; undefined when it does so by itself. */
export function waitCommand(w: WaitingView, unit: string): string | undefined {
  if (w.for === 'approval') return `choo approve ${shellWord(unit)}`;
  if (w.for === 'overlap') return undefined;
  if (w.for === 'review') return `review ${w.text}`;
  if (w.agent === undefined) return 'raise the budget in .choo.yaml and commit it, then: choo resume';
  if (w.until !== undefined) return undefined;
  return `mend the agent ${cleanLine(w.agent)} (log in, or what it asks for), then: choo retry ${shellWord(unit)}, or choo resume when the run has ended`;
}

/** Pull requests that are listed. */
const LISTED = 10;

/** For what the unit waits, as one line; `now` in ISO 8601. */
export function describeWait(w: WaitingView, now: string): string {
  if (w.other !== undefined) return `waits for ${cleanLine(w.other)}`;
  const what = w.for === 'review' ? 'waits for people and checks' : w.for === 'approval' ? 'waits for approval' : w.agent === undefined ? 'waits for the budget' : `waits for the agent ${cleanLine(w.agent)}`;
  return `${what}${w.until === undefined ? '' : `, next try ${when(w.until, now)}`}`;
}

/** A pull request, as one line: where it is, and what checks and people say. */
export function describePull({ url, draft, checks, approvedBy, refusedBy, ignored }: PullView): string {
  const said = [
    ...(draft ? ['draft'] : []), ...(checks === undefined || checks === 'none' ? [] : [`checks ${checks}`]),
    ...(approvedBy.length === 0 ? [] : [`approved by ${approvedBy.map(cleanLine).join(', ')}`]), ...(refusedBy.length === 0 ? [] : [`changes wanted by ${refusedBy.map(cleanLine).join(', ')}`]),
    ...(ignored.length === 0 ? [] : [`passed over: ${[...new Set(ignored.map((i) => cleanLine(i.who)))].slice(0, NAMED).join(', ')}, who may not steer an agent`]),
  ];
  return `${cleanLine(url)}${said.length === 0 ? '' : ` (${said.join('; ')})`}`;
}

/** What people can do about pull requests that wait for them, one line each; none where nothing does. */
export function reviewAdvice(view: RunView): readonly string[] {
  const waiting = view.units.filter((u) => u.waiting?.for === 'review');
  return [...waiting.slice(0, LISTED).map((u) => `review: ${cleanLine(u.waiting?.text ?? '')}`), ...(waiting.length > LISTED ? [`and ${waiting.length - LISTED} more`] : [])];
}

/** An agent that cannot work, as one line; `now` in ISO 8601. */
export function describeHeld(h: HeldView, now: string): string {
  const then = h.until === undefined ? 'mend that, then: choo resume' : `next try ${when(h.until, now)}`;
  return `the agent ${cleanLine(h.agent)} ${TROUBLE[h.reason]}: ${oneLine(h.text)}; ${then}`;
}

/** Changes of protected paths, one line a unit: which paths, and the command that shows them. */
export function describeProtected(u: UnitView, of = NAMED): string | undefined {
  if (u.protected === undefined) return undefined;
  const { paths } = u.protected;
  const more = paths.length > of ? ` and ${paths.length - of} more` : '';
  return `changes what is protected: ${paths.slice(0, of).map(cleanLine).join(', ')}${more}${u.protected.approved ? ' (approved)' : ''}`;
}

/** Protected paths that one line names. */
const NAMED = 5;

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
