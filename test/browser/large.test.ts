// A run of a thousand units: the page stays quick while events come, and while another run has the cores.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { BigJournal } from '../rig/big-journal.ts';
import { launch } from '../rig/browser.ts';
import { linkOf } from '../rig/page.ts';

/** Opens the unit on one of the lines of a list, and tells how long it took until that was painted, ms. */
const CLICK = `async ([n, lines, target]) => {
  const all = [...document.querySelectorAll(lines)];
  const line = all[n % all.length];
  const began = performance.now();
  (target === '' ? line : line.querySelector(target)).click();
  for (;;) {
    await new Promise((resolve) => requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); port2.onmessage = resolve; port1.postMessage(0); }));
    if (document.querySelector('.unit h2')?.textContent === line.dataset.unit) return performance.now() - began;
  }
}`;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

describe('a thousand units', () => {
  it('answers clicks within 200 ms while 50 events a second come and a run works on the same machine', async ({ bed }) => {
    // Another repository's run has the same cores meanwhile.
    bed.specs(Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`u${i}`, { tasks: [{}, {}, {}] }])), { agent: DOES_IT });
    bed.git('clone', '-q', bed.root, `${bed.base}/busy`);
    const journal = new BigJournal(bed.root, 1000);
    const server = bed.start(['web']);
    const link = await linkOf(server);
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    await page.goto(`http://127.0.0.1:${link.port}/?token=${link.token}`);
    await page.locator('.line').first().waitFor();
    expect(await page.locator('.line').count()).toBeLessThan(40);
    const run = bed.start(['run', '--json', '-p', '4'], { cwd: `${bed.base}/busy` });
    let atWork = true;
    const over = run.ended.then(() => { atWork = false; });
    await run.event('unit.merged');
    let sent = 0;
    /** Opens so many units, one after the other, while events come; with the 95th of a hundred times. */
    const clicks = async (where: string, o: { readonly count: number; readonly lines: string; readonly target: string }): Promise<number> => {
      const times: number[] = [];
      const began = performance.now();
      const before = sent;
      for (let n = 0; n < o.count; n++) {
        // As many as 50 a second ask for by now, five at a time at least.
        const due = Math.max(5, Math.round((performance.now() - began) / 20) - (sent - before));
        sent += due;
        journal.more(due);
        times.push(await page.evaluate<number>(`(${CLICK})(${JSON.stringify([n, o.lines, o.target])})`));
      }
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): number => Math.round(sorted[Math.ceil(o.count * share) - 1] ?? Infinity);
      process.stdout.write(`click to paint (${where}): p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ${Math.round((sent - before) / (performance.now() - began) * 1000)} events a second\n`);
      return at(0.95);
    };
    expect(await clicks('list', { count: 100, lines: '.line', target: '' })).toBeLessThanOrEqual(200);
    await page.locator('#timeline').scrollIntoViewIfNeeded();
    await page.locator('.gantt .row').first().waitFor();
    expect(await page.locator('.gantt .row').count()).toBeLessThan(50);
    expect(await clicks('timeline', { count: 40, lines: '.gantt .row', target: 'button' })).toBeLessThanOrEqual(200);
    expect(atWork).toBe(true);
    run.signal('SIGINT');
    await over;
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });
});
