// Promises about pull requests, by what was truly done at the forge and on its branches: one for each unit, each word answered once, nothing
// merged that was not proved and allowed, and nothing of people's lost.

import type { Event, EventOf } from '../../../src/core/event.ts';
import type { HostedPull, MergeDone } from '../hosted.ts';
import type { Machine } from '../machine.ts';
import { RUN } from '../machine.ts';
import { unitOf } from '../reviewers.ts';
import { TARGET } from '../scenario.ts';
import { checkProof, unproved } from './ground.ts';

const BRANCHES = 'refs/heads/choo/unit/';

/** Looks at the whole life of the forge. */
export function checkPulls(m: Machine, events: readonly Event[]): void {
  if (m.host === undefined) return;
  checkRefs(m);
  checkBranches(m);
  const { pulls } = m.host;
  for (const unit of new Set(pulls.map(unitOf))) {
    const own = pulls.filter((pull) => unitOf(pull) === unit);
    if (own.length > 1) m.violate('one-pull', `${unit} has ${own.length} pull requests`);
  }
  for (const pull of pulls) {
    checkAnswers(m, pull, events);
    if (pull.merged?.by === 'choo') checkMerge(m, { pull, merged: pull.merged, events });
    if (pull.state === 'closed') checkClosed(m, pull, events);
  }
  checkLanded(m, events);
  checkFeedback(m, events);
}

/** Branches of people's in the repository are theirs, and so is the target at the remote. */
function checkRefs(m: Machine): void {
  for (const { by, ref } of m.repo.moves) if (by.who === 'choo' && !ref.startsWith('refs/heads/choo/') && !ref.startsWith('refs/choo/')) m.violate('peoples-refs', `choo moved ${ref}`);
  for (const { by, ref } of m.remote.moves) if (by === 'choo' && !ref.startsWith(BRANCHES)) m.violate('peoples-refs', `choo pushed to ${ref}`);
}

/** A unit's branch at the forge goes only forward by choo, and away only when it is all merged. */
function checkBranches(m: Machine): void {
  const { objects } = m.repo;
  for (const { by, ref, from, to } of m.remote.moves) {
    if (by !== 'choo' || from === undefined) continue;
    if (to !== undefined && !objects.isAncestor(from, to)) m.violate('branch-forward', `choo moved ${ref} from ${from} to ${to}`);
    const merged = m.host?.pulls.find((pull) => `refs/heads/${pull.branch}` === ref)?.merged;
    if (to === undefined && (merged === undefined || !objects.isAncestor(from, merged.head))) m.violate('branch-kept', `choo removed ${ref} at ${from}, which is not merged`);
  }
}

/** Nobody is answered again for what the journal says was answered; and who is answered has an open pull request. */
function checkAnswers(m: Machine, pull: HostedPull, events: readonly Event[]): void {
  const told = new Map<string, number>();
  for (const e of events) {
    if (e.type !== 'pr.published' || e.number !== pull.number) continue;
    for (const id of e.answered) {
      if (told.has(id)) m.violate('answers-once', `event ${e.seq}: ${id} of ${e.unit} was answered before`);
      told.set(id, e.seq);
      if (!pull.answers.has(id)) m.violate('answers-once', `event ${e.seq}: ${id} of ${e.unit} has no answer`);
    }
  }
  for (const { id, at } of pull.asked) {
    if ((told.get(id) ?? Infinity) <= at) m.violate('answers-once', `${id} of ${pull.branch} is answered again`);
    if (pull.said.some(({ feedback, permitted }) => feedback.id === id && !permitted)) m.violate('strangers', `${id} of ${pull.branch} is a stranger's, and was answered`);
  }
}

/** What choo had the forge merge was allowed and proved, and contained the target as it was when the merge was begun. */
function checkMerge(m: Machine, o: { readonly pull: HostedPull; readonly merged: MergeDone; readonly events: readonly Event[] }): void {
  const { pull, merged, events } = o;
  const unit = unitOf(pull);
  const begun = events.findLast((e): e is EventOf<'pr.merging'> => e.type === 'pr.merging' && e.unit === unit && e.commit === merged.head && e.seq <= (pull.asks?.at ?? 0));
  if (begun === undefined) return m.violate('merges', `${unit} was merged at ${merged.head}, which no event says`);
  const before = m.remote.tipAt(TARGET, begun.seq);
  if (before !== undefined && !m.repo.objects.isAncestor(before, merged.head)) m.violate('merges-outdated', `${unit} was merged at ${merged.head}, which lacks ${before}`);
  const facts = pull.asks?.facts;
  if (facts === undefined || facts.head !== merged.head || facts.state !== 'open' || facts.conflict || facts.checks === 'failed' || facts.checks === 'pending') m.violate('merges', `${unit} was merged although its checks, conflicts or head say no`);
  const yes = facts?.decision === 'approved' || (facts?.decision === 'none' && facts.approvedBy.length > 0);
  const skip = m.scenario.settings.pull?.skipReview === true;
  if (!skip && (!yes || (facts?.refusedBy.length ?? 0) > 0)) m.violate('merges-unapproved', `${unit} was merged although nobody approved or somebody refused`);
  const answered = new Set(events.flatMap((e) => (e.type === 'pr.published' && e.unit === unit ? e.answered : [])));
  if (facts?.feedback.some(({ id }) => !answered.has(id)) === true) m.violate('merges-unanswered', `${unit} was merged with unanswered feedback`);
  if (!unproved(m, { landing: begun, events })) checkProof(m, { to: merged.head, before: before ?? merged.onto, events, commands: proofOf(m, { unit, events, seq: begun.seq }) });
}

/** The checks of what was done of the unit by then, and the baseline. */
function proofOf(m: Machine, o: { readonly unit: string; readonly events: readonly Event[]; readonly seq: number }): string[] {
  const tasks = o.events.flatMap((e) => (e.type === 'task.committed' && e.unit === o.unit && e.seq < o.seq ? [`check ${o.unit} ${e.task}`] : []));
  const own = m.scenario.units.find(({ id }) => id === o.unit)?.checks ?? [];
  return [...tasks, ...own.map((c) => c.command), ...m.scenario.checks.map((c) => c.command)];
}

/** Nothing of a closed one goes away, and nothing more is done for it. */
function checkClosed(m: Machine, pull: HostedPull, events: readonly Event[]): void {
  const unit = unitOf(pull);
  const seen = events.find((e) => e.type === 'pr.seen' && e.unit === unit && e.facts.state === 'closed');
  if (seen === undefined) return;
  if (m.repo.resolve(`${BRANCHES}${unit}/${RUN}`) === undefined) m.violate('closed-stays', `the branch of ${unit} is gone although its pull request was only closed`);
  for (const e of events) if (e.seq > seen.seq && 'unit' in e && e.unit === unit && e.type !== 'unit.discarded') m.violate('closed-stays', `event ${e.seq}: ${e.type} of ${unit}, whose pull request was closed`);
}

/** What landed is what the forge merged; a commit that no proof passed on is told of. */
function checkLanded(m: Machine, events: readonly Event[]): void {
  for (const e of events) {
    if (e.type !== 'pr.merged') continue;
    const pull = m.host?.pull(e.number);
    if (pull?.merged?.commit !== e.commit) m.violate('landed-is-there', `event ${e.seq}: ${e.unit} landed by ${e.commit}, the forge merged ${pull?.merged?.commit ?? 'nothing'}`);
    if (pull?.merged !== undefined && pull.merged.head !== e.head) m.violate('landed-is-there', `event ${e.seq}: ${e.unit} landed at ${e.head}, the forge merged ${pull.merged.head}`);
    if (e.red === undefined && !unproved(m, { landing: e, events })) checkProof(m, { to: e.commit, before: pull?.merged?.onto ?? '', events, commands: proofOf(m, { unit: e.unit, events, seq: e.seq }) });
  }
}

/** Only those who may steer are heard, and only so many rounds until a person has it tried again. */
function checkFeedback(m: Machine, events: readonly Event[]): void {
  const rounds = new Map<string, Set<string>>();
  for (const e of events) {
    if (e.type === 'unit.retried') rounds.delete(e.unit);
    if (e.type !== 'rework.started' || e.because.kind !== 'feedback') continue;
    const { feedback, enough } = e.because;
    for (const { id, who } of feedback) if (who === 'eve') m.violate('strangers', `event ${e.seq}: ${id} of a stranger is worked on`);
    const of = rounds.get(e.unit) ?? new Set<string>();
    rounds.set(e.unit, of);
    // The one that was too much is worked on when a person says so.
    if (enough === undefined) of.add(feedback.map(({ id }) => id).join(' '));
    const most = m.scenario.settings.pull?.rounds ?? 0;
    // After a retry one more is allowed even where none is.
    if (of.size > (wasRetried(events, e) ? Math.max(1, most) + 1 : most)) m.violate('rounds', `event ${e.seq}: ${of.size} rounds of feedback for ${e.unit} where ${most} are allowed`);
  }
}

/** One that was begun before the unit failed for something else goes on after the retry, and is not counted. */
function wasRetried(events: readonly Event[], e: EventOf<'rework.started'>): boolean {
  return events.some((r) => r.type === 'unit.retried' && r.unit === e.unit && r.seq < e.seq);
}
