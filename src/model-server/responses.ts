// The Responses interface of OpenAI, as Codex uses it: requests checked, answers whole or as server-sent events. Its
// socket form is not served; clients then fall back to plain requests.

import { BadRequest, type Asked, type HttpAnswer, type HttpRequest, type Protocol, type Spent, type Turn } from './turn.ts';

type Data = Readonly<Record<string, unknown>>;

/** Fields of a request; any other is refused by the real interface. */
const FIELDS = new Set([
  'background', 'client_metadata', 'context_management', 'conversation', 'include', 'input', 'instructions', 'max_output_tokens', 'max_tool_calls', 'metadata', 'model',
  'parallel_tool_calls', 'previous_response_id', 'prompt', 'prompt_cache_key', 'prompt_cache_retention', 'reasoning', 'safety_identifier', 'service_tier', 'store',
  'stream', 'stream_options', 'temperature', 'text', 'tool_choice', 'tools', 'top_logprobs', 'top_p', 'truncation', 'user',
]);

/** Items of the input that are passed without a closer look. */
const OTHER_ITEMS = new Set(['additional_tools', 'reasoning', 'item_reference', 'compaction', 'web_search_call', 'image_generation_call']);

const ROLES = new Set(['user', 'assistant', 'system', 'developer']);

/** Calls of tools and what answers them. */
const OUTPUT_OF: Readonly<Record<string, string>> = { function_call: 'function_call_output', custom_tool_call: 'custom_tool_call_output' };

/** How long an agent's tool should wait for a command before it goes on without its end, ms; the longest that Codex allows. */
const PATIENCE = 30_000;

/** The Responses interface. */
export const responses: Protocol = {
  name: 'responses',
  mine: ({ path, query }) => path.endsWith('/responses') || (path.endsWith('/models') && query.has('client_version')),
  read,
  answer: (turn, { asked, request, spent }) => {
    switch (turn.do) {
      case 'quota': return quota(turn.resetSeconds);
      case 'overload': return refusal(503, { code: 'server_is_overloaded', type: 'service_unavailable_error', message: 'Our servers are currently overloaded. Please try again later.' });
      case 'login': return refusal(401, { code: 'invalid_api_key', type: 'invalid_request_error', message: 'Incorrect API key provided: dummy.', param: null });
      case 'cut': {
        const whole = stream({ asked, spent, id: idOf(request), turn: { do: 'say', text: 'This is the beginning of an answer that' } });
        return { ...whole, pieces: whole.pieces.slice(0, 3), drop: true };
      }
      default: {
        const answer: Answer = { asked, spent, id: idOf(request), turn };
        return asked.stream ? stream(answer) : json(200, responseOf(answer, 'completed'));
      }
    }
  },
};

// ---------------------------------------------------------------- requests

function read(request: HttpRequest): Asked | HttpAnswer {
  const { headers, method, path } = request;
  need(/^Bearer \S/.test(headers.authorization ?? ''), 'Missing bearer or basic authentication in header');
  if (path.endsWith('/models')) return json(200, { models: [] });
  if (method === 'GET') return refusal(426, { type: 'invalid_request_error', message: 'There is no socket here.' });
  need(method === 'POST', `${method} is not allowed here`);
  const body = asData(request.body, 'the body');
  for (const field of Object.keys(body)) need(FIELDS.has(field), `Unknown parameter: '${field}'.`);
  const { model, stream: asStream = false } = body;
  need(typeof model === 'string' && model !== '', `Missing required parameter: 'model'.`);
  need(typeof asStream === 'boolean', `Invalid type for 'stream': expected a boolean.`);
  const input = itemsOf(body['input']);
  checkPairs(input);
  return {
    model, stream: asStream, tools: toolNames(body, input),
    prompt: [body['instructions'], ...input.filter((item) => item['role'] !== 'assistant').flatMap(textsOf)].filter((text) => typeof text === 'string').join('\n'),
    results: input.slice(input.findLastIndex(({ role }) => role === 'user') + 1).filter(isOutput).map((item) => outputText(item['output'])),
  };
}

function itemsOf(input: unknown): readonly Data[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return asList(input, 'input').map((value, i) => {
    const item = asData(value, `input[${i}]`);
    const type = textOr(item['type'], 'message');
    if (type === 'message') {
      need(ROLES.has(String(item['role'])), `Invalid value: '${String(item['role'])}'. (input[${i}].role)`);
      textsOf(item);
    } else {
      need(Object.hasOwn(OUTPUT_OF, type) || isOutput(item) || OTHER_ITEMS.has(type), `Invalid value: '${type}'. (input[${i}].type)`);
    }
    return { ...item, type };
  });
}

/** Every call has exactly one output, and every output comes after its call and has its kind. */
function checkPairs(input: readonly Data[]): void {
  const open = new Map<string, string>();
  for (const item of input) {
    const id = String(item['call_id']);
    const type = String(item['type']);
    const output = OUTPUT_OF[type];
    if (output !== undefined) {
      need(typeof item['call_id'] === 'string' && !open.has(id), `a second call with the id ${id}`);
      open.set(id, output);
    } else if (isOutput(item)) {
      need(open.get(id) === type, `No tool call found for function call output with call_id ${id}.`);
      open.delete(id);
    }
  }
  for (const id of open.keys()) need(false, `No tool output found for function call ${id}.`);
}

function isOutput(item: Data): boolean {
  return Object.values(OUTPUT_OF).includes(String(item['type']));
}

/** The texts of a message, whose content may be one text or a list of parts; none of other items. */
function textsOf({ type = 'message', content }: Data): readonly string[] {
  if (type !== 'message') return [];
  if (typeof content === 'string') return [content];
  return asList(content, 'content').map((part) => asData(part, 'content')).flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
}

function outputText(output: unknown): string {
  return typeof output === 'string' ? output : asList(output, 'output').map((part) => textOr(asData(part, 'output')['text'], '')).join('');
}

/** Names of all tools, those that stand in the input and those in a namespace too. */
function toolNames(body: Data, input: readonly Data[]): readonly string[] {
  const lists = [body['tools'] ?? [], ...input.filter(({ type }) => type === 'additional_tools').map(({ tools }) => tools ?? [])];
  return lists.flatMap((list) => namesOf(asList(list, 'tools')));
}

function namesOf(tools: readonly unknown[]): readonly string[] {
  return tools.map((tool) => asData(tool, 'tools')).flatMap((tool) => {
    const type = textOr(tool['type'], '');
    need(type !== '', `Missing required parameter: 'tools[].type'.`);
    return type === 'namespace' ? namesOf(asList(tool['tools'], 'tools')) : [textOr(tool['name'], type)];
  });
}

function need(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new BadRequest(otherwise);
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function asData(value: unknown, at: string): Data {
  need(typeof value === 'object' && value !== null && !Array.isArray(value), `Invalid type for '${at}': expected an object.`);
  return { ...value };
}

function asList(value: unknown, at: string): readonly unknown[] {
  need(Array.isArray(value), `Invalid type for '${at}': expected a list.`);
  return value as readonly unknown[];
}

// ---------------------------------------------------------------- answers

interface Answer {
  readonly turn: Extract<Turn, { do: 'run' | 'say' }>;
  readonly asked: Asked;
  readonly spent: Spent;
  /** Unique within a conversation, and the same when it is asked again. */
  readonly id: string;
}

function idOf({ body }: HttpRequest): string {
  const { input } = asData(body, 'the body');
  return (Array.isArray(input) ? String(input.length) : '1').padStart(4, '0');
}

/** The one item of an answer: a message, or a call of whatever tool for commands the agent offers. */
function itemOf({ turn, asked, id }: Answer): Data {
  if (turn.do === 'say') return { type: 'message', id: `msg_${id}`, role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: turn.text, annotations: [] }] };
  const call = { id: `fc_${id}`, call_id: `call_${id}`, status: 'completed' };
  const { command } = turn;
  const wait = { cmd: command, yield_time_ms: PATIENCE };
  if (asked.tools.includes('exec_command')) return { type: 'function_call', ...call, name: 'exec_command', arguments: JSON.stringify(wait) };
  if (asked.tools.includes('shell_command')) return { type: 'function_call', ...call, name: 'shell_command', arguments: JSON.stringify({ command }) };
  // Newer models of Codex write a script that calls the tools.
  if (asked.tools.includes('exec')) return { type: 'custom_tool_call', ...call, name: 'exec', input: `text(await tools.exec_command(${JSON.stringify(wait)}));` };
  throw new BadRequest(`no tool for commands among ${asked.tools.join(', ')}`);
}

function responseOf(answer: Answer, status: 'in_progress' | 'completed'): Data {
  const { asked, spent, id } = answer;
  const input = spent.input + spent.cacheRead + spent.cacheWrite;
  const usage = {
    input_tokens: input, input_tokens_details: { cached_tokens: spent.cacheRead, cache_write_tokens: spent.cacheWrite },
    output_tokens: spent.output, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + spent.output,
  };
  const done = status === 'completed';
  return { id: `resp_${id}`, object: 'response', status, error: null, model: asked.model, output: done ? [itemOf(answer)] : [], usage: done ? usage : null };
}

function stream(answer: Answer): HttpAnswer {
  const item = itemOf(answer);
  const at = { output_index: 0, item_id: item['id'] };
  const parts: readonly (readonly [string, Data])[] = answer.turn.do === 'say'
    ? [['response.output_text.delta', { ...at, content_index: 0, delta: answer.turn.text }]]
    : [];
  const events: readonly (readonly [string, Data])[] = [
    ['response.created', { response: responseOf(answer, 'in_progress') }],
    ['response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', ...(answer.turn.do === 'say' ? { content: [] } : {}) } }],
    ...parts,
    ['response.output_item.done', { output_index: 0, item }],
    ['response.completed', { response: responseOf(answer, 'completed') }],
  ];
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
    pieces: events.map(([type, data], sequence_number) => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...data })}\n\n`),
  };
}

/** With a time: the limit of a plan, which passes. Without: the account has no credit left. */
function quota(resetSeconds: number | undefined): HttpAnswer {
  if (resetSeconds === undefined) {
    return refusal(429, { code: 'insufficient_quota', type: 'insufficient_quota', message: 'You exceeded your current quota, please check your plan and billing details.', param: null });
  }
  const reset = Math.floor(Date.now() / 1000) + resetSeconds;
  const answer = refusal(429, { type: 'usage_limit_reached', message: 'The usage limit has been reached', plan_type: 'plus', resets_at: reset, resets_in_seconds: resetSeconds });
  const window = { 'x-codex-primary-used-percent': '100', 'x-codex-primary-window-minutes': '300', 'x-codex-primary-reset-at': String(reset) };
  return { ...answer, headers: { ...answer.headers, ...window } };
}

function refusal(status: number, error: Data): HttpAnswer {
  return json(status, { error });
}

function json(status: number, body: Data): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', 'x-request-id': 'req_scripted' }, pieces: [JSON.stringify(body)] };
}
