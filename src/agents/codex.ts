// Codex by its app server: JSON-RPC, a line each, so that it can be interrupted, answered and watched. `program` should be
// the native binary: ending the wrapper that npm installs leaves the native process running.

import { jsonLine, short } from './agent.ts';
import type { Activity, Agent, AgentTask, Opening, Received, Trouble, Verdict } from './agent.ts';
import { hasOwnTemporary, keepsTo, permissionSettings } from './codex-permissions.ts';
import type { Ending } from '../core/failure.ts';
import type { Usage } from '../core/usage.ts';
import { mapOf, tokensIn } from './untrusted.ts';

/** A map from outside: nothing is known of its values. */
type Data = Readonly<Record<string, unknown>>;

/** Tokens of each thread: what it had used before this session, and what it has used now. */
type ThreadUsage = ReadonlyMap<string, { readonly before: Usage; readonly now: Usage }>;

/** What is remembered of one session. */
export interface CodexState {
  readonly task: AgentTask;
  /** Our request that is to be answered next. */
  readonly awaiting: number;
  /** The thread and the turn that do the task; others are of agents that it started itself. */
  readonly thread?: string;
  readonly turn?: string;
  readonly model?: string;
  readonly used: ThreadUsage;
  /** When the plan's limit that is used up is reset, ms since 1970. */
  readonly reset?: number;
  /** Its sandbox was seen to work. */
  readonly sandboxWorks: boolean;
  /** What it is trying again after, until it gets on. */
  readonly retrying?: Trouble;
  readonly ended?: Verdict;
}

/** Ids of our requests. */
const ID = { greet: 1, account: 2, thread: 3, turn: 4, interrupt: 5 } as const;

/** Without the whole difference of the worktree after every step: nobody reads it, and it may be large. */
const GREETING = {
  clientInfo: { name: 'choo', title: 'choo', version: '1' },
  capabilities: { experimentalApi: false, requestAttestation: false, optOutNotificationMethods: ['turn/diff/updated'] },
};

/** Nothing is sent home, no plug-in is fetched, no connector acts outside, nobody is notified, and without a network it ends by itself. */
const SETTINGS = [
  'analytics.enabled=false', 'feedback.enabled=false', 'check_for_update_on_startup=false', 'notify=[]',
  'features.plugins=false', 'features.apps=false', 'features.unbounded_connection_retries=false',
];

/** Codex refuses a longer turn, characters. */
const LONGEST_PROMPT = 1024 * 1024;

/**
 * Each Codex makes empty folders (`.agents`, …) in what its sandbox may write, mounts over them and removes them at its end. Two in one
 * repository share its folder of objects, and the end of one can come between the other's two steps (seen in 0.169).
 */
const RACED = /^bwrap: Can't .*\/\.(?:git|agents|codex)\b.*(?:Unable to find|No such file or directory)/;
/** What a thread's id looks like; it is kept and given back on a later day. */
const THREAD = /^\w[\w-]{0,199}$/;

/** Threads beyond this are added to no sum. */
const MOST_THREADS = 1000;

/** Codes of `codexErrorInfo`. What is missing here is a failure of the work, and the check decides. */
const CODES: Readonly<Record<string, Trouble['kind']>> = {
  usageLimitExceeded: 'quota', sessionBudgetExceeded: 'quota',
  rateLimitExceeded: 'overload', serverOverloaded: 'overload', internalServerError: 'overload', flexUnavailable: 'overload', policyCapacityUnavailable: 'overload',
  unauthorized: 'login',
  modelNotFound: 'setup', sandboxError: 'setup',
};

/** Codes that carry the HTTP status; without a status there was no answer at all. */
const CONNECTION = ['httpConnectionFailed', 'responseStreamConnectionFailed', 'responseStreamDisconnected', 'responseTooManyFailedAttempts'];

/** No reset lies further ahead than this, ms. */
const LONGEST_WAIT = 60 * 24 * 60 * 60 * 1000;

/** Takes the native program with its first arguments. */
export function codexAgent(o: { readonly program: readonly string[] }): Agent<CodexState> {
  return {
    name: 'codex',
    idleLimit: true,
    listens: true,
    abilities: { permissions: ['sandboxed', 'workspace', 'full'], usage: { tokens: true, usd: false }, goOn: true, ownCap: false },
    open: (task) => open(o.program, task),
    receive,
    interrupt: ({ thread, turn, ended }) => (thread === undefined || turn === undefined || ended !== undefined ? undefined : request(ID.interrupt, 'turn/interrupt', { threadId: thread, turnId: turn })),
    conclude,
  };
}

function open(program: readonly string[], task: AgentTask): Opening<CodexState> {
  return {
    argv: [...program, 'app-server', ...[...SETTINGS, ...permissionSettings(task)].flatMap((setting) => ['-c', setting]), ...task.args],
    env: hasOwnTemporary(task) ? { TMPDIR: task.scratch } : {},
    first: request(ID.greet, 'initialize', GREETING),
    oneShot: false,
    state: { task, awaiting: ID.greet, used: new Map(), sandboxWorks: false },
  };
}

// ---------------------------------------------------------------- what is said

function request(id: number, method: string, params: Data): string {
  return `${JSON.stringify({ id, method, params })}\n`;
}

/** Full permissions are left to the turn: asked for here, Codex would write into the user's configuration that it trusts the repository. */
function startThread({ model, worktree, goOn, permissions }: AgentTask): string {
  const params = { cwd: worktree, approvalPolicy: 'never', approvalsReviewer: 'user', ...(permissions === 'full' ? { sandbox: 'read-only' } : {}), ...(model === undefined ? {} : { model }) };
  return goOn === undefined ? request(ID.thread, 'thread/start', params) : request(ID.thread, 'thread/resume', { ...params, threadId: goOn, excludeTurns: true });
}

function startTurn(thread: string, task: AgentTask): string {
  const text = task.prompt.length <= LONGEST_PROMPT ? task.prompt : `Your task is described in the file ${task.promptFile}. Read all of it, then do what it says.`;
  return request(ID.turn, 'turn/start', { threadId: thread, input: [{ type: 'text', text, text_elements: [] }], approvalPolicy: 'never', approvalsReviewer: 'user', ...(task.permissions === 'full' ? { sandboxPolicy: { type: 'dangerFullAccess' } } : {}) });
}

/** Answers what Codex asks a person. With the policy `never` it does not ask; a configuration that makes it ask gets the permissions of the task and nothing more. */
function answerTo(id: unknown, method: string, { permissions }: AgentTask): string {
  const decision = permissions === 'full' ? 'accept' : 'decline';
  const answers: Readonly<Record<string, Data>> = {
    'item/commandExecution/requestApproval': { decision },
    'item/fileChange/requestApproval': { decision },
    'item/permissions/requestApproval': { permissions: {}, scope: 'turn' },
    'item/tool/requestUserInput': { answers: {} },
    'mcpServer/elicitation/request': { action: 'decline', content: null, _meta: null },
  };
  const result = Object.hasOwn(answers, method) ? answers[method] : undefined;
  return `${JSON.stringify(result === undefined ? { id, error: { code: -32601, message: 'nobody is here to answer' } } : { id, result })}\n`;
}

// ---------------------------------------------------------------- what is heard

function receive(line: string, state: CodexState, now: number): Received<CodexState> {
  const message = jsonLine(line);
  if (message === undefined || state.ended !== undefined) return { state };
  const { id, method } = message;
  if (typeof method !== 'string') return hearAnswer(message, state);
  if (typeof id === 'number' || typeof id === 'string') return { state, send: answerTo(id, method, state.task) };
  return hear(method, mapOf(message['params']), { state, now });
}

/** An answer to one of our requests. */
function hearAnswer({ id, error, result }: Data, state: CodexState): Received<CodexState> {
  if (id !== state.awaiting) return { state };
  const refused = error === undefined ? undefined : short(textOf(mapOf(error)['message']) ?? 'it refused without a reason');
  const given = mapOf(result);
  switch (state.awaiting) {
    case ID.greet:
      return refused === undefined
        ? { state: { ...state, awaiting: ID.account }, send: `${JSON.stringify({ method: 'initialized' })}\n${request(ID.account, 'account/read', { refreshToken: false })}` }
        : stop(state, { kind: 'setup', text: `Codex refuses to begin: ${refused}` });
    case ID.account:
      return given['requiresOpenaiAuth'] === true && given['account'] === null
        ? stop(state, { kind: 'login', text: 'Codex is not logged in: run `codex login`' })
        : { state: { ...state, awaiting: ID.thread }, send: startThread(state.task) };
    case ID.thread: return refused === undefined ? hearThread(given, state) : threadRefused(refused, state);
    case ID.turn: {
      if (refused !== undefined) return stop(state, { kind: 'setup', text: `Codex refuses the task: ${refused}` });
      return { state: { ...state, awaiting: ID.interrupt, ...textField('turn', mapOf(given['turn'])['id']) } };
    }
    default: return { state };
  }
}

function hearThread(given: Data, state: CodexState): Received<CodexState> {
  const thread = textOf(mapOf(given['thread'])['id']);
  if (thread === undefined || !THREAD.test(thread)) return stop(state, { kind: 'setup', text: 'Codex began a thread without a name: it speaks another version of its protocol' });
  if (!keepsTo(state.task, mapOf(given['sandbox']))) return stop(state, { kind: 'setup', text: `Codex does not take the permissions \`${state.task.permissions}\`: it is too old, or its administrator forbids them` });
  return { state: { ...state, awaiting: ID.turn, thread, ...textField('model', given['model']) }, session: thread, send: startTurn(thread, state.task) };
}

/** Why an earlier session cannot go on is all the same; if Codex refuses a new one, too, that is the setup. */
function threadRefused(refused: string, state: CodexState): Received<CodexState> {
  if (state.task.goOn === undefined) return stop(state, { kind: 'setup', text: `Codex refuses to begin: ${refused}` });
  return { state: { ...state, ended: { failed: short(`the earlier session cannot go on: ${refused}`), gone: true } }, close: true };
}

interface Heard {
  readonly state: CodexState;
  readonly now: number;
}

function hear(method: string, params: Data, { state, now }: Heard): Received<CodexState> {
  switch (method) {
    case 'turn/started': return ours(params, state) ? { state: { ...state, ...textField('turn', mapOf(params['turn'])['id']) } } : { state };
    case 'item/started': return { state: gotOn(state), activity: begun(mapOf(params['item']), state.task.worktree) };
    case 'item/completed': return hearItem(mapOf(params['item']), gotOn(state));
    case 'item/commandExecution/outputDelta':
    case 'item/agentMessage/delta': return { state: gotOn(state) };
    case 'thread/tokenUsage/updated': return hearUsage(params, state);
    case 'account/rateLimits/updated': {
      const reset = resetOf(mapOf(params['rateLimits']), now);
      return { state: reset === undefined ? state : { ...state, reset } };
    }
    case 'error': return hearError(params, state);
    case 'turn/completed': return ours(params, state) ? hearEnd(mapOf(params['turn']), state) : { state };
    default: return { state };
  }
}

/** Whether it is about the thread that does the task. */
function ours(params: Data, { thread }: CodexState): boolean {
  return thread !== undefined && params['threadId'] === thread;
}

function textField<K extends string>(key: K, value: unknown): { readonly [k in K]?: string } {
  const text = textOf(value);
  return text === undefined ? {} : { [key]: text } as { readonly [k in K]: string };
}

/** Whatever it was trying again has worked. */
function gotOn(state: CodexState): CodexState {
  const { retrying, ...rest } = state;
  return retrying === undefined ? state : rest;
}

function hearUsage(params: Data, state: CodexState): Received<CodexState> {
  const thread = textOf(params['threadId']);
  // A session that goes on first tells what its earlier turns have used.
  if (thread === undefined || (thread === state.thread && params['turnId'] !== state.turn)) return { state };
  const used = addUsage(state.used, thread, mapOf(params['tokenUsage']));
  return { state: { ...state, used }, usage: { ...sumUsage(used), ...(state.model === undefined ? {} : { model: state.model }) } };
}

/** Errors of the turn. Those that it does not try again are told once more by the end of the turn. */
function hearError(params: Data, state: CodexState): Received<CodexState> {
  if (params['willRetry'] !== true || !ours(params, state)) return { state };
  const error = mapOf(params['error']);
  const trouble = troubleOf(error, state.reset);
  if (trouble?.kind === 'login') return stop(state, trouble);
  const text = short([textOf(error['message']), textOf(error['additionalDetails'])].filter((part) => part !== undefined).join(': '));
  return { state: trouble === undefined ? state : { ...state, retrying: trouble }, activity: [{ kind: 'text', text }], quiet: true };
}

function hearEnd(turn: Data, state: CodexState): Received<CodexState> {
  if (turn['status'] === 'completed' && (turn['error'] ?? null) === null) return { state: { ...state, ended: {} }, done: true, close: true };
  if (turn['status'] === 'interrupted') return { state: { ...state, ended: { failed: 'the turn was interrupted' } }, close: true };
  const error = mapOf(turn['error']);
  const failed = short(textOf(error['message']) ?? 'the turn failed without a reason');
  const trouble = troubleOf(error, state.reset);
  return { state: { ...state, ended: { failed, ...(trouble === undefined ? {} : { trouble }) } }, close: true };
}

function stop(state: CodexState, trouble: Trouble): Received<CodexState> {
  return { state: { ...state, ended: { failed: trouble.text, trouble } }, stop: trouble, close: true };
}

// ---------------------------------------------------------------- trouble

/** The trouble that an error of a turn tells of; undefined when it is the turn's own failure. `reset`: when the plan's limit ends, ms since 1970. */
function troubleOf(error: Data, reset: number | undefined): Trouble | undefined {
  const message = textOf(error['message']) ?? '';
  const kind = kindOf(error['codexErrorInfo'], message);
  if (kind === undefined) return undefined;
  // While it tries again the message only counts, and the details say why.
  const text = short(textOf(error['additionalDetails']) ?? message);
  return { kind, text, ...(kind === 'quota' && reset !== undefined ? { until: reset } : {}) };
}

function kindOf(info: unknown, message: string): Trouble['kind'] | undefined {
  if (typeof info === 'string' && Object.hasOwn(CODES, info)) return CODES[info];
  const connection = CONNECTION.find((code) => Object.hasOwn(mapOf(info), code));
  if (connection !== undefined) return kindOfStatus(mapOf(mapOf(info)[connection])['httpStatusCode']);
  // The key of a provider of the user's own; it has no code.
  return info === 'other' && message.startsWith('Missing environment variable') ? 'login' : undefined;
}

function kindOfStatus(status: unknown): Trouble['kind'] | undefined {
  if (status === 401 || status === 403) return 'login';
  if (status === 402) return 'quota';
  if (status === 404) return 'setup';
  return typeof status !== 'number' || status === 408 || status === 429 || status >= 500 ? 'overload' : undefined;
}

/** When the limits that are used up end, ms since 1970: the last of them; undefined when none is used up or no time is told. */
function resetOf(limits: Data, now: number): number | undefined {
  const windows = ['primary', 'secondary'].map((name) => mapOf(limits[name])).filter(({ usedPercent }) => typeof usedPercent === 'number' && usedPercent >= 100);
  const own = mapOf(limits['individualLimit']);
  const reached = typeof own['remainingPercent'] === 'number' && own['remainingPercent'] <= 0 ? [...windows, own] : windows;
  const times = reached.map(({ resetsAt }) => (typeof resetsAt === 'number' ? resetsAt * 1000 : Number.NaN)).filter((time) => time > now && time < now + LONGEST_WAIT);
  return times.length === 0 ? undefined : Math.max(...times);
}

// ---------------------------------------------------------------- usage

/** Takes the newest `tokenUsage` of a thread. A thread that goes on counts on from its earlier sessions; the first report tells by how much. */
function addUsage(used: ThreadUsage, thread: string, told: Data): ThreadUsage {
  const known = used.get(thread);
  if (known === undefined && used.size >= MOST_THREADS) return used;
  const now = tokensOf(mapOf(told['total']));
  const before = known?.before ?? less(now, tokensOf(mapOf(told['last'])));
  return new Map(used).set(thread, { before, now: known === undefined ? now : combine(now, known.now, Math.max) });
}

/** What all threads have used in this session. */
function sumUsage(used: ThreadUsage): Usage {
  return [...used.values()].map(({ before, now }) => less(now, before)).reduce((a, b) => combine(a, b, (x, y) => x + y), { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 });
}

function less(a: Usage, b: Usage): Usage {
  return combine(a, b, (x, y) => Math.max(0, x - y));
}

function combine(a: Usage, b: Usage, how: (x: number, y: number) => number): Usage {
  return { input: how(a.input, b.input), output: how(a.output, b.output), cacheRead: how(a.cacheRead, b.cacheRead), cacheWrite: how(a.cacheWrite, b.cacheWrite) };
}

/** Codex counts what the cache gave into the input. */
function tokensOf(told: Data): Usage {
  const cacheRead = tokensIn(told['cachedInputTokens']);
  const cacheWrite = tokensIn(told['cacheWriteInputTokens']);
  return { input: Math.max(0, tokensIn(told['inputTokens']) - cacheRead - cacheWrite), output: tokensIn(told['outputTokens']), cacheRead, cacheWrite };
}

// ---------------------------------------------------------------- activity

/** What an item is about when it begins; what is only known at its end is not told here. */
function begun(item: Data, worktree: string): readonly Activity[] {
  switch (item['type']) {
    case 'commandExecution': return [{ kind: 'command', text: short(commandOf(item)) }];
    case 'fileChange': return listOf(item['changes']).map((change) => ({ kind: 'file', text: short((textOf(mapOf(change)['path']) ?? 'a file').replace(`${worktree}/`, '')) }));
    case 'mcpToolCall': return [{ kind: 'tool', text: short(`${textOf(item['server']) ?? ''} ${textOf(item['tool']) ?? ''}`) }];
    case 'dynamicToolCall':
    case 'collabAgentToolCall': return [{ kind: 'tool', text: short(textOf(item['tool']) ?? 'a tool') }];
    case 'webSearch': return [{ kind: 'tool', text: short(`web search ${textOf(item['query']) ?? ''}`) }];
    default: return [];
  }
}

/** The command itself where Codex tells it, else with the shell around it. */
function commandOf(item: Data): string {
  const [action, ...more] = listOf(item['commandActions']);
  return (more.length === 0 ? textOf(mapOf(action)['command']) : undefined) ?? textOf(item['command']) ?? 'a command';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, 20) : [];
}

/** An item at its end: what was said, and whether the sandbox can be had at all. */
function hearItem(item: Data, state: CodexState): Received<CodexState> {
  const said = item['type'] === 'agentMessage' ? textOf(item['text']) : undefined;
  if (said !== undefined) return { state, activity: [{ kind: 'text', text: short(said) }] };
  if (item['type'] !== 'commandExecution' || state.sandboxWorks || state.task.permissions === 'full') return { state };
  const output = textOf(item['aggregatedOutput']) ?? '';
  if (item['status'] !== 'failed' || !output.startsWith('bwrap: ')) return { state: { ...state, sandboxWorks: true } };
  // No command runs then, and the agent would talk itself out of it at the user's cost.
  if (RACED.test(output)) return stop(state, { kind: 'overload', text: short(`Codex's sandbox was taken apart by another Codex (${output.trim()})`) });
  return stop(state, { kind: 'setup', text: short(`Codex has no sandbox here (${output.trim()}): allow user namespaces, or set agents.permissions to full`) });
}

// ---------------------------------------------------------------- the end

function conclude({ ending, state, tail }: { readonly ending: Ending; readonly state: CodexState; readonly tail: string }): Verdict {
  const { ended, retrying, thread } = state;
  const cut = ending.signal !== undefined || ending.limit !== undefined || ending.code === null;
  if (ended?.failed !== undefined) return ended;
  if (ended !== undefined) return cut || ending.code === 0 ? {} : { failed: `it ended with exit code ${ending.code} after it had said that it was done` };
  const last = tail.split('\n').findLast((line) => line.trim() !== '' && !line.startsWith('{')) ?? 'it said nothing';
  if (retrying !== undefined) return { failed: retrying.text, trouble: retrying };
  if (thread === undefined && !cut) {
    const text = short(`Codex did not start (exit code ${ending.code}): ${last}`);
    return { failed: text, trouble: { kind: 'setup', text } };
  }
  return { failed: short(`it ended before its turn was over: ${last}`) };
}

// ---------------------------------------------------------------- maps from outside

/** A text that is not empty, or undefined for anything else. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
