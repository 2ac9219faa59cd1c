// Makes PullFacts of what GitHub tells. Pure: who may steer and what failed checks printed is handed in.

import type { FailedCheck, Feedback, PullFacts } from '../../core/pull-facts.ts';
import { checkName, checkUrl, hasFailed, verdict } from './checks.ts';
import { loginOf } from './people.ts';
import type { RawCheck, RawReaction } from './queries.ts';
import type { Raw } from './raw.ts';
import { hear, speakers, type Hearing } from './said.ts';
import { bounded, plain, webUrl } from './text.ts';

/** What facts are made with. */
export interface FactOptions extends Hearing {
  /** Emoji count: a thumbs up as an approval, eyes as looking. */
  readonly emoji: boolean;
  /** What the failed checks of the head printed. */
  readonly output: ReadonlyMap<RawCheck, string>;
}

const DECISIONS = { APPROVED: 'approved', CHANGES_REQUESTED: 'changes-requested', REVIEW_REQUIRED: 'required' } as const;
const [YES, EYES] = ['THUMBS_UP', 'EYES'];

/** Logins of everybody whose rights matter for these facts. */
export function voices(raw: Raw, emoji: boolean): readonly string[] {
  return [...speakers(raw), ...(emoji ? raw.reactions.filter(counts).map(by) : [])];
}

/** The facts. The same state gives the same facts, in whatever order GitHub tells it. */
export function factsOf(raw: Raw, o: FactOptions): PullFacts {
  const { pull } = raw;
  const heard = hear(raw, o);
  const words = lastWords(raw, o);
  const checks = checkFeedback(raw, o);
  const emoji = o.emoji ? raw.reactions.filter(counts) : [];
  const strangers = emoji.filter((reaction) => !o.permitted.has(by(reaction)) && by(reaction) !== o.own)
    .map((reaction) => ({ id: `reaction:${reaction.id}`, who: by(reaction), what: 'reaction' as const, at: reaction.createdAt }));
  const ignored = [...heard.ignored, ...strangers].sort(oldestFirst).map(({ at: _, ...rest }) => rest);
  return {
    number: pull.number,
    url: webUrl(pull.url).url ?? '',
    state: pull.state === 'OPEN' ? 'open' : pull.state === 'MERGED' ? 'merged' : 'closed',
    draft: pull.isDraft,
    head: pull.headRefOid,
    base: pull.baseRefName,
    ...(pull.state === 'MERGED' && pull.mergeCommit !== null ? { merge: pull.mergeCommit.oid } : {}),
    queued: pull.isInMergeQueue,
    conflict: pull.state === 'OPEN' && (pull.mergeable === 'CONFLICTING' || pull.mergeStateStatus === 'DIRTY'),
    decision: pull.reviewDecision === null ? 'none' : DECISIONS[pull.reviewDecision],
    approvedBy: logins(words, 'yes'),
    refusedBy: logins(words, 'no'),
    looking: [...new Set(emoji.filter(({ content }) => content === EYES).map(by))].filter((login) => login !== o.own && o.permitted.has(login)).sort(),
    checks: verdict(raw.checks, raw.rollup),
    failed: failedChecks(raw.checks, o.redact),
    feedback: [...heard.feedback.toSorted(oldestFirst).map(({ at: _, ...rest }) => rest), ...checks],
    ignored,
  };
}

type Word = 'yes' | 'no' | 'none';

/** The last word of each person who may: by a review, or by a thumbs up since the head was made. */
function lastWords(raw: Raw, o: FactOptions): ReadonlyMap<string, Word> {
  const verdicts = { APPROVED: 'yes', CHANGES_REQUESTED: 'no', DISMISSED: 'none' } as const;
  const said: { readonly who: string; readonly word: Word; readonly at: string }[] = [];
  for (const { state, author, submittedAt } of raw.reviews) {
    if (state !== 'PENDING' && state !== 'COMMENTED') said.push({ who: loginOf(author), word: verdicts[state], at: submittedAt ?? '' });
  }
  for (const reaction of o.emoji ? raw.reactions : []) {
    const fresh = raw.committedAt !== undefined && Date.parse(reaction.createdAt) > Date.parse(raw.committedAt);
    if (reaction.content === YES && fresh && by(reaction) !== o.own) said.push({ who: by(reaction), word: 'yes', at: reaction.createdAt });
  }
  const inOrder = said.map((each, i) => ({ ...each, i })).sort((a, b) => moment(a.at) - moment(b.at) || a.i - b.i);
  return new Map(inOrder.filter(({ who }) => o.permitted.has(who)).map(({ who, word }) => [who, word]));
}

function logins(words: ReadonlyMap<string, Word>, wanted: Word): readonly string[] {
  return [...words].filter(([, word]) => word === wanted).map(([login]) => login).sort();
}

function failedChecks(checks: readonly RawCheck[], redact: FactOptions['redact']): readonly FailedCheck[] {
  return checks.filter(hasFailed).map((check) => ({ name: checkName(check), ...webUrl(redact(checkUrl(check) ?? '')) })).sort(byNameAndUrl);
}

/** One for each name: two failed checks of one name are told together. */
function checkFeedback(raw: Raw, { output, redact }: Pick<FactOptions, 'output' | 'redact'>): readonly Feedback[] {
  const byName = new Map<string, RawCheck[]>();
  for (const check of raw.checks.filter(hasFailed)) byName.set(checkName(check), [...(byName.get(checkName(check)) ?? []), check]);
  return [...byName].sort(([a], [b]) => compare(a, b)).map(([name, checks]): Feedback => {
    const sorted = checks.toSorted((a, b) => compare(checkUrl(a) ?? '', checkUrl(b) ?? ''));
    const texts = sorted.map((check) => output.get(check) ?? `${name} failed`);
    return { id: `check:${name}:${raw.pull.headRefOid}`, kind: 'check', who: name, text: bounded([...new Set(texts)].join('\n\n'), 'end'), ...webUrl(redact(sorted.map(checkUrl)[0] ?? '')) };
  });
}

function counts({ content }: RawReaction): boolean {
  return content === YES || content === EYES;
}

function by(reaction: RawReaction): string {
  return plain(loginOf(reaction.user === null ? null : { __typename: 'User', login: reaction.user.login }));
}

function byNameAndUrl(a: FailedCheck, b: FailedCheck): number {
  return compare(a.name, b.name) || compare(a.url ?? '', b.url ?? '');
}

function oldestFirst(a: { readonly at: string; readonly id: string }, b: { readonly at: string; readonly id: string }): number {
  return moment(a.at) - moment(b.at) || compare(a.id, b.id);
}

function moment(at: string): number {
  const time = Date.parse(at);
  return Number.isNaN(time) ? 0 : time;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
