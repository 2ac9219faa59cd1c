// The screen as lines: the five that must be good to look at in three sizes, and that nothing makes it larger than the terminal.

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { rowWidth } from '../../../../src/show/tui/row.ts';
import { FIRST_UI } from '../../../../src/show/tui/ui.ts';
import { unit } from '../../core/rig.ts';
import { factsOf, played, rowsOf, scene, SCENES, textsOf } from './plays.ts';

const golden = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'screens');
const SIZES = [{ columns: 80, rows: 24 }, { columns: 120, rows: 40 }, { columns: 40, rows: 10 }];
const LOG = { title: 'accounts, command: logs/accounts/2-1.log', lines: ['reading src/accounts', '> npm test', 'ok 1 opens an account', 'ok 2 closes it'], dropped: 0 };

beforeAll(() => { process.env['TZ'] = 'UTC'; });

describe('the screen', () => {
  it.each(SCENES.flatMap((name) => SIZES.map((size) => ({ name, size, of: `${size.columns}x${size.rows}` }))))('$name at $of', async ({ name, size, of }) => {
    const { game, facts } = scene(name);
    const lines = textsOf(facts, { now: game.now + 2500, size, log: LOG });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(golden, `${name}-${of}.txt`));
  });

  it('shows the log of the chosen unit', async () => {
    const { game, facts } = scene('running');
    const lines = textsOf(facts, { now: game.now, size: { columns: 80, rows: 24 }, ui: { ...FIRST_UI, chosen: 'accounts', pane: 'log' }, log: LOG });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(golden, 'log-80x24.txt'));
  });

  it('is never larger than the terminal, whatever its size', () => {
    for (const name of SCENES) {
      const { game, facts } = scene(name);
      for (const pane of ['run', 'log'] as const) {
        for (const columns of [1, 2, 7, 20, 39, 60, 100, 300]) {
          for (const rows of [1, 2, 3, 4, 5, 6, 9, 15, 33, 34, 60]) {
            const shown = rowsOf(facts, { now: game.now, size: { columns, rows }, ui: { ...FIRST_UI, pane }, log: LOG });
            expect(shown.length, `${name} ${columns}x${rows}`).toBe(Math.max(1, rows - 1));
            expect(Math.max(...shown.map(rowWidth)), `${name} ${columns}x${rows}`).toBeLessThanOrEqual(Math.max(1, columns - 1));
          }
        }
      }
    }
  });

  it('shows names and texts from outside as harmless text of the right width', () => {
    const ids = ['\u001b[31mred\u001b[0m', '日本語の単位の名前', '👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 'a\u202eb', 'e\u0301'.repeat(30), 'x'.repeat(300), 'new\nline'];
    const { game, gatherer } = played(ids.map((id) => unit(id)), { hold: (b) => b.type === 'task.started', parallelism: 8 });
    for (const id of ids) gatherer.activity(id, { kind: 'text', text: '\u001b]0;title\u0007漢字\u009b2J\r\nhello'.repeat(20) }, game.now);
    const facts = factsOf(gatherer);
    const log = { title: ids.join(' '), lines: ['\u001b[2J漢字'.repeat(50), '\u0000'], dropped: 0 };
    for (const pane of ['run', 'log'] as const) {
      const rows = rowsOf(facts, { now: game.now, size: { columns: 50, rows: 40 }, ui: { ...FIRST_UI, pane }, log });
      expect(rows.flat().map(({ text }) => text).join('')).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(Math.max(...rows.map(rowWidth))).toBeLessThanOrEqual(49);
    }
  });

  it('shows the chosen one of a thousand units', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => `unit-${String(i).padStart(4, '0')}`);
    const { game, gatherer } = played(ids.map((id, i) => unit(id, { tasks: 2, dependsOn: i >= 500 ? [`unit-${String(i - 500).padStart(4, '0')}`] : [] })), { hold: (b) => b.type === 'task.started', parallelism: 8 });
    const facts = factsOf(gatherer);
    const size = { columns: 80, rows: 24 };
    expect(textsOf(facts, { now: game.now, size, ui: { ...FIRST_UI, chosen: 'unit-0733' } }).join('\n')).toMatch(/▸ ○ unit-0733/);
    expect(textsOf(facts, { now: game.now, size }).join('\n')).toMatch(/\d+ more below/);
  });
});
