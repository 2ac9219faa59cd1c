// The dashboard in a real browser over real runs of the built program: follows without a reload, executes nothing that a run
// brings along, can be used without a mouse and read by a screen reader, and finds its server again.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { expectReadable, HOSTILE, launch, openPage, picture, state } from '../rig/browser.ts';
import { expectEnd } from '../rig/facts.ts';
import { linkOf } from '../rig/page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function end(running: ReturnType<Bed['start']>): Promise<void> {
  running.signal('SIGINT');
  expect((await running.ended).code).toBe(0);
}

describe('the dashboard', () => {
  it('follows a run from its first unit to its last without a reload, over a restart of its server', async ({ bed }) => {
    bed.specs({ api: { tasks: [{ title: HOSTILE }, {}] }, page: { dependsOn: ['api'] }, docs: { dependsOn: ['api'] }, release: { dependsOn: ['page', 'docs'] } }, { agent: bed.hand.agent, parallelism: 1 });
    const first = bed.start(['web']);
    const link = await linkOf(first);
    const { page, wrong } = await openPage(browser, link);
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

  it('tells what changed outside the fence while agents ran, also when all has landed', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `if [ "$CHOO_ATTEMPT" = 1 ]; then echo x > '${bed.root}/<b>odd'; else ${DOES_IT}; fi` });
    expectEnd(await bed.choo(['run']), 0);
    const web = bed.start(['web']);
    const { page, wrong } = await openPage(browser, await linkOf(web));
    await state(page, 'a', 'landed');
    const told = page.getByRole('alert');
    await told.getByText('Changed outside the fence').waitFor();
    expect(await told.getByRole('listitem').allTextContents()).toEqual(['<b>odd in the main checkout (a, task 1, attempt 1)']);
    await expectReadable(page);
    expect(wrong).toEqual([]);
    await end(web);
  });

  it('shows what people have to move, in light, dark and small; without a mouse; and executes nothing', async ({ bed }) => {
    bed.specs({ good: {}, bad: { tasks: [{ title: HOSTILE, check: `echo '${HOSTILE.replaceAll('\'', '"')}'; test -e ../mended` }] }, after: { dependsOn: ['bad'] } },
      { agent: `printf '%s\\n' '${HOSTILE.replaceAll('\'', '"')}' | tee "$CHOO_UNIT-$CHOO_TASK.txt"`, limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run']), 1);
    const server = bed.start(['web']);
    const link = await linkOf(server);
    for (const [name, o] of [['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 844 } }]] as const) {
      const { page, wrong } = await openPage(browser, link, o);
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
    const { page } = await openPage(browser, link);
    await page.getByRole('button', { name: 'Retry bad' }).first().click();
    await page.getByText('attempts given back to bad').waitFor();
    await page.getByRole('heading', { name: 'Waits for a person' }).waitFor({ state: 'detached' });
    expect(await page.locator('.line .state.failed').count()).toBe(0);
    await end(server);
  });
});
