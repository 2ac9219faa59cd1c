// OpenCode itself against the scripted model server. Its configuration is the test's: a provider of its own, with prices.

import { join } from 'node:path';
import { expect } from 'vitest';
import { opencodeAgent } from '../../src/agents/opencode.ts';
import { control } from '../contract/processes.rig.ts';
import { chat } from '../../src/model-server/chat.ts';
import type { Part } from '../../src/model-server/scenario.ts';
import type { ModelServer } from '../../src/model-server/server.ts';
import { programOf } from './programs.ts';
import { THOROUGH, it, type Room } from './session.ts';

/** It takes its time to start, and the machine may be busy, ms. */
const PATIENCE = 180_000;

const agent = opencodeAgent({ program: [programOf('opencode')] });

/** What every session here is given. */
interface Set { readonly env: Readonly<Record<string, string>>; readonly model: string }

/** The room with a server that plays the parts. */
async function serve(room: Room, scenario: readonly Part[]): Promise<{ readonly o: Set; readonly prompts: () => readonly string[]; readonly asked: () => number; readonly server: ModelServer }> {
  const server = await room.serve({ protocols: [chat], scenario, spent: { input: 1000, output: 50, cacheRead: 300, cacheWrite: 0 } });
  const model = { name: 'Scripted', limit: { context: 2_000_000, output: 8000 }, cost: { input: 1, output: 2, cache_read: 0.1 } };
  const provider = { scripted: { npm: '@ai-sdk/openai-compatible', name: 'Scripted', options: { baseURL: `${server.url}/v1`, apiKey: '{env:SCRIPTED_KEY}' }, models: { m1: model } } };
  room.repository.write('opencode.json', JSON.stringify({ provider, autoupdate: false, share: 'disabled' }), room.home);
  const env = { SCRIPTED_KEY: 'sk-dummy', OPENCODE_CONFIG: join(room.home, 'opencode.json'), OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_DEFAULT_PLUGINS: '1', OPENCODE_PURE: '1' };
  const prompts = (): readonly string[] => server.seen.flatMap(({ asked }) => asked === undefined ? [] : [asked.prompt]);
  return { o: { env, model: 'scripted/m1' }, prompts, asked: () => server.seen.length, server };
}

if (THOROUGH) it('does a job of two commands', async ({ room }) => {
  const { o, asked } = await serve(room, [{ turns: [{ do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: 'git add . && git commit -qm "say hello"' }, { do: 'say', text: 'I said hello.' }] }]);
  const session = await room.drive(agent, { prompt: 'Say hello in a file and commit it.', ...o, record: 'opencode/done' });
  expect(session.verdict).toEqual({});
  expect(session.done).toBe(true);
  expect(room.commits()).toEqual(['say hello']);
  expect(session.usage).toMatchObject({ input: 3000, output: 150, cacheRead: 900, cacheWrite: 0 });
  expect(session.usage?.usd).toBeCloseTo(0.00339, 6);
  expect(session.activity.map(({ kind }) => kind)).toEqual(['command', 'command', 'text']);
  // No question for a title, nor any other beside the work.
  expect(asked()).toBe(3);
}, PATIENCE);

it('goes on after a tool that failed and one that is refused', async ({ room }) => {
  const { o, prompts } = await serve(room, [{ turns: [{ do: 'run', command: 'echo nothing here; exit 3' }, { do: 'run', command: 'cat /etc/hostname' }, { do: 'say', text: 'It failed.' }] }]);
  const session = await room.drive(agent, { prompt: 'Try it carefully.', ...o, record: 'opencode/tool-fails' });
  expect(session.verdict).toEqual({});
  expect(session.activity.map(({ text }) => text)).toEqual(['echo nothing here; exit 3', expect.stringContaining('(refused: ') as string, 'It failed.']);
  expect(prompts()).toHaveLength(3);
}, PATIENCE);

it('is refused nothing with full permissions', async ({ room }) => {
  const { o } = await serve(room, [{ turns: [{ do: 'run', command: 'cat /etc/os-release' }, { do: 'say', text: 'Read.' }] }]);
  const free = await room.drive(agent, { prompt: 'Try it.', ...o, permissions: 'full' });
  expect(free.verdict).toEqual({});
  expect(free.lines.join('\n')).toContain('VERSION');
}, PATIENCE);

it('knows a quota with its time at the first sign', async ({ room }) => {
  const { o } = await serve(room, [{ turns: [{ do: 'quota', resetSeconds: 7200 }], forever: true }]);
  const began = Date.now();
  const { stop, verdict } = await room.drive(agent, { prompt: 'Work.', ...o, record: 'opencode/quota' });
  expect(stop).toMatchObject({ kind: 'quota' });
  expect(verdict.trouble).toMatchObject({ kind: 'quota' });
  expect(verdict.trouble?.until).toBeGreaterThanOrEqual(began + 7_200_000);
}, PATIENCE);

it('knows a login that is refused, and a model that is not there', async ({ room }) => {
  const { o } = await serve(room, [{ turns: [{ do: 'login' }], forever: true }]);
  const login = await room.drive(agent, { prompt: 'Work.', ...o, record: 'opencode/login' });
  expect(login.verdict.trouble).toEqual({ kind: 'login', text: 'Incorrect API key provided.' });
  const model = await room.drive(agent, { prompt: 'Work.', ...o, model: 'nowhere/m1', record: 'opencode/no-such-model' });
  expect(model.verdict.trouble).toMatchObject({ kind: 'setup' });
}, PATIENCE);

const BROKEN = [['overload', 'The server is overloaded or not ready yet.'], ['cut', 'connection was closed']] as const;

for (const [turn, words] of BROKEN) {
  if (THOROUGH) it(`gives up after three times ${turn}`, async ({ room }) => {
    const { o } = await serve(room, [{ turns: [{ do: turn }], forever: true }]);
    const session = await room.drive(agent, { prompt: 'Work.', ...o, record: `opencode/${turn}` });
    expect(session.stop).toMatchObject({ kind: 'overload', text: expect.stringContaining(words) as string });
    expect(session.verdict.trouble).toEqual(session.stop);
  }, PATIENCE);
}

it('is ended in the middle of a command that ignores everything, with all that it started', async ({ room }) => {
  // The command tells the server that it has begun: opencode itself says so only when it is over.
  const tell = 'node -e "fetch(process.env.SERVER + \'/begun\')"';
  const { o, server } = await serve(room, [{ turns: [{ do: 'run', command: `trap "" TERM INT HUP; ${tell}; sleep 300 & setsid sleep 300 & wait; sleep 300` }] }]);
  const handle = control();
  const begun = server.arrived(({ request }) => request.path === '/begun').then(() => handle.interruptNow());
  const session = await room.drive(agent, { prompt: 'Wait.', ...o, env: { ...o.env, SERVER: server.url }, control: handle, record: 'opencode/interrupted' });
  await begun;
  expect(session.result.cut).toBe(true);
  expect(session.verdict.failed).toBeDefined();
  expect(session.done).toBe(false);
}, PATIENCE);

if (THOROUGH) it('is ended while the model says nothing', async ({ room }) => {
  const { o, server } = await serve(room, [{ turns: [{ do: 'hang' }] }]);
  const handle = control();
  const asked = server.arrived((seen) => seen.asked !== undefined).then(() => handle.interruptNow());
  const session = await room.drive(agent, { prompt: 'Wait.', ...o, control: handle, record: 'opencode/hang' });
  await asked;
  expect(session.verdict).toEqual({ failed: 'ended without a result' });
}, PATIENCE);

it('goes on with a session', async ({ room }) => {
  const { o, prompts } = await serve(room, [{ when: 'the first', turns: [{ do: 'say', text: 'Remember 4711.' }] }, { when: 'the second', turns: [{ do: 'run', command: 'echo 2 > 2.txt' }, { do: 'say', text: 'Yes.' }] }]);
  const first = await room.drive(agent, { prompt: 'the first', ...o });
  expect(first.session).toMatch(/^ses_\w+$/);
  const second = await room.drive(agent, { prompt: 'the second', ...o, goOn: first.session ?? '', record: 'opencode/goes-on' });
  expect(second.verdict).toEqual({});
  expect(second.usage).toMatchObject({ input: 2000, output: 100 });
  expect(prompts().at(-1)).toMatch(/the first[^]*the second/);
  const gone = await room.drive(agent, { prompt: 'the third', ...o, goOn: 'ses_nothing', record: 'opencode/session-gone' });
  expect(gone.verdict).toEqual({ failed: 'Error: Session not found', gone: true });
}, PATIENCE);

if (THOROUGH) it('gets a prompt of a megabyte as it is', async ({ room }) => {
  const { o, prompts } = await serve(room, [{ turns: [{ do: 'say', text: 'Read.' }] }]);
  room.repository.write('secret.txt', 'read me in', room.worktree);
  const prompt = `/init @secret.txt !ls\n${'0123456789abcde\n'.repeat(65_536)}the end`;
  const session = await room.drive(agent, { prompt, ...o, record: 'opencode/megabyte' });
  expect(session.verdict).toEqual({});
  expect(prompts()[0]).toContain(prompt);
  expect(prompts()[0]).not.toContain('read me in');
}, PATIENCE);
