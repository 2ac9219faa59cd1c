// The forge on GitHub: what `forge.ts` asks for, put together from the parts of this folder.

import type { Forge } from '../../forge.ts';
import { hostOf } from './address.ts';
import { Client, type ClientOptions } from './client.ts';
import { answerFeedback, writeComment } from './comments.ts';
import { GitHubError } from './errors.ts';
import { Follower } from './follower.ts';
import { branchRules, mergePull } from './merging.ts';
import { People } from './people.ts';
import { editPull, findPull, openPull, pullBody } from './pulls.ts';
import { VIEWER } from './queries.ts';
import { Reader } from './reader.ts';

/** Which repository, how to log in, and how to look. */
export interface GitHubOptions extends Omit<ClientOptions, 'paceMs'> {
  /** Least time between two polls of one pull request, ms. */
  readonly pollMs: number;
  /** Emoji on a pull request count: a thumbs up as an approval, eyes as looking. */
  readonly emoji: boolean;
  /** Least time between two changes, ms; absent: a second, or `pollMs` where that is less. */
  readonly paceMs?: number;
}

/** A forge that holds connections. */
export interface GitHub extends Forge {
  /** Ends whatever is under way. */
  close(): void;
}

/** What GitHub asks for between two changes, ms. */
const PACE = 1000;

/** Logs in, makes sure that the repository is there, and gives the forge. Throws ForgeError. */
export async function openGitHub(o: GitHubOptions, signal?: AbortSignal): Promise<GitHub> {
  const client = new Client({ ...o, paceMs: o.paceMs ?? Math.min(PACE, o.pollMs) });
  try {
    const own = await ownLogin(client, { auth: o.auth, signal });
    const { data } = await client.ask({ signal }, (request) => client.octokit.request('GET /repos/{owner}/{repo}', { ...client.place, request }));
    // A repository that was renamed answers under its old name, but lists nothing by it.
    client.place = { owner: data.owner.login, repo: data.name };
    return forge(client, { own, ...o });
  } catch (error) {
    client.close();
    throw error;
  }
}

function forge(client: Client, o: GitHubOptions & { readonly own: string }): GitHub {
  const { own, emoji, pollMs } = o;
  const people = new People(client);
  const follower = new Follower(client, { reader: new Reader(client, { own, emoji, people }), pollMs });
  const { owner, repo } = client.place;
  return {
    name: `${owner}/${repo} on ${hostOf(o.apiUrl)}`,
    close: () => client.close(),
    url: (number) => `https://${hostOf(o.apiUrl)}/${owner}/${repo}/pull/${number}`,
    rules: (branch, signal) => branchRules({ client, signal }, branch),
    find: (branch, signal) => findPull({ client, signal }, branch),
    open: (draft, signal) => openPull({ client, signal }, draft),
    body: (number, signal) => pullBody({ client, number, signal }),
    edit: (number, changes, signal) => editPull({ client, number, signal }, changes),
    read: (number, signal) => follower.read(number, signal),
    follow: (known, signal) => follower.follow(known, signal),
    comment: (number, comment, signal) => writeComment({ client, number, signal, own, people }, comment),
    answer: (number, answer, signal) => answerFeedback({ client, number, signal, own, people }, answer),
    merge: (number, order, signal) => mergePull({ client, number, signal }, order),
  };
}

/** The login that choo writes with. An App's is its name and `[bot]`. */
async function ownLogin(client: Client, o: { readonly auth: ClientOptions['auth']; readonly signal: AbortSignal | undefined }): Promise<string> {
  const { signal } = o;
  if ('app' in o.auth) return client.logInAsApp(o.auth.app, signal);
  try {
    return (await client.ask({ signal, maybeMissing: true }, (request) => client.octokit.request('GET /user', { request }))).data.login;
  } catch (error) {
    if (!(error instanceof GitHubError) || error.status !== 403 || error.reason !== 'login') throw error;
    // The token of a workflow or an installation is nobody's: REST does not say whose, GraphQL does.
    const answer = await client.query<{ readonly viewer: { readonly login: string } | null }>({ signal }, { text: VIEWER, variables: {} });
    if (answer.viewer === null) throw error;
    return answer.viewer.login;
  }
}
