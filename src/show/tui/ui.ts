// What a person has chosen on the screen, and what each key makes of it. Pure: says what is to be done, and does nothing.

import type { Facts } from './facts.ts';

/** A key as it was typed: its name (`up`, `return`, `r`), and the text it stands for. */
export interface Key {
  readonly name: string;
  readonly text: string;
  readonly ctrl: boolean;
}

/** A question that waits for its answer. */
export type Question = 'quit' | 'stop' | 'approve';

/** The log as it is looked at. */
export interface LogLook {
  /** First line shown; absent: the end, as it grows. */
  readonly top?: number;
  /** What is searched for; empty: nothing. */
  readonly find: string;
  /** The search is being typed. */
  readonly typing: boolean;
}

/** The person's side of the screen. */
export interface Ui {
  /** The chosen unit; absent: whichever moves first. */
  readonly chosen?: string;
  readonly pane: 'run' | 'log';
  readonly log: LogLook;
  readonly question?: Question;
  /** What came of the last wish. */
  readonly note?: string;
}

/** What a key asks of the world outside the screen. */
export type Wish =
  | { readonly do: 'interrupt' | 'suspend' | 'leave' | 'stop' | 'redraw' | 'dashboard' }
  | { readonly do: 'retry' | 'approve' | 'pull'; readonly unit: string };

/** What the keys need to know of what is shown. */
export interface Shown {
  readonly facts: Facts;
  /** Lines of the log. */
  readonly lines: readonly string[];
  /** Lines of the log that are seen at once. */
  readonly page: number;
}

/** The screen as it begins. */
export const FIRST_UI: Ui = { pane: 'run', log: { find: '', typing: false } };

/** The unit that is chosen: the person's, else the first that is at work, else the first of all. */
export function chosenUnit(ui: Ui, facts: Facts): string | undefined {
  if (ui.chosen !== undefined && facts.units.has(ui.chosen)) return ui.chosen;
  return facts.running[0] ?? facts.active[0] ?? facts.outline.order[0];
}

/** What becomes of the person's side with a key, and what it asks for. */
export function press(ui: Ui, key: Key, shown: Shown): { readonly ui: Ui; readonly wish?: Wish } {
  if (key.ctrl && key.name === 'c') return { ui: without(ui, 'question'), wish: { do: 'interrupt' } };
  if (key.ctrl && key.name === 'z') return { ui, wish: { do: 'suspend' } };
  if (key.ctrl && key.name === 'l') return { ui, wish: { do: 'redraw' } };
  if (ui.log.typing) return { ui: typed(ui, key, shown) };
  if (ui.question !== undefined) return answered(ui, ui.question, { key, shown });
  if (key.ctrl) return { ui };
  const fresh = without(ui, 'note');
  const common = commonKey(fresh, key, shown);
  if (common !== undefined) return common;
  return { ui: fresh.pane === 'log' ? inLog(fresh, key, shown) : inRun(fresh, key, shown) };
}

function without(ui: Ui, what: 'question' | 'note' | 'chosen'): Ui {
  const { [what]: _gone, ...rest } = ui;
  return rest;
}

function commonKey(ui: Ui, key: Key, { facts }: Shown): { readonly ui: Ui; readonly wish?: Wish } | undefined {
  const unit = chosenUnit(ui, facts);
  const view = unit === undefined ? undefined : facts.units.get(unit);
  switch (key.text) {
    case 'q': return { ui: { ...ui, question: 'quit' } };
    case 's': return { ui: { ...ui, question: 'stop' } };
    case 'd': return { ui: { ...ui, note: 'opening the dashboard' }, wish: { do: 'dashboard' } };
    case 'r': return unit === undefined ? { ui } : { ui, wish: { do: 'retry', unit } };
    case 'a': return view?.waiting?.for === 'approval' ? { ui: { ...ui, chosen: view.id, question: 'approve' } } : { ui: { ...ui, note: `${unit ?? 'nothing'} does not wait for approval` } };
    case 'p': return view?.pull === undefined ? { ui: { ...ui, note: `${unit ?? 'nothing'} has no pull request` } } : { ui, wish: { do: 'pull', unit: view.id } };
    default: return undefined;
  }
}

function answered(ui: Ui, question: Question, o: { readonly key: Key; readonly shown: Shown }): { readonly ui: Ui; readonly wish?: Wish } {
  const { key, shown } = o;
  const closed = without(ui, 'question');
  if (question === 'quit') {
    if (key.text === 'k' || key.text === 'q') return { ui: closed, wish: { do: 'leave' } };
    if (key.text === 's') return { ui: closed, wish: { do: 'stop' } };
  } else if (key.text === 'y') {
    const unit = chosenUnit(ui, shown.facts);
    if (question === 'stop') return { ui: closed, wish: { do: 'stop' } };
    if (unit !== undefined) return { ui: closed, wish: { do: 'approve', unit } };
  }
  return key.name === 'escape' || key.text === 'n' ? { ui: closed } : { ui };
}

function inRun(ui: Ui, key: Key, { facts, page }: Shown): Ui {
  const { order: all, place } = facts.outline;
  const at = place.get(chosenUnit(ui, facts) ?? '') ?? -1;
  const to = (index: number): Ui => {
    const chosen = all[Math.max(0, Math.min(all.length - 1, index))];
    return chosen === undefined ? ui : { ...ui, chosen };
  };
  switch (key.name) {
    case 'up': case 'k': return to(at - 1);
    case 'down': case 'j': return to(at + 1);
    case 'pageup': return to(at - page);
    case 'pagedown': return to(at + page);
    case 'home': return to(0);
    case 'end': return to(all.length - 1);
    case 'tab': {
      const next = facts.active.find((id) => (place.get(id) ?? 0) > at) ?? facts.active[0];
      return next === undefined ? ui : { ...ui, chosen: next };
    }
    case 'escape': return without(ui, 'chosen');
    case 'return': case 'enter': case 'l': {
      const chosen = chosenUnit(ui, facts);
      return chosen === undefined ? ui : { ...ui, chosen, pane: 'log', log: { find: '', typing: false } };
    }
    default: return ui;
  }
}

function inLog(ui: Ui, key: Key, shown: Shown): Ui {
  const last = Math.max(0, shown.lines.length - shown.page);
  const top = ui.log.top ?? last;
  const to = (line: number): Ui => {
    const { top: _old, ...log } = ui.log;
    return { ...ui, log: line >= last ? log : { ...log, top: Math.max(0, line) } };
  };
  switch (key.name) {
    case 'up': case 'k': return to(top - 1);
    case 'down': case 'j': return to(top + 1);
    case 'pageup': case 'b': return to(top - shown.page);
    case 'pagedown': case 'space': return to(top + shown.page);
    case 'home': return to(0);
    case 'end': return to(last);
    case 'g': return key.text === 'G' ? to(last) : to(0);
    case 'n': return key.text === 'N' ? found(ui, shown, { from: top - 1, step: -1 }) : found(ui, shown, { from: top + 1, step: 1 });
    case 'escape': case 'return': case 'enter': case 'l': return ui.log.find === '' || key.name !== 'escape' ? { ...ui, pane: 'run', log: { find: '', typing: false } } : { ...ui, log: { ...ui.log, find: '' } };
    default: return key.text === '/' ? { ...ui, log: { ...ui.log, find: '', typing: true } } : ui;
  }
}

/** Longest search, characters. */
const LONGEST = 100;

function typed(ui: Ui, key: Key, shown: Shown): Ui {
  const { log } = ui;
  if (key.name === 'escape') return { ...ui, log: { ...log, find: '', typing: false } };
  if (key.name === 'return' || key.name === 'enter') return found({ ...ui, log: { ...log, typing: false } }, shown, { from: shown.lines.length - 1, step: -1 });
  if (key.name === 'backspace') return { ...ui, log: { ...log, find: [...log.find].slice(0, -1).join('') } };
  if (key.ctrl || /^[\p{Cc}]*$/u.test(key.text)) return ui;
  return { ...ui, log: { ...log, find: (log.find + key.text).slice(0, LONGEST) } };
}

/** True for a line that has what is searched for; capitals count only where the search has some. */
export function hasFound(line: string, find: string): boolean {
  return find !== '' && (find === find.toLowerCase() ? line.toLowerCase() : line).includes(find);
}

function found(ui: Ui, { lines, page }: Shown, o: { readonly from: number; readonly step: 1 | -1 }): Ui {
  if (ui.log.find === '') return ui;
  for (let i = o.from; i >= 0 && i < lines.length; i += o.step) {
    if (hasFound(lines[i] ?? '', ui.log.find)) return { ...ui, log: { ...ui.log, top: Math.max(0, Math.min(i, lines.length - Math.min(page, lines.length))) } };
  }
  return { ...ui, note: `no ${o.step === 1 ? 'later' : 'earlier'} line has ${ui.log.find}` };
}
