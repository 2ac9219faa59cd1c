// Lines of progress, pinned: a whole run in memory, told as a terminal would get it.

import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../src/core/event.ts';
import { jsonLine } from '../../../src/show/json.ts';
import { plainObserver } from '../../../src/show/plain.ts';
import type { Level } from '../../../src/show/plain-line.ts';
import { RED, Game, candidate, failing, unit } from '../core/rig.ts';

function told(game: Game, o: { readonly level?: Level; readonly color?: boolean } = {}): string[] {
  const lines: string[] = [];
  const observe = plainObserver({ write: (line) => lines.push(line), color: o.color ?? false, level: o.level ?? 'info' });
  for (const event of game.events) observe(event, game.state);
  return lines;
}

/** Without the time of day, which depends on where the test runs. */
function textOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, '').trimEnd());
}

/** A run of one unit in which the given answer takes the place of the step's own. */
function played(type: EventBody['type'], answer: EventBody): Game {
  return new Game([unit('a')]).play((b) => (b.type === type ? answer : undefined));
}

describe('progress', () => {
  it('tells a run in which one unit fails and blocks another', () => {
    const game = new Game([unit('a'), unit('b'), unit('c', { dependsOn: ['b'] })]).play(failing('b'));
    expect(textOf(told(game))).toEqual([
      '     run 1: 0 units, 0 tasks to do, onto main (base), 4 at a time',
      '     trial worktree: setup and baseline checks',
      '     trial worktree: ready',
      'b/1  Part 1',
      'a/1  Part 1',
      'b/1  attempt 1: the check `false` failed with exit code 1',
      'b/1  attempt 2',
      'a/1  done',
      'b/1  attempt 2: the check `false` failed with exit code 1',
      'b/1  attempt 3',
      'b/1  attempt 3: the check `false` failed with exit code 1',
      'b    failed',
      'c    blocked by b',
      '     proving the merge of a (a-candi)',
      'a    landed on main (a-candi)',
    ]);
  });

  it('begins each line with the time of day', () => {
    for (const line of told(new Game([unit('a')]).play())) expect(line).toMatch(/^\d\d:\d\d:\d\d {2}.*\n$/);
  });

  it('tells less at a higher level and more at a lower one', () => {
    const game = new Game([unit('a'), unit('b')]).play(failing('b'));
    const count = (level: Level): number => told(game, { level }).length;
    expect(textOf(told(game, { level: 'error' }))).toEqual(['b    failed']);
    expect(count('error')).toBeLessThan(count('warn'));
    expect(count('warn')).toBeLessThan(count('info'));
    expect(count('info')).toBeLessThan(count('debug'));
  });

  it('says when nothing changed and how many attempts it took', () => {
    const unchanged = played('task.backpressure', { type: 'task.validation.ok', unit: 'a', task: 1, attempt: 1, commit: 'c', parent: 'base', unchanged: true, notes: [] });
    expect(textOf(told(unchanged))).toContain('a/1  done, but nothing changed that git would commit');
    const idle = new Game([unit('a')]).play((b) => (b.type === 'task.started' ? { type: 'task.attempted', unit: 'a', task: 1, attempt: 1, ending: { code: 0 }, passedBefore: true, notes: [] }
      : b.type === 'task.backpressure' ? { type: 'task.validation.ok', unit: 'a', task: 1, attempt: 1, commit: 'c', parent: 'base', unchanged: true, notes: [] } : undefined));
    expect(textOf(told(idle))).toContain('a/1  done, but nothing changed');
    const twice = new Game([unit('a')]).play((b) => (b.type === 'task.backpressure' && b.attempt === 1
      ? { type: 'task.validation.fail', unit: 'a', task: 1, attempt: 1, failure: RED, notes: [] } : undefined));
    expect(textOf(told(twice))).toContain('a/1  done, in 2 attempts');
  });

  it('tells notes worth a look, and why the target did not move', () => {
    const noted = played('unit.finishing', { type: 'unit.completed', unit: 'a', notes: [{ kind: 'kept', text: 'it is kept', paths: ['1', '2', '3', '4', '5', '6'] }, { kind: 'copied', text: '.env' }] });
    expect(textOf(told(noted)).at(-1)).toBe('a    note: it is kept (1, 2, 3, 4 and 2 more)');
    expect(textOf(told(noted, { level: 'debug' }))).toContain('a    note: .env');
    const diverted = new Game([unit('a')]).play((b) => {
      if (b.type === 'batch.merging') return { ...candidate(b), merges: [{ unit: 'a', commit: 'abcdef012', head: 'h' }] };
      return b.type === 'batch.landing' ? { type: 'batch.landed', batch: b.batch, commit: b.commit, ref: 'refs/heads/choo/run/1', diverted: 'local changes' } : undefined;
    });
    expect(textOf(told(diverted))).toContain('a    landed on choo/run/1 (abcdef0), because the target cannot move: local changes');
  });

  it('lets no text from outside steer the terminal, and joins the lines of a command', () => {
    const failure = { ...RED, command: 'one\ntwo\u001b[2J' } as const;
    const lines = textOf(told(new Game([unit('a')]).play(failing('a', failure))));
    expect(lines).toContain('a/1  attempt 1: the check `one; two\uFFFD[2J` failed with exit code 1');
    expect(lines.join('')).not.toContain('\u001b');
  });

  it('is coloured only when asked to be', () => {
    const game = new Game([unit('a')]).play();
    expect(told(game, { color: true }).join('')).toContain('\u001b[32mlanded on main');
    expect(told(game).join('')).not.toContain('\u001b');
  });
});

describe('events as JSON', () => {
  it('are one object a line, without the internal ones', () => {
    const { events } = new Game([unit('a')]).play();
    const lines = events.map(jsonLine);
    expect(lines[0]).toBeUndefined();
    const parsed = lines.filter((line) => line !== undefined).map((line) => JSON.parse(line) as { type: string; seq: number });
    expect(parsed.at(-1)).toEqual(events.at(-1));
    expect(parsed.map((e) => e.type)).not.toContain('task.committing');
    expect(lines[1]).toMatch(/^\{.*\}\n$/);
  });
});
