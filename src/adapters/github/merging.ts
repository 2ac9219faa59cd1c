// Merges a pull request or puts it into the merge queue of its base, and reads how a base is guarded.

import type { BranchRules, PullMerge, PullMethod } from '../../forge.ts';
import type { Client } from './client.ts';
import { GitHubError, isLost } from './errors.ts';
import { MUTATIONS, QUEUE, STANDING, type QueueAnswer, type StandingAnswer } from './queries.ts';
import { missing, type Reading } from './raw.ts';
import { pagesOf, titleFor } from './rest.ts';

/** What is merged, and how. */
export interface MergeOrder { readonly head: string; readonly method: PullMethod; readonly title: string; readonly message: string }

type Standing = NonNullable<NonNullable<StandingAnswer['repository']>['pullRequest']>;

const SECOND = 1000;
/** Looks at what came of a merge whose answer was lost. */
const LOOKS = 3;

/** Merges it as it is at `head`. One that was merged before is merged. */
export async function mergePull(reading: Reading, order: MergeOrder): Promise<PullMerge> {
  const standing = await standingOf(reading);
  const known = settledAs(standing, order);
  if (known !== undefined) return known;
  const queue = await hasQueue(reading, standing.baseRefName);
  for (let tried = 1; ; tried += 1) {
    try {
      return queue ? await enqueue(reading, { id: standing.id, head: order.head }) : await merge(reading, order);
    } catch (error) {
      if (!isLost(error) && !isNo(error)) throw error;
      const now = await cameOf(reading, { order, lost: isLost(error) });
      if (now !== undefined) return now;
      if (isNo(error)) return { kind: 'refused', reason: isAboutHead(error) ? 'head-moved' : 'not-mergeable', detail: error.message };
      if (tried >= LOOKS) throw error;
    }
  }
}

/** What is known of the guards of a branch. What cannot be read counts as not there. */
export async function branchRules({ client, signal }: { readonly client: Client; readonly signal: AbortSignal | undefined }, branch: string): Promise<BranchRules> {
  const orNothing = async <T>(ask: () => Promise<T>, nothing: T): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof GitHubError && (error.status === 403 || error.status === 404 || error.status === 422)) return nothing;
      throw error;
    }
  };
  const queue = await orNothing(() => hasQueue({ client, signal }, branch), false);
  const rules = await orNothing(() => pagesOf((page) => client.ask({ signal, maybeMissing: true }, (request) => (
    client.octokit.request('GET /repos/{owner}/{repo}/rules/branches/{branch}', { ...client.place, branch, per_page: 100, page, request })
  ))), []);
  const strict = rules.some((rule) => rule.type === 'required_status_checks' && rule.parameters?.strict_required_status_checks_policy === true);
  return {
    queue: queue || rules.some(({ type }) => type === 'merge_queue'),
    strict: strict || await orNothing(() => isProtectedStrictly({ client, signal }, branch), false),
  };
}

async function isProtectedStrictly({ client, signal }: { readonly client: Client; readonly signal: AbortSignal | undefined }, branch: string): Promise<boolean> {
  const { data } = await client.ask({ signal, maybeMissing: true }, (request) => client.octokit.request('GET /repos/{owner}/{repo}/branches/{branch}', { ...client.place, branch, request }));
  return data.protection?.required_status_checks?.strict === true;
}

async function hasQueue({ client, signal }: { readonly client: Client; readonly signal: AbortSignal | undefined }, branch: string): Promise<boolean> {
  const answer = await client.query<QueueAnswer>({ signal }, { text: QUEUE, variables: { owner: client.place.owner, name: client.place.repo, branch } });
  return (answer.repository?.mergeQueue ?? null) !== null;
}

async function standingOf({ client, number, signal }: Reading): Promise<Standing> {
  const answer = await client.query<StandingAnswer>({ signal }, { text: STANDING, variables: { owner: client.place.owner, name: client.place.repo, number } });
  const pull = answer.repository?.pullRequest;
  if (pull === undefined || pull === null) throw missing(number);
  return pull;
}

/** What needs no asking; undefined: it is open at the head that is meant. */
function settledAs(standing: Standing, order: MergeOrder): PullMerge | undefined {
  if (standing.state === 'MERGED' && standing.mergeCommit !== null) return { kind: 'merged', commit: standing.mergeCommit.oid };
  if (standing.state !== 'OPEN') return { kind: 'refused', reason: 'not-mergeable', detail: standing.state === 'CLOSED' ? 'it was closed' : 'it was merged, but GitHub does not say as which commit' };
  if (standing.headRefOid !== order.head) return { kind: 'refused', reason: 'head-moved', detail: `its branch is at ${standing.headRefOid.slice(0, 12)}` };
  return standing.isInMergeQueue ? { kind: 'queued' } : undefined;
}

/** What is to be seen of a merge that did not answer, or was refused because it was done already. */
async function cameOf(reading: Reading, o: { readonly order: MergeOrder; readonly lost: boolean }): Promise<PullMerge | undefined> {
  for (let looks = 1; ; looks += 1) {
    if (o.lost) await reading.client.sleep(looks * SECOND, reading.signal);
    const now = settledAs(await standingOf(reading), o.order);
    if (now !== undefined || !o.lost || looks >= LOOKS) return now;
  }
}

async function merge({ client, number, signal }: Reading, order: MergeOrder): Promise<PullMerge> {
  const words = order.method === 'rebase' ? {} : { commit_title: titleFor(client.redact(order.title)), commit_message: client.redact(order.message) };
  const { data } = await client.ask({ signal, change: true }, (request) => client.octokit.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge', {
    ...client.place, pull_number: number, sha: order.head, merge_method: order.method, ...words, request,
  }));
  return { kind: 'merged', commit: data.sha };
}

async function enqueue({ client, signal }: Reading, o: { readonly id: string; readonly head: string }): Promise<PullMerge> {
  await client.query({ signal, change: true }, { text: MUTATIONS.enqueue, variables: { id: o.id, head: o.head } });
  return { kind: 'queued' };
}

/** A no to this merge; not one to the login. */
function isNo(error: unknown): error is GitHubError {
  return error instanceof GitHubError && error.reason === 'refused' && (error.status === 405 || error.status === 409 || error.status === 422);
}

function isAboutHead(error: GitHubError): boolean {
  return error.status === 409 || /head (?:branch|sha|oid|ref)/i.test(error.message);
}
