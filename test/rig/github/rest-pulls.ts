// REST handlers of pull requests: list, make, change, merge, reviews and what is said about lines.

import { addReview, createPull, editPull, reply } from './acts.ts';
import { demand, invalid, page, pullOf, refuse, visible, type Answer, type Call } from './answer.ts';
import type { Json } from './description.ts';
import { hindrances, land, type Method } from './merging.ts';
import { pullJson, reviewJson, threadCommentJson } from './render.ts';
import { accountOf, may, rulesOf, same, type Account, type Pull } from './state.ts';

function text(call: Call, key: string): string | undefined {
  const value = call.operation.body[key];
  return typeof value === 'string' ? value : undefined;
}

function list(call: Call): Answer {
  const { state, operation: { query } } = call;
  demand(call, 'read');
  const direction = query['direction'] ?? (query['sort'] === undefined || query['sort'] === 'created' ? 'desc' : 'asc');
  const by = (pull: Pull): number => (query['sort'] === 'updated' ? pull.updatedAt : pull.number);
  const seen = state.pulls.filter((pull) => visible(state, pull.number) !== undefined);
  const all = seen
    .filter((pull) => query['state'] === 'all' || pull.state === (query['state'] ?? 'open'))
    // GitHub passes over a head without an owner.
    .filter((pull) => typeof query['head'] !== 'string' || !query['head'].includes(':') || headIs(call, pull, query['head']))
    .filter((pull) => query['base'] === undefined || pull.base === query['base'])
    .toSorted((a, b) => (direction === 'asc' ? 1 : -1) * (by(a) - by(b) || a.number - b.number));
  const { items, headers } = page(call, all);
  return { status: 200, headers, body: items.map((pull) => pullJson(state, pull, 'listed')) };
}

function headIs(call: Call, pull: Pull, wanted: string): boolean {
  const at = wanted.indexOf(':');
  return same(wanted.slice(0, at), call.state.owner) && wanted.slice(at + 1) === pull.head;
}

function create(call: Call): Answer {
  const token = demand(call, 'write');
  const { body } = call.operation;
  const title = text(call, 'title');
  if (title === undefined || title === '') throw invalid({ resource: 'PullRequest', code: 'missing_field', field: 'title' });
  const pull = createPull(call.state, token.account, {
    title, head: text(call, 'head') ?? '', base: text(call, 'base') ?? '', body: text(call, 'body') ?? '', draft: body['draft'] === true, maintainerCanModify: body['maintainer_can_modify'] === true,
  });
  // Whether it can be merged is never known at that moment.
  const made = { ...pullJson(call.state, pull, 'whole'), mergeable: null, rebaseable: null, mergeable_state: 'unknown', merge_commit_sha: null };
  return { status: 201, body: made, headers: { location: String((made as Json)['url']) } };
}

function get(call: Call): Answer {
  demand(call, 'read');
  return { status: 200, body: pullJson(call.state, pullOf(call, 'pull_number'), 'read') };
}

function update(call: Call): Answer {
  const token = demand(call, 'read');
  const pull = pullOf(call, 'pull_number');
  if (token.account !== pull.author) demand(call, 'write');
  const [title, body, base, state] = [text(call, 'title'), text(call, 'body'), text(call, 'base'), text(call, 'state')];
  editPull(call.state, pull, {
    ...(title === undefined ? {} : { title }), ...(body === undefined ? {} : { body }), ...(base === undefined ? {} : { base }), ...(state === 'open' || state === 'closed' ? { state } : {}),
  });
  return { status: 200, body: pullJson(call.state, pull, 'whole') };
}

function merge(call: Call): Answer {
  const token = demand(call, 'write');
  const { state } = call;
  const pull = pullOf(call, 'pull_number');
  const method = (text(call, 'merge_method') ?? 'merge') as Method;
  if (pull.state !== 'open') throw refuse(405, 'Pull Request is not mergeable');
  const sha = text(call, 'sha');
  if (sha !== undefined && sha !== pull.headSha) throw refuse(409, 'Head branch was modified. Review and try the merge again.');
  const rules = rulesOf(state, pull.base);
  const violated = (message: string): string => (rules.by === 'ruleset' ? `Repository rule violations found\n\n${message}\n\n` : message);
  if (!state.methods.includes(method)) throw refuse(405, `${{ merge: 'Merge', squash: 'Squash', rebase: 'Rebase' }[method]} commits are not allowed on this repository.`);
  if (rules.queue) throw refuse(405, violated('Changes must be made through the merge queue'));
  const found = hindrances(state, pull);
  const plain = found.find(({ kind }) => kind === 'conflict' || kind === 'draft');
  if (plain !== undefined) throw refuse(405, plain.message);
  // The protection of a branch does not bind admins; a ruleset does.
  const isBound = rules.by === 'ruleset' || !may(state, token.account, 'admin');
  if (isBound && found.length > 0) throw refuse(405, violated(found.map(({ message }) => message).join('\n')));
  const [title, message] = [text(call, 'commit_title'), text(call, 'commit_message')];
  const done = land(state, pull, { method, by: token.account, ...(title === undefined ? {} : { title }), ...(message === undefined ? {} : { message }) });
  if ('refused' in done) throw refuse(405, done.refused);
  return { status: 200, body: { sha: done.commit, merged: true, message: 'Pull Request successfully merged' } };
}

function requestReviewers(call: Call): Answer {
  demand(call, 'write');
  const { state, operation: { body } } = call;
  const pull = pullOf(call, 'pull_number');
  const logins = (body['reviewers'] ?? []) as readonly string[];
  const teams = (body['team_reviewers'] ?? []) as readonly string[];
  const accounts = logins.map((login) => accountOf(state, login));
  const known = accounts.filter((account): account is Account => account !== undefined && (state.members.get(account) ?? 'none') !== 'none' && may(state, account, 'read'));
  if (known.some((account) => account === pull.author)) throw refuse(422, 'Review cannot be requested from pull request author.');
  if (known.length < logins.length || teams.some((slug) => !state.teams.has(slug))) {
    throw refuse(422, `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${state.owner}/${state.repo} repository.`);
  }
  for (const account of known) if (!pull.reviewers.includes(account)) pull.reviewers.push(account);
  for (const slug of teams) if (!pull.teams.includes(slug)) pull.teams.push(slug);
  pull.updatedAt = state.now();
  return { status: 201, body: pullJson(state, pull, 'listed') };
}

function reviews(call: Call): Answer {
  demand(call, 'read');
  const pull = pullOf(call, 'pull_number');
  const { items, headers } = page(call, pull.reviews);
  return { status: 200, headers, body: items.map((review) => reviewJson(call.state, pull, review)) };
}

function createReview(call: Call): Answer {
  const token = demand(call, 'read');
  const pull = pullOf(call, 'pull_number');
  const event = text(call, 'event');
  const states = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const;
  if (event !== 'APPROVE' && event !== 'REQUEST_CHANGES' && event !== 'COMMENT') throw refuse(422, 'Pending reviews are not served here');
  const comments = (call.operation.body['comments'] ?? []) as readonly { readonly path: string; readonly line?: number; readonly body: string }[];
  const commit = text(call, 'commit_id');
  const review = addReview(call.state, pull, {
    by: token.account, state: states[event], body: text(call, 'body') ?? '', comments: comments.map((comment) => ({ ...comment, line: comment.line ?? 0 })), ...(commit === undefined ? {} : { commit }),
  });
  return { status: 200, body: reviewJson(call.state, pull, review) };
}

function comments(call: Call): Answer {
  demand(call, 'read');
  const { state, operation: { query } } = call;
  const pull = pullOf(call, 'pull_number');
  const since = typeof query['since'] === 'string' ? Date.parse(query['since']) : -Infinity;
  const all = pull.threads.flatMap((thread) => thread.comments.map((comment) => ({ pull, thread, comment })))
    .filter(({ comment }) => comment.updatedAt >= since)
    .toSorted((a, b) => (query['direction'] === 'desc' ? -1 : 1) * (a.comment.id - b.comment.id));
  const { items, headers } = page(call, all);
  return { status: 200, headers, body: items.map((item) => threadCommentJson(state, item)) };
}

function replyTo(call: Call): Answer {
  const token = demand(call, 'read');
  const pull = pullOf(call, 'pull_number');
  const id = Number(call.operation.path['comment_id']);
  const thread = pull.threads.find(({ comments: said }) => said.some((comment) => comment.id === id));
  if (thread === undefined) throw refuse(404, 'Not Found');
  const comment = reply(call.state, pull, { thread, by: token.account, body: text(call, 'body') ?? '' });
  const json = threadCommentJson(call.state, { pull, thread, comment });
  return { status: 201, body: json, headers: { location: String(json['url']) } };
}

/** Handlers by operation. */
export const PULLS: Readonly<Record<string, (call: Call) => Answer>> = {
  'pulls/list': list, 'pulls/create': create, 'pulls/get': get, 'pulls/update': update, 'pulls/merge': merge, 'pulls/request-reviewers': requestReviewers, 'pulls/list-reviews': reviews,
  'pulls/create-review': createReview, 'pulls/list-review-comments': comments, 'pulls/create-reply-for-review-comment': replyTo,
};
