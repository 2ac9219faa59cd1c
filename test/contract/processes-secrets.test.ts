// Secrets and processes: no log and no tail has one, whatever prints it and in however many pieces; a dialogue hears all.

import { readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { childEnvironment } from '../../src/adapters/environment.ts';
import { openProcesses, type OpenProcesses } from '../../src/adapters/processes.ts';
import { makeRedactor } from '../../src/adapters/redact.ts';
import { secretsOf, SHAPES } from '../../src/adapters/secrets.ts';
import type { Command, CommandResult } from '../../src/world.ts';
import { control } from './processes.rig.ts';

const SECRET = 'kZ8$x/very+private';

describe('what a program prints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  let processes: OpenProcesses;
  let runs = 0;
  beforeAll(async () => {
    const env = { PATH: process.env['PATH'], MY_API_KEY: SECRET };
    processes = await openProcesses({ contain: 'auto', env, clock: systemClock(), marker: 'secrets', redactor: makeRedactor({ literals: secretsOf([env]), shapes: SHAPES }) });
  });
  afterAll(async () => {
    await processes.close();
    rmSync(folder, { recursive: true });
  });

  async function run(script: string, more: Partial<Command> = {}): Promise<{ readonly result: CommandResult; readonly log: string }> {
    const log = join(folder, `${++runs}.log`);
    const result = await processes.run({ argv: ['sh', '-c', script], cwd: folder, env: {}, log, outputLimit: 1024 * 1024, totalMs: 60_000, ...more }, control());
    return { result, log: readFileSync(log, 'utf8') };
  }

  test('has its secrets in neither log nor tail', async () => {
    const { result, log } = await run('echo "before $MY_API_KEY behind"; printf %s "$MY_API_KEY" | base64; echo "$MY_API_KEY" >&2');
    expect(log).toBe('before [redacted] behind\n[redacted]\n[redacted]\n');
    expect(result.tail).toBe(log);
  });

  test('nor a secret that comes in pieces, or whose printing is cut off', async () => {
    const { log } = await run('half=${MY_API_KEY%+private}; printf %s "$half"; sh -c true; printf "+private, %s" "$half"');
    expect(log).toBe('[redacted], [redacted]');
  });

  test('nor one that colours had torn apart', async () => {
    const { result } = await run(String.raw`printf 'kZ8$x/\033[1mvery+\033[0mprivate\n'`);
    expect(result.tail).toBe('[redacted]\n');
  });

  test('its dialogue hears all', async () => {
    const heard: string[] = [];
    const { log } = await run('echo "$MY_API_KEY"; echo "$MY_API_KEY" >&2', { dialogue: { first: '', oneShot: true, receive: (line) => (heard.push(line), {}) } });
    expect(heard).toEqual([SECRET]);
    expect(log).toBe('[redacted]\n[redacted]\n');
  });

  test('a program that cannot be started is named without them', async () => {
    const { result } = await run('', { argv: [`/nowhere/${SECRET}`] });
    expect(result).toMatchObject({ code: 127, tail: 'choo: /nowhere/[redacted]: command not found\n' });
  });
});

describe('no program choo starts gets', () => {
  // Put together from pieces, so that no scanner takes this file for a leak.
  const token = ['gh', 'p_', 'a1B2c3D4e5F6g7H8i9J0k1L2'].join('');
  test.each([
    ['GIT_DIR', 'x'], ['CHOO_UNIT', 'x'], ['GH_TOKEN', 'x'], ['GITHUB_TOKEN', 'x'], ['MY_GITHUB_TOKEN', 'x'], ['INPUT_GITHUB_TOKEN', 'x'], ['GITHUB_APP_PRIVATE_KEY', 'x'], ['gh_token', 'x'],
    ['GITLAB_TOKEN', 'x'], ['GITLAB_API_TOKEN', 'x'], ['CI_JOB_TOKEN', 'x'], ['GITHUB_ENV', '/f'], ['GITHUB_PATH', '/f'], ['GITHUB_OUTPUT', '/f'], ['GITHUB_STATE', '/f'], ['GITHUB_STEP_SUMMARY', '/f'], ['CI_REPOSITORY_URL', 'x'], ['GITEA_ACCESS_TOKEN', 'x'], ['FORGEJO_TOKEN', 'x'], ['BITBUCKET_APP_PASSWORD', 'x'],
    ['AZURE_DEVOPS_EXT_PAT', 'x'], ['SLACK_BOT_TOKEN', 'x'], ['TEAM_SLACK_URL', 'x'], ['DISCORD_WEBHOOK', 'x'], ['TELEGRAM_BOT_TOKEN', 'x'], ['WEBHOOK_URL', 'x'], ['OPS_WEBHOOK', 'x'], ['TEAMS_WEBHOOK_URL', 'x'],
    ['SOMETHING', token], ['NOTIFY', ['https://hooks.', 'slack.com/services/T/B/x'].join('')],
  ])('%s', (name, value) => {
    expect(childEnvironment({ [name]: value }, {})).toEqual({});
  });

  test.each(['PATH', 'HOME', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'COPILOT_GITHUB_TOKEN', 'NPM_TOKEN', 'GHOST', 'GITHUB_ACTIONS', 'GH_HOST', 'GLOBAL_KEY'])('but %s', (name) => {
    expect(childEnvironment({ [name]: 'x' }, {})).toEqual({ [name]: 'x' });
  });
});
