// The scripted model server itself: what it plays, what it counts, what it refuses. The agents' tests stand on it.

import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { anthropic } from '../../src/model-server/anthropic.ts';
import { play, type Scenario } from '../../src/model-server/scenario.ts';
import { openModelServer, type ModelServer } from '../../src/model-server/server.ts';
import type { Asked } from '../../src/model-server/turn.ts';

const open: ModelServer[] = [];
afterEach(async () => { for (const server of open.splice(0)) await server.close(); });

async function serve(scenario: Scenario): Promise<ModelServer> {
  const server = await openModelServer({ protocols: [anthropic], scenario, clock: systemClock() });
  open.push(server);
  return server;
}

function ask(server: ModelServer, body: unknown, headers: Readonly<Record<string, string>> = { 'x-api-key': 'k' }): Promise<Response> {
  return fetch(`${server.url}/v1/messages`, { method: 'POST', headers: { 'anthropic-version': '2023-06-01', ...headers }, body: JSON.stringify(body) });
}

const BASH = { name: 'Bash', input_schema: { type: 'object' } };
const BODY = { model: 'm', max_tokens: 10, tools: [BASH], messages: [{ role: 'user', content: 'go' }] };

function asked(prompt: string, results: number, tools: readonly string[] = ['Bash']): Asked {
  return { prompt, results: Array.from({ length: results }, () => ''), tools, model: 'm', stream: true };
}

describe('a scenario', () => {
  const run = (command: string): { do: 'run'; command: string } => ({ do: 'run', command });
  const said = (turn: { do: string; command?: string; text?: string }): string => turn.command ?? turn.text ?? turn.do;

  it('is at the turn that the results say, however often it is asked', () => {
    const { next } = play([{ turns: [run('a'), run('b'), { do: 'say', text: 'end' }] }]);
    expect([0, 0, 1, 2, 3, 1].map((n) => said(next(asked('x', n))))).toEqual(['a', 'a', 'b', 'end', 'Done.', 'b']);
  });

  it('refuses as often as it says, then goes on', () => {
    const { next } = play([{ turns: [{ do: 'overload' }, { do: 'quota' }, run('a'), { do: 'cut' }, run('b')] }]);
    expect([0, 0, 0, 0, 1, 1].map((n) => said(next(asked('x', n))))).toEqual(['overload', 'quota', 'a', 'a', 'cut', 'b']);
  });

  it('can do its last turn for ever', () => {
    const work = play([{ turns: [run('a')], forever: true }]);
    const login = play([{ turns: [run('a'), { do: 'login' }], forever: true }]);
    expect([0, 1, 50].map((n) => said(work.next(asked('x', n))))).toEqual(['a', 'a', 'a']);
    expect([0, 1, 1, 1].map((n) => said(login.next(asked('x', n))))).toEqual(['a', 'login', 'login', 'login']);
  });

  it('is chosen by what stands last in the prompt', () => {
    const { next } = play([{ turns: [run('other')] }, { when: 'one', turns: [run('1')] }, { when: /t.o/g, turns: [run('2')] }]);
    expect(['one', 'one two', 'two one', 'three', 'two two'].map((prompt) => said(next(asked(prompt, 0))))).toEqual(['1', '2', '1', 'other', '2']);
  });

  it('is not used up by requests beside the conversation', () => {
    const { next } = play([{ turns: [{ do: 'overload' }, run('a')] }]);
    expect(said(next(asked('title', 0, [])))).toContain('title');
    expect([0, 0].map((n) => said(next(asked('x', n))))).toEqual(['overload', 'a']);
  });
});

describe('the server', () => {
  it('answers whole or in pieces', async () => {
    const server = await serve([{ turns: [{ do: 'run', command: 'echo' }] }]);
    expect(await (await ask(server, BODY)).json()).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'Bash', input: { command: 'echo' } }] });
    const events = (await (await ask(server, { ...BODY, stream: true })).text()).match(/^event: .*$/gm);
    expect(events).toEqual(['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'].map((name) => `event: ${name}`));
  });

  it('refuses as the real interface does', async () => {
    const server = await serve([{ turns: [{ do: 'quota', resetSeconds: 60 }, { do: 'quota' }, { do: 'overload' }, { do: 'login' }, { do: 'say', text: 'ok' }] }]);
    const answers = [];
    for (let i = 0; i < 5; i += 1) answers.push(await ask(server, BODY));
    expect(answers.map(({ status }) => status)).toEqual([429, 400, 529, 401, 200]);
    expect(answers[0]?.headers.get('retry-after')).toBe('60');
    expect(server.bad).toEqual([]);
  });

  it('cuts the connection in the middle of an answer', async () => {
    const server = await serve([{ turns: [{ do: 'cut' }] }]);
    const answer = await ask(server, { ...BODY, stream: true });
    await expect(answer.text()).rejects.toThrow();
  });

  const call = (id: string): object => ({ role: 'assistant', content: [{ type: 'tool_use', id, name: 'Bash', input: {} }] });
  const result = (id: string): object => ({ type: 'tool_result', tool_use_id: id, content: '' });
  const marked = (count: number): object => ({ role: 'user', content: Array.from({ length: count }, (_, n) => ({ type: 'text', text: `part ${n}`, cache_control: { type: 'ephemeral' } })) });

  it('takes what the real interface takes: text after a result, four marks for the cache, a last message that is empty', async () => {
    const server = await serve([{ turns: [{ do: 'say', text: 'ok' }], forever: true }]);
    const fine = [
      [marked(4)],
      [{ role: 'user', content: 'go' }, call('x'), { role: 'user', content: [result('x'), { type: 'text', text: 'well?' }] }],
      [{ role: 'user', content: 'go' }, { role: 'assistant', content: [] }],
    ];
    for (const messages of fine) expect((await ask(server, { ...BODY, messages })).status).toBe(200);
    expect(server.bad).toEqual([]);
  });

  it.each([
    ['no key', BODY, {}],
    ['an unknown field', { ...BODY, max_token: 1 }, undefined],
    ['no messages', { ...BODY, messages: [] }, undefined],
    ['no limit', { ...BODY, max_tokens: 0 }, undefined],
    ['a result without its call', { ...BODY, messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: '' }] }] }, undefined],
    ['a call without its result', { ...BODY, messages: [{ role: 'user', content: 'go' }, { role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'Bash', input: {} }] }, { role: 'user', content: 'well?' }] }, undefined],
    ['an empty text', { ...BODY, messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }, undefined],
    ['an assistant that begins', { ...BODY, messages: [{ role: 'assistant', content: 'hello' }] }, undefined],
    ['a message of nothing', { ...BODY, messages: [{ role: 'user', content: [] }] }, undefined],
    ['an answer of nothing in the middle', { ...BODY, messages: [{ role: 'user', content: 'go' }, { role: 'assistant', content: [] }, { role: 'user', content: 'on' }] }, undefined],
    ['a call that is there twice', { ...BODY, messages: [{ role: 'user', content: 'go' }, call('x'), { role: 'user', content: [result('x')] }, call('x'), { role: 'user', content: [result('x')] }] }, undefined],
    ['text before a result', { ...BODY, messages: [{ role: 'user', content: 'go' }, call('x'), { role: 'user', content: [{ type: 'text', text: 'well?' }, result('x')] }] }, undefined],
    ['two tools of one name', { ...BODY, tools: [{ name: 'Bash', input_schema: {} }, { name: 'Bash', input_schema: {} }] }, undefined],
    ['five marks for the cache', { ...BODY, messages: [marked(5)] }, undefined],
    ['no JSON', undefined, undefined],
  ] as const)('remembers a request with %s as bad', async (_what, body, headers) => {
    const server = await serve([{ turns: [{ do: 'say', text: 'ok' }] }]);
    const answer = await ask(server, body, headers);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect(server.bad).toHaveLength(1);
  });

  it('keeps what came, tells when it comes, and gives up waiting when it is closed', async () => {
    const server = await serve([{ turns: [{ do: 'hang' }, { do: 'say', text: 'ok' }] }]);
    const hanging = ask(server, BODY);
    expect((await server.arrived(({ turn }) => turn?.do === 'hang')).asked?.prompt).toBe('go');
    const other = await fetch(`${server.url}/elsewhere`);
    expect([other.status, server.seen.length]).toEqual([404, 2]);
    const ends = Promise.allSettled([hanging, server.arrived(({ turn }) => turn?.do === 'say')]);
    await server.close();
    expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
