// Gemini CLI by its headless mode: the prompt on stdin, JSON lines out. It has no word for stopping, and leaves the command
// that it is running: that one ends with its process namespace.

import type { Usage } from '../core/usage.ts';
import { jsonLine, short } from './agent.ts';
import type { Activity, Agent, AgentTask, Opening, Received, Trouble, Verdict } from './agent.ts';
import { mapOf, sessionOf, textOf, tokensIn } from './untrusted.ts';

type Data = Readonly<Record<string, unknown>>;

/** What is remembered of one session. */
interface State {
  /** It got as far as its first line; what stops it before is the installation's or the login's fault. */
  readonly begun: boolean;
  /** What it is saying; it comes in pieces. */
  readonly saying: string;
  /** Its last line was no whole one: it ends without waiting until what it printed is read. */
  readonly torn: boolean;
  readonly result?: { readonly success: boolean; readonly message: string };
}

/** Takes the program with its first arguments. */
export function geminiAgent(o: { readonly program: readonly string[] }): Agent<State> {
  return {
    name: 'gemini',
    idleLimit: true,
    listens: true,
    abilities: {
      permissions: ['workspace', 'full'],
      why: 'its own sandbox is a container without the repository\'s git folder, in which it could not commit',
      // A session that goes on sends the answers of its tools twice, which the model's interface refuses (0.61.0).
      usage: { tokens: false, usd: false }, goOn: false, ownCap: false,
    },
    open: (task) => open(o.program, task),
    receive: (line, state) => {
      const said = jsonLine(line);
      return receive(said, { ...state, torn: said === undefined && /^\{"type":"(?:message|tool_use|tool_result|result)"/.test(line) });
    },
    interrupt: () => undefined,
    conclude,
  };
}

// ---------------------------------------------------------------- how it is started

/** Shell commands without a question. `auto_edit` alone refuses them where nobody can be asked. */
const SHELL_RULE = '[[rule]]\ntoolName = "run_shell_command"\ndecision = "allow"\npriority = 500\nallowRedirection = true\n';

function open(program: readonly string[], task: AgentTask): Opening<State> {
  const rules = `${task.scratch}/gemini-rules.toml`;
  const workspace = task.permissions !== 'full';
  return {
    argv: [
      ...program, '--output-format=stream-json', '--skip-trust', ...(workspace ? ['--approval-mode=auto_edit', `--policy=${rules}`] : ['--approval-mode=yolo']),
      ...(task.session === '' ? [] : [`--session-id=${task.session}`]),
      ...(task.model === undefined ? [] : [`--model=${task.model}`]), ...task.args,
    ],
    // Its own sandbox would put the prompt on a command line, and lacks git; a second process of itself only costs time. After an
    // error it leaves the whole conversation in the folder for temporary files.
    env: { TMPDIR: task.scratch, GEMINI_SANDBOX: 'false', GEMINI_CLI_NO_RELAUNCH: '1', GEMINI_TELEMETRY_ENABLED: 'false' },
    ...(workspace ? { files: { [rules]: SHELL_RULE } } : {}),
    first: literal(task.prompt),
    oneShot: true,
    state: { begun: false, saying: '', torn: false },
  };
}

/** It takes `@path` in a prompt for a file to read in (or searches the worktree for it) and a leading `/` for a command of its own; both are kept from it. */
function literal(prompt: string): string {
  const escaped = prompt.replaceAll(/(?<!\\)@(?=\S)/g, '\\@');
  if (escaped !== prompt) return `(In this text \`\\@\` stands for a plain at sign.)\n\n${escaped}`;
  return prompt.startsWith('/') ? `\n${prompt}` : prompt;
}

// ---------------------------------------------------------------- what it prints

function receive(said: Data | undefined, state: State): Received<State> {
  switch (said?.['type']) {
    case 'init': return { state: { ...state, begun: true }, ...sessionOf(said['session_id']) };
    case 'message': return said['role'] === 'assistant' ? { state: { ...state, saying: (state.saying + textOf(said['content'])).slice(0, 4000) } } : { state };
    case 'tool_use': return flush(state, [toolUse(textOf(said['tool_name']), mapOf(said['parameters']))]);
    case 'tool_result': return flush(state, said['status'] === 'error' ? [{ kind: 'tool', text: short(`refused: ${textOf(mapOf(said['error'])['message'])}`) }] : []);
    case 'error': return flush(state, [{ kind: 'text', text: short(textOf(said['message'])) }]);
    case 'result': return ended(said, state);
    default: return { state };
  }
}

function flush(state: State, more: readonly Activity[]): Received<State> {
  const said: Activity[] = state.saying.trim() === '' ? [] : [{ kind: 'text', text: short(state.saying) }];
  return { state: { ...state, saying: '' }, activity: [...said, ...more] };
}

function ended(said: Data, state: State): Received<State> {
  const success = said['status'] === 'success';
  const flushed = flush(state, []);
  const usage = usageOf(mapOf(said['stats']));
  return {
    ...flushed, state: { ...flushed.state, begun: true, result: { success, message: textOf(mapOf(said['error'])['message']) } },
    ...(usage === undefined ? {} : { usage }), ...(success ? { done: true } : {}),
  };
}

const FILE_TOOLS: ReadonlySet<string> = new Set(['write_file', 'replace']);

function toolUse(name: string, parameters: Data): Activity {
  if (name === 'run_shell_command') return { kind: 'command', text: short(textOf(parameters['command'])) };
  const path = textOf(parameters['file_path']);
  if (FILE_TOOLS.has(name)) return { kind: 'file', text: short(path) };
  return { kind: 'tool', text: short(`${name} ${path}`) };
}

/** Its only report, at the end. Its `output_tokens` leave out what the model thought; its total does not. */
function usageOf(stats: Data): Usage | undefined {
  if (Object.keys(stats).length === 0) return undefined;
  const [prompt, cached] = [tokensIn(stats['input_tokens']), tokensIn(stats['cached'])];
  const models = Object.entries(mapOf(stats['models'])).flatMap(([name, used]) => tokensIn(mapOf(used)['total_tokens']) > 0 ? [name] : []);
  const [model] = models;
  return {
    input: Math.max(0, prompt - cached), cacheRead: cached, cacheWrite: 0,
    output: Math.max(tokensIn(stats['output_tokens']), tokensIn(stats['total_tokens']) - prompt),
    ...(models.length === 1 && model !== undefined && model.length <= 100 ? { model } : {}),
  };
}

// ---------------------------------------------------------------- how it fails

/** Its words for not being able to go on, first match first; `API Error` holds what the service said. */
const WORDS: readonly (readonly [Trouble['kind'], RegExp])[] = [
  ['login', /API_KEY_INVALID|API key (?:not valid|expired)|UNAUTHENTICATED|PERMISSION_DENIED|unregistered callers|invalid authentication credentials|GEMINI_API_KEY|Auth method|auth method/],
  ['quota', /quota|RESOURCE_EXHAUSTED|Rate limit/i],
  ['overload', /overloaded|UNAVAILABLE|no capacity|capacity exceeded|high demand|high traffic|fetch failed|terminated|socket hang up|ECONN|ETIMEDOUT/i],
  ['setup', /model .*not found|not found for API version|Unknown argument/i],
];

/** Its exit codes without words: its own below 128, else the low byte of the service's HTTP status. */
const CODES: Readonly<Record<number, Trouble['kind']>> = {
  41: 'login', [401 & 255]: 'login', [403 & 255]: 'login', 44: 'setup', 52: 'setup', 55: 'setup', [404 & 255]: 'setup',
  [429 & 255]: 'quota', [500 & 255]: 'overload', [502 & 255]: 'overload', [503 & 255]: 'overload', [504 & 255]: 'overload',
};

function conclude({ ending, state, tail, now }: { readonly ending: { readonly code: number | null }; readonly state: State; readonly tail: string; readonly now: number }): Verdict {
  const { result } = state;
  if (result?.success === true) return ending.code === 0 || ending.code === null ? {} : { failed: `said it was done, but ended with exit code ${ending.code}` };
  // Ended by a signal it exits 0 too, but between two lines.
  if (result === undefined && state.begun) return state.torn && ending.code === 0 ? {} : { failed: 'ended without a result' };
  const words = result === undefined ? refusalIn(tail) : serviceWords(result.message);
  const kind = WORDS.find(([, pattern]) => pattern.test(words.all))?.[0] ?? CODES[ending.code ?? 0];
  const line = short(words.line === '' ? 'gave no reason' : words.line);
  if (kind === undefined) return { failed: line };
  const until = kind === 'quota' ? untilIn(words.all, now) : undefined;
  return { failed: line, trouble: { kind, text: line, ...(until === undefined ? {} : { until }) } };
}

interface Words { readonly all: string; readonly line: string }

/** What it printed instead of beginning: the line that says most, else the last. */
function refusalIn(tail: string): Words {
  const lines = tail.split('\n').map((l) => l.trim()).filter((l) => l !== '' && !/^(?:Security )?Warning:|^\[STARTUP\]/.test(l));
  const line = lines.find((l) => WORDS.some(([, pattern]) => pattern.test(l))) ?? lines.find((l) => l.startsWith('Error')) ?? lines.at(-1) ?? '';
  return { all: line, line };
}

/** The service's own words, without the advice that gemini adds, which talks of quota in any case. */
function serviceWords(message: string): Words {
  const inner = /^\[API Error: ([\s\S]*?)\](?:\n|$)/.exec(message)?.[1] ?? message;
  const told = textOf(mapOf(jsonLine(inner)?.['error'])['message']);
  return { all: inner, line: told === '' ? inner : told };
}

/** The longest wait that is believed, ms. */
const LONGEST_WAIT = 31 * 24 * 3_600_000;

/** `Suggested retry after 37s`, `Please retry in 1.5s`, `quota will reset after 13h51m2s`. */
function untilIn(words: string, now: number): number | undefined {
  const [, hours, minutes, seconds] = /(?:retry after|retry in|reset after) (?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,8}(?:\.\d{1,9})?)s)?/i.exec(words) ?? [];
  const wait = Math.ceil((Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1000);
  return wait > 0 && wait <= LONGEST_WAIT ? now + wait : undefined;
}
