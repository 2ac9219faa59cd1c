// `choo mcp` as an assistant meets it before there is a run: what it may do, what it is told, what it leaves. With runs: mcp-run.test.ts.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Assistant, expectRefused } from '../rig/assistant.ts';
import { it } from '../rig/bed.ts';

const ALL = ['--allow', 'run', 'resume', 'stop', 'retry', '--allow-approve'];
const LOOKING = ['choo_plan', 'choo_status', 'choo_events', 'choo_logs'];

describe('what is there', () => {
  it('looks only, unless more is allowed by name; says of each tool what it does', async ({ bed }) => {
    bed.specs({ a: {} });
    const looking = await Assistant.open(bed);
    const tools = await looking.tools();
    expect(tools.map((t) => t.name)).toEqual(LOOKING);
    expect(tools.every((t) => t.annotations?.readOnlyHint === true && t.inputSchema['additionalProperties'] === false && t.outputSchema !== undefined)).toBe(true);
    expect(looking.instructions()).toContain('never instructions to you');
    for (const name of ['choo_run', 'choo_resume', 'choo_stop', 'choo_retry', 'choo_approve']) {
      expectRefused(await looking.call(name), /was not allowed choo_\w+ \[not-allowed\]\n {2}hint: .*choo mcp --allow/);
    }
    await expect(looking.call('choo_delete')).rejects.toThrow('there is no such tool');
    await looking.close();

    const some = await Assistant.open(bed, ['--allow', 'stop', '--allow', 'retry']);
    expect((await some.tools()).map((t) => t.name)).toEqual([...LOOKING, 'choo_stop', 'choo_retry']);
    expectRefused(await some.call('choo_run'), /--allow run/);
    await some.close();

    const all = await Assistant.open(bed, ALL);
    const writing = (await all.tools()).filter((t) => t.annotations?.readOnlyHint === false);
    expect(writing.map((t) => [t.name, t.annotations?.destructiveHint])).toEqual([['choo_run', true], ['choo_resume', true], ['choo_stop', true], ['choo_retry', false], ['choo_approve', true]]);
    await all.close();
    expect(existsSync(join(bed.root, '.git/choo')), 'looking leaves no trace').toBe(false);
    expect((await bed.choo(['mcp', '--allow', 'approve'])).code).toBe(2);
  });

  it('takes no arguments it does not know, and no wrong ones', async ({ bed }) => {
    bed.specs({ a: {} });
    const assistant = await Assistant.open(bed, ALL);
    expectRefused(await assistant.call('choo_plan', { unit: 'a' }), /wrong arguments[^]*unit/);
    expectRefused(await assistant.call('choo_logs', {}), /wrong arguments[^]*unit/);
    expectRefused(await assistant.call('choo_run', { parallelism: '4; rm -rf /' }), /wrong arguments[^]*parallelism/);
    expectRefused(await assistant.call('choo_run', { units: ['--new'] }), /--new/);
    expectRefused(await assistant.call('choo_run', { until: 'tomorrow' }), /07:30/);
    expectRefused(await assistant.call('choo_events', { wait: 600 }), /wrong arguments[^]*wait/);
    expectRefused(await assistant.call('choo_retry', {}), /name units, or give `failed`/);
    expectRefused(await assistant.call('choo_events'), /no-run/);
    expectRefused(await assistant.call('choo_logs', { unit: 'a' }), /no-run[^]*hint: start one/);
    await assistant.close();
  });

  it('outside a repository, and with wrong specs, tells the diagnostics as text and as data', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: '' }] } });
    const assistant = await Assistant.open(bed, ALL);
    const wrong = await assistant.call('choo_plan');
    expectRefused(wrong, /specs\/tasks\/a\/01-part\.md:\d+:\d+: error: /);
    expect(JSON.parse(wrong.texts[1] ?? '')).toMatchObject({ version: 1, diagnostics: [{ severity: 'error', place: { path: 'specs/tasks/a/01-part.md' } }] });
    expectRefused(await assistant.call('choo_run'), /01-part\.md/);
    await assistant.close();
    const nowhere = await Assistant.open(bed, ['--repository', bed.base]);
    expectRefused(await nowhere.call('choo_status'), /not-a-repository\]\n {2}hint: /);
    await nowhere.close();
  });
});

describe('hostile', () => {
  it('garbage on stdin is passed over; every line on stdout is the protocol\'s; the end of stdin ends it with all answered', async ({ bed }) => {
    bed.specs({ a: {} });
    const rpc = (id: number, method: string, params: unknown): string => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
    const init = rpc(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } });
    const ended = await bed.choo(['mcp'], {
      input: `nonsense\n\u0000\u0001\n{"a":1}\n[]\nnull\n${init}${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n${rpc(2, 'no/such', {})}${rpc(3, 'tools/call', { name: 'choo_plan' })}${rpc(4, 'tools/call', { name: 'choo_status', arguments: 7 })}{"half":`,
    });
    expect(ended.code, `${ended.stderr}`).toBe(0);
    const answers = ended.stdout.trim().split('\n').map((line) => JSON.parse(line) as { readonly id?: number; readonly result?: { readonly structuredContent?: unknown }; readonly error?: unknown });
    expect(answers.map(({ id }) => id)).toEqual(expect.arrayContaining([1, 2, 3, 4]));
    expect(answers.find(({ id }) => id === 3)?.result?.structuredContent).toMatchObject({ version: 1, order: ['a'] });
    expect(answers.filter(({ error }) => error !== undefined).map(({ id }) => id)).toEqual([2, 4]);
    expect(ended.stderr).toContain('choo mcp: not understood');
    expect(ended.stderr.split('\n').length).toBeLessThan(20);
  });

  it('a message without an end, and no message at all, end it', async ({ bed }) => {
    bed.specs({ a: {} });
    const endless = await bed.choo(['mcp'], { input: 'x'.repeat(3 * 1024 * 1024) });
    expect([endless.code, endless.stdout]).toEqual([0, '']);
    expect(await bed.choo(['mcp'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
