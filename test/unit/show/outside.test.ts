// What changed outside the fence is told to the end of the run and after it, by every face, also when everything has landed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { escalationOf } from '../../../src/core/escalation.ts';
import type { EventBody } from '../../../src/core/event.ts';
import { must } from '../../../src/core/bug.ts';
import { replan } from '../../../src/core/replan.ts';
import { viewOf } from '../../../src/core/view.ts';
import { renderJobSummary } from '../../../src/show/job-summary.ts';
import { renderStatus, statusData } from '../../../src/show/status.ts';
import { renderSummary } from '../../../src/show/summary.ts';
import { banners } from '../../../src/show/tui/header.ts';
import { FactsGatherer } from '../../../src/show/tui/facts.ts';
import { marks } from '../../../src/show/tui/marks.ts';
import { Game, settings, unit } from '../core/rig.ts';

const MAIN = 'refs/heads/main moved to 0123456789';
const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../schema/status.schema.json'), 'utf8')) as object;

/** Two units whose first attempts ran beside each other while something outside changed; all else goes well. */
function played(changes: readonly string[] = [MAIN, '.git/hooks/pre-commit in the main checkout\u001b[2J']): Game {
  return new Game([unit('a'), unit('b')], settings({ parallelism: 2 })).play((b): EventBody | undefined => {
    if (b.type !== 'task.started') return undefined;
    return { type: 'task.attempt.failed', unit: b.unit, task: b.task, attempt: b.attempt, failure: { kind: 'outside-the-fence', changes: b.unit === 'a' ? changes : changes.slice(0, 1) }, notes: [] };
  });
}

const LINES = `changed outside the fence while agents ran, and left as it is; look at it:
  ${MAIN}  (a, task 1, attempt 1; b, task 1, attempt 1)
  .git/hooks/pre-commit in the main checkout\uFFFD[2J  (a, task 1, attempt 1)
`;

it('the summary of a run that landed everything says it in its first line and at its very end', () => {
  const g = played();
  expect(g.result).toMatchObject({ completedUnits: 2, failedUnits: 0 });
  const text = renderSummary({ view: viewOf(g.state), result: g.result, color: false, now: g.now });
  expect(text).toMatch(/^\nrun 1: 2 of 2 units landed, [^\n]+; something outside the fence changed, see below\n/);
  expect(text.endsWith(`\n\n${LINES}`)).toBe(true);
  expect(renderJobSummary({ view: viewOf(g.state), result: g.result })).toMatch(/look at it:\n\n- refs\/heads\/main moved to 0123456789 {2}\(a, task 1, attempt 1/);
});

it('status says it when the run is over, for people and programs', () => {
  const g = played();
  const standing = { view: viewOf(g.state), at: 'rest', now: g.now } as const;
  expect(standing.view.closed).toBe(true);
  expect(renderStatus(standing, { color: false })).toContain(`landed\n${LINES}`);
  const data = statusData(standing);
  expect(data).toMatchObject({ outside: { changes: [{ change: MAIN, during: [{ unit: 'a', what: 'task 1', attempt: 1 }, { unit: 'b', what: 'task 1', attempt: 1 }] }, expect.anything()], more: 0 } });
  const validate = new Ajv2020({ allErrors: true }).compile(schema);
  validate(JSON.parse(JSON.stringify(data)));
  expect(validate.errors ?? []).toEqual([]);
  expect(statusData({ ...standing, view: viewOf(new Game([unit('a')]).play().state) })).not.toHaveProperty('outside');
});

it('the screen and who is told of the end hear of it, the latter as a warning', () => {
  const g = played();
  const gatherer = new FactsGatherer();
  for (const event of g.events) gatherer.event(event, g.state);
  const rows = banners({ facts: must(gatherer.facts(), 'facts'), now: g.now, columns: 100, marks: marks(true) });
  expect(rows.flat().map(({ text }) => text).join('')).toContain(`outside the fence: ${MAIN} and 1 more change`);
  const end = must(g.events.find((e) => e.type === 'orch.completed'), 'the end');
  expect(escalationOf(g.state, end)).toMatchObject({ severity: 'warning', detail: expect.arrayContaining([`outside the fence: ${MAIN}`]) as unknown });
});

it('stays with the run under a new plan, and of very many the first are told', () => {
  const g = played(Array.from({ length: 150 }, (_, i) => `file ${i} in the main checkout`));
  const { outside } = viewOf(g.state);
  expect([outside?.changes.length, outside?.more]).toEqual([100, 50]);
  expect(renderSummary({ view: viewOf(g.state), result: g.result, color: false, now: g.now })).toMatch(/file 19 in [^\n]+\n {2}and 130 more, in the journal\n$/);
  const { pinned } = g.state;
  const after = replan(g.state, { type: 'run.replanned', pinned, changes: { added: [], removed: [], changed: [] }, seq: g.state.seq + 1, run: 1, time: new Date(g.now).toISOString() } as unknown as Parameters<typeof replan>[1]);
  expect(after.outside.size).toBe(150);
});
