// OpenCode by `opencode run`: the prompt on stdin, JSON lines out. It has no word for stopping. What its model's service refuses
// it tells on stderr only and tries again for long; so its log of errors is read too.

import type { Usage } from '../core/usage.ts';
import { jsonLine, short } from './agent.ts';
import type { Activity, Agent, AgentTask, Opening, Received, Trouble, Verdict } from './agent.ts';
import { mapOf, sessionOf, textOf, tokensIn } from './untrusted.ts';

type Data = Readonly<Record<string, unknown>>;

/** What is remembered of one session. */
interface State {
  /** It goes on with an earlier session. */
  readonly goesOn: boolean;
  /** Sums over the session's steps. */
  readonly usage: Usage;
  /** Why the last step ended; `stop` is the end of the work. */
  readonly reason?: string;
  /** How often in a row its service has refused to answer, or has broken an answer off. */
  readonly refused: number;
  /** The message of a step that has begun. Begun once more, its answer broke off: that is in no log. */
  readonly open?: string;
  /** The last error in its log; it may have gone on all the same. */
  readonly logged?: string;
  /** What it gave as the reason of its end. */
  readonly error?: Told;
}

/** An error in its words, with what the service told beside them. */
interface Told {
  readonly text: string;
  readonly status?: number;
  readonly retryAfter?: string;
}

/** Takes the program with its first arguments; the program itself, for the wrapper on npm does not pass signals on. */
export function opencodeAgent(o: { readonly program: readonly string[] }): Agent<State> {
  return {
    name: 'opencode',
    idleLimit: true,
    listens: true,
    abilities: { permissions: ['workspace', 'full'], why: 'it has no sandbox', usage: { tokens: true, usd: true }, goOn: true, ownCap: false },
    open: (task) => open(o.program, task),
    receive,
    interrupt: () => undefined,
    conclude,
  };
}

// ---------------------------------------------------------------- how it is started

/** A question nobody answers ends its session as if all was well; so there is none: what the user does not forbid is allowed. */
function open(program: readonly string[], task: AgentTask): Opening<State> {
  const outside = task.permissions === 'full' ? {} : { OPENCODE_PERMISSION: '{"external_directory":"deny"}' };
  return {
    argv: [
      // Both outputs as one; the words of the command are the shell's arguments and never its text.
      'sh', '-c', 'exec "$0" "$@" 2>&1', ...program, 'run', '--format=json', '--auto', '--print-logs', '--log-level=ERROR',
      // Without a title it asks the model for one.
      '--title=choo', ...(task.goOn === undefined ? [] : [`--session=${task.goOn}`]), ...(task.model === undefined ? [] : [`--model=${task.model}`]), ...task.args,
    ],
    env: { ...outside, OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_SHARE: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1', OPENCODE_DISABLE_TERMINAL_TITLE: '1' },
    first: task.prompt,
    oneShot: true,
    state: { goesOn: task.goOn !== undefined, usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, refused: 0 },
  };
}

// ---------------------------------------------------------------- what it prints

function receive(line: string, state: State, now: number): Received<State> {
  const said = jsonLine(line);
  if (said === undefined) return logged(line, state, now);
  const part = mapOf(said['part']);
  const session = sessionOf(said['sessionID']);
  switch (said['type']) {
    case 'text': return { state, ...session, activity: [{ kind: 'text', text: short(textOf(part['text'])) }] };
    case 'tool_use': return { state, ...session, activity: [toolUse(textOf(part['tool']), mapOf(part['state']))] };
    case 'step_start': return { ...begun(textOf(part['messageID']), state, now), ...session };
    case 'step_finish': return { ...finished(part, state), ...session };
    case 'error': return { state: { ...state, error: errorOf(mapOf(said['error']), state.logged) }, ...session };
    default: return { state };
  }
}

const FILE_TOOLS: ReadonlySet<string> = new Set(['write', 'edit', 'apply_patch', 'patch', 'multiedit']);

function toolUse(name: string, { input, status, error }: Data): Activity {
  const { command, filePath } = mapOf(input);
  const failed = status === 'error' ? ` (refused: ${textOf(error).slice(0, 60)})` : '';
  if (name === 'bash') return { kind: 'command', text: short(textOf(command) + failed) };
  if (FILE_TOOLS.has(name)) return { kind: 'file', text: short(textOf(filePath) + failed) };
  return { kind: 'tool', text: short(`${name} ${textOf(filePath)}${failed}`) };
}

function begun(message: string, state: State, now: number): Received<State> {
  if (message === '' || message !== state.open) return { state: { ...state, open: message } };
  return refusedOnce('the connection was closed in the middle of an answer', state, now);
}

function finished(part: Data, state: State): Received<State> {
  const reason = textOf(part['reason']);
  const { input, output, reasoning, cache } = mapOf(part['tokens']);
  const { read, write } = mapOf(cache);
  const before = state.usage;
  // Without prices it reports a cost of nothing.
  const usd = (before.usd ?? 0) + amount(part['cost']);
  const usage: Usage = {
    input: before.input + tokensIn(input), output: before.output + tokensIn(output) + tokensIn(reasoning),
    cacheRead: before.cacheRead + tokensIn(read), cacheWrite: before.cacheWrite + tokensIn(write), ...(usd > 0 ? { usd } : {}),
  };
  // An answer came: what went before was no refusal for good.
  const { error: _, logged: __, open: ___, ...rest } = state;
  return { state: { ...rest, usage, reason, refused: 0 }, usage, ...(reason === 'stop' ? { done: true } : {}) };
}

// ---------------------------------------------------------------- how it fails

/** So many refusals in a row are enough: choo waits longer than it would, and with nothing running. */
const ENOUGH = 3;

/** A wait up to this is left to it, ms. */
const SHORT_WAIT = 60_000;

/** Its words, and those of the services behind it, for not being able to go on; first match first. */
const WORDS: readonly (readonly [Trouble['kind'], RegExp])[] = [
  ['login', /invalid.api.key|incorrect api key|api key (?:not valid|expired|is missing)|ProviderAuthError|unauthori[sz]ed|authentication/i],
  ['setup', /Model ?Not ?Found|ConfigInvalid|ConfigJsonError|Unknown argument/i],
  ['quota', /quota|rate.?limit|too many requests|credit|usage limit|usage exceeded|billing/i],
  ['overload', /overloaded|unavailable|server error|bad gateway|cannot connect|connection was closed|timed? ?out|ECONN|fetch failed/i],
];

/** A line of its log: an error of the service's, or why it could not begin. */
function logged(line: string, state: State, now: number): Received<State> {
  const front = line.slice(0, 8192);
  if (!/^timestamp=\S+ level=ERROR /.test(front)) return { state };
  const words = /\serror(?:\.error)?="((?:[^"\\]|\\.)*)"/.exec(front)?.[1]?.replace(/^\w*Error: /, '');
  if (words === undefined) return { state };
  if (!front.includes('message="stream error"')) return { state: { ...state, logged: words }, quiet: true };
  // An answer that had begun broke off without a line in the log before this one, which is about the next try.
  const { open, ...rest } = state;
  return refusedOnce(words, { ...rest, refused: state.refused + (open === undefined ? 0 : 1) }, now);
}

/** Counts a refusal; ends it where trying again is of no use. */
function refusedOnce(words: string, state: State, now: number): Received<State> {
  const refused = state.refused + 1;
  const trouble = troubleIn({ text: words }, now);
  const wait = trouble?.until === undefined ? 0 : trouble.until - now;
  const hopeless = trouble?.kind === 'login' || wait > SHORT_WAIT || refused >= ENOUGH;
  return { state: { ...state, logged: words, refused }, quiet: true, ...(trouble !== undefined && hopeless ? { stop: trouble } : {}) };
}

/** An error as it ends a session; `UnknownError` says nothing that its log has not said better. */
function errorOf(error: Data, logged: string | undefined): Told {
  const data = mapOf(error['data']);
  const name = textOf(error['name']);
  if (name === 'UnknownError' && logged !== undefined) return { text: logged };
  const message = textOf(data['message']);
  const retryAfter = textOf(mapOf(data['responseHeaders'])['retry-after']);
  const status = tokensIn(data['statusCode']);
  return { text: message === '' ? name : message, ...(status === 0 ? {} : { status }), ...(retryAfter === '' ? {} : { retryAfter }) };
}

function troubleIn(told: Told, now: number): Trouble | undefined {
  const kind = kindOfStatus(told.status ?? 0) ?? WORDS.find(([, pattern]) => pattern.test(told.text))?.[0];
  if (kind === undefined) return undefined;
  const until = kind === 'quota' ? untilIn(told, now) : undefined;
  return { kind, text: short(told.text), ...(until === undefined ? {} : { until }) };
}

function kindOfStatus(status: number): Trouble['kind'] | undefined {
  if (status === 401 || status === 403) return 'login';
  if (status === 402 || status === 429) return 'quota';
  if (status === 404) return 'setup';
  return status >= 500 && status < 600 ? 'overload' : undefined;
}

/** The longest wait that is believed, ms. */
const LONGEST_WAIT = 31 * 24 * 3_600_000;

/** `retry-after` in seconds, or `try again in 1h2m3s`. */
function untilIn(told: Told, now: number): number | undefined {
  const [, hours, minutes, seconds] = /(?:try again|retry|reset) (?:after|in) (?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,8}(?:\.\d{1,9})?)s)?/i.exec(told.text) ?? [];
  const words = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  const header = /^\d{1,8}$/.test(told.retryAfter ?? '') ? Number(told.retryAfter) : 0;
  const wait = Math.ceil(Math.max(words, header) * 1000);
  return wait > 0 && wait <= LONGEST_WAIT ? now + wait : undefined;
}

function conclude({ ending, state, tail, now }: { readonly ending: { readonly code: number | null }; readonly state: State; readonly tail: string; readonly now: number }): Verdict {
  const { error, reason, logged, refused, goesOn } = state;
  if (error !== undefined) return judged(error, now);
  if (reason === 'stop' && refused === 0 && (ending.code === 0 || ending.code === null)) return {};
  if (logged !== undefined && (refused > 0 || reason === undefined)) return judged({ text: logged }, now);
  if (reason === undefined && ending.code === 1) {
    const text = refusalIn(tail);
    return goesOn && text === 'Error: Session not found' ? { failed: text, gone: true } : judged({ text }, now);
  }
  // A tool that was refused ends its session with exit code 0.
  return { failed: reason === undefined ? 'ended without a result' : reason === 'stop' ? `said it was done, but ended with exit code ${ending.code ?? 'unknown'}` : `stopped in the middle of its work (${short(reason)})` };
}

function judged(told: Told, now: number): Verdict {
  const trouble = troubleIn(told, now);
  return { failed: short(told.text), ...(trouble === undefined ? {} : { trouble }) };
}

/** What it printed instead of beginning: the line that says most, else the last. */
function refusalIn(tail: string): string {
  // eslint-disable-next-line no-control-regex -- its errors are coloured even where nobody sees it
  const lines = tail.replaceAll(/\u001b\[[\d;]*m/g, '').split('\n').map((l) => l.trim()).filter((l) => l !== '');
  return lines.find((l) => /^Error\b/.test(l)) ?? lines.at(-1) ?? 'gave no reason';
}

// ---------------------------------------------------------------- reading

/** Dollars; nothing for what cannot be. */
function amount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e6 ? value : 0;
}
