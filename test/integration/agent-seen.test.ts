// What people see of an agent that tells what it does in messages, and that nobody sees its secrets: logs, status, journal, output.

import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Held } from '../rig/hand.ts';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';

const SECRET = 'pa55/word+that"nobody-sees';

const says = (...content: readonly unknown[]): string => `${JSON.stringify({ type: 'assistant', message: { id: 'm1', role: 'assistant', model: 'claude-test', content, usage: { input_tokens: 900, output_tokens: 40 } } })}\n`;
const uses = (name: string, input: unknown): string => says({ type: 'tool_use', id: 't1', name, input });
const RESULT = `${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, num_turns: 2, result: 'Done.', session_id: 's', total_cost_usd: 0.25, usage: { input_tokens: 900, output_tokens: 40 } })}\n`;

/** The unit `a`, whose agent is called claude and is held by the hand. */
function claude(bed: Bed, more: Readonly<Record<string, unknown>> = {}): void {
  const program = join(bed.base, 'claude');
  writeFileSync(program, `#!/bin/sh\ncase "$1" in --version) echo "2.1.330 (Claude Code)"; exit;; esac\n${bed.hand.agent} </dev/null\n`);
  chmodSync(program, 0o755);
  bed.specs({ a: {} }, { provider: { type: 'claude', providers: { claude: { command: program } } }, ...more });
}

async function works(held: Held): Promise<void> {
  await held.print(uses('Bash', { command: `curl -H "x: ${SECRET}" example.org` }));
  await held.print('{"type":"something_new","of":"the next version"}\n');
  await held.print(says({ type: 'text', text: 'I wrote it down.' }));
  await held.print(RESULT);
}

/** Every file of the run's folder as one text. */
function kept(bed: Bed): string {
  const folder = join(bed.root, '.git', 'choo');
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('\n');
}

const env = { MY_SERVICE_TOKEN: SECRET, ANTHROPIC_API_KEY: 'a-key-of-the-agent-itself' };

/** The unit `a`, whose agent has this name, says its version when asked, and then prints these messages and does its work. */
function talker(bed: Bed, o: { readonly agent: string; readonly version: string; readonly lines: readonly unknown[]; readonly config?: Readonly<Record<string, unknown>> }): void {
  const program = join(bed.base, o.agent);
  const lines = o.lines.map((line) => `echo '${JSON.stringify(line)}'\n`).join('');
  writeFileSync(program, `#!/bin/sh\ncase "$1" in --version) echo "${o.version}"; exit;; esac\ncat > /dev/null\n${lines}${DOES_IT}\n`, { mode: 0o755 });
  bed.specs({ a: {} }, { provider: { type: o.agent, providers: { [o.agent]: { command: program } } }, ...o.config });
}

const STATS = { total_tokens: 1300, input_tokens: 1000, output_tokens: 250, cached: 100, models: { 'gemini-x': { total_tokens: 1300 } } };
const GEMINI = { agent: 'gemini', version: '0.61.0', lines: [{ type: 'init', session_id: 's' }, { type: 'result', status: 'success', stats: STATS }] };
const OPENCODE = { agent: 'opencode', version: '1.18.33', lines: [{ type: 'step_finish', sessionID: 'ses_1', part: { reason: 'stop', cost: 0, tokens: { input: 1000, output: 50, reasoning: 0, cache: { read: 0, write: 0 } } } }] };

describe('what an attempt used', () => {
  it('is noted also of an agent that tells it with its last words', async ({ bed }) => {
    talker(bed, { ...GEMINI, config: { agents: { gemini: { prices: { '*': { input: 1, output: 2 } } } } } });
    const ended = await bed.choo(['run', '--json'], { env: { GEMINI_API_KEY: 'dummy' } });
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'task.attempted')).toMatchObject({ usage: { input: 900, output: 300, cacheRead: 100, model: 'gemini-x' } });
    expect(ended.stderr).toContain('1,300 tokens');
  });

  it('is the whole cap, whatever it tells then, when a budget could not have ended it there', async ({ bed }) => {
    talker(bed, { ...GEMINI, config: { budget: { attempt: '5000 tokens', unseen: 'allow' } } });
    const ended = await bed.choo(['run', '--json'], { env: { GEMINI_API_KEY: 'dummy' } });
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'task.attempted')).not.toHaveProperty('usage');
    expect((await bed.choo(['status'])).stdout).toContain('5,000 tokens');
  });

  it('must be seen in money when the budget is in money: without a price the agent is ended at its first report', async ({ bed }) => {
    talker(bed, { ...OPENCODE, config: { budget: { attempt: '1 USD' } } });
    const ended = await bed.choo(['run', '--json'], { env: { OPENCODE_API_KEY: 'dummy' } });
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'task.attempt.failed')).toMatchObject({ failure: { kind: 'agent-trouble', trouble: 'setup', text: expect.stringContaining('agents.opencode.prices') as string } });
    expect(ended.events.find((e) => e.type === 'unit.waiting')).toMatchObject({ for: 'person', agent: 'opencode' });
  });

  it('may be nothing by the prices, or unseen when that is allowed', async ({ bed }) => {
    talker(bed, { ...OPENCODE, config: { budget: { attempt: '1 USD' }, agents: { opencode: { prices: { '*': { input: 0, output: 0 } } } } } });
    expectEnd(await bed.choo(['run'], { env: { OPENCODE_API_KEY: 'dummy' } }), 0);
    talker(bed, { ...OPENCODE, config: { budget: { attempt: '1 USD', unseen: 'allow' } } });
    expectEnd(await bed.choo(['run', '--new'], { env: { OPENCODE_API_KEY: 'dummy' } }), 0);
  });
});

describe('a session to go on with that the agent has forgotten', () => {
  it('costs no attempt: the same one is begun anew', async ({ bed }) => {
    claude(bed, { agents: { claude: { retry: 'continue' } }, limits: { attempts: 2 } });
    const gone = JSON.stringify({ type: 'result', subtype: 'error_during_execution', is_error: true, num_turns: 0, total_cost_usd: 0, usage: {}, modelUsage: {}, errors: ['No conversation found with session ID: 11111111-1111-4111-8111-111111111111'] });
    const program = join(bed.base, 'claude');
    writeFileSync(program, readFileSync(program, 'utf8').replace('esac', `esac\ncase " $* " in *" --resume="*) echo '${gone}'; exit 1;; esac`));
    const run = bed.start(['run', '--json'], { env });
    const first = await bed.hand.next();
    await first.print(`${JSON.stringify({ type: 'system', subtype: 'init', session_id: '11111111-1111-4111-8111-111111111111' })}\n`);
    await first.print(RESULT);
    await first.exit(0);
    const second = await bed.hand.next();
    await works(second);
    await second.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type === 'task.retry')).toHaveLength(1);
    // What the first start said of it is in the attempt's log.
    expect((await bed.choo(['logs', 'a', '--attempt', '2', '--raw'])).stdout).toContain('No conversation found');
  });
});

describe('an agent that writes messages', () => {
  it('is told as lines, with what it used; --raw has the messages', async ({ bed }) => {
    claude(bed);
    const run = bed.start(['run', '--json'], { env: { ...env, CHOO_LOG_LEVEL: 'debug' } });
    const held = await bed.hand.next();
    await works(held);
    await held.finish();
    const ended = await run.ended;
    expect(ended.stderr).toMatch(/a\/1 {2}command +curl -H "x: \[redacted\]" example\.org/);
    expect(ended.stderr).toContain('$0.25, 940 tokens');
    const told = await bed.choo(['logs', 'a']);
    expect(told.stdout).toMatch(/^command {2}curl -H "x: \[redacted\]" example.org\ntext {5}I wrote it down\.\nused {5}\$0\.25, 940 tokens \(900 in, 40 out, 0 from cache, 0 into it\)/);
    expect(told.stderr).toContain('left out; all of them: choo logs a --raw');
    expect((await bed.choo(['logs', 'a', '--raw'])).stdout).toContain('{"type":"something_new","of":"the next version"}');
    for (const text of [kept(bed), ended.stdout, ended.stderr, told.stdout]) {
      for (const form of [SECRET, JSON.stringify(SECRET).slice(1, -1), SECRET.slice(0, 13), Buffer.from(SECRET).toString('base64'), env.ANTHROPIC_API_KEY]) expect(text).not.toContain(form);
    }
  });

  it('is seen at work by status and logs -f', async ({ bed }) => {
    claude(bed, { agents: { claude: { model: 'small' } } });
    const run = bed.start(['run', '--json'], { env });
    const held = await bed.hand.next();
    const following = bed.start(['logs', 'a', '-f']);
    const raw = bed.start(['logs', 'a', '-f', '--raw']);
    // A line that the test's own ear takes for an event: when it has come through the log, all before it has.
    await held.print(`${uses('Bash', { command: 'npm test' })}{"type":"orch.killing","seq":1}\n`);
    await raw.event('orch.killing');
    const status = await bed.choo(['status']);
    expect(status.stdout).toMatch(/running +a +task 1, attempt 1 · claude \(small\)\n/);
    expect(status.stdout).toMatch(/\n {4}command {2}npm test \(\d+\.\ds ago\)\n/);
    const data = JSON.parse((await bed.choo(['status', '--json'])).stdout) as { readonly units: readonly { readonly attempt?: unknown }[] };
    expect(data.units[0]?.attempt).toMatchObject({ agent: 'claude', model: 'small', log: 'logs/a/1-1.log', activity: { kind: 'command', text: 'npm test' } });
    await held.print(RESULT);
    await held.finish();
    await run.ended;
    expect((await raw.ended).stdout).toContain('"total_cost_usd":0.25');
    expect((await following.ended).stdout).toMatch(/^command {2}npm test\nused /);
    expect((await bed.choo(['status'])).stdout).toMatch(/landed +a +\w+ · \$0\.25, 940 tokens\n/);
  });

  it('is seen at work also when half of the log is full', async ({ bed }) => {
    claude(bed, { limits: { output: '64KiB' } });
    const run = bed.start(['run', '--json'], { env });
    const held = await bed.hand.next();
    const raw = bed.start(['logs', 'a', '-f', '--raw']);
    for (let n = 1; n <= 20; n++) {
      await held.print(`${uses('Bash', { command: `npm test ${n}`, description: 'x'.repeat(4000) })}{"type":"orch.killing","seq":${n}}\n`);
      await raw.event('orch.killing', { after: n - 1 });
    }
    expect((await bed.choo(['status'])).stdout).toContain('npm test 20 (');
    expect((await bed.choo(['logs', 'a'])).stdout).toContain('npm test 20');
    await held.print(RESULT);
    await held.finish();
    await run.ended;
    const followed = (await raw.ended).stdout;
    for (let n = 1; n <= 20; n++) expect(followed.split(`npm test ${n}"`)).toHaveLength(2);
    expect(followed).toContain('"total_cost_usd":0.25');
  });

  it('carries its last activity in what it fails for', async ({ bed }) => {
    claude(bed, { limits: { attempts: 1 } });
    const run = bed.start(['run'], { env });
    const held = await bed.hand.next();
    await held.print(uses('Bash', { command: `deploy ${SECRET}` }));
    await held.exit(3);
    const { stdout, stderr } = await run.ended;
    expect(stdout).toMatch(/attempt 1: the agent \(claude\) .*last seen: command: deploy \[redacted\]/);
    expect(stdout).toContain('last  command: deploy [redacted]');
    expect(stderr).toContain('last seen: command: deploy [redacted]');
    expect(kept(bed) + stdout + stderr).not.toContain('pa55');
  });

  it('is quoted without secrets in what it says of its own failure', async ({ bed }) => {
    claude(bed, { limits: { attempts: 1 } });
    const run = bed.start(['run', '--json'], { env });
    const held = await bed.hand.next();
    await held.print(`${JSON.stringify({ type: 'result', subtype: 'error_during_execution', is_error: true, errors: [`refused: ${SECRET}`], result: `refused: ${SECRET}`, session_id: 's' })}\n`);
    await held.exit(1);
    const { stdout, stderr } = await run.ended;
    expect(stdout).toContain('refused: [redacted]');
    expect(kept(bed) + stdout + stderr).not.toContain('pa55');
  });

  it('gets no forge token, not even from the configuration', async ({ bed }) => {
    claude(bed, { agents: { claude: { env: { GITHUB_TOKEN: 'x', TEAM_SLACK_URL: 'y', FINE: 'z' } } } });
    const ended = await bed.choo(['run']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('agents.claude.env.GITHUB_TOKEN would give a forge token or a messenger secret to the agent');
    expect(ended.stderr).toContain('TEAM_SLACK_URL');
    expect(ended.stderr).not.toContain('FINE');
  });

  it('that any program is has its secrets taken out, too, and those the configuration adds', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'echo "$MY_SERVICE_TOKEN $OF_AGENT_KEY"; exit 1', limits: { attempts: 1 }, agents: { command: { env: { OF_AGENT_KEY: 'only in the file' } } } });
    const { stdout, stderr } = await bed.choo(['run'], { env });
    expect(stderr).toContain('| [redacted] [redacted]');
    expect(kept(bed) + stdout + stderr).not.toContain('pa55');
    expect((await bed.choo(['logs', 'a'])).stdout).toBe('[redacted] [redacted]\n');
  });
});
