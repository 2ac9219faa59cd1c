// `choo status --watch` on a terminal: one picture that changes in place, also with what the agents do between two events.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');
const SECRET = 'nobody-sees-this-one';
const says = (content: unknown): string => `${JSON.stringify({ type: 'assistant', message: { id: 'm1', role: 'assistant', model: 'm', content: [content], usage: { input_tokens: 9, output_tokens: 4 } } })}\n`;
const RESULT = `${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, num_turns: 2, result: 'Done.', session_id: 's', total_cost_usd: 0.25, usage: { input_tokens: 9, output_tokens: 4 } })}\n`;

it('shows what an agent is doing as it does it, and its secrets never', async ({ bed }) => {
  const agent = join(bed.base, 'claude');
  writeFileSync(agent, `#!/bin/sh\ncase "$1" in --version) echo "2.1.330 (Claude Code)"; exit;; esac\n${bed.hand.agent} </dev/null\n`);
  chmodSync(agent, 0o755);
  bed.specs({ a: {} }, { provider: { type: 'claude', providers: { claude: { command: agent } } } });
  const env = { ANTHROPIC_API_KEY: 'of-the-agent-itself', MY_SERVICE_TOKEN: SECRET };
  const run = bed.start(['run', '--json'], { env });
  const held = await bed.hand.next();
  const watcher = spawn('script', ['-qec', `stty rows 12 cols 60; exec '${process.execPath}' '${program}' status --watch`, '/dev/null'], { cwd: bed.root, env: { ...bed.env, ...env, TERM: 'xterm', XDG_STATE_HOME: bed.state }, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(watcher, 'close');
  let all = '';
  const seen = (what: RegExp): Promise<void> => new Promise((resolve) => {
    const look = (): void => { if (what.test(all)) resolve(); };
    watcher.stdout.on('data', look);
    look();
  });
  watcher.stdout.setEncoding('utf8').on('data', (text: string) => { all += text; });
  await seen(/task 1, attempt 1/);
  await held.print(says({ type: 'text', text: `I write it down, ${SECRET}.` }));
  await seen(/I write it down.* .*\(at \d\d:\d\d:\d\d\)/);
  await held.print(says({ type: 'text', text: 'Nearly there.' }));
  await seen(/Nearly there\./);
  await held.print(RESULT);
  await held.finish();
  expectEnd(await run.ended, 0);
  expect(await ended).toEqual([0, null]);
  expect(all).not.toContain(SECRET);
  // Cleared once, then drawn over.
  expect(all.split('\u001b[2J')).toHaveLength(2);
  expect(all.split('\u001b[H').length).toBeGreaterThan(3);
  expect(all).toContain('1 of 1 unit landed');
  expect(all.endsWith('\u001b[J')).toBe(true);
});
