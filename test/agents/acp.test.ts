// Real agents by the Agent Client Protocol, against the scripted model server: what every one of them must do, and where one
// is known not to.

import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { control } from '../contract/processes.rig.ts';
import type { Scenario } from '../../src/model-server/scenario.ts';
import type { ModelServer } from '../../src/model-server/server.ts';
import { ACP_CASES, type AcpCase } from './acp.rig.ts';
import { THOROUGH, it, type Room } from './session.ts';

/** OpenCode has sessions of its own (opencode.test.ts). */
const CASES = ACP_CASES.filter(({ name }) => THOROUGH || name !== 'opencode');

const JOB: Scenario = [{ turns: [{ do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: 'git add hello.txt && git commit -qm "say hello"' }, { do: 'say', text: 'I said hello.' }] }];

/** Resolves when a file is in the worktree. */
async function appears(room: Room, name: string): Promise<void> {
  const over = new AbortController();
  const events = watch(room.worktree, { signal: over.signal });
  for (;;) {
    if (existsSync(join(room.worktree, name))) break;
    await events[Symbol.asyncIterator]().next();
  }
  over.abort();
}

/** Serves a scenario and gives the agent's environment for it. */
async function stage(o: AcpCase, room: Room, scenario: Scenario): Promise<{ readonly server: ModelServer; readonly env: Readonly<Record<string, string>> }> {
  const server = await room.serve({ protocols: o.protocols, scenario });
  o.settle?.(room, server.url);
  return { server, env: o.env(server.url) };
}

describe.each(CASES)('$name', (one) => {
  const { name, agent, forgets } = one;

  it('does a job of two commands', async ({ room }) => {
    const { env } = await stage(one, room, JOB);
    const session = await room.drive(agent(), { prompt: 'Say hello in a file and commit it.', env, record: `acp/${name}-done` });
    expect(session.verdict).toEqual({});
    expect(session.done).toBe(true);
    expect(session.result).toMatchObject({ code: 0, cut: false });
    expect(room.commits()).toEqual(['say hello']);
    expect(session.activity).toEqual(expect.arrayContaining([{ kind: 'command', text: 'echo hello > hello.txt' }, { kind: 'text', text: 'I said hello.' }]));
    expect(session.session).toMatch(/^[\w-]+$/);
    // Opencode tells the last answer only.
    expect(session.usage).toMatchObject(name === 'opencode' ? { input: 1000, output: 50 } : { input: 3000, output: 150 });
  });

  if (THOROUGH) it('tells that a tool failed, and goes on', async ({ room }) => {
    const { server, env } = await stage(one, room, [{ turns: [{ do: 'run', command: 'echo nothing here; exit 3' }, { do: 'say', text: 'It failed.' }] }]);
    const session = await room.drive(agent(), { prompt: 'Try it.', env, record: `acp/${name}-tool-fails`, permissions: 'full' });
    expect(session.verdict).toEqual({});
    expect(session.activity.at(-1)).toEqual({ kind: 'text', text: 'It failed.' });
    expect(server.seen.flatMap(({ asked }) => asked?.results ?? []).join('\n')).toContain('nothing here');
  });

  it('knows a refused key', async ({ room }) => {
    const { env } = await stage(one, room, [{ turns: [{ do: 'login' }], forever: true }]);
    const session = await room.drive(agent(), { prompt: 'Work.', env, record: `acp/${name}-login` });
    expect(session.verdict.trouble?.kind).toBe('login');
  });

  it('stops in the middle of a command', async ({ room }) => {
    const { env } = await stage(one, room, [{ turns: [{ do: 'run', command: 'touch started; tail -f /dev/null' }] }]);
    const handle = control();
    void appears(room, 'started').then(() => handle.interruptNow());
    const session = await room.drive(agent(), { prompt: 'Work.', env, control: handle, record: `acp/${name}-interrupted` });
    expect(session.result).toMatchObject({ cut: true });
    expect(session.verdict).toEqual({ failed: 'the agent was interrupted' });
  });

  if (THOROUGH) it('goes on with a session', async ({ room }) => {
    const { server, env } = await stage(one, room, [{ when: 'THE FIRST', turns: [{ do: 'run', command: 'true' }, { do: 'say', text: 'One.' }] }, { when: 'THE SECOND', turns: [{ do: 'say', text: 'Two.' }] }]);
    const first = await room.drive(agent(), { prompt: 'THE FIRST', env });
    const second = await room.drive(agent(), { prompt: 'THE SECOND', env, record: `acp/${name}-continued`, ...(first.session === undefined ? {} : { goOn: first.session }) });
    expect(second.verdict).toEqual({});
    expect(second.session === first.session).toBe(forgets !== true);
    expect(second.activity.at(-1)).toEqual({ kind: 'text', text: 'Two.' });
    expect(server.seen.at(-1)?.asked?.prompt).toMatch(forgets === true ? /THE SECOND/ : /THE FIRST[^]*THE SECOND/);
  });

  if (THOROUGH) it('gets a prompt of a megabyte', async ({ room }) => {
    const { server, env } = await stage(one, room, [{ turns: [{ do: 'say', text: 'Read.' }] }]);
    const prompt = `${'every word counts\u2028 '.repeat(50_000)}\nthe end`;
    const session = await room.drive(agent(), { prompt, env });
    expect(session.verdict).toEqual({});
    expect(server.seen.some(({ asked }) => asked?.prompt.includes(prompt) === true)).toBe(true);
  });
});

describe.each(CASES.filter(({ blind }) => blind !== true && THOROUGH))('$name', (one) => {
  const { name, agent } = one;

  it('knows a quota that is used up', async ({ room }) => {
    const { env } = await stage(one, room, [{ turns: [{ do: 'quota', resetSeconds: 7200 }], forever: true }]);
    const session = await room.drive(agent(), { prompt: 'Work.', env, record: `acp/${name}-quota` });
    expect(session.verdict.trouble?.kind).toBe('quota');
  });

  it('knows a busy service', async ({ room }) => {
    const { env } = await stage(one, room, [{ turns: [{ do: 'overload' }], forever: true }]);
    const session = await room.drive(agent(), { prompt: 'Work.', env, record: `acp/${name}-overload` });
    expect(session.verdict.trouble?.kind).toBe('overload');
  });
});
