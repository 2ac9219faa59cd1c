// GitHub Copilot CLI by its prompt mode: the prompt on stdin, JSON lines on stdout. It has no word for stopping; SIGTERM ends
// it cleanly. `program` should be the native binary. By ACP it tells less of what goes wrong: acp.ts.

import type { Usage } from '../core/usage.ts';
import { jsonLine, short } from './agent.ts';
import type { Permissions } from '../core/agent-use.ts';
import type { Activity, Agent, AgentTask, Received, Trouble, Verdict } from './agent.ts';
import { resetIn } from './reset.ts';
import { countOf, mapOf, textOf } from './untrusted.ts';

type Json = Readonly<Record<string, unknown>>;

/** What is remembered of one session. */
interface State {
  readonly session: string;
  /** It goes on with an earlier session, whose tokens it then counts again. */
  readonly goesOn: boolean;
  readonly trouble: Trouble | undefined;
  /** An error that ended the turn and is no trouble of the account, or an interrupt. */
  readonly failed: string | undefined;
  /** The last line of all; without it the program did not come to its end. */
  readonly ended: boolean;
}

/**
 * How far each policy lets it go. Within `workspace` its own tools reach the worktree alone and no address on the network; a
 * command is looked at for paths, which holds no hostile one. Its sandbox (`--sandbox`) is not used: it asks for programs and
 * rights that few machines have, and its own edits are outside it.
 */
const PERMITTED: { readonly [K in Permissions]: readonly string[] } = {
  sandboxed: [],
  workspace: ['--allow-all-tools', '--disallow-temp-dir'],
  full: ['--allow-all-tools', '--allow-all-paths', '--allow-all-urls'],
};

/** Nobody is asked, nothing is sent home, fetched or shown elsewhere. */
const UNATTENDED = ['--no-ask-user', '--no-auto-update', '--no-remote', '--no-remote-export', '--disable-client-telemetry', '--no-color'];

/** Starts the program and then prints, as one line, the file of what it used, which it writes at its end; the stream has no tokens. Signals are for the program: its shell waits for it. */
const WITH_USAGE = 'trap : TERM INT HUP; "$@"; code=$?; if [ -s "$0" ]; then tr -d "\\n" < "$0"; echo; fi; exit "$code"';

/** How it fails: the status of its model's interface, as `model.call_failure` and `session.error` tell it. */
const TROUBLES: Readonly<Record<number, Trouble['kind']>> = { 401: 'login', 403: 'login', 402: 'quota', 429: 'quota', 500: 'overload', 502: 'overload', 503: 'overload', 504: 'overload', 529: 'overload' };

/** Takes the program with its first arguments. */
export function copilotAgent(o: { readonly program: readonly string[] }): Agent<State> {
  return {
    name: 'copilot',
    idleLimit: true,
    listens: true,
    abilities: {
      permissions: ['workspace', 'full'],
      why: 'its sandbox does not hold its own edits, and needs rights that choo cannot count on',
      // Tokens are told at the end only.
      usage: { tokens: false, usd: false },
      goOn: true,
      ownCap: false,
    },
    open: (task) => ({
      argv: ['/bin/sh', '-c', WITH_USAGE, usageFile(task), ...o.program, ...optionsFor(task)],
      env: { COPILOT_AUTO_UPDATE: 'false' },
      first: task.prompt,
      oneShot: true,
      state: { session: task.goOn ?? task.session, goesOn: task.goOn !== undefined, trouble: undefined, failed: undefined, ended: false },
    }),
    receive,
    interrupt: () => undefined,
    conclude: ({ ending, state, tail }) => {
      if (state.trouble !== undefined) return { trouble: state.trouble };
      if (state.failed !== undefined) return { failed: state.failed };
      if (!state.ended) return beforeTheEnd(tail, state);
      return ending.code === 0 ? {} : { failed: 'the agent says that it failed' };
    },
  };
}

function usageFile({ scratch, session }: AgentTask): string {
  return `${scratch}/copilot-usage-${session}.json`;
}

function optionsFor(task: AgentTask): readonly string[] {
  const { goOn, model, permissions } = task;
  return [
    '--output-format=json', `--usage-output-file=${usageFile(task)}`, ...UNATTENDED, ...PERMITTED[permissions],
    goOn === undefined ? `--session-id=${task.session}` : `--resume=${goOn}`,
    ...(model === undefined ? [] : [`--model=${model}`]), ...task.args,
  ];
}

function receive(line: string, state: State, now: number): Received<State> {
  const said = jsonLine(line);
  if (said === undefined) return { state };
  const data = mapOf(said['data']);
  switch (said['type']) {
    case 'user.message': return { state, session: state.session };
    case 'assistant.message': return { state, ...activity('text', textOf(data['content'])) };
    case 'tool.execution_start': return { state, activity: [toolActivity(data)] };
    case 'model.call_failure': return refused(data, state, now);
    case 'session.error': return gaveUp(data, state, now);
    case 'abort': return { state: { ...state, failed: state.failed ?? 'the agent was interrupted' } };
    case 'result': return { state: { ...state, ended: true }, done: true };
    // The file of what was used has no type.
    default: return said['modelMetrics'] === undefined || state.goesOn ? { state } : used(mapOf(said['modelMetrics']), state);
  }
}

function activity(kind: Activity['kind'], text: string): { readonly activity?: readonly Activity[] } {
  return text.trim() === '' ? {} : { activity: [{ kind, text: short(text) }] };
}

function toolActivity(data: Json): Activity {
  const given = mapOf(data['arguments']);
  const command = textOf(given['command']);
  if (command !== '') return { kind: 'command', text: short(command) };
  const path = textOf(given['path']) || textOf(given['file_path']);
  return path === '' ? { kind: 'tool', text: short(textOf(data['toolName'])) } : { kind: 'file', text: short(`${textOf(data['toolName'])} ${path}`) };
}

/** One refusal of the model's interface. A wrong key stays wrong, and what is used up stays so when it is refused again; the rest is its own to repeat. */
function refused(data: Json, state: State, now: number): Received<State> {
  const status = countOf(data['statusCode']) ?? 0;
  const message = textOf(data['errorMessage']);
  const text = textOf(mapOf(jsonLine(message))['message']) || message;
  const lasting = status === 401 || status === 402 || data['errorCode'] === 'insufficient_quota' || (status === 429 && (countOf(data['retryAttempt']) ?? 0) > 0);
  return lasting ? stopped(state, { status, text, now }) : { state };
}

/** It has given up. */
function gaveUp(data: Json, state: State, now: number): Received<State> {
  const text = textOf(data['message']);
  const status = countOf(data['statusCode']) ?? 0;
  return TROUBLES[status] === undefined ? { state: { ...state, failed: short(text) || 'the agent told an error' } } : stopped(state, { status, text, now });
}

/** Trouble of the account: there is no use in waiting for the program's own end. */
function stopped(state: State, o: { readonly status: number; readonly text: string; readonly now: number }): Received<State> {
  const kind = TROUBLES[o.status] ?? 'overload';
  const until = kind === 'quota' ? resetIn(o.text, o.now) : undefined;
  const trouble = state.trouble ?? { kind, text: short(o.text) || `the model's interface answered ${o.status}`, ...(until === undefined ? {} : { until }) };
  return { state: { ...state, trouble }, stop: trouble };
}

/** Tokens of all models, as the file tells them; what came from the cache is counted within the input. */
function used(models: Json, state: State): Received<State> {
  const sum = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  for (const model of Object.values(models)) {
    const told = mapOf(mapOf(model)['usage']);
    const [cacheRead, cacheWrite] = [countOf(told['cacheReadTokens']) ?? 0, countOf(told['cacheWriteTokens']) ?? 0];
    sum.input += Math.max(0, (countOf(told['inputTokens']) ?? 0) - cacheRead - cacheWrite);
    sum.output += countOf(told['outputTokens']) ?? 0;
    sum.cacheRead += cacheRead;
    sum.cacheWrite += cacheWrite;
  }
  const names = Object.keys(models);
  const usage: Usage = { ...sum, ...(names.length === 1 && names[0] !== undefined ? { model: short(names[0]) } : {}) };
  return { state, usage };
}

/** It ended without its last line: what it printed for people is all there is. */
function beforeTheEnd(tail: string, { goesOn }: State): Verdict {
  const words = tail.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('{'));
  const text = short(words.find((line) => /error/i.test(line)) ?? words[0] ?? '');
  if (/no authentication|not (?:logged|signed) in|copilot login|\/login\b/i.test(words.join(' '))) return { trouble: { kind: 'login', text: short(words[0] ?? '') } };
  return { failed: text || 'the agent ended before its work was over', ...(goesOn && /^Error: No session, task, or name matched\b/.test(words[0] ?? '') ? { gone: true } : {}) };
}
