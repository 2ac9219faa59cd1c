// Claude Code in its print mode, JSON lines both ways: prompt and interrupt go in over stdin. Measured with 2.1.330; 2.1.197 does as well.

import { jsonLine, short } from './agent.ts';
import type { Activity, Agent, AgentTask, Received, Trouble, Verdict } from './agent.ts';
import type { Ending } from '../core/failure.ts';
import type { Usage } from '../core/usage.ts';
import { mapOf, textOf } from './untrusted.ts';

type Data = Readonly<Record<string, unknown>>;

/** The four counts of an answer; later reports of the same answer only grow. */
interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** What is remembered of one session. */
interface State {
  /** Answers that may still be reported again, oldest first. */
  readonly answers: readonly { readonly id: string; readonly counts: Counts }[];
  /** All answers before those. */
  readonly before: Counts;
  readonly model?: string;
  /** The session has a past, which `modelUsage` and `total_cost_usd` include. */
  readonly goesOn: boolean;
  /** What results have told so far; of this process alone. */
  readonly told: Counts & { readonly usd?: number };
  /** When a used-up quota is full again, ms since 1970. */
  readonly resets?: number;
  /** What the interface refused last; an answer clears it. */
  readonly refused?: Refusal;
  readonly result?: Result;
  /** Set when the machine asked to be ended. */
  readonly stopped?: Trouble;
}

/** A refusal of the model's interface, as Claude Code tells it. */
interface Refusal {
  /** Its own word, such as `rate_limit`; may be empty. */
  readonly code: string;
  /** HTTP status; 0: there was no answer. */
  readonly status: number;
  readonly text: string;
}

/** The last line of a session. */
interface Result {
  readonly isError: boolean;
  readonly subtype: string;
  readonly status: number;
  readonly text: string;
}

const NOTHING: Counts = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

/** Answers of parallel subagents overlap; more than this many never do. */
const ANSWERS_OPEN = 64;

/** A pause that the agent announces and that is longer than this is choo's to wait, ms. */
const LONGEST_PAUSE = 60_000;

/** Allowed without a question beside edits in the worktree, which the mode `acceptEdits` allows. */
const WORKSPACE_TOOLS = 'Bash,WebFetch,WebSearch';

/** The mode `bypassPermissions` would refuse to start for root; naming the tools comes to the same. */
const ALL_TOOLS = `${WORKSPACE_TOOLS},Edit,Write,NotebookEdit,Read,Glob,Grep,Skill,Task,Workflow`;

/** Tools that ask a person, leave the worktree, talk to other sessions, or wait for a time when nobody listens any more. */
const NEVER_TOOLS = 'AskUserQuestion,EnterPlanMode,ExitPlanMode,EnterWorktree,ExitWorktree,CronCreate,CronDelete,CronList,ScheduleWakeup,ListAgents,SendMessage';

const INTERRUPT = `${JSON.stringify({ type: 'control_request', request_id: 'choo-interrupt', request: { subtype: 'interrupt' } })}\n`;

/** Takes the program with its first arguments. */
export function claudeAgent(o: { readonly program: readonly string[] }): Agent<State> {
  return {
    name: 'claude',
    idleLimit: true,
    listens: true,
    abilities: {
      permissions: ['workspace', 'full'],
      why: 'Claude Code\'s own sandbox confines shell commands only, and only where bubblewrap is installed',
      usage: { tokens: true, usd: true }, goOn: true, ownCap: true,
    },
    open: (task) => ({
      argv: [...o.program, ...options(task), ...task.args],
      env: environment(task),
      first: `${JSON.stringify({ type: 'user', message: { role: 'user', content: [{ type: 'text', text: task.prompt }] } })}\n`,
      oneShot: false,
      state: { answers: [], before: NOTHING, told: NOTHING, goesOn: task.goOn !== undefined },
    }),
    receive,
    interrupt: () => INTERRUPT,
    conclude,
  };
}

function environment(task: AgentTask): Readonly<Record<string, string>> {
  return {
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1',
    // Notes that it would take beside the repository, read by the agents of other units.
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // Output of commands and its socket; else they stay in the system's folder for temporary files.
    CLAUDE_CODE_TMPDIR: task.scratch,
    // A choo that was started from within Claude Code is no reason to refuse.
    CLAUDECODE: '',
  };
}

/** Values are joined to their option, so that none of them can be taken for another option. */
function options(task: AgentTask): readonly string[] {
  const { cap, goOn, model, maxTurns } = task;
  return [
    '-p', '--input-format=stream-json', '--output-format=stream-json', '--verbose',
    '--permission-mode=acceptEdits', `--allowedTools=${task.permissions === 'full' ? ALL_TOOLS : WORKSPACE_TOOLS}`, `--disallowedTools=${NEVER_TOOLS}`,
    goOn === undefined ? `--session-id=${task.session}` : `--resume=${goOn}`,
    ...(model === undefined ? [] : [`--model=${model}`]),
    ...(maxTurns === undefined ? [] : [`--max-turns=${maxTurns}`]),
    ...(cap.usd === undefined ? [] : [`--max-budget-usd=${cap.usd}`]),
    // Only these lines tell the output of an answer before the end; without a cap they are not worth their room in the log.
    ...(cap.usd === undefined && cap.tokens === undefined ? [] : ['--include-partial-messages']),
  ];
}

// ---------------------------------------------------------------- lines

function receive(line: string, state: State, now: number): Received<State> {
  const said = jsonLine(line) ?? {};
  switch (said['type']) {
    case 'system': return system(said, state, now);
    case 'assistant': return assistant(said, state);
    case 'stream_event': return streamed(said, state);
    case 'rate_limit_event': return { state: limited(said['rate_limit_info'], state) };
    case 'result': return ended(said, state);
    // Signs of life, no progress.
    case 'keep_alive': case 'tool_progress': return { state, quiet: true };
    default: return { state };
  }
}

function system(said: Data, state: State, now: number): Received<State> {
  switch (said['subtype']) {
    case 'init': {
      const [session, model] = [sessionOf(said), textOf(said['model'])];
      return { state: { ...state, ...(model === '' ? {} : { model }) }, ...(session === undefined ? {} : { session }) };
    }
    case 'permission_denied': return { state, activity: [{ kind: 'text', text: short(`denied: ${textOf(said['message'])}`) }] };
    case 'api_retry': return retry(said, state, now);
    default: return { state };
  }
}

/** It was refused and says when it will try again. */
function retry(said: Data, state: State, now: number): Received<State> {
  const [status, code, delay] = [count(said['error_status']), short(textOf(said['error'])), count(said['retry_delay_ms'])];
  const refused: Refusal = { code, status, text: status === 0 ? `the model's interface did not answer (${code})` : `the model's interface answered ${status} (${code})` };
  const activity: readonly Activity[] = [{ kind: 'text', text: short(`${refused.text}; it tries again in ${Math.ceil(delay / 1000)} s`) }];
  const kind = kindOf(refused) ?? 'overload';
  // The first refusal may be a login that has run out and that it renews by itself; after the second it would go on for minutes.
  const hopeless = kind === 'login' ? count(said['attempt']) > 1 : delay > LONGEST_PAUSE;
  if (!hopeless) return { state: { ...state, refused }, activity, quiet: true };
  const stop: Trouble = { kind, text: refused.text, ...(kind === 'login' ? {} : { until: state.resets ?? now + delay }) };
  return { state: { ...state, refused, stopped: stop }, activity, stop };
}

function assistant(said: Data, state: State): Received<State> {
  const message = mapOf(said['message']);
  const blocks = Array.isArray(message['content']) ? (message['content'] as readonly unknown[]).map(mapOf) : [];
  const activity = blocks.flatMap(activityOf);
  const code = textOf(said['error']);
  if (code !== '' || said['is_api_error_message'] === true) {
    const text = short(blocks.map((block) => textOf(block['text'])).join(' '));
    return { state: { ...limited(mapOf(said['api_error_params'])['rate_limit_info'], state), refused: { code, status: count(said['api_error_status']), text } }, activity };
  }
  const { refused: _, ...cleared } = state;
  return withUsage(counted(cleared, textOf(message['id']), mapOf(message['usage'])), activity);
}

/** Pieces of an answer, asked for when there is a cap: only the counts are of interest. */
function streamed(said: Data, state: State): Received<State> {
  const event = mapOf(said['event']);
  const message = mapOf(event['message']);
  if (event['type'] === 'message_start') return withUsage(counted(state, textOf(message['id']), mapOf(message['usage'])), []);
  if (event['type'] !== 'message_delta') return { state };
  const id = textOf(said['api_message_id']) || state.answers.at(-1)?.id;
  return id === undefined ? { state } : withUsage(counted(state, id, mapOf(event['usage'])), []);
}

function limited(info: unknown, state: State): State {
  const { status, resetsAt } = mapOf(info);
  return status === 'rejected' && count(resetsAt) > 0 ? { ...state, resets: count(resetsAt) * 1000 } : state;
}

function ended(said: Data, state: State): Received<State> {
  const errors = Array.isArray(said['errors']) ? (said['errors'] as readonly unknown[]).map(textOf) : [];
  const result: Result = {
    // Neither alone is to be believed: without credit left the subtype is `success`.
    isError: said['is_error'] !== false || said['subtype'] !== 'success',
    subtype: short(textOf(said['subtype'])), status: count(said['api_error_status']), text: textOf(said['terminal_reason']).startsWith('aborted') ? 'it was interrupted' : short(textOf(said['result']) || errors.join('; ')),
  };
  const told = toldBy(said, state);
  const usage: Usage = { ...told, ...largest(told, visible(state)), ...modelOf(state) };
  return { state: { ...state, result, told }, close: true, ...(result.isError ? {} : { done: true }), usage };
}

function activityOf(block: Data): readonly Activity[] {
  if (block['type'] === 'text') return textOf(block['text']).trim() === '' ? [] : [{ kind: 'text', text: short(textOf(block['text'])) }];
  if (block['type'] !== 'tool_use') return [];
  const [name, input] = [textOf(block['name']), mapOf(block['input'])];
  const file = textOf(input['file_path']) || textOf(input['notebook_path']);
  if (name === 'Bash') return [{ kind: 'command', text: short(textOf(input['command'])) }];
  if (file !== '') return [{ kind: 'file', text: short(`${name} ${file}`) }];
  const about = [input['description'], input['pattern'], input['url'], input['query']].map(textOf).find((text) => text !== '') ?? '';
  return [{ kind: 'tool', text: short(`${name} ${about}`) }];
}

// ---------------------------------------------------------------- usage

/** Notes what an answer has used so far; several lines tell of the same one. */
function counted(state: State, id: string, usage: Data): State {
  const old = state.answers.find((answer) => answer.id === id)?.counts ?? NOTHING;
  const counts = largest(old, countsOf(usage));
  const answers = [...state.answers.filter((answer) => answer.id !== id), { id, counts }];
  const closed = answers.slice(0, -ANSWERS_OPEN);
  return { ...state, answers: answers.slice(-ANSWERS_OPEN), before: closed.reduce((sum, answer) => add(sum, answer.counts), state.before) };
}

function countsOf(usage: Data): Counts {
  return {
    input: count(usage['input_tokens']), output: count(usage['output_tokens']),
    cacheRead: count(usage['cache_read_input_tokens']), cacheWrite: count(usage['cache_creation_input_tokens']),
  };
}

function withUsage(state: State, activity: readonly Activity[]): Received<State> {
  return { state, activity, usage: { ...visible(state), ...modelOf(state) } };
}

function visible(state: State): Counts {
  return state.answers.reduce((sum, answer) => add(sum, answer.counts), state.before);
}

/** What a result tells by model, requests beside the conversation included, without a past of the session. */
function toldBy(said: Data, state: State): State['told'] {
  const since = said['model_usage_since_last_result'];
  if (typeof since === 'object' && since !== null) return plus(state.told, sumOf(since));
  const { counts } = sumOf(said['modelUsage']);
  const total = { ...largest(counts, state.told), usd: money(said['total_cost_usd']) };
  if (!state.goesOn) return total;
  // Of the older versions some tell the sum with the past; `usage` never has it.
  const own = countsOf(mapOf(said['usage']));
  return own.input === counts.input && own.output === counts.output ? total : largest(own, state.told);
}

function sumOf(models: unknown): { readonly counts: Counts; readonly usd: number } {
  const rows = Object.values(mapOf(models)).map(mapOf);
  return {
    counts: rows.map((row) => ({ input: count(row['inputTokens']), output: count(row['outputTokens']), cacheRead: count(row['cacheReadInputTokens']), cacheWrite: count(row['cacheCreationInputTokens']) })).reduce(add, NOTHING),
    usd: rows.map((row) => money(row['costUSD'])).reduce((a, b) => a + b, 0),
  };
}

function plus(told: State['told'], more: { readonly counts: Counts; readonly usd: number }): State['told'] {
  return { ...add(told, more.counts), usd: (told.usd ?? 0) + more.usd };
}

function modelOf({ model }: State): { readonly model?: string } {
  return model === undefined ? {} : { model };
}

function largest(a: Counts, b: Counts): Counts {
  return { input: Math.max(a.input, b.input), output: Math.max(a.output, b.output), cacheRead: Math.max(a.cacheRead, b.cacheRead), cacheWrite: Math.max(a.cacheWrite, b.cacheWrite) };
}

function add(a: Counts, b: Counts): Counts {
  return { input: a.input + b.input, output: a.output + b.output, cacheRead: a.cacheRead + b.cacheRead, cacheWrite: a.cacheWrite + b.cacheWrite };
}

// ---------------------------------------------------------------- how it fails

/** Its own words for a refusal of the interface, and the HTTP status where the words are new. */
const REFUSALS: Readonly<Record<string, Trouble['kind']>> = {
  authentication_failed: 'login', oauth_org_not_allowed: 'login', billing_error: 'quota', rate_limit: 'quota',
  overloaded: 'overload', server_error: 'overload', model_not_found: 'setup',
};

function kindOf({ code, status }: Pick<Refusal, 'code' | 'status'>): Trouble['kind'] | undefined {
  if (Object.hasOwn(REFUSALS, code)) return REFUSALS[code];
  if (status === 401 || status === 403) return 'login';
  if (status === 402 || status === 429) return 'quota';
  if (status === 404) return 'setup';
  // No status: there was no answer at all.
  return status >= 500 || (status === 0 && code === 'unknown') ? 'overload' : undefined;
}

/** What it prints instead of JSON when it does not even begin. */
const REFUSES_TO_START: readonly (readonly [RegExp, Trouble['kind']])[] = [
  [/not logged in|invalid api key|please run \/login/i, 'login'],
  [/unknown option|cannot be used with root|command not found|cannot be executed|cannot be launched inside|settings? file/i, 'setup'],
];

function conclude({ ending, state, tail }: { readonly ending: Ending; readonly state: State; readonly tail: string }): Verdict {
  const { result, refused, stopped } = state;
  if (stopped !== undefined) return { trouble: stopped, failed: stopped.text };
  if (result === undefined) return withoutResult({ ending, tail, refused });
  if (!result.isError) return endedWell(ending) ? {} : { failed: `it said that it was done, but ended with exit code ${ending.code ?? 'unknown'}` };
  const kind = refused === undefined ? kindOf({ code: '', status: result.status }) : kindOf(refused);
  const text = result.text || refused?.text || result.subtype || 'it ended with an error';
  if (state.goesOn && state.answers.length === 0 && /^No conversation found with session ID\b/.test(result.text)) return { failed: text, gone: true };
  // An interrupt or a limit of its own is no trouble of the service, whatever was refused on the way.
  if (kind === undefined || result.subtype.startsWith('error_')) return { failed: text };
  return { failed: text, trouble: { kind, text, ...(kind === 'quota' && state.resets !== undefined ? { until: state.resets } : {}) } };
}

/** Zero, or ended by a signal of ours after it was done. */
function endedWell({ code, signal }: Ending): boolean {
  return code === 0 || code === null || signal !== undefined || code === 128 + 2 || code === 128 + 15;
}

function withoutResult({ ending, tail, refused }: { readonly ending: Ending; readonly tail: string; readonly refused: Refusal | undefined }): Verdict {
  // Lines of the stream hold texts of others: the model, files, commands. Only what is none is its own.
  const own = tail.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('{') && !/[{}]"?$/.test(line)).join('\n');
  const text = short(own.split('\n').at(-1) ?? '') || `it ended without a result (${ending.signal ?? `exit code ${ending.code ?? 'unknown'}`})`;
  const kind = ending.code === 0 || ending.code === null ? undefined : REFUSES_TO_START.find(([words]) => words.test(own))?.[1];
  if (kind !== undefined) return { failed: text, trouble: { kind, text } };
  return { failed: refused === undefined ? text : `${text}; before that ${refused.text}` };
}

// ---------------------------------------------------------------- what a line may hold

/** A session's name that is fit for an argument. */
function sessionOf(said: Data): string | undefined {
  const id = textOf(said['session_id']);
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id) ? id : undefined;
}

/** Dollars; 0 for what cannot be a sum of money. */
function money(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 1e9 ? value : 0;
}

/** A number that can be one of tokens, milliseconds or a status; 0 for everything else. */
function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value <= Number.MAX_SAFE_INTEGER / 1000 ? Math.floor(value) : 0;
}
