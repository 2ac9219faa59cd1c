// What goes on: who works at what since when, the queue for landing, who waits for what, what failed. As many lines as there is room for.

import type { UnitView } from '../../core/view.ts';
import { oneLine } from '../paint.ts';
import { describeWait, waitCommand } from '../waiting.ts';
import type { Drawn } from './header.ts';
import { lookOf } from './marks.ts';
import { age, cell, fit, span, spread } from './row.ts';
import type { Look, Row } from './row.ts';

/** Lines that belong together; at most one is left out for another group's first. */
interface Group {
  readonly word: string;
  /** How many units it is about. */
  readonly count: number;
  readonly look: Look;
  /** Made only as far as they are shown. */
  readonly lines: (room: number) => readonly Row[];
}

/** Columns of the ids in every part of the screen. */
export function idColumns(columns: number, widest: number): number {
  return Math.max(4, Math.min(widest, 24, Math.floor(columns * 0.28)));
}

/** What goes on, in at most `room` lines. */
export function goingOn(o: Drawn, room: number): readonly Row[] {
  const groups = groupsOf(o);
  if (groups.length === 0 || room <= 0) return [];
  // Every group gets a line before any gets a second; then from the first on, as much as each wants.
  const given: number[] = groups.map((_, i) => (i < room ? 1 : 0));
  let left = room - given.reduce((sum, n) => sum + n, 0);
  const made = groups.map((g) => g.lines(room));
  for (const [i, lines] of made.entries()) {
    const more = Math.min(left, lines.length - (given[i] ?? 0));
    if (more <= 0) continue;
    given[i] = (given[i] ?? 0) + more;
    left -= more;
  }
  return groups.flatMap((group, i) => shorten(group, { lines: made[i] ?? [], room: given[i] ?? 0, columns: o.columns }));
}

/** Where not all fit, the last line says how many units there are. */
function shorten(group: Group, o: { readonly lines: readonly Row[]; readonly room: number; readonly columns: number }): readonly Row[] {
  if (o.room >= o.lines.length) return o.lines;
  if (o.room === 0) return [];
  const first = o.lines.slice(0, o.room - 1);
  const last = o.lines[o.room - 1] ?? [];
  return [...first, group.count <= 1 ? last : spread(last, [span(`(${group.count} ${group.word})`, group.look)], o.columns)];
}

function groupsOf(o: Drawn): readonly Group[] {
  const { working, queue, waiting, failed, units } = o.facts;
  const first = (ids: readonly string[], room: number): readonly UnitView[] => ids.slice(0, room + 1).flatMap((id) => units.get(id) ?? []);
  const groups: readonly Group[] = [
    { word: 'at work', count: working.length, look: 'cyan', lines: (room) => first(working, room).map((u) => atWork(u, o)) },
    { word: 'landing', count: queue.length, look: 'cyan', lines: () => (queue.length === 0 ? [] : [landing(o)]) },
    { word: 'waiting', count: waiting.length, look: 'yellow', lines: (room) => first(waiting, room).flatMap((u) => waits(u, o)) },
    { word: 'failed', count: failed.length, look: 'red', lines: (room) => first(failed, room).flatMap((u) => failure(u, o)) },
  ];
  return groups.filter((g) => g.count > 0);
}

function name(u: UnitView, o: Drawn): Row {
  return [span(`${o.marks.states[u.state]} `, lookOf(u.state)), cell(u.id, idColumns(o.columns, o.facts.outline.widest), 'loud'), span(' ')];
}

/** Task, attempt and what the agent is doing, with its age at the right. */
function atWork(u: UnitView, o: Drawn): Row {
  const { facts, now, columns } = o;
  const doing = facts.doing.get(u.id);
  const task = u.tasks.find((t) => t.state === 'running');
  const step = u.attempt !== undefined && task !== undefined
    ? [span(`task ${task.number}/${u.tasks.length}, attempt ${Math.max(1, task.attempts)}`), ...(columns >= 100 ? [span(`: ${task.title}`, 'dim')] : [])]
    : [span(u.step ?? u.state)];
  const since = doing?.at ?? facts.moved.get(u.id) ?? (u.startedAt === undefined ? now : Date.parse(u.startedAt));
  const seen = doing === undefined ? [] : [span(`  ${doing.text}`, 'cyan')];
  return spread([...name(u, o), ...step, ...seen], [span(age(now - since), 'dim')], columns);
}

/** Units of the queue that its line names. */
const NAMED = 30;

function landing(o: Drawn): Row {
  const { facts, columns, marks } = o;
  const first = facts.queue.slice(0, NAMED).map((id) => facts.units.get(id)).filter((u) => u !== undefined);
  const under = first.filter((u) => u.step !== 'waiting to land');
  const later = first.filter((u) => u.step === 'waiting to land');
  const part = (word: string, list: readonly UnitView[]): string => (list.length === 0 ? '' : `${word} ${list.map((u) => u.id).join(', ')}`);
  const [one] = under;
  const text = [part(one?.step === 'landing' ? 'landing' : 'proving the merge of', under), part('waiting to land:', later)].filter((t) => t !== '').join('; ');
  const since = Math.max(...(under.length === 0 ? later : under).map((u) => o.now - (facts.moved.get(u.id) ?? o.now)), 0);
  return spread([span(`${marks.states.landing} `, 'cyan'), span(text)], [span(age(since), 'dim')], columns);
}

/** For what, until when or with which command. */
function waits(u: UnitView, o: Drawn): readonly Row[] {
  const { waiting } = u;
  if (waiting === undefined) return [];
  const command = waitCommand(waiting, u.id);
  const text = describeWait(waiting, new Date(o.now).toISOString());
  return [fit([...name(u, o), span(text, 'yellow'), ...(command === undefined ? [] : [span(`: ${command}`)])], o.columns)];
}

/** Lines of output that are shown of each failure. */
const TAIL = 3;

function failure(u: UnitView, o: Drawn): readonly Row[] {
  const message = oneLine(u.failure?.message ?? 'failed');
  const said = o.facts.tail(u.id).slice(-TAIL);
  // Where the last line is the reason, it has been said.
  const tail = message.endsWith(oneLine(said.at(-1) ?? '\n')) ? said.slice(0, -1) : said;
  return [fit([...name(u, o), span(message, 'red')], o.columns), ...tail.map((line) => fit([span(`    ${line}`, 'dim')], o.columns))];
}
