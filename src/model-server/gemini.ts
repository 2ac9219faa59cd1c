// The Gemini interface (generateContent, streamGenerateContent, countTokens) as the scripted model speaks it. What the model does is
// decided elsewhere; questions that ask for JSON by a schema are the agents' own bookkeeping and get the smallest value that fits.

import { BadRequest } from './turn.ts';
import type { Asked, HttpAnswer, HttpRequest, Protocol, Spent, Turn } from './turn.ts';

type Data = Readonly<Record<string, unknown>>;
type Answered = Exclude<Turn, { do: 'slow' | 'hang' }>;

const PATH = /^\/v1(?:beta|alpha)?\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/;

/** Names that agents give to their tool for shell commands. */
const SHELLS = ['run_shell_command', 'bash', 'shell'];

/** The protocol; give it to the server. */
export const gemini: Protocol = {
  name: 'gemini',
  mine: ({ path }) => PATH.test(path) || /^\/v1(?:beta|alpha)?\/models$/.test(path),
  read,
  answer: (turn, { asked, request, spent }) => {
    switch (turn.do) {
      case 'run': return reply(request, { parts: [callOf(turn.command, asked.tools)], asked, spent });
      case 'say': return reply(request, { parts: pieces(turn.text).map((text) => ({ text })), asked, spent });
      case 'cut': return { ...reply(request, { parts: [{ text: 'I beg' }], asked, spent, open: true }), drop: true };
      default: return refusal(turn);
    }
  },
};

function read(request: HttpRequest): Asked | HttpAnswer {
  const [, model, method] = PATH.exec(request.path) ?? [];
  if (apiKey(request) === '') throw new BadRequest('Method doesn\'t allow unregistered callers. Please use API Key or other form of API consumer identity.');
  if (model === undefined) return json(200, { models: [{ name: 'models/scripted', supportedGenerationMethods: ['generateContent', 'countTokens'] }] });
  if (request.method !== 'POST') throw new BadRequest(`${request.method} is not allowed here`);
  const body = map(request.body, 'the body');
  const contents = readContents(body['contents']);
  if (method === 'countTokens') return json(200, { totalTokens: 7 });
  const schema = schemaOf(body);
  const stream = method === 'streamGenerateContent';
  if (stream && request.query.get('alt') !== 'sse') throw new BadRequest('the scripted model streams with alt=sse only');
  const asked = { prompt: promptOf(body, contents), results: resultsOf(contents), tools: toolsOf(body['tools']), model, stream };
  if (schema === undefined) return asked;
  return reply(request, { parts: [{ text: JSON.stringify(smallest(schema)) }], asked, spent: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } });
}

function apiKey({ headers, query }: HttpRequest): string {
  const header = headers['x-goog-api-key'];
  return (typeof header === 'string' ? header : '') || (query.get('key') ?? '');
}

// ---------------------------------------------------------------- questions

interface Content { readonly role: 'user' | 'model'; readonly parts: readonly Data[] }

/** The conversation, refused where the real interface refuses it. */
function readContents(value: unknown): readonly Content[] {
  const contents = list(value, 'contents').map((c, i) => readContent(c, `contents[${i}]`));
  if (contents.length === 0) throw new BadRequest('* GenerateContentRequest.contents: contents is not specified');
  contents.forEach((content, i) => {
    const calls = count(contents[i - 1], 'functionCall');
    if (count(content, 'functionResponse') === calls || content.role === 'model') return;
    throw new BadRequest('Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.');
  });
  const unanswered = contents.some((c, i) => count(c, 'functionCall') > 0 && contents[i + 1]?.role !== 'user');
  if (unanswered) throw new BadRequest('Please ensure that function call turn comes immediately before a function response turn.');
  return contents;
}

function readContent(value: unknown, where: string): Content {
  const { role = 'user', parts } = map(value, where);
  if (role !== 'user' && role !== 'model') throw new BadRequest('Please use a valid role: user, model.');
  const read = list(parts, `${where}.parts`).map((p, i) => readPart(p, `${where}.parts[${i}]`));
  if (read.length === 0) throw new BadRequest(`* GenerateContentRequest.${where}.parts: contents.parts must not be empty.`);
  return { role, parts: read };
}

function readPart(value: unknown, where: string): Data {
  const part = map(value, where);
  const kinds = ['text', 'functionCall', 'functionResponse', 'inlineData', 'fileData', 'executableCode', 'codeExecutionResult'].filter((k) => k in part);
  if (kinds.length !== 1) throw new BadRequest(`${where}: required oneof field 'data' must have one initialized field`);
  if ('text' in part && typeof part['text'] !== 'string') throw new BadRequest(`${where}.text: not a string`);
  for (const kind of ['functionCall', 'functionResponse']) {
    if (kind in part && typeof map(part[kind], `${where}.${kind}`)['name'] !== 'string') throw new BadRequest(`${where}.${kind}.name: Name cannot be empty.`);
  }
  return part;
}

function count(content: Content | undefined, kind: string): number {
  return content?.parts.filter((p) => kind in p).length ?? 0;
}

/** Texts, without the model's own thoughts. */
function textsOf(parts: readonly Data[]): readonly string[] {
  return parts.flatMap((p) => typeof p['text'] === 'string' ? [p['text']] : []);
}

function promptOf(body: Data, contents: readonly Content[]): string {
  const system = body['systemInstruction'] === undefined ? [] : textsOf(readContent(body['systemInstruction'], 'systemInstruction').parts);
  return [...system, ...contents.flatMap((c) => c.role === 'user' ? textsOf(c.parts) : [])].join('\n');
}

function resultsOf(contents: readonly Content[]): readonly string[] {
  let results: string[] = [];
  for (const { role, parts } of contents) {
    const answers = parts.flatMap((p) => 'functionResponse' in p ? [resultOf(map(p['functionResponse'], 'functionResponse'))] : []);
    if (answers.length > 0) results.push(...answers);
    else if (role === 'user') results = [];
  }
  return results;
}

function resultOf({ response }: Data): string {
  const { output, error } = map(response ?? {}, 'functionResponse.response');
  const text = output ?? error;
  return typeof text === 'string' ? text : JSON.stringify(response);
}

function toolsOf(value: unknown): readonly string[] {
  const declared = list(value ?? [], 'tools').flatMap((t) => list(map(t, 'tool')['functionDeclarations'] ?? [], 'functionDeclarations'));
  return declared.map((d) => {
    const { name } = map(d, 'functionDeclaration');
    if (typeof name === 'string' && /^[A-Za-z_][\w.:-]{0,63}$/.test(name)) return name;
    throw new BadRequest('Invalid function name. Must start with a letter or an underscore.');
  });
}

/** The schema of a question that wants JSON. */
function schemaOf(body: Data): Data | undefined {
  const config = map(body['generationConfig'] ?? {}, 'generationConfig');
  const schema = config['responseJsonSchema'] ?? config['responseSchema'];
  return config['responseMimeType'] === 'application/json' ? map(schema ?? {}, 'responseSchema') : undefined;
}

/** The smallest value that fits a schema; the first of several. */
function smallest(schema: Data): unknown {
  const options = schema['enum'];
  if (Array.isArray(options)) return options[0] as unknown;
  const type = schema['type'];
  switch (typeof type === 'string' ? type.toLowerCase() : 'object') {
    case 'string': return '';
    case 'number': case 'integer': return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
    case 'boolean': return false;
    case 'array': return [];
    default: return Object.fromEntries(Object.entries(map(schema['properties'] ?? {}, 'properties')).map(([key, s]) => [key, smallest(map(s, key))]));
  }
}

// ---------------------------------------------------------------- answers

function callOf(command: string, tools: readonly string[]): Data {
  const name = SHELLS.find((shell) => tools.includes(shell));
  if (name === undefined) throw new BadRequest(`none of the tools offered runs commands: ${tools.join(', ')}`);
  return { functionCall: { name, args: { command, description: 'Runs a command' } }, thoughtSignature: 'c2NyaXB0ZWQ=' };
}

/** A text in two parts, so that agents have to put it together. */
function pieces(text: string): readonly string[] {
  const half = Math.ceil(text.length / 2);
  return [text.slice(0, half), text.slice(half)].filter((piece) => piece !== '');
}

interface Reply { readonly parts: readonly Data[]; readonly asked: Asked; readonly spent: Spent; /** The answer has no end. */ readonly open?: boolean }

function reply(request: HttpRequest, { parts, asked, spent, open = false }: Reply): HttpAnswer {
  const promptTokenCount = spent.input + spent.cacheRead + spent.cacheWrite;
  const usageMetadata = {
    promptTokenCount, candidatesTokenCount: spent.output, cachedContentTokenCount: spent.cacheRead, totalTokenCount: promptTokenCount + spent.output,
  };
  const frame = { modelVersion: asked.model, responseId: 'scripted-1' };
  const candidate = (some: readonly Data[], last: boolean): Data => ({ content: { role: 'model', parts: some }, index: 0, ...(last ? { finishReason: 'STOP' } : {}) });
  if (!request.path.endsWith(':streamGenerateContent')) return json(200, { candidates: [candidate(parts, true)], usageMetadata, ...frame });
  const chunks = parts.map((part, i) => {
    const last = !open && i === parts.length - 1;
    return `data: ${JSON.stringify({ candidates: [candidate([part], last)], ...(last ? { usageMetadata } : {}), ...frame })}\r\n\r\n`;
  });
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, pieces: chunks };
}

function refusal(turn: Extract<Answered, { do: 'quota' | 'overload' | 'login' }>): HttpAnswer {
  switch (turn.do) {
    case 'overload': return refused(503, { status: 'UNAVAILABLE', message: 'The model is overloaded. Please try again later.' });
    case 'login': return refused(400, {
      status: 'INVALID_ARGUMENT', message: 'API key not valid. Please pass a valid API key.',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com', metadata: { service: 'generativelanguage.googleapis.com' } }],
    });
    default: return quota(turn.resetSeconds);
  }
}

/** Used up: for the day when no time is given, else until the time that is given. */
function quota(resetSeconds: number | undefined): HttpAnswer {
  const period = resetSeconds === undefined ? 'PerDay' : 'PerHour';
  const violation = { quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests', quotaId: `GenerateRequests${period}PerProjectPerModel` };
  return refused(429, {
    status: 'RESOURCE_EXHAUSTED',
    message: 'You exceeded your current quota, please check your plan and billing details.',
    details: [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [violation] },
      ...(resetSeconds === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${resetSeconds}s` }]),
    ],
  });
}

function refused(status: number, error: { readonly status: string; readonly message: string; readonly details?: readonly Data[] }): HttpAnswer {
  return json(status, { error: { code: status, ...error } });
}

function json(status: number, body: Data): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=UTF-8' }, pieces: [JSON.stringify(body)] };
}

// ---------------------------------------------------------------- reading

function map(value: unknown, where: string): Data {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new BadRequest(`Invalid JSON payload received: ${where} is not an object`);
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new BadRequest(`Invalid JSON payload received: ${where} is not a list`);
}
