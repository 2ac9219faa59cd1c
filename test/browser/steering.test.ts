// The dashboard's buttons, pressed in a real browser: the run of the built program really does what they say.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectReadable, launch, openPage, picture, state } from '../rig/browser.ts';
import { expectEnd, expectNothingLeft, fileAt } from '../rig/facts.ts';
import { linkOf } from '../rig/page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

describe('the buttons of the dashboard', () => {
  it('approve and retry in a live run: what waited lands, what failed is tried again; approve at rest: it lands after resume', async ({ bed }) => {
    bed.specs({ a: {}, b: {}, c: { dependsOn: ['b'] }, k: {} }, { agent: bed.hand.agent, parallelism: 4, limits: { attempts: 1 }, land: { protect: 'approve', protected: ['ci/**'] } });
    const server = bed.start(['web']);
    const { page, wrong } = await openPage(browser, await linkOf(server));
    const run = bed.start(['run', '--json']);
    const [a, b, k] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' }), await bed.hand.next({ unit: 'k' })];
    await a.write('ci/check.sh', 'hers\n');
    await a.finish();
    await b.exit(1);
    await page.getByRole('heading', { name: 'Waits for a person (2)' }).waitFor();
    await expectReadable(page);
    await picture(page, 'waits');
    await page.getByRole('button', { name: 'Approve a', exact: true }).click();
    await page.getByText('approved: a').waitFor();
    await run.event('unit.merged', { unit: 'a' });
    await state(page, 'a', 'landed');
    expect(fileAt(bed, 'main', 'ci/check.sh')).toBe('hers\n');
    await page.getByRole('button', { name: 'Retry b', exact: true }).click();
    await (await bed.hand.next({ unit: 'b' })).finish();
    await state(page, 'b', 'landed');
    const c = await bed.hand.next({ unit: 'c' });
    await c.write('ci/other.sh', 'his\n');
    await c.finish();
    await k.finish();
    await state(page, 'c', 'waiting');
    expectEnd(await run.ended, 1);
    await page.getByText('at rest; to go on: choo resume').waitFor();
    await page.getByRole('button', { name: 'Approve c', exact: true }).click();
    await page.getByText('to go on: choo resume').first().waitFor();
    expectEnd(await bed.choo(['resume']), 0);
    await state(page, 'c', 'landed');
    await page.getByText('finished', { exact: true }).waitFor();
    expect(fileAt(bed, 'main', 'ci/other.sh')).toBe('his\n');
    expect(wrong).toEqual([]);
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
    expectNothingLeft(bed);
  });

  it('stop asks once more; "Go on" changes nothing, by keys too; then the run ends as by choo stop and can go on', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    const server = bed.start(['web']);
    const { page, wrong } = await openPage(browser, await linkOf(server));
    const ask = page.getByRole('button', { name: 'Stop the run…' });
    await ask.click();
    await page.getByRole('group', { name: 'stop the run?' }).waitFor();
    await expectReadable(page);
    await picture(page, 'stop');
    await page.getByRole('button', { name: 'Go on', exact: true }).click();
    await ask.focus();
    await page.keyboard.press('Enter');
    // What changes nothing has the focus, and Escape does the same.
    const focused = (name: string): Promise<void> => page.locator('button:focus', { hasText: name }).waitFor();
    await focused('Go on');
    await page.keyboard.press('Enter');
    await focused('Stop the run…');
    await page.keyboard.press('Enter');
    await focused('Go on');
    await page.keyboard.press('Escape');
    await focused('Stop the run…');
    expect(await held.read('.choo.yaml')).toContain('command');
    expect(run.output).not.toContain('orch.stopping');
    await ask.click();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('stopping: agents are interrupted').waitFor();
    await held.gone;
    const ended = await run.ended;
    expect(ended.events.find((e) => e.type === 'orch.stopping')).toMatchObject({ by: 'choo stop', now: false });
    expect(ended.events.at(-1)?.type).toBe('orch.stopped');
    expectEnd(ended, 1);
    await page.getByText('at rest; to go on: choo resume').waitFor();
    await ask.waitFor({ state: 'detached' });
    const again = bed.start(['resume', '--json']);
    await (await bed.hand.next({ attempt: 2 })).finish();
    expectEnd(await again.ended, 0);
    await state(page, 'a', 'landed');
    expect(wrong).toEqual([]);
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });
});
