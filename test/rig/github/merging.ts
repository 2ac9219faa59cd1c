// Whether a pull request may be merged, and merging it in the bare repository, directly or through the merge queue.
// The words of the refusals are GitHub's.

import type { Person } from './bare.ts';
import { keepRef, mergedAs, opinionsOf } from './follow.ts';
import { checksOf, nextId, nodeIdOf, rulesOf, statusesOf, tipOf, touch, type Account, type Pull, type State } from './state.ts';

/** A way to merge. */
export type Method = 'merge' | 'squash' | 'rebase';

/** What of a pull request stands in its way; in the order in which GitHub would tell it. */
export interface Hindrance {
  readonly kind: 'draft' | 'conflict' | 'behind' | 'checks' | 'reviews' | 'threads';
  readonly message: string;
}

type Verdict = 'pending' | 'failing' | 'passed';

/** What each check and each status of a commit says. */
function verdictsOf(state: State, commit: string): readonly { readonly name: string; readonly verdict: Verdict }[] {
  return [
    ...checksOf(state, commit).map(({ name, status, conclusion }) => ({
      name, verdict: status !== 'completed' ? 'pending' as const : conclusion === 'success' || conclusion === 'neutral' || conclusion === 'skipped' ? 'passed' as const : 'failing' as const,
    })),
    ...statusesOf(state, commit).map(({ context, state: is }) => ({ name: context, verdict: is === 'pending' ? 'pending' as const : is === 'success' ? 'passed' as const : 'failing' as const })),
  ];
}

/** State of one required check on a commit; of several of its name the worst counts. */
function stateOfCheck(state: State, commit: string, name: string): 'expected' | Verdict {
  return worstOf(verdictsOf(state, commit).filter((one) => one.name === name)) ?? 'expected';
}

function worstOf(all: readonly { readonly verdict: Verdict }[]): Verdict | undefined {
  return (['failing', 'pending', 'passed'] as const).find((verdict) => all.some((one) => one.verdict === verdict));
}

/** All that is reported of a commit as one word; undefined: nothing is. */
export function rollupOf(state: State, commit: string): 'SUCCESS' | 'PENDING' | 'FAILURE' | undefined {
  const worst = worstOf(verdictsOf(state, commit));
  return worst === undefined ? undefined : ({ failing: 'FAILURE', pending: 'PENDING', passed: 'SUCCESS' } as const)[worst];
}

/** True when base and head cannot be put together. */
function conflicts(state: State, pull: Pull): boolean {
  return state.bare.mergedTree(tipOf(state, pull.base) ?? pull.baseSha, pull.headSha) === undefined;
}

/** What stands in the way of an open pull request. */
export function hindrances(state: State, pull: Pull): readonly Hindrance[] {
  const rules = rulesOf(state, pull.base);
  const found: Hindrance[] = [];
  if (conflicts(state, pull)) found.push({ kind: 'conflict', message: 'Pull Request is not mergeable' });
  if (pull.draft) found.push({ kind: 'draft', message: 'Pull Request is still a draft' });
  const opinions = opinionsOf(state, pull, true);
  const approvals = opinions.filter((review) => review.state === 'APPROVED').length;
  if (rules.approvals > 0 && opinions.some((review) => review.state === 'CHANGES_REQUESTED')) found.push({ kind: 'reviews', message: 'Changes have been requested.' });
  if (approvals < rules.approvals) found.push({ kind: 'reviews', message: `At least ${rules.approvals} approving review${rules.approvals === 1 ? ' is' : 's are'} required by reviewers with write access.` });
  if (rules.resolved && pull.threads.some((thread) => thread.resolvedBy === undefined)) found.push({ kind: 'threads', message: 'A conversation must be resolved before this pull request can be merged.' });
  for (const name of rules.checks) {
    const is = stateOfCheck(state, pull.headSha, name);
    if (is !== 'passed') found.push({ kind: 'checks', message: `Required status check "${name}" is ${is === 'pending' ? 'in progress' : is}.` });
  }
  const base = tipOf(state, pull.base);
  if (rules.strict && !rules.queue && base !== undefined && !state.bare.contains(pull.headSha, base)) found.push({ kind: 'behind', message: 'Head branch is out of date. Review and try the merge again.' });
  return found;
}

/** How a reader is told whether a pull request can be merged. */
export interface Mergeability {
  readonly mergeable: 'MERGEABLE' | 'CONFLICTING' | 'UNKNOWN';
  readonly status: 'DIRTY' | 'UNKNOWN' | 'BLOCKED' | 'BEHIND' | 'UNSTABLE' | 'CLEAN' | 'DRAFT';
}

/** Whether it can be merged, as this read is told; `count`: the read counts as one. */
export function mergeability(state: State, pull: Pull, count = false): Mergeability {
  const base = tipOf(state, pull.base);
  if (pull.state === 'closed' || base === undefined) return { mergeable: 'UNKNOWN', status: 'UNKNOWN' };
  const pair = `${base} ${pull.headSha}`;
  if (pull.unknownFor !== pair) {
    pull.unknownFor = pair;
    pull.unknown = state.lag;
  }
  if (pull.unknown > 0) {
    if (count) pull.unknown -= 1;
    return { mergeable: 'UNKNOWN', status: 'UNKNOWN' };
  }
  const kinds = new Set(hindrances(state, pull).map(({ kind }) => kind));
  if (kinds.has('conflict')) return { mergeable: 'CONFLICTING', status: 'DIRTY' };
  const rollup = rollupOf(state, pull.headSha);
  const status = kinds.has('draft') ? 'DRAFT'
    : kinds.has('reviews') || kinds.has('checks') || kinds.has('threads') ? 'BLOCKED'
      : kinds.has('behind') ? 'BEHIND'
        : rollup === undefined || rollup === 'SUCCESS' ? 'CLEAN' : 'UNSTABLE';
  return { mergeable: 'MERGEABLE', status };
}

/** What the reviews come to, where the base demands some; otherwise GitHub says nothing. */
export function reviewDecision(state: State, pull: Pull): 'APPROVED' | 'CHANGES_REQUESTED' | 'REVIEW_REQUIRED' | null {
  const { approvals } = rulesOf(state, pull.base);
  if (approvals === 0) return null;
  const opinions = opinionsOf(state, pull, true);
  if (opinions.some((review) => review.state === 'CHANGES_REQUESTED')) return 'CHANGES_REQUESTED';
  return opinions.filter((review) => review.state === 'APPROVED').length >= approvals ? 'APPROVED' : 'REVIEW_REQUIRED';
}

/** The commit that GitHub makes to see whether an open pull request merges; undefined: it does not. */
export function testMerge(state: State, pull: Pull): string | undefined {
  const base = tipOf(state, pull.base);
  const tree = base === undefined ? undefined : state.bare.mergedTree(base, pull.headSha);
  if (base === undefined || tree === undefined) return undefined;
  const pair = `${base} ${pull.headSha}`;
  const made = pull.tested?.pair === pair ? pull.tested.commit : state.bare.commitTree({ tree, parents: [base, pull.headSha], message: `Merge ${pull.headSha} into ${base}`, author: GITHUB, at: state.now() });
  pull.tested = { pair, commit: made };
  keepRef(state, `refs/pull/${pull.number}/merge`, made);
  return made;
}

/** What of a merge is asked. */
export interface MergeWish {
  readonly method: Method;
  readonly by: Account;
  readonly title?: string;
  readonly message?: string;
}

/** Merges without asking for rules. Gives the commit on the base, or why it cannot be. */
export function land(state: State, pull: Pull, wish: MergeWish): { readonly commit: string } | { readonly refused: string } {
  const base = tipOf(state, pull.base);
  if (base === undefined) return { refused: 'Pull Request is not mergeable' };
  const made = wish.method === 'merge' ? mergeCommit(state, pull, { ...wish, base }) : wish.method === 'squash' ? squashCommit(state, pull, { ...wish, base }) : rebased(state, pull, { ...wish, base });
  if (made === undefined) return { refused: wish.method === 'rebase' ? 'This branch can\'t be rebased' : 'Pull Request is not mergeable' };
  if (!state.bare.moveRef(`refs/heads/${pull.base}`, made, base)) return { refused: 'Base branch was modified. Review and try the merge again.' };
  mergedAs(state, pull, { commit: made, by: wish.by });
  if (state.deleteBranchOnMerge) state.bare.deleteRef(`refs/heads/${pull.head}`, pull.headSha);
  state.refs = state.bare.refs();
  return { commit: made };
}

type Wish = MergeWish & { readonly base: string };

const GITHUB: Person = { name: 'GitHub', email: 'noreply@github.com' };

function personOf(account: Account): Person {
  return { name: account.login, email: `${account.id}+${account.login}@users.noreply.github.com` };
}

function mergeCommit(state: State, pull: Pull, wish: Wish): string | undefined {
  const tree = state.bare.mergedTree(wish.base, pull.headSha);
  const message = textOf(wish.title ?? `Merge pull request #${pull.number} from ${state.owner}/${pull.head}`, wish.message ?? pull.title);
  return tree === undefined ? undefined : state.bare.commitTree({ tree, parents: [wish.base, pull.headSha], message, author: personOf(wish.by), committer: GITHUB, at: state.now() });
}

function squashCommit(state: State, pull: Pull, wish: Wish): string | undefined {
  const tree = state.bare.mergedTree(wish.base, pull.headSha);
  if (tree === undefined) return undefined;
  const commits = state.bare.commitsBetween(wish.base, pull.headSha, { plain: true }).map((commit) => state.bare.about(commit));
  const only = commits.length === 1 ? commits[0] : undefined;
  const message = textOf(
    wish.title ?? `${only?.subject ?? pull.title} (#${pull.number})`,
    wish.message ?? only?.body ?? commits.map(({ subject, body }) => textOf(`* ${subject}`, body)).join('\n\n'),
  );
  return state.bare.commitTree({ tree, parents: [wish.base], message, author: only?.author ?? personOf(pull.author), committer: GITHUB, at: state.now() });
}

function rebased(state: State, pull: Pull, wish: Wish): string | undefined {
  let onto: string | undefined = wish.base;
  for (const commit of state.bare.commitsBetween(wish.base, pull.headSha, { plain: true })) {
    const tree: string | undefined = onto === undefined ? undefined : state.bare.replayedTree(commit, onto);
    if (tree === undefined || onto === undefined) return undefined;
    const { author, authored, subject, body } = state.bare.about(commit);
    onto = state.bare.commitTree({ tree, parents: [onto], message: textOf(subject, body), author, authoredAt: Date.parse(authored), committer: personOf(wish.by), at: state.now() });
  }
  return onto;
}

function textOf(title: string, body: string): string {
  return body === '' ? title : `${title}\n\n${body}`;
}

/** Puts an open pull request into the queue of its base; gives why not. */
export function enqueue(state: State, pull: Pull, o: { readonly by: Account; readonly head?: string | undefined }): { readonly refused: string } | undefined {
  if (!rulesOf(state, pull.base).queue) return { refused: `Base branch ${pull.base} has no merge queue` };
  if (pull.state !== 'open') return { refused: 'Pull request is closed' };
  if (o.head !== undefined && o.head !== pull.headSha) return { refused: 'Head branch was modified. Review and try the merge again.' };
  if (pull.queue !== undefined) return { refused: 'Pull request is already in the queue' };
  const first = hindrances(state, pull)[0];
  if (first !== undefined) return { refused: first.message };
  const order = nextId(state);
  pull.queue = { nodeId: nodeIdOf('MQE', order), order, at: state.now(), by: o.by, state: 'AWAITING_CHECKS' };
  touch(state, pull);
  return undefined;
}

/** The waiting pull requests of a branch, the first one first. */
export function queueOf(state: State, branch: string): readonly Pull[] {
  return state.pulls.filter((pull) => pull.base === branch && pull.queue !== undefined).toSorted((a, b) => (a.queue?.order ?? 0) - (b.queue?.order ?? 0));
}

/** Lets the first of a queue land, or throws it out; gives it, with what became of it. Undefined: nobody waits. */
export function advance(state: State, branch: string, o: { readonly kick: boolean }): { readonly pull: Pull; readonly landed: boolean } | undefined {
  const pull = queueOf(state, branch)[0];
  if (pull === undefined) return undefined;
  const by = pull.queue?.by ?? pull.author;
  const method = rulesOf(state, branch).queueMethod.toLowerCase() as Method;
  const landed = !o.kick && hindrances(state, pull).length === 0 && 'commit' in land(state, pull, { method, by });
  pull.queue = undefined;
  touch(state, pull);
  return { pull, landed };
}
