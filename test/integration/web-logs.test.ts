// Logs as `choo web` of the built program streams them: while an agent prints, over lost connections, as messages or as what they say.

import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { fetchFrom, linkOf, Stream } from '../rig/page.ts';
import type { Link } from '../rig/page.ts';

const SECRET = 'pa55/word+that"nobody-sees';

async function end(running: ReturnType<Bed['start']>): Promise<void> {
  running.signal('SIGINT');
  expect((await running.ended).code).toBe(0);
}

/** The path of the newest attempt's log of a unit. */
async function newestLog(link: Link, unit: string): Promise<string> {
  const { attempts } = JSON.parse((await fetchFrom(link, `/api/runs/newest/units/${unit}`)).text) as { readonly attempts: readonly { readonly seq: number }[] };
  return `/api/runs/newest/units/${unit}/logs/${attempts.at(-1)?.seq ?? 0}`;
}

const has = (stream: Stream, text: string): Promise<unknown> => stream.until(() => stream.text.includes(text));

describe('the stream of a log', () => {
  it('follows an agent as it prints, goes on where a reader was, shows what is beside a full log, and ends with the attempt', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent, limits: { output: '64KiB' } });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    const server = bed.start(['web', '--port', '0']);
    const link = await linkOf(server);
    const path = await newestLog(link, 'a');
    const first = await Stream.open(link, { path: `${path}/stream` });
    expect(await first.until(() => true)).toMatchObject({ event: 'begin', id: '0', data: { from: '0', said: false } });
    await held.print('héllo 🦉\n');
    await has(first, 'héllo 🦉\n');
    first.close();
    // While nobody reads: what comes is there for who comes back, once.
    await held.print('meanwhile\n');
    // A browser asks again under the address of its first time: what it has by now counts.
    const second = await Stream.open(link, { path: `${path}/stream?after=0`, after: first.all.at(-1)?.id });
    await held.print('and then\n');
    await has(second, 'and then\n');
    expect(first.text + second.text).toBe('héllo 🦉\nmeanwhile\nand then\n');
    const lines = Array.from({ length: 3000 }, (_, n) => `line ${n} é🦉 of many\n`);
    for (let n = 0; n < lines.length; n += 300) {
      await held.print(lines.slice(n, n + 300).join(''));
      await has(second, lines[n + 299] ?? '');
    }
    second.close();
    const third = await Stream.open(link, { path: `${path}/stream`, after: second.all.at(-1)?.id });
    await held.print('the last\n');
    await held.finish();
    await third.until(({ event }) => event === 'end');
    expect(second.text + third.text).toBe(`meanwhile\nand then\n${lines.join('')}the last\n`);
    expect(await third.until(() => true)).toBeUndefined();
    expectEnd(await run.ended, 0);
    // Over: who comes back gets the end alone, who comes anew the log as it is kept.
    const late = await Stream.open(link, { path: `${path}/stream`, after: third.all.findLast(({ id }) => id !== undefined)?.id });
    expect(await late.until(() => true)).toMatchObject({ event: 'end', data: { text: '' } });
    const whole = await Stream.open(link, { path: `${path}/stream` });
    await whole.until(({ event }) => event === 'end');
    expect(whole.text).toMatch(/^héllo 🦉\n[^]*\n\[choo left out \d+ bytes here\]\n[^]*the last\n$/);
    expect((await fetchFrom(link, `${path}/stream?after=x`)).status).toBe(400);
    for (const wrong of [`${path}/streams`, `${path}/stream/x`, '/api/runs/newest/units/a/logs/1/stream', '/api/runs/newest/units/a/diff/1/stream']) expect([wrong, (await fetchFrom(link, wrong)).status]).toEqual([wrong, 404]);
    await end(server);
  });

  it('says what messages say, without secrets, and gives the messages themselves to who asks for them; a reader that takes nothing is no trouble', async ({ bed }) => {
    const says = (text: string): string => `${JSON.stringify({ type: 'assistant', message: { id: 'm1', role: 'assistant', model: 'claude-test', content: [{ type: 'text', text }], usage: { input_tokens: 900, output_tokens: 40 } } })}\n`;
    const program = join(bed.base, 'claude');
    writeFileSync(program, `#!/bin/sh\ncase "$1" in --version) echo "2.1.330 (Claude Code)"; exit;; esac\n${bed.hand.agent} </dev/null\n`);
    chmodSync(program, 0o755);
    bed.specs({ a: {} }, { provider: { type: 'claude', providers: { claude: { command: program } } } });
    const env = { MY_SERVICE_TOKEN: SECRET, ANTHROPIC_API_KEY: 'a-key-of-the-agent-itself' };
    const run = bed.start(['run', '--json'], { env });
    const held = await bed.hand.next({ unit: 'a' });
    const server = bed.start(['web', '--port', '0'], { env });
    const link = await linkOf(server);
    const path = await newestLog(link, 'a');
    const slow = connect(link.port, '127.0.0.1').on('error', () => undefined).pause();
    slow.write(`GET ${path}/stream HTTP/1.1\r\nHost: 127.0.0.1:${link.port}\r\nAuthorization: Bearer ${link.token}\r\n\r\n`);
    const said = await Stream.open(link, { path: `${path}/stream?said` });
    expect(await said.until(() => true)).toMatchObject({ event: 'begin', data: { said: true } });
    await held.print(says(`I have seen ${SECRET} 🦉.`));
    await has(said, '🦉');
    said.close();
    await held.print(says('Then I wrote it down.'));
    const next = await Stream.open(link, { path: `${path}/stream?said`, after: said.all.at(-1)?.id });
    await has(next, 'wrote it down');
    expect(said.text + next.text).toBe('text     I have seen [redacted] 🦉.\ntext     Then I wrote it down.\n');
    for (let n = 0; n < 40; n++) await held.print('x'.repeat(200_000));
    await held.print(`\n${says('The end.')}${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, num_turns: 2, result: 'Done.', session_id: 's', total_cost_usd: 0.25, usage: { input_tokens: 900, output_tokens: 40 } })}\n`);
    await held.finish();
    await next.until(({ event }) => event === 'end');
    expect(next.all.at(-1)?.data.text).toMatch(/^used {5}\$0\.25/);
    expectEnd(await run.ended, 0);
    const raw = await Stream.open(link, { path: `${path}/stream` });
    await raw.until(({ event }) => event === 'end');
    expect(raw.text).toContain('{"type":"assistant"');
    expect(raw.text).not.toContain(SECRET);
    // The beginning of a long log is asked for, piece by piece.
    let before = raw.all[0]?.data.from ?? '';
    let text = raw.text;
    for (; before !== '0';) {
      const piece = await fetchFrom(link, `${path}?before=${before}`);
      text = piece.text + text;
      before = String(piece.headers['x-choo-from']);
    }
    expect(text.startsWith(says('I have seen [redacted] 🦉.'))).toBe(true);
    expect(text.split('x'.repeat(8_000_000)).length).toBe(2);
    slow.destroy();
    await end(server);
  });
});
