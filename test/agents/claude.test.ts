// Claude Code itself against the scripted model server: what its machine promises, shown on the real program.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { claudeAgent } from '../../src/agents/claude.ts';
import { must } from '../../src/core/bug.ts';
import { control } from '../contract/processes.rig.ts';
import { anthropic } from '../../src/model-server/anthropic.ts';
import type { Scenario } from '../../src/model-server/scenario.ts';
import type { ModelServer } from '../../src/model-server/server.ts';
import type { Turn } from '../../src/model-server/turn.ts';
import { programOf } from './programs.ts';
import { THOROUGH, it, type Drive, type Room, type Session } from './session.ts';

const agent = claudeAgent({ program: [programOf('claude')] });
const KEY = { ANTHROPIC_API_KEY: 'sk-ant-dummy' };
/** As for a subscription: only then does the program listen to the limits of one. */
const SUBSCRIPTION = { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat-dummy' };

const COMMIT: readonly Turn[] = [{ do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: 'git add . && git commit -qm "say hello"' }, { do: 'say', text: 'I said hello.' }];

async function work(room: Room, scenario: Scenario, o: Partial<Drive> & { readonly record: string }): Promise<Session & { readonly server: ModelServer }> {
  const server = await room.serve({ protocols: [anthropic], scenario });
  const session = await room.drive(agent, { prompt: 'Do the work.', ...o, record: `claude/${o.record}`, env: { ANTHROPIC_BASE_URL: server.url, ...(o.env ?? KEY) } });
  return { ...session, server };
}

describe('work', () => {
  it('is done in two commands', async ({ room }) => {
    const session = await work(room, [{ turns: COMMIT }], { record: 'done' });
    expect(session).toMatchObject({ verdict: {}, done: true, usage: { input: 3000, output: 150, usd: 0.015 }, result: { code: 0 } });
    expect(session.session).toBe(session.task.session);
    expect(room.commits()).toEqual(['say hello']);
    expect(session.lines.filter((line) => line.includes('memory_paths'))).toEqual([]);
  });

  it('leaves no temporary file but in the folder for it', async ({ room }) => {
    await work(room, [{ turns: [{ do: 'run', command: 'echo "$TMPDIR" > tmpdir.txt' }, { do: 'run', command: 'seq 100000' }, { do: 'say', text: 'Done.' }] }], { record: 'temporary' });
    expect(readFileSync(join(room.worktree, 'tmpdir.txt'), 'utf8').trim()).toBe(join(room.repository.base, 'temporary'));
    expect(readdirSync(join(room.repository.base, 'temporary'))).toEqual([]);
  });

  it('goes on after a command that fails', async ({ room }) => {
    const session = await work(room, [{ turns: [{ do: 'run', command: 'echo oops >&2; exit 3' }, { do: 'say', text: 'It failed.' }] }], { record: 'tool-fails' });
    expect(session.verdict).toEqual({});
    expect(must(session.server.seen[1]?.asked, 'the second request').results[0]).toContain('oops');
  });

  it('is gone on with in the same session, and only the new part is counted', async ({ room }) => {
    const server = await room.serve({ protocols: [anthropic], scenario: [{ when: 'First', turns: COMMIT }, { when: 'Second', turns: [{ do: 'run', command: 'cat hello.txt' }, { do: 'say', text: 'Still there.' }] }] });
    const env = { ANTHROPIC_BASE_URL: server.url, ...KEY };
    const first = await room.drive(agent, { prompt: 'First part.', env });
    const second = await room.drive(agent, { prompt: 'Second part.', env, goOn: must(first.session, 'a session'), record: 'claude/continued' });
    expect(second).toMatchObject({ verdict: {}, session: first.session, usage: { input: 2000, output: 100, usd: 0.01 } });
    expect(server.seen.at(-1)?.asked?.prompt).toContain('First part.');
  });

  if (THOROUGH) it('takes a prompt of a megabyte', async ({ room }) => {
    const prompt = `Begin.\n${'0123456789abcde\n'.repeat(65_536)}"quotes" \\ ünïcödé 🦉\nEnd.`;
    const session = await work(room, [{ turns: COMMIT }], { record: 'long-prompt', prompt });
    expect(session.verdict).toEqual({});
    expect(must(session.server.seen[0]?.asked, 'a request').prompt.includes(prompt)).toBe(true);
  });

  it('counts what an answer writes before the end when there is a cap', async ({ room }) => {
    const counted: number[] = [];
    const session = await work(room, [{ turns: COMMIT }], { record: 'cap', cap: { tokens: 1e6 } });
    let { state } = agent.open(session.task);
    for (const line of session.lines.filter((text) => !text.includes('"type":"result"'))) {
      const received = agent.receive(line, state, 0);
      state = received.state;
      if (received.usage !== undefined) counted.push(received.usage.output);
    }
    expect(counted.at(-1)).toBe(150);
  });
});

describe('limits of its own', () => {
  it('end it after so many turns', async ({ room }) => {
    const session = await work(room, [{ turns: [{ do: 'run', command: 'true' }], forever: true }], { record: 'max-turns', maxTurns: 2 });
    expect(session).toMatchObject({ verdict: { failed: 'Reached maximum number of turns (2)' }, result: { code: 1 } });
  });

  it('end it at a sum of money', async ({ room }) => {
    const session = await work(room, [{ turns: [{ do: 'run', command: 'true' }], forever: true }], { record: 'budget', cap: { usd: 0.012 } });
    expect(session).toMatchObject({ verdict: { failed: 'Reached maximum budget ($0.012)' }, usage: { usd: 0.015 } });
  });
});

describe('trouble', () => {
  it('is a quota with the time when it is full again', async ({ room }) => {
    const before = Date.now();
    const { verdict } = await work(room, [{ turns: [{ do: 'quota', resetSeconds: 3600 }] }], { record: 'quota', env: SUBSCRIPTION });
    expect(verdict.trouble).toMatchObject({ kind: 'quota', text: expect.stringContaining('5-hour limit') as string });
    expect(Math.abs(must(verdict.trouble?.until, 'a time') - before - 3_600_000)).toBeLessThan(30_000);
  });

  it('is a quota without a time when there is no credit', async ({ room }) => {
    const { verdict } = await work(room, [{ turns: [{ do: 'quota' }] }], { record: 'no-credit' });
    expect(verdict.trouble).toEqual({ kind: 'quota', text: 'Credit balance is too low' });
  });

  it('is none when a short pause helps', async ({ room }) => {
    const session = await work(room, [{ turns: [{ do: 'quota', resetSeconds: 1 }, { do: 'overload' }, { do: 'cut' }, ...COMMIT] }], { record: 'pauses' });
    expect(session.verdict).toEqual({});
    expect(session.activity.filter(({ text }) => text.includes('tries again'))).toHaveLength(3);
  });

  it('is an overload that does not end', async ({ room }) => {
    const { verdict } = await work(room, [{ turns: [{ do: 'overload' }], forever: true }], { record: 'overload', env: { ...KEY, CLAUDE_CODE_MAX_RETRIES: '1' } });
    expect(verdict.trouble).toMatchObject({ kind: 'overload' });
  });

  it('is a login that is refused, and known after the second refusal', async ({ room }) => {
    const session = await work(room, [{ turns: [{ do: 'login' }], forever: true }], { record: 'login' });
    expect(session.verdict.trouble).toMatchObject({ kind: 'login' });
    expect(session.server.seen).toHaveLength(2);
  });

  it('is a missing login', async ({ room }) => {
    const { verdict } = await work(room, [{ turns: [] }], { record: 'not-logged-in', env: {} });
    expect(verdict.trouble).toEqual({ kind: 'login', text: 'Not logged in · Please run /login' });
  });

  it('is an option that it does not know', async ({ room }) => {
    const { verdict } = await work(room, [{ turns: [] }], { record: 'unknown-option', args: ['--nonsense'] });
    expect(verdict.trouble).toEqual({ kind: 'setup', text: 'error: unknown option \'--nonsense\'' });
  });

  it('is no trouble but a failure when the session to go on with is gone', async ({ room }) => {
    const { verdict } = await work(room, [{ turns: [] }], { record: 'session-gone', goOn: '05b62593-3041-422b-81ce-1a94ef3cef8b' });
    expect(verdict).toEqual({ failed: 'No conversation found with session ID: 05b62593-3041-422b-81ce-1a94ef3cef8b', gone: true });
  });
});

describe('an interrupt', () => {
  it('ends it while the model does not answer', async ({ room }) => {
    const handle = control();
    const server = await room.serve({ protocols: [anthropic], scenario: [{ turns: [{ do: 'hang' }] }] });
    const driving = room.drive(agent, { prompt: 'Do the work.', env: { ANTHROPIC_BASE_URL: server.url, ...KEY }, control: handle, record: 'claude/hang' });
    await server.arrived(({ turn }) => turn?.do === 'hang');
    handle.interruptNow();
    const session = await driving;
    expect(session).toMatchObject({ done: false, result: { cut: true } });
    expect(session.lines.some((line) => line.includes('Request interrupted'))).toBe(true);
  });

  it('ends the command that it is running, and the session can be gone on with', async ({ room }) => {
    const handle = control();
    const begun = join(room.scratch, 'begun');
    execFileSync('mkfifo', [begun]);
    const server = await room.serve({
      protocols: [anthropic],
      scenario: [{ when: 'First', turns: [{ do: 'run', command: `echo begun > ${begun}; sleep 600` }] }, { when: 'Second', turns: COMMIT }],
    });
    const env = { ANTHROPIC_BASE_URL: server.url, ...KEY };
    const driving = room.drive(agent, { prompt: 'First part.', env, control: handle, record: 'claude/interrupted' });
    await readFile(begun);
    handle.interruptNow();
    const first = await driving;
    expect(first.result).toMatchObject({ cut: true });
    const second = await room.drive(agent, { prompt: 'Second part.', env, goOn: must(first.session, 'a session') });
    expect(second.verdict).toEqual({});
    expect(room.commits()).toEqual(['say hello']);
  });

  it('may be a kill, and the session can still be gone on with', async ({ room }) => {
    const handle = control();
    const begun = join(room.scratch, 'begun');
    execFileSync('mkfifo', [begun]);
    const server = await room.serve({
      protocols: [anthropic],
      scenario: [{ when: 'First', turns: [{ do: 'run', command: `echo begun > ${begun}; sleep 600` }] }, { when: 'Second', turns: COMMIT }],
    });
    const env = { ANTHROPIC_BASE_URL: server.url, ...KEY };
    const driving = room.drive(agent, { prompt: 'First part.', env, control: handle, record: 'claude/killed' });
    await readFile(begun);
    handle.killNow();
    const first = await driving;
    expect(first).toMatchObject({ done: false, verdict: { failed: 'it ended without a result (SIGKILL)' } });
    const second = await room.drive(agent, { prompt: 'Second part.', env, goOn: must(first.session, 'a session') });
    expect(second).toMatchObject({ verdict: {}, session: first.session });
    expect(room.commits()).toEqual(['say hello']);
  });
});
