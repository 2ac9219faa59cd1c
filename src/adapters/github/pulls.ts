// Finds, makes and changes pull requests. Making one looks first, and after an answer that was lost looks again.

import type { PullDraft } from '../../forge.ts';
import type { Client } from './client.ts';
import { GitHubError, isRefusal } from './errors.ts';
import { MUTATIONS } from './queries.ts';
import { missing, type Reading } from './raw.ts';
import { bodyFor, pagesOf, titleFor } from './rest.ts';

/** What a list of pull requests tells of one. */
interface Listed { readonly number: number; readonly state: string; readonly base: string; readonly labels: readonly string[]; readonly asked: readonly string[] }

/** What is made for whom. */
interface Making { readonly client: Client; readonly signal: AbortSignal | undefined }

/** Looks for one that GitHub says it has, but does not list yet. */
const LATE_LOOKS = 5;
const SECOND = 1000;

/** The newest pull request of a branch, in whatever state. */
export async function findPull(making: Making, branch: string): Promise<number | undefined> {
  return (await pullsOf(making, { branch, state: 'all' }))[0]?.number;
}

/** Makes one, or finds the open one of its branch; what of its labels and reviewers GitHub does not take is given back. */
export async function openPull(making: Making, draft: PullDraft): Promise<{ readonly number: number; readonly left: readonly string[] }> {
  const there = await openOf(making, draft);
  const pull = there ?? await create(making, draft);
  const labels = draft.labels.filter((label) => !pull.labels.some((known) => known.toLowerCase() === label.toLowerCase()));
  const seen = new Set([...pull.asked, ...there === undefined || draft.reviewers.length === 0 ? [] : await reviewersOf(making, pull.number)].map((who) => who.toLowerCase()));
  const reviewers = draft.reviewers.filter((who) => !seen.has(who.toLowerCase()));
  return { number: pull.number, left: [...await addLabels(making, { number: pull.number, labels }), ...await askReviewers(making, { number: pull.number, reviewers })] };
}

/** The text of a pull request. */
export async function pullBody(reading: Reading): Promise<string> {
  return (await getPull(reading)).body ?? '';
}

/** Changes what is given and differs. */
export async function editPull(reading: Reading, o: { readonly body?: string; readonly base?: string; readonly ready?: true }): Promise<void> {
  const { client, number, signal } = reading;
  const pull = await getPull(reading);
  const body = o.body === undefined ? undefined : bodyFor(client.redact(o.body));
  const changes = {
    ...(body === undefined || body === (pull.body ?? '').replaceAll('\r\n', '\n') ? {} : { body }),
    ...(o.base === undefined || o.base === pull.base.ref ? {} : { base: o.base }),
  };
  if (Object.keys(changes).length > 0) {
    await client.ask({ signal, change: true }, (request) => client.octokit.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', { ...client.place, pull_number: number, ...changes, request }));
  }
  if (o.ready === true && pull.draft === true) await client.query({ signal, change: true }, { text: MUTATIONS.ready, variables: { id: pull.node_id } });
}

async function getPull({ client, number, signal }: Reading) {
  try {
    return (await client.ask({ signal }, (request) => client.octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...client.place, pull_number: number, request }))).data;
  } catch (error) {
    throw error instanceof GitHubError && error.status === 404 && error.reason === 'refused' ? missing(number) : error;
  }
}

/** Pull requests of a branch of this repository, the newest first. */
async function pullsOf({ client, signal }: Making, o: { readonly branch: string; readonly state: 'all' | 'open' }): Promise<readonly Listed[]> {
  const { owner, repo } = client.place;
  const all = await pagesOf((page) => client.ask({ signal }, (request) => client.octokit.request('GET /repos/{owner}/{repo}/pulls', {
    ...client.place, head: `${owner}:${o.branch}`, state: o.state, sort: 'created', direction: 'desc', per_page: 100, page, request,
  })));
  // A fork of the same owner may have a branch of that name too.
  const mine = all.filter(({ head }) => head.ref === o.branch && (head.repo?.full_name ?? `${owner}/${repo}`).toLowerCase() === `${owner}/${repo}`.toLowerCase());
  return mine.sort((a, b) => b.number - a.number).map((pull) => ({
    number: pull.number, state: pull.state, base: pull.base.ref, labels: pull.labels.map(({ name }) => name),
    asked: [...(pull.requested_reviewers ?? []).map(({ login }) => login), ...(pull.requested_teams ?? []).map(({ slug }) => `${owner}/${slug}`)],
  }));
}

/** The open one of a branch: that to the wanted base, else any. */
async function openOf(making: Making, draft: PullDraft): Promise<Listed | undefined> {
  const open = await pullsOf(making, { branch: draft.branch, state: 'open' });
  return open.find(({ base }) => base === draft.base) ?? open[0];
}

function create(making: Making, draft: PullDraft): Promise<Listed> {
  const { client, signal } = making;
  let first = true;
  return client.once({
    signal,
    look: async () => {
      // That there is none was just found out.
      if (!first) return openOf(making, draft);
      first = false;
      return undefined;
    },
    make: async () => {
      try {
        return await post(making, draft);
      } catch (error) {
        if (!(error instanceof GitHubError) || error.status !== 422) throw error;
        if (/already exists/i.test(error.message)) return listedLate(making, { draft, error });
        // Not every plan has drafts.
        if (draft.draft && /draft/i.test(error.message)) return post(making, { ...draft, draft: false });
        throw error;
      }
    },
  });
}

async function post({ client, signal }: Making, draft: PullDraft): Promise<Listed> {
  const { data } = await client.ask({ signal, change: true }, (request) => client.octokit.request('POST /repos/{owner}/{repo}/pulls', {
    ...client.place, head: draft.branch, base: draft.base, title: titleFor(client.redact(draft.title)), body: bodyFor(client.redact(draft.body)), draft: draft.draft, request,
  }));
  return { number: data.number, state: data.state, base: data.base.ref, labels: [], asked: [] };
}

async function listedLate(making: Making, o: { readonly draft: PullDraft; readonly error: GitHubError }): Promise<Listed> {
  for (let tried = 1; tried <= LATE_LOOKS; tried += 1) {
    const there = await openOf(making, o.draft);
    if (there !== undefined) return there;
    await making.client.sleep(tried * SECOND, making.signal);
  }
  throw o.error;
}

async function reviewersOf({ client, signal }: Making, number: number): Promise<readonly string[]> {
  const reviews = await pagesOf((page) => client.ask({ signal }, (request) => (
    client.octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', { ...client.place, pull_number: number, per_page: 100, page, request })
  )));
  return reviews.flatMap(({ user }) => (user === null ? [] : [user.login]));
}

async function addLabels(making: Making, o: { readonly number: number; readonly labels: readonly string[] }): Promise<readonly string[]> {
  const { client, signal } = making;
  return takenApart(o.labels, (labels) => client.ask({ signal, change: true, maybeMissing: true }, (request) => (
    client.octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', { ...client.place, issue_number: o.number, labels: [...labels], request })
  )));
}

async function askReviewers(making: Making, o: { readonly number: number; readonly reviewers: readonly string[] }): Promise<readonly string[]> {
  const { client, signal } = making;
  return takenApart(o.reviewers, (all) => {
    const teams = all.filter((who) => who.includes('/')).map((who) => who.slice(who.indexOf('/') + 1));
    const people = all.filter((who) => !who.includes('/'));
    return client.ask({ signal, change: true, maybeMissing: true }, (request) => client.octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', {
      ...client.place, pull_number: o.number, reviewers: people, team_reviewers: teams, request,
    }));
  });
}

/** All at once; when GitHub refuses, one by one, and those that it refuses are given back. */
async function takenApart(all: readonly string[], add: (some: readonly string[]) => Promise<unknown>): Promise<readonly string[]> {
  if (all.length === 0) return [];
  try {
    await add(all);
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (all.length === 1) return all;
  }
  const left: string[] = [];
  for (const one of all) left.push(...await takenApart([one], add));
  return left;
}
