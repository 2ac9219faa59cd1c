// The Messages interface of Anthropic, as Claude Code uses it: requests checked, answers whole or as server-sent events.

import { BadRequest, type Asked, type HttpAnswer, type HttpRequest, type Protocol, type Spent, type Turn } from './turn.ts';

type Data = Readonly<Record<string, unknown>>;

/** Fields of a request; any other is refused by the real interface. */
const FIELDS = new Set([
  'model', 'messages', 'max_tokens', 'system', 'tools', 'tool_choice', 'stop_sequences', 'stream', 'temperature', 'top_k', 'top_p',
  'metadata', 'thinking', 'service_tier', 'container', 'mcp_servers', 'context_management', 'output_config', 'output_format', 'speed', 'cache_control',
]);

/** Blocks of content that are passed without a closer look. */
const OTHER_BLOCKS = new Set(['image', 'document', 'thinking', 'redacted_thinking', 'search_result']);

/** Blocks that may be marked for the cache. */
const MOST_CACHED = 4;

/** The Messages interface. */
export const anthropic: Protocol = {
  name: 'anthropic',
  mine: ({ path, headers }) => path.startsWith('/v1/messages') || (path.startsWith('/v1/models') && headers['anthropic-version'] !== undefined),
  read,
  answer: (turn, { asked, request, spent }) => {
    switch (turn.do) {
      case 'quota': return quota(turn.resetSeconds);
      case 'overload': return refusal(529, 'overloaded_error', 'Overloaded');
      case 'login': return refusal(401, 'authentication_error', 'invalid x-api-key');
      case 'cut': {
        const whole = stream({ asked, spent, id: idOf(request), turn: { do: 'say', text: 'This is the beginning of an answer that' } });
        return { ...whole, pieces: whole.pieces.slice(0, 3), drop: true };
      }
      default: return asked.stream ? stream({ asked, spent, id: idOf(request), turn }) : whole({ asked, spent, id: idOf(request), turn });
    }
  },
};

// ---------------------------------------------------------------- requests

function read(request: HttpRequest): Asked | HttpAnswer {
  const { headers, method, path } = request;
  need(headers['x-api-key'] !== undefined || /^Bearer \S/.test(headers.authorization ?? ''), 'x-api-key header is required');
  need(headers['anthropic-version'] !== undefined, 'anthropic-version header is required');
  if (path.startsWith('/v1/models')) return json(200, { data: [], has_more: false, first_id: null, last_id: null });
  need(method === 'POST', `${method} is not allowed here`);
  const body = asData(request.body, 'the body');
  if (path === '/v1/messages/count_tokens') return json(200, { input_tokens: Math.ceil(JSON.stringify(body).length / 4) });
  need(path === '/v1/messages', `there is no ${path}`);
  for (const field of Object.keys(body)) need(FIELDS.has(field), `${field}: Extra inputs are not permitted`);
  need(typeof body['max_tokens'] === 'number' && Number.isInteger(body['max_tokens']) && body['max_tokens'] > 0, 'max_tokens: must be a positive whole number');
  need(typeof body['model'] === 'string' && body['model'] !== '', 'model: must be a text');
  need(body['stream'] === undefined || typeof body['stream'] === 'boolean', 'stream: must be true or false');
  const told = readMessages(asList(body['messages'], 'messages'));
  const tools = asList(body['tools'] ?? [], 'tools').map((tool, i) => asText(asData(tool, `tools.${i}`)['name'], `tools.${i}.name`));
  need(new Set(tools).size === tools.length, 'tools: Tool names must be unique.');
  const cached = countOf([body['system'], body['tools'], body['messages']], 'cache_control');
  need(cached <= MOST_CACHED, `A maximum of ${MOST_CACHED} blocks with cache_control may be provided. Found ${cached}.`);
  return {
    prompt: [...textsOf(body['system'] ?? [], 'system'), ...told.texts].join('\n'),
    results: told.results,
    tools,
    model: body['model'],
    stream: body['stream'] === true,
  };
}

/** Texts of the user in order, and the results since the last of them. Each call must be answered in the next message, and only calls are. */
function readMessages(messages: readonly unknown[]): { readonly texts: readonly string[]; readonly results: readonly string[] } {
  need(messages.length > 0, 'messages: at least one message is required');
  const texts: string[] = [];
  let results: string[] = [];
  let open = new Set<string>();
  const known = new Set<string>();
  for (const [i, value] of messages.entries()) {
    const at = `messages.${i}`;
    const message = asData(value, at);
    const role = message['role'];
    need(role === 'user' || role === 'assistant' || role === 'system', `${at}.role: must be user or assistant`);
    need(i > 0 || role === 'user', 'messages: first message must use the "user" role');
    const blocks = blocksOf(message['content'], at);
    need(blocks.length > 0 || (role === 'assistant' && i === messages.length - 1), `${at}: all messages must have non-empty content except for the optional final assistant message`);
    if (role === 'assistant') {
      need(open.size === 0, `${at}: tool_use ids were found without tool_result blocks: ${[...open].join(', ')}`);
      open = new Set(blocks.filter(({ type }) => type === 'tool_use').map((block) => asText(block['id'], `${at}.id`)));
      for (const id of open) {
        need(!known.has(id), `messages: tool_use ids must be unique, and ${id} is there twice`);
        known.add(id);
      }
      continue;
    }
    const answers = blocks.filter(({ type }) => type === 'tool_result');
    need(blocks.slice(0, answers.length).every(({ type }) => type === 'tool_result'), `${at}: tool_result blocks must come before all other content`);
    for (const answer of answers) {
      const id = asText(answer['tool_use_id'], `${at}.tool_use_id`);
      need(open.delete(id), `${at}: unexpected tool_use_id found in tool_result blocks: ${id}`);
    }
    need(open.size === 0 || role === 'system', `${at}: tool_use ids were found without tool_result blocks: ${[...open].join(', ')}`);
    const said = blocks.filter(({ type }) => type === 'text').map((block) => asText(block['text'], `${at}.text`));
    texts.push(...said);
    // Reminders that travel with a result, or from the system, are no new request of the user.
    if (answers.length === 0 && said.length > 0 && role === 'user') results = [];
    results.push(...answers.map((answer) => textsOf(answer['content'] ?? [], at).join('\n')));
  }
  need(open.size === 0, 'messages: the last tool_use has no tool_result');
  return { texts, results };
}

function blocksOf(content: unknown, at: string): readonly Data[] {
  if (typeof content === 'string') {
    need(content !== '', `${at}.content: text content blocks must be non-empty`);
    return [{ type: 'text', text: content }];
  }
  return asList(content, `${at}.content`).map((value, i) => {
    const block = asData(value, `${at}.content.${i}`);
    const type = block['type'];
    if (type === 'text') need(asText(block['text'], `${at}.content.${i}.text`) !== '', `${at}.content.${i}: text content blocks must be non-empty`);
    else if (type === 'tool_use') asData(block['input'], `${at}.content.${i}.input`);
    else need(type === 'tool_result' || OTHER_BLOCKS.has(String(type)), `${at}.content.${i}: unknown block type ${String(type)}`);
    return block;
  });
}

/** How often a key occurs, at any depth. */
function countOf(value: unknown, key: string): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + countOf(one, key), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((sum, [name, one]) => sum + (name === key && one !== null ? 1 : countOf(one, key)), 0);
}

/** The texts of a content that may be one text or a list of blocks. */
function textsOf(content: unknown, at: string): readonly string[] {
  return (typeof content === 'string' ? [{ type: 'text', text: content }] : asList(content, at))
    .map((block) => asData(block, at)).filter(({ type }) => type === 'text').map((block) => asText(block['text'], `${at}.text`));
}

function need(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new BadRequest(otherwise);
}

function asData(value: unknown, at: string): Data {
  need(typeof value === 'object' && value !== null && !Array.isArray(value), `${at}: Input should be an object`);
  return { ...value };
}

function asList(value: unknown, at: string): readonly unknown[] {
  need(Array.isArray(value), `${at}: Input should be a valid list`);
  return value as readonly unknown[];
}

function asText(value: unknown, at: string): string {
  need(typeof value === 'string', `${at}: Input should be a valid string`);
  return value;
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
  return String(asList(asData(body, 'the body')['messages'], 'messages').length).padStart(4, '0');
}

function blockOf({ turn, asked, id }: Answer): Data {
  if (turn.do === 'say') return { type: 'text', text: turn.text };
  const name = asked.tools.find((tool) => tool === 'Bash') ?? asked.tools[0] ?? 'Bash';
  return { type: 'tool_use', id: `toolu_${id}`, name, input: { command: turn.command, description: 'does the work' } };
}

function messageOf({ turn, asked, id }: Answer, more: Data): Data {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model: asked.model, stop_reason: turn.do === 'run' ? 'tool_use' : 'end_turn', stop_sequence: null, ...more };
}

function usageOf(spent: Spent): Data {
  return { input_tokens: spent.input, cache_creation_input_tokens: spent.cacheWrite, cache_read_input_tokens: spent.cacheRead, output_tokens: spent.output, service_tier: 'standard' };
}

function whole(answer: Answer): HttpAnswer {
  return json(200, messageOf(answer, { content: [blockOf(answer)], usage: usageOf(answer.spent) }));
}

function stream(answer: Answer): HttpAnswer {
  const block = blockOf(answer);
  const isText = block['type'] === 'text';
  const delta = isText ? { type: 'text_delta', text: block['text'] } : { type: 'input_json_delta', partial_json: JSON.stringify(block['input']) };
  const events: readonly (readonly [string, Data])[] = [
    ['message_start', { message: messageOf(answer, { content: [], stop_reason: null, usage: { ...usageOf(answer.spent), output_tokens: 1 } }) }],
    ['content_block_start', { index: 0, content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} } }],
    ['content_block_delta', { index: 0, delta }],
    ['content_block_stop', { index: 0 }],
    ['message_delta', { delta: { stop_reason: answer.turn.do === 'run' ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: usageOf(answer.spent) }],
    ['message_stop', {}],
  ];
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
    pieces: events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`),
  };
}

/** With a time: a limit that passes. Without: no credit left, which the interface tells as a bad request. */
function quota(resetSeconds: number | undefined): HttpAnswer {
  if (resetSeconds === undefined) return refusal(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.');
  const answer = refusal(429, 'rate_limit_error', 'This request would exceed your organization\'s rate limit.');
  const reset = String(Math.floor(Date.now() / 1000) + resetSeconds);
  return {
    ...answer,
    headers: {
      ...answer.headers, 'retry-after': String(resetSeconds), 'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': reset, 'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    },
  };
}

function refusal(status: number, type: string, message: string): HttpAnswer {
  return json(status, { type: 'error', error: { type, message }, request_id: 'req_scripted' });
}

function json(status: number, body: Data): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', 'request-id': 'req_scripted' }, pieces: [JSON.stringify(body)] };
}
