// What can be done to a pull request, by whomever and by whichever way: both APIs and the people of a test end up here.
// Asks for no permissions; refuses what GitHub refuses everybody.

import { invalid, refuse, unprocessable } from './answer.ts';
import { closePull } from './follow.ts';
import { nextId, nodeIdOf, same, tipOf, touch, type Account, type Comment, type Pull, type ReactionContent, type Review, type State, type Thread } from './state.ts';

/** Makes a pull request of a branch of the repository. */
export function createPull(state: State, by: Account, o: { readonly title: string; readonly head: string; readonly base: string; readonly body?: string; readonly draft?: boolean; readonly maintainerCanModify?: boolean }): Pull {
  const [owner, branch] = o.head.includes(':') ? [o.head.slice(0, o.head.indexOf(':')), o.head.slice(o.head.indexOf(':') + 1)] : [state.owner, o.head];
  const headSha = same(owner, state.owner) ? tipOf(state, branch) : undefined;
  const baseSha = tipOf(state, o.base);
  if (headSha === undefined) throw invalid({ resource: 'PullRequest', field: 'head', code: 'invalid' });
  if (baseSha === undefined) throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid' });
  refuseLong(o);
  refuseSecond(state, { head: branch, base: o.base });
  if (state.bare.contains(baseSha, headSha)) throw invalid({ resource: 'PullRequest', code: 'custom', message: `No commits between ${o.base} and ${branch}` });
  const id = nextId(state);
  const pull: Pull = {
    id, number: state.pulls.length + 1, nodeId: nodeIdOf('PR', id), author: by, head: branch, headSha, base: o.base, baseSha, seenBase: baseSha, title: o.title, body: o.body ?? '',
    state: 'open', draft: o.draft ?? false, maintainerCanModify: o.maintainerCanModify ?? false, at: state.now(), updatedAt: state.now(), labels: [], reviewers: [], teams: [],
    comments: [], reviews: [], threads: [], reactions: [], hidden: state.hide, unknown: 0, unknownFor: '',
  };
  state.pulls.push(pull);
  return pull;
}

function refuseLong(o: { readonly title?: string; readonly body?: string }): void {
  if ((o.title ?? '').length > 256) throw invalid({ resource: 'Issue', code: 'custom', field: 'title', message: 'title is too long (maximum is 256 characters)' });
  if ((o.body ?? '').length > 65_536) throw invalid({ resource: 'Issue', code: 'custom', field: 'body', message: 'body is too long (maximum is 65536 characters)' });
}

function refuseSecond(state: State, o: { readonly head: string; readonly base: string; readonly besides?: Pull }): void {
  const other = state.pulls.find((pull) => pull !== o.besides && pull.state === 'open' && pull.head === o.head && pull.base === o.base);
  if (other !== undefined) throw invalid({ resource: 'PullRequest', code: 'custom', message: `A pull request already exists for ${state.owner}:${o.head}.` });
}

/** Changes what is given of a pull request. */
export function editPull(state: State, pull: Pull, o: { readonly title?: string; readonly body?: string; readonly base?: string; readonly state?: 'open' | 'closed' }): void {
  refuseLong(o);
  if (o.base !== undefined && o.base !== pull.base) changeBase(state, pull, o.base);
  if (o.state === 'closed' && pull.state === 'open') closePull(state, pull);
  if (o.state === 'open' && pull.state === 'closed') reopen(state, pull);
  if (o.title !== undefined && o.title !== pull.title) Object.assign(pull, { title: o.title, updatedAt: state.now() });
  if (o.body !== undefined && o.body !== pull.body) Object.assign(pull, { body: o.body, updatedAt: state.now() });
}

function changeBase(state: State, pull: Pull, base: string): void {
  const baseSha = tipOf(state, base);
  if (pull.state === 'closed') throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid', message: 'Cannot change the base branch of a closed pull request.' });
  if (baseSha === undefined) throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid' });
  refuseSecond(state, { head: pull.head, base, besides: pull });
  if (state.bare.contains(baseSha, pull.headSha)) {
    throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid', message: `There are no new commits between base branch '${base}' and head branch '${pull.head}'` });
  }
  Object.assign(pull, { base, baseSha, seenBase: baseSha, queue: undefined });
  touch(state, pull);
}

function reopen(state: State, pull: Pull): void {
  const tip = tipOf(state, pull.head);
  const base = tipOf(state, pull.base);
  const no = (message: string): never => {
    throw invalid({ resource: 'PullRequest', field: 'state', code: 'invalid', message: `state cannot be changed. ${message}` });
  };
  if (pull.merged !== undefined) no('The pull request is merged.');
  if (tip === undefined) no(`The ${pull.head} branch has been deleted.`);
  if (base === undefined) no(`The ${pull.base} branch has been deleted.`);
  if (tip !== undefined && !state.bare.contains(tip, pull.headSha)) no(`The ${pull.head} branch was force-pushed or recreated.`);
  refuseSecond(state, { ...pull, besides: pull });
  Object.assign(pull, { state: 'open', closedAt: undefined, headSha: tip ?? pull.headSha, seenBase: base ?? pull.seenBase });
  touch(state, pull);
}

/** Comments below a pull request. */
export function addComment(state: State, pull: Pull, o: { readonly by: Account; readonly body: string }): Comment {
  if (o.body.trim() === '') throw invalid({ resource: 'IssueComment', code: 'unprocessable', field: 'data', message: 'Body cannot be blank' });
  if (o.body.length > 65_536) throw invalid({ resource: 'IssueComment', code: 'unprocessable', field: 'data', message: 'Body is too long (maximum is 65536 characters)' });
  const id = nextId(state);
  const comment: Comment = { id, nodeId: nodeIdOf('IC', id), author: o.by, body: o.body, at: state.now(), updatedAt: state.now() };
  pull.comments.push(comment);
  touch(state, pull);
  return comment;
}

/** A remark of a review about a line of the head. */
export interface Remark {
  readonly path: string;
  readonly line: number;
  readonly body: string;
}

/** Hands in a review of the head as it is. */
export function addReview(state: State, pull: Pull, o: { readonly by: Account; readonly state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED'; readonly body?: string; readonly comments?: readonly Remark[]; readonly commit?: string }): Review {
  const body = o.body ?? '';
  const remarks = o.comments ?? [];
  if (o.by === pull.author && o.state === 'APPROVED') throw unprocessable('Can not approve your own pull request');
  if (o.by === pull.author && o.state === 'CHANGES_REQUESTED') throw unprocessable('Can not request changes on your own pull request');
  if (body === '' && (o.state === 'CHANGES_REQUESTED' || (o.state === 'COMMENTED' && remarks.length === 0))) throw unprocessable('Body can\'t be blank');
  const commit = o.commit ?? pull.headSha;
  const places = remarks.map((remark) => ({ remark, hunk: hunkOf(state, pull, { ...remark, commit }) }));
  const id = nextId(state);
  const review: Review = { id, nodeId: nodeIdOf('PRR', id), author: o.by, state: o.state, body, at: state.now(), commit };
  pull.reviews.push(review);
  for (const { remark, hunk } of places) {
    const thread = nextId(state);
    pull.threads.push({ id: thread, nodeId: nodeIdOf('PRRT', thread), path: remark.path, line: remark.line, commit, hunk, comments: [newRemark(state, { by: o.by, body: remark.body, review })] });
  }
  const asked = pull.reviewers.indexOf(o.by);
  if (asked !== -1) pull.reviewers.splice(asked, 1);
  touch(state, pull);
  return review;
}

/** The piece of the diff that a line stands in, up to it; GitHub takes remarks about nothing else. */
function hunkOf(state: State, pull: Pull, o: { readonly path: string; readonly line: number; readonly commit: string }): string {
  const base = state.bare.mergeBase(tipOf(state, pull.base) ?? pull.baseSha, o.commit) ?? pull.baseSha;
  const hunk = state.bare.hunks({ from: base, to: o.commit, path: o.path, context: 3 }).find(({ newStart, newCount }) => o.line >= newStart && o.line < newStart + newCount);
  if (hunk === undefined) throw unprocessable(`Line could not be resolved: ${o.path}:${o.line} is not in the diff`);
  const [head = '', ...lines] = hunk.text.split('\n');
  let at = hunk.newStart - 1;
  const end = lines.findIndex((line) => !line.startsWith('-') && (at += 1) === o.line);
  return [head, ...lines.slice(0, end + 1)].join('\n');
}

function newRemark(state: State, o: { readonly by: Account; readonly body: string; readonly review: Review }): Comment {
  const id = nextId(state);
  return { id, nodeId: nodeIdOf('PRRC', id), author: o.by, body: o.body, at: state.now(), updatedAt: state.now(), review: o.review };
}

/** Answers in a thread; the answer is in a review of its own, as on GitHub. */
export function reply(state: State, pull: Pull, o: { readonly thread: Thread; readonly by: Account; readonly body: string }): Comment {
  if (o.body.trim() === '') throw unprocessable('Body can\'t be blank');
  const id = nextId(state);
  const review: Review = { id, nodeId: nodeIdOf('PRR', id), author: o.by, state: 'COMMENTED', body: '', at: state.now(), commit: pull.headSha };
  pull.reviews.push(review);
  const comment = newRemark(state, { by: o.by, body: o.body, review });
  o.thread.comments.push(comment);
  touch(state, pull);
  return comment;
}

/** Reacts on a pull request; a second time changes nothing, and `updated_at` stays. */
export function react(state: State, pull: Pull, o: { readonly by: Account; readonly content: ReactionContent }): void {
  if (pull.reactions.some((reaction) => reaction.user === o.by && reaction.content === o.content)) return;
  const id = nextId(state);
  // Times are told in whole seconds, a commit's too: nobody has looked at a head within the second that made it.
  pull.reactions.push({ id, nodeId: nodeIdOf('REA', id), content: o.content, user: o.by, at: Math.ceil(state.now() / 1000) * 1000 });
}

/** Makes it a draft, or no draft any more; a draft waits in no queue. */
export function setDraft(state: State, pull: Pull, draft: boolean): void {
  if (pull.state !== 'open') throw refuse(422, 'Pull request is closed');
  if (pull.draft === draft) return;
  pull.draft = draft;
  if (draft) pull.queue = undefined;
  touch(state, pull);
}
