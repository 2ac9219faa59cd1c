// The GraphQL texts by which a pull request is read, and the shape of what comes back. The shapes are those of GitHub's schema.

/** Somebody on GitHub; the login of an App lacks its `[bot]` here. */
export interface Actor { readonly __typename: string; readonly login: string }

/** A part of a list. */
export interface Page<T> {
  readonly nodes: readonly (T | null)[] | null;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** A review, with or without words. */
export interface RawReview {
  readonly id: string;
  readonly state: 'PENDING' | 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED' | 'DISMISSED';
  readonly body: string;
  readonly submittedAt: string | null;
  readonly url: string;
  readonly isMinimized: boolean;
  readonly author: Actor | null;
}

/** One text in a conversation, or below the pull request. */
export interface RawComment {
  readonly id: string;
  readonly body: string;
  readonly createdAt: string;
  readonly url: string;
  readonly isMinimized: boolean;
  readonly author: Actor | null;
  /** Only in threads: whether everybody sees it. */
  readonly state?: 'PENDING' | 'SUBMITTED';
}

/** A conversation about lines. */
export interface RawThread {
  readonly id: string;
  readonly isResolved: boolean;
  readonly resolvedBy: { readonly login: string } | null;
  readonly path: string;
  readonly line: number | null;
  readonly originalLine: number | null;
  readonly comments: Page<RawComment>;
}

/** An emoji below the description. */
export interface RawReaction { readonly id: string; readonly content: string; readonly createdAt: string; readonly user: { readonly login: string } | null }

/** A check of GitHub's kind. */
export interface RawCheckRun {
  readonly __typename: 'CheckRun';
  readonly databaseId: number | null;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly detailsUrl: string | null;
  readonly title: string | null;
  readonly summary: string | null;
  readonly checkSuite: { readonly app: { readonly slug: string } | null } | null;
}

/** A check of the older kind. */
export interface RawStatus {
  readonly __typename: 'StatusContext';
  readonly context: string;
  readonly state: string;
  readonly targetUrl: string | null;
  readonly description: string | null;
}

/** A check of either kind. */
export type RawCheck = RawCheckRun | RawStatus;

/** The checks of a commit. */
export interface RawRollup { readonly state: string; readonly contexts: Page<RawCheck> }

/** The newest commit of a pull request. */
export interface RawCommit { readonly oid: string; readonly committedDate: string; readonly statusCheckRollup: RawRollup | null }

/** The pull request itself, without what comes in lists. */
export interface RawPull {
  readonly number: number;
  readonly url: string;
  readonly state: 'OPEN' | 'CLOSED' | 'MERGED';
  readonly isDraft: boolean;
  readonly headRefOid: string;
  readonly baseRefName: string;
  readonly mergeable: 'MERGEABLE' | 'CONFLICTING' | 'UNKNOWN';
  readonly mergeStateStatus: string;
  readonly reviewDecision: 'APPROVED' | 'CHANGES_REQUESTED' | 'REVIEW_REQUIRED' | null;
  readonly mergeCommit: { readonly oid: string } | null;
  readonly isInMergeQueue: boolean;
}

/** The lists of a pull request by their names in GraphQL. */
export interface RawLists {
  readonly reviews: RawReview;
  readonly reviewThreads: RawThread;
  readonly comments: RawComment;
  readonly reactions: RawReaction;
}

const WHO = '__typename login';
const PAGE = 'pageInfo { hasNextPage endCursor }';
const SAID = `id body createdAt url isMinimized author { ${WHO} }`;
const THREAD_COMMENTS = `nodes { ${SAID} state } ${PAGE}`;
const ARGUMENTS = '$owner: String!, $name: String!, $number: Int!';
const CHECKS = `nodes {
  __typename
  ... on CheckRun { databaseId name status conclusion detailsUrl title summary checkSuite { app { slug } } }
  ... on StatusContext { context state targetUrl description }
} ${PAGE}`;

const LISTS: Readonly<Record<keyof RawLists, { readonly first: number; readonly fields: string }>> = {
  reviews: { first: 100, fields: `nodes { id state body submittedAt url isMinimized author { ${WHO} } } ${PAGE}` },
  reviewThreads: { first: 50, fields: `nodes { id isResolved resolvedBy { login } path line originalLine comments(first: 50) { ${THREAD_COMMENTS} } } ${PAGE}` },
  comments: { first: 100, fields: `nodes { ${SAID} } ${PAGE}` },
  reactions: { first: 100, fields: `nodes { id content createdAt user { login } } ${PAGE}` },
};

function list(name: keyof RawLists, after = ''): string {
  const { first, fields } = LISTS[name];
  return `${name}(first: ${first}${after}) { ${fields} }`;
}

function pull(fields: string, more = ''): string {
  return `query(${ARGUMENTS}${more}) { repository(owner: $owner, name: $name) { pullRequest(number: $number) { ${fields} } } }`;
}

/** The pull request with the first page of each list. */
export const PULL = pull(`
  number url state isDraft headRefOid baseRefName mergeable mergeStateStatus reviewDecision isInMergeQueue
  mergeCommit { oid }
  ${list('reviews')}
  ${list('reviewThreads')}
  ${list('comments')}
  ${list('reactions')}
  commits(last: 1) { nodes { commit { oid committedDate statusCheckRollup { state contexts(first: 100) { ${CHECKS} } } } } }
`);

/** What `PULL` gives. */
export interface PullAnswer {
  readonly repository: { readonly pullRequest: (RawPull & { readonly [L in keyof RawLists]: Page<RawLists[L]> } & {
    readonly commits: { readonly nodes: readonly ({ readonly commit: RawCommit } | null)[] | null };
  }) | null } | null;
}

/** A later page of a list. */
export function listQuery(name: keyof RawLists): string {
  return pull(`headRefOid ${list(name, ', after: $after')}`, ', $after: String');
}

/** What `listQuery` gives. */
export interface ListAnswer<L extends keyof RawLists> {
  readonly repository: { readonly pullRequest: ({ readonly headRefOid: string } & { readonly [N in L]: Page<RawLists[N]> }) | null } | null;
}

/** A later page of the checks. */
export const CHECKS_PAGE = pull(`commits(last: 1) { nodes { commit { oid statusCheckRollup { contexts(first: 100, after: $after) { ${CHECKS} } } } } }`, ', $after: String');

/** What `CHECKS_PAGE` gives. */
export interface ChecksAnswer {
  readonly repository: { readonly pullRequest: { readonly commits: { readonly nodes: readonly ({ readonly commit: { readonly oid: string; readonly statusCheckRollup: { readonly contexts: Page<RawCheck> } | null } } | null)[] | null } } | null } | null;
}

/** A later page of one conversation. */
export const THREAD_PAGE = `query($id: ID!, $after: String) { node(id: $id) { ... on PullRequestReviewThread { comments(first: 100, after: $after) { ${THREAD_COMMENTS} } } } }`;

/** What `THREAD_PAGE` gives. */
export interface ThreadAnswer { readonly node: { readonly comments: Page<RawComment> } | null }

/** What a merge has to know of a pull request, and whether its base has a merge queue. */
export const STANDING = pull('id state isDraft headRefOid baseRefName isInMergeQueue mergeCommit { oid }');

/** What `STANDING` gives. */
export interface StandingAnswer {
  readonly repository: { readonly pullRequest: (Pick<RawPull, 'state' | 'isDraft' | 'headRefOid' | 'baseRefName' | 'isInMergeQueue' | 'mergeCommit'> & { readonly id: string }) | null } | null;
}

/** Whether a branch has a merge queue. */
export const QUEUE = 'query($owner: String!, $name: String!, $branch: String!) { repository(owner: $owner, name: $name) { mergeQueue(branch: $branch) { id } } }';

/** What `QUEUE` gives. */
export interface QueueAnswer { readonly repository: { readonly mergeQueue: { readonly id: string } | null } | null }

/** Changes that REST has not. */
export const MUTATIONS = {
  ready: 'mutation($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }',
  reply: 'mutation($thread: ID!, $body: String!) { addPullRequestReviewThreadReply(input: { pullRequestReviewThreadId: $thread, body: $body }) { comment { id } } }',
  resolve: 'mutation($thread: ID!) { resolveReviewThread(input: { threadId: $thread }) { thread { isResolved } } }',
  enqueue: 'mutation($id: ID!, $head: GitObjectID!) { enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $head }) { mergeQueueEntry { id } } }',
} as const;

/** Who is logged in, where REST does not tell. */
export const VIEWER = 'query { viewer { login } }';
