// The REST form of what the fake GitHub remembers. What is not modelled and has to be there says so (`unmodelled…`).

import { filled, type Json } from './description.ts';
import { mergeability, testMerge } from './merging.ts';
import { lineAfter } from './bare.ts';
import { permissionOf, REACTIONS, same, stamp, tipOf, type Account, type Annotation, type CheckRun, type Comment, type Pull, type Reaction, type Review, type State, type Status, type Thread } from './state.ts';

/** Address of the pages for people. */
export function webOf(state: State): string {
  return `https://github.com/${state.owner}/${state.repo}`;
}

/** Address of the repository in the API. */
export function apiOf(state: State): string {
  return `${state.url}/repos/${state.owner}/${state.repo}`;
}

/** An account; one that is gone is `ghost`. */
export function userJson(state: State, account: Account): Json {
  const there = state.accounts.includes(account) ? account : { ...account, login: 'ghost', id: 10137, nodeId: 'U_ghost', type: 'User' as const };
  const { login } = there;
  const url = `${state.url}/users/${encodeURIComponent(login)}`;
  return filled('simple-user', {
    login, id: there.id, node_id: there.nodeId, type: there.type, site_admin: false, url, gravatar_id: '', avatar_url: `https://avatars.githubusercontent.com/u/${there.id}`,
    html_url: there.type === 'Bot' ? `https://github.com/apps/${login.replace(/\[bot\]$/, '')}` : `https://github.com/${login}`, repos_url: `${url}/repos`,
  });
}

/** The repository in the form that `schema` names. */
export function repositoryJson(state: State, schema: 'repository' | 'full-repository' | 'minimal-repository'): Json {
  const owner = state.accounts.find((account) => same(account.login, state.owner));
  if (owner === undefined) throw new Error('the owner is gone');
  return filled(schema, {
    id: 1, node_id: 'R_kgDOAAAAAQ', name: state.repo, full_name: `${state.owner}/${state.repo}`, private: state.isPrivate, visibility: state.isPrivate ? 'private' : 'public',
    owner: userJson(state, owner), html_url: webOf(state), url: apiOf(state), description: null, fork: false, archived: false, disabled: false,
    default_branch: 'main', clone_url: `${webOf(state)}.git`, ssh_url: `git@github.com:${state.owner}/${state.repo}.git`, git_url: `git://github.com/${state.owner}/${state.repo}.git`,
    pulls_url: `${apiOf(state)}/pulls{/number}`, issues_url: `${apiOf(state)}/issues{/number}`,
    ...(schema === 'minimal-repository' ? {} : {
      allow_merge_commit: state.methods.includes('merge'), allow_squash_merge: state.methods.includes('squash'), allow_rebase_merge: state.methods.includes('rebase'),
      allow_auto_merge: false, delete_branch_on_merge: state.deleteBranchOnMerge,
    }),
  });
}

/** How somebody stands to the repository. */
export function associationOf(state: State, account: Account): string {
  if (same(account.login, state.owner)) return 'OWNER';
  if (['admin', 'maintain', 'write', 'triage'].includes(state.members.get(account) ?? 'none')) return 'COLLABORATOR';
  return state.pulls.some((pull) => pull.author === account && pull.merged !== undefined) ? 'CONTRIBUTOR' : 'NONE';
}

/** The commit that GitHub names as that of the merge: of an open pull request it is one that lands nowhere. */
function mergeCommitOf(state: State, pull: Pull): string | null {
  if (pull.merged !== undefined) return pull.merged.commit;
  return (pull.state === 'open' && mergeability(state, pull).mergeable === 'MERGEABLE' ? testMerge(state, pull) : undefined) ?? null;
}

/** A pull request in a list, or `whole`; a `read` counts for what is unknown at first. */
export function pullJson(state: State, pull: Pull, form: 'listed' | 'whole' | 'read'): Json {
  const whole = form !== 'listed';
  const api = `${apiOf(state)}/pulls/${pull.number}`;
  const issue = `${apiOf(state)}/issues/${pull.number}`;
  const html = `${webOf(state)}/pull/${pull.number}`;
  const statuses = `${apiOf(state)}/statuses/${pull.headSha}`;
  const owner = userJson(state, state.accounts[0] ?? pull.author);
  const side = (ref: string, sha: string): Json => ({ label: `${state.owner}:${ref}`, ref, sha, user: owner, repo: repositoryJson(state, 'repository') });
  return filled(whole ? 'pull-request' : 'pull-request-simple', {
    id: pull.id, node_id: pull.nodeId, number: pull.number, url: api, html_url: html, diff_url: `${html}.diff`, patch_url: `${html}.patch`, issue_url: issue,
    commits_url: `${api}/commits`, review_comments_url: `${api}/comments`, review_comment_url: `${apiOf(state)}/pulls/comments{/number}`, comments_url: `${issue}/comments`, statuses_url: statuses,
    state: pull.state, locked: false, title: pull.title, body: pull.body === '' ? null : pull.body, user: userJson(state, pull.author), draft: pull.draft,
    labels: pull.labels.map((name) => labelJson(state, name)), milestone: null, assignee: null, assignees: [], auto_merge: null,
    requested_reviewers: pull.reviewers.map((account) => userJson(state, account)), requested_teams: pull.teams.map((slug) => teamJson(state, slug)),
    created_at: stamp(pull.at), updated_at: stamp(pull.updatedAt), closed_at: pull.closedAt === undefined ? null : stamp(pull.closedAt), merged_at: pull.merged === undefined ? null : stamp(pull.merged.at),
    merge_commit_sha: mergeCommitOf(state, pull), head: side(pull.head, pull.headSha), base: side(pull.base, pull.baseSha), author_association: associationOf(state, pull.author),
    _links: {
      self: { href: api }, html: { href: html }, issue: { href: issue }, comments: { href: `${issue}/comments` }, review_comments: { href: `${api}/comments` },
      review_comment: { href: `${apiOf(state)}/pulls/comments{/number}` }, commits: { href: `${api}/commits` }, statuses: { href: statuses },
    },
    ...(whole ? wholeOf(state, pull, form === 'read') : {}),
  });
}

function wholeOf(state: State, pull: Pull, count: boolean): Json {
  const { mergeable, status } = mergeability(state, pull, count);
  const base = pull.merged === undefined ? (tipOf(state, pull.base) ?? pull.baseSha) : pull.baseSha;
  const size = state.bare.size(base, pull.headSha);
  return {
    merged: pull.merged !== undefined, merged_by: pull.merged === undefined ? null : userJson(state, pull.merged.by), mergeable: mergeable === 'UNKNOWN' ? null : mergeable === 'MERGEABLE',
    mergeable_state: status.toLowerCase(), rebaseable: mergeable === 'UNKNOWN' ? null : mergeable === 'MERGEABLE', comments: pull.comments.length,
    review_comments: pull.threads.reduce((sum, { comments }) => sum + comments.length, 0), maintainer_can_modify: pull.maintainerCanModify,
    commits: state.bare.commitsBetween(base, pull.headSha).length, additions: size.added, deletions: size.deleted, changed_files: size.files,
  };
}

/** A pull request as the issue that it is too. */
export function issueJson(state: State, pull: Pull): Json {
  const url = `${apiOf(state)}/issues/${pull.number}`;
  const html = `${webOf(state)}/pull/${pull.number}`;
  return filled('issue', {
    id: pull.id, node_id: pull.nodeId, number: pull.number, url, html_url: html, repository_url: apiOf(state), labels_url: `${url}/labels{/name}`, comments_url: `${url}/comments`, events_url: `${url}/events`,
    state: pull.state, state_reason: null, locked: false, title: pull.title, body: pull.body === '' ? null : pull.body, user: userJson(state, pull.author), labels: pull.labels.map((name) => labelJson(state, name)),
    milestone: null, assignee: null, assignees: [], comments: pull.comments.length, created_at: stamp(pull.at), updated_at: stamp(pull.updatedAt), closed_at: pull.closedAt === undefined ? null : stamp(pull.closedAt),
    author_association: associationOf(state, pull.author), draft: pull.draft,
    pull_request: { url: `${apiOf(state)}/pulls/${pull.number}`, html_url: html, diff_url: `${html}.diff`, patch_url: `${html}.patch`, merged_at: pull.merged === undefined ? null : stamp(pull.merged.at) },
    reactions: { url: `${url}/reactions`, total_count: pull.reactions.length, ...Object.fromEntries(REACTIONS.map((content) => [content, pull.reactions.filter((reaction) => reaction.content === content).length])) },
  });
}

/** A label. */
export function labelJson(state: State, name: string): Json {
  const id = 5000 + [...state.labels].indexOf(name);
  return { id, node_id: `LA_kwDO${id}`, url: `${apiOf(state)}/labels/${encodeURIComponent(name)}`, name, description: '', color: 'ededed', default: false };
}

function teamJson(state: State, slug: string): Json {
  return filled('team', { id: 7000 + [...state.teams].indexOf(slug), name: slug, slug, url: `${state.url}/teams/${slug}`, description: null, parent: null, permission: 'push', type: 'organization' });
}

/** A comment below a pull request. */
export function commentJson(state: State, pull: Pull, comment: Comment): Json {
  return filled('issue-comment', {
    id: comment.id, node_id: comment.nodeId, url: `${apiOf(state)}/issues/comments/${comment.id}`, html_url: `${webOf(state)}/pull/${pull.number}#issuecomment-${comment.id}`,
    issue_url: `${apiOf(state)}/issues/${pull.number}`, body: comment.body, user: userJson(state, comment.author), created_at: stamp(comment.at), updated_at: stamp(comment.updatedAt),
    author_association: associationOf(state, comment.author), performed_via_github_app: null,
  });
}

/** A review. */
export function reviewJson(state: State, pull: Pull, review: Review): Json {
  const html = `${webOf(state)}/pull/${pull.number}#pullrequestreview-${review.id}`;
  const api = `${apiOf(state)}/pulls/${pull.number}`;
  return filled('pull-request-review', {
    id: review.id, node_id: review.nodeId, user: userJson(state, review.author), body: review.body, state: review.state, html_url: html, pull_request_url: api,
    author_association: associationOf(state, review.author), _links: { html: { href: html }, pull_request: { href: api } }, submitted_at: stamp(review.at), commit_id: review.commit,
  });
}

/** Where the line of a thread is in the head; undefined: it was changed since. */
export function lineNow(state: State, pull: Pull, thread: Thread): number | undefined {
  return thread.commit === pull.headSha ? thread.line : lineAfter(thread.line, state.bare.hunks({ from: thread.commit, to: pull.headSha, path: thread.path, context: 0 }));
}

/** A comment of a thread. */
export function threadCommentJson(state: State, o: { readonly pull: Pull; readonly thread: Thread; readonly comment: Comment }): Json {
  const { pull, thread, comment } = o;
  const api = `${apiOf(state)}/pulls/${pull.number}`;
  const url = `${apiOf(state)}/pulls/comments/${comment.id}`;
  const html = `${webOf(state)}/pull/${pull.number}#discussion_r${comment.id}`;
  const line = lineNow(state, pull, thread);
  const first = thread.comments[0];
  return filled('pull-request-review-comment', {
    id: comment.id, node_id: comment.nodeId, url, html_url: html, pull_request_url: api, pull_request_review_id: comment.review?.id ?? null, path: thread.path, diff_hunk: thread.hunk,
    side: 'RIGHT', start_line: null, original_start_line: null, start_side: null, original_line: thread.line, subject_type: 'line', ...(line === undefined ? {} : { line }),
    commit_id: line === undefined ? thread.commit : pull.headSha, original_commit_id: thread.commit, body: comment.body, user: userJson(state, comment.author),
    created_at: stamp(comment.at), updated_at: stamp(comment.updatedAt), author_association: associationOf(state, comment.author),
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: api } }, ...(first === undefined || first === comment ? {} : { in_reply_to_id: first.id }),
  });
}

/** A reaction. */
export function reactionJson(state: State, reaction: Reaction): Json {
  return { id: reaction.id, node_id: reaction.nodeId, user: userJson(state, reaction.user), content: reaction.content, created_at: stamp(reaction.at) };
}

/** Page of a check's run, for people. */
export function detailsOf(state: State, run: CheckRun): string {
  return run.run === undefined ? `https://ci.example.com/runs/${run.id}` : `${webOf(state)}/actions/runs/${run.run}/job/${run.id}`;
}

/** A run of a check. */
export function checkJson(state: State, run: CheckRun): Json {
  const url = `${apiOf(state)}/check-runs/${run.id}`;
  const slug = run.run === undefined ? 'some-ci' : 'github-actions';
  return filled('check-run', {
    id: run.id, node_id: run.nodeId, name: run.name, head_sha: run.commit, external_id: '', url, html_url: detailsOf(state, run), details_url: detailsOf(state, run), status: run.status, conclusion: run.conclusion ?? null,
    started_at: stamp(run.at), completed_at: run.endedAt === undefined ? null : stamp(run.endedAt), check_suite: { id: run.suite }, pull_requests: [],
    output: { title: run.title ?? null, summary: run.summary ?? null, text: null, annotations_count: run.annotations.length, annotations_url: `${url}/annotations` },
    app: filled('nullable-integration', { id: run.run === undefined ? 77 : 15368, slug, node_id: `A_${slug}`, name: slug, owner: userJson(state, state.accounts[0] ?? { id: 0, nodeId: '', login: '', type: 'User' }), description: null, external_url: 'https://example.com', html_url: `https://github.com/apps/${slug}`, created_at: stamp(0), updated_at: stamp(0), permissions: {}, events: [] }),
  });
}

/** A remark of a check. */
export function annotationJson(state: State, run: CheckRun, annotation: Annotation): Json {
  return {
    path: annotation.path, blob_href: `${webOf(state)}/blob/${run.commit}/${annotation.path}`, start_line: annotation.line, end_line: annotation.line, start_column: null, end_column: null,
    annotation_level: annotation.level ?? 'failure', title: annotation.title ?? null, message: annotation.message, raw_details: null,
  };
}

/** A status of a commit. */
export function statusJson(state: State, status: Status): Json {
  const url = `${apiOf(state)}/statuses/${status.commit}`;
  return filled('simple-commit-status', {
    url, avatar_url: null, id: status.id, node_id: status.nodeId, state: status.state, description: status.description, target_url: status.url, context: status.context, created_at: stamp(status.at), updated_at: stamp(status.at),
  });
}

/** What somebody may, in the words of old and the words of now. */
export function permissionJson(state: State, account: Account): Json {
  const role = permissionOf(state, account);
  const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role;
  return { permission, role_name: role, user: { ...userJson(state, account), role_name: role, permissions: permissionsJson(role) } };
}

function permissionsJson(role: string): Json {
  const order = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];
  const has = (least: string): boolean => order.indexOf(role) >= order.indexOf(least);
  return { pull: has('read'), triage: has('triage'), push: has('write'), maintain: has('maintain'), admin: has('admin') };
}
