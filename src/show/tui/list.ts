// The graph as a list by level, around the chosen unit: state, tasks done, and what it waits for, does or became.

import type { UnitView } from '../../core/view.ts';
import { counted, duration, oneLine, short } from '../paint.ts';
import { describeCharged, describePull, describeWait } from '../waiting.ts';
import type { Drawn } from './header.ts';
import { lookOf } from './marks.ts';
import { idColumns } from './now.ts';
import { cell, fit, span, spread } from './row.ts';
import type { Row } from './row.ts';

/** Exactly `room` lines of the list, or all of it if that is less. `chosen` is among them. Only these are made. */
export function graphList(o: Drawn, room: number, chosen: string | undefined): readonly Row[] {
  if (room <= 0) return [];
  const { lines, lineOf, unitsBefore, order } = o.facts.outline;
  const at = lineOf.get(chosen ?? '') ?? 0;
  const first = Math.max(0, Math.min(at - Math.floor(room / 2), lines.length - room));
  const shown = lines.slice(first, first + room);
  const above = unitsBefore[first] ?? 0;
  const below = order.length - (unitsBefore[first + shown.length] ?? order.length);
  return shown.map((line, i) => {
    const row = 'level' in line ? heading(line, o) : unit(line.id, { drawn: o, chosen: line.id === chosen });
    const hidden = i === shown.length - 1 && below > 0 ? `${below} more below` : i === 0 && above > 0 ? `${above} more above` : undefined;
    return hidden === undefined ? row : spread(row, [span(hidden, 'dim')], o.columns);
  });
}

function heading({ level, size }: { readonly level: number; readonly size: number }, { columns, marks }: Drawn): Row {
  const text = `${marks.line}${marks.line} level ${level + 1}, ${counted(size, 'unit')} `;
  return fit([span(`${text}${marks.line.repeat(Math.max(0, columns - text.length))}`, 'dim')], columns);
}

function unit(id: string, o: { readonly drawn: Drawn; readonly chosen: boolean }): Row {
  const { facts, columns, marks } = o.drawn;
  const u = facts.units.get(id);
  if (u === undefined) return [];
  const look = lookOf(u.state);
  const done = u.tasks.filter((t) => t.state === 'complete').length;
  const tasks = u.tasks.length === 0 ? '' : `${done}/${u.tasks.length}`;
  const left = [
    span(o.chosen ? `${marks.chosen} ` : '  ', 'loud'), span(`${marks.states[u.state]} `, look),
    cell(id, idColumns(columns, facts.outline.widest), o.chosen ? 'inverse' : undefined), span(' '), cell(tasks, 6, 'dim'), cell(u.state, 9, look), span(story(u, o.drawn)),
  ];
  const after = u.dependsOn.length === 0 || columns < 60 || u.state === 'landed' || u.state === 'complete' ? [] : [span(`after ${names(u.dependsOn)}`, 'dim')];
  return spread(left, u.state === 'pending' || u.state === 'blocked' ? [] : after, columns);
}

/** Units that one line names. */
const NAMED = 12;

function names(ids: readonly string[]): string {
  return `${ids.slice(0, NAMED).join(', ')}${ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''}`;
}

/** What else is to be said of a unit in one line. */
function story(u: UnitView, { facts, now }: Drawn): string {
  switch (u.state) {
    case 'pending': case 'blocked': return u.dependsOn.length === 0 ? '' : `after ${names(u.dependsOn)}`;
    case 'failed': return oneLine(u.failure?.message ?? '');
    case 'landed': {
      const took = u.startedAt === undefined || u.endedAt === undefined ? '' : `  ${duration(Date.parse(u.endedAt) - Date.parse(u.startedAt))}`;
      return `${short(u.landed ?? '')}${took}  ${describeCharged(u)}`.trimEnd();
    }
    case 'complete': return 'before this run';
    default: {
      if (u.waiting !== undefined) return u.pull === undefined ? describeWait(u.waiting, new Date(now).toISOString()).replace(/^waits /, '') : describePull(u.pull);
      const place = facts.places.get(u.id) ?? 0;
      return place > 0 && u.step === 'waiting to land' ? `waiting to land, place ${place + 1}` : u.step ?? '';
    }
  }
}
