// The fake GitHub is held to what GitHub does: what it must refuse, what must really happen in git, and that it notices wrong requests.

import { createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerProblems } from '../rig/github/description.ts';
import { startGitHub, type GitHub } from '../rig/github/index.ts';
import { makeOrigin, type Origin } from '../rig/github/origin.ts';
import { makeRepository, type TestRepository } from '../rig/repo.ts';

type Answer = Pick<Response, 'status' | 'headers'> & { readonly body: { readonly [key: string]: unknown } };

let repository: TestRepository;
let origin: Origin;
let github: GitHub;
let clock = Date.parse('2026-03-01T10:00:00Z');

beforeAll(() => { repository = makeRepository(); });
afterAll(() => repository.close());
beforeEach(async () => {
  origin = makeOrigin(repository);
  github = await startGitHub({ bare: origin.bare, now: () => clock });
});
afterEach(() => github.close());

/** Asks as the bot, below the repository when the path begins with a word. */
async function ask(method: string, path: string, o: { readonly body?: unknown; readonly token?: string | null; readonly etag?: string; readonly redirect?: 'manual' } = {}): Promise<Answer> {
  const response = await fetch(path.startsWith('/') ? `${github.url}${path}` : `${github.url}/repos/acme/shop/${path}`, {
    method, redirect: o.redirect ?? 'follow',
    headers: { 'user-agent': 'test', ...(o.token === null ? {} : { authorization: `Bearer ${o.token ?? github.token}` }), ...(o.etag === undefined ? {} : { 'if-none-match': o.etag }) },
    ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : { text }) as Answer['body'] };
}

async function graph(query: string, variables: object = {}): Promise<Answer['body']> {
  return (await ask('POST', '/graphql', { body: { query, variables } })).body;
}

/** A branch with a pull request; gives its head. */
async function open(branch: string, more: object = {}): Promise<string> {
  const head = origin.push(branch);
  const made = await ask('POST', 'pulls', { body: { title: `the ${branch}`, head: branch, base: 'main', ...more } });
  expect(made.status).toBe(201);
  return head;
}

const READ = `query($n: Int!) { repository(owner: "acme", name: "shop") { pullRequest(number: $n) { id state mergeable mergeStateStatus reviewDecision headRefOid baseRefOid isInMergeQueue
  mergeCommit { oid } reviewThreads(first: 10) { nodes { id isResolved isOutdated line comments(first: 10) { nodes { body author { login } } } } }
  commits(last: 1) { nodes { commit { oid statusCheckRollup { state contexts(first: 10) { nodes { ... on CheckRun { name conclusion checkSuite { workflowRun { databaseId } } } ... on StatusContext { context state } } } } } } } } } }`;

async function read(n: number): Promise<{ readonly [key: string]: unknown }> {
  const body = await graph(READ, { n });
  expect(body['errors']).toBeUndefined();
  return (body as { data: { repository: { pullRequest: { [key: string]: unknown } } } }).data.repository.pullRequest;
}

describe('requests and answers', () => {
  it('answers 304 to what is known, and does not count it', async () => {
    await open('one');
    const first = await ask('GET', 'pulls/1');
    const etag = first.headers.get('etag') ?? '';
    const second = await ask('GET', 'pulls/1', { etag });
    expect([second.status, second.body]).toEqual([304, { text: '' }]);
    expect(second.headers.get('x-ratelimit-remaining')).toBe(first.headers.get('x-ratelimit-remaining'));
    expect(github.requests.slice(-2).map(({ conditional, counted, status }) => ({ conditional, counted, status }))).toEqual([{ conditional: false, counted: true, status: 200 }, { conditional: true, counted: false, status: 304 }]);
    github.react(1, 'acme', '+1');
    expect((await ask('GET', 'pulls/1', { etag })).status).toBe(304);
    origin.push('one', { more: 'more\n' });
    expect((await ask('GET', 'pulls/1', { etag })).status).toBe(200);
    expect(github.violations).toEqual([]);
  });

  it('notices requests that GitHub would not understand', async () => {
    const pull = (fields: string): object => ({ query: `{ repository(owner: "acme", name: "shop") { pullRequest(number: 1) { ${fields} } } }` });
    await open('one');
    const wrong: readonly (readonly [method: string, path: string, body: unknown, violation: RegExp])[] = [
      ['GET', 'pulls/1/merges', undefined, /not in the description/],
      ['GET', 'pulls?heads=acme:one', undefined, /unknown query parameter heads/],
      ['GET', 'pulls?state=merged', undefined, /state: it must be equal to one of/],
      ['POST', 'pulls', { title: 'x', head: 'a', base: 'main', reviewers: ['tess'] }, /unknown property reviewers/],
      ['POST', 'issues/1/comments', { body: 7 }, /must be string/],
      ['POST', 'issues/1/comments', undefined, /has no body/],
      ['POST', '/graphql', pull('headSha'), /Cannot query field "headSha"/],
      ['POST', '/graphql', { query: READ, variables: { n: 'one' } }, /\$n/],
      ['POST', '/graphql', pull('reviews { nodes { id } }'), /`first` or `last`/],
      ['POST', '/graphql', pull('viewerCanReact'), /PullRequest.viewerCanReact is not served here/],
    ];
    for (const [method, path, body, violation] of wrong) {
      const { status, body: said } = await ask(method, path, { body });
      expect([path, status === 500 || said['errors'] !== undefined, github.violations.at(-1)]).toEqual([path, true, expect.stringMatching(violation)]);
    }
    expect(github.violations).toHaveLength(wrong.length);
    // Its own answers are held against it too.
    expect(answerProblems('pulls/get', 200, { number: 1 })).toEqual([expect.stringContaining('must have required property')]);
    expect(answerProblems('pulls/merge', 418, {})).toEqual([expect.stringContaining('not documented')]);
  });

  it('gives pages with links, at most 100, and fewer when it is told so', async () => {
    await open('one');
    for (let i = 0; i < 5; i += 1) github.comment(1, 'acme', `number ${i}`);
    const first = await ask('GET', 'issues/1/comments?per_page=2');
    expect(first.headers.get('link')).toMatch(/page=2>; rel="next".*page=3>; rel="last"/);
    github.capPages(3);
    const next = /<([^>]*)>; rel="next"/.exec((await ask('GET', 'issues/1/comments?per_page=100')).headers.get('link') ?? '')?.[1] ?? '';
    expect((await ask('GET', next.slice(github.url.length))).body).toMatchObject([{ body: 'number 3' }, { body: 'number 4' }]);
    const page = (after: string): Promise<unknown> => graph(`{ repository(owner: "acme", name: "shop") { pullRequest(number: 1) { comments(first: 100${after}) { nodes { body } pageInfo { hasNextPage endCursor } } } } }`);
    const at = await page('') as { data: { repository: { pullRequest: { comments: { nodes: object[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } } } };
    const { nodes, pageInfo } = at.data.repository.pullRequest.comments;
    expect([nodes.length, pageInfo.hasNextPage]).toEqual([3, true]);
    expect(JSON.stringify(await page(`, after: "${pageInfo.endCursor}"`))).toMatch(/number 3.*number 4.*"hasNextPage":false/);
    expect(JSON.stringify(await graph('{ repository(owner: "acme", name: "shop") { pullRequest(number: 1) { comments(first: 101) { nodes { body } } } } }'))).toContain('EXCESSIVE_PAGINATION');
  });
});

describe('pull requests', () => {
  it('refuses a second one, one without commits and one of a branch that is not there', async () => {
    await open('one');
    const messages = await Promise.all(['one', 'main', 'two'].map(async (head) => {
      const { status, body } = await ask('POST', 'pulls', { body: { title: 'x', head, base: 'main' } });
      return [status, JSON.stringify(body['errors'])];
    }));
    expect(messages).toEqual([
      [422, expect.stringContaining('A pull request already exists for acme:one.')], [422, expect.stringContaining('No commits between main and main')], [422, expect.stringContaining('"field":"head"')],
    ]);
    expect((await ask('GET', 'pulls?head=acme:one&state=all')).body).toHaveLength(1);
    expect((await ask('GET', 'pulls?head=other:one&state=all')).body).toHaveLength(0);
    expect((await ask('PATCH', 'pulls/1', { body: { body: 'x'.repeat(65_537) } })).status).toBe(422);
    github.setRepository({ formerly: 'acme/old' });
    const moved = await ask('GET', '/repos/Acme/old/pulls/1', { redirect: 'manual' });
    expect([moved.status, moved.headers.get('location')]).toEqual([301, `${github.url}/repositories/1/pulls/1`]);
    expect((await ask('GET', '/repos/acme/old/pulls/1')).body).toMatchObject({ number: 1 });
    expect(github.violations).toEqual([]);
  });

  it('follows git: a push moves the head, a deleted branch closes it, a merge by hand is seen', async () => {
    await open('one');
    await open('two');
    clock += 60_000;
    const moved = origin.push('one', { more: 'more\n' });
    expect((await ask('GET', 'pulls/1')).body).toMatchObject({ head: { sha: moved }, updated_at: '2026-03-01T10:01:00Z' });
    repository.git('push', '-q', origin.bare, ':one');
    expect((await ask('GET', 'pulls/1')).body).toMatchObject({ state: 'closed', merged: false, head: { sha: moved } });
    repository.git('fetch', '-q', origin.bare, 'two');
    repository.git('merge', '-q', '--no-ff', '-m', 'by hand', 'FETCH_HEAD');
    repository.git('push', '-q', origin.bare, 'main', ':two');
    expect(await read(2)).toMatchObject({ state: 'MERGED', mergeCommit: { oid: origin.git('rev-parse', 'main') } });
    expect(github.violations).toEqual([]);
  });

  it.each(['merge', 'squash', 'rebase'] as const)('really merges by %s', async (method) => {
    await open('one');
    const head = origin.push('one', { more: 'more\n' });
    const base = origin.push('main', { other: 'other\n' });
    const before = await ask('GET', 'pulls/1');
    // The commit that it names before is not the one that will be.
    expect(origin.git('rev-parse', 'refs/pull/1/merge')).toBe(before.body['merge_commit_sha']);
    const done = await ask('PUT', 'pulls/1/merge', { body: { merge_method: method, sha: head, commit_title: 'as told' } });
    expect(done).toMatchObject({ status: 200, body: { merged: true, sha: origin.git('rev-parse', 'main') } });
    expect(origin.git('ls-tree', '--name-only', 'main').split('\n')).toEqual(['README', 'more', 'one', 'other']);
    expect(origin.git('log', '--format=%P', `${base}..main`).split('\n').map((parents) => parents.split(' ').length)).toEqual({ merge: [2, 1, 1], squash: [1], rebase: [1, 1] }[method]);
    expect(origin.git('log', '-1', '--format=%s', 'main')).toBe(method === 'rebase' ? 'work on one' : 'as told');
    expect((await ask('GET', 'pulls/1')).body).toMatchObject({ state: 'closed', merged: true, merge_commit_sha: done.body['sha'], head: { sha: head } });
    expect(github.violations).toEqual([]);
  });

  it('does not merge what is not to be merged, and says why', async () => {
    const head = await open('one', { draft: true });
    const refusal = async (body: object = {}): Promise<unknown> => {
      const { status, body: said } = await ask('PUT', 'pulls/1/merge', { body });
      return [status, said['message']];
    };
    expect(await refusal()).toEqual([405, 'Pull Request is still a draft']);
    github.edit(1, { draft: false });
    expect(await refusal({ sha: 'f'.repeat(40) })).toEqual([409, expect.stringContaining('Head branch was modified')]);
    github.setRules('main', { checks: ['build'], approvals: 1, strict: true });
    origin.push('main', { other: 'other\n' });
    expect(await refusal()).toEqual([405, expect.stringMatching(/At least 1 approving review.*\n.*"build" is expected.*\n.*out of date/)]);
    github.addUser('rita', 'write');
    github.addUser('rob', 'read');
    github.review(1, { by: 'rob', state: 'APPROVED' });
    expect(await read(1)).toMatchObject({ reviewDecision: 'REVIEW_REQUIRED', mergeStateStatus: 'BLOCKED' });
    github.review(1, { by: 'rita', state: 'APPROVED' });
    github.setCheck(head, { name: 'build', conclusion: 'failure' });
    expect(await refusal()).toEqual([405, expect.stringContaining('"build" is failing')]);
    expect(() => github.merge(1, 'rita')).toThrow('"build" is failing');
    github.setCheck(head, { name: 'build', conclusion: 'success' });
    expect(await read(1)).toMatchObject({ reviewDecision: 'APPROVED', mergeStateStatus: 'BEHIND' });
    github.setRules('main', { strict: false });
    expect(await read(1)).toMatchObject({ mergeable: 'MERGEABLE', mergeStateStatus: 'CLEAN' });
    origin.push('one', { other: 'in conflict\n' });
    expect(await read(1)).toMatchObject({ mergeable: 'CONFLICTING', mergeStateStatus: 'DIRTY' });
    expect(await refusal()).toEqual([405, 'Pull Request is not mergeable']);
    expect(github.violations).toEqual([]);
  });

  it('knows only later whether it can be merged, and shows a new one late, when it is told so', async () => {
    github.delayMergeability(1);
    github.hideNew(2);
    await open('one');
    expect((await ask('GET', 'pulls?state=all')).body).toEqual([]);
    expect((await ask('GET', 'pulls/1')).status).toBe(404);
    expect((await ask('GET', 'pulls/1')).body).toMatchObject({ mergeable: null, mergeable_state: 'unknown', merge_commit_sha: null });
    expect((await ask('GET', 'pulls/1')).body).toMatchObject({ mergeable: true, mergeable_state: 'clean' });
    origin.push('one', { more: 'more\n' });
    expect(await read(1)).toMatchObject({ mergeable: 'UNKNOWN', mergeStateStatus: 'UNKNOWN' });
    expect(await read(1)).toMatchObject({ mergeable: 'MERGEABLE' });
    expect(github.violations).toEqual([]);
  });

  it('lands through the queue of its base', async () => {
    const head = await open('one');
    await open('two');
    github.setRules('main', { queue: true, queueMethod: 'SQUASH' });
    expect(await ask('PUT', 'pulls/1/merge')).toMatchObject({ status: 405, body: { message: expect.stringContaining('merge queue') as string } });
    const enqueue = async (n: number, oid: string): Promise<unknown> => graph(
      'mutation($id: ID!, $oid: GitObjectID) { enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $oid }) { mergeQueueEntry { state position } } }', { id: (await read(n))['id'], oid },
    );
    expect(await enqueue(1, 'f'.repeat(40))).toMatchObject({ errors: [{ type: 'UNPROCESSABLE' }] });
    expect(await enqueue(1, head)).toMatchObject({ data: { enqueuePullRequest: { mergeQueueEntry: { state: 'AWAITING_CHECKS', position: 1 } } } });
    expect(await enqueue(2, origin.git('rev-parse', 'two'))).toMatchObject({ data: { enqueuePullRequest: { mergeQueueEntry: { position: 2 } } } });
    expect(await read(1)).toMatchObject({ isInMergeQueue: true });
    expect(github.advanceQueue()).toEqual({ number: 1, landed: true });
    expect(await read(1)).toMatchObject({ state: 'MERGED', isInMergeQueue: false, mergeCommit: { oid: origin.git('rev-parse', 'main') } });
    expect(github.advanceQueue({ kick: true })).toEqual({ number: 2, landed: false });
    expect(await read(2)).toMatchObject({ state: 'OPEN', isInMergeQueue: false });
    github.enqueue(2, 'acme');
    origin.push('two', { more: 'more\n' });
    expect(await read(2)).toMatchObject({ isInMergeQueue: false });
    expect(github.violations).toEqual([]);
  });

  it('loses approvals by a push where the base says so, and cannot be opened again without its branch', async () => {
    await open('one');
    github.addUser('rita', 'write');
    github.setRules('main', { approvals: 1, dismissStale: true });
    github.review(1, { by: 'rita', state: 'APPROVED' });
    expect(await read(1)).toMatchObject({ reviewDecision: 'APPROVED', mergeStateStatus: 'CLEAN' });
    origin.push('one', { more: 'more\n' });
    expect(await read(1)).toMatchObject({ reviewDecision: 'REVIEW_REQUIRED' });
    github.setRepository({ deleteBranchOnMerge: true });
    github.merge(1, 'acme');
    expect(origin.git('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main');
    await open('two');
    github.closePull(2);
    expect((await ask('PATCH', 'pulls/2', { body: { state: 'open' } })).body).toMatchObject({ state: 'open' });
    origin.git('update-ref', '-d', 'refs/heads/two');
    expect(JSON.stringify((await ask('PATCH', 'pulls/2', { body: { state: 'open' } })).body)).toContain('The two branch has been deleted');
    expect(github.violations).toEqual([]);
  });
});

describe('what is said and reported', () => {
  it('keeps threads through pushes, and knows when a line is gone', async () => {
    origin.push('one', { text: 'a\nb\nc\n' });
    await open('one');
    github.addUser('rita', 'write');
    const { comments: [comment = 0] } = github.review(1, { by: 'rita', state: 'CHANGES_REQUESTED', body: 'no', comments: [{ path: 'text', line: 2, body: 'why b?' }] });
    origin.push('one', { text: '0\na\nb\nc\n' });
    expect((await read(1))['reviewThreads']).toMatchObject({ nodes: [{ isOutdated: false, line: 3, comments: { nodes: [{ body: 'why b?', author: { login: 'rita' } }] } }] });
    expect((await ask('GET', 'pulls/1/comments')).body).toMatchObject([{ line: 3, original_line: 2, diff_hunk: '@@ -0,0 +1,3 @@\n+a\n+b' }]);
    expect((await ask('POST', `pulls/1/comments/${comment}/replies`, { body: { body: 'gone' } })).body).toMatchObject({ in_reply_to_id: comment });
    origin.push('one', { text: '0\na\nc\n' });
    const [thread] = ((await read(1))['reviewThreads'] as { nodes: { id: string; isOutdated: boolean }[] }).nodes;
    expect(thread?.isOutdated).toBe(true);
    expect(await graph('mutation($id: ID!) { resolveReviewThread(input: { threadId: $id }) { thread { isResolved } } }', { id: thread?.id })).toMatchObject({ data: { resolveReviewThread: { thread: { isResolved: true } } } });
    expect(() => github.review(1, { by: 'rita', state: 'COMMENTED', comments: [{ path: 'README', line: 1, body: 'here?' }] })).toThrow('not in the diff');
    expect(github.violations).toEqual([]);
  });

  it('tells checks by both ways, and gives logs at another place without a token', async () => {
    const head = await open('one');
    const job = github.setCheck(head, { name: 'build', conclusion: 'failure', log: 'line 1\n', annotations: [{ path: 'one', line: 1, message: 'broken' }] });
    github.setCheck(head, { name: 'build', rerun: true });
    github.setStatus(head, { context: 'deploy', state: 'success' });
    expect((await ask('GET', `commits/${head}/check-runs`)).body).toMatchObject({ total_count: 1, check_runs: [{ status: 'in_progress' }] });
    expect((await ask('GET', `commits/${head}/check-runs?filter=all`)).body).toMatchObject({ total_count: 2 });
    expect((await ask('GET', `commits/${head}/status`)).body).toMatchObject({ state: 'success', total_count: 1 });
    expect((await read(1))['commits']).toMatchObject({ nodes: [{ commit: { oid: head, statusCheckRollup: { state: 'PENDING', contexts: { nodes: [{ name: 'build', conclusion: null, checkSuite: { workflowRun: { databaseId: expect.any(Number) as number } } }, { context: 'deploy', state: 'SUCCESS' }] } } } }] });
    github.setCheck(head, { name: 'build', beside: true, conclusion: 'failure' });
    expect((await ask('GET', `commits/${head}/check-runs`)).body).toMatchObject({ total_count: 2 });
    expect(JSON.stringify((await read(1))['commits'])).toContain('"state":"FAILURE"');
    expect((await ask('GET', `check-runs/${job}/annotations`)).body).toMatchObject([{ path: 'one', start_line: 1, message: 'broken' }]);
    const log = await ask('GET', `actions/jobs/${job}/logs`, { redirect: 'manual' });
    expect(log.status).toBe(302);
    expect(await (await fetch(log.headers.get('location') ?? '')).text()).toBe('line 1\n');
    github.misbehave({ kind: 'reset' }, { operation: 'log' });
    await expect(fetch(log.headers.get('location') ?? '')).rejects.toThrow('fetch failed');
    expect((await fetch(log.headers.get('location') ?? '', { headers: { authorization: `Bearer ${github.token}` } })).status).toBe(400);
    expect(github.violations).toEqual([]);
  });

  it('tells rules and people apart', async () => {
    await open('one');
    github.addUser('tri', 'triage');
    github.setRules('main', { checks: ['build'], approvals: 2, queue: true, strict: true });
    expect((await ask('GET', 'rules/branches/main')).body).toMatchObject([{ type: 'pull_request' }, { type: 'required_status_checks', parameters: { strict_required_status_checks_policy: true } }, { type: 'merge_queue' }]);
    github.setRules('main', { by: 'protection' });
    expect((await ask('GET', 'rules/branches/main')).body).toEqual([]);
    expect((await ask('GET', 'branches/main')).body).toMatchObject({ protected: true, protection: { required_status_checks: { contexts: ['build'] } } });
    expect((await ask('GET', 'collaborators/TRI/permission')).body).toMatchObject({ permission: 'read', role_name: 'triage' });
    expect((await ask('POST', 'pulls/1/requested_reviewers', { body: { reviewers: ['nobody'] } })).status).toBe(422);
    expect((await ask('POST', 'issues/1/labels', { body: { labels: ['new'] } })).body).toMatchObject([{ name: 'new' }]);
    github.react(1, 'tri', 'eyes');
    expect((await ask('GET', 'issues/1')).body).toMatchObject({ comments: 0, reactions: { eyes: 1, total_count: 1 }, pull_request: { merged_at: null } });
    const { body: { id } } = await ask('POST', 'issues/1/comments', { body: { body: 'first' } });
    expect((await ask('PATCH', `issues/comments/${String(id)}`, { body: { body: 'second' } })).body).toMatchObject({ body: 'second' });
    for (const path of ['/user', '/rate_limit', '/repos/acme/shop', '/repos/acme/shop/pulls/1/reviews', '/repos/acme/shop/issues/1/reactions']) expect([path, (await ask('GET', path)).status]).toEqual([path, 200]);
    expect(github.violations).toEqual([]);
  });
});

describe('access and trouble', () => {
  it('refuses tokens that are unknown, revoked, expired or may too little', async () => {
    await open('one');
    const status = async (token: string | null): Promise<unknown> => (await ask('PUT', 'pulls/1/merge', { token, body: { sha: 'f'.repeat(40) } })).status;
    github.addUser('rob', 'read');
    expect(await status(null)).toBe(401);
    expect(await status('ghp_other')).toBe(401);
    expect(await status(github.addToken('rob'))).toBe(403);
    expect(await status(github.addToken('choo-bot', { permissions: { pull_requests: 'write' } }))).toBe(403);
    expect(await status(github.addToken('choo-bot', { expires: clock }))).toBe(401);
    const token = github.addToken('choo-bot', { permissions: { pull_requests: 'read' } });
    const seen = await ask('POST', '/graphql', { token, body: { query: READ, variables: { n: 1 } } });
    expect(seen.body).toMatchObject({ data: { repository: { pullRequest: { state: 'OPEN', commits: { nodes: [null] } } } }, errors: [{ type: 'FORBIDDEN', path: ['repository', 'pullRequest', 'commits', 'nodes', 0, 'commit'] }] });
    expect(await status(github.token)).toBe(409);
    github.revoke(github.token);
    expect(await status(github.token)).toBe(401);
    expect((await ask('POST', '/graphql', { body: { query: '{ viewer { login } }' } })).status).toBe(401);
    expect(github.violations).toEqual([]);
  });

  it('gives an App a token for its signed word, and to nobody else', async () => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const installation = github.installApp({ id: 7, slug: 'choo', publicKey: String(keys.publicKey.export({ type: 'spki', format: 'pem' })) });
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = (o: { readonly key?: typeof keys.privateKey; readonly minutes?: number } = {}): string => {
      const now = Math.floor(clock / 1000);
      const words = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iss: 7, iat: now - 30, exp: now + 60 * (o.minutes ?? 9) })}`;
      return `${words}.${createSign('RSA-SHA256').update(words).sign(o.key ?? keys.privateKey, 'base64url')}`;
    };
    const path = `/app/installations/${installation}/access_tokens`;
    expect((await ask('POST', path, { token: signed({ key: other.privateKey }) })).status).toBe(401);
    expect((await ask('POST', path, { token: signed({ minutes: 11 }) })).status).toBe(401);
    expect((await ask('GET', 'installation', { token: signed() })).body).toMatchObject({ id: installation, app_slug: 'choo' });
    const { status, body } = await ask('POST', path, { token: signed() });
    expect(status).toBe(201);
    origin.push('one');
    const token = String(body['token']);
    expect((await ask('POST', 'pulls', { token, body: { title: 'x', head: 'one', base: 'main' } })).body).toMatchObject({ user: { login: 'choo[bot]', type: 'Bot' } });
    expect((await ask('GET', '/user', { token })).status).toBe(403);
    expect(await graph('{ repository(owner: "acme", name: "shop") { pullRequest(number: 1) { author { __typename login } } } }')).toMatchObject({ data: { repository: { pullRequest: { author: { __typename: 'Bot', login: 'choo' } } } } });
    clock += 3_600_000;
    expect((await ask('GET', 'pulls/1', { token })).status).toBe(401);
    expect(github.violations).toEqual([]);
  });

  it('fails as it is told, before or after the effect', async () => {
    await open('one');
    const comment = (): Promise<Answer> => ask('POST', 'issues/1/comments', { body: { body: 'hello' } });
    github.misbehave({ kind: 'reset' }, { method: 'POST', path: '/comments' });
    await expect(comment()).rejects.toThrow('fetch failed');
    expect(github.pull(1).comments).toHaveLength(0);
    const after = github.misbehave({ kind: 'reset', after: true }, { method: 'POST', path: '/comments' });
    await expect(comment()).rejects.toThrow('fetch failed');
    expect([github.pull(1).comments.length, after.hits]).toEqual([1, 1]);
    github.misbehave({ kind: 'secondary-limit', retryAfter: 7 }, { skip: 1 });
    expect((await comment()).status).toBe(201);
    expect((await comment()).headers.get('retry-after')).toBe('7');
    github.misbehave({ kind: 'answer', status: 502 }, { body: 'viewer' });
    expect((await ask('GET', 'pulls/1')).status).toBe(200);
    expect((await ask('POST', '/graphql', { body: { query: '{ viewer { login } }' } })).status).toBe(502);
    github.exhaust({ reset: clock + 1000 });
    const none = await ask('GET', 'pulls/1');
    expect([none.status, none.headers.get('x-ratelimit-remaining'), none.headers.get('x-ratelimit-reset')]).toEqual([403, '0', String(clock / 1000 + 1)]);
    clock += 1000;
    expect((await ask('GET', 'pulls/1')).status).toBe(200);
    expect(github.violations).toEqual([]);
  });

  it('holds an answer until it is let go, and tells of each request as it comes', async () => {
    await open('one');
    const seen: string[] = [];
    github.onRequest = ({ method, path }) => {
      seen.push(`${method} ${path}`);
      github.comment(1, 'acme', 'in between');
    };
    const held = github.hold({ path: '/pulls/1' });
    const asked = ask('GET', 'pulls/1');
    await held.arrived;
    github.closePull(1);
    held.release();
    expect((await asked).body).toMatchObject({ state: 'closed', comments: 1 });
    expect(seen).toEqual(['GET /repos/acme/shop/pulls/1']);
    expect(github.violations).toEqual([]);
  });
});
