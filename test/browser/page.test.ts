// The dashboard in a real browser over real runs of the built program: follows without a reload, executes nothing that a run
// brings along, can be used without a mouse and read by a screen reader, and finds its server again.

import { join } from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { linkOf } from '../rig/page.ts';
import type { Link } from '../rig/page.ts';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const HOSTILE = '<img src=x onerror="document.title=\'hacked\'"><script>document.title="hacked"</script>';
/** Where pictures of the page go; nowhere unless it is set. */
const pictures = process.env['CHOO_TEST_PICTURES'];

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env['CHOO_TEST_CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
});
afterAll(() => browser.close());

/** A page with what went wrong in it. */
async function openPage(link: Link, o: Parameters<Browser['newPage']>[0] = {}): Promise<{ readonly page: Page; readonly wrong: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1300, height: 900 }, ...o });
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('dialog', (dialog) => { wrong.push(`a dialog: ${dialog.message()}`); });
  page.on('request', (asked) => { if (new URL(asked.url()).host !== `127.0.0.1:${link.port}` && !asked.url().startsWith('data:')) wrong.push(`asked ${asked.url()}`); });
  page.on('console', (said) => { if (said.text().includes('Content Security Policy')) wrong.push(said.text()); });
  await page.goto(`http://127.0.0.1:${link.port}/?token=${link.token}`);
  return { page, wrong };
}

const state = (page: Page, unit: string, state: string): Promise<void> => page.locator(`.line[data-unit="${unit}"] .state.${state}`).waitFor();

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** Serious faults that axe finds. */
async function expectReadable(page: Page): Promise<void> {
  // The page's own policy lets no script in; a test's comes through the debugger.
  await page.evaluate(axe.source);
  const faults = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { readonly axe: { run: () => Promise<{ violations: readonly { id: string; impact: string; nodes: readonly { html: string; failureSummary: string }[] }[] }> } };
    return (await axe.run()).violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`);
  });
  expect(faults).toEqual([]);
}

async function end(running: ReturnType<Bed['start']>): Promise<void> {
  running.signal('SIGINT');
  expect((await running.ended).code).toBe(0);
}

describe('the dashboard', () => {
  it('follows a run from its first unit to its last without a reload, over a restart of its server', async ({ bed }) => {
    bed.specs({ api: { tasks: [{ title: HOSTILE }, {}] }, page: { dependsOn: ['api'] }, docs: { dependsOn: ['api'] }, release: { dependsOn: ['page', 'docs'] } }, { agent: bed.hand.agent, parallelism: 1 });
    const first = bed.start(['web']);
    const link = await linkOf(first);
    const { page, wrong } = await openPage(link);
    await page.getByText('there was no run yet').waitFor();
    await page.evaluate('globalThis.mark = 1');
    const run = bed.start(['run', '--json', '-p', '2']);
    const one = await bed.hand.next({ unit: 'api' });
    await state(page, 'api', 'running');
    expect(await page.locator('svg .box').count()).toBe(4);
    await page.locator('.line[data-unit="api"]').click();
    await page.getByText(HOSTILE).waitFor();
    await page.getByRole('heading', { name: 'Output of task 1, attempt 1 (live)' }).waitFor();
    await expectReadable(page);
    await picture(page, 'live');
    await one.finish();
    const two = await bed.hand.next({ unit: 'api', task: 2 });
    await page.getByRole('heading', { name: 'Output of task 2, attempt 1 (live)' }).waitFor();
    await end(first);
    await page.getByText('connection lost').waitFor();
    await two.finish();
    const held = [await bed.hand.next({ unit: 'docs' }), await bed.hand.next({ unit: 'page' })];
    const again = bed.start(['web']);
    expect(await linkOf(again)).toEqual(link);
    await state(page, 'api', 'landed');
    await state(page, 'page', 'running');
    for (const each of held) await each.finish();
    await (await bed.hand.next({ unit: 'release' })).finish();
    await state(page, 'release', 'landed');
    expectEnd(await run.ended, 0);
    await page.getByText('finished').waitFor();
    await page.getByText('4 of 4 units', { exact: true }).waitFor();
    expect(await page.evaluate('[globalThis.mark, document.title, location.search]')).toEqual([1, 'choo', '']);
    expect(wrong).toEqual([]);
    await end(again);
  });

  it('shows what people have to move, in light, dark and small; without a mouse; and executes nothing', async ({ bed }) => {
    bed.specs({ good: {}, bad: { tasks: [{ title: HOSTILE, check: `echo '${HOSTILE.replaceAll('\'', '"')}'; test -e ../mended` }] }, after: { dependsOn: ['bad'] } },
      { agent: `printf '%s\\n' '${HOSTILE.replaceAll('\'', '"')}' | tee "$CHOO_UNIT-$CHOO_TASK.txt"`, limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run']), 1);
    const server = bed.start(['web']);
    const link = await linkOf(server);
    for (const [name, o] of [['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 844 } }]] as const) {
      const { page, wrong } = await openPage(link, o);
      await state(page, 'bad', 'failed');
      await picture(page, name);
      await expectReadable(page);
      // The list by keys: the second unit is the failed one.
      await page.getByRole('listbox').focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Output of its check' }).waitFor();
      await page.getByRole('log', { name: 'Output of its check' }).getByText('<img src=x').waitFor();
      await page.getByRole('log', { name: 'Output of task 1' }).getByText('<img src=x').waitFor();
      await expectReadable(page);
      await picture(page, `${name}-unit`);
      expect(await page.evaluate('[document.querySelectorAll("img, #page script").length, document.documentElement.scrollWidth <= innerWidth]')).toEqual([0, true]);
      await page.keyboard.press('Escape');
      await page.locator('.line[data-unit="good"]').click();
      await page.getByText('Changes').click();
      await page.locator('pre.diff').getByText('<img src=x').waitFor();
      expect(await page.title()).toBe('choo');
      expect(wrong).toEqual([]);
      await page.close();
    }
    const { page } = await openPage(link);
    await page.getByRole('button', { name: 'Retry bad' }).first().click();
    await page.getByText('attempts given back to bad').waitFor();
    await page.getByRole('heading', { name: 'Waits for a person' }).waitFor({ state: 'detached' });
    expect(await page.locator('.line .state.failed').count()).toBe(0);
    await end(server);
  });
});
