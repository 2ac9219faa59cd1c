// The objects that GraphQL reads: for each type the fields that are served. Functions take arguments; nothing here changes anything
// but that a read counts for what is hidden or unknown at first.

import { grants } from './access.ts';
import { visible } from './answer.ts';
import type { Json } from './description.ts';
import { opinionsOf } from './follow.ts';
import { mergeability, queueOf, reviewDecision, rollupOf } from './merging.ts';
import { associationOf, detailsOf, lineNow, webOf } from './render.ts';
import { connection, GraphRefusal, type PageArgs } from './graphql-pages.ts';
import { checksOf, nodeIdOf, rulesOf, same, stamp, statusesOf, tipOf, type Account, type CheckRun, type Comment, type Pull, type QueueEntry, type Review, type State, type Status, type Thread, type Token } from './state.ts';

/** A request to `/graphql` by somebody who may. */
export interface GraphCall {
  readonly state: State;
  readonly token: Token;
  readonly pageCap: number;
  /** Told of what no test may pass over: a query that the schema refuses, or a field that is not served here. */
  readonly violated: (what: string) => void;
}

/** The repository; undefined: it has another name. */
export function repositoryOf(call: GraphCall, owner: string, name: string): Json | undefined {
  const { state } = call;
  if (!same(owner, state.owner) || !same(name, state.repo)) return undefined;
  return {
    __typename: 'Repository', id: 'R_kgDOAAAAAQ', name: state.repo, nameWithOwner: `${state.owner}/${state.repo}`, url: webOf(state), isPrivate: state.isPrivate, databaseId: 1,
    mergeCommitAllowed: state.methods.includes('merge'), squashMergeAllowed: state.methods.includes('squash'), rebaseMergeAllowed: state.methods.includes('rebase'), deleteBranchOnMerge: state.deleteBranchOnMerge,
    pullRequest: ({ number }: { number: number }) => {
      const pull = visible(state, number);
      if (pull === undefined) throw new GraphRefusal('NOT_FOUND', `Could not resolve to a PullRequest with the number of ${number}.`);
      return pullObject(call, pull);
    },
    pullRequests: (args: PageArgs & { readonly states?: readonly string[] | null; readonly headRefName?: string | null; readonly baseRefName?: string | null; readonly orderBy?: { readonly direction: string } | null }) => connection(call, args, {
      items: state.pulls.filter((pull) => visible(state, pull.number) !== undefined)
        .filter((pull) => (args.states ?? []).length === 0 || (args.states ?? []).includes(stateOf(pull)))
        .filter((pull) => (args.headRefName ?? pull.head) === pull.head && (args.baseRefName ?? pull.base) === pull.base)
        .toSorted((a, b) => (args.orderBy?.direction === 'DESC' ? b.number - a.number : a.number - b.number)),
      idOf: ({ nodeId }) => nodeId, as: (pull) => pullObject(call, pull),
    }),
    mergeQueue: ({ branch }: { branch?: string | null }) => queueObject(call, branch ?? 'main'),
    ref: ({ qualifiedName }: { qualifiedName: string }) => refObject(call, qualifiedName),
  };
}

/** Whatever has a node id; undefined: nothing. */
export function nodeOf(call: GraphCall, id: string): Json | undefined {
  const { state } = call;
  const pull = state.pulls.find(({ nodeId }) => nodeId === id);
  if (pull !== undefined) return pullObject(call, pull);
  for (const one of state.pulls) {
    const thread = one.threads.find(({ nodeId }) => nodeId === id);
    if (thread !== undefined) return threadObject(call, one, thread);
    const review = one.reviews.find(({ nodeId }) => nodeId === id);
    if (review !== undefined) return reviewObject(call, one, review);
    const comment = one.comments.find(({ nodeId }) => nodeId === id);
    if (comment !== undefined) return commentObject(call, one, comment);
  }
  return undefined;
}

/** Who asks. */
export function viewerOf(call: GraphCall): Json {
  // An App sees itself with its suffix, and in all other places without.
  return { ...actor(call.state, call.token.account), __typename: 'User', login: call.token.account.login };
}

/** Somebody; null when they are gone. An App is without `[bot]` here. */
export function actor(state: State, account: Account): Json | null {
  if (!state.accounts.includes(account)) return null;
  const login = account.type === 'Bot' ? account.login.replace(/\[bot\]$/, '') : account.login;
  return {
    __typename: account.type, id: account.nodeId, databaseId: account.id, login, avatarUrl: `https://avatars.githubusercontent.com/u/${account.id}`, resourcePath: `/${login}`,
    url: account.type === 'Bot' ? `https://github.com/apps/${login}` : `https://github.com/${login}`, ...(account.type === 'Bot' ? {} : { name: account.login }),
  };
}

function stateOf(pull: Pull): 'OPEN' | 'CLOSED' | 'MERGED' {
  return pull.merged !== undefined ? 'MERGED' : pull.state === 'open' ? 'OPEN' : 'CLOSED';
}

/** A pull request. */
export function pullObject(call: GraphCall, pull: Pull): Json {
  const { state } = call;
  demandGrant(call, 'pull_requests');
  let known: ReturnType<typeof mergeability> | undefined;
  // Both fields of one answer agree, and are one read.
  const mergeable = (): ReturnType<typeof mergeability> => (known ??= mergeability(state, pull, true));
  const merged = pull.merged;
  return {
    __typename: 'PullRequest', id: pull.nodeId, databaseId: pull.id, fullDatabaseId: String(pull.id), number: pull.number, url: `${webOf(state)}/pull/${pull.number}`, state: stateOf(pull), title: pull.title, body: pull.body,
    isDraft: pull.draft, closed: pull.state === 'closed', merged: merged !== undefined, headRefName: pull.head, headRefOid: pull.headSha, baseRefName: pull.base, baseRefOid: pull.baseSha,
    headRef: () => refObject(call, `refs/heads/${pull.head}`), baseRef: () => refObject(call, `refs/heads/${pull.base}`), isCrossRepository: false,
    author: () => actor(state, pull.author), authorAssociation: associationOf(state, pull.author), createdAt: stamp(pull.at), updatedAt: stamp(pull.updatedAt), closedAt: pull.closedAt === undefined ? null : stamp(pull.closedAt),
    mergedAt: merged === undefined ? null : stamp(merged.at), mergedBy: merged === undefined ? null : () => actor(state, merged.by), mergeCommit: merged === undefined ? null : () => commitObject(call, merged.commit),
    mergeable: () => mergeable().mergeable, mergeStateStatus: () => mergeable().status, reviewDecision: () => reviewDecision(state, pull),
    isInMergeQueue: pull.queue !== undefined, isMergeQueueEnabled: rulesOf(state, pull.base).queue, mergeQueueEntry: () => entryObject(call, pull), mergeQueue: () => queueObject(call, pull.base),
    repository: () => repositoryOf(call, state.owner, state.repo), locked: false, ...connectionsOf(call, pull),
  };
}

function connectionsOf(call: GraphCall, pull: Pull): Json {
  const { state } = call;
  const reviews = (args: PageArgs, items: readonly Review[]): Json => connection(call, args, { items, idOf: ({ nodeId }) => nodeId, as: (review) => reviewObject(call, pull, review) });
  return {
    reviews: (args: PageArgs & { readonly states?: readonly string[] | null; readonly author?: string | null }) => reviews(args, pull.reviews
      .filter((review) => args.states === undefined || args.states === null || args.states.includes(review.state))
      .filter((review) => typeof args.author !== 'string' || same(review.author.login, args.author))),
    latestReviews: (args: PageArgs) => reviews(args, pull.reviews.filter((review, i) => !pull.reviews.slice(i + 1).some((later) => later.author === review.author))),
    latestOpinionatedReviews: (args: PageArgs & { readonly writersOnly?: boolean | null }) => reviews(args, opinionsOf(state, pull, args.writersOnly === true)),
    reviewThreads: (args: PageArgs) => connection(call, args, { items: pull.threads, idOf: ({ nodeId }) => nodeId, as: (thread) => threadObject(call, pull, thread) }),
    comments: (args: PageArgs) => connection(call, args, { items: pull.comments, idOf: ({ nodeId }) => nodeId, as: (comment) => commentObject(call, pull, comment) }),
    reactions: (args: PageArgs & { readonly content?: string | null }) => connection(call, args, {
      items: pull.reactions.filter((reaction) => typeof args.content !== 'string' || REACTION[reaction.content] === args.content), idOf: ({ nodeId }) => nodeId,
      as: (reaction) => ({ __typename: 'Reaction', id: reaction.nodeId, databaseId: reaction.id, content: REACTION[reaction.content], user: () => (reaction.user.type === 'User' ? actor(state, reaction.user) : null), createdAt: stamp(reaction.at) }),
    }),
    labels: (args: PageArgs) => connection(call, args, { items: pull.labels, idOf: (name) => name, as: (name) => ({ __typename: 'Label', name, id: `LA_${name}` }) }),
    reviewRequests: (args: PageArgs) => connection(call, args, { items: pull.reviewers, idOf: ({ nodeId }) => nodeId, as: (account) => ({ __typename: 'ReviewRequest', id: `RR_${account.nodeId}`, asCodeOwner: false, requestedReviewer: () => actor(state, account) }) }),
    commits: (args: PageArgs) => connection(call, args, {
      items: state.bare.commitsBetween(pull.baseSha, pull.headSha), idOf: (commit) => commit, as: (commit) => ({ __typename: 'PullRequestCommit', id: `PURC_${commit}`, commit: () => commitObject(call, commit), pullRequest: () => pullObject(call, pull) }),
    }),
    statusCheckRollup: () => rollupObject(call, pull.headSha),
  };
}

const REACTION = { '+1': 'THUMBS_UP', '-1': 'THUMBS_DOWN', laugh: 'LAUGH', confused: 'CONFUSED', heart: 'HEART', hooray: 'HOORAY', rocket: 'ROCKET', eyes: 'EYES' } as const;

function reviewObject(call: GraphCall, pull: Pull, review: Review): Json {
  const { state } = call;
  const remarks = pull.threads.flatMap((thread) => thread.comments.filter((comment) => comment.review === review).map((comment) => ({ thread, comment })));
  return {
    __typename: 'PullRequestReview', id: review.nodeId, databaseId: review.id, fullDatabaseId: String(review.id), state: review.state, body: review.body, author: () => actor(state, review.author),
    authorAssociation: associationOf(state, review.author), authorCanPushToRepository: ['admin', 'maintain', 'write'].includes(state.members.get(review.author) ?? 'none'),
    submittedAt: stamp(review.at), createdAt: stamp(review.at), updatedAt: stamp(review.at), commit: () => commitObject(call, review.commit), isMinimized: review.minimized === true, minimizedReason: review.minimized === true ? 'outdated' : null, url: `${webOf(state)}/pull/${pull.number}#pullrequestreview-${review.id}`,
    comments: (args: PageArgs) => connection(call, args, { items: remarks, idOf: ({ comment }) => comment.nodeId, as: ({ thread, comment }) => remarkObject(call, { pull, thread, comment }) }),
  };
}

/** A conversation about a line. */
export function threadObject(call: GraphCall, pull: Pull, thread: Thread): Json {
  const { state } = call;
  const line = lineNow(state, pull, thread);
  const { resolvedBy } = thread;
  return {
    __typename: 'PullRequestReviewThread', id: thread.nodeId, isResolved: resolvedBy !== undefined, isOutdated: line === undefined, isCollapsed: resolvedBy !== undefined || line === undefined, path: thread.path, line: line ?? null,
    originalLine: thread.line, startLine: null, originalStartLine: null, diffSide: 'RIGHT', subjectType: 'LINE', resolvedBy: () => (resolvedBy === undefined ? null : actor(state, resolvedBy)),
    pullRequest: () => pullObject(call, pull), viewerCanReply: true,
    comments: (args: PageArgs) => connection(call, args, { items: thread.comments, idOf: ({ nodeId }) => nodeId, as: (comment) => remarkObject(call, { pull, thread, comment }) }),
  };
}

/** A comment of a thread. */
export function remarkObject(call: GraphCall, o: { readonly pull: Pull; readonly thread: Thread; readonly comment: Comment }): Json {
  const { pull, thread, comment } = o;
  const { state } = call;
  const line = lineNow(state, pull, thread);
  const first = thread.comments[0];
  const { review } = comment;
  return {
    ...saidBy(call, comment), __typename: 'PullRequestReviewComment', url: `${webOf(state)}/pull/${pull.number}#discussion_r${comment.id}`, path: thread.path, line: line ?? null, originalLine: thread.line, diffHunk: thread.hunk,
    outdated: line === undefined, state: 'SUBMITTED', originalCommit: () => commitObject(call, thread.commit), commit: () => commitObject(call, line === undefined ? thread.commit : pull.headSha),
    replyTo: () => (first === undefined || first === comment ? null : remarkObject(call, { pull, thread, comment: first })), pullRequestReview: () => (review === undefined ? null : reviewObject(call, pull, review)),
    pullRequest: () => pullObject(call, pull),
  };
}

function commentObject(call: GraphCall, pull: Pull, comment: Comment): Json {
  return { ...saidBy(call, comment), __typename: 'IssueComment', url: `${webOf(call.state)}/pull/${pull.number}#issuecomment-${comment.id}`, pullRequest: () => pullObject(call, pull) };
}

function saidBy(call: GraphCall, comment: Comment): Json {
  const { state } = call;
  return {
    id: comment.nodeId, databaseId: comment.id, fullDatabaseId: String(comment.id), body: comment.body, bodyText: comment.body, author: () => actor(state, comment.author), authorAssociation: associationOf(state, comment.author),
    createdAt: stamp(comment.at), publishedAt: stamp(comment.at), updatedAt: stamp(comment.updatedAt), lastEditedAt: comment.updatedAt === comment.at ? null : stamp(comment.updatedAt),
    viewerDidAuthor: comment.author === call.token.account, isMinimized: comment.minimized === true, minimizedReason: comment.minimized === true ? 'outdated' : null,
  };
}

/** Refuses what a fine-grained token or an App was not given, field by field as GitHub does. */
function demandGrant(call: GraphCall, ...names: readonly string[]): void {
  const { permissions, installation } = call.token;
  if (permissions !== undefined && !names.some((name) => grants(permissions, name, 'read'))) throw new GraphRefusal('FORBIDDEN', `Resource not accessible by ${installation ? 'integration' : 'personal access token'}`);
}

function commitObject(call: GraphCall, oid: string): Json {
  const { state } = call;
  demandGrant(call, 'contents');
  return {
    __typename: 'Commit', id: `C_${nodeIdOf('C', oid)}`, oid, abbreviatedOid: oid.slice(0, 7), url: `${webOf(state)}/commit/${oid}`, message: () => state.bare.about(oid).subject, messageHeadline: () => state.bare.about(oid).subject,
    committedDate: () => state.bare.about(oid).date, statusCheckRollup: () => rollupObject(call, oid),
    parents: (args: PageArgs) => connection(call, args, { items: state.bare.about(oid).parents, idOf: (parent) => parent, as: (parent) => commitObject(call, parent) }),
  };
}

function rollupObject(call: GraphCall, oid: string): Json | null {
  const { state } = call;
  const rollup = rollupOf(state, oid);
  demandGrant(call, 'checks', 'statuses');
  if (rollup === undefined) return null;
  const items = [...checksOf(state, oid).map((run) => ({ nodeId: run.nodeId, as: () => checkObject(call, run) })), ...statusesOf(state, oid).map((status) => ({ nodeId: status.nodeId, as: () => contextObject(call, status) }))];
  return { __typename: 'StatusCheckRollup', id: `SCR_${nodeIdOf('SCR', oid)}`, state: rollup, commit: () => commitObject(call, oid), contexts: (args: PageArgs) => connection(call, args, { items, idOf: ({ nodeId }) => nodeId, as: (item) => item.as() }) };
}

function required(state: State, name: string): (args: { pullRequestNumber?: number | null; pullRequestId?: string | null }) => boolean {
  return ({ pullRequestNumber, pullRequestId }) => {
    const pull = state.pulls.find((one) => one.number === pullRequestNumber || one.nodeId === pullRequestId);
    return pull !== undefined && rulesOf(state, pull.base).checks.includes(name);
  };
}

function checkObject(call: GraphCall, run: CheckRun): Json {
  const { state } = call;
  const ran = run.run;
  const workflowRun = ran === undefined ? null : { __typename: 'WorkflowRun', id: `WFR_${ran}`, databaseId: ran, url: `${webOf(state)}/actions/runs/${ran}`, workflow: { __typename: 'Workflow', name: 'CI', id: 'W_1' }, event: 'pull_request' };
  const slug = ran === undefined ? 'some-ci' : 'github-actions';
  return {
    __typename: 'CheckRun', id: run.nodeId, databaseId: run.id, name: run.name, status: run.status.toUpperCase(), conclusion: run.conclusion?.toUpperCase() ?? null, detailsUrl: detailsOf(state, run), url: detailsOf(state, run),
    permalink: detailsOf(state, run), title: run.title ?? null, summary: run.summary ?? null, text: null, startedAt: stamp(run.at), completedAt: run.endedAt === undefined ? null : stamp(run.endedAt), isRequired: required(state, run.name),
    annotations: (args: PageArgs) => connection(call, args, {
      items: run.annotations.map((annotation, i) => ({ ...annotation, id: String(i) })), idOf: ({ id }) => id,
      as: ({ path, line, message, level, title }) => ({ __typename: 'CheckAnnotation', path, message, title: title ?? null, annotationLevel: (level ?? 'failure').toUpperCase(), location: { start: { line }, end: { line } } }),
    }),
    checkSuite: { __typename: 'CheckSuite', id: `CS_${run.suite}`, databaseId: run.suite, workflowRun, app: { __typename: 'App', id: `A_${slug}`, slug, name: slug } },
  };
}

function contextObject(call: GraphCall, status: Status): Json {
  return { __typename: 'StatusContext', id: status.nodeId, context: status.context, state: status.state.toUpperCase(), description: status.description, targetUrl: status.url, createdAt: stamp(status.at), isRequired: required(call.state, status.context) };
}

function refObject(call: GraphCall, name: string): Json | null {
  const { state } = call;
  const full = name.startsWith('refs/') ? name : `refs/heads/${name}`;
  const oid = state.refs.get(full);
  if (oid === undefined) return null;
  const branch = full.replace(/^refs\/heads\//, '');
  const rules = rulesOf(state, branch);
  const isProtected = rules.by === 'protection' && state.rules.has(branch);
  return {
    __typename: 'Ref', id: nodeIdOf('REF', full), name: branch, prefix: 'refs/heads/', target: () => commitObject(call, oid),
    // Only admins are shown the rule itself.
    branchProtectionRule: isProtected && state.members.get(call.token.account) === 'admin' ? {
      __typename: 'BranchProtectionRule', id: nodeIdOf('BPR', branch), pattern: branch, requiresStatusChecks: rules.checks.length > 0, requiresStrictStatusChecks: rules.strict, requiredStatusCheckContexts: rules.checks,
      requiresApprovingReviews: rules.approvals > 0, requiredApprovingReviewCount: rules.approvals, dismissesStaleReviews: rules.dismissStale, requiresConversationResolution: rules.resolved,
    } : null,
    refUpdateRule: isProtected ? { __typename: 'RefUpdateRule', pattern: branch, requiredStatusCheckContexts: rules.checks, requiredApprovingReviewCount: rules.approvals, requiresConversationResolution: rules.resolved } : null,
  };
}

function queueObject(call: GraphCall, branch: string): Json | null {
  const { state } = call;
  if (!rulesOf(state, branch).queue || tipOf(state, branch) === undefined) return null;
  return {
    __typename: 'MergeQueue', id: nodeIdOf('MQ', branch), url: `${webOf(state)}/queue/${branch}`,
    entries: (args: PageArgs) => connection(call, args, { items: queueOf(state, branch), idOf: ({ nodeId }) => nodeId, as: (pull) => entryObject(call, pull) }),
  };
}

/** Where a pull request waits; null: it does not. */
export function entryObject(call: GraphCall, pull: Pull, entry: QueueEntry | undefined = pull.queue): Json | null {
  if (entry === undefined) return null;
  return {
    __typename: 'MergeQueueEntry', id: entry.nodeId, state: entry.state, position: queueOf(call.state, pull.base).indexOf(pull) + 1, enqueuedAt: stamp(entry.at), enqueuer: () => actor(call.state, entry.by), estimatedTimeToMerge: null, jump: false, solo: false,
    pullRequest: () => pullObject(call, pull), mergeQueue: () => queueObject(call, pull.base), headCommit: null, baseCommit: null,
  };
}
