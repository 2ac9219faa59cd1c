// What a person reads when a session ends: each unit's outcome, what deserves a look, and the command to type next.

import { adviceFor, approveCommand, byHandAdvice, closingAdvice } from '../core/advice.ts';
import type { Advice } from '../core/advice.ts';
import { diffCommand } from '../core/approval.ts';
import { cleanLine, shellWord } from '../core/clean.ts';
import type { Note, Result } from '../core/event.ts';
import type { RunView, UnitView } from '../core/view.ts';
import { padded, widest } from './columns.ts';
import { OUTSIDE, outsideLines } from './outside.ts';
import { branchName, counted, duration, oneLine, painter, restWord, short } from './paint.ts';
import type { Paint, Style } from './paint.ts';
import { describeCharged, describeHeld, describeMoney, describeProtected, reviewAdvice, waitCommand } from './waiting.ts';

/** Landed units that are listed one by one; of more only the number is told. */
const LISTED = 60;
/** Notes that are listed. */
const NOTES = 20;

/** The end of a session as text, with a line break at its end. */
export function renderSummary(o: { readonly view: RunView; readonly result: Result; readonly color: boolean; /** ms since 1970. */ readonly now: number }): string {
  const paint = painter(o.color);
  const parts = [
    [headline(o, paint)],
    units(o.view, paint),
    unchanged(o.view),
    known(o.view),
    flaky(o.view, paint),
    guarded(o.view, paint),
    notes(o.view, paint),
    held(o, paint),
    next(o.view, o.result),
    outside(o.view, paint),
  ].filter((lines) => lines.length > 0);
  return `\n${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function headline({ view, result }: { readonly view: RunView; readonly result: Result }, paint: Paint): string {
  // A result calls everything waiting that could go on; the list below does not.
  const waiting = Math.min(result.waitingUnits, view.counts.waiting);
  const left = result.waitingUnits - waiting;
  const pending = Math.min(left, view.counts.pending);
  const counts: readonly (readonly [number, string])[] = [
    [result.failedUnits, 'failed'], [result.blockedUnits, 'blocked'], [waiting, 'waiting'], [pending, 'pending'],
    [view.counts.cancelled, 'discarded'], [result.cancelledUnits - view.counts.cancelled + left - pending, 'not finished'],
  ];
  const others = counts.filter(([n]) => n > 0).map(([n, word]) => `, ${n} ${word}`).join('');
  const style: Style = result.error === undefined ? view.outside === undefined ? 'green' : 'yellow' : result.failedUnits > 0 ? 'red' : 'yellow';
  const money = describeMoney(view);
  const why = result.error === undefined || result.failedUnits > 0 ? '' : ` (${oneLine(result.error)})`;
  return paint(style, `run ${view.run ?? ''}: ${result.completedUnits} of ${counted(result.totalUnits, 'unit')} landed${others}, ${duration(result.durationMs)}${money === undefined ? '' : `, ${money}`}${why}${view.outside === undefined ? '' : '; something outside the fence changed, see below'}`);
}

const ORDER: readonly UnitView['state'][] = ['landed', 'landing', 'proving', 'running', 'waiting', 'cancelled', 'pending', 'blocked', 'failed'];

const STYLES: Readonly<Partial<Record<UnitView['state'], Style>>> = { landed: 'green', failed: 'red', blocked: 'yellow' };

function units(view: RunView, paint: Paint): string[] {
  const width = widest(view.units.map(({ id }) => cleanLine(id)), { least: 4, most: 32 });
  return ORDER.flatMap((state) => {
    const all = view.units.filter((u) => u.state === state);
    const shown = all.slice(0, LISTED).flatMap((u) => unitLines(u, { paint, width }));
    return all.length > LISTED ? [...shown, `  and ${all.length - LISTED} more ${state}`] : shown;
  });
}

function unitLines(u: UnitView, o: { readonly paint: Paint; readonly width: number }): string[] {
  const style = STYLES[u.state] ?? 'dim';
  const lines = [`  ${o.paint(style, restWord(u.state).padEnd(8))} ${padded(cleanLine(u.id), o.width)}  ${outcome(u)}`.trimEnd()];
  if (u.state !== 'failed') return lines;
  const indent = ' '.repeat(11);
  if (u.failure?.activity !== undefined) lines.push(`${indent}last  ${cleanLine(u.failure.activity)}`);
  if (u.failure?.log !== undefined) lines.push(`${indent}log   ${cleanLine(u.failure.log)}`);
  if (u.worktree !== undefined) lines.push(`${indent}work  ${cleanLine(u.worktree)}`);
  return lines;
}

function outcome(u: UnitView): string {
  if (u.state === 'failed') return oneLine(u.failure?.message ?? '');
  if (u.state === 'blocked') return `after ${u.dependsOn.map(cleanLine).join(', ')}`;
  if (u.waiting !== undefined) return waitOutcome(u);
  if (u.state !== 'landed') return u.step === undefined ? '' : `next: ${u.step}`;
  const attempts = u.tasks.reduce((n, t) => n + t.attempts, 0);
  const extra = attempts > u.tasks.length ? `, ${attempts} attempts` : '';
  const time = u.startedAt === undefined || u.endedAt === undefined ? '' : `  ${duration(Date.parse(u.endedAt) - Date.parse(u.startedAt))}`;
  const money = describeCharged(u);
  return `${short(u.landed ?? '')}${time}  ${counted(u.tasks.length, 'task')}${extra}${money === '' ? '' : `, ${money}`}`;
}

function waitOutcome(u: UnitView): string {
  if (u.waiting?.for === 'approval') return 'for approval';
  if (u.waiting?.for === 'review') return `for people and checks: ${oneLine(u.waiting.text)}`;
  if (u.waiting?.other !== undefined) return `for ${cleanLine(u.waiting.other)}: ${oneLine(u.waiting.text)}`;
  return u.waiting?.agent === undefined ? `for the budget: ${oneLine(u.waiting?.text ?? '')}` : `for the agent ${cleanLine(u.waiting.agent)}`;
}

/** Agents that cannot work, with what each waits for; and what to do where only a person can go on. */
function held({ view, now }: { readonly view: RunView; readonly now: number }, paint: Paint): string[] {
  const agents = (view.held ?? []).map((h) => paint('yellow', describeHeld(h, new Date(now).toISOString())));
  const first = view.units.find((u) => u.waiting?.for === 'budget');
  const command = first?.waiting === undefined ? undefined : waitCommand(first.waiting, first.id);
  return [...agents, ...(command === undefined ? [] : [command])];
}

function unchanged(view: RunView): string[] {
  const list = view.units.flatMap((u) => u.tasks.filter((t) => t.unchanged).map((t) => `  ${cleanLine(u.id)}, task ${t.number}: ${cleanLine(t.title)}${t.uncommitted === true ? ' (its check failed before: what its agent made is ignored by git or untracked by choice)' : ''}`));
  return list.length === 0 ? [] : ['complete although nothing changed that git would commit (was there nothing to do?):', ...list.slice(0, LISTED), ...(list.length > LISTED ? [`  and ${list.length - LISTED} more`] : [])];
}

/** Baseline checks that failed before any work. */
function known(view: RunView): string[] {
  if (view.known === undefined) return [];
  return ['failed before any work, and judged by difference:', ...view.known.map((k) => {
    const how = k.tests === undefined ? `exit code ${k.code}` : counted(k.tests, 'test');
    return `  ${oneLine(k.command)}  (${how}${k.mended ? ', mended by what landed' : ''})`;
  })];
}

/** Checks that failed and passed when they were run again, with where and how often that was seen. */
function flaky(view: RunView, paint: Paint): string[] {
  const seen = new Map<string, string[]>();
  const all = [...view.notes.map((note) => ({ note, where: 'a proof' })), ...view.units.flatMap((u) => u.notes.map((note) => ({ note, where: cleanLine(u.id) })))];
  for (const { note, where } of all) if (note.kind === 'flaky-check' && note.command !== undefined) seen.set(note.command, [...seen.get(note.command) ?? [], where]);
  if (seen.size === 0) return [];
  const lines = [...seen].map(([command, where]) => `  ${oneLine(command)}  (${where.length === 1 ? 'once' : `${where.length} times`}: ${[...new Set(where)].slice(0, SHOWN_PLACES).join(', ')})`);
  return [paint('yellow', 'flaky: failed, and passed when run again:'), ...lines.slice(0, LISTED), ...(lines.length > LISTED ? [`  and ${lines.length - LISTED} more`] : [])];
}

/** Units that a flaky check names. */
const SHOWN_PLACES = 5;

/** What units changed of what is protected. */
function guarded(view: RunView, paint: Paint): string[] {
  const lines = view.units.flatMap((u) => (u.protected === undefined ? [] : [`  ${cleanLine(u.id)} ${describeProtected(u) ?? ''}`, `    ${diffCommand(u.protected)}`]));
  return lines.length === 0 ? [] : [paint('yellow', 'changes of protected paths:'), ...lines.slice(0, 2 * LISTED), ...(lines.length > 2 * LISTED ? [`  and ${lines.length / 2 - LISTED} more`] : [])];
}

/** Notes that a person should read; the others are in the journal. */
const WORTH_READING: ReadonlySet<Note['kind']> = new Set(['unproved', 'setup-changed', 'spec-restored', 'spec-changed', 'passes-before', 'check-changed', 'leftover-processes', 'kept', 'teardown-failed', 'baseline-red', 'mended', 'setup-not-kept', 'review', 'not-reviewed', 'forge']);

function notes(view: RunView, paint: Paint): string[] {
  const before = view.notes.filter((n) => WORTH_READING.has(n.kind)).map((n) => `  ${oneLine(n.text)}`);
  const found = view.units.flatMap((u) => u.notes.filter((n) => WORTH_READING.has(n.kind)).map((n) => `  ${cleanLine(u.id)}: ${oneLine(n.text)}`));
  const list = [...new Set([...before, ...found])];
  if (list.length === 0) return [];
  return [paint('yellow', 'worth reading:'), ...list.slice(0, NOTES), ...(list.length > NOTES ? [`  and ${list.length - NOTES} more, in the journal`] : [])];
}

/** Last, where it is seen: such a run may well have landed everything. */
function outside(view: RunView, paint: Paint): string[] {
  return view.outside === undefined ? [] : [paint('red', OUTSIDE), ...outsideLines(view.outside, NOTES).map((line) => `  ${line}`)];
}

function said({ to, command }: Advice): string {
  return cleanLine(`${to}:  ${command}`);
}

/** Why it is paused is in the headline. */
function pauseLog({ trialFailure }: RunView): string[] {
  return trialFailure?.log === undefined ? [] : [`log:    ${cleanLine(trialFailure.log)}`];
}

function next(view: RunView, result: Result): string[] {
  const failed = view.units.filter((u) => u.state === 'failed');
  const approve = approveCommand(view);
  const lines = [...(approve === undefined ? [] : [`allow:  ${approve}`]), ...reviewAdvice(view)];
  const [first] = failed;
  if (first !== undefined) lines.push(`look:   choo logs ${shellWord(first.id)}`);
  lines.push(...byHandAdvice(view).map(said));
  if (failed.length > 0) lines.push(`again:  choo retry ${failed.length === 1 && first !== undefined ? shellWord(first.id) : '--failed'} && choo resume`);
  const closing = closingAdvice(view);
  if (failed.length === 0 && approve === undefined && !view.closed && result.completedUnits < result.totalUnits) lines.push(...pauseLog(view), ...adviceFor(view).filter(({ command }) => command !== closing?.command).map(said));
  const { landing, push, saved } = view;
  if (saved?.because !== undefined) lines.push(`not saved since event ${saved.upTo}: ${oneLine(saved.because)}`);
  if (push !== undefined && !push.done) lines.push(`what landed is not pushed to ${oneLine(push.to)}; to try again:  choo resume`);
  if (landing !== undefined && closing !== undefined) {
    const how = landing.needsMerge === true ? 'the target has gone another way, merge it by hand' : 'when the target is free';
    lines.push(said({ to: `what landed is on ${branchName(landing.ref)}; ${how}`, command: closing.command }));
  }
  return lines;
}
