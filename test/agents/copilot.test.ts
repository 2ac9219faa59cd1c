// Copilot CLI itself, in its offline mode, against the scripted model server.

import { existsSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { copilotAgent } from '../../src/agents/copilot.ts';
import { control } from '../contract/processes.rig.ts';
import { chat } from '../../src/model-server/chat.ts';
import type { Scenario } from '../../src/model-server/scenario.ts';
import type { ModelServer } from '../../src/model-server/server.ts';
import { programOf } from './programs.ts';
import { THOROUGH, it, type Drive, type Room, type Session } from './session.ts';

const agent = copilotAgent({ program: [programOf('copilot')] });

const SPENT = { input: 1000, output: 50, cacheRead: 300, cacheWrite: 0 };

/** Lines that come by the dozen and tell nothing. */
const NOISE = /^\{"type":"(?:session\.(?:background_tasks_changed|skills_loaded|mcp_servers_loaded)|assistant\.tool_call_delta|tool\.execution_partial_result)"/;

function environment(server: ModelServer): Readonly<Record<string, string>> {
  return { COPILOT_OFFLINE: 'true', COPILOT_PROVIDER_BASE_URL: `${server.url}/v1`, COPILOT_PROVIDER_API_KEY: 'dummy-key', COPILOT_MODEL: 'scripted', COPILOT_PROVIDER_MAX_PROMPT_TOKENS: '4000000' };
}

async function work(room: Room, scenario: Scenario, o: Partial<Drive> = {}): Promise<Session & { readonly server: ModelServer }> {
  const server = await room.serve({ protocols: [chat], scenario, spent: SPENT });
  const session = await room.drive(agent, { prompt: 'Work.', env: environment(server), leaveOut: NOISE, ...o });
  return { ...session, server };
}

it('does a job of two commands', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: 'git add . && git commit -qm "say hello"' }, { do: 'say', text: 'I said hello.' }] }], { record: 'copilot/done' });
  expect(session.verdict).toEqual({});
  expect(session.done).toBe(true);
  expect(session.result).toMatchObject({ code: 0, cut: false });
  expect(room.commits()).toEqual(['say hello']);
  expect(session.usage).toEqual({ input: 3000, output: 150, cacheRead: 900, cacheWrite: 0, model: 'scripted' });
  expect(session.activity).toEqual([
    { kind: 'command', text: 'echo hello > hello.txt' }, { kind: 'command', text: 'git add . && git commit -qm "say hello"' }, { kind: 'text', text: 'I said hello.' },
  ]);
});

it('tells that a tool failed, and goes on', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'run', command: 'echo nothing here; exit 3' }, { do: 'say', text: 'It failed.' }] }], { record: 'copilot/tool-fails', permissions: 'full' });
  expect(session.verdict).toEqual({});
  expect(session.server.seen.at(-1)?.asked?.results.join('\n')).toContain('nothing here');
});

it('may not read outside the worktree, unless it may do everything', async ({ room }) => {
  const secret = join(room.repository.base, 'secret.txt');
  writeFileSync(secret, 'the secret');
  const session = await work(room, [{ turns: [{ do: 'run', command: `cat ${secret}` }, { do: 'say', text: 'Done.' }] }], { record: 'copilot/denied' });
  expect(session.server.seen.at(-1)?.asked?.results.join('\n')).not.toContain('the secret');
  const full = await room.drive(agent, { prompt: 'Work.', env: environment(session.server), permissions: 'full' });
  expect(full.verdict).toEqual({});
  expect(session.server.seen.at(-1)?.asked?.results.join('\n')).toContain('the secret');
});

it('is stopped by a refused key at the first sign', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'login' }], forever: true }], { record: 'copilot/login' });
  expect(session.verdict.trouble).toEqual({ kind: 'login', text: 'Incorrect API key provided.' });
  expect(session.server.seen.filter(({ turn }) => turn?.do === 'login')).toHaveLength(1);
});

it('waits for a quota until the time it was told', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'quota', resetSeconds: 7200 }], forever: true }], { record: 'copilot/quota' });
  expect(session.verdict.trouble?.kind).toBe('quota');
  expect(session.verdict.trouble?.until).toBeGreaterThan(Date.now() + 7_000_000);
});

it('is stopped when its credit is used up', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'quota' }], forever: true }], { record: 'copilot/no-credit' });
  expect(session.verdict.trouble).toEqual({ kind: 'quota', text: 'You exceeded your current quota, please check your plan and billing details.' });
});

it('knows a busy service, when it has given up', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'overload' }], forever: true }], { record: 'copilot/overload' });
  expect(session.verdict.trouble?.kind).toBe('overload');
});

it('does not mind a single refusal', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'overload' }, { do: 'say', text: 'Done.' }] }], { record: 'copilot/recovered' });
  expect(session.verdict).toEqual({});
});

it('stops in the middle of a command', async ({ room }) => {
  const handle = control();
  const over = new AbortController();
  const stopped = (async () => {
    for await (const _event of watch(room.worktree, { signal: over.signal })) if (existsSync(join(room.worktree, 'started'))) break;
    handle.interruptNow();
  })();
  const session = await work(room, [{ turns: [{ do: 'run', command: 'touch started; tail -f started' }] }], { control: handle, record: 'copilot/interrupted' });
  await stopped;
  expect(session.result).toMatchObject({ cut: true });
  expect(session.verdict).toEqual({ failed: 'the agent was interrupted' });
});

it('goes on with a session', async ({ room }) => {
  const first = await work(room, [{ when: 'THE FIRST', turns: [{ do: 'say', text: 'One.' }] }, { when: 'THE SECOND', turns: [{ do: 'say', text: 'Two.' }] }], { prompt: 'THE FIRST' });
  const second = await room.drive(agent, { prompt: 'THE SECOND', env: environment(first.server), leaveOut: NOISE, record: 'copilot/continued', ...(first.session === undefined ? {} : { goOn: first.session }) });
  expect(second.verdict).toEqual({});
  expect(second.session).toBe(first.session);
  // What it tells holds the tokens of both, so nothing is told on.
  expect(second.usage).toBeUndefined();
  expect(first.server.seen.at(-1)?.asked?.prompt).toMatch(/THE FIRST[^]*THE SECOND/);
});

it('fails when the session is gone', async ({ room }) => {
  const session = await work(room, [{ turns: [{ do: 'say', text: 'Hm.' }] }], { goOn: '11111111-2222-4333-8444-555555555555', record: 'copilot/session-gone' });
  expect(session.verdict).toEqual({ failed: expect.any(String) as string, gone: true });
});

if (THOROUGH) it('gets a prompt of a megabyte', async ({ room }) => {
  const prompt = `${'every word counts\u2028 '.repeat(50_000)}\nthe end`;
  const session = await work(room, [{ turns: [{ do: 'say', text: 'Read.' }] }], { prompt });
  expect(session.verdict).toEqual({});
  expect(session.server.seen.some(({ asked }) => asked?.prompt.includes(prompt) === true)).toBe(true);
});
