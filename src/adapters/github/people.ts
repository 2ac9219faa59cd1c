// Who said something, and whether they may steer an agent: by what the repository lets them do, and by nothing they say themselves.

import type { Client } from './client.ts';
import { GitHubError } from './errors.ts';
import type { Actor } from './queries.ts';

/** Time for which an answer about somebody's rights is believed, ms. */
const BELIEVED = 10 * 60_000;
const STEERING: ReadonlySet<string> = new Set(['admin', 'maintain', 'write']);
/** The account that stands for deleted ones. */
const GHOST = 'ghost';

/** The login as REST and people know it: that of an App ends in `[bot]`, so that nobody can have it as a name. */
export function loginOf(actor: Actor | null): string {
  if (actor === null) return GHOST;
  return actor.__typename === 'Bot' && !actor.login.endsWith('[bot]') ? `${actor.login}[bot]` : actor.login;
}

/** Rights of people in one repository, asked for once in a while. */
export class People {
  readonly #client: Client;
  readonly #known = new Map<string, { readonly at: number; readonly may: boolean }>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Those of the logins who may steer: write, maintain or admin. */
  async permitted(logins: Iterable<string>, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
    const permitted = new Set<string>();
    for (const login of [...new Set(logins)].sort()) {
      if (login !== GHOST && await this.#may(login, signal)) permitted.add(login);
    }
    return permitted;
  }

  async #may(login: string, signal: AbortSignal | undefined): Promise<boolean> {
    const now = this.#client.clock.steady();
    const known = this.#known.get(login);
    if (known !== undefined && now - known.at < BELIEVED) return known.may;
    const may = await this.#ask(login, signal);
    this.#known.set(login, { at: now, may });
    return may;
  }

  async #ask(login: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { octokit, place } = this.#client;
    try {
      const { data } = await this.#client.ask({ signal, maybeMissing: true }, (request) => (
        octokit.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', { ...place, username: login, request })
      ));
      return STEERING.has(data.permission);
    } catch (error) {
      if (error instanceof GitHubError && error.reason !== 'rate' && (error.status === 404 || error.status === 403)) return false;
      throw error;
    }
  }
}
