// The OpenAI chat completions interface, streamed and whole, as far as agents use it. Pure: a request in, an answer out; it
// refuses what the real interface refuses. Which turn comes next is decided elsewhere.

import { BadRequest } from './turn.ts';
import type { Asked, HttpAnswer, HttpRequest, Protocol, Spent, Turn } from './turn.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a request may say; the real interface refuses a field that it does not know. */
const FIELDS = new Set([
  'model', 'messages', 'stream', 'stream_options', 'tools', 'tool_choice', 'parallel_tool_calls', 'temperature', 'top_p', 'n', 'stop', 'seed', 'user',
  'max_tokens', 'max_completion_tokens', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'response_format',
  'reasoning_effort', 'verbosity', 'store', 'metadata', 'service_tier', 'prediction', 'modalities', 'prompt_cache_key', 'prompt_cache_retention', 'safety_identifier', 'functions', 'function_call',
]);

/** Names that agents give their tool for shell commands, best first. */
const SHELLS = ['bash', 'shell', 'run_shell_command', 'exec_command', 'execute', 'terminal'];

/** Chat completions at any base path (`…/chat/completions`), and the list of models beside it (`…/models`, one model). */
export const chat: Protocol = {
  name: 'chat',
  mine: (request) => request.path.endsWith('/chat/completions') || isModelList(request),
  read,
  answer,
};

/** Asked for with a bearer's key; Anthropic's list has another header. */
function isModelList({ method, path, headers }: HttpRequest): boolean {
  return method === 'GET' && path.endsWith('/models') && headers['x-api-key'] === undefined && headers['anthropic-version'] === undefined;
}

function read(request: HttpRequest): Asked | HttpAnswer {
  if (!/^Bearer \S+$/.test(request.headers.authorization ?? '')) throw new BadRequest('You did not provide an API key in the Authorization header');
  if (isModelList(request)) return json(200, { object: 'list', data: [{ id: 'scripted', object: 'model', created: 0, owned_by: 'test' }] });
  if (request.method !== 'POST') throw new BadRequest(`Not allowed to ${request.method} on /v1/chat/completions`);
  const body = asMap(request.body, 'the body');
  const unknown = Object.keys(body).filter((key) => !FIELDS.has(key));
  if (unknown.length > 0) throw new BadRequest(`Unrecognized request argument supplied: ${unknown.join(', ')}`);
  if (typeof body['model'] !== 'string' || body['model'] === '') throw new BadRequest('you must provide a model parameter');
  const stream = body['stream'] ?? false;
  if (typeof stream !== 'boolean') throw new BadRequest("Invalid type for 'stream': expected a boolean");
  if (body['stream_options'] !== undefined && !stream) throw new BadRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  const tools = toolsOf(body).map(({ name }) => name);
  return { ...conversation(asList(body['messages'], 'messages')), tools, model: body['model'], stream };
}

/** Reads the messages in order; every call of a tool is answered before anything else is said. */
function conversation(messages: readonly unknown[]): Pick<Asked, 'prompt' | 'results'> {
  if (messages.length === 0) throw new BadRequest("Invalid 'messages': empty array. Expected an array with minimum length 1");
  const texts: string[] = [];
  let results: string[] = [];
  let open = new Set<string>();
  for (const [i, value] of messages.entries()) {
    const where = `messages[${i}]`;
    const message = asMap(value, where);
    const { role } = message;
    if (role !== 'tool' && open.size > 0) throw new BadRequest(`An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: ${[...open].join(', ')}`);
    switch (role) {
      case 'system': case 'developer': texts.push(textOf(message, where)); break;
      case 'user': texts.push(textOf(message, where)); results = []; break;
      case 'assistant': open = callsOf(message, where); break;
      case 'tool': {
        if (typeof message['tool_call_id'] !== 'string' || !open.delete(message['tool_call_id'])) throw new BadRequest(`${where}: messages with role 'tool' must be a response to a preceding message with 'tool_calls'`);
        results.push(textOf(message, where));
        break;
      }
      default: throw new BadRequest(`Invalid value for '${where}.role': ${JSON.stringify(role)}`);
    }
  }
  if (open.size > 0) throw new BadRequest(`An assistant message with 'tool_calls' must be followed by tool messages. Missing: ${[...open].join(', ')}`);
  return { prompt: texts.join('\n'), results };
}

/** The ids of the tool calls of an assistant's message; it has calls, a text, or both. */
function callsOf(message: Json, where: string): Set<string> {
  if (message['tool_calls'] === undefined) {
    textOf(message, where);
    return new Set();
  }
  if (message['content'] !== undefined && message['content'] !== null) textOf(message, where);
  const ids = asList(message['tool_calls'], `${where}.tool_calls`).map((value) => {
    const call = asMap(value, `${where}.tool_calls`);
    const { name, arguments: given } = asMap(call['function'], `${where}.tool_calls.function`);
    if (call['type'] !== 'function' || typeof call['id'] !== 'string' || typeof name !== 'string' || typeof given !== 'string') throw new BadRequest(`Invalid '${where}.tool_calls'`);
    return call['id'];
  });
  if (ids.length === 0) throw new BadRequest(`Invalid '${where}.tool_calls': empty array`);
  return new Set(ids);
}

/** A content: a text, or a list of parts of which the texts count. */
function textOf({ content }: Json, where: string): string {
  if (typeof content === 'string') return content;
  return asList(content, `${where}.content`).map((value) => {
    const part = asMap(value, `${where}.content`);
    if (typeof part['type'] !== 'string') throw new BadRequest(`Missing required parameter: '${where}.content.type'`);
    if (part['type'] !== 'text') return '';
    if (typeof part['text'] !== 'string') throw new BadRequest(`Invalid type for '${where}.content.text': expected a string`);
    return part['text'];
  }).join('\n');
}

function toolsOf(body: Json): readonly { readonly name: string; readonly parameters: Json }[] {
  if (body['tools'] === undefined) return [];
  return asList(body['tools'], 'tools').map((value) => {
    const tool = asMap(value, 'tools');
    const { name, parameters = {} } = asMap(tool['function'], 'tools.function');
    if (tool['type'] !== 'function') throw new BadRequest(`Invalid value for 'tools.type': ${JSON.stringify(tool['type'])}`);
    if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) throw new BadRequest("Invalid 'tools.function.name': does not match the pattern '^[a-zA-Z0-9_-]+$'");
    return { name, parameters: asMap(parameters, 'tools.function.parameters') };
  });
}

function answer(turn: Exclude<Turn, { do: 'slow' | 'hang' }>, o: { readonly asked: Asked; readonly request: HttpRequest; readonly spent: Spent }): HttpAnswer {
  switch (turn.do) {
    case 'say': return completion(o, { message: { content: turn.text }, finish: 'stop' });
    case 'run': return completion(o, { message: { content: null, tool_calls: [call(turn.command, o)] }, finish: 'tool_calls' });
    case 'cut': return { ...stream(o, { message: { content: 'this answer is cut' }, finish: 'stop' }, 2), drop: true };
    case 'quota': return turn.resetSeconds === undefined
      ? refusal(429, { code: 'insufficient_quota', type: 'insufficient_quota', message: 'You exceeded your current quota, please check your plan and billing details.' })
      : refusal(429, { code: 'rate_limit_exceeded', type: 'requests', message: `Rate limit reached for requests. Please try again in ${turn.resetSeconds}s.` }, { 'retry-after': String(turn.resetSeconds), 'x-ratelimit-reset-requests': `${turn.resetSeconds}s` });
    case 'overload': return refusal(503, { code: 'server_overloaded', type: 'server_error', message: 'The server is overloaded or not ready yet.' });
    case 'login': return refusal(401, { code: 'invalid_api_key', type: 'invalid_request_error', message: 'Incorrect API key provided.' });
  }
}

type Told = { readonly asked: Asked; readonly request: HttpRequest; readonly spent: Spent };
/** What the model says and why it ends there. */
type Said = { readonly message: Json; readonly finish: 'stop' | 'tool_calls' };

function completion(o: Told, said: Said): HttpAnswer {
  if (o.asked.stream) return stream(o, said);
  const choice = { index: 0, message: { role: 'assistant', ...said.message }, logprobs: null, finish_reason: said.finish };
  return json(200, { ...head(o, 'chat.completion'), choices: [choice], usage: usageOf(o.spent) });
}

/** The events of a streamed answer; with `only`, so many from the front and no end. */
function stream(o: Told, { message, finish }: Said, only?: number): HttpAnswer {
  const chunk = (choices: readonly Json[], more: Json = {}): string => `data: ${JSON.stringify({ ...head(o, 'chat.completion.chunk'), choices, ...more })}\n\n`;
  const delta = (part: Json, end: string | null = null): string => chunk([{ index: 0, delta: part, logprobs: null, finish_reason: end }]);
  const options = asMap(asMap(o.request.body, 'the body')['stream_options'] ?? {}, 'stream_options');
  const pieces = [
    delta({ role: 'assistant', content: message['content'] === null ? null : '' }),
    ...deltas(message).map((part) => delta(part)),
    delta({}, finish),
    ...(options['include_usage'] === true ? [chunk([], { usage: usageOf(o.spent) })] : []),
    'data: [DONE]\n\n',
  ];
  return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }, pieces: pieces.slice(0, only ?? pieces.length) };
}

/** A message in pieces, the way it is streamed: texts and arguments are cut in two. */
function deltas({ content, tool_calls: calls }: Json): readonly Json[] {
  if (typeof content === 'string') return halves(content).map((text) => ({ content: text }));
  return asList(calls, 'tool_calls').flatMap((value, index) => {
    const { id, type, function: called } = asMap(value, 'tool_calls');
    const { name, arguments: given } = asMap(called, 'function');
    return [
      { tool_calls: [{ index, id, type, function: { name, arguments: '' } }] },
      ...halves(String(given)).map((part) => ({ tool_calls: [{ index, function: { arguments: part } }] })),
    ];
  });
}

function halves(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((part) => part !== '');
}

/** A call of the agent's tool for shell commands. What else its schema requires is filled in by type. */
function call(command: string, { asked, request }: Told): Json {
  const tools = toolsOf(asMap(request.body, 'the body'));
  const shell = SHELLS.map((name) => tools.find((tool) => tool.name === name)).find((tool) => tool !== undefined);
  if (shell === undefined) throw new BadRequest(`the scenario runs a command, but among the tools is none that does: ${asked.tools.join(', ')}`);
  const properties = asMap(shell.parameters['properties'] ?? {}, 'parameters.properties');
  const required = asList(shell.parameters['required'] ?? [], 'parameters.required').map(String);
  const filled = required.map((name) => [name, anyValue(asMap(properties[name] ?? {}, name))] as const);
  const id = `call_${asked.results.length + 1}_${command.length}`;
  return { id, type: 'function', function: { name: shell.name, arguments: JSON.stringify({ ...Object.fromEntries(filled), command }) } };
}

/** The simplest value that a schema of one property allows. */
function anyValue(schema: Json): unknown {
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  switch (schema['type']) {
    case 'number': case 'integer': return typeof schema['minimum'] === 'number' ? Math.max(30, schema['minimum']) : 30;
    case 'boolean': return false;
    case 'array': return [];
    default: return 'the next step';
  }
}

function head(o: Told, object: string): Json {
  return { id: `chatcmpl-${o.asked.results.length}`, object, created: 1_700_000_000, model: o.asked.model, system_fingerprint: 'fp_scripted' };
}

function usageOf({ input, output, cacheRead, cacheWrite }: Spent): Json {
  const prompt = input + cacheRead + cacheWrite;
  return {
    prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output,
    prompt_tokens_details: { cached_tokens: cacheRead, audio_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}

function refusal(status: number, error: Json, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const answered = json(status, { error: { param: null, ...error } });
  return { ...answered, headers: { ...answered.headers, ...headers } };
}

function json(status: number, body: Json): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, pieces: [JSON.stringify(body)] };
}

function asMap(value: unknown, where: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new BadRequest(`Invalid type for '${where}': expected an object`);
}

function asList(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new BadRequest(`Invalid type for '${where}': expected an array`);
}
