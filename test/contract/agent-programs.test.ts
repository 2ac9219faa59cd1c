// Agents' programs before a run, with shell scripts in their place: there or not, which version, logged in or not, nothing left running.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { parseConfig } from '../../src/discovery/config.ts';
import { resolveSettings } from '../../src/discovery/settings.ts';
import { lookAtPrograms } from '../../src/opening/agent-programs.ts';
import type { ProgramLook } from '../../src/opening/agent-programs.ts';
import type { Clock } from '../../src/world.ts';
import { printed } from '../unit/discovery/rig.ts';

const CLAUDE = 'echo "2.1.330 (Claude Code)"';
let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'choo-programs-')));
  for (const folder of ['bin', 'home', 'repo']) mkdirSync(join(base, folder));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Writes a file below the test's folder. */
function put(path: string, text = ''): string {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
  return join(base, path);
}

/** A shell script in place of an agent; one in `bin/` is on the PATH. */
function program(path: string, script: string): string {
  const full = put(path, `#!/bin/sh\n${script}\n`);
  chmodSync(full, 0o755);
  return full;
}

interface Asked {
  readonly env?: Readonly<Record<string, string>>;
  /** Paths that the commit has. */
  readonly paths?: readonly string[];
  readonly start?: boolean;
  readonly clock?: Clock;
}

async function look(names: readonly string[], file = '', o: Asked = {}): Promise<readonly ProgramLook[]> {
  // Only what the test put there, and a shell's own: never an agent of this machine.
  for (const name of ['sh', 'cat', 'sleep', 'env', 'touch', 'pwd']) if (!existsSync(join(base, 'bin', name))) symlinkSync(`/bin/${name}`, join(base, 'bin', name));
  const { config } = parseConfig(file);
  const env = { PATH: join(base, 'bin'), HOME: join(base, 'home'), ...o.env };
  const { settings: resolved } = resolveSettings({ config, env, flags: {} });
  const source = { paths: () => Promise.resolve(new Set(o.paths ?? [])), read: () => Promise.resolve([]) };
  return lookAtPrograms(names, { config, resolved, source, root: join(base, 'repo'), env, clock: o.start === false ? undefined : o.clock ?? systemClock() });
}

async function said(...args: Parameters<typeof look>): Promise<string> {
  return printed((await look(...args)).flatMap((one) => one.diagnostics)).replaceAll(base, '');
}

/** The configuration of Claude Code as a program of the test. */
const claudeAt = (path: string, more = ''): string => `provider: {type: claude, providers: {claude: {command: ${JSON.stringify(path)}}}}\n${more}`;

const KEY = { ANTHROPIC_API_KEY: 'k' };

describe('a program', () => {
  test('that is there, new enough and logged in has nothing wrong', async () => {
    program('bin/claude', CLAUDE);
    expect(await look(['claude'], '', { env: KEY })).toEqual([{ name: 'claude', version: '2.1.330', login: 'ANTHROPIC_API_KEY', diagnostics: [] }]);
    const path = program('elsewhere/my claude', CLAUDE);
    expect(await look(['claude'], claudeAt(`'${path}'`), { env: KEY })).toMatchObject([{ version: '2.1.330', diagnostics: [] }]);
  });

  test('that is missing is told with the command that installs it', async () => {
    expect(await said(['claude', 'codex', 'gemini', 'opencode', 'copilot'])).toBe([
      'error: the program `claude` of the agent `claude` (Claude Code) was not found [agent-missing]', '  hint: npm install -g @anthropic-ai/claude-code',
      'error: the program `codex` of the agent `codex` (Codex) was not found [agent-missing]', '  hint: npm install -g @openai/codex',
      'error: the program `gemini` of the agent `gemini` (Gemini CLI) was not found [agent-missing]', '  hint: npm install -g @google/gemini-cli',
      'error: the program `opencode` of the agent `opencode` (OpenCode) was not found [agent-missing]', '  hint: npm install -g opencode-ai',
      'error: the program `copilot` of the agent `copilot` (Copilot CLI) was not found [agent-missing]', '  hint: npm install -g @github/copilot',
    ].join('\n'));
  });

  test('that is configured and missing is told with the place to mend', async () => {
    expect(await said(['claude'], claudeAt('/no/claude --fast'))).toBe(`error: the program \`/no/claude\` of the agent \`claude\` (Claude Code) was not found [agent-missing]
  hint: npm install -g @anthropic-ai/claude-code (or mend provider.providers.claude.command or CHOO_CLAUDE_CMD, which is: /no/claude --fast)`);
    expect(await said(['claude'], '', { env: { RALPH_CLAUDE_CMD: '/no/claude' } })).toContain('the program `/no/claude` of the agent `claude`');
    expect(await said(['acp'], 'provider: {providers: {acp: {command: no-such --acp}}}')).toBe(`error: the agent's program \`no-such\` was not found [agent-missing]
  hint: provider.providers.acp.command in .choo.yaml is: no-such --acp`);
    put('repo/plain-file');
    expect(await said(['command'], 'provider: {providers: {command: {command: /no/x}}}')).toContain('the agent\'s program `/no/x` was not found');
  });

  test('that only a shell can find is found missing by the shell', async () => {
    expect(await said(['claude'], claudeAt('$NOWHERE/claude'), { env: KEY })).toMatch(/^error: the program of the agent `claude` \(Claude Code\) was not found: .*claude.* \[agent-missing\]\n {2}hint: npm install -g @anthropic-ai\/claude-code/);
    program('bin/wrapped', CLAUDE);
    expect(await look(['claude'], claudeAt('env FOO=1 wrapped'), { env: KEY })).toMatchObject([{ version: '2.1.330', diagnostics: [] }]);
  });

  test.for(['sh scripts/claude.sh', 'sh ./claude.sh', 'sh claude.sh', 'env A=b sh --rcfile=./rc claude.sh'])('that begins with one of the repository is not started before there is a worktree (%s)', async (command) => {
    expect(await said(['claude'], `provider: {providers: {claude: {command: ${command}}}}`, { env: KEY, paths: ['claude.sh'] })).toBe('');
  });

  test('in the repository must be in the commit, unless setup may make it; it is not started before there is a worktree', async () => {
    const file = claudeAt('./tools/claude');
    expect(await said(['claude'], file, { env: KEY })).toContain('the program `./tools/claude` of the agent `claude` (Claude Code) is not in the commit that is run [agent-missing]');
    program('repo/tools/claude', 'touch "$HOME/started"');
    expect(await said(['claude'], file, { env: KEY, paths: ['tools/claude'] })).toBe('');
    expect(await said(['claude'], `${file}worktree: {setup: [npm ci]}`, { env: KEY })).toBe('');
    expect(existsSync(join(base, 'home/started'))).toBe(false);
  });

  test('is not started for a dry run', async () => {
    program('bin/claude', 'touch "$HOME/started"');
    expect(await said(['claude'], '', { env: KEY, start: false })).toBe('');
    expect(existsSync(join(base, 'home/started'))).toBe(false);
  });

  test('of a name that is no agent is nobody\'s business here', async () => {
    expect(await look(['nobody', 'constructor', '__proto__'])).toEqual([]);
  });
});

describe('a version', () => {
  test('that is too old is told with the command that updates it', async () => {
    program('bin/claude', 'echo "2.1.100 (Claude Code)"');
    program('bin/codex', 'echo codex-cli 0.168.9');
    expect(await said(['claude', 'codex'], '', { env: { ...KEY, OPENAI_API_KEY: 'k' } })).toBe([
      'error: the agent `claude` (Claude Code) is 2.1.100; choo needs 2.1.197 or newer [agent-too-old]', '  hint: npm install -g @anthropic-ai/claude-code@latest',
      'error: the agent `codex` (Codex) is 0.168.9; choo needs 0.169.0 or newer [agent-too-old]', '  hint: npm install -g @openai/codex@latest',
    ].join('\n'));
  });

  test('that cannot be read is a warning with what was printed', async () => {
    program('bin/claude', 'printf "\\033[2Jmy own \\377 claude\\nmore\\n"');
    expect(await said(['claude'], '', { env: KEY })).toMatch(/^warning: the version of the agent `claude` \(Claude Code\) cannot be read from what `--version` prints: .*my own . claude; choo was measured with 2\.1\.197 \[agent-version\]/);
  });

  test.each([
    ['exit 3', 'ended with 3 [agent-broken]'],
    ['echo "Error: native binary not installed." >&2; echo more; exit 1', 'ended with 1: Error: native binary not installed. [agent-broken]'],
    ['kill -9 $$', '[agent-broken]'],
  ])('of one that does not start (%s) is a broken program', async (script, words) => {
    program('bin/claude', script);
    const text = await said(['claude'], '', { env: KEY });
    expect(text).toContain('error: the agent `claude` (Claude Code) does not start: `--version` ended');
    expect(text).toContain(words);
    expect(text).toContain('hint: npm install -g @anthropic-ai/claude-code (or mend provider.providers.claude.command or CHOO_CLAUDE_CMD)');
  });

  test('of one that never answers is not waited for beyond its time', async () => {
    program('bin/claude', 'trap "" TERM; sleep 1000');
    const real = systemClock();
    const clock: Clock = { ...real, sleep: (ms, signal) => (ms === 20_000 ? Promise.resolve() : real.sleep(Math.min(ms, 10), signal)) };
    expect(await said(['claude'], '', { env: KEY, clock })).toContain('error: the agent `claude` (Claude Code) did not answer `--version` within 20 s [agent-broken]');
  });

  test('is asked with stdin closed, away from the repository, with the agent\'s environment but without secrets of others', async () => {
    program('bin/claude', '{ pwd; cat; env; } > "$HOME/seen"; touch litter; echo "2.1.330 (Claude Code)"');
    const env = { ...KEY, GITHUB_TOKEN: 'forge', CHOO_UNIT: 'x', GIT_DIR: '/nowhere' };
    expect(await said(['claude'], 'agents: {claude: {env: {OWN: mine}}}', { env })).toBe('');
    const [folder = '', ...rest] = readFileSync(join(base, 'home/seen'), 'utf8').split('\n');
    expect(folder).toMatch(/choo-look-/);
    expect(existsSync(folder)).toBe(false);
    expect(rest).toEqual(expect.arrayContaining(['OWN=mine', 'ANTHROPIC_API_KEY=k', 'DISABLE_AUTOUPDATER=1']));
    expect(rest.filter((line) => /^(GITHUB_TOKEN|CHOO_UNIT|GIT_DIR)=/.test(line))).toEqual([]);
  });

  test('is waited for with what the program leaves behind, which is ended', async () => {
    program('bin/claude', 'sleep 1000 & echo $! > "$HOME/child"; echo "2.1.330 (Claude Code)"');
    expect(await said(['claude'], '', { env: { ...KEY, CHOO_TEST_LEFT: base } })).toBe('');
    expect(withMark(base)).toEqual([]);
  });
});

/** Processes of the test that are still there. */
function withMark(mark: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`CHOO_TEST_LEFT=${mark}`);
    } catch {
      // Gone meanwhile, or somebody else's.
      return false;
    }
  });
}

describe('a login', () => {
  test.each([
    ['a variable', { env: { ANTHROPIC_AUTH_TOKEN: 't' }, login: 'ANTHROPIC_AUTH_TOKEN' }],
    ['a file, which is not read', { file: 'home/.claude/.credentials.json', login: '/home/.claude/.credentials.json' }],
  ] as const)('is shown by %s', async (_name, o) => {
    program('bin/claude', CLAUDE);
    if ('file' in o) chmodSync(put(o.file, 'secret'), 0);
    const [found] = await look(['claude'], '', 'env' in o ? { env: o.env } : {});
    expect(found?.login?.replace(base, '')).toBe(o.login);
    expect(found?.diagnostics).toEqual([]);
  });

  test('is missing for sure where the usual program is started as it is and nothing else is configured', async () => {
    program('bin/codex', 'echo codex-cli 0.169.0');
    expect(await said(['codex'])).toBe('error: nobody is logged in to the agent `codex` (Codex) [agent-login]\n  hint: codex login (or set CODEX_API_KEY)');
  });

  test.each([
    ['its program is another', (): string => `provider: {providers: {codex: {command: ${program('my-codex', 'echo codex-cli 0.169.0')}}}}`],
    ['it has arguments', (): string => 'agents: {codex: {args: [-c, x=y]}}'],
    ['it has variables', (): string => 'agents: {codex: {env: {MY_KEY: k}}}'],
    ['it has settings', (): string => {
      put('home/.codex/config.toml');
      return '';
    }],
    ['the repository has settings', (): string => {
      put('repo/.codex/config.toml');
      return '';
    }],
  ])('only seems to be missing when %s', async (_name, make) => {
    program('bin/codex', 'echo codex-cli 0.169.0');
    expect(await said(['codex'], make())).toBe('warning: nobody seems to be logged in to the agent `codex` (Codex) [agent-login]\n  hint: codex login (or set CODEX_API_KEY)');
  });

  test('is not missing for sure for agents that have ways which cannot be seen', async () => {
    program('bin/gemini', 'echo 0.61.0');
    program('bin/opencode', 'echo 1.18.33');
    program('bin/copilot', 'echo "GitHub Copilot CLI 1.0.102."');
    const looks = await look(['gemini', 'opencode', 'copilot']);
    expect(looks.map(({ diagnostics }) => diagnostics.map(({ severity, code }) => `${severity} ${code}`))).toEqual([['warning agent-login'], ['warning agent-login'], ['warning agent-login']]);
  });

  test('by a forge\'s token, which agents do not get, does not count', async () => {
    program('bin/copilot', 'echo "GitHub Copilot CLI 1.0.102."');
    expect(await said(['copilot'], '', { env: { GITHUB_TOKEN: 't', GH_TOKEN: 't' } })).toContain('nobody seems to be logged in');
    expect(await said(['copilot'], '', { env: { COPILOT_GITHUB_TOKEN: 't' } })).toBe('');
    expect(await said(['claude'], `agents: {claude: {env: {ANTHROPIC_API_KEY: k}}}\n${claudeAt(program('c', CLAUDE))}`)).toBe('');
  });
});
