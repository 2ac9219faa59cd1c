// The screen on a real terminal, as a person sees it: what it shows, what its keys do, and that the terminal is whole afterwards.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { fetchFrom } from '../rig/page.ts';
import { TestTerminal } from '../rig/terminal.ts';
import type { Left } from '../rig/terminal.ts';

function expectWhole(left: Left): void {
  expect(left.screen).toBe('normal');
  expect(left.cursor).toBe('shown');
  expect(left.plain).toBe(true);
  expect(left.modes[0]).not.toBe('');
  expect(left.modes[1]).toBe(left.modes[0]);
  expect(left.text.split('\n').at(-1)).not.toMatch(/^q quit/);
}

const FOUR = { api: {}, billing: { tasks: 2 }, cache: {}, docs: {}, edge: { dependsOn: ['api', 'billing'] } };
const WORKING = ['api', 'billing', 'cache', 'docs'] as const;
/** Where the text of each screen goes; nowhere unless it is set. */
const pictures = process.env['CHOO_TEST_PICTURES'];

/** Keeps a screen to be looked at, which is never as large as its terminal. */
function picture(text: string, o: { readonly name: string; readonly columns: number; readonly rows: number }): string {
  if (pictures !== undefined) writeFileSync(join(pictures, `${o.name}-${o.columns}x${o.rows}.txt`), `${text}\n`);
  const lines = text.split('\n');
  expect(lines.length).toBeLessThan(o.rows);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(o.columns);
  return text;
}

/** What the agent `claude` prints: a step it takes, and that its quota is used up for 50 minutes. */
const uses = (command: string): string => `${JSON.stringify({ type: 'assistant', message: { id: 'm1', role: 'assistant', model: 'm', content: [{ type: 'tool_use', id: 't1', name: 'Bash', input: { command } }], usage: { input_tokens: 9, output_tokens: 4 } } })}\n`;
const refuses = (): string => [
  { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: Math.floor(Date.now() / 1000) + 3000, rateLimitType: 'five_hour' } },
  { type: 'result', subtype: 'success', is_error: true, api_error_status: 429, num_turns: 1, session_id: 's', result: 'You\'ve hit your 5-hour limit', total_cost_usd: 0.02, usage: { input_tokens: 9, output_tokens: 4 } },
].map((line) => `${JSON.stringify(line)}\n`).join('');
const RESULT = `${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, num_turns: 2, result: 'Done.', session_id: 's', total_cost_usd: 0.25, usage: { input_tokens: 9, output_tokens: 4 } })}\n`;

/** A program of the bed's own that speaks like Claude Code, held by the hand, and a setup that is held until `begun` is there. */
function fourOfClaude(bed: Bed): { readonly begun: string } {
  const [agent, begun] = [join(bed.base, 'claude'), join(bed.base, 'begun')];
  writeFileSync(agent, `#!/bin/sh\ncase "$1" in --version) echo "2.1.330 (Claude Code)"; exit;; esac\n${bed.hand.agent} </dev/null\n`, { mode: 0o755 });
  bed.specs(FOUR, {
    provider: { type: 'claude', providers: { claude: { command: agent } } }, limits: { attempts: 1 }, budget: { attempt: '1 USD', run: '40 USD' },
    worktree: { setup: [`[ -e '${begun}' ] || ${bed.hand.check('setup')}`] },
  });
  return { begun };
}

describe('the screen on a terminal', () => {
  for (const [columns, rows] of [[80, 24], [120, 40]] as const) {
    it(`shows a run that starts, four at work, waiting for quota, a failure with its last lines, and what landed, at ${columns}x${rows}`, async ({ bed }) => {
      const { begun } = fourOfClaude(bed);
      const terminal = new TestTerminal(bed, ['run', '-p', '4'], { columns, rows, env: { ANTHROPIC_API_KEY: 'of-the-agent-itself' } });
      const shown = async (name: string, wanted: Parameters<TestTerminal['shows']>[0]): Promise<string> => picture(await terminal.shows(wanted), { name, columns, rows });
      const setup = await bed.hand.next({ name: 'setup' });
      expect(await shown('starting', /^trial worktree: setup and baseline checks$/m)).toMatch(/0 of 5 units landed[^]*longest way: 3 tasks[^]*▸ ○ api +0\/1 +pending/);
      writeFileSync(begun, '');
      await setup.exit();

      const held = await Promise.all(WORKING.map((unit) => bed.hand.next({ unit })));
      for (const [i, agent] of held.entries()) await agent.print(uses(`npm test -- ${WORKING[i] ?? ''} --reporter=dot --some-more-that-makes-it-long`));
      const four = await shown('running', (text) => WORKING.every((unit) => new RegExp(`^● ${unit} +task 1/.*npm test -- `, 'm').test(text)));
      expect(four).toMatch(/○ edge .*after api, billing/);
      expect(terminal.colored).toBe(true);

      for (const [c, r] of [[40, 12], [columns, rows]] as const) {
        terminal.resize(c, r);
        picture(await terminal.shows((text) => text.split('\n').length === r - 1 && /^choo +run 1/.test(text) && /^q quit/m.test(text)), { name: 'running', columns: c, rows: r });
      }

      for (const agent of held) {
        await agent.print(refuses());
        await agent.exit(1);
      }
      expect(await shown('quota', (text) => WORKING.every((unit) => new RegExp(`^◷ ${unit} +waits for the agent claude, next try in`, 'm').test(text)))).toMatch(/^claude has used up its quota, next try in (49m\d\ds|50m00s) /m);
      terminal.type('r');
      const [api, billing, cache, docs] = await Promise.all(WORKING.map((unit) => bed.hand.next({ unit })));

      await billing?.print('reading the specs\nit cannot divide by zero\n');
      await billing?.exit(3);
      expect(await shown('failed', /✗ billing/)).toMatch(/✗ billing +the agent \(claude\) failed: it cannot divide by zero\n {4}reading the specs\n/);
      const finish = async (agent: typeof api): Promise<void> => {
        await agent?.print(RESULT);
        await agent?.finish();
      };
      await finish(api);
      await finish(cache);
      expect(await shown('landed', /✓ api .*landed[^]*✓ cache .*landed/)).toMatch(/2 of 5 units landed/);
      await finish(docs);
      const left = await terminal.ended;
      expectWhole(left);
      expect(left.code).toBe(1);
      if (pictures !== undefined) writeFileSync(join(pictures, `summary-${columns}x${rows}.txt`), `${left.text}\n`);
      expect(left.text).toMatch(/run 1: 3 of 5 units landed, 1 failed, 1 blocked/);
    });
  }

  it('opens a log, follows, finds; fits into a small window and out of it again', async ({ bed }) => {
    bed.specs({ api: {} }, { agent: bed.hand.agent });
    const terminal = new TestTerminal(bed, ['run']);
    const api = await bed.hand.next({ unit: 'api' });
    await terminal.shows(/● api +task 1/);
    terminal.type('\r');
    await terminal.shows(/─ api, command: logs\/api/);
    await api.print('reading the specs\nediting a file\n');
    await terminal.shows(/reading the specs\nediting a file/);
    terminal.type('/READ');
    await terminal.shows(/find: READ/);
    terminal.type('\r');
    await terminal.shows(/no earlier line has READ/);
    terminal.resize(40, 10);
    expect((await terminal.shows((text) => /editing a file/.test(text) && text.split('\n').length === 9)).split('\n').every((line) => line.length < 40)).toBe(true);
    terminal.resize(80, 24);
    await terminal.shows((text) => text.split('\n').length === 23 && /^choo +run 1/.test(text));
    terminal.type('\u001b');
    await terminal.shows(/Esc back/);
    terminal.type('\u001b');
    await terminal.shows(/▸ ● api/);
    await api.finish();
    const left = await terminal.ended;
    expectWhole(left);
    expect(left.code).toBe(0);
    expect(left.text).toMatch(/run 1: 1 of 1 unit landed/);
  });

  it('stops with Ctrl-C and kills with the second', async ({ bed }) => {
    bed.specs({ api: {} }, { agent: bed.hand.agent });
    const terminal = new TestTerminal(bed, ['run']);
    const api = await bed.hand.next({ unit: 'api' });
    await api.ignore('SIGTERM', 'SIGINT');
    await terminal.shows(/● api +task 1/);
    terminal.type('\u0003');
    await terminal.shows(/stopping \(SIGINT\)/);
    terminal.type('\u0003');
    const left = await terminal.ended;
    expectWhole(left);
    expect(left.code).toBe(130);
    expect(left.text).toMatch(/run 1: 0 of 1 unit landed/);
  });

  it('keeps running with lines after q and k', async ({ bed }) => {
    bed.specs({ api: {} }, { agent: bed.hand.agent });
    const terminal = new TestTerminal(bed, ['run']);
    const api = await bed.hand.next({ unit: 'api' });
    await terminal.shows(/● api +task 1/);
    terminal.type('q');
    await terminal.shows(/k keep running, with plain lines +s stop the run/);
    terminal.type('k');
    await terminal.shows(/the screen is closed, the run goes on/);
    await api.finish();
    const left = await terminal.ended;
    expectWhole(left);
    expect(left.code).toBe(0);
    expect(left.text).toMatch(/api\/1 +done\n[^]*landed on main/);
  });

  it('retries what failed, and stops after a question', async ({ bed }) => {
    bed.specs({ api: {}, web: {} }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    const terminal = new TestTerminal(bed, ['run', '-p', '2']);
    const [api] = await Promise.all([bed.hand.next({ unit: 'api' }), bed.hand.next({ unit: 'web' })]);
    await api.exit(1);
    await terminal.shows(/✗ api/);
    terminal.type('\u001b[H');
    await terminal.shows(/▸ ✗ api[^]*r retry/);
    terminal.type('r');
    await terminal.shows(/attempts given back to api/);
    await bed.hand.next({ unit: 'api' });
    terminal.type('s');
    await terminal.shows(/Stop the run\?/);
    terminal.type('y');
    const left = await terminal.ended;
    expectWhole(left);
    expect(left.code).toBe(1);
  });

  it('opens the dashboard with d, by a file that only its user reads, and shows its address also where there is little room', async ({ bed }) => {
    bed.specs({ api: {} }, { agent: bed.hand.agent });
    const [programs, told] = [join(bed.base, 'programs'), join(bed.base, 'told')];
    mkdirSync(programs);
    execFileSync('mkfifo', [told]);
    writeFileSync(join(programs, 'xdg-open'), `#!/bin/sh\nprintf %s "$1" > '${told}'\n`, { mode: 0o755 });
    const terminal = new TestTerminal(bed, ['run'], { env: { DISPLAY: ':99', PATH: `${programs}:${process.env['PATH'] ?? ''}` } });
    const api = await bed.hand.next({ unit: 'api' });
    expect(await terminal.shows(/● api +task 1/)).toMatch(/d dashboard/);
    terminal.type('d');
    const opened = await readFile(told, 'utf8');
    const [, address = '', port, token = ''] = /^(http:\/\/127\.0\.0\.1:(\d+)\/\?token=([\w-]{43}))$/m.exec(await terminal.shows(/^http:\/\/\S+$/m)) ?? [];
    expect(opened).not.toContain(token);
    expect(readFileSync(opened, 'utf8')).toContain(`content="0; url=${address}"`);
    expect(statSync(opened).mode % 0o1000).toBe(0o600);
    terminal.resize(40, 10);
    await terminal.shows((text) => text.replaceAll('\n', '').includes(address) && text.split('\n').length === 9);
    expect((await fetchFrom({ port: Number(port), token }, '/api/runs')).status).toBe(200);
    await api.finish();
    expectWhole(await terminal.ended);
    await expect(fetchFrom({ port: Number(port), token }, '/api/runs')).rejects.toThrow('ECONNREFUSED');
  });

  it('leaves the terminal whole when the run breaks off', async ({ bed }) => {
    bed.specs({ api: {} }, { agent: bed.hand.agent });
    const terminal = new TestTerminal(bed, ['run']);
    const api = await bed.hand.next({ unit: 'api' });
    await terminal.shows(/● api +task 1/);
    rmSync(join(bed.root, '.git', 'choo', 'lock'));
    await api.finish();
    const left = await terminal.ended;
    expectWhole(left);
    expect(left.code).toBe(1);
    expect(left.text).toMatch(/error: /);
  });

  for (const [how, signal, code] of [['it was asked to end', 'SIGTERM', 143], ['it was killed', 'SIGKILL', 137], ['it crashed', 'SIGUSR2', 1]] as const) {
    it(`leaves the terminal whole after ${how}`, async ({ bed }) => {
      bed.specs({ api: {} }, { agent: bed.hand.agent });
      const defect = join(bed.base, 'defect.cjs');
      writeFileSync(defect, 'process.on("SIGUSR2", () => { throw new Error("a defect that nobody expected"); });\n');
      const terminal = new TestTerminal(bed, ['run'], { env: { NODE_OPTIONS: `--require ${defect}` } });
      const api = await bed.hand.next({ unit: 'api' });
      await terminal.shows(/● api +task 1/);
      process.kill(terminal.pid, signal);
      const left = await terminal.ended;
      expectWhole(left);
      expect(left.code).toBe(code);
      if (signal === 'SIGUSR2') expect(left.text).toContain('a defect that nobody expected');
      await api.gone;
      await bed.quiet();
    });
  }

  it('goes on after an agent was killed, and leaves the terminal whole', async ({ bed }) => {
    bed.specs({ api: {}, docs: {} }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    const terminal = new TestTerminal(bed, ['run', '-p', '2']);
    const [api, docs] = await Promise.all([bed.hand.next({ unit: 'api' }), bed.hand.next({ unit: 'docs' })]);
    await terminal.shows(/● api +task 1/);
    // Its own number may be one of a namespace.
    await expect(api.sh('kill -KILL $PPID')).rejects.toThrow('ended before');
    expect(await terminal.shows(/^✗ api /m)).toMatch(/^● docs +task 1/m);
    await docs.finish();
    const left = await terminal.ended;
    expectWhole(left);
    expect(left.code).toBe(1);
    expect(left.text).toMatch(/run 1: 1 of 2 units landed, 1 failed/);
  });

  it('has no colour with NO_COLOR, and is no screen on a dumb terminal or with --no-tui', async ({ bed }) => {
    bed.specs({ api: {} }, { agent: bed.hand.agent });
    const plain = new TestTerminal(bed, ['run'], { env: { NO_COLOR: '1' } });
    const api = await bed.hand.next({ unit: 'api' });
    await plain.shows(/● api +task 1/);
    expect(plain.colored).toBe(false);
    plain.type('\u0003');
    await api.gone;
    expectWhole(await plain.ended);
    for (const [argv, env] of [[['resume'], { TERM: 'dumb' }], [['resume', '--no-tui'], {}], [['resume'], { CI: 'true' }]] as const) {
      const lines = new TestTerminal(bed, [...argv], { env });
      const again = await bed.hand.next({ unit: 'api' });
      await lines.shows(/run 1 goes on/);
      process.kill(lines.pid, 'SIGTERM');
      await again.gone;
      expect((await lines.ended).written).not.toContain('\u001b[?1049h');
    }
  });
});
