// REST handlers of everything but pull requests: comments, labels, reactions, checks, branches, people, Apps.

import { addComment } from './acts.ts';
import { demand, invalid, page, pullOf, refuse, type Answer, type Call } from './answer.ts';
import { filled, type Json } from './description.ts';
import { annotationJson, apiOf, checkJson, commentJson, issueJson, labelJson, permissionJson, reactionJson, repositoryJson, statusJson, userJson, webOf } from './render.ts';
import { accountOf, checksOf, may, nextId, rulesOf, stamp, statusesOf, tipOf, type App, type CheckRun, type Rules, type State } from './state.ts';

function repository(call: Call): Answer {
  const token = demand(call, 'read');
  const permissions = permissionJson(call.state, token.account)['user'] as Json;
  return { status: 200, body: { ...repositoryJson(call.state, 'full-repository'), permissions: permissions['permissions'] } };
}

function user(call: Call): Answer {
  const { token, state } = call;
  if (token === undefined) throw refuse(401, 'Requires authentication');
  if (token.installation) throw refuse(403, 'Resource not accessible by integration');
  return { status: 200, body: filled('public-user', { ...userJson(state, token.account), name: token.account.login, user_view_type: 'public' }) };
}

function issue(call: Call): Answer {
  demand(call, 'read');
  return { status: 200, body: issueJson(call.state, pullOf(call, 'issue_number')) };
}

function comments(call: Call): Answer {
  demand(call, 'read');
  const pull = pullOf(call, 'issue_number');
  const { since } = call.operation.query;
  const { items, headers } = page(call, pull.comments.filter((comment) => typeof since !== 'string' || comment.updatedAt >= Date.parse(since)));
  return { status: 200, headers, body: items.map((comment) => commentJson(call.state, pull, comment)) };
}

function comment(call: Call): Answer {
  const token = demand(call, 'read');
  const pull = pullOf(call, 'issue_number');
  const json = commentJson(call.state, pull, addComment(call.state, pull, { by: token.account, body: String(call.operation.body['body']) }));
  return { status: 201, body: json, headers: { location: String(json['url']) } };
}

function editComment(call: Call): Answer {
  const token = demand(call, 'read');
  const id = Number(call.operation.path['comment_id']);
  const pull = call.state.pulls.find((one) => one.comments.some((said) => said.id === id));
  const found = pull?.comments.find((said) => said.id === id);
  if (pull === undefined || found === undefined) throw refuse(404, 'Not Found');
  if (found.author !== token.account && !may(call.state, token.account, 'write')) throw refuse(403, 'Must have admin rights to Repository.');
  found.body = String(call.operation.body['body']);
  found.updatedAt = call.state.now();
  pull.updatedAt = call.state.now();
  return { status: 200, body: commentJson(call.state, pull, found) };
}

function labels(call: Call): Answer {
  demand(call, 'triage');
  const { state } = call;
  const pull = pullOf(call, 'issue_number');
  const names = ((call.operation.body['labels'] ?? []) as readonly (string | { readonly name: string })[]).map((label) => (typeof label === 'string' ? label : label.name));
  if (names.some((name) => name.length > 50)) throw invalid({ resource: 'Label', code: 'invalid', field: 'name' });
  for (const name of names) {
    state.labels.add(name);
    if (!pull.labels.includes(name)) pull.labels.push(name);
  }
  pull.updatedAt = state.now();
  return { status: 200, body: pull.labels.map((name) => labelJson(state, name)) };
}

function reactions(call: Call): Answer {
  demand(call, 'read');
  const pull = pullOf(call, 'issue_number');
  const { content } = call.operation.query;
  const { items, headers } = page(call, pull.reactions.filter((reaction) => content === undefined || reaction.content === content));
  return { status: 200, headers, body: items.map((reaction) => reactionJson(call.state, reaction)) };
}

function commitOf(call: Call): string {
  const { state } = call;
  const ref = call.operation.path['ref'] ?? '';
  const commit = tipOf(state, ref) ?? tipOf(state, ref.replace(/^heads\//, '')) ?? (/^[0-9a-f]{40}$/.test(ref) ? state.bare.commitOf(ref) : undefined);
  if (commit === undefined) throw refuse(422, `No commit found for SHA: ${ref}`);
  return commit;
}

function checkRuns(call: Call): Answer {
  demand(call, 'read');
  const { query } = call.operation;
  const all = checksOf(call.state, commitOf(call), query['filter'] === 'all')
    .filter((run) => query['check_name'] === undefined || run.name === query['check_name'])
    .filter((run) => query['status'] === undefined || run.status === query['status'])
    .toReversed();
  const { items, headers } = page(call, all);
  return { status: 200, headers, body: { total_count: all.length, check_runs: items.map((run) => checkJson(call.state, run)) } };
}

function status(call: Call): Answer {
  demand(call, 'read');
  const { state } = call;
  const sha = commitOf(call);
  const all = statusesOf(state, sha);
  const { items, headers } = page(call, all);
  // Without any status it is `pending`.
  const whole = all.some((one) => one.state === 'failure' || one.state === 'error') ? 'failure' : all.length > 0 && all.every((one) => one.state === 'success') ? 'success' : 'pending';
  return { status: 200, headers, body: {
    state: whole, sha, total_count: all.length, statuses: items.map((one) => statusJson(state, one)), repository: repositoryJson(state, 'minimal-repository'),
    commit_url: `${apiOf(state)}/commits/${sha}`, url: `${apiOf(state)}/commits/${sha}/status`,
  } };
}

function runOf(call: Call, name: 'job_id' | 'check_run_id'): CheckRun {
  const run = call.state.checks.find(({ id }) => id === Number(call.operation.path[name]));
  if (run === undefined) throw refuse(404, 'Not Found');
  return run;
}

function logs(call: Call): Answer {
  demand(call, 'read');
  const run = runOf(call, 'job_id');
  // A job that is not over has none yet.
  if (run.run === undefined || run.log === undefined || run.status !== 'completed') throw refuse(404, 'Not Found');
  return { status: 302, headers: { location: `${call.state.logs}/${run.id}?sig=${run.nodeId}` } };
}

function annotations(call: Call): Answer {
  demand(call, 'read');
  const run = runOf(call, 'check_run_id');
  const { items, headers } = page(call, run.annotations);
  return { status: 200, headers, body: items.map((annotation) => annotationJson(call.state, run, annotation)) };
}

function rules(call: Call): Answer {
  demand(call, 'read');
  const { items, headers } = page(call, rulesJson(call.state, rulesOf(call.state, call.operation.path['branch'] ?? '')));
  return { status: 200, headers, body: items };
}

function rulesJson(state: State, of: Rules): readonly Json[] {
  if (of.by === 'protection') return [];
  const source = { ruleset_source_type: 'Repository', ruleset_source: `${state.owner}/${state.repo}`, ruleset_id: 42 };
  return [
    ...(of.approvals > 0 || of.resolved ? [{ type: 'pull_request', ...source, parameters: {
      required_approving_review_count: of.approvals, dismiss_stale_reviews_on_push: of.dismissStale, required_reviewers: [], require_code_owner_review: false, require_last_push_approval: false,
      required_review_thread_resolution: of.resolved, allowed_merge_methods: [...state.methods],
    } }] : []),
    ...(of.checks.length > 0 || of.strict ? [{ type: 'required_status_checks', ...source, parameters: {
      strict_required_status_checks_policy: of.strict, do_not_enforce_on_create: false, required_status_checks: of.checks.map((context) => ({ context })),
    } }] : []),
    ...(of.queue ? [{ type: 'merge_queue', ...source, parameters: {
      merge_method: of.queueMethod, max_entries_to_build: 5, min_entries_to_merge: 1, max_entries_to_merge: 5, min_entries_to_merge_wait_minutes: 5, grouping_strategy: 'ALLGREEN', check_response_timeout_minutes: 60,
    } }] : []),
  ];
}

function branch(call: Call): Answer {
  demand(call, 'read');
  const { state } = call;
  const name = call.operation.path['branch'] ?? '';
  const sha = tipOf(state, name);
  if (sha === undefined) throw refuse(404, 'Branch not found');
  const of = rulesOf(state, name);
  const isProtected = of.by === 'protection' && state.rules.has(name);
  const self = `${apiOf(state)}/branches/${name}`;
  const about = state.bare.about(sha);
  const person = { name: about.author.name, email: about.author.email, date: about.date };
  return { status: 200, body: {
    name, protected: isProtected, protection_url: `${self}/protection`, _links: { self, html: `${webOf(state)}/tree/${name}` },
    protection: { enabled: isProtected, required_status_checks: { enforcement_level: isProtected && of.checks.length > 0 ? 'non_admins' : 'off', contexts: isProtected ? [...of.checks] : [], checks: isProtected ? of.checks.map((context) => ({ context, app_id: null })) : [] } },
    commit: filled('commit', {
      sha, node_id: `C_${sha}`, url: `${apiOf(state)}/commits/${sha}`, html_url: `${webOf(state)}/commit/${sha}`, comments_url: `${apiOf(state)}/commits/${sha}/comments`, author: null, committer: null,
      parents: about.parents.map((parent) => ({ sha: parent, url: `${apiOf(state)}/commits/${parent}`, html_url: `${webOf(state)}/commit/${parent}` })),
      commit: { url: `${apiOf(state)}/git/commits/${sha}`, author: person, committer: person, message: about.subject, comment_count: 0, tree: { sha: about.tree, url: `${apiOf(state)}/git/trees/${about.tree}` } },
    }),
  } };
}

function permission(call: Call): Answer {
  if (!may(call.state, demand(call, 'read').account, 'write')) throw refuse(403, 'Must have push access to view collaborator permission.');
  const account = accountOf(call.state, call.operation.path['username'] ?? '');
  if (account === undefined) throw refuse(404, `${call.operation.path['username'] ?? ''} is not a user`);
  return { status: 200, body: permissionJson(call.state, account) };
}

function installation(call: Call, app: App): Answer {
  const { state } = call;
  const api = `${state.url}/app/installations/${app.installation}`;
  return { status: 200, body: filled('installation', {
    id: app.installation, account: userJson(state, state.accounts[0] ?? app.account), app_id: app.id, client_id: app.clientId, app_slug: app.slug, target_id: 1, target_type: 'User', repository_selection: 'selected',
    access_tokens_url: `${api}/access_tokens`, repositories_url: `${state.url}/installation/repositories`, html_url: `https://github.com/settings/installations/${app.installation}`, permissions: app.permissions, events: [],
    created_at: stamp(0), updated_at: stamp(0), single_file_name: null, suspended_by: null, suspended_at: null,
  }) };
}

function accessToken(call: Call, app: App): Answer {
  const { state, operation } = call;
  if (Number(operation.path['installation_id']) !== app.installation) throw refuse(404, 'Not Found');
  const wanted = (operation.body['permissions'] ?? app.permissions) as Readonly<Record<string, string>>;
  if (Object.entries(wanted).some(([name, level]) => app.permissions[name] !== level && app.permissions[name] !== 'write')) throw refuse(422, 'The permissions requested are not granted to this installation.');
  const repositories = (operation.body['repositories'] ?? [state.repo]) as readonly string[];
  if (repositories.some((name) => name !== state.repo)) throw refuse(422, 'There is at least one repository that does not exist or is not accessible to the parent installation.');
  const expires = state.now() + 3_600_000;
  const value = `ghs_${nextId(state)}installation`;
  state.tokens.push({ value, account: app.account, permissions: wanted, installation: true, expires, revoked: false });
  return { status: 201, body: { token: value, expires_at: stamp(expires), permissions: wanted, repository_selection: 'selected' } };
}

/** Handlers by operation. */
export const OTHERS: Readonly<Record<string, (call: Call) => Answer>> = {
  'repos/get': repository, 'users/get-authenticated': user, 'issues/get': issue, 'issues/list-comments': comments, 'issues/create-comment': comment, 'issues/update-comment': editComment,
  'issues/add-labels': labels, 'reactions/list-for-issue': reactions, 'checks/list-for-ref': checkRuns, 'repos/get-combined-status-for-ref': status, 'checks/list-annotations': annotations,
  'actions/download-job-logs-for-workflow-run': logs, 'repos/get-branch-rules': rules, 'repos/get-branch': branch, 'repos/get-collaborator-permission-level': permission,
};

/** Handlers of what a GitHub App asks as itself. */
export const AS_APP: Readonly<Record<string, (call: Call, app: App) => Answer>> = {
  'apps/get-repo-installation': installation, 'apps/create-installation-access-token': accessToken,
};
