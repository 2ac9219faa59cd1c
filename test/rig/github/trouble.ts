// Misbehaviour that a test orders: which requests it is for, and what happens to them. Also how many requests are left to whom.
// Nothing here waits for time; what is slow is held until the test lets go.

import type { Answer } from './answer.ts';
import type { State } from './state.ts';

/** Which requests; all that is given has to fit. */
export interface On {
  readonly method?: string;
  /** A part of the path with its query, or a pattern for it. */
  readonly path?: string | RegExp;
  /** Like `pulls/merge`, or `graphql`, or `log`. */
  readonly operation?: string;
  /** A part of the body: tells the queries and mutations of `/graphql` apart. */
  readonly body?: string | RegExp;
  /** How many of them; default 1, `Infinity` for all. */
  readonly times?: number;
  /** So many are passed over first; default 0. */
  readonly skip?: number;
}

/** What happens instead of, or after, the right thing. `after`: the effect has happened, and the answer is lost. */
export type Trouble =
  | { readonly kind: 'answer'; readonly status: number; readonly message?: string; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>>; readonly after?: boolean }
  | { readonly kind: 'reset'; readonly after?: boolean }
  | { readonly kind: 'secondary-limit'; readonly retryAfter?: number; readonly status?: 403 | 429 };

/** Trouble that was ordered. */
export interface Ordered {
  /** Requests that it came to. */
  readonly hits: number;
  /** Ends it. */
  stop(): void;
}

/** Requests that are held. */
export interface Held {
  /** When the first of them has arrived. */
  readonly arrived: Promise<void>;
  /** Lets go of all, those that are still to come too. */
  release(): void;
}

/** A request as it is matched. */
export interface Matched {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Like `pulls/merge`, `graphql` for GraphQL, `log` for a log where they are; undefined: nothing that is known. */
  readonly operation: string | undefined;
}

/** What a test can order. */
export interface Troubles {
  /** Orders trouble; the first order that fits a request counts. */
  misbehave(trouble: Trouble, on?: On): Ordered;
  /** Holds requests before anything is done about them, or (`after`) when all is done but the answer. */
  hold(on?: On & { readonly after?: boolean }): Held;
  /** No requests are left until `reset`, ms since 1970 (default: an hour). */
  exhaust(o?: { readonly resource?: 'core' | 'graphql'; readonly reset?: number }): void;
  /** Pages have at most so many entries, whatever is asked for; undefined: no more than GitHub's limit. */
  capPages(size: number | undefined): void;
  /** So many reads do not see a pull request that is made from now on. */
  hideNew(reads: number): void;
  /** So many reads are told `UNKNOWN` after head or base moved. */
  delayMergeability(reads: number): void;
}

interface Order {
  readonly on: On;
  readonly trouble: Trouble | { readonly kind: 'hold'; readonly after: boolean; readonly gate: Promise<void>; readonly arrive: () => void };
  hits: number;
  left: number;
  skip: number;
}

/** What was ordered, as the server asks for it. */
export interface Orders extends Troubles {
  /** The order for a request, which counts; undefined: none. */
  take(request: Matched): Order | undefined;
  readonly pageCap: number;
}

/** Starts with nothing ordered. */
export function newOrders(state: State, limits: Limits): Orders {
  const orders: Order[] = [];
  let pageCap = 100;
  const add = (trouble: Order['trouble'], on: On): Order => {
    const order: Order = { on, trouble, hits: 0, left: on.times ?? 1, skip: on.skip ?? 0 };
    orders.push(order);
    return order;
  };
  return {
    get pageCap() { return pageCap; },
    take: (request) => {
      const order = orders.find((one) => one.left > 0 && fits(one.on, request));
      if (order === undefined) return undefined;
      if (order.skip > 0) {
        order.skip -= 1;
        return undefined;
      }
      order.left -= 1;
      order.hits += 1;
      return order;
    },
    misbehave: (trouble, on = {}) => {
      const order = add(trouble, on);
      return { get hits() { return order.hits; }, stop: () => { order.left = 0; } };
    },
    hold: (on = {}) => {
      const gate = deferred();
      const arrived = deferred();
      const order = add({ kind: 'hold', after: on.after === true, gate: gate.promise, arrive: arrived.resolve }, on);
      return { arrived: arrived.promise, release: () => { order.left = 0; gate.resolve(); } };
    },
    exhaust: (o = {}) => limits.exhaust(o.resource ?? 'core', o.reset ?? state.now() + 3_600_000),
    capPages: (size) => { pageCap = size ?? 100; },
    hideNew: (reads) => { state.hide = reads; },
    delayMergeability: (reads) => { state.lag = reads; },
  };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => { resolve = done; });
  return { promise, resolve };
}

function fits(on: On, request: Matched): boolean {
  const has = (wanted: string | RegExp | undefined, text: string): boolean => wanted === undefined || (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
  return (on.method === undefined || on.method === request.method) && (on.operation === undefined || on.operation === request.operation) && has(on.path, request.path) && has(on.body, request.body);
}

/** The answer that trouble gives. */
export function troubledAnswer(trouble: Exclude<Trouble, { readonly kind: 'reset' }>): Answer {
  const documentation_url = 'https://docs.github.com/rest';
  if (trouble.kind === 'secondary-limit') {
    return {
      status: trouble.status ?? 403, headers: trouble.retryAfter === undefined ? {} : { 'retry-after': String(trouble.retryAfter) },
      body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.', documentation_url: `${documentation_url}/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits` },
    };
  }
  return { status: trouble.status, body: trouble.body ?? { message: trouble.message ?? 'Trouble', documentation_url, status: String(trouble.status) }, headers: trouble.headers ?? {} };
}

/** How many requests are left, by what is asked and who asks. */
export interface Limits {
  /** Counts a request; false: none was left. */
  count(resource: 'core' | 'graphql', who: string): boolean;
  headers(resource: 'core' | 'graphql', who: string): Readonly<Record<string, string>>;
  numbers(resource: 'core' | 'graphql', who: string): { readonly limit: number; readonly used: number; readonly remaining: number; readonly reset: number };
  exhaust(resource: 'core' | 'graphql', reset: number): void;
}

/** 5000 an hour for each, as GitHub gives. */
export function newLimits(now: () => number): Limits {
  const LIMIT = 5000;
  const used = new Map<string, number>();
  const resets = { core: now() + 3_600_000, graphql: now() + 3_600_000 };
  const spent = { core: false, graphql: false };
  const numbers: Limits['numbers'] = (resource, who) => {
    if (now() >= resets[resource]) {
      resets[resource] = now() + 3_600_000;
      spent[resource] = false;
      for (const key of used.keys()) if (key.startsWith(`${resource} `)) used.delete(key);
    }
    const count = spent[resource] ? LIMIT : Math.min(LIMIT, used.get(`${resource} ${who}`) ?? 0);
    return { limit: LIMIT, used: count, remaining: LIMIT - count, reset: Math.floor(resets[resource] / 1000) };
  };
  return {
    numbers,
    count: (resource, who) => {
      if (numbers(resource, who).remaining === 0) return false;
      used.set(`${resource} ${who}`, (used.get(`${resource} ${who}`) ?? 0) + 1);
      return true;
    },
    headers: (resource, who) => {
      const { limit, used: count, remaining, reset } = numbers(resource, who);
      return { 'x-ratelimit-limit': String(limit), 'x-ratelimit-used': String(count), 'x-ratelimit-remaining': String(remaining), 'x-ratelimit-reset': String(reset), 'x-ratelimit-resource': resource };
    },
    exhaust: (resource, reset) => {
      resets[resource] = reset;
      spent[resource] = true;
    },
  };
}
