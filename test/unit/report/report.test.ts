// Reports on played and simulated runs: the data against its schema, time that adds up, the critical path, and a page that hostile names
// cannot get out of.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../../src/core/event.ts';
import { fold } from '../../../src/core/replay.ts';
import { criticalPath } from '../../../src/report/critical.ts';
import type { Report } from '../../../src/report/data.ts';
import { renderPage } from '../../../src/report/page.ts';
import { reportOf } from '../../../src/report/report.ts';
import { scaleOf } from '../../../src/report/scale.ts';
import { STYLE } from '../../../src/report/style.ts';
import type { Machine } from '../../sim/machine.ts';
import { simulate } from '../../sim/simulate.ts';
import { Game, failing, unit } from '../core/rig.ts';

const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(readFileSync(join(import.meta.dirname, '../../../schema/report.schema.json'), 'utf8')) as object);
const styleHash = createHash('sha256').update(STYLE).digest('base64');

function problemsOf(report: Report): unknown {
  validate(JSON.parse(JSON.stringify(report)));
  return validate.errors ?? [];
}

async function story(seed: number): Promise<readonly Event[]> {
  let machine: Machine | undefined;
  await simulate({ seed, afterBad: (m) => { machine = m; } });
  return machine?.journal.events() ?? [];
}

function reported(events: readonly Event[], at: Report['at'] = 'rest'): Report {
  return reportOf({ events, state: fold(events), at, now: Date.parse(events.at(-1)?.time ?? '') + 5000 });
}

describe('reports on simulated runs', () => {
  it.each(Array.from({ length: 12 }, (_, i) => i + 1))('seed %d: follow the schema at the end and in the middle; each unit\'s time adds up, without gaps', async (seed) => {
    const events = await story(seed);
    for (const [count, at] of [[events.length, 'rest'], [Math.ceil(events.length / 2), 'live'], [Math.ceil(events.length / 3), 'rest']] as const) {
      const report = reported(events.slice(0, count), at);
      expect(problemsOf(report)).toEqual([]);
      for (const u of report.units.filter((one) => one.from !== undefined)) {
        expect(Object.values(u.durations).reduce((sum, ms) => sum + ms, 0)).toBe(Date.parse(u.to ?? '') - Date.parse(u.from ?? ''));
        expect(u.timeline.every((part, i) => part.from === (u.timeline[i - 1]?.to ?? u.from) && part.from < part.to)).toBe(true);
      }
      const path = report.criticalPath;
      expect(path.every((step, i) => step.from <= step.to && (i === 0 || (path[i - 1]?.to ?? '') <= step.from))).toBe(true);
      expect(report.units.filter((u) => u.critical).map((u) => u.id).toSorted()).toEqual(path.map((step) => step.unit).toSorted());
      const begun = events.slice(0, count).filter((e) => e.type === 'task.started' || e.type === 'task.retry' || e.type === 'rework.started' || e.type === 'review.started');
      expect(report.units.flatMap((u) => [...u.attempts, ...u.tasks.flatMap((t) => t.attempts)])).toHaveLength(begun.filter((e) => report.units.some((u) => u.id === e.unit && (!('task' in e) || u.tasks.some((t) => t.number === e.task)))).length);
      expect(renderPage(report, { styleHash })).toContain('</html>');
    }
  });
});

describe('the critical path as it happened', () => {
  const way = (id: string, dependsOn: readonly string[], times: readonly [ready: number, began: number, left: number, ended: number]) => ({ id, dependsOn, ready: times[0], began: times[1], left: times[2], ended: times[3] });

  it('goes from the unit that ended last over what it depended on to the beginning', () => {
    expect(criticalPath([way('a', [], [0, 0, 50, 60]), way('b', [], [0, 0, 80, 90]), way('c', ['a', 'b'], [90, 95, 150, 160]), way('d', ['a'], [60, 60, 100, 110])])).toEqual([
      { unit: 'b', from: 0, to: 90, because: 'start' }, { unit: 'c', from: 95, to: 160, because: 'dependency' },
    ]);
  });

  it('goes over the unit that left its place, where one had to wait for a place', () => {
    expect(criticalPath([way('a', [], [0, 0, 5000, 9000]), way('b', [], [0, 5010, 8000, 9500])])).toEqual([
      { unit: 'a', from: 0, to: 5000, because: 'start' }, { unit: 'b', from: 5010, to: 9500, because: 'slot' },
    ]);
  });

  it('is empty before anything has begun', () => {
    expect(criticalPath([])).toEqual([]);
  });
});

describe('the scale of the picture', () => {
  const at = (second: number): string => new Date(second * 1000).toISOString();

  it('cuts short what no session worked on, keeps the order, and ends where it ends', () => {
    const scale = scaleOf({ startedAt: at(0), asOf: at(100_100), sessions: [{ from: at(0), to: at(50) }, { from: at(100_050), to: at(100_100) }] });
    expect([0, 50, 100_050, 100_100, 200_000].map((s) => scale.of(s * 1000))).toEqual([0, 50_000, 54_000, 104_000, 104_000]);
    expect([scale.total, scale.gaps]).toEqual([104_000, [{ at: 50_000, shown: 4000, took: 100_000_000 }]]);
  });

  it('leaves a short pause as it was', () => {
    const scale = scaleOf({ startedAt: at(0), asOf: at(101), sessions: [{ from: at(0), to: at(50) }, { from: at(51), to: at(101) }] });
    expect([scale.total, scale.gaps]).toEqual([101_000, []]);
  });
});

describe('what a report says', () => {
  it('of a failed unit: its last lines, what a person can type, and every attempt', () => {
    const game = new Game([unit('a', { tasks: 2 }), unit('b'), unit('c', { dependsOn: ['b'] })]).play(failing('b'));
    const report = reported(game.events);
    expect(problemsOf(report)).toEqual([]);
    expect(report.failures).toMatchObject([{ unit: 'b', kind: 'check-failed', message: 'the check `false` failed with exit code 1', log: '/log' }]);
    expect(report.people).toEqual([{ unit: 'b', for: 'failure', text: 'the check `false` failed with exit code 1', command: 'choo retry b && choo resume' }]);
    expect(report.units.find((u) => u.id === 'b')?.tasks[0]?.attempts.map((one) => one.result)).toEqual(['failed', 'failed', 'failed']);
    expect(report.units.find((u) => u.id === 'a')).toMatchObject({ state: 'landed', tasks: [{ attempts: [{ result: 'passed' }] }, { attempts: [{ result: 'passed' }] }] });
    expect(report.sessions).toMatchObject([{ kind: 'run', ended: 'failed' }]);
    expect(report.batches).toMatchObject([{ units: ['a'], result: 'landed', proofs: 1 }]);
  });

  it('of a live run: what is going on is running, up to now', () => {
    const game = new Game([unit('a', { tasks: 2 })]).play(undefined, (b) => b.type === 'task.started' && b.task === 2);
    const report = reported(game.events, 'live');
    expect(report.units[0]?.tasks[1]?.attempts).toMatchObject([{ result: 'running', to: report.asOf }]);
    expect(report.sessions).toMatchObject([{ ended: 'running', to: report.asOf }]);
  });
});

describe('the page', () => {
  const HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)> \'&lt;\u202E\u0007]]>';

  /** The same run with hostile texts in every place that a user, an agent or a forge can write to. */
  function hostile(): Report {
    const game = new Game([unit('a', { tasks: 1 }), unit('b')]).play(failing('b'));
    const report = reported(game.events);
    const foreign = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(foreign);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, one]: [string, unknown]) => [key, ['id', 'unit', 'title', 'message', 'text', 'command', 'agent', 'model', 'log', 'target', 'ref', 'dependsOn', 'tail', 'worktree', 'branch', 'base'].includes(key) ? (Array.isArray(one) ? [HOSTILE, HOSTILE] : HOSTILE) : foreign(one)]));
    };
    const changed = foreign(report) as Report;
    return {
      ...changed, flaky: [{ unit: HOSTILE, command: HOSTILE, text: HOSTILE }], failures: [{ unit: HOSTILE, kind: 'check-failed', message: HOSTILE, tail: [HOSTILE, HOSTILE], log: HOSTILE }],
      units: changed.units.map((u) => ({ ...u, pull: { number: 1, url: `javascript:${HOSTILE}` } })),
    };
  }

  it('lets no hostile text out of its place: the only tags are its own', () => {
    const page = renderPage(hostile(), { styleHash });
    const tags = new Set([...page.matchAll(/<\/?([a-z!][a-z0-9]*)/gi)].map(([, tag]) => tag?.toLowerCase()));
    expect([...tags].filter((tag) => !OWN.has(tag ?? ''))).toEqual([]);
    // Attributes without their values: what stands within quotes cannot be one.
    const bare = page.replaceAll(/="[^"]*"/g, '');
    const attributes = new Set([...bare.matchAll(/<[a-z][^>]*>/gi)].flatMap(([tag]) => tag.replace(/\/?>$/, '').split(/\s+/).slice(1)));
    expect([...attributes].filter((name) => !/^(lang|charset|http-equiv|content|name|class|aria-[a-z]+|role|tabindex|id|scope|viewBox|width|height|x|y|x1|x2|y1|y2|text-anchor|rel|href|html)$/.test(name))).toEqual([]);
    expect([page.includes('href="javascript:'), page.includes('\u202E') || page.includes('\u0007')]).toEqual([false, false]);
    expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(10);
  });

  it('asks for nothing from elsewhere, and its policy would forbid it', () => {
    const report = reported(new Game([unit('a')]).play().events);
    const page = renderPage({ ...report, units: report.units.map((u) => ({ ...u, pull: { number: 7, url: 'https://forge.invalid/7' } })) }, { styleHash });
    expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'"`);
    expect(createHash('sha256').update(/<style>([^]*)<\/style>/.exec(page)?.[1] ?? '').digest('base64')).toBe(styleHash);
    expect(page).not.toMatch(/\s(src|srcset|style|background|poster|data)=|url\(|@import|<link|<script|<iframe|<object/i);
    expect([...page.matchAll(/https?:[^"\s<]*/g)].map(([url]) => url)).toEqual(['https://forge.invalid/7']);
  });

  it('can be listened to: one heading of the first level, captions, scopes, a picture that is named and described', () => {
    const page = renderPage(reported(new Game([unit('a'), unit('b', { dependsOn: ['a'] })]).play().events), { styleHash });
    expect(page.match(/<h1/g)).toHaveLength(1);
    expect(page.match(/<table>/g)?.length).toBe(page.match(/<caption>/g)?.length);
    expect(page).toMatch(/<svg class="gantt"[^>]*role="img" aria-labelledby="gantt-title gantt-text"/);
    expect(page.match(/<th scope="(col|row)"/g)?.length).toBe(page.match(/<th\b/g)?.length);
    expect(page).toContain('<html lang="en">');
    expect(new Set([...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)).size).toBe([...page.matchAll(/\sid="/g)].length);
    expect([...page.matchAll(/aria-labelledby="([^"]+)"/g)].flatMap(([, ids]) => (ids ?? '').split(' ')).filter((id) => !page.includes(`id="${id}"`))).toEqual([]);
  });
});

/** Elements of a page, and its first line. */
const OWN: ReadonlySet<string> = new Set([
  '!doctype', 'html', 'head', 'meta', 'title', 'style', 'body', 'header', 'main', 'section', 'h1', 'h2', 'h3', 'p', 'ul', 'ol', 'li', 'dl', 'dt', 'dd', 'div', 'span', 'strong', 'code', 'pre', 'br', 'a',
  'table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'details', 'summary', 'svg', 'desc', 'g', 'rect', 'line', 'text',
]);
