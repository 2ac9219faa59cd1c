// Logs on the dashboard in a real browser: streamed while the agent prints, over a restart of the server, what messages say and the messages
// themselves, and the beginning of a long one when it is asked for.

import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { launch, picture } from '../rig/browser.ts';
import { linkOf } from '../rig/page.ts';

const HOSTILE = '<img src=x onerror="document.title=\'hacked\'">';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

describe('a log on the dashboard', () => {
  it('is streamed as what the messages say, or raw, and goes back to its beginning', async ({ bed }) => {
    const says = (text: string): string => `${JSON.stringify({ type: 'assistant', message: { id: 'm1', role: 'assistant', model: 'claude-test', content: [{ type: 'text', text }], usage: { input_tokens: 900, output_tokens: 40 } } })}\n`;
    const program = join(bed.base, 'claude');
    writeFileSync(program, `#!/bin/sh\ncase "$1" in --version) echo "2.1.330 (Claude Code)"; exit;; esac\n${bed.hand.agent} </dev/null\n`, { mode: 0o755 });
    bed.specs({ a: {} }, { provider: { type: 'claude', providers: { claude: { command: program } } } });
    const run = bed.start(['run', '--json'], { env: { ANTHROPIC_API_KEY: 'a-key-of-the-agent-itself' } });
    const held = await bed.hand.next({ unit: 'a' });
    const first = bed.start(['web']);
    const link = await linkOf(first);
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`http://127.0.0.1:${link.port}/?token=${link.token}`);
    await page.locator('.line[data-unit="a"]').click();
    const log = page.getByRole('log', { name: 'Output of task 1' });
    await held.print(says(`I begin with ${HOSTILE}.`));
    await log.getByText(`text     I begin with ${HOSTILE}.`).waitFor();
    await held.print(says('Half of it is there 🦉.'));
    await log.getByText('🦉').waitFor();
    // The server goes; what was printed meanwhile is there once it is back, each line once.
    first.signal('SIGINT');
    expect((await first.ended).code).toBe(0);
    await page.getByText('the log\'s stream was lost').waitFor();
    await held.print(says('Meanwhile I went on.'));
    const again = bed.start(['web']);
    expect(await linkOf(again)).toEqual(link);
    await log.getByText('Meanwhile').waitFor();
    expect(await log.textContent()).toBe(`text     I begin with ${HOSTILE}.\ntext     Half of it is there 🦉.\ntext     Meanwhile I went on.\n`);
    await picture(page, 'log');
    await page.getByLabel('raw').check();
    await log.getByText('{"type":"assistant"').waitFor();
    expect(await log.textContent()).toBe([`I begin with ${HOSTILE}.`, 'Half of it is there 🦉.', 'Meanwhile I went on.'].map((text) => says(text)).join(''));
    await page.getByLabel('raw').uncheck();
    // Nobody asks again and again: a stream is what brings it.
    expect(asked.filter((url) => url.includes('/logs/') && !url.includes('/stream'))).toEqual([]);
    const lines = Array.from({ length: 12_000 }, (_, n) => `line ${n} of many that are printed\n`);
    for (let n = 0; n < lines.length; n += 1000) await held.print(lines.slice(n, n + 1000).join(''));
    await log.getByText('line 11999 of').waitFor();
    expect(await log.textContent()).not.toContain('I begin');
    await page.getByRole('button', { name: 'show earlier' }).click();
    await log.getByText('I begin').waitFor();
    await page.getByRole('button', { name: 'show earlier' }).waitFor({ state: 'detached' });
    await held.print(says('The end.'));
    await log.getByText('The end.').waitFor();
    expect(await log.textContent()).toBe(`text     I begin with ${HOSTILE}.\ntext     Half of it is there 🦉.\ntext     Meanwhile I went on.\n${lines.join('')}text     The end.\n`);
    await picture(page, 'log-long');
    await held.finish();
    expectEnd(await run.ended, 0);
    await page.getByRole('heading', { name: 'Output of task 1, attempt 1', exact: true }).waitFor();
    expect(await page.title()).toBe('choo');
    again.signal('SIGINT');
    expect((await again.ended).code).toBe(0);
  });
});
