// The whole screen as lines: a pure function of the run, the person's choices, the time and the size. Never larger than the terminal.

import type { Facts } from './facts.ts';
import { foot } from './foot.ts';
import { banners, header } from './header.ts';
import type { Drawn } from './header.ts';
import { graphList } from './list.ts';
import { logPane } from './log.ts';
import type { LogText } from './log.ts';
import { marks } from './marks.ts';
import { goingOn } from './now.ts';
import { fit, span } from './row.ts';
import type { Row } from './row.ts';
import { chosenUnit } from './ui.ts';
import type { Ui } from './ui.ts';

/** Columns and lines of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What a screen is made from. */
export interface ScreenInput {
  readonly facts: Facts;
  readonly ui: Ui;
  readonly log: LogText;
  /** ms since 1970. */
  readonly now: number;
  readonly size: Size;
  readonly unicode: boolean;
  /** False: nobody can type; the screen only shows. */
  readonly keys: boolean;
}

/** Fewest lines of a terminal in which the log is shown beside everything else. */
const BOTH = 34;

/** Lines of the log that are seen at once. */
export function logPage(ui: Ui, size: Size): number {
  return Math.max(1, ui.pane === 'log' ? bodyRoom(size) - 1 : Math.floor(bodyRoom(size) / 2));
}

/** The last line stays free, so that no terminal scrolls. */
function bodyRoom({ rows }: Size): number {
  return Math.max(0, rows - 1 - HEAD - FOOT);
}

const HEAD = 2;
const FOOT = 1;
/** Lines that what came of a wish takes. */
const MOST_FOOT = 4;

/** Exactly one line less than the terminal has, each at least a column narrower than it. */
export function screenModel(o: ScreenInput): readonly Row[] {
  // A character in the last column leaves some cursors beyond it, where erasing takes it away again.
  const columns = Math.max(1, o.size.columns - 1);
  const drawn: Drawn = { facts: o.facts, now: o.now, columns, marks: marks(o.unicode) };
  const lines = Math.max(1, o.size.rows - 1);
  const chosen = chosenUnit(o.ui, o.facts);
  const keys = o.keys ? foot(drawn, o.ui, { chosen, most: Math.max(1, Math.min(MOST_FOOT, lines - HEAD - 1)) }) : [[span('Ctrl-C stops the run', 'dim')]];
  if (lines < HEAD + FOOT + 1) return [...header(drawn).slice(0, lines - 1), ...keys.slice(0, 1)];
  const room = bodyRoom(o.size) - (keys.length - FOOT);
  const body = o.ui.pane === 'log' ? logPane(drawn, o.log, { room, look: o.ui.log }) : overview(drawn, o, { room, chosen });
  const blank = Array.from({ length: Math.max(0, room - body.length) }, (): Row => []);
  return [...header(drawn), ...body.slice(0, room), ...blank, ...keys].map((row) => fit(row, columns));
}

function overview(drawn: Drawn, o: ScreenInput, at: { readonly room: number; readonly chosen: string | undefined }): readonly Row[] {
  const top = banners(drawn).slice(0, at.room < 10 ? 1 : 3);
  let room = at.room - top.length;
  const airy = at.room >= 14;
  const log = o.size.rows >= BOTH && at.chosen !== undefined ? Math.floor(room / 3) : 0;
  room -= log;
  const active = goingOn(drawn, Math.max(1, Math.floor((room - (airy ? 2 : 0)) * 0.6)));
  const gap: readonly Row[] = airy ? [[]] : [];
  const above = [...top, ...gap, ...active, ...(active.length === 0 ? [] : gap)];
  const list = graphList(drawn, Math.max(0, at.room - log - above.length), at.chosen);
  const blank = Array.from({ length: Math.max(0, at.room - log - above.length - list.length) }, (): Row => [span('')]);
  return [...above, ...list, ...(log > 0 ? [...blank, ...logPane(drawn, o.log, { room: log, look: { find: '', typing: false } })] : [])];
}
