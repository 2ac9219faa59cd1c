// What the dashboard shows beside graph and list, in a real browser: the landing queue, the time that is left, the timelines, two runs compared.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectReadable, HOSTILE, launch, openPage, picture, state } from '../rig/browser.ts';
import { expectEnd } from '../rig/facts.ts';
import { linkOf } from '../rig/page.ts';
import { failing, Game, settings, unit } from '../unit/core/rig.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const LOOKS = [['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 844 } }]] as const;

/** Writes the journal of a run that was played, as if an event came every `pace` ms. */
function writeJournal(root: string, o: { readonly run: number; readonly pace: number }, game: Game): void {
  const { run, pace } = o;
  const path = join(root, '.git', 'choo', 'runs', String(run), 'journal.jsonl');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const events = game.events.map((event) => JSON.stringify({ ...event, time: new Date(1e12 + event.seq * pace).toISOString(), ...('run' in event ? { run } : {}) }));
  writeFileSync(path, [JSON.stringify({ choo: 'journal', version: 2, run, created: new Date(0).toISOString(), plan: 'of a test' }), ...events].map((line, i) => `${i === 0 ? '' : ' '}${line}\n`).join(''));
}

describe('a live run', () => {
  it('shows who is proved with whom, how long it may take, and the timelines, which grow', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 }, c: { dependsOn: ['a'] } }, { agent: bed.hand.agent, baseline_checks: [bed.hand.check('base')] });
    const server = bed.start(['web']);
    const { page, wrong } = await openPage(browser, await linkOf(server));
    const run = bed.start(['run', '--json']);
    await (await bed.hand.next({ name: 'base', unit: '' })).exit();
    await (await bed.hand.next({ unit: 'a' })).finish();
    const two = await bed.hand.next({ unit: 'a', task: 2 });
    // One task is done: the rest can be estimated.
    await page.locator('.time').getByText(/about .* left/).waitFor();
    await page.getByText('Nothing waits to land.').waitFor();
    await two.finish();
    await (await bed.hand.next({ name: 'base', unit: 'a' })).exit();
    const proof = await bed.hand.next({ name: 'base', unit: 'a' });
    await page.getByRole('heading', { name: 'Landing queue (1)' }).waitFor();
    await page.getByText('Batch 1, is being proved:').waitFor();
    await page.locator('.queue').getByRole('button', { name: 'a' }).click();
    await page.locator('.unit h2').getByText('a', { exact: true }).waitFor();
    await page.locator('.own rect.landing.running').waitFor({ state: 'attached' });
    await page.getByText('Timeline as a table').click();
    await page.getByRole('row', { name: 'task 2, attempt 1 passed' }).waitFor();
    await page.locator('#timeline').scrollIntoViewIfNeeded();
    await page.locator('.gantt').getByRole('rowheader', { name: 'a', exact: true }).waitFor();
    await picture(page, 'live-timeline');
    await proof.exit();
    await state(page, 'a', 'landed');
    const c = await bed.hand.next({ unit: 'c' });
    // The row of the one that has begun since comes by itself.
    await page.locator('.gantt .row[data-unit="c"]').waitFor();
    await c.finish();
    await (await bed.hand.next({ name: 'base', unit: 'c' })).exit();
    await (await bed.hand.next({ name: 'base', unit: 'c' })).exit();
    expectEnd(await run.ended, 0);
    await page.getByText('finished', { exact: true }).waitFor();
    await page.getByRole('heading', { name: /Landing queue/ }).waitFor({ state: 'detached' });
    expect(await page.locator('.time').textContent()).not.toContain('left');
    expect(wrong).toEqual([]);
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });
});

describe('two runs', () => {
  it('are compared unit by unit by a link, in light, dark and small; hostile names are text in every section', async ({ bed }) => {
    const name = `x${HOSTILE.replaceAll(' ', '\u00A0')}`;
    const many = Array.from({ length: 60 }, (_, i) => unit(`u${String(i).padStart(2, '0')}`, { tasks: 2, dependsOn: i === 0 ? [] : ['u00'] }));
    const spent = { usage: { input: 900, output: 100, cacheRead: 0, cacheWrite: 0, usd: 0.25 } };
    writeJournal(bed.root, { run: 1, pace: 900 }, new Game([...many, unit(name), unit('gone')], settings({ parallelism: 9 })).play(failing('u07')));
    writeJournal(bed.root, { run: 2, pace: 1500 }, new Game([...many, unit(name, { tasks: 3 }), unit('new'), unit(`after-${name}`, { dependsOn: [name] })], settings({ parallelism: 9 }))
      .play((b) => (b.type === 'task.started' && b.unit === name ? { type: 'task.attempted', unit: name, task: b.task, attempt: b.attempt, log: 'l', digest: 'd', notes: [], ...spent } as never : undefined), (b) => b.type === 'batch.proving' && b.units.includes(name)));
    const server = bed.start(['web']);
    const link = await linkOf(server);
    for (const [look, o] of LOOKS) {
      const { page, wrong } = await openPage(browser, link, { ...o, hash: '#run=2&with=1' });
      const table = page.getByRole('table', { name: 'units of run 1 and run 2' });
      await table.getByRole('row', { name: /^all units / }).waitFor();
      await page.getByText('61 units are in both, 1 only in run 1, 2 only in run 2').waitFor();
      expect(await table.getByRole('row').count()).toBeLessThan(50);
      await page.getByLabel('Order by').selectOption('another outcome');
      await table.getByRole('row', { name: /^u07 failed / }).waitFor();
      await table.getByRole('columnheader', { name: 'Cost, change' }).waitFor();
      await table.getByRole('row', { name: /^new not in run 1/ }).waitFor();
      await picture(page, `${look}-compare`);
      await page.locator('#queue').scrollIntoViewIfNeeded();
      await page.locator('.queue').getByRole('button', { name }).waitFor();
      await page.locator('#timeline').scrollIntoViewIfNeeded();
      await page.getByText(/^Critical path: \d+ steps?$/).click();
      await page.locator('.gantt .row').first().waitFor();
      expect(await page.locator('.gantt .row').count()).toBeLessThan(50);
      await page.locator('.gantt').focus();
      await page.keyboard.press('End');
      await page.locator(`.gantt .row[aria-rowindex="63"]`).waitFor();
      await page.keyboard.press('Home');
      await page.locator('.gantt').getByRole('rowheader', { name }).first().waitFor();
      await picture(page, `${look}-timeline`);
      await page.locator('.gantt').getByRole('button', { name, exact: true }).click();
      await page.locator('.own').waitFor();
      await page.getByText('Timeline as a table').click();
      await page.getByText('Timeline as a table').scrollIntoViewIfNeeded();
      // The comparison, the queue and both timelines are all on the page now.
      await expectReadable(page);
      await picture(page, `${look}-unit-timeline`);
      expect(new URL(page.url()).hash).toMatch(/^#run=2&with=1&unit=/);
      expect(await page.evaluate('[document.querySelectorAll("img, #page script").length, document.documentElement.scrollWidth <= innerWidth, document.title]')).toEqual([0, true, 'choo']);
      expect(wrong).toEqual([]);
      await page.close();
    }
    const { page } = await openPage(browser, link, { hash: '#run=2&with=77&unit=new' });
    await page.getByText('Run 77 cannot be shown: there is no such run').waitFor();
    await page.getByRole('button', { name: 'close the comparison' }).click();
    await page.getByRole('heading', { name: /compared/ }).waitFor({ state: 'detached' });
    // By keys: the list in the head opens it again, and what was open stays.
    await page.getByLabel('compare with').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('table', { name: 'units of run 1 and run 2' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#run=2&with=1&unit=new');
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });
});
