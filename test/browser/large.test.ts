// A run of a thousand units: the page stays quick while events come.

import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { BigJournal } from '../rig/big-journal.ts';
import { linkOf } from '../rig/page.ts';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
/** Opens the unit on one of the list's lines, and tells how long it took until that was painted, ms. */
const CLICK = `async (n) => {
  const lines = [...document.querySelectorAll('.line')];
  const line = lines[n % lines.length];
  const began = performance.now();
  line.click();
  for (;;) {
    await new Promise((resolve) => requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); port2.onmessage = resolve; port1.postMessage(0); }));
    if (document.querySelector('.unit h2')?.textContent === line.dataset.unit) return performance.now() - began;
  }
}`;

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env['CHOO_TEST_CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
});
afterAll(() => browser.close());

describe('a thousand units', () => {
  it('answers clicks within 200 ms while 50 events a second come', async ({ bed }) => {
    const journal = new BigJournal(bed.root, 1000);
    const server = bed.start(['web']);
    const link = await linkOf(server);
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    await page.goto(`http://127.0.0.1:${link.port}/?token=${link.token}`);
    await page.locator('.line').first().waitFor();
    expect(await page.locator('.line').count()).toBeLessThan(40);
    const times: number[] = [];
    const began = performance.now();
    let sent = 0;
    for (let n = 0; n < 100; n++) {
      // As many as 50 a second ask for by now, five at a time at least.
      const due = Math.max(5, Math.round((performance.now() - began) / 20) - sent);
      sent += due;
      journal.more(due);
      times.push(await page.evaluate<number>(`(${CLICK})(${n})`));
    }
    const sorted = times.toSorted((a, b) => a - b);
    const p95 = Math.round(sorted[94] ?? Infinity);
    process.stdout.write(`click to paint: p50 ${Math.round(sorted[49] ?? 0)} ms, p95 ${p95} ms, ${Math.round(sent / (performance.now() - began) * 1000)} events a second\n`);
    expect(p95).toBeLessThanOrEqual(200);
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });
});
