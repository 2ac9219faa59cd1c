// The last lines: what the keys do now, a question that waits for its answer, or what came of the last wish.

import type { Drawn } from './header.ts';
import { fit, folded, span, spread } from './row.ts';
import type { Row } from './row.ts';
import type { Question, Ui } from './ui.ts';

/** Keys with what they do, the most important first: what does not fit is left out. */
type Keys = readonly (readonly [key: string, does: string])[];

/** The keys in one line; above them, in up to `most` lines in all, what came of the last wish: an address is of no use without its end. */
export function foot(o: Drawn, ui: Ui, at: { readonly chosen: string | undefined; readonly most: number }): readonly Row[] {
  const keys = line(o, ui, at.chosen);
  const answer = ui.log.typing || ui.question !== undefined ? undefined : ui.note;
  if (answer === undefined) return [keys];
  const told = folded(answer, o.columns, Math.max(1, at.most - 1)).map((text) => [span(text, 'yellow')]);
  return at.most <= 1 ? told : [...told, keys];
}

function line(o: Drawn, ui: Ui, chosen: string | undefined): Row {
  if (ui.log.typing) return fit([span('find: ', 'loud'), span(ui.log.find), span('_', 'inverse'), span('  (Enter: find, Esc: not)', 'dim')], o.columns);
  if (ui.question !== undefined) return question(o, ui.question, chosen);
  return keysLine(ui.pane === 'log' ? logKeys(o, ui) : runKeys(o, chosen), o);
}

function question(o: Drawn, asked: Question, chosen: string | undefined): Row {
  const unit = chosen === undefined ? undefined : o.facts.units.get(chosen);
  switch (asked) {
    case 'quit': return keysLine([['k', 'keep running, with plain lines'], ['s', 'stop the run'], ['Esc', 'stay']], o);
    case 'stop': return spread([span('Stop the run? Agents may end what they do. ', 'yellow')], keysLine([['y', 'stop'], ['n', 'no']], o), o.columns);
    default: return spread([span(`Let ${chosen ?? ''} land? It changes ${(unit?.protected?.paths ?? []).join(', ')} `, 'yellow')], keysLine([['y', 'approve'], ['n', 'no']], o), o.columns);
  }
}

function runKeys(o: Drawn, chosen: string | undefined): Keys {
  const { facts } = o;
  const unit = chosen === undefined ? undefined : facts.units.get(chosen);
  const retried = unit?.state === 'failed' || (unit?.waiting?.agent !== undefined);
  return [
    ['q', 'quit'], ['s', 'stop'], ['Enter', 'log'],
    ...(retried ? [['r', 'retry'] as const] : []), ...(unit?.waiting?.for === 'approval' ? [['a', 'approve'] as const] : []), ...(unit?.pull === undefined ? [] : [['p', 'pull request'] as const]),
    [o.marks.upDown, 'choose'], ['d', 'dashboard'], ['Tab', 'next at work'],
  ];
}

function logKeys(o: Drawn, ui: Ui): Keys {
  return [['Esc', ui.log.find === '' ? 'back' : 'end search'], [o.marks.upDown, 'scroll'], ['/', 'find'], ...(ui.log.find === '' ? [] : [['n/N', 'later, earlier'] as const]), ['g/G', 'begin, end'], ['PgUp/PgDn', 'page'], ['q', 'quit']];
}

function keysLine(keys: Keys, { columns }: Drawn): Row {
  const row: Row[number][] = [];
  let width = 0;
  for (const [key, does] of keys) {
    const more = key.length + does.length + 1 + (width === 0 ? 0 : 3);
    if (width + more > columns) continue;
    row.push(...(width === 0 ? [] : [span('   ')]), span(key, 'loud'), span(` ${does}`, 'dim'));
    width += more;
  }
  return row;
}
