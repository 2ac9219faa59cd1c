// The screen on a real terminal, as a person sees it: what it shows, what its keys do, and that the terminal is whole afterwards.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { fetchFrom } from '../rig/page.ts';
import { TestTerminal } from '../rig/terminal.ts';
import type { Left } from '../rig/terminal.ts';

function expectWhole(left: Left): void {
  expect(left.screen).toBe('normal');
  expect(left.cursor).toBe('shown');
  expect(left.modes[0]).not.toBe('');
  expect(left.modes[1]).toBe(left.modes[0]);
  expect(left.text.split('\n').at(-1)).not.toMatch(/^q quit/);
}

const FOUR = { api: {}, billing: { tasks: 2 }, cache: {}, docs: {}, edge: { dependsOn: ['api', 'billing'] } };

describe('the screen on a terminal', () => {
  for (const [columns, rows] of [[80, 24], [120, 40]] as const) {
    it(`shows four at work, a failure with its last lines and what landed, at ${columns}x${rows}`, async ({ bed }) => {
      bed.specs(FOUR, { agent: bed.hand.agent, limits: { attempts: 1 } });
      const terminal = new TestTerminal(bed, ['run', '-p', '4'], { columns, rows });
      const held = await Promise.all(['api', 'billing', 'cache', 'docs'].map((unit) => bed.hand.next({ unit })));
      const four = await terminal.shows((text) => ['api', 'billing', 'cache', 'docs'].every((unit) => new RegExp(`^● ${unit} +task 1/`, 'm').test(text)));
      expect(four).toMatch(/0 of 5 units landed/);
      expect(four).toMatch(/○ edge .*after api, billing/);
      expect(four.split('\n').length).toBeLessThan(rows);
      expect(terminal.colored).toBe(true);
      const [api, billing, cache, docs] = held;
      await billing?.print('cannot divide by zero\n');
      await billing?.exit(3);
      expect(await terminal.shows(/✗ billing/)).toMatch(/✗ billing +the agent .* failed with exit code 3\n +cannot divide by zero/);
      await api?.finish();
      expect(await terminal.shows(/✓ api .*landed/)).toMatch(/1 of 5 units landed/);
      await Promise.all([cache?.finish(), docs?.finish()]);
      const left = await terminal.ended;
      expectWhole(left);
      expect(left.code).toBe(1);
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
    await terminal.shows((text) => text.replaceAll('\n', '').endsWith(address) && text.split('\n').length === 9);
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

  for (const [signal, code] of [['SIGTERM', 143], ['SIGKILL', 137]] as const) {
    it(`leaves the terminal whole after ${signal}`, async ({ bed }) => {
      bed.specs({ api: {} }, { agent: bed.hand.agent });
      const terminal = new TestTerminal(bed, ['run']);
      const api = await bed.hand.next({ unit: 'api' });
      await terminal.shows(/● api +task 1/);
      process.kill(terminal.pid, signal);
      const left = await terminal.ended;
      expectWhole(left);
      expect(left.code).toBe(code);
      if (signal === 'SIGKILL') process.kill(api.pid, 'SIGKILL');
      await api.gone;
    });
  }

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
