// Gemini CLI itself against the scripted model server. Its settings file is the test's: its login, and fewer tries.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { geminiAgent } from '../../src/agents/gemini.ts';
import { control } from '../contract/processes.rig.ts';
import { gemini } from '../../src/model-server/gemini.ts';
import type { Part } from '../../src/model-server/scenario.ts';
import type { ModelServer } from '../../src/model-server/server.ts';
import type { Turn } from '../../src/model-server/turn.ts';
import { programOf } from './programs.ts';
import { THOROUGH, it, type Room } from './session.ts';

const agent = geminiAgent({ program: [process.execPath, programOf('gemini')] });

const spent = { input: 1000, output: 50, cacheRead: 300, cacheWrite: 0 };

/** The room with a server that plays the parts, or the turns of one. */
async function serve(room: Room, scenario: readonly Part[] | readonly Turn[]): Promise<{ readonly env: Readonly<Record<string, string>>; readonly prompts: () => readonly string[]; readonly server: ModelServer }> {
  const parts = scenario.map((item) => 'turns' in item ? item : undefined).filter((item) => item !== undefined);
  const turns = scenario.map((item) => 'do' in item ? item : undefined).filter((item) => item !== undefined);
  // The user's own git configuration does not reach the commands that it runs.
  room.repository.git('config', 'user.name', 'Gemma');
  room.repository.git('config', 'user.email', 'gemma@example.com');
  const server = await room.serve({ protocols: [gemini], spent, scenario: parts.length > 0 ? parts : [{ turns }] });
  // The low number of tries is for the overload, which it retries for minutes.
  const settings = { security: { auth: { selectedType: 'gemini-api-key' } }, general: { maxAttempts: 2 }, privacy: { usageStatisticsEnabled: false } };
  room.repository.write('.gemini/settings.json', JSON.stringify(settings), room.home);
  return {
    env: { GOOGLE_GEMINI_BASE_URL: server.url, GEMINI_API_KEY: 'AIza-dummy' },
    prompts: () => server.seen.flatMap(({ asked }) => asked === undefined || asked.tools.length === 0 ? [] : [asked.prompt]),
    server,
  };
}

it('does a job of two commands', async ({ room }) => {
  const { env } = await serve(room, [
    { do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: 'git add . && git commit -qm "say hello" && git log > /dev/null' }, { do: 'say', text: 'I said hello.' },
  ]);
  const session = await room.drive(agent, { prompt: 'Say hello in a file and commit it.', env, model: 'gemini-2.5-flash', record: 'gemini/done' });
  expect(session.verdict).toEqual({});
  expect(session.done).toBe(true);
  expect(room.commits()).toEqual(['say hello']);
  expect(session.usage).toEqual({ input: 3000, output: 150, cacheRead: 900, cacheWrite: 0, model: 'gemini-2.5-flash' });
  expect(session.activity.map(({ kind }) => kind)).toEqual(['command', 'command', 'text']);
});

it('tells that a tool failed, and goes on; with full permissions too', async ({ room }) => {
  const { env, prompts } = await serve(room, [{ do: 'run', command: 'echo nothing here; exit 3' }, { do: 'say', text: 'It failed.' }]);
  const session = await room.drive(agent, { prompt: 'Try it.', env, permissions: 'full', record: 'gemini/tool-fails' });
  expect(session.verdict).toEqual({});
  expect(session.lines.some((line) => line.includes('nothing here'))).toBe(true);
  expect(prompts()).toHaveLength(2);
  // Without a model of ours it chooses one, and says which.
  expect(session.usage?.model).toMatch(/^gemini-/);
});

it('waits for a quota until the time it was told', async ({ room }) => {
  const { env } = await serve(room, [{ do: 'quota', resetSeconds: 7200 }]);
  const began = Date.now();
  const { verdict } = await room.drive(agent, { prompt: 'Work.', env, model: 'gemini-2.5-flash', record: 'gemini/quota' });
  expect(verdict.trouble).toMatchObject({ kind: 'quota', text: expect.stringContaining('You exceeded your current quota') as string });
  expect(verdict.trouble?.until).toBeGreaterThanOrEqual(began + 7_200_000);
});

it('knows a quota of the day, which names no time', async ({ room }) => {
  const { env } = await serve(room, [{ do: 'quota' }]);
  const { verdict } = await room.drive(agent, { prompt: 'Work.', env, model: 'gemini-2.5-flash', record: 'gemini/quota-of-the-day' });
  expect(verdict.trouble).toEqual({ kind: 'quota', text: 'You have exhausted your daily quota on this model.' });
});

it('knows an overload, a connection that breaks, and a login that is refused', async ({ room }) => {
  const { env } = await serve(room, [
    { when: 'the first', turns: [{ do: 'overload' }], forever: true }, { when: 'the second', turns: [{ do: 'cut' }], forever: true }, { when: 'the third', turns: [{ do: 'login' }], forever: true },
  ]);
  const work = async (prompt: string, record: string): Promise<unknown> => (await room.drive(agent, { prompt, env, model: 'gemini-2.5-flash', record })).verdict.trouble;
  expect(await work('the first', 'gemini/overload')).toEqual({ kind: 'overload', text: 'The model is overloaded. Please try again later.' });
  expect(await work('the second', 'gemini/cut')).toMatchObject({ kind: 'overload' });
  expect(await work('the third', 'gemini/login')).toEqual({ kind: 'login', text: 'API key not valid. Please pass a valid API key.' });
});

it('knows that nobody is logged in, and options that it does not have', async ({ room }) => {
  const { env } = await serve(room, [{ do: 'say', text: 'no' }]);
  const nobody = await room.drive(agent, { prompt: 'Work.', env: { ...env, GEMINI_API_KEY: '' }, record: 'gemini/nobody' });
  expect(nobody.verdict.trouble).toMatchObject({ kind: 'login', text: expect.stringContaining('GEMINI_API_KEY') as string });
  const option = await room.drive(agent, { prompt: 'Work.', env, args: ['--nothing-like-it'] });
  expect(option.verdict.trouble).toMatchObject({ kind: 'setup', text: expect.stringContaining('nothing-like-it') as string });
});

it('is ended in the middle of a command that ignores everything, with all that it started', async ({ room }) => {
  const { env } = await serve(room, [{ do: 'run', command: 'trap "" TERM INT HUP; echo begun; sleep 300 & setsid sleep 300 & wait; sleep 300' }]);
  const handle = control();
  const session = await room.drive(agent, {
    prompt: 'Wait.', env, control: handle, record: 'gemini/interrupted',
    onLine: (line) => { if (line.includes('"tool_use"')) handle.interruptNow(); },
  });
  expect(session.result.cut).toBe(true);
  expect(session.verdict).toEqual({ failed: 'ended without a result' });
  expect(session.done).toBe(false);
});

it('is ended while the model says nothing', async ({ room }) => {
  const { env, server } = await serve(room, [{ do: 'hang' }]);
  const handle = control();
  const asked = server.arrived((seen) => seen.turn?.do === 'hang').then(() => handle.interruptNow());
  const session = await room.drive(agent, { prompt: 'Wait.', env, control: handle, record: 'gemini/hang' });
  await asked;
  expect(session.result.cut).toBe(true);
  expect(session.verdict).toEqual({ failed: 'ended without a result' });
});

if (THOROUGH) it('gets a prompt of a megabyte as it is, whatever it looks like', async ({ room }) => {
  // It waits for what was printed to be read, which it does not do at its own end.
  execFileSync('mkfifo', [join(room.home, 'gate')]);
  const { env, prompts } = await serve(room, [{ do: 'run', command: `cat ${join(room.home, 'gate')}` }, { do: 'say', text: 'Read.' }]);
  const openGate = (line: string): void => { if (line.includes('"tool_use"')) writeFile(join(room.home, 'gate'), '').catch((error: unknown) => expect.unreachable(String(error))); };
  const plain = `/help is not a command here\n${'0123456789abcde\n'.repeat(65_536)}the end`;
  const session = await room.drive(agent, { prompt: plain, env, onLine: openGate, record: 'gemini/megabyte' });
  expect(session.verdict).toEqual({});
  expect(prompts()[0]).toContain(plain);
  room.repository.write('secret.txt', 'read me in', room.worktree);
  await room.drive(agent, { prompt: `See @secret.txt and ${'@types/node '.repeat(5000)}.`, env, onLine: openGate });
  expect(prompts()[2]).toContain('(In this text `\\@` stands for a plain at sign.)\n\nSee \\@secret.txt and \\@types/node');
  expect(prompts()[2]).not.toContain('read me in');
});
