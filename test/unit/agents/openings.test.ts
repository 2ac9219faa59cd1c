// What Gemini CLI and OpenCode are started with, and what they say that no recording holds. The rest is in streams.test.ts.

import { describe, expect, it } from 'vitest';
import type { AgentTask } from '../../../src/agents/agent.ts';
import { geminiAgent } from '../../../src/agents/gemini.ts';
import { opencodeAgent } from '../../../src/agents/opencode.ts';

const task: AgentTask = {
  prompt: 'Work.', promptFile: '/p/prompt.md', worktree: '/w', gitPaths: [], scratch: '/s', permissions: 'workspace', args: ['--more'], session: 'f7b330de-b33b-48e1-8123-a7d8cee8625c', cap: {},
};
const NOW = 1_800_000_000_000;

describe('gemini', () => {
  const agent = geminiAgent({ program: ['gemini'] });

  it('is always told what it may do', () => {
    expect(agent.open(task).argv).toEqual([
      'gemini', '--output-format=stream-json', '--skip-trust', '--approval-mode=auto_edit', '--policy=/s/gemini-rules.toml', `--session-id=${task.session}`, '--more',
    ]);
    expect(Object.keys(agent.open(task).files ?? {})).toEqual(['/s/gemini-rules.toml']);
    const full = agent.open({ ...task, permissions: 'full', model: '--yes' });
    expect(full.argv.slice(3)).toEqual(['--approval-mode=yolo', `--session-id=${task.session}`, '--model=--yes', '--more']);
    expect(full.files).toBeUndefined();
  });

  it.each([
    ['as it is', 'Line one.\n\nLine two.\n', 'Line one.\n\nLine two.\n'],
    ['that looks like a command of its own', '/quit now', '\n/quit now'],
    ['with files in it', 'Mail a@b.c about @dir and \\@this @ noon', '(In this text `\\@` stands for a plain at sign.)\n\nMail a\\@b.c about \\@dir and \\@this @ noon'],
  ])('gets a prompt %s', (_what, prompt, first) => {
    expect(agent.open({ ...task, prompt }).first).toBe(first);
  });

  it.each([
    { message: '[API Error: You have exhausted your capacity on this model. Your quota will reset after 13h51m2s.]', code: 173, kind: 'quota', until: NOW + 49_862_000 },
    { message: '[API Error: You exceeded your current quota. Please retry in 59.5s.]\nPlease wait and try again later.', code: 173, kind: 'quota', until: NOW + 59_500 },
    { message: '[API Error: No capacity available for model g on the server]\nPlease wait and try again later. To increase your limits, request a quota increase through AI Studio', code: 173, kind: 'overload', until: undefined },
    { message: '[API Error: exception TypeError: fetch failed sending request]', code: 1, kind: 'overload', until: undefined },
    { message: '[API Error: something else]', code: 145, kind: 'login', until: undefined },
    { message: '[API Error: models/x is not found for API version v1beta]', code: 148, kind: 'setup', until: undefined },
    { message: '[API Error: retry in 99999999s, quota]', code: 173, kind: 'quota', until: undefined },
    { message: 'Reached max session turns for this session.', code: 53, kind: undefined, until: undefined },
  ])('knows what stops it: $message', ({ message, code, kind, until }) => {
    const { state } = agent.receive(JSON.stringify({ type: 'result', status: 'error', error: { type: 'unknown', message } }), agent.open(task).state, NOW);
    const verdict = agent.conclude({ ending: { code }, state, tail: '', now: NOW });
    expect(verdict.failed).toBeDefined();
    expect([verdict.trouble?.kind, verdict.trouble?.until]).toEqual([kind, until]);
  });

  it('is not believed when it ends as if all was well', () => {
    const begun = agent.receive('{"type":"init","session_id":"a"}', agent.open(task).state, NOW).state;
    expect(agent.conclude({ ending: { code: 0 }, state: begun, tail: '', now: NOW })).toEqual({ failed: 'ended without a result' });
    const done = agent.receive('{"type":"result","status":"success"}', begun, NOW).state;
    expect(agent.conclude({ ending: { code: 7 }, state: done, tail: '', now: NOW }).failed).toContain('exit code 7');
  });
});

describe('opencode', () => {
  const agent = opencodeAgent({ program: ['opencode'] });
  const step = (reason: string): string => JSON.stringify({ type: 'step_finish', sessionID: 'ses_1', part: { reason, cost: 0, tokens: { input: 5, output: 1, reasoning: 2, cache: { read: 3, write: 4 } } } });
  const after = (line: string): unknown => agent.receive(line, agent.open(task).state, NOW).state;

  it('is always told what it may do', () => {
    const { argv, env } = agent.open({ ...task, model: 'a/b', goOn: 'ses_1' });
    expect(argv.slice(3)).toEqual(['opencode', 'run', '--format=json', '--auto', '--print-logs', '--log-level=ERROR', '--title=choo', '--session=ses_1', '--model=a/b', '--more']);
    expect(env['OPENCODE_PERMISSION']).toBe('{"external_directory":"deny"}');
    expect(agent.open({ ...task, permissions: 'full' }).env['OPENCODE_PERMISSION']).toBeUndefined();
  });

  it('counts what it thought, and takes no price for unknown', () => {
    expect(agent.receive(step('stop'), agent.open(task).state, NOW)).toMatchObject({ usage: { input: 5, output: 3, cacheRead: 3, cacheWrite: 4 }, session: 'ses_1', done: true });
    expect(agent.receive(step('stop'), agent.open(task).state, NOW).usage).not.toHaveProperty('usd');
  });

  it('is not believed when it ends as if all was well', () => {
    const judge = (state: unknown, code: number): unknown => agent.conclude({ ending: { code }, state, tail: '', now: NOW } as Parameters<typeof agent.conclude>[0]);
    expect(judge(after(step('stop')), 0)).toEqual({});
    expect(judge(after(step('tool-calls')), 0)).toEqual({ failed: 'stopped in the middle of its work (tool-calls)' });
    expect(judge(agent.open(task).state, 0)).toEqual({ failed: 'ended without a result' });
    // Its log may hold errors that it got over.
    const log = 'timestamp=2026-11-22T22:35:25.201Z level=ERROR run=e message="share subscriber failed" error="unavailable"';
    expect(judge(agent.receive(log, after(step('stop')) as ReturnType<typeof agent.open>['state'], NOW).state, 0)).toEqual({});
  });

  it.each([
    [{ name: 'APIError', data: { message: 'Too many', statusCode: 429, responseHeaders: { 'retry-after': '60' } } }, 'quota', NOW + 60_000],
    [{ name: 'APIError', data: { message: 'no', statusCode: 529 } }, 'overload', undefined],
    [{ name: 'ProviderAuthError', data: { message: '' } }, 'login', undefined],
    [{ name: 'ContextOverflowError', data: { message: 'the conversation is too long' } }, undefined, undefined],
  ])('knows what stops it: %o', (error, kind, until) => {
    const { trouble, failed } = agent.conclude({ ending: { code: 1 }, state: agent.receive(JSON.stringify({ type: 'error', error }), agent.open(task).state, NOW).state, tail: '', now: NOW });
    expect(failed).toBeDefined();
    expect([trouble?.kind, trouble?.until]).toEqual([kind, until]);
  });

  it('sees an answer that broke off, which no line tells, by what comes next', () => {
    const start = (message: string): string => JSON.stringify({ type: 'step_start', sessionID: 'ses_1', part: { messageID: message } });
    const error = 'timestamp=2026-11-22T22:35:25.201Z level=ERROR run=e message="stream error" error.error="AI_APICallError: Cannot connect to API"';
    const stops = (...lines: readonly string[]): readonly boolean[] => {
      let { state } = agent.open(task);
      return lines.map((line) => {
        const received = agent.receive(line, state, NOW);
        state = received.state;
        return received.stop !== undefined;
      });
    };
    expect(stops(error, start('m'), start('m'), start('m'))).toEqual([false, false, false, true]);
    expect(stops(start('m'), error, start('m'), error)).toEqual([false, false, false, true]);
    expect(stops(error, error, error)).toEqual([false, false, true]);
    expect(stops(start('m'), start('m'), step('tool-calls'), start('n'), start('n'), step('stop'), start('o'), start('o'))).not.toContain(true);
  });

  it('leaves a short wait to it, and ends it before a long one', () => {
    const log = (words: string): string => `timestamp=2026-11-22T22:35:25.201Z level=ERROR run=e message="stream error" providerID=p error.error="AI_APICallError: ${words}"`;
    expect(agent.receive(log('Rate limit reached. Please try again in 20s.'), agent.open(task).state, NOW).stop).toBeUndefined();
    expect(agent.receive(log('Rate limit reached. Please try again in 2h.'), agent.open(task).state, NOW).stop).toMatchObject({ kind: 'quota', until: NOW + 7_200_000 });
  });
});
