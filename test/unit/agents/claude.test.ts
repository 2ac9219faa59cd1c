// Claude Code's machine where the real program is not needed or cannot be brought to it: arguments, older versions, odd ends.

import { describe, expect, it } from 'vitest';
import type { AgentTask, Received } from '../../../src/agents/agent.ts';
import { claudeAgent } from '../../../src/agents/claude.ts';
import type { Ending } from '../../../src/core/failure.ts';

const agent = claudeAgent({ program: ['/opt/claude', '--first'] });
const NOW = Date.UTC(2026, 10, 1);
const ID = '05b62593-3041-422b-81ce-1a94ef3cef8b';

const TASK: AgentTask = {
  prompt: 'Do "it".\nAll.', promptFile: '/w/prompt.md', worktree: '/w', gitPaths: [], scratch: '/s', permissions: 'workspace', args: [], session: ID, cap: {},
};

function argv(task: Partial<AgentTask>): readonly string[] {
  return agent.open({ ...TASK, ...task }).argv;
}

/** Plays lines (data as JSON) and gives back everything told, the last of each, with the judgement. */
function play(lines: readonly (string | object)[], o: { readonly task?: Partial<AgentTask>; readonly ending?: Ending; readonly tail?: string } = {}): Partial<Received<unknown>> & { readonly verdict: unknown } {
  let { state } = agent.open({ ...TASK, ...o.task });
  let told: Partial<Received<unknown>> = {};
  for (const line of lines) {
    const received = agent.receive(typeof line === 'string' ? line : JSON.stringify(line), state, NOW);
    ({ state } = received);
    told = { ...told, ...received };
  }
  return { ...told, verdict: agent.conclude({ ending: o.ending ?? { code: 0 }, state, tail: o.tail ?? '', now: NOW }) };
}

const RESULT = { type: 'result', subtype: 'success', is_error: false, result: 'done' };

function answer(id: string, output: number): object {
  return { type: 'assistant', message: { id, content: [{ type: 'text', text: 'x' }], usage: { input_tokens: 10, output_tokens: output, cache_read_input_tokens: 5, cache_creation_input_tokens: 2 } } };
}

describe('arguments', () => {
  it('begin with the program and end with the configured ones, and never hold the prompt', () => {
    const words = argv({ args: ['--effort', 'low'] });
    expect(words.slice(0, 3)).toEqual(['/opt/claude', '--first', '-p']);
    expect(words.slice(-2)).toEqual(['--effort', 'low']);
    expect(words.join(' ')).not.toContain('Do "it"');
    expect(JSON.parse(agent.open(TASK).first)).toEqual({ type: 'user', message: { role: 'user', content: [{ type: 'text', text: TASK.prompt }] } });
  });

  it('set permissions under every policy, and never bypass them', () => {
    expect(argv({})).toContain('--allowedTools=Bash,WebFetch,WebSearch');
    expect(argv({ permissions: 'full' }).find((word) => word.startsWith('--allowedTools='))).toMatch(/Bash.*Edit,Write/);
    for (const permissions of ['workspace', 'full'] as const) {
      expect(argv({ permissions })).toContain('--permission-mode=acceptEdits');
      expect(argv({ permissions }).join(' ')).toMatch(/--disallowedTools=\S*AskUserQuestion/);
      expect(argv({ permissions }).join(' ')).not.toMatch(/bypass|dangerously/);
    }
    expect(agent.abilities.permissions).not.toContain('sandboxed');
  });

  it('join values to their option, so that none is taken for an option', () => {
    expect(argv({ model: '--dangerously-skip-permissions', goOn: '--verbose' })).toEqual(expect.arrayContaining(['--model=--dangerously-skip-permissions', '--resume=--verbose']));
    expect(argv({})).toContain(`--session-id=${ID}`);
    expect(argv({ goOn: ID }).some((word) => word.startsWith('--session-id'))).toBe(false);
  });

  it('pass limits on, and ask for exact counts only when there is a cap', () => {
    expect(argv({ maxTurns: 7, cap: { usd: 1.5 } })).toEqual(expect.arrayContaining(['--max-turns=7', '--max-budget-usd=1.5', '--include-partial-messages']));
    expect(argv({ cap: { tokens: 5 } })).toContain('--include-partial-messages');
    expect(argv({})).not.toContain('--include-partial-messages');
  });
});

describe('usage', () => {
  it('counts an answer once, however often it is told', () => {
    const told = play([answer('a', 1), answer('a', 1), answer('b', 3), answer('a', 7)]);
    expect(told.usage).toEqual({ input: 20, output: 10, cacheRead: 10, cacheWrite: 4 });
  });

  it('forgets none of many answers', () => {
    expect(play(Array.from({ length: 500 }, (_, i) => answer(`a${i}`, 1))).usage?.output).toBe(500);
  });

  it('takes the sum of an older version, unless it has the past in it', () => {
    const result = { ...RESULT, total_cost_usd: 0.5, modelUsage: { m: { inputTokens: 100, outputTokens: 20 } } };
    expect(play([answer('a', 1), result]).usage).toMatchObject({ input: 100, output: 20, usd: 0.5 });
    const goOn = { task: { goOn: ID } };
    const withPast = play([answer('a', 1), { ...result, usage: { input_tokens: 30, output_tokens: 4 } }], goOn).usage;
    expect(withPast).toMatchObject({ input: 30, output: 4 });
    expect(withPast).not.toHaveProperty('usd');
    expect(play([answer('a', 1), { ...result, usage: { input_tokens: 100, output_tokens: 20 } }], goOn).usage).toMatchObject({ input: 100, output: 20, usd: 0.5 });
  });

  it('adds the results of one process up', () => {
    const result = { ...RESULT, model_usage_since_last_result: { m: { inputTokens: 100, costUSD: 0.25 }, n: { inputTokens: 1, costUSD: 0.25 } } };
    expect(play([result, result]).usage).toMatchObject({ input: 202, usd: 1 });
  });

  it('never goes down', () => {
    expect(play([answer('a', 50), { ...RESULT, model_usage_since_last_result: {} }]).usage?.output).toBe(50);
  });
});

describe('trouble', () => {
  const retry = (more: object): object => ({ type: 'system', subtype: 'api_retry', attempt: 1, retry_delay_ms: 1000, error_status: 429, error: 'rate_limit', ...more });

  it('stops it when it announces a long pause, with the time', () => {
    expect(play([retry({ retry_delay_ms: 61_000 })]).stop).toMatchObject({ kind: 'quota', until: NOW + 61_000 });
    expect(play([retry({})]).stop).toBeUndefined();
  });

  it('stops it at the second refusal of a login, not at the first, which it may mend by itself', () => {
    const refused = { error_status: 401, error: 'authentication_failed' };
    expect(play([retry(refused)]).stop).toBeUndefined();
    expect(play([retry(refused), retry({ ...refused, attempt: 2 })])).toMatchObject({ stop: { kind: 'login' }, verdict: { trouble: { kind: 'login' } } });
  });

  it('knows the moment of a limit from the notice before the refusal', () => {
    const lines = [
      { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: NOW / 1000 + 60 } },
      { type: 'assistant', error: 'rate_limit', api_error_status: 429, message: { content: [{ type: 'text', text: 'You\'ve hit your limit' }] } },
      { ...RESULT, is_error: true, api_error_status: 429, result: 'You\'ve hit your limit' },
    ];
    expect(play(lines, { ending: { code: 1 } }).verdict).toEqual({ failed: 'You\'ve hit your limit', trouble: { kind: 'quota', text: 'You\'ve hit your limit', until: NOW + 60_000 } });
    expect(play([{ type: 'rate_limit_event', rate_limit_info: { status: 'allowed_warning', resetsAt: NOW / 1000 + 60 } }, ...lines.slice(1)]).verdict).not.toHaveProperty('trouble.until');
  });

  it.each([
    [401, 'login'], [403, 'login'], [402, 'quota'], [429, 'quota'], [404, 'setup'], [500, 'overload'], [503, 'overload'], [529, 'overload'],
  ])('is told by the status %d alone where the words are new: %s', (status, kind) => {
    expect(play([{ ...RESULT, is_error: true, api_error_status: status, result: 'new words' }], { ending: { code: 1 } }).verdict).toMatchObject({ trouble: { kind, text: 'new words' } });
  });

  it('is none when the request itself was refused', () => {
    expect(play([{ ...RESULT, is_error: true, api_error_status: 400, result: 'Prompt is too long' }], { ending: { code: 1 } }).verdict).toEqual({ failed: 'Prompt is too long' });
  });

  it('passes when an answer comes after it', () => {
    const failed = { type: 'result', subtype: 'error_during_execution', is_error: true, errors: ['broken'] };
    expect(play([retry({}), answer('a', 1), failed], { ending: { code: 1 } }).verdict).toEqual({ failed: 'broken' });
  });

  it('is not read from the words of others in what it printed last', () => {
    const tail = `{"type":"assistant","message":"cannot be used with root"}\nunknown option in the middle of a line of somebody's","x":{}}\n`;
    expect(play([], { ending: { code: 1 }, tail }).verdict).toEqual({ failed: 'it ended without a result (exit code 1)' });
    expect(play([], { ending: { code: 1 }, tail: '--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons\n' }).verdict).toMatchObject({ trouble: { kind: 'setup' } });
  });
});

it('takes signs of life for no progress, so that a command that hangs is found', () => {
  const { state } = agent.open(TASK);
  const quiet = (line: object): boolean | undefined => agent.receive(JSON.stringify(line), state, NOW).quiet;
  expect(quiet({ type: 'tool_progress', heartbeat: true, elapsed_time_seconds: 30 })).toBe(true);
  expect(quiet({ type: 'system', subtype: 'api_retry', attempt: 1, retry_delay_ms: 1000, error_status: 529, error: 'overloaded' })).toBe(true);
  expect([answer('a', 1), { type: 'user', message: {} }, RESULT].map(quiet)).toEqual([undefined, undefined, undefined]);
});

describe('an end', () => {
  it('is believed only when result and exit code say the same', () => {
    expect(play([RESULT]).verdict).toEqual({});
    expect(play([RESULT], { ending: { code: 1 } }).verdict).toEqual({ failed: 'it said that it was done, but ended with exit code 1' });
    expect(play([{ ...RESULT, is_error: true, result: 'no' }]).verdict).toEqual({ failed: 'no' });
    expect(play([{ type: 'result', subtype: 'success', result: 'no flag' }]).verdict).toEqual({ failed: 'no flag' });
    expect(play([{ ...RESULT, subtype: 'error_of_tomorrow', result: undefined }]).verdict).toEqual({ failed: 'error_of_tomorrow' });
  });

  it('after it was done may come from us', () => {
    for (const ending of [{ code: 143 }, { code: null, signal: 'SIGKILL' }, { code: 130 }]) expect(play([RESULT], { ending }).verdict).toEqual({});
  });

  it('without a result is a failure, whatever the exit code', () => {
    expect(play([answer('a', 1)]).verdict).toEqual({ failed: 'it ended without a result (exit code 0)' });
    expect(play([], { ending: { code: null, signal: 'SIGSEGV' } }).verdict).toEqual({ failed: 'it ended without a result (SIGSEGV)' });
  });
});
