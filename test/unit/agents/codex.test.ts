// The machine of Codex by itself: what it says, and what it makes of lines that no recorded stream has.

import { describe, expect, it } from 'vitest';
import type { AgentTask, Received } from '../../../src/agents/agent.ts';
import { codexAgent, type CodexState } from '../../../src/agents/codex.ts';

const NOW = 1_800_000_000_000;

const agent = codexAgent({ program: ['/opt/codex'] });

const TASK: AgentTask = {
  prompt: 'Do it.', promptFile: '/state/prompt.md', worktree: '/state/worktree', gitPaths: ['/repo/.git/objects', '/repo/.git/worktrees/w'], scratch: '/state/scratch',
  permissions: 'workspace', args: ['-c', 'x=1'], session: '00000000-0000-4000-8000-000000000000', cap: {},
};

/** What answers our requests, in order, until the turn runs. */
const OPENING = [{ id: 1, result: {} }, { id: 2, result: { account: null, requiresOpenaiAuth: false } }, { id: 3, result: { thread: { id: 'T' }, model: 'm', sandbox: { type: 'workspaceWrite', networkAccess: true } } }, { id: 4, result: { turn: { id: 'U' } } }];

/** Feeds messages to a new session. */
function play(messages: readonly unknown[], task: Partial<AgentTask> = {}): { readonly all: readonly Received<CodexState>[]; readonly last: Received<CodexState>; readonly state: CodexState; readonly said: readonly Record<string, unknown>[] } {
  let { state } = agent.open({ ...TASK, ...task });
  const all = messages.map((message) => {
    const received = agent.receive(typeof message === 'string' ? message : JSON.stringify(message), state, NOW);
    state = received.state;
    return received;
  });
  const said = all.flatMap(({ send = '' }) => send.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>));
  return { all, last: all.at(-1) ?? { state }, state, said };
}

function event(method: string, params: Readonly<Record<string, unknown>>): unknown {
  return { method, params: { threadId: 'T', turnId: 'U', ...params } };
}

/** The settings of a task, without the names. */
function settingsOf(task: Partial<AgentTask>): readonly string[] {
  return agent.open({ ...TASK, args: [], ...task }).argv.filter((word) => /^(default_permissions|permissions|projects)\b/.test(word));
}

function end(state: CodexState, ending: { readonly code: number | null; readonly signal?: string; readonly limit?: 'idle' | 'total' } = { code: 0 }, tail = ''): unknown {
  return agent.conclude({ ending, state, tail, now: NOW });
}

describe('opening', () => {
  it('puts the arguments of the user last and the prompt nowhere among them', () => {
    const { argv, first, oneShot } = agent.open(TASK);
    expect(argv.slice(0, 2)).toEqual(['/opt/codex', 'app-server']);
    expect(argv.slice(-2)).toEqual(['-c', 'x=1']);
    expect([...argv, first].join(' ')).not.toContain('Do it.');
    expect(oneShot).toBe(false);
  });

  it('greets, looks for a login, begins a thread without permissions and gives the turn its own', () => {
    expect(play(OPENING).said.map(({ method }) => method)).toEqual(['initialized', 'account/read', 'thread/start', 'turn/start']);
    expect(play(OPENING, { model: 'best', goOn: 'S' }).said[2]).toEqual({
      id: 3, method: 'thread/resume', params: { threadId: 'S', excludeTurns: true, cwd: '/state/worktree', approvalPolicy: 'never', approvalsReviewer: 'user', model: 'best' },
    });
  });

  it.each<[Partial<AgentTask>, readonly string[]]>([
    [{ permissions: 'sandboxed' }, [
      'default_permissions="choo"',
      'permissions.choo={filesystem={":root"="read",":workspace_roots"="write","/repo/.git/objects"="write","/repo/.git/worktrees/w"="write","/state/scratch"="write","/repo/.git/worktrees/w/commondir"="read","/repo/.git/worktrees/w/gitdir"="read"},network={enabled=false}}',
      'projects={"/state/worktree"={trust_level="untrusted"}}',
    ]],
    [{ permissions: 'workspace', gitPaths: [] }, ['default_permissions="choo"', 'permissions.choo={filesystem={":root"="read",":workspace_roots"="write",":slash_tmp"="write",":tmpdir"="write"},network={enabled=true}}', 'projects={"/state/worktree"={trust_level="untrusted"}}']],
    [{ permissions: 'workspace', gitPaths: [], worktree: '/tmp/w' }, ['default_permissions="choo"', 'permissions.choo={filesystem={":root"="read",":workspace_roots"="write","/state/scratch"="write"},network={enabled=true}}', 'projects={"/tmp/w"={trust_level="untrusted"}}']],
    [{ permissions: 'full' }, []],
  ])('%j', (task, settings) => {
    expect(settingsOf(task)).toEqual(settings);
  });

  it('asks the turn for full permissions, and believes no others than it set', () => {
    expect(play(OPENING, { permissions: 'full' }).said.at(-1)).toMatchObject({ method: 'turn/start', params: { sandboxPolicy: { type: 'dangerFullAccess' } } });
    expect(play(OPENING).said.at(-1)).not.toHaveProperty('params.sandboxPolicy');
    for (const sandbox of [undefined, { type: 'dangerFullAccess' }, { type: 'workspaceWrite', networkAccess: false }]) {
      expect(play([...OPENING.slice(0, 2), { id: 3, result: { thread: { id: 'T' }, sandbox } }]).last.stop).toMatchObject({ kind: 'setup' });
    }
    expect(play(OPENING, { permissions: 'sandboxed' }).last.stop).toBeUndefined();
    expect(play(OPENING.slice(0, 3), { permissions: 'sandboxed' }).last.stop).toMatchObject({ kind: 'setup' });
  });

  it('quotes a hostile path', () => {
    expect(settingsOf({ permissions: 'sandboxed', worktree: '/w"]\n\\x', gitPaths: ['/a"="write","/etc'] })).toEqual(expect.arrayContaining([
      'projects={"/w\\"]\\n\\\\x"={trust_level="untrusted"}}', expect.stringContaining('"/a\\"=\\"write\\",\\"/etc"="write"'),
    ]));
  });

  it('ignores answers to what it has not asked', () => {
    expect(play([{ id: 4, result: { turn: { id: 'U' } } }, { id: 3, result: { thread: { id: 'T' } } }]).said).toEqual([]);
    expect(play([...OPENING, ...OPENING]).said).toHaveLength(4);
  });
});

describe('questions', () => {
  it.each([
    ['item/commandExecution/requestApproval', { decision: 'decline' }], ['item/fileChange/requestApproval', { decision: 'decline' }],
    ['item/permissions/requestApproval', { permissions: {}, scope: 'turn' }], ['item/tool/requestUserInput', { answers: {} }],
    ['mcpServer/elicitation/request', { action: 'decline', content: null, _meta: null }],
  ])('%s', (method, result) => {
    expect(play([{ id: 'q', method, params: {} }]).said).toEqual([{ id: 'q', result }]);
  });

  it('refuses what it does not know, and allows with full permissions', () => {
    for (const method of ['account/chatgptAuthTokens/refresh', 'toString', '__proto__']) {
      expect(play([{ id: 0, method, params: {} }]).said).toEqual([{ id: 0, error: { code: -32601, message: 'nobody is here to answer' } }]);
    }
    expect(play([{ id: 0, method: 'item/fileChange/requestApproval' }], { permissions: 'full' }).said).toEqual([{ id: 0, result: { decision: 'accept' } }]);
  });
});

describe('usage', () => {
  const told = (threadId: string, total: number, last: number): unknown => event('thread/tokenUsage/updated', { threadId, tokenUsage: { total: tokens(total), last: tokens(last) } });
  const tokens = (n: number): unknown => ({ inputTokens: n, cachedInputTokens: n / 10, cacheWriteInputTokens: n / 10, outputTokens: n / 2, reasoningOutputTokens: 1, totalTokens: 2 * n });

  it('sums the agents that it started, without what earlier sessions used', () => {
    expect(play([...OPENING, told('T', 1100, 100), told('other', 100, 100), told('T', 1200, 100)]).last.usage).toEqual({ input: 240, output: 150, cacheRead: 30, cacheWrite: 30, model: 'm' });
  });

  it('never counts back and takes no wrong number', () => {
    const wrong = event('thread/tokenUsage/updated', { tokenUsage: { total: { inputTokens: -5, outputTokens: 'many', cachedInputTokens: 1e300, cacheWriteInputTokens: null }, last: [] } });
    expect(play([...OPENING, told('T', 100, 100), wrong]).last.usage).toEqual({ input: 80, output: 50, cacheRead: 10, cacheWrite: 10, model: 'm' });
    expect(play([...OPENING, wrong]).last.usage).toEqual({ input: 0, output: 0, cacheRead: 0, cacheWrite: 0, model: 'm' });
  });
});

it('tells what it does', () => {
  const began = (item: unknown): unknown => play([...OPENING, event('item/started', { item })]).last.activity;
  expect(began({ type: 'commandExecution', command: "/bin/bash -lc 'a | b'", commandActions: [{ command: 'a' }, { command: 'b' }] })).toEqual([{ kind: 'command', text: "/bin/bash -lc 'a | b'" }]);
  expect(began({ type: 'commandExecution', command: "/bin/bash -lc 'make test'", commandActions: [{ command: 'make test' }] })).toEqual([{ kind: 'command', text: 'make test' }]);
  expect(began({ type: 'fileChange', changes: [{ path: '/state/worktree/src/a.ts' }, { path: '/elsewhere' }, {}] })).toEqual([
    { kind: 'file', text: 'src/a.ts' }, { kind: 'file', text: '/elsewhere' }, { kind: 'file', text: 'a file' },
  ]);
  expect(began({ type: 'mcpToolCall', server: 'docs', tool: 'find' })).toEqual([{ kind: 'tool', text: 'docs find' }]);
  expect(began({ type: 'webSearch', query: 'why' })).toEqual([{ kind: 'tool', text: 'web search why' }]);
  expect(began({ type: 'collabAgentToolCall', tool: 'spawnAgent' })).toEqual([{ kind: 'tool', text: 'spawnAgent' }]);
  expect(began({ type: 'somethingNew' })).toEqual([]);
});

describe('how it fails', () => {
  const failed = (codexErrorInfo: unknown, message = 'no'): unknown => event('turn/completed', { turn: { status: 'failed', error: { message, codexErrorInfo, additionalDetails: null } } });
  const http = (httpStatusCode: unknown): unknown => ({ responseTooManyFailedAttempts: { httpStatusCode } });

  it.each<[unknown, string | undefined]>([
    ['usageLimitExceeded', 'quota'], ['rateLimitExceeded', 'overload'], ['serverOverloaded', 'overload'], ['unauthorized', 'login'], ['modelNotFound', 'setup'], ['badRequest', undefined],
    ['contextWindowExceeded', undefined], ['toString', undefined], [null, undefined], [7, undefined], [http(401), 'login'], [http(402), 'quota'], [http(404), 'setup'], [http(400), undefined],
    [http(429), 'overload'], [http(503), 'overload'], [http(null), 'overload'], [{ somethingNew: { httpStatusCode: 401 } }, undefined],
  ])('%j is %s', (info, kind) => {
    const { state, last } = play([...OPENING, failed(info)]);
    expect(last).toMatchObject({ close: true });
    expect(end(state)).toEqual({ failed: 'no', ...(kind === undefined ? {} : { trouble: { kind, text: 'no' } }) });
  });

  it('tells the last end of the limits that are used up, and no nonsense', () => {
    const limits = (primary: unknown, secondary: unknown): unknown => ({ method: 'account/rateLimits/updated', params: { rateLimits: { primary, secondary } } });
    const until = (...windows: [unknown, unknown]): unknown => (end(play([...OPENING, limits(...windows), failed('usageLimitExceeded')]).state) as { readonly trouble: { readonly until?: number } }).trouble.until;
    const at = NOW / 1000;
    expect(until({ usedPercent: 100, resetsAt: at + 60 }, { usedPercent: 40, resetsAt: at + 600 })).toBe(NOW + 60_000);
    expect(until({ usedPercent: 100, resetsAt: at + 60 }, { usedPercent: 101, resetsAt: at + 600 })).toBe(NOW + 600_000);
    expect(until({ usedPercent: 100, resetsAt: at - 60 }, { usedPercent: 100, resetsAt: 1e300 })).toBeUndefined();
    expect(until({ usedPercent: 100, resetsAt: 'soon' }, 'x')).toBeUndefined();
  });

  it('ends at once at a refused login, waits while it tries the rest again, and blames what it waited for', () => {
    const error = (status: number): unknown => event('error', { willRetry: true, error: { message: 'Reconnecting... 1/5', codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: status } }, additionalDetails: `status ${status}` } });
    expect(play([...OPENING, error(401)]).last).toMatchObject({ stop: { kind: 'login', text: 'status 401' }, close: true });
    const waiting = play([...OPENING, error(429)]);
    expect(waiting.last).toMatchObject({ quiet: true });
    expect(waiting.last.stop).toBeUndefined();
    expect(waiting.last.activity).toEqual([{ kind: 'text', text: 'Reconnecting... 1/5: status 429' }]);
    expect(end(waiting.state, { code: null, limit: 'idle' })).toEqual({ failed: 'status 429', trouble: { kind: 'overload', text: 'status 429' } });
    const later = play([...OPENING, error(429), event('item/started', { item: { type: 'reasoning' } })]);
    expect(end(later.state, { code: null, limit: 'idle' }, '{"json":1}\nlast words\n{"json":2}\n')).toEqual({ failed: 'it ended before its turn was over: last words' });
  });

  it('believes neither the end of the turn nor the exit code alone', () => {
    const done = play([...OPENING, event('turn/completed', { turn: { status: 'completed', error: null } })]);
    expect(done.last).toMatchObject({ done: true, close: true });
    expect(end(done.state)).toEqual({});
    expect(end(done.state, { code: null, signal: 'SIGTERM' })).toEqual({});
    expect(end(done.state, { code: 3 })).toEqual({ failed: 'it ended with exit code 3 after it had said that it was done' });
    expect(end(play(OPENING).state)).toEqual({ failed: 'it ended before its turn was over: it said nothing' });
    expect(play([...OPENING, event('turn/completed', { turn: { status: 'completed', error: { message: 'but' } } })]).last.done).toBeUndefined();
    expect(play([...OPENING, { method: 'turn/completed', params: { threadId: 'other', turn: { status: 'completed' } } }]).last.done).toBeUndefined();
    expect(play([{ method: 'turn/completed', params: { turn: { status: 'completed' } } }]).last.done).toBeUndefined();
  });

  it('a program that does not start is a setup', () => {
    expect(end(agent.open(TASK).state, { code: 1 }, 'Error: no such provider\n')).toMatchObject({ trouble: { kind: 'setup', text: 'Codex did not start (exit code 1): Error: no such provider' } });
  });

  it.each([1, 3, 4])('a refusal of request %d is a setup', (id) => {
    const { last } = play([...OPENING.slice(0, id - 1), { id, error: { code: -32600, message: 'never' } }]);
    expect(last.stop).toMatchObject({ kind: 'setup', text: expect.stringMatching(/^Codex refuses .*: never$/) as string });
  });

  it('one command that ran proves the sandbox, whatever another prints', () => {
    const ran = (status: string, aggregatedOutput: string): unknown => event('item/completed', { item: { type: 'commandExecution', status, aggregatedOutput } });
    expect(play([...OPENING, ran('failed', 'bwrap: no')]).last.stop?.kind).toBe('setup');
    expect(play([...OPENING, ran('completed', ''), ran('failed', 'bwrap: no')]).last.stop).toBeUndefined();
    expect(play([...OPENING, ran('failed', 'bwrap: no')], { permissions: 'full' }).last.stop).toBeUndefined();
  });

  it('a sandbox that another Codex took apart is tried again', () => {
    const said = 'bwrap: Can\'t remount readonly on /newroot/repo/.git/objects/.agents: Unable to find "/newroot/repo/.git/objects/.agents" in mount table\n';
    const item = { type: 'commandExecution', status: 'failed', aggregatedOutput: said };
    expect(play([...OPENING, event('item/completed', { item })]).last.stop).toMatchObject({ kind: 'overload', text: expect.stringContaining('by another Codex') as string });
  });
});

it('interrupts only a turn that runs', () => {
  expect(agent.interrupt(play(OPENING.slice(0, 3)).state)).toBeUndefined();
  expect(JSON.parse(agent.interrupt(play(OPENING).state) ?? '')).toEqual({ id: 5, method: 'turn/interrupt', params: { threadId: 'T', turnId: 'U' } });
  expect(agent.interrupt(play([...OPENING, event('turn/completed', { turn: { status: 'completed' } })]).state)).toBeUndefined();
});

it('throws at no line', () => {
  const bad = [null, [], 7, 'x', { type: null }, { type: 'commandExecution', command: 7, commandActions: [null] }, { type: 'fileChange', changes: [1, null, { path: [] }] }, { type: 'agentMessage', text: {} }];
  const lines = [
    '', '{', '{}', '[]', 'null', '{"id":1}', '{"id":1,"result":null}', '{"id":{},"method":"x"}', '{"method":7}', '{"method":"__proto__"}',
    ...['turn/started', 'turn/completed', 'error', 'item/started', 'item/completed', 'thread/tokenUsage/updated', 'account/rateLimits/updated'].flatMap((method) => bad.flatMap((item) => [
      JSON.stringify({ method, params: item }), JSON.stringify(event(method, { item, turn: item, error: item, willRetry: true, tokenUsage: item, rateLimits: item })),
    ])),
  ];
  for (const opening of [[], OPENING]) for (const line of lines) expect(() => play([...opening, line])).not.toThrow();
});
