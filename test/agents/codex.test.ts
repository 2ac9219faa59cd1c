// Codex itself, by its app server, against the scripted model server.

import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { codexAgent } from '../../src/agents/codex.ts';
import { control } from '../contract/processes.rig.ts';
import { responses } from '../../src/model-server/responses.ts';
import type { Scenario } from '../../src/model-server/scenario.ts';
import type { ModelServer } from '../../src/model-server/server.ts';
import { nativeCodex } from './codex-binary.ts';
import { programOf } from './programs.ts';
import { THOROUGH, it, type Drive, type Room, type Session } from './session.ts';

const agent = codexAgent({ program: [programOf('codex')] });

const COMMIT = 'git add . && git commit -qm "say hello"';

/** A job of two commands. */
const JOB: Scenario = [{ turns: [{ do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: COMMIT }, { do: 'say', text: 'I said hello.' }] }];

/** Makes Codex take the server for its provider. */
function providerAt(server: ModelServer): readonly string[] {
  const provider = { name: 'scripted', base_url: `${server.url}/v1`, wire_api: 'responses', env_key: 'SCRIPTED_KEY' };
  return ['model_provider=scripted', ...Object.entries(provider).map(([key, value]) => `model_providers.scripted.${key}=${value}`)].flatMap((setting) => ['-c', setting]);
}

async function drive(room: Room, server: ModelServer, o: Partial<Drive> = {}): Promise<Session> {
  return room.drive(agent, { prompt: 'Say hello in a file and commit it.', model: 'scripted', args: providerAt(server), env: { SCRIPTED_KEY: 'sk-dummy' }, ...o });
}

it('does a job of two commands', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB, spent: { input: 700, output: 50, cacheRead: 200, cacheWrite: 100 } });
  const session = await drive(room, server, { record: 'codex/done' });
  expect(session.verdict).toEqual({});
  expect(session.done).toBe(true);
  expect(session.result).toMatchObject({ code: 0, cut: false });
  expect(room.commits()).toEqual(['say hello']);
  expect(session.usage).toEqual({ input: 2100, output: 150, cacheRead: 600, cacheWrite: 300, model: 'scripted' });
  expect(session.activity).toEqual([
    { kind: 'command', text: 'echo hello > hello.txt' }, { kind: 'command', text: COMMIT }, { kind: 'text', text: 'I said hello.' },
  ]);
  expect(session.session).toMatch(/^[0-9a-f-]{36}$/);
});

it('goes on after a tool that fails', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'run', command: 'echo oh no; exit 3' }, { do: 'say', text: 'It failed.' }] }] });
  const session = await drive(room, server, { record: 'codex/tool-fails' });
  expect(session.verdict).toEqual({});
  expect(session.activity.at(-1)).toEqual({ kind: 'text', text: 'It failed.' });
  expect(server.seen.findLast(({ asked }) => asked !== undefined)?.asked?.results[0]).toContain('oh no');
});

it('works with the tools of its newest models', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const session = await drive(room, server, { model: 'gpt-6.1-sol' });
  expect(session.verdict).toEqual({});
  expect(room.commits()).toEqual(['say hello']);
  expect(session.activity.map(({ text }) => text)).toEqual(['echo hello > hello.txt', COMMIT, 'I said hello.']);
});

// ---------------------------------------------------------------- trouble

it('tells a quota with the time of its end', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'quota', resetSeconds: 3600 }] }] });
  const { verdict: { trouble } } = await drive(room, server, { record: 'codex/quota' });
  expect(trouble).toMatchObject({ kind: 'quota', text: expect.stringContaining('usage limit') as string });
  expect(trouble?.until).toBeGreaterThan(Date.now() + 3_500_000);
  expect(trouble?.until).toBeLessThan(Date.now() + 3_700_000);
});

it('tells a quota without a time', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'quota' }] }] });
  const { verdict: { trouble } } = await drive(room, server, { record: 'codex/no-credit' });
  expect(trouble).toEqual({ kind: 'quota', text: 'Quota exceeded. Check your plan and billing details.' });
});

it('tells an overload', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'overload' }], forever: true }] });
  const { verdict } = await drive(room, server, { record: 'codex/overload' });
  expect(verdict.trouble).toEqual({ kind: 'overload', text: 'Selected model is at capacity. Please try a different model.' });
});

it('ends a refused login at its first sign', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'login' }], forever: true }] });
  const session = await drive(room, server, { record: 'codex/login' });
  expect(session.stop).toMatchObject({ kind: 'login', text: expect.stringContaining('401 Unauthorized: Incorrect API key provided') as string });
  expect(session.verdict.trouble).toEqual(session.stop);
  expect(server.seen.filter(({ asked }) => asked !== undefined)).toHaveLength(1);
});

it('ends before anything is asked when nobody is logged in', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const session = await drive(room, server, { args: ['-c', `openai_base_url=${server.url}/v1`], record: 'codex/logged-out' });
  expect(session.verdict.trouble).toEqual({ kind: 'login', text: 'Codex is not logged in: run `codex login`' });
  expect(server.seen.filter(({ asked }) => asked !== undefined)).toEqual([]);
});

it('tells a missing key', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const session = await drive(room, server, { env: {}, record: 'codex/no-key' });
  expect(session.verdict.trouble).toEqual({ kind: 'login', text: 'Missing environment variable: `SCRIPTED_KEY`.' });
});

it('tells a configuration that it refuses', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const session = await drive(room, server, { args: ['-c', 'model_provider=nobody'], record: 'codex/setup' });
  expect(session.verdict.trouble).toMatchObject({ kind: 'setup', text: expect.stringContaining('nobody') as string });
});

it('goes on after an answer that was cut', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'cut' }, { do: 'say', text: 'All is well.' }] }] });
  const session = await drive(room, server, { record: 'codex/cut' });
  expect(session.verdict).toEqual({});
  expect(session.activity.at(-1)).toEqual({ kind: 'text', text: 'All is well.' });
});

// ---------------------------------------------------------------- stopping, going on

it('ends in a moment when it hangs and is interrupted', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'hang' }] }] });
  const handle = control();
  const running = drive(room, server, { control: handle, record: 'codex/hang' });
  await server.arrived(({ turn }) => turn?.do === 'hang');
  handle.interruptNow();
  const session = await running;
  expect(session.verdict).toEqual({ failed: 'the turn was interrupted' });
  expect(session.result).toMatchObject({ code: 0, cut: true });
});

it('leaves no process of a command that is interrupted', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'run', command: 'setsid sleep 1000 & sleep 1000' }] }] });
  const handle = control();
  const session = await drive(room, server, { control: handle, permissions: 'full', onLine: (line) => { if (line.includes('"commandExecution"')) handle.interruptNow(); } });
  expect(session.verdict).toEqual({ failed: 'the turn was interrupted' });
  expect(session.result).toMatchObject({ code: 0, cut: true });
});

it('goes on with an earlier session and counts only what is new', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ when: 'Say hello', turns: JOB[0]?.turns ?? [] }, { when: 'Say it again', turns: [{ do: 'say', text: 'I did so before.' }] }] });
  const before = await drive(room, server);
  const session = await drive(room, server, { prompt: 'Say it again.', goOn: before.session ?? '', record: 'codex/continued' });
  expect(session.verdict).toEqual({});
  expect(session.session).toBe(before.session);
  expect(session.usage).toEqual({ input: 1000, output: 50, cacheRead: 0, cacheWrite: 0, model: 'scripted' });
  expect(server.seen.findLast(({ asked }) => asked !== undefined)?.asked?.prompt).toContain('Say hello');
});

it('goes on with a session that was killed in the middle of a command', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ when: 'Wait for long', turns: [{ do: 'run', command: 'setsid sleep 1000 & sleep 1000' }] }, { when: 'Say hello', turns: JOB[0]?.turns ?? [] }] });
  const handle = control();
  const before = await drive(room, server, { prompt: 'Wait for long.', control: handle, onLine: (line) => { if (line.includes('"commandExecution"')) handle.killNow(); } });
  expect(before.result).toMatchObject({ cut: true });
  const session = await drive(room, server, { goOn: before.session ?? '', record: 'codex/after-kill' });
  expect(session.verdict).toEqual({});
  expect(session.session).toBe(before.session);
  expect(room.commits()).toEqual(['say hello']);
});

it('fails when the earlier session is gone', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const session = await drive(room, server, { goOn: '01a20554-03c3-7fc0-ad56-7dafd997b9aa', record: 'codex/session-gone' });
  expect(session.verdict).toEqual({ failed: 'the earlier session cannot go on: no rollout found for thread id 01a20554-03c3-7fc0-ad56-7dafd997b9aa', gone: true });
  expect(server.seen).toEqual([]);
});

// ---------------------------------------------------------------- prompts

if (THOROUGH) it('takes a prompt of a megabyte', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const prompt = `${'ä word '.repeat(200_000).slice(0, 1024 * 1024 - 30)}and this is its very end.`;
  expect((await drive(room, server, { prompt, record: 'codex/long-prompt' })).verdict).toEqual({});
  expect(server.seen.find(({ asked }) => asked !== undefined)?.asked?.prompt.includes(prompt)).toBe(true);
});

it('reads a longer prompt from its file', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'run', command: 'tail -c 19 "$(dirname "$PWD")/prompt.md" > end.txt; git add . && git commit -qm "read it"' }] }] });
  const session = await drive(room, server, { permissions: 'sandboxed', prompt: `${'x'.repeat(1024 * 1024)} and this is its end` });
  expect(session.verdict).toEqual({});
  expect(server.seen[0]?.asked?.prompt).toContain(`${room.repository.base}/prompt.md`);
  expect(room.repository.git('show', 'choo/unit/u/1:end.txt')).toBe('and this is its end');
});

// ---------------------------------------------------------------- permissions

/** Tries everything that a sandbox should refuse, and says what went through. */
function tries(room: Room): string {
  const { root, base } = room.repository;
  const at = (path: string): string => `touch '${path}' && echo wrote ${path.slice(base.length)} >> tries.txt;`;
  return [
    'echo a commit > tries.txt;', at(`${root}/main.txt`), at(`${root}/.git/config`), at(`${root}/.git/hooks/post-commit`), at(`${root}/.git/refs/heads/other`), at(`${base}/outside.txt`), at(`${root}/.git/worktrees/worktree/commondir`), at(`${root}/.git/worktrees/worktree/gitdir`), at(`${room.home}/x.txt`),
    at(`${room.scratch}/x.txt`), 'mktemp > temporary.txt && echo made a temporary file >> tries.txt;',
    `node -e 'require("net").connect(Number(process.argv[1]), "127.0.0.1").on("connect", () => process.exit(0)).on("error", () => process.exit(1))' "$PORT" && echo reached the network >> tries.txt;`,
    'git add tries.txt && git commit -qm tried',
  ].join(' ');
}

async function tryAll(room: Room, permissions: 'sandboxed' | 'workspace' | 'full'): Promise<readonly string[]> {
  const server = await room.serve({ protocols: [responses], scenario: [{ turns: [{ do: 'run', command: tries(room) }] }] });
  const session = await drive(room, server, { permissions, env: { SCRIPTED_KEY: 'sk-dummy', PORT: new URL(server.url).port } });
  expect(session.verdict).toEqual({});
  expect(room.commits()).toEqual(['tried']);
  return room.repository.git('show', 'choo/unit/u/1:tries.txt').split('\n');
}

it('sandboxed: commits, and writes and reaches nothing else, whatever the user has configured', async ({ room }) => {
  room.repository.write('.codex/config.toml', 'sandbox_mode = "danger-full-access"\napproval_policy = "on-request"\n', room.home);
  expect(await tryAll(room, 'sandboxed')).toEqual(['a commit', 'wrote /scratch/x.txt', 'made a temporary file']);
});

it('workspace: the same with the network', async ({ room }) => {
  expect(await tryAll(room, 'workspace')).toEqual(['a commit', 'wrote /scratch/x.txt', 'made a temporary file', 'reached the network']);
});

it('full: whatever the user may', async ({ room }) => {
  expect(await tryAll(room, 'full')).toEqual([
    'a commit', 'wrote /repo/main.txt', 'wrote /repo/.git/config', 'wrote /repo/.git/hooks/post-commit', 'wrote /repo/.git/refs/heads/other', 'wrote /outside.txt', 'wrote /repo/.git/worktrees/worktree/commondir', 'wrote /repo/.git/worktrees/worktree/gitdir', 'wrote /home/x.txt',
    'wrote /scratch/x.txt', 'made a temporary file', 'reached the network',
  ]);
});

it('says that it has no sandbox where there can be none', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"';
  const without = codexAgent({ program: ['/usr/bin/unshare', '--user', '--map-root-user', '/bin/sh', '-c', script, programOf('codex')] });
  const session = await room.drive(without, { prompt: 'Say hello.', model: 'scripted', args: providerAt(server), env: { SCRIPTED_KEY: 'sk-dummy' }, record: 'codex/no-sandbox' });
  expect(session.verdict.trouble).toMatchObject({ kind: 'setup', text: expect.stringContaining('Codex has no sandbox here (bwrap: ') as string });
});

it('leaves the configuration of the user alone', async ({ room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const config = join(room.home, '.codex', 'config.toml');
  room.repository.write('.codex/config.toml', '# mine\n', room.home);
  for (const permissions of ['sandboxed', 'workspace', 'full'] as const) {
    expect((await drive(room, server, { permissions })).verdict).toEqual({});
    expect(readFileSync(config, 'utf8')).toBe('# mine\n');
  }
});

it.for(['sandboxed', 'workspace'] as const)('%s: starts nothing that the worktree configures, even in a repository that the user trusts', async (permissions, { room }) => {
  const server = await room.serve({ protocols: [responses], scenario: JOB });
  const { root } = room.repository;
  room.repository.write('.codex/config.toml', `[projects."${root}"]\ntrust_level = "trusted"\n`, room.home);
  room.repository.write('.codex/config.toml', `[mcp_servers.evil]\ncommand = "/bin/sh"\nargs = ["-c", "touch ${root}/evil"]\n`, room.worktree);
  expect((await drive(room, server, { permissions })).verdict).toEqual({});
  expect(room.repository.git('status', '--porcelain')).toBe('');
});

it('is found behind the wrapper that npm installs', () => {
  const native = realpathSync(programOf('codex'));
  const wrapper = join(native.slice(0, native.indexOf('@openai')), '.bin', 'codex');
  expect(nativeCodex(wrapper)).toBe(native);
  expect(nativeCodex(native)).toBe(native);
});
