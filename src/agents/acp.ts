// The `acp` agent: any program that speaks the Agent Client Protocol. A pure machine over the lines of acp-program.ts, which
// holds the conversation; which programs there are is configuration.

import type { Ending } from '../core/failure.ts';
import type { Usage } from '../core/usage.ts';
import { jsonLine, short } from './agent.ts';
import type { Permissions } from '../core/agent-use.ts';
import type { Activity, Agent, AgentTask, Received, Trouble, Verdict } from './agent.ts';
import { resetIn } from './reset.ts';
import { amountOf, countOf, listOf, mapOf, textOf } from './untrusted.ts';

/** What the program is to do; the first line of its stdin. */
export interface AcpJob {
  readonly prompt: string;
  readonly worktree: string;
  readonly permissions: Permissions;
  /** Session to go on with, where the agent can. */
  readonly goOn?: string;
  readonly model?: string;
  /** Mode to set instead of the one chosen by `permissions`. */
  readonly mode?: string;
  /** Way of logging in to use before the session; absent: the agent is logged in already. */
  readonly auth?: string;
}

/** What the program prints, a line each: messages of the agent as they came, and what the program itself did. */
export type AcpLine =
  | { readonly acp: unknown }
  | { readonly choo: 'session'; readonly id: string; readonly wentOn: boolean; readonly mode?: string; readonly model?: string }
  | { readonly choo: 'permission'; readonly tool: string; readonly allowed: boolean; readonly why?: string }
  | { readonly choo: 'prompted' }
  /** The protocol's own reason: `end_turn`, `cancelled`, `refusal`, … */
  | { readonly choo: 'ended'; readonly reason: string }
  /** The agent does not fit: another version of the protocol, no such mode or model. */
  | { readonly choo: 'unfit'; readonly text: string }
  /** The agent answered a request with an error. */
  | { readonly choo: 'refused'; readonly code: number; readonly message: string; readonly data: unknown }
  /** The agent ended, or talks nonsense. */
  | { readonly choo: 'gone'; readonly text: string };

/** The line on the program's stdin that asks for the end of the turn. */
export const CANCEL = '{"choo":"cancel"}';

/** Reads the first line of the program's stdin, which this file wrote. */
export function acpJob(line: string): AcpJob {
  return JSON.parse(line) as AcpJob;
}

/** What the machine remembers of one session. */
interface Acp {
  /** The agent's own name, as it introduced itself. */
  readonly agent: string;
  readonly prompted: boolean;
  /** The last command or tool shown; agents tell each several times. */
  readonly shown: string;
  /** Text of the message being said, its end, and which message that is, where the agent tells. */
  readonly saying: string;
  readonly message: unknown;
  /** An error that the agent told as if the model had said it, when nothing came after. */
  readonly error: string | undefined;
  readonly usage: Usage | undefined;
  /** The turn ended with the word that no token was used. */
  readonly nothing: boolean;
  /** Money the session had cost before this prompt; undefined: nobody told, and what it costs in all says nothing of this prompt. */
  readonly before: number | undefined;
  readonly over: Verdict | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * How ACP agents fail. The protocol has one code of its own ("log in first"); all else is what the agent passes on from its
 * model's interface: by a name of its own in the error's data (claude-agent-acp), else in the text.
 */
const TROUBLES: readonly { readonly kind: Trouble['kind']; readonly names: readonly string[]; readonly words: RegExp }[] = [
  {
    kind: 'login', names: ['authentication_failed', 'authentication_error', 'oauth_org_not_allowed'],
    words: /\b401\b|unauthori[sz]ed|authentication (?:required|failed|error)|(?:incorrect|invalid) api[ _-]?key|api[ _-]?key (?:is )?(?:not valid|invalid|missing)|not logged in|login required/i,
  },
  {
    kind: 'quota', names: ['rate_limit', 'billing_error'],
    words: /\b429\b|quota|rate.?limit|usage.?limit|credit balance|resource_exhausted|too many requests/i,
  },
  {
    kind: 'overload', names: ['server_error', 'overloaded'],
    words: /\b(?:50[0234]|529)\b|overloaded|at capacity|service unavailable|high demand|stream disconnected/i,
  },
];

/** Switches of known agents that have no counterpart in the protocol; others do not know them. Claude's adapter else repeats a refused login in silence for minutes. */
const ENVIRONMENT = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_MAX_RETRIES: '2',
  OPENCODE_DISABLE_AUTOUPDATE: '1', COPILOT_AUTO_UPDATE: 'false',
};

/** Ids of sessions that are kept for later; an agent whose ids look otherwise begins anew each time. */
const SESSION = /^\w[\w-]{0,199}$/;

/** The protocol's code for "log in first". */
const AUTH_REQUIRED = -32000;

/** Takes the agent's own program with its arguments (`program`) and ours that talks to it (`runner`); `mode` and `auth` as configured, see AcpJob. */
export function acpAgent(o: { readonly program: readonly string[]; readonly runner: readonly string[]; readonly mode?: string; readonly auth?: string }): Agent<Acp> {
  return {
    name: 'acp',
    idleLimit: true,
    listens: true,
    abilities: {
      permissions: ['workspace', 'full'],
      why: 'the protocol has no sandbox: what the agent asks for is answered, what it does without asking is not seen',
      usage: { tokens: false, usd: false },
      goOn: true,
      ownCap: false,
    },
    open: (task) => ({
      argv: [...o.runner, ...o.program, ...task.args],
      env: ENVIRONMENT,
      first: `${JSON.stringify(jobOf(task, o))}\n`,
      oneShot: false,
      state: { agent: '', prompted: false, shown: '', saying: '', message: undefined, error: undefined, usage: undefined, nothing: false, before: 0, over: undefined },
    }),
    receive,
    interrupt: () => `${CANCEL}\n`,
    conclude: ({ ending, state }) => state.over ?? { failed: unsaid(ending) },
  };
}

function jobOf(task: AgentTask, o: { readonly mode?: string; readonly auth?: string }): AcpJob {
  const { prompt, worktree, permissions, goOn, model } = task;
  return {
    prompt, worktree, permissions,
    ...(goOn === undefined ? {} : { goOn }), ...(model === undefined ? {} : { model }),
    ...(o.mode === undefined ? {} : { mode: o.mode }), ...(o.auth === undefined ? {} : { auth: o.auth }),
  };
}

function receive(line: string, state: Acp, now: number): Received<Acp> {
  const said = jsonLine(line);
  if (said === undefined) return { state };
  if (said['acp'] !== undefined) return heard(mapOf(said['acp']), state);
  switch (said['choo']) {
    case 'session': return begun(said, state);
    case 'prompted': return { state: { ...state, prompted: true } };
    case 'permission': return said['allowed'] === true ? { state } : { state, activity: [{ kind: 'tool', text: short(`refused: ${textOf(said['tool'])} (${textOf(said['why'])})`) }] };
    case 'ended': return over(state, endOf(textOf(said['reason']), state, now));
    case 'unfit': return over(state, { trouble: { kind: 'setup', text: short(textOf(said['text'])) } });
    case 'refused': return over(state, refusalOf(said, now));
    case 'gone': return over(state, { failed: short(textOf(said['text'])) });
    default: return { state };
  }
}

function begun(said: Json, state: Acp): Received<Acp> {
  const id = textOf(said['id']);
  const next = { ...state, before: said['wentOn'] === true && state.before === 0 ? undefined : state.before };
  return SESSION.test(id) ? { state: next, session: id } : { state: next };
}

/** The conversation is over. Trouble ends it at once: the program has nothing more to say. */
function over(state: Acp, verdict: Verdict): Received<Acp> {
  const next = { ...state, over: verdict };
  return { state: next, close: true, ...(verdict.trouble === undefined ? { done: true } : { stop: verdict.trouble }) };
}

/** A message of the agent. Before the prompt an agent repeats an earlier session; that is no activity. */
function heard(message: Json, state: Acp): Received<Acp> {
  const { name } = mapOf(mapOf(message['result'])['agentInfo']);
  if (typeof name === 'string') return { state: { ...state, agent: name } };
  const update = mapOf(mapOf(message['params'])['update']);
  const cost = costOf(update);
  if (cost !== undefined && !state.prompted) return { state: { ...state, before: cost } };
  if (!state.prompted) return { state };
  if (cost !== undefined) return state.before === undefined ? { state } : used(state, { ...NOTHING, ...state.usage, usd: Math.max(0, cost - state.before) });
  const usage = usageOf(mapOf(message['result']));
  if (mapOf(message['result'])['usage'] === null) return { state: { ...state, nothing: true } };
  if (usage !== undefined) {
    const nothing = usage.input + usage.output + usage.cacheRead + usage.cacheWrite === 0;
    return used({ ...state, nothing }, { ...usage, ...(state.usage?.usd === undefined ? {} : { usd: state.usage.usd }) });
  }
  const asked = mapOf(mapOf(message['params'])['toolCall']);
  return asked['toolCallId'] === undefined ? doing(update, state) : tool(asked, state);
}

const NOTHING: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

function used(state: Acp, usage: Usage): Received<Acp> {
  return { state: { ...state, usage }, usage };
}

function doing(update: Json, state: Acp): Received<Acp> {
  switch (update['sessionUpdate']) {
    case 'agent_message_chunk': {
      const chunk = textOf(mapOf(update['content'])['text']);
      // A word at a time; shown is the message as far as it is, and of a long one its end.
      const same = update['messageId'] === state.message;
      const saying = `${same ? state.saying : ''}${chunk}`.slice(-SAYING);
      const next = { ...state, saying, message: update['messageId'], error: errorSaid(chunk, state) };
      return saying.trim() === '' ? { state: next } : { state: next, activity: [{ kind: 'text', text: short(saying) }] };
    }
    case 'tool_call': case 'tool_call_update': return tool(update, { ...state, saying: '', error: undefined });
    default: return { state };
  }
}

/** Copilot tells a refusal of its model's interface as a message of one piece, and then ends its turn as if all were well. */
function errorSaid(chunk: string, state: Acp): string | undefined {
  return state.agent === 'Copilot' && chunk.startsWith('Error: ') ? chunk.slice('Error: '.length) : undefined;
}

/** Characters of a message kept to be shown. */
const SAYING = 200;

/** A call of a tool, which is told again as more of it is known, or its failure. */
function tool(update: Json, state: Acp): Received<Acp> {
  const activity = toolActivity(update, state.shown);
  if (activity === undefined || activity.text === state.shown) return { state };
  return { state: { ...state, shown: activity.text }, activity: [activity] };
}

function toolActivity(call: Json, shown: string): Activity | undefined {
  const title = textOf(call['title']);
  const command = commandOf(mapOf(call['rawInput'])['command']);
  if (call['status'] === 'failed') return { kind: 'tool', text: short(`failed: ${title || shown}`) };
  if (command !== '') return { kind: 'command', text: short(command) };
  // A command without its text is told again with it.
  if (title === '' || call['kind'] === undefined || (call['kind'] === 'execute' && call['rawInput'] !== undefined)) return undefined;
  const kinds: Readonly<Record<string, Activity['kind']>> = { edit: 'file', delete: 'file', move: 'file', read: 'file', execute: 'command' };
  const kind = textOf(call['kind']);
  return { kind: Object.hasOwn(kinds, kind) ? kinds[kind] ?? 'tool' : 'tool', text: short(title) };
}

function commandOf(command: unknown): string {
  return textOf(command) || listOf(command).map(textOf).join(' ');
}

/** Tokens at the end of a turn: as the protocol's draft has them, or gemini's own way. */
function usageOf(result: Json): Usage | undefined {
  const told = mapOf(result['usage']);
  const [input, output] = [countOf(told['inputTokens']), countOf(told['outputTokens'])];
  if (input !== undefined && output !== undefined) {
    const [cacheRead, cacheWrite] = [countOf(told['cachedReadTokens']) ?? 0, countOf(told['cachedWriteTokens']) ?? 0];
    // Some count what came from the cache within the input; then the total is input and output alone.
    const within = told['totalTokens'] === input + output && cacheRead + cacheWrite <= input;
    return { input: within ? input - cacheRead - cacheWrite : input, output, cacheRead, cacheWrite };
  }
  const tokens = mapOf(mapOf(mapOf(result['_meta'])['quota'])['token_count']);
  const [read, written] = [countOf(tokens['input_tokens']), countOf(tokens['output_tokens'])];
  return read === undefined || written === undefined ? undefined : { ...NOTHING, input: read, output: written };
}

/** Money the whole session has cost so far, US dollars. */
function costOf(update: Json): number | undefined {
  const { amount, currency } = mapOf(update['cost']);
  return currency === 'USD' ? amountOf(amount) : undefined;
}

function reasonText(reason: string): string {
  switch (reason) {
    case 'cancelled': return 'the agent was interrupted';
    case 'refusal': return 'the model refused to go on';
    case 'max_tokens': return "the model's answer was cut at its longest";
    case 'max_turn_requests': return 'the agent reached its own limit of turns';
    default: return short(`the agent stopped: ${reason}`);
  }
}

/** What the end of a turn means. `end_turn` is no proof that anything was done. */
function endOf(reason: string, { error, nothing, saying }: Acp, now: number): Verdict {
  if (reason !== 'end_turn') return { failed: reasonText(reason) };
  if (error !== undefined) return troubleIn(error, { name: '', now });
  // Its model never answered, so whatever was said are the agent's own words.
  if (nothing) return troubleIn(saying || 'the agent ended its turn without an answer of its model', { name: '', now });
  return {};
}

/** What an error of the agent means. */
function refusalOf({ code, message, data }: Json, now: number): Verdict {
  const text = [textOf(message).replace(/^Internal error(?:: )?/, ''), detailOf(data)].filter((part) => part !== '').join(': ');
  if (code === AUTH_REQUIRED) return { trouble: { kind: 'login', text: short(text) || 'the agent asks for a login' } };
  return troubleIn(text, { name: textOf(mapOf(data)['errorKind']), now });
}

/** Looks an error up in the table; `name` is the agent's own for it. */
function troubleIn(text: string, o: { readonly name: string; readonly now: number }): Verdict {
  const line = short(text) || 'the agent answered with an error';
  const found = TROUBLES.find(({ names }) => names.includes(o.name)) ?? TROUBLES.find(({ words }) => words.test(line));
  if (found === undefined) return { failed: line };
  const until = found.kind === 'quota' ? resetIn(line, o.now) : undefined;
  return { trouble: { kind: found.kind, text: line, ...(until === undefined ? {} : { until }) } };
}

/** What the data of an error adds for people. */
function detailOf(data: unknown): string {
  if (typeof data === 'string') return data;
  const { details, message, error } = mapOf(data);
  return textOf(details) || textOf(message) || textOf(mapOf(error)['message']) || textOf(error);
}

/** What it means that the program ended without a word. */
function unsaid({ code, signal, limit }: Ending): string {
  if (limit !== undefined || signal !== undefined) return 'the agent was ended before its work was over';
  return code === 126 || code === 127 ? 'the agent cannot be started' : 'the agent ended before its work was over';
}
