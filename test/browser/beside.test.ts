// The file by which the screen opens the dashboard, in a real browser: it leads to the page, which then goes on by itself.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { showLink } from '../../src/commands/browser.ts';
import { it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { launch } from '../rig/browser.ts';
import { linkOf } from '../rig/page.ts';


let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it('opens the page by a file of the user\'s own, which follows the run and its end', async ({ bed }) => {
  bed.specs({ api: {} }, { agent: bed.hand.agent });
  const run = bed.start(['run', '--web']);
  const link = await linkOf(run);
  const held = await bed.hand.next({ unit: 'api' });
  // Nothing here has a screen to show it on: the file alone is made.
  await showLink(`http://127.0.0.1:${link.port}/?token=${link.token}`, { folder: bed.base, env: {} });
  const page = await browser.newPage();
  await page.goto(pathToFileURL(join(bed.base, 'dashboard.html')).href);
  await page.locator('.line[data-unit="api"] .state.running').waitFor();
  await held.finish();
  await page.locator('.line[data-unit="api"] .state.landed').waitFor();
  expectEnd(await run.ended, 0);
  expect(new URL(page.url()).hostname).toBe('127.0.0.1');
});
