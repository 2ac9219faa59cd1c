// Lets pull requests follow git: what was pushed, deleted or merged by other means since the refs were last looked at.
// Called before anything is answered or done, so that nothing here is older than the bare repository.

import { may, rulesOf, tipOf, touch, type Pull, type State } from './state.ts';

/** Brings all pull requests to where the refs are now. */
export function follow(state: State): void {
  state.refs = state.bare.refs();
  for (const pull of state.pulls) {
    if (pull.state === 'open') followOne(state, pull);
    keepRef(state, `refs/pull/${pull.number}/head`, pull.headSha);
  }
}

function followOne(state: State, pull: Pull): void {
  const head = tipOf(state, pull.head);
  const base = tipOf(state, pull.base);
  const oldBase = pull.seenBase;
  if (base !== undefined) pull.seenBase = base;
  if (base === undefined) {
    closePull(state, pull);
    return;
  }
  const pushed = head !== undefined && head !== pull.headSha;
  const landed = head ?? pull.headSha;
  // Deleting the branch right after it was merged by hand is merging it.
  if (base !== oldBase && !state.bare.contains(oldBase, landed) && state.bare.contains(base, landed)) {
    pull.headSha = landed;
    const owner = state.accounts[0];
    if (owner !== undefined) mergedAs(state, pull, { commit: landingCommit(state, base, landed), by: owner });
    return;
  }
  if (head === undefined) {
    closePull(state, pull);
    return;
  }
  if (pushed) afterPush(state, pull, { head, base });
}

function afterPush(state: State, pull: Pull, o: { readonly head: string; readonly base: string }): void {
  pull.headSha = o.head;
  pull.baseSha = o.base;
  touch(state, pull);
  pull.queue = undefined;
  if (rulesOf(state, pull.base).dismissStale) {
    for (const review of pull.reviews) if (review.state === 'APPROVED') review.state = 'DISMISSED';
  }
  // Nothing is left of it.
  if (state.bare.contains(o.base, o.head)) closePull(state, pull);
}

/** The commit of the base's own line that brought `head`. */
function landingCommit(state: State, base: string, head: string): string {
  const line = state.bare.commitsBetween(head, base, { firstParent: true });
  return line.find((commit) => state.bare.contains(commit, head)) ?? base;
}

/** Closes a pull request that is open. */
export function closePull(state: State, pull: Pull): void {
  pull.state = 'closed';
  pull.closedAt = state.now();
  pull.queue = undefined;
  touch(state, pull);
}

/** Notes that a pull request has landed as `commit`. */
export function mergedAs(state: State, pull: Pull, o: { readonly commit: string; readonly by: State['accounts'][number] }): void {
  closePull(state, pull);
  pull.merged = { by: o.by, at: state.now(), commit: o.commit };
}

/** Sets a ref that GitHub keeps itself. */
export function keepRef(state: State, ref: string, commit: string): void {
  const old = state.refs.get(ref);
  if (old === commit) return;
  state.bare.moveRef(ref, commit, old);
  state.refs = new Map([...state.refs, [ref, commit]]);
}

/** Approvals and refusals that count: the last of each who may write, besides the author. */
export function opinionsOf(state: State, pull: Pull, writersOnly: boolean): readonly Pull['reviews'][number][] {
  const opinions = pull.reviews.filter((review) => review.state !== 'COMMENTED');
  const last = opinions.filter((review, i) => !opinions.slice(i + 1).some((later) => later.author === review.author));
  return writersOnly ? last.filter((review) => may(state, review.author, 'write')) : last;
}
