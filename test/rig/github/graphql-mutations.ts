// What GraphQL can change. The same acts as those of REST.

import { grants } from './access.ts';
import { reply, setDraft } from './acts.ts';
import { Refusal } from './answer.ts';
import type { Json } from './description.ts';
import { actor, entryObject, pullObject, remarkObject, threadObject, type GraphCall } from './graphql-objects.ts';
import { GraphRefusal } from './graphql-pages.ts';
import { enqueue } from './merging.ts';
import { may, type Permission, type Pull, type Thread } from './state.ts';

interface Input {
  readonly clientMutationId?: string | null;
  readonly pullRequestId?: string;
  readonly pullRequestReviewThreadId?: string;
  readonly threadId?: string;
  readonly id?: string;
  readonly body?: string;
  readonly expectedHeadOid?: string | null;
}

/** Mutations by name, as fields of the root. */
export function mutationsOf(call: GraphCall): Json {
  const { state, token } = call;
  const serve = (act: (input: Input) => Json) => ({ input }: { readonly input: Input }): Json => ({ clientMutationId: input.clientMutationId ?? null, actor: () => actor(state, token.account), ...refusing(() => act(granted(call, input))) });
  return {
    markPullRequestReadyForReview: serve((input) => draft(call, input, false)),
    convertPullRequestToDraft: serve((input) => draft(call, input, true)),
    addPullRequestReviewThreadReply: serve((input) => {
      const { pull, thread } = threadOf(call, input.pullRequestReviewThreadId ?? '');
      const comment = reply(state, pull, { thread, by: token.account, body: input.body ?? '' });
      return { comment: () => remarkObject(call, { pull, thread, comment }) };
    }),
    resolveReviewThread: serve((input) => resolve(call, input, true)),
    unresolveReviewThread: serve((input) => resolve(call, input, false)),
    enqueuePullRequest: serve((input) => {
      const pull = pullOf(call, input.pullRequestId ?? '');
      demand(call, 'write', 'EnqueuePullRequest');
      const no = enqueue(state, pull, { by: token.account, head: input.expectedHeadOid ?? undefined });
      if (no !== undefined) throw new GraphRefusal('UNPROCESSABLE', no.refused);
      return { mergeQueueEntry: () => entryObject(call, pull) };
    }),
    dequeuePullRequest: serve((input) => {
      const pull = pullOf(call, input.id ?? '');
      demand(call, 'write', 'DequeuePullRequest');
      const entry = pull.queue;
      if (entry === undefined) throw new GraphRefusal('UNPROCESSABLE', 'Pull request is not in the merge queue');
      pull.queue = undefined;
      return { mergeQueueEntry: () => entryObject(call, pull, entry) };
    }),
  };
}

/** A fine-grained token or an App has to have been given pull requests. */
function granted(call: GraphCall, input: Input): Input {
  const { permissions, installation } = call.token;
  if (permissions !== undefined && !grants(permissions, 'pull_requests', 'write')) throw new GraphRefusal('FORBIDDEN', `Resource not accessible by ${installation ? 'integration' : 'personal access token'}`);
  return input;
}

function refusing(act: () => Json): Json {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { message, errors } = error.answer.body as { readonly message: string; readonly errors?: readonly unknown[] };
    throw new GraphRefusal('UNPROCESSABLE', typeof errors?.[0] === 'string' ? errors[0] : message);
  }
}

function draft(call: GraphCall, input: Input, to: boolean): Json {
  const pull = pullOf(call, input.pullRequestId ?? '');
  if (pull.author !== call.token.account) demand(call, 'write', to ? 'ConvertPullRequestToDraft' : 'MarkPullRequestReadyForReview');
  setDraft(call.state, pull, to);
  return { pullRequest: () => pullObject(call, pull) };
}

function resolve(call: GraphCall, input: Input, to: boolean): Json {
  const { pull, thread } = threadOf(call, input.threadId ?? '');
  if (pull.author !== call.token.account) demand(call, 'write', to ? 'ResolveReviewThread' : 'UnresolveReviewThread');
  thread.resolvedBy = to ? call.token.account : undefined;
  return { thread: () => threadObject(call, pull, thread) };
}

function pullOf(call: GraphCall, id: string): Pull {
  const pull = call.state.pulls.find(({ nodeId }) => nodeId === id);
  if (pull === undefined) throw new GraphRefusal('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'.`);
  return pull;
}

function threadOf(call: GraphCall, id: string): { readonly pull: Pull; readonly thread: Thread } {
  for (const pull of call.state.pulls) {
    const thread = pull.threads.find(({ nodeId }) => nodeId === id);
    if (thread !== undefined) return { pull, thread };
  }
  throw new GraphRefusal('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'.`);
}

function demand(call: GraphCall, least: Permission, name: string): void {
  if (!may(call.state, call.token.account, least)) throw new GraphRefusal('FORBIDDEN', `${call.token.account.login} does not have the correct permissions to execute \`${name}\``);
}
