// What a handler of the fake GitHub gets and gives, its refusals in GitHub's words, and pages with their links.

import type { Json, Operation } from './description.ts';
import { may, type Permission, type Pull, type State, type Token } from './state.ts';

/** A request that may be answered. */
export interface Call {
  readonly state: State;
  readonly operation: Operation;
  /** Undefined where a GitHub App asks as itself. */
  readonly token: Token | undefined;
  /** Most entries of a page, whatever is asked for. */
  readonly pageCap: number;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** Plain text instead of a body. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal, answered as it is. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`${answer.status}: ${JSON.stringify(answer.body)}`);
    this.answer = answer;
  }
}

const DOCS = 'https://docs.github.com/rest';

/** A refusal with GitHub's plain body. */
export function refuse(status: number, message: string): Refusal {
  return new Refusal({ status, body: { message, documentation_url: DOCS, status: String(status) } });
}

/** 422 for one field or one reason. */
export function invalid(error: Json & { readonly code: string }): Refusal {
  return new Refusal({ status: 422, body: { message: 'Validation Failed', errors: [error], documentation_url: DOCS, status: '422' } });
}

/** 422 with reasons in words only. */
export function unprocessable(message: string): Refusal {
  return new Refusal({ status: 422, body: { message: 'Unprocessable Entity', errors: [message], documentation_url: DOCS, status: '422' } });
}

/** The pull request of the path; what is still hidden or is not there is 404, and a look at it counts. */
export function pullOf(call: Call, name: 'pull_number' | 'issue_number'): Pull {
  const pull = visible(call.state, Number(call.operation.path[name]));
  if (pull === undefined) throw refuse(404, 'Not Found');
  return pull;
}

/** A pull request by number, if it may be seen already. */
export function visible(state: State, number: number): Pull | undefined {
  const pull = state.pulls.find((one) => one.number === number);
  if (pull === undefined || pull.hidden === 0) return pull;
  pull.hidden -= 1;
  return undefined;
}

/** Refuses who may less in the repository, as GitHub does for a token. */
export function demand(call: Call, least: Permission): Token {
  const { state, token } = call;
  if (token === undefined) throw refuse(401, 'Requires authentication');
  if (!may(state, token.account, least)) throw refuse(403, token.installation ? 'Resource not accessible by integration' : 'Must have push access to repository');
  return token;
}

/** The asked page of a list, with the links GitHub gives. */
export function page<T>(call: Call, items: readonly T[]): { readonly items: readonly T[]; readonly headers: Readonly<Record<string, string>> } {
  const asked = Number(call.operation.query['per_page'] ?? 30);
  const size = Math.min(Math.max(1, asked), 100, call.pageCap);
  const number = Math.max(1, Number(call.operation.query['page'] ?? 1));
  const last = Math.max(1, Math.ceil(items.length / size));
  const links = [
    ...(number > 1 ? [link(call, Math.min(number - 1, last), 'prev')] : []),
    ...(number < last ? [link(call, number + 1, 'next'), link(call, last, 'last')] : []),
    ...(number > 1 ? [link(call, 1, 'first')] : []),
  ];
  return { items: items.slice((number - 1) * size, number * size), headers: links.length === 0 ? {} : { link: links.join(', ') } };
}

function link(call: Call, number: number, rel: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.operation.query)) if (name !== 'page' && (typeof value === 'string' || typeof value === 'number')) query.set(name, String(value));
  query.set('page', String(number));
  return `<${call.state.url}${call.operation.asked}?${query.toString()}>; rel="${rel}"`;
}
