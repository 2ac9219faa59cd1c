// Asks GitHub through Octokit: one request with its limit of time, its tries and its distance from other changes. Every error leaves here as a ForgeError.
// Octokit's own timers are only used for the quick repeats of what changes nothing; all other waiting is on the Clock and ends with the signal.

import { setMaxListeners } from 'node:events';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/core';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import { Bug } from '../../core/bug.ts';
import { BOUNDS } from '../../core/limits.ts';
import { ForgeError } from '../../forge.ts';
import { VERSION } from '../../version.ts';
import type { Clock } from '../../world.ts';
import type { GitHubApp, GitHubAuth } from './auth.ts';
import { GitHubError, isLost, toForgeError } from './errors.ts';

/** Which GitHub, which repository, and how to ask. */
export interface ClientOptions {
  readonly owner: string;
  readonly repo: string;
  /** Root of the REST API; the one of GraphQL follows from it. */
  readonly apiUrl: string;
  readonly auth: GitHubAuth;
  readonly clock: Clock;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  /** Least time between two changes, ms. */
  readonly paceMs: number;
  readonly userAgent?: string;
}

/** Handed through to Octokit with each request. */
export interface RequestOptions { readonly signal: AbortSignal; readonly retries?: number }

/** How something is asked. */
export interface Asking {
  readonly signal: AbortSignal | undefined;
  /** It changes something: kept apart from other changes, and never repeated blindly. */
  readonly change?: true;
  /** Something that is not there is an answer; the caller looks at the status. */
  readonly maybeMissing?: true;
}

const QUICK_REPEATS = 2;
/** Only ever none: the plugin takes any other number with a request as an order to repeat it whatever the answer is. */
const NO_REPEATS = { retries: 0 };
const REST_TRIES = 3;
const SECOND = 1000;
/** Statuses that are no matter of trying again at once; the first is the answer that nothing has changed. */
const FINAL = [304, 400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 451];
const nothing = (): undefined => undefined;
/** The plugin's own distance between changes is the same for queries that change nothing, and by timers that no signal ends. */
const AT_ONCE = { key: () => ({ schedule: (_options: unknown, job: () => Promise<unknown>) => job() }) };

const Asker = Octokit.plugin(retry, throttling);

/** The one connection to a GitHub that all of an adapter uses. */
export class Client {
  readonly clock: Clock;
  /** Takes secrets out of a text: those that choo knows, and the token. */
  readonly redact: (text: string) => string;
  octokit: Octokit;
  /** Parameters that every route below a repository has. */
  place: { readonly owner: string; readonly repo: string };
  readonly #closing = new AbortController();
  readonly #options: ClientOptions;
  #nextChange = 0;

  constructor(o: ClientOptions) {
    const secrets = 'token' in o.auth ? [o.auth.token] : [];
    this.clock = o.clock;
    this.redact = (text) => o.redact(secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text));
    this.place = { owner: o.owner, repo: o.repo };
    this.#options = o;
    this.octokit = makeAsker(o);
  }

  /** Asks, as the App itself, where it is installed; from then on it acts there. Gives the login that its texts are under. */
  async logInAsApp(app: GitHubApp, signal: AbortSignal | undefined): Promise<string> {
    try {
      const { data } = await this.ask({ signal, maybeMissing: true }, (request) => this.octokit.request('GET /repos/{owner}/{repo}/installation', { ...this.place, request }));
      this.octokit = makeAsker(this.#options, app.installationId ?? data.id);
      return `${data.app_slug}[bot]`;
    } catch (error) {
      if (error instanceof GitHubError && error.status === 404) throw new GitHubError({ reason: 'login', status: 404, message: `the GitHub App is not installed in ${this.place.owner}/${this.place.repo}` });
      if (error instanceof ForgeError || signal?.aborted === true) throw error;
      // What signing with a broken key throws depends on what is broken in it.
      throw new GitHubError({ reason: 'login', status: 0, message: 'the private key of the GitHub App cannot be used' });
    }
  }

  /** Ends everything that is under way, and whatever is asked later. */
  close(): void {
    this.#closing.abort(new ForgeError('unreachable', 'the connection to GitHub was closed'));
  }

  /** One request. `send` gets what to hand to Octokit as `request`. */
  async ask<T>(asking: Asking, send: (request: RequestOptions) => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      asking.signal?.throwIfAborted();
      if (asking.change === true) await this.#pace(asking.signal);
      try {
        return await this.#once(asking, send);
      } catch (error) {
        const rest = error instanceof ForgeError && error.reason === 'rate' ? (error.until ?? 0) - this.clock.now() : Infinity;
        if (rest > BOUNDS.forgeRest || tried >= REST_TRIES) throw await this.#judged(error, asking);
        await this.sleep(Math.max(rest, 0), asking.signal);
      }
    }
  }

  /** A GraphQL query, or a mutation (`change`). */
  query<T>(asking: Asking, o: { readonly text: string; readonly variables: Readonly<Record<string, unknown>> }): Promise<T> {
    return this.ask(asking, async (request) => {
      const data = await this.octokit.graphql<T | undefined>(o.text, { ...o.variables, request });
      if (typeof data !== 'object' || data === null) throw unreadable();
      return data;
    });
  }

  /** Waits; throws what the signal holds when it aborts meanwhile. */
  async sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const linked = link([signal, this.#closing.signal]);
    try {
      await this.clock.sleep(ms, linked.signal);
      linked.signal.throwIfAborted();
    } finally {
      linked.free();
    }
  }

  /**
   * Makes something that must not be there twice. After an answer that was lost it looks again before it tries again, since
   * what was asked may have been done.
   */
  async once<T>(o: { readonly look: () => Promise<T | undefined>; readonly make: () => Promise<T>; readonly signal: AbortSignal | undefined }): Promise<T> {
    const before = await o.look();
    if (before !== undefined) return before;
    for (let tried = 1; ; tried += 1) {
      try {
        return await o.make();
      } catch (error) {
        if (!isLost(error)) throw error;
        await this.sleep(tried * SECOND, o.signal);
        const made = await o.look();
        if (made !== undefined) return made;
        if (tried >= 3) throw error;
      }
    }
  }

  async #once<T>(asking: Asking, send: (request: RequestOptions) => Promise<T>): Promise<T> {
    const slow = new AbortController();
    const over = new AbortController();
    const { signal, free } = link([asking.signal, this.#closing.signal, slow.signal]);
    void this.clock.sleep(BOUNDS.forgeRequest, over.signal).then(() => {
      if (!over.signal.aborted) slow.abort(new GitHubError({ reason: 'unreachable', status: 0, message: `GitHub does not answer within ${BOUNDS.forgeRequest / SECOND} s` }));
    });
    try {
      const answer = await Promise.race([send({ signal, ...(asking.change === true ? NO_REPEATS : {}) }), ended(signal)]);
      if (isResponse(answer) && typeof answer.data === 'string' && answer.status !== 204) throw unreadable();
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      throw toForgeError(error, { redact: this.redact, now: this.clock.now() }) ?? error;
    } finally {
      over.abort();
      free();
    }
  }

  /** A repository that is not there, or not for this login, looks like any other thing that is missing. */
  async #judged(error: unknown, asking: Asking): Promise<unknown> {
    if (!(error instanceof GitHubError) || error.status !== 404 || error.reason !== 'refused' || asking.maybeMissing === true) return error;
    try {
      await this.#once({ signal: asking.signal }, (request) => this.octokit.request('GET /repos/{owner}/{repo}', { ...this.place, request }));
      return error;
    } catch (again) {
      if (!(again instanceof GitHubError) || again.status !== 404) return error;
      const { owner, repo } = this.place;
      return new GitHubError({ reason: 'login', status: 404, message: `GitHub has no repository ${owner}/${repo} for this login` });
    }
  }

  async #pace(signal: AbortSignal | undefined): Promise<void> {
    const now = this.clock.steady();
    const at = Math.max(now, this.#nextChange);
    this.#nextChange = at + this.#options.paceMs;
    if (at > now) await this.sleep(at - now, signal);
  }
}

function makeAsker(o: ClientOptions, installationId?: number): Octokit {
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const app = 'app' in o.auth ? { appId: o.auth.app.appId, privateKey: o.auth.app.privateKey, ...(installationId === undefined ? {} : { installationId }) } : undefined;
  const options = {
    baseUrl: o.apiUrl.replace(/\/+$/, ''),
    userAgent: o.userAgent ?? `choo/${VERSION}`,
    ...('token' in o.auth ? { auth: o.auth.token } : { authStrategy: createAppAuth, auth: app }),
    log,
    request: { log },
    retry: { doNotRetry: FINAL, retries: QUICK_REPEATS, retryAfterBaseValue: o.paceMs },
    throttle: { id: o.apiUrl, write: AT_ONCE, notifications: AT_ONCE, onRateLimit: nothing, onSecondaryRateLimit: nothing },
  };
  return new Asker(options as unknown as ConstructorParameters<typeof Asker>[0]);
}

/** An answer that is none: cut off, or a page for people. */
export function unreadable(): GitHubError {
  return new GitHubError({ reason: 'unreachable', status: 200, message: 'GitHub answers with something that cannot be read' });
}

/** One signal of several; the long-lived ones forget it when it is freed. */
function link(signals: readonly (AbortSignal | undefined)[]): { readonly signal: AbortSignal; readonly free: () => void } {
  const all = new AbortController();
  const undo = signals.map((signal) => {
    if (signal === undefined) return () => undefined;
    const pass = (): void => all.abort(signal.reason);
    if (signal.aborted) pass();
    // One signal ends as many requests as there are; Node would take that for a leak and say so.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', pass, { once: true });
    return () => signal.removeEventListener('abort', pass);
  });
  return { signal: all.signal, free: () => undo.forEach((each) => each()) };
}

async function ended(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  signal.throwIfAborted();
  throw new Bug('a signal was aborted and is not');
}

function isResponse(answer: unknown): answer is { readonly data: unknown; readonly status: number } {
  return typeof answer === 'object' && answer !== null && 'data' in answer && 'status' in answer;
}
