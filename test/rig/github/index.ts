// A GitHub for tests that does not lie: a server over a real bare repository whose answers, and whose reading of requests, are held
// against GitHub's published OpenAPI description and GraphQL schema. What it leaves out it refuses. Webhooks are not in it.

import { openBare } from './bare.ts';
import { follow } from './follow.ts';
import { people, type People } from './people.ts';
import { serve, type Request, type Serving } from './server.ts';
import { addAccount, newState } from './state.ts';
import { newLimits, newOrders, type Troubles } from './trouble.ts';

/** A running fake GitHub with one repository. What people do and what goes wrong are methods of it. */
export interface GitHub extends People, Troubles {
  /** Base of the REST API, without a slash at the end; GraphQL is at `/graphql` below it. */
  readonly url: string;
  readonly owner: string;
  readonly repo: string;
  /** Of `choo-bot`, who may write. */
  readonly token: string;
  /** What was asked that GitHub would not understand, and what was answered that GitHub would not say. Empty in a good test. */
  readonly violations: readonly string[];
  /** All requests, in the order of their arrival. */
  readonly requests: readonly Request[];
  /** Is called, and waited for, when a request has arrived and nothing was done about it. */
  onRequest: ((request: Request) => void | Promise<void>) | undefined;
  /** Stops it; open requests are cut. */
  close(): Promise<void>;
}

/** What a fake GitHub begins with. */
export interface GitHubOptions {
  /** Path of the bare repository; tests push to it with git. */
  readonly bare: string;
  /** Default `acme`, who is its admin. */
  readonly owner?: string;
  /** Default `shop`. */
  readonly repo?: string;
  /** ms since 1970; default: the system's clock. */
  readonly now?: () => number;
  /** Whom nobody let in may not read it; default false. */
  readonly isPrivate?: boolean;
}

/** Starts a fake GitHub on a free port of this machine. */
export async function startGitHub(o: GitHubOptions): Promise<GitHub> {
  const now = o.now ?? Date.now;
  const state = newState({ owner: o.owner ?? 'acme', repo: o.repo ?? 'shop', bare: openBare(o.bare), now, isPrivate: o.isPrivate ?? false });
  const limits = newLimits(now);
  const orders = newOrders(state, limits);
  const serving: Serving = { state, orders, limits, requests: [], violations: [], onRequest: undefined };
  addAccount(state, { login: 'choo-bot', type: 'User', permission: 'write' });
  follow(state);
  const close = await serve(serving);
  const folk = people(state);
  const { misbehave, hold, exhaust, capPages, hideNew, delayMergeability } = orders;
  return {
    ...folk, misbehave, hold, exhaust, capPages, hideNew, delayMergeability,
    url: state.url, owner: state.owner, repo: state.repo, token: folk.addToken('choo-bot'), violations: serving.violations, requests: serving.requests, close,
    get onRequest() { return serving.onRequest; },
    set onRequest(hook) { serving.onRequest = hook; },
  };
}
