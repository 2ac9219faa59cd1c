// The top of the screen: which run, how far, how long, how much; below it what everybody should know at once.

import { TROUBLE } from '../../core/failure.ts';
import { describeAmount, describeSpent } from '../../core/usage.ts';
import type { HeldView, RunHead } from '../../core/view.ts';
import { outsideBrief } from '../outside.ts';
import { branchName, counted, oneLine, when } from '../paint.ts';
import type { Facts } from './facts.ts';
import type { Marks } from './marks.ts';
import { age, fit, span, spread } from './row.ts';
import type { Row, Span } from './row.ts';

/** What a part of the screen is drawn with. */
export interface Drawn {
  readonly facts: Facts;
  /** ms since 1970. */
  readonly now: number;
  readonly columns: number;
  readonly marks: Marks;
}

/** Two lines: the run with how far and since when; a bar with the time that is left and the cost. */
export function header({ facts, now, columns, marks }: Drawn): readonly Row[] {
  const { view } = facts;
  const { counts } = view;
  const { tasks } = facts;
  const total = facts.outline.order.length;
  const done = counts.landed + counts.complete;
  const target = view.target === undefined ? '' : ` onto ${branchName(view.target)}`;
  const first = spread(
    [span('choo', 'loud'), span(`  run ${view.run ?? ''}${target}`)],
    [span(`${done} of ${counted(total, 'unit')}`, done === total ? 'green' : 'loud'), span(` landed  ${age(now - facts.began)}`)], columns,
  );
  const left = leftText(facts, now);
  const money = moneyText(view);
  // Where there is little room, time goes before money.
  const right = columns >= 60 ? [left, money].filter((text) => text !== '').join(`  ${marks.dot}  `) : left === '' ? money : left;
  const label = ` ${tasks.done}/${tasks.all} tasks`;
  const width = Math.max(4, Math.min(40, columns - label.length - right.length - 3));
  return [first, spread([...bar(width, { part: tasks.all === 0 ? done / Math.max(1, total) : tasks.done / tasks.all, marks }), span(label)], [span(right)], columns)];
}

function bar(width: number, o: { readonly part: number; readonly marks: Marks }): readonly Span[] {
  const full = Math.max(0, Math.min(width, Math.floor(width * o.part)));
  return [span(o.marks.full.repeat(full), 'green'), span(o.marks.empty.repeat(width - full), 'dim')];
}

/** What is expected; nothing when all that can move has, or before anything is known. */
function leftText({ view, left, critical }: Facts, now: number): string {
  const { counts } = view;
  if (counts.pending + counts.running + counts.proving + counts.landing === 0) return '';
  if (left === undefined) return critical === 0 ? '' : `longest way: ${counted(critical, 'task')}`;
  // What was expected grows shorter until something that is done says more.
  const still = left.ms - (now - left.at);
  return still < 0 ? 'longer than expected' : `about ${age(still)} left`;
}

function moneyText({ spent, budget }: RunHead): string {
  const used = spent ?? { usd: 0, tokens: 0 };
  if (budget?.run === undefined) return describeSpent(used);
  return `${describeAmount(used[budget.in], budget.in)} of ${describeAmount(budget.run, budget.in)}`;
}

/** When it goes on first, because the rest may be cut off. */
function heldText({ agent, reason, text, until }: HeldView, now: number): string {
  const then = until === undefined ? 'mend that, then r' : `next try ${when(until, new Date(now).toISOString())}`;
  return `${agent} ${TROUBLE[reason]}, ${then}: ${oneLine(text)}`;
}

/** What concerns the whole run: that it stops, is paused, or an agent cannot work. Most important first. */
export function banners({ facts, now, columns }: Drawn): readonly Row[] {
  const { view } = facts;
  const rows: Row[] = [];
  if (view.stopping !== undefined) rows.push([span(`stopping (${view.stopping}): agents may end what they do; Ctrl-C once more kills at once`, 'yellow')]);
  if (view.paused !== undefined) rows.push([span(`paused: ${view.paused}`, 'red')]);
  const outside = outsideBrief(view.outside);
  if (outside !== undefined) rows.push([span(outside, 'red')]);
  for (const held of view.held ?? []) rows.push([span(heldText(held, now), held.until === undefined ? 'red' : 'yellow')]);
  if (facts.preparing !== undefined) rows.push([span(facts.preparing, 'cyan')]);
  const { push, landing } = view;
  if (push?.because !== undefined) rows.push([span(`not pushed: ${push.because}`, 'yellow')]);
  if (landing?.because !== undefined) rows.push([span(`lands on ${branchName(landing.ref)}: ${landing.because}`, 'yellow')]);
  return rows.map((row) => fit(row, columns));
}
