// How a run stands and how a session ended, as text and as data; the data against its published schema.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { buildGraph } from '../../../src/core/graph.ts';
import { viewOf, viewOfPlan } from '../../../src/core/view.ts';
import { errorAt } from '../../../src/discovery/diagnostic.ts';
import { renderPlan } from '../../../src/show/plan.ts';
import { renderStatus, statusData } from '../../../src/show/status.ts';
import type { Standing } from '../../../src/show/status.ts';
import { renderSummary } from '../../../src/show/summary.ts';
import { RED, Game, failing, unit } from '../core/rig.ts';

const schemas = join(import.meta.dirname, '..', '..', '..', 'schema');

function expectValid(schema: string, data: unknown): void {
  const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(readFileSync(join(schemas, `${schema}.schema.json`), 'utf8')) as object);
  validate(JSON.parse(JSON.stringify(data)));
  expect(validate.errors ?? []).toEqual([]);
}

const three = [unit('a', { tasks: 2 }), unit('b'), unit('c', { dependsOn: ['b'] })];

function standing(game: Game, at: Standing['at'] = 'rest'): Standing {
  return { view: viewOf(game.state), at, now: game.now, ...(at === 'live' ? { pid: 42 } : {}) };
}

const plain = { color: false };

describe('names that take two columns a letter', () => {
  it('are lined up with the others, in status and summary', () => {
    const game = new Game([unit('ユニット'), unit('日本'), unit('plain')]).play();
    const columns = (text: string, after: RegExp): readonly number[] => text.split('\n').flatMap((line) => (after.test(line) ? [stringWidth(line.slice(0, line.search(after)))] : []));
    for (const text of [renderStatus(standing(game), plain), renderSummary({ view: viewOf(game.state), result: game.result, color: false, now: game.now })]) {
      const found = columns(text, /ユニット-ca|日本-cand|plain-c/);
      expect(found).toHaveLength(3);
      expect(new Set(found).size).toBe(1);
    }
  });
});

describe('status', () => {
  it('tells every unit and task of a run at rest', () => {
    expect(renderStatus(standing(new Game(three).play(failing('b'))), plain)).toBe(`run 1 onto main: at rest, 1 of 3 units landed

landed    a     a-candi
  ✓ 1 Part 1
  ✓ 2 Part 2

failed    b
  ✗ 1 Part 1 (3 attempts)
    the check \`false\` failed with exit code 1
    log   /log
    work  /w/b

blocked   c     after b
  · 1 Part 1

to try failed units again: choo retry --failed && choo resume
`);
  });

  it('tells what a live run is doing, and calls the same stopped when it is at rest', () => {
    const game = new Game([unit('a', { tasks: 2 })]).play(undefined, (b) => b.type === 'task.started' && b.task === 2);
    const live = renderStatus(standing(game, 'live'), plain);
    expect(live).toContain('run 1 onto main: running (process 42), 0 of 1 unit landed');
    expect(live).toContain('running   a     task 2, attempt 1 · command\n  ✓ 1 Part 1\n  › 2 Part 2\n');
    expect(renderStatus(standing(game), plain)).toContain('stopped   a     task 2, attempt 1');
    expect(renderStatus(standing(game, 'elsewhere'), plain)).toContain('maybe running');
  });

  it('tells of a live run who is on the way to the target', () => {
    const game = new Game([unit('a'), unit('b'), unit('c')]).play(undefined, (b) => b.type === 'batch.proving');
    expect(renderStatus(standing(game, 'live'), plain)).toContain('\nlanding queue: proving a; proving b, c\n');
    expect(renderStatus(standing(game), plain)).not.toContain('landing queue');
    expectValid('status', statusData(standing(game, 'live')));
  });

  it('tells the specs before the first run', () => {
    const view = viewOfPlan(three);
    expect(renderStatus({ view, at: 'rest', now: 0 }, plain)).toContain('no run yet: 3 units to do, 0 complete\n\npending   a\n');
    expectValid('status', statusData({ view, at: 'rest', now: 0 }));
  });

  it('names the closing command when everything landed beside the target', () => {
    const game = new Game([unit('a')]).play((b) => {
      if (b.type === 'run.advancing') return { type: 'run.not-advanced', text: 'local changes', fastForward: true };
      return b.type === 'batch.landing' ? { type: 'batch.landed', batch: b.batch, commit: 'c', ref: 'refs/heads/choo/run/1', diverted: 'local changes' } : undefined;
    });
    expect(renderStatus(standing(game), plain)).toContain('git merge --ff-only choo/run/1');
    expect(renderSummary({ view: viewOf(game.state), result: game.result, color: false, now: game.now })).toContain('git merge --ff-only choo/run/1');
    expectValid('status', statusData(standing(game)));
  });

  it('is data that its schema describes, in every state', () => {
    for (const game of [new Game(three), new Game(three).play(failing('b')), new Game(three).play(), new Game(three).play(undefined, (b) => b.type === 'batch.proving')]) {
      expectValid('status', statusData(standing(game, 'live')));
      expectValid('status', statusData(standing(game)));
    }
  });
});

describe('the other schemas', () => {
  it('describe the plan as JSON', () => {
    const checked = { ...unit('d'), provider: 'script', checks: [{ name: 'lint', command: 'lint', pattern: '*.ts' }] };
    const plan = renderPlan({ graph: buildGraph([...three, checked]), parallelism: 2, checks: [{ name: 'x', command: 'y' }], complete: ['z'], warnings: ['w'] }, 'json');
    expectValid('plan', JSON.parse(plan));
  });

  it('describe diagnostics as JSON', () => {
    const place = { path: 'p', line: 1, col: 2, length: 3, sourceLine: 'text' };
    expectValid('diagnostics', { version: 1, diagnostics: [errorAt('code', 'message', { place, related: [{ message: 'here', place }], hint: 'do it' }), errorAt('code', 'message')] });
  });
});

describe('the end of a session', () => {
  it('lists outcomes, where work and log are, and what to type', () => {
    const game = new Game(three).play(failing('b'));
    expect(renderSummary({ view: viewOf(game.state), result: { ...game.result, durationMs: 65_000 }, color: false, now: game.now })).toBe(`
run 1: 1 of 3 units landed, 1 failed, 1 blocked, 1m05s

  landed   a     a-candi  0.0s  2 tasks
  blocked  c     after b
  failed   b     the check \`false\` failed with exit code 1
           log   /log
           work  /w/b

look:   choo logs b
again:  choo retry b && choo resume
`);
  });

  it('lists tasks that changed nothing and notes worth reading, each once', () => {
    const game = new Game([unit('a', { tasks: 2 })]).play((b) => (b.type === 'task.backpressure'
      ? { type: 'task.validation.ok', unit: 'a', task: b.task, attempt: 1, commit: 'c', parent: 'p', unchanged: b.task === 2, notes: [{ kind: 'check-changed', text: 'a formatter' }, { kind: 'copied', text: '.env' }] } : undefined));
    const text = renderSummary({ view: viewOf(game.state), result: game.result, color: false, now: game.now });
    expect(text).toContain('complete although nothing changed that git would commit (was there nothing to do?):\n  a, task 2: Part 2 (its check failed before: what its agent made is ignored by git or untracked by choice)\n');
    expect(text).toContain('worth reading:\n  a: a formatter\n');
    expect(text).not.toContain('.env');
  });

  it('counts what a stop left and says how to go on', () => {
    const game = new Game([unit('a'), unit('b', { dependsOn: ['a'] })]).play(undefined, (b) => b.type === 'task.started');
    game.record({ type: 'orch.stopping', by: 'SIGINT', now: false, at: game.now });
    game.answer('task.started', { type: 'task.attempt.failed', unit: 'a', task: 1, attempt: 1, failure: { kind: 'cut', by: 'stop' }, notes: [] });
    const text = renderSummary({ view: viewOf(game.state), result: game.result, color: false, now: game.now });
    expect(text).toContain('0 of 2 units landed, 2 not finished, 0.0s (stopped by SIGINT)');
    expect(text).toContain('stopped  a     next: task 1, attempt 2');
    expect(text).toContain('to go on:  choo resume');
  });

  it('names a quantity, not every unit, of a large run', () => {
    const many = Array.from({ length: 100 }, (_, i) => unit(`u${i}`));
    const game = new Game(many).play(failing('u7', RED));
    const text = renderSummary({ view: viewOf(game.state), result: game.result, color: false, now: game.now });
    expect(text).toContain('  and 39 more landed\n');
    expect(text).toContain('failed   u7');
  });
});
