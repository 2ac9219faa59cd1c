// The HTTP side of the fake GitHub: what happens to a request from its arrival to its answer, in the order in which GitHub does it.
// What it answers is in the rest-*.ts and graphql*.ts files.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appOf, demandGrant, tokenOf } from './access.ts';
import { Refusal, refuse, type Answer, type Call } from './answer.ts';
import { answerProblems, isObject, operationIdOf, operationOf, type Operation } from './description.ts';
import { follow } from './follow.ts';
import { answerGraph } from './graphql.ts';
import { PULLS } from './rest-pulls.ts';
import { AS_APP, OTHERS } from './rest-rest.ts';
import { permissionOf, same, type State } from './state.ts';
import { troubledAnswer, type Limits, type Matched, type Orders } from './trouble.ts';

/** A request that came, as a test sees it. */
export interface Request extends Matched {
  /** Login of who asked; undefined: nobody who is known. */
  login?: string;
  /** Undefined until it is answered, and for ever when the connection was cut. */
  status?: number;
  /** It named an ETag. */
  readonly conditional: boolean;
  /** It was counted against the rate limit. */
  counted: boolean;
}

/** What the server needs besides the state. */
export interface Serving {
  readonly state: State;
  readonly orders: Orders;
  readonly limits: Limits;
  readonly requests: Request[];
  readonly violations: string[];
  /** Called (and waited for) when a request has arrived, before anything is looked at. */
  onRequest: ((request: Request) => void | Promise<void>) | undefined;
}

/** Starts the API and, on another origin as on GitHub, the place where logs are. Gives how to stop both. */
export async function serve(serving: Serving): Promise<() => Promise<void>> {
  const start = (answer: Answering): Server => createServer((incoming, response) => {
    handle(serving, answer, { incoming, response }).catch((error: unknown) => {
      serving.violations.push(`${incoming.method ?? ''} ${incoming.url ?? ''}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      if (!response.headersSent && !response.destroyed) send(serving, response, { status: 500, body: { message: 'Server Error' } });
    });
  });
  const servers = [start((request, incoming) => answered(serving, request, incoming)), start((request, incoming) => logAnswer(serving, request, incoming))];
  const [url = '', logs = ''] = await Promise.all(servers.map(listen));
  serving.state.url = url;
  serving.state.logs = `${logs}/logs`;
  return async () => {
    await Promise.all(servers.map(async (server) => {
      const closed = new Promise((resolve) => { server.close(resolve); });
      server.closeAllConnections();
      await closed;
    }));
  };
}

type Answering = (request: Request, incoming: IncomingMessage) => Answer | Promise<Answer>;

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

async function handle(serving: Serving, answer: Answering, o: { readonly incoming: IncomingMessage; readonly response: ServerResponse }): Promise<void> {
  const { incoming, response } = o;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = 'GET', url: path = '/' } = incoming;
  const request: Request = { method, path, operation: operationIdOf(method, placeOf(serving.state, path)), body: Buffer.concat(chunks).toString('utf8'), conditional: incoming.headers['if-none-match'] !== undefined, counted: false };
  serving.requests.push(request);
  await serving.onRequest?.(request);
  const trouble = serving.orders.take(request)?.trouble;
  const wait = async (when: 'before' | 'after'): Promise<void> => {
    if (trouble?.kind !== 'hold' || trouble.after !== (when === 'after')) return;
    trouble.arrive();
    await trouble.gate;
  };
  await wait('before');
  const spoiled = trouble === undefined || trouble.kind === 'hold' ? undefined : trouble;
  const isEarly = spoiled !== undefined && (spoiled.kind === 'secondary-limit' || spoiled.after !== true);
  const right = isEarly ? undefined : await answer(request, incoming);
  await wait('after');
  if (spoiled?.kind === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  const said = spoiled === undefined ? right : troubled(serving, request, troubledAnswer(spoiled));
  if (said === undefined) throw new Error('nothing to answer');
  request.status = said.status;
  send(serving, response, said);
}

function troubled(serving: Serving, request: Request, answer: Answer): Answer {
  return { ...answer, headers: { ...serving.limits.headers(request.operation === 'graphql' ? 'graphql' : 'core', request.login ?? ''), ...answer.headers } };
}

/** The right answer; conditional requests and the rate limit are seen to. */
async function answered(serving: Serving, request: Request, incoming: IncomingMessage): Promise<Answer> {
  let answer: Answer;
  const at = new URL(request.path, serving.state.url);
  const isGraph = at.pathname === '/graphql';
  const resource = isGraph ? 'graphql' : 'core';
  try {
    answer = await considered(serving, { request, incoming, at });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    answer = error.answer;
    checkAnswer(request, answer);
  }
  const free = request.operation === 'rate-limit/get' || answer.status === 401 || answer.status === 500;
  const tagged = request.method === 'GET' && answer.status === 200 && answer.body !== undefined ? withTag(answer, incoming.headers['if-none-match']) : answer;
  if (!free && tagged.status !== 304) {
    request.counted = serving.limits.count(resource, request.login ?? '');
    if (!request.counted) answer = outOfRequests(isGraph);
    else answer = tagged;
  } else answer = tagged;
  return { ...answer, headers: { ...serving.limits.headers(resource, request.login ?? ''), ...answer.headers } };
}

function withTag(answer: Answer, known: string | undefined): Answer {
  const tag = `"${createHash('sha256').update(JSON.stringify(answer.body)).digest('hex')}"`;
  const headers = { ...answer.headers, etag: `W/${tag}` };
  const knows = (known ?? '').split(',').map((one) => one.trim().replace(/^W\//, '')).some((one) => one === tag || one === '*');
  return knows ? { status: 304, headers } : { ...answer, headers };
}

function outOfRequests(isGraph: boolean): Answer {
  const message = 'API rate limit exceeded for user ID 1001. If you reach out to GitHub Support for help, please include the request ID.';
  if (isGraph) return { status: 200, body: { errors: [{ type: 'RATE_LIMITED', message: message.replace('exceeded', 'already exceeded') }] } };
  return { status: 403, body: { message, documentation_url: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api', status: '403' } };
}

interface Considered {
  readonly request: Request;
  readonly incoming: IncomingMessage;
  readonly at: URL;
}

async function considered(serving: Serving, { request, incoming, at }: Considered): Promise<Answer> {
  const { state } = serving;
  if (incoming.headers['user-agent'] === undefined) throw refuse(403, 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.');
  const body = bodyOf(request.body);
  if (at.pathname === '/graphql') {
    const token = tokenOf(state, incoming.headers.authorization);
    request.login = token.account.login;
    if (request.method !== 'POST' || !isObject(body)) return violation(serving, request, 'GraphQL is asked with POST and a JSON object');
    if (serving.limits.numbers('graphql', token.account.login).remaining === 0) return outOfRequests(true);
    follow(state);
    return answerGraph({ state, token, pageCap: serving.orders.pageCap, violated: (what) => serving.violations.push(what) }, body);
  }
  const moved = movedTo(state, at);
  if (moved !== undefined) return { status: request.method === 'GET' ? 301 : 307, body: { message: request.method === 'GET' ? 'Moved Permanently' : 'Temporary Redirect', url: moved, documentation_url: 'https://docs.github.com/rest' }, headers: { location: moved } };
  const operation = operationOf({ method: request.method, path: placeOf(state, at.pathname), query: at.searchParams, body });
  if (operation === undefined) return violation(serving, request, 'is not in the description');
  const isApp = AS_APP[operation.id];
  const app = isApp === undefined ? undefined : appOf(state, incoming.headers.authorization);
  const token = app === undefined ? tokenOf(state, incoming.headers.authorization) : undefined;
  if (token !== undefined) request.login = token.account.login;
  if (operation.problems.length > 0) return violation(serving, request, operation.problems.join('; '));
  if (operation.id !== 'rate-limit/get' && serving.limits.numbers('core', request.login ?? '').remaining === 0) return outOfRequests(false);
  demandRepository(state, operation, token);
  if (token !== undefined) demandGrant(token, operation.id);
  follow(state);
  const call: Call = { state, operation, token, pageCap: serving.orders.pageCap };
  const answer = app !== undefined && isApp !== undefined ? isApp(call, app) : operation.id === 'rate-limit/get' ? rateLimit(serving, request) : handlerOf(operation)(call);
  checkAnswer(request, answer);
  return answer;
}

/** Where something under the repository's former name is; undefined: it is under no such name. */
function movedTo(state: State, at: URL): string | undefined {
  const former = `/repos/${state.formerly ?? ''}`;
  const isThere = state.formerly !== undefined && same(`${at.pathname}/`.slice(0, former.length + 1), `${former}/`);
  return isThere ? `${state.url}/repositories/1${at.pathname.slice(former.length)}${at.search}` : undefined;
}

/** Repositories can be asked for by number too, which is where redirects point. */
function placeOf(state: State, path: string): string {
  return path.replace(/^\/repositories\/1(?=\/|$)/, `/repos/${state.owner}/${state.repo}`);
}

function handlerOf(operation: Operation): (call: Call) => Answer {
  const handler = PULLS[operation.id] ?? OTHERS[operation.id];
  if (handler === undefined) throw new Error(`${operation.id} has no handler`);
  return handler;
}

function demandRepository(state: State, operation: Operation, token: Call['token']): void {
  const { owner, repo } = operation.path;
  if (owner === undefined || repo === undefined) return;
  const isThere = same(owner, state.owner) && same(repo, state.repo);
  if (!isThere || (token !== undefined && permissionOf(state, token.account) === 'none')) throw refuse(404, 'Not Found');
}

function rateLimit(serving: Serving, request: Request): Answer {
  const who = request.login ?? '';
  const core = serving.limits.numbers('core', who);
  return { status: 200, body: { resources: { core, graphql: serving.limits.numbers('graphql', who), search: { limit: 30, used: 0, remaining: 30, reset: core.reset } }, rate: core } };
}

function bodyOf(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse(400, 'Problems parsing JSON');
    throw error;
  }
}

/** A request that GitHub would not understand: no test may pass over it. */
function violation(serving: Serving, request: Request, what: string): Answer {
  const said = `${request.method} ${request.path}: ${what}`;
  serving.violations.push(said);
  return { status: 500, body: { message: said } };
}

function checkAnswer(request: Request, answer: Answer): void {
  if (request.operation === undefined || request.operation === 'graphql' || answer.status === 400) return;
  const problems = answerProblems(request.operation, answer.status, answer.body);
  if (problems.length > 0) throw new Error(`an answer of the fake's own: ${problems.join('; ')}`);
}

function send(serving: Serving, response: ServerResponse, answer: Answer): void {
  const json = answer.body === undefined || answer.status === 304 ? undefined : JSON.stringify(answer.body);
  const text = answer.text ?? json;
  response.writeHead(answer.status, {
    date: new Date(serving.state.now()).toUTCString(), 'x-github-media-type': 'github.v3; format=json', 'x-github-request-id': 'FAKE:0:0',
    ...(text === undefined ? {} : { 'content-type': json === undefined ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) }), ...answer.headers,
  });
  response.end(text);
}

/** A log: whoever has the address may read it. The place it is at refuses a token, as GitHub's does. */
function logAnswer(serving: Serving, request: Request, incoming: IncomingMessage): Answer {
  const [, id, signature] = /^\/logs\/(\d+)\?sig=(.+)$/.exec(request.path) ?? [];
  const run = serving.state.checks.find((one) => one.id === Number(id) && one.nodeId === signature);
  if (incoming.headers.authorization !== undefined) return { status: 400, text: 'Authentication information is not given in the correct format.' };
  return run?.log === undefined ? { status: 404, text: 'The specified blob does not exist.' } : { status: 200, text: run.log };
}
